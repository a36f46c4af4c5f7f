"""One call at a time, on a mount and on an ordinary folder: both must answer and change alike.

A `Case` is prepared in a folder of its own in both places, by root. Then its call is made, by the
user that the case names, and compared is what it answered (its value or errno), what is there
afterwards (types, permissions, owners, sizes, links, contents, targets), and which times moved. All
cases are prepared before the first call is made: so times that move are seen to move without a
moment of sleep.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
AT_SYMLINK_NOFOLLOW = 0x100
_DAY_NS = 86_400 * 10**9
_TICK_NS = 20_000_000
_NOT_COMMITTED = frozenset({"mode", "mtime", "atime"})
"""What no commit has of a folder with something in it."""


@dataclass(frozen=True)
class User:
    """Somebody who makes a call."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...] = ()


ROOT = User("root", 0, 0)
ADA = User("ada", 65534, 65534, (65534, 65532))
BOB = User("bob", 65533, 65533, (65533,))
TEAM = 65532
"""A group that only Ada is in, besides her own."""


@dataclass(frozen=True)
class Case:
    """One call: the summary counts it under `operation`."""

    operation: str
    what: str
    act: Callable[[], object]
    prepare: Callable[[], None] = lambda: None
    user: User = ROOT
    umask: int = 0o022
    with_atime: bool = False
    """Whether the time of access is compared; a mount does not record that something was read."""

    @property
    def name(self) -> str:
        """What it is called where something differs."""
        return f"{self.operation}: {self.what}, by {self.user.name}"


@dataclass(frozen=True)
class Refusal:
    """What a mount does not do, and how it says so."""

    because: str
    codes: frozenset[int]
    is_meant: Callable[[Case], bool]


@dataclass
class Tally:
    """What came of all cases."""

    checks: Counter[str] = field(default_factory=Counter)
    same: Counter[str] = field(default_factory=Counter)
    refused: dict[str, Counter[str]] = field(default_factory=dict)
    different: list[str] = field(default_factory=list)
    differing: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def refuse(self, operation: str, because: str) -> None:
        """Count a case that the mount refuses."""
        self.refused.setdefault(operation, Counter())[because] += 1


@dataclass(frozen=True)
class _Place:
    """A case in one of the two places."""

    folder: Path
    failure: str
    """Why it could not be prepared; empty if it could."""


def walk(
    cases: Iterable[Case],
    mounted: Path,
    ordinary: Path,
    refusals: Iterable[Refusal],
    *,
    between: Callable[[], None] = lambda: None,
    is_committed: bool = False,
) -> Tally:
    """Make every call in both places and compare.

    Parameters
    ----------
    between
        Called when everything is prepared and nothing done yet.
    is_committed
        Whether `between` commits what is in the mount. A commit has no owners, and neither modes
        nor times of folders with something in them, so root's calls alone are made, and these are
        not compared.
    """
    tally, chosen = Tally(), []
    for case in cases:
        if case.user is not ROOT and os.getuid() != 0:
            tally.skipped["only root can become somebody else"] += 1
        elif case.user is ROOT or not is_committed:
            chosen.append(case)
    known = list(refusals)
    pairs = []
    os.umask(0)
    for number, case in enumerate(chosen):
        pairs.append(tuple(_prepared(case, root / f"{number}") for root in (mounted, ordinary)))
    between()
    _tick()
    for case, places in zip(chosen, pairs, strict=True):
        ours, theirs = (_done(case, place, is_committed=is_committed) for place in places)
        _judge(tally, case, known, ours, theirs)
    os.chdir("/")
    return tally


def _prepared(case: Case, folder: Path) -> _Place:
    """Make a case's folder and what it needs; its call is made in ``here``, below it."""
    here = folder / "here"
    here.mkdir(parents=True)
    folder.chmod(0o777)
    here.chmod(0o777)
    os.chdir(here)
    try:
        case.prepare()
    except OSError as error:
        return _Place(folder, _named(error.errno))
    return _Place(folder, "")


@dataclass(frozen=True)
class _Outcome:
    answer: object
    after: dict[str, tuple[tuple[str, object], ...]]


def _done(case: Case, place: _Place, *, is_committed: bool) -> _Outcome:
    """Make the call of a case; return the answer, and what is there then."""
    if place.failure:
        return _Outcome(f"not prepared: {place.failure}", {})
    os.chdir(place.folder / "here")
    before = {found.st_ino: found for _, found in _walked(place.folder)}
    now = time.time_ns()
    try:
        with acting(case.user, case.umask):
            answer: object = case.act()
    except OSError as error:
        answer = _named(error.errno)
    os.chdir(place.folder / "here" if (place.folder / "here").exists() else place.folder)
    after = {}
    for path, found in _walked(place.folder):
        shown = _shown(path, place.folder, found, before.get(found.st_ino), now, case)
        if is_committed and stat.S_ISDIR(found.st_mode):
            shown = tuple(one for one in shown if one[0] not in _NOT_COMMITTED)
        after[path] = shown
    return _Outcome(answer, after)


def _walked(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield everything at and below a folder; attributes before anybody reads in it."""
    yield ".", os.lstat(folder)
    waiting = [""]
    while waiting:
        place = waiting.pop()
        for name in _listed(folder / place):
            path = f"{place}/{name}" if place else name
            found = os.lstat(folder / path)
            yield path, found
            if stat.S_ISDIR(found.st_mode):
                waiting.append(path)


def _listed(folder: Path) -> list[str]:
    """Return the names in a folder, and leave its time of access alone."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOATIME)
    try:
        return sorted(os.listdir(descriptor))
    finally:
        os.close(descriptor)


def _shown(
    path: str,
    folder: Path,
    found: os.stat_result,
    before: os.stat_result | None,
    now: int,
    case: Case,
) -> tuple[tuple[str, object], ...]:
    """Return what is compared of a file."""
    is_folder = stat.S_ISDIR(found.st_mode)
    content: object = None
    if stat.S_ISLNK(found.st_mode):
        content = os.readlink(folder / path)
    elif stat.S_ISREG(found.st_mode) and found.st_size < 1_000_000:
        content = (folder / path).read_bytes()
    moved = tuple(
        name
        for name in ("st_mtime_ns", "st_ctime_ns")
        if before is None or getattr(found, name) != getattr(before, name)
    )
    return (
        ("type", stat.S_IFMT(found.st_mode)),
        ("mode", oct(stat.S_IMODE(found.st_mode))),
        ("links", None if is_folder else found.st_nlink),
        ("owner", (found.st_uid, found.st_gid)),
        ("size", None if is_folder else found.st_size),
        ("content", content),
        ("moved", moved),
        ("mtime", _moment(found.st_mtime_ns, now)),
        ("atime", _moment(found.st_atime_ns, now) if case.with_atime else None),
        ("ctime is now", "st_ctime_ns" not in moved or abs(found.st_ctime_ns - now) < _DAY_NS),
    )


def _moment(time_ns: int, now: int) -> object:
    """Return a time that somebody set, or that it is one of today."""
    return "today" if abs(time_ns - now) < _DAY_NS else time_ns


def _judge(
    tally: Tally, case: Case, refusals: list[Refusal], ours: _Outcome, theirs: _Outcome
) -> None:
    tally.checks[case.operation] += 1
    if ours == theirs:
        tally.same[case.operation] += 1
        return
    said = str(ours.answer).removeprefix("not prepared: ")
    for refusal in refusals:
        names = {errno.errorcode[code] for code in refusal.codes}
        if refusal.is_meant(case) and (not names or said in names):
            tally.refuse(case.operation, refusal.because)
            return
    tally.differing[case.operation] += 1
    tally.different.append(f"{case.name}: {_difference(ours, theirs)}")


def _difference(ours: _Outcome, theirs: _Outcome) -> str:
    found = []
    if ours.answer != theirs.answer:
        found.append(f"answers {ours.answer}, and should {theirs.answer}")
    for path in sorted(ours.after.keys() | theirs.after.keys()):
        mine, other = ours.after.get(path, ()), theirs.after.get(path, ())
        if not mine or not other:
            found.append(f"{path} is {'not ' if not mine else ''}there")
        else:
            pairs = zip(mine, other, strict=True)
            found += [f"{path} has {one}, and should {two}" for one, two in pairs if one != two]
    return "; ".join(found)


@contextlib.contextmanager
def acting(user: User, umask: int) -> Iterator[None]:
    """Be somebody else for a moment; what this process was is kept aside."""
    before = os.umask(umask)
    if user is not ROOT:
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, 0)
        os.setresuid(user.uid, user.uid, 0)
    try:
        yield
    finally:
        if user is not ROOT:
            os.setresuid(0, 0, 0)
            os.setresgid(0, 0, 0)
            os.setgroups([0])
        os.umask(before)


def _tick() -> None:
    """Let the clock that file systems take their times from go on: some do in steps of 10 ms."""
    begin = time.time_ns()
    while time.time_ns() < begin + _TICK_NS:
        pass


def _named(code: int | None) -> str:
    return errno.errorcode.get(code or 0, str(code))


# --- calls that Python has not, or not in this way -----------------------------------------------


def called(name: str, *arguments: object) -> int:
    """Call a function of the C library, and raise the errno that it fails with."""
    result = int(getattr(LIBC, name)(*arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


UTIME_NOW, UTIME_OMIT = (1 << 30) - 1, (1 << 30) - 2


def utimensat(path: str, atime: tuple[int, int], mtime: tuple[int, int], flags: int = 0) -> None:
    """Set times; nanoseconds may be `UTIME_NOW` or `UTIME_OMIT`."""
    times = (_Timespec * 2)(_Timespec(*atime), _Timespec(*mtime))
    called("utimensat", AT_FDCWD, os.fsencode(path), times, flags)


def renameat2(old: str, new: str, flags: int) -> None:
    """Rename with flags."""
    called("renameat2", AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags)


def make(kind: str, name: str) -> None:
    """Make something of a kind."""
    match kind:
        case "missing":
            pass
        case "file":
            Path(name).write_bytes(b"content")
            os.chmod(name, 0o644)
        case "folder":
            os.mkdir(name, 0o755)
        case "full folder":
            os.mkdir(name, 0o755)
            make("file", f"{name}/inside")
        case "link to a file":
            make("file", f"{name}-target")
            os.symlink(f"{name}-target", name)
        case "link to a folder":
            make("full folder", f"{name}-target")
            os.symlink(f"{name}-target", name)
        case "dangling link":
            os.symlink("nowhere", name)
        case "loop":
            os.symlink(name, name)
        case "pipe":
            os.mkfifo(name, 0o644)
        case "device":
            os.mknod(name, stat.S_IFCHR | 0o644, os.makedev(1, 3))
        case "socket":
            _bind(name)
        case _:
            raise ValueError(kind)


def _bind(name: str) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(name)
