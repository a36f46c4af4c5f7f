"""What POSIX says of calls on files, walked on a mount with an ordinary folder as the oracle.

::

    python tests/suites/posix.py MOUNTED ORDINARY [--every 10]
    make test-mount ONLY=posix

Each operation meets paths of every shape, files of every type, and users who may and who may not;
modes, owners, sticky folders, set-id bits, times from before 1970 to after 2106, and files that
are removed while they are open have tables of their own. What a mount refuses on purpose is in
`REFUSALS`, with the errno that it has to use and the reason, and anything else that differs from
the ordinary folder is a failure. Others than root are tried where this process is root and the
mount lets them in (``DATALAKE_ALLOW_OTHER=1``).
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path

from walk import (
    ADA,
    AT_FDCWD,
    AT_SYMLINK_NOFOLLOW,
    BOB,
    ROOT,
    TEAM,
    UTIME_NOW,
    UTIME_OMIT,
    Case,
    Refusal,
    Tally,
    User,
    called,
    make,
    renameat2,
    utimensat,
    walk,
)

LONGEST = "n" * 255
TOO_LONG = "n" * 256
KINDS = ("file", "folder", "full folder", "link to a file", "link to a folder", "dangling link")
SPECIAL = ("pipe", "device", "socket")
NOREPLACE, EXCHANGE = 1, 2
_LARGE = 1_000_000

REFUSALS = (
    Refusal(
        "hard links: a commit has one path for each file",
        frozenset({errno.EPERM}),
        lambda case: case.operation == "link" or "hard link" in case.what,
    ),
    Refusal(
        "pipes, sockets and devices: there is nothing to commit",
        frozenset({errno.EPERM}),
        lambda case: (
            case.operation in {"mkfifo", "mknod", "bind"}
            or any(kind in case.what for kind in SPECIAL)
        ),
    ),
    Refusal(
        "RENAME_EXCHANGE: the journal has no such act",
        frozenset({errno.EINVAL}),
        lambda case: "exchange" in case.what,
    ),
    Refusal(
        "O_TMPFILE: FUSE does not pass it on",
        frozenset({errno.EOPNOTSUPP}),
        lambda case: "TMPFILE" in case.what,
    ),
    Refusal(
        "a stranger's chown(2) that names nobody: the kernel asks the same before writes",
        frozenset(),
        lambda case: (
            case.operation == "chown" and case.user is ADA and case.what.endswith("to -1:-1")
        ),
    ),
    Refusal(
        "posix_fallocate within a file: the C library writes nothing, and no time moves",
        frozenset(),
        lambda case: case.operation == "posix_fallocate" and case.what == "4 at 0",
    ),
)


# --- paths of every shape ------------------------------------------------------------------------


def _tree(*kinds: str) -> Callable[[], None]:
    def prepare() -> None:
        for kind in kinds:
            make(kind, kind.replace(" ", "-"))

    return prepare


def _locked(name: str, mode: int, inside: str = "file") -> Callable[[], None]:
    def prepare() -> None:
        os.mkdir(name, 0o755)
        make(inside, f"{name}/inside")
        os.chmod(name, mode)

    return prepare


def _padded(name: str, length: int) -> str:
    """Return a path of exactly so many bytes that leads to `name` here."""
    return "./" * ((length - len(name)) // 2) + "/" * ((length - len(name)) % 2) + name


SHAPES: dict[str, tuple[Callable[[], None], str, tuple[User, ...]]] = {
    "missing": (_tree(), "missing", (ROOT, ADA)),
    "below what is missing": (_tree(), "missing/x", (ROOT,)),
    "below a file": (_tree("file"), "file/x", (ROOT, ADA)),
    "a file": (_tree("file"), "file", (ROOT, ADA)),
    "a file with a slash": (_tree("file"), "file/", (ROOT,)),
    "a file with two dots": (_tree("file"), "file/..", (ROOT,)),
    "missing with a slash": (_tree(), "missing/", (ROOT,)),
    "a folder": (_tree("folder"), "folder", (ROOT, ADA)),
    "a folder with a slash": (_tree("folder"), "folder/", (ROOT,)),
    "a folder with a dot": (_tree("folder"), "folder/.", (ROOT,)),
    "a folder with two dots": (_tree("folder"), "folder/..", (ROOT,)),
    "a full folder": (_tree("full folder"), "full-folder", (ROOT,)),
    "this folder": (_tree("file"), ".", (ROOT,)),
    "the folder above": (_tree("file"), "..", (ROOT,)),
    "nothing": (_tree(), "", (ROOT,)),
    "a link to a file": (_tree("link to a file"), "link-to-a-file", (ROOT, ADA)),
    "a link to a file with a slash": (_tree("link to a file"), "link-to-a-file/", (ROOT,)),
    "a link to a folder": (_tree("link to a folder"), "link-to-a-folder", (ROOT,)),
    "a link to a folder with a slash": (_tree("link to a folder"), "link-to-a-folder/", (ROOT,)),
    "below a link to a folder": (_tree("link to a folder"), "link-to-a-folder/inside", (ROOT, ADA)),
    "new below a link to a folder": (_tree("link to a folder"), "link-to-a-folder/new", (ROOT,)),
    "a dangling link": (_tree("dangling link"), "dangling-link", (ROOT, ADA)),
    "a dangling link with a slash": (_tree("dangling link"), "dangling-link/", (ROOT,)),
    "below a dangling link": (_tree("dangling link"), "dangling-link/x", (ROOT,)),
    "a loop": (_tree("loop"), "loop", (ROOT,)),
    "below a loop": (_tree("loop"), "loop/x", (ROOT,)),
    "a new name of 255 bytes": (_tree(), LONGEST, (ROOT,)),
    "a name of 255 bytes": (partial(make, "file", LONGEST), LONGEST, (ROOT,)),
    "a name of 256 bytes": (_tree(), TOO_LONG, (ROOT, ADA)),
    "below a name of 256 bytes": (_tree(), f"{TOO_LONG}/x", (ROOT,)),
    "a path of 4,095 bytes": (_tree("file"), _padded("file", 4095), (ROOT,)),
    "a new path of 4,095 bytes": (_tree(), _padded("new", 4095), (ROOT,)),
    "a path of 4,096 bytes": (_tree("file"), _padded("file", 4096), (ROOT,)),
    "in a folder that may not be searched": (_locked("shut", 0o600), "shut/inside", (ROOT, ADA)),
    "new in a folder that may not be searched": (_locked("shut", 0o600), "shut/new", (ADA,)),
    "in a folder that may not be written to": (_locked("kept", 0o755), "kept/inside", (ROOT, ADA)),
    "new in a folder that may not be written to": (_locked("kept", 0o755), "kept/new", (ADA,)),
    "a folder in one that may not be written to": (
        *(_locked("kept", 0o755, "folder"), "kept/inside", (ADA,)),
    ),
    "a link in a folder that may not be written to": (
        *(_locked("kept", 0o755, "link to a file"), "kept/inside", (ADA,)),
    ),
    "in a folder that may be written to and not listed": (
        *(_locked("drop", 0o733), "drop/new", (ADA,)),
    ),
    "a pipe": (_tree("pipe"), "pipe", (ROOT,)),
    "a device": (_tree("device"), "device", (ROOT,)),
    "a socket": (_tree("socket"), "socket", (ROOT,)),
}


def _opened(path: str, flags: int, mode: int = 0o644) -> object:
    """Open and close; return what was opened."""
    descriptor = os.open(path, flags | os.O_NONBLOCK, mode)
    try:
        return stat.S_IFMT(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)


def _stated(path: str, *, follow: bool = True) -> object:
    found = os.stat(path, follow_symlinks=follow)
    return stat.S_IFMT(found.st_mode), found.st_uid, found.st_gid


OPERATIONS: dict[str, dict[str, Callable[[str], object]]] = {
    "open": {
        "to read": lambda path: _opened(path, os.O_RDONLY),
        "to write": lambda path: _opened(path, os.O_WRONLY),
        "creating": lambda path: _opened(path, os.O_WRONLY | os.O_CREAT),
        "exclusively": lambda path: _opened(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
        "cutting": lambda path: _opened(path, os.O_RDWR | os.O_TRUNC),
        "a folder only": lambda path: _opened(path, os.O_RDONLY | os.O_DIRECTORY),
        "no link": lambda path: _opened(path, os.O_RDONLY | os.O_NOFOLLOW),
    },
    "mkdir": {"": lambda path: os.mkdir(path, 0o755)},
    "rmdir": {"": os.rmdir},
    "unlink": {"": os.unlink},
    "symlink": {"": lambda path: os.symlink("somewhere", path)},
    "readlink": {"": os.readlink},
    "link": {
        "from": lambda path: os.link(path, "second"),
        "to": lambda path: os.link("../first", path),
    },
    "rename": {
        "from": lambda path: os.rename(path, "second"),
        "to": lambda path: os.rename("../first", path),
        "of a folder to": lambda path: os.rename("../folder", path),
        "not replacing": lambda path: renameat2("../first", path, NOREPLACE),
    },
    "chmod": {"": lambda path: os.chmod(path, 0o711)},
    "chown": {
        "": lambda path: os.chown(path, -1, TEAM),
        "of the link": lambda path: os.lchown(path, -1, TEAM),
    },
    "truncate": {
        "shorter": lambda path: os.truncate(path, 3),
        "longer": lambda path: os.truncate(path, 10_000),
    },
    "utimensat": {
        "": lambda path: utimensat(path, (5, 1), (-7, 999_999_999)),
        "of the link": lambda path: utimensat(path, (5, 1), (6, 2), AT_SYMLINK_NOFOLLOW),
        "now": lambda path: utimensat(path, (0, UTIME_NOW), (0, UTIME_NOW)),
    },
    "stat": {"": _stated, "of the link": partial(_stated, follow=False)},
    "access": {
        "to read": lambda path: os.access(path, os.R_OK),
        "to write": lambda path: os.access(path, os.W_OK),
        "to search": lambda path: os.access(path, os.X_OK),
    },
    "opendir": {"": lambda path: sorted(os.listdir(path))},
    "chdir": {"": os.chdir},
    "statvfs": {"": lambda path: os.statvfs(path).f_namemax},
    "mkfifo": {"": lambda path: os.mkfifo(path, 0o644)},
    "mknod": {
        "of a file": lambda path: os.mknod(path, stat.S_IFREG | 0o640),
        "of a character device": lambda path: os.mknod(path, stat.S_IFCHR | 0o640, 259),
        "of a block device": lambda path: os.mknod(path, stat.S_IFBLK | 0o640, 259),
    },
    "bind": {"": partial(make, "socket")},
}


def path_cases() -> Iterator[Case]:
    """Yield every operation on paths of every shape."""
    for operation, ways in OPERATIONS.items():
        for (way, act), (shape, (prepare, path, users)) in product(ways.items(), SHAPES.items()):
            for user in users:
                yield Case(
                    operation,
                    f"{way} {shape}".strip(),
                    partial(act, path),
                    partial(_with_others, prepare),
                    user,
                    with_atime=operation == "utimensat",
                )


def _with_others(prepare: Callable[[], None]) -> None:
    """Prepare, with a file and a folder of anybody in the folder above."""
    make("file", "../first")
    make("folder", "../folder")
    os.chown("../first", ADA.uid, ADA.gid)
    os.chown("../folder", ADA.uid, ADA.gid)
    prepare()


BAD_POINTERS: dict[str, Callable[[], object]] = {
    "open": lambda: called("open", 1, os.O_RDONLY),
    "mkdir": lambda: called("mkdir", 1, 0o755),
    "rmdir": lambda: called("rmdir", 1),
    "unlink": lambda: called("unlink", 1),
    "symlink": lambda: called("symlink", b"x", 1),
    "rename": lambda: called("rename", b"file", 1),
    "chmod": lambda: called("chmod", 1, 0o644),
    "chown": lambda: called("chown", 1, 0, 0),
    "truncate": lambda: called("truncate", 1, 0),
    "utimensat": lambda: called("utimensat", AT_FDCWD, b"file", 1, 0),
    "readlink": lambda: called("readlink", b"link-to-a-file", 1, 10),
    "stat": lambda: called("stat", b"file", 1),
}


def pointer_cases() -> Iterator[Case]:
    """Yield calls with pointers to nowhere."""
    for operation, act in BAD_POINTERS.items():
        yield Case(operation, "with a bad pointer", act, _tree("file", "link to a file"))


# --- rename --------------------------------------------------------------------------------------


def rename_cases() -> Iterator[Case]:
    """Yield renames of every type over every type, and those into itself."""
    for old, new in product((*KINDS, *SPECIAL), ("missing", *KINDS, *SPECIAL)):

        def prepare(old: str = old, new: str = new) -> None:
            make(old, "old")
            make(new, "new")
            os.mkdir("below")

        yield Case("rename", f"{old} over {new}", partial(os.rename, "old", "new"), prepare)
        for flag, name in ((NOREPLACE, "not replacing"), (EXCHANGE, "exchange")):
            act = partial(renameat2, "old", "new", flag)
            yield Case("rename", f"{old} and {new}, {name}", act, prepare)
        for place in ("below/moved", "old/inside-itself", "old/deeper/still", "old", "./old"):
            if new == "missing":
                act = partial(os.rename, "old", place)
                yield Case("rename", f"{old} to {place}", act, prepare)
    for kind in ("file", "folder", "link to a file"):
        yield Case(
            "rename",
            f"{kind} over its open self",
            partial(_renamed_over_open, kind),
            partial(make, kind, "old"),
        )


def _renamed_over_open(kind: str) -> object:
    flags = os.O_RDONLY | (os.O_DIRECTORY if kind == "folder" else 0)
    make("folder" if kind == "folder" else "file", "new")
    descriptor = os.open("new", flags)
    try:
        os.rename("old", "new")
        found = os.fstat(descriptor)
        return found.st_nlink, [] if kind == "folder" else os.read(descriptor, 100)
    finally:
        os.close(descriptor)


# --- who may -------------------------------------------------------------------------------------


def sticky_cases() -> Iterator[Case]:
    """Yield removals and renames in folders of others, sticky and not."""
    acts: dict[str, Callable[[], object]] = {
        "unlink": lambda: os.unlink("shared/one"),
        "rmdir": lambda: os.rmdir("shared/one"),
        "rename": lambda: os.rename("shared/one", "shared/other"),
        "rename away": lambda: os.rename("shared/one", "../away"),
        "rename over": lambda: os.rename("../mine", "shared/one"),
    }
    owners = (ROOT, ADA, BOB)
    for mode, above, own in product((0o777, 0o1777, 0o755, 0o1755), owners, owners):
        for kind, user in product(("file", "folder", "link to a file"), (ADA, ROOT)):

            def prepare(
                mode: int = mode, above: User = above, own: User = own, kind: str = kind
            ) -> None:
                os.mkdir("shared", 0o755)
                make(kind, "shared/one")
                os.lchown("shared/one", own.uid, own.gid)
                make("folder" if kind == "folder" else "file", "../mine")
                os.chown("../mine", ADA.uid, ADA.gid)
                os.chown("shared", above.uid, above.gid)
                os.chmod("shared", mode)

            what = f"{kind} of {own.name} in a folder of {above.name} with {mode:o}"
            for name, act in acts.items():
                if user is ROOT and name != "unlink":
                    continue
                operation = name.split()[0]
                yield Case(operation, f"{name}: {what}", act, prepare, user)


def permission_cases() -> Iterator[Case]:
    """Yield opens and accesses of files of all permissions, by owner, group and others."""
    for mode, owner in product(range(0o1000), ((ADA.uid, 0), (0, TEAM), (0, 0))):
        if mode not in _MODES:
            continue

        def prepare(mode: int = mode, owner: tuple[int, int] = owner) -> None:
            make("file", "file")
            os.chown("file", *owner)
            os.chmod("file", mode)
            os.mkdir("folder")
            make("file", "folder/inside")
            os.chown("folder", *owner)
            os.chmod("folder", mode)

        what = f"{mode:03o} of {owner[0]}:{owner[1]}"
        for flag, name in ((os.O_RDONLY, "read"), (os.O_WRONLY, "write"), (os.O_RDWR, "both")):
            yield Case("open", f"to {name} {what}", partial(_opened, "file", flag), prepare, ADA)
        yield Case("open", f"cutting {what}", partial(_opened, "file", os.O_TRUNC), prepare, ADA)
        yield Case("truncate", what, partial(os.truncate, "file", 2), prepare, ADA)
        yield Case("opendir", what, lambda: os.listdir("folder"), prepare, ADA)
        yield Case("stat", f"below {what}", partial(_stated, "folder/inside"), prepare, ADA)
        yield Case("mkdir", f"in {what}", partial(os.mkdir, "folder/new"), prepare, ADA)
        yield Case("unlink", f"in {what}", partial(os.unlink, "folder/inside"), prepare, ADA)
        yield Case(
            "utimensat",
            f"now of {what}",
            partial(utimensat, "file", (0, UTIME_NOW), (0, UTIME_NOW)),
            prepare,
            ADA,
        )


_MODES = frozenset(bits << shift for bits in range(8) for shift in (0, 3, 6)) | {
    0o777,
    0o070,
    0o077,
    0o707,
    0o644,
    0o755,
}


def creation_cases() -> Iterator[Case]:
    """Yield new files and folders: modes, umasks, owners, folders that hand on their group."""
    modes = (0, 0o111, 0o444, 0o644, 0o755, 0o777, 0o1777, 0o2755, 0o4755, 0o6711)
    acts: dict[str, Callable[[int], object]] = {
        "open": lambda mode: _opened("shared/new", os.O_CREAT | os.O_RDWR, mode),
        "mkdir": lambda mode: os.mkdir("shared/new", mode),
        "mknod": lambda mode: os.mknod("shared/new", stat.S_IFREG | mode),
        "symlink": lambda mode: os.symlink("somewhere", "shared/new"),
    }
    folders = ((0o777, 0, 0), (0o2777, 0, TEAM), (0o2777, 0, 0), (0o1777, BOB.uid, BOB.gid))
    for (operation, act), (above, uid, gid) in product(acts.items(), folders):
        for mode, umask, user in product(modes, (0, 0o022, 0o077, 0o151), (ROOT, ADA)):
            if operation == "symlink" and (mode, umask) != (0, 0):
                continue

            def prepare(above: int = above, uid: int = uid, gid: int = gid) -> None:
                os.mkdir("shared")
                os.chown("shared", uid, gid)
                os.chmod("shared", above)

            what = f"{mode:o} less {umask:o} in {above:o} of {uid}:{gid}"
            yield Case(operation, what, partial(act, mode), prepare, user, umask)


def chmod_cases() -> Iterator[Case]:
    """Yield changes of permissions."""
    modes = (0, 0o111, 0o444, 0o644, 0o1777, 0o2755, 0o4755, 0o6755, 0o7777, 0o2644)
    owners = ((ADA.uid, ADA.gid), (ADA.uid, 0), (0, ADA.gid), (BOB.uid, TEAM))
    for kind, mode, owner in product(("file", "folder", "link to a file"), modes, owners):

        def prepare(kind: str = kind, owner: tuple[int, int] = owner) -> None:
            make(kind, "one")
            os.chown("one", *owner)

        what = f"{kind} of {owner[0]}:{owner[1]} to {mode:o}"
        for user in (ROOT, ADA):
            yield Case("chmod", what, partial(os.chmod, "one", mode), prepare, user)
            if kind != "link to a file":
                yield Case("chmod", f"open {what}", partial(_fchmod, "one", mode), prepare, user)


def _fchmod(path: str, mode: int) -> None:
    with _Opened(path, os.O_RDONLY) as descriptor:
        os.fchmod(descriptor, mode)


def chown_cases() -> Iterator[Case]:
    """Yield changes of owners, and what they do to set-id bits."""
    kinds = ("file", "folder", "link to a file")
    targets = (
        (-1, -1),
        (ADA.uid, -1),
        (-1, ADA.gid),
        (-1, TEAM),
        (BOB.uid, -1),
        (-1, BOB.gid),
        (0, 0),
        (ADA.uid, TEAM),
        (123456, 123457),
    )
    owners = ((ADA.uid, ADA.gid), (ADA.uid, 0), (0, ADA.gid), (BOB.uid, BOB.gid))
    for kind, target, owner in product(kinds, targets, owners):
        for mode in (0o644, 0o6755, 0o2644, 0o4644, 0o6777):

            def prepare(kind: str = kind, owner: tuple[int, int] = owner, mode: int = mode) -> None:
                make(kind, "one")
                os.chown("one", *owner)
                os.chmod("one", mode)

            what = f"{kind} of {owner[0]}:{owner[1]} with {mode:o} to {target[0]}:{target[1]}"
            for user in (ROOT, ADA):
                if mode == 0o644 or user is ADA or owner == owners[0]:
                    yield Case("chown", what, partial(os.chown, "one", *target), prepare, user)
                if mode == 0o644 and kind != "file":
                    act = partial(os.lchown, "one", *target)
                    yield Case("chown", f"{what}, not followed", act, prepare, user)


# --- content, size and times ---------------------------------------------------------------------


def size_cases() -> Iterator[Case]:
    """Yield changes of sizes and contents, to files of all kinds of modes."""
    sizes = (0, 1, 7, 8, 5_000, 2**31, 2**40, -1, 2**62, 2**63 - 1)
    for size, mode, user in product(sizes, (0o666, 0o6777), (ROOT, ADA)):

        def prepare(mode: int = mode) -> None:
            make("file", "file")
            os.chmod("file", mode)

        with_bits = ", with set-id bits written" if mode & 0o6000 else ""
        what = f"to {size}{with_bits}"
        yield Case("truncate", what, partial(_truncate, "file", size), prepare, user)
        yield Case("ftruncate", what, partial(_ftruncate, "file", os.O_RDWR, size), prepare, user)
        act = partial(_ftruncate, "file", os.O_RDONLY, size)
        yield Case("ftruncate", f"{what}, open to read", act, prepare, user)
    for mode, user in product((0o666, 0o6777, 0o2767, 0o2666), (ROOT, ADA)):

        def prepare_mode(mode: int = mode) -> None:
            make("file", "file")
            os.chmod("file", mode)

        with_bits = ", with set-id bits written" if mode & 0o6000 else ""
        writes: dict[str, Callable[[], object]] = {
            "at the start": lambda: _written("file", os.O_WRONLY, b"new", 0),
            "behind the end": lambda: _written("file", os.O_WRONLY, b"new", 10_000),
            "nothing": lambda: _written("file", os.O_WRONLY, b"", 0),
            "appending": lambda: _written("file", os.O_WRONLY | os.O_APPEND, b"new", 0),
            "cutting": lambda: _opened("file", os.O_WRONLY | os.O_TRUNC),
        }
        for name, act in writes.items():
            yield Case("write", f"{name} {mode:o}{with_bits}", act, prepare_mode, user)
    yield Case("write", "beyond the limit of file sizes", _beyond_the_limit, _tree("file"))
    yield Case(
        "truncate",
        "beyond the limit of file sizes",
        partial(_limited, partial(os.truncate, "file", 5_000)),
        _tree("file"),
    )
    for offset, length in ((0, 4), (0, 100), (5, 5_000), (0, 0), (-1, 5), (5, -1), (10_000, 1)):
        act = partial(_allocated, offset, length)
        yield Case("posix_fallocate", f"{length} at {offset}", act, _tree("file"))


def _truncate(path: str, size: int) -> int:
    """Return the size it came to; nobody is to read a file of terabytes afterwards."""
    os.truncate(path, size)
    found = os.stat(path).st_size
    if found > _LARGE:
        os.truncate(path, 7)
    return found


def _ftruncate(path: str, flags: int, size: int) -> int:
    with _Opened(path, flags) as descriptor:
        os.ftruncate(descriptor, size)
        found = os.fstat(descriptor).st_size
        if found > _LARGE:
            os.ftruncate(descriptor, 7)
        return found


def _written(path: str, flags: int, data: bytes, offset: int) -> int:
    with _Opened(path, flags) as descriptor:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.write(descriptor, data)


def _allocated(offset: int, length: int) -> None:
    with _Opened("file", os.O_RDWR) as descriptor:
        os.posix_fallocate(descriptor, offset, length)


def _limited(act: Callable[[], object]) -> object:
    """Do something where no file may have more than 100 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        return act()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def _beyond_the_limit() -> object:
    return _limited(
        lambda: (
            _written("file", os.O_WRONLY, b"x" * 200, 50),
            _written("file", os.O_WRONLY, b"x", 100),
        )
    )


MOMENTS = {
    "1901": (-(2**31), 0),
    "1969": (-1, 999_999_999),
    "1970": (0, 1),
    "2001": (1_000_000_000, 123_456_789),
    "2038": (2**31 - 1, 999_999_999),
    "2039": (2**31 + 7, 3),
    "2106": (2**32 + 9, 1),
    "2242": (2**33, 5),
}


def time_cases() -> Iterator[Case]:
    """Yield times: from 1901 to 2242, one or both, now or not at all, by whom."""
    kinds = ("file", "folder", "link to a file")
    kept = (0, UTIME_OMIT)
    now = (0, UTIME_NOW)
    moments: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {
        **{f"both {year}": (moment, moment) for year, moment in MOMENTS.items()},
        "the one of access": (MOMENTS["2001"], kept),
        "the one of change": (kept, MOMENTS["1969"]),
        "none": (kept, kept),
        "now": (now, now),
        "of access now": (now, kept),
        "of change now": (kept, now),
        "of access now, of change 2001": (now, MOMENTS["2001"]),
        "of access 2039, of change now": (MOMENTS["2039"], now),
        "of no nanosecond": ((0, 10**9), (0, 0)),
    }
    owners = ((ADA, 0o644), (BOB, 0o666), (BOB, 0o644))
    for kind, (name, (atime, mtime)), (owner, mode) in product(kinds, moments.items(), owners):

        def prepare(kind: str = kind, owner: User = owner, mode: int = mode) -> None:
            make(kind, "one")
            os.chown("one", owner.uid, owner.gid)
            os.chmod("one", mode | (0o111 if kind == "folder" else 0))
            utimensat("one", (77, 7), (78, 8))

        for user in (ROOT, ADA):
            if user is ROOT and owner is not ADA:
                continue
            what = f"{name}, {kind} of {owner.name} with {mode:o}"
            yield Case(
                "utimensat",
                what,
                partial(utimensat, "one", atime, mtime),
                prepare,
                user,
                with_atime=True,
            )
            if kind == "link to a file" and owner is ADA:
                act = partial(utimensat, "one", atime, mtime, AT_SYMLINK_NOFOLLOW)
                what = f"{what}, not followed"
                yield Case("utimensat", what, act, prepare, user, with_atime=True)


# --- open ----------------------------------------------------------------------------------------


def open_cases() -> Iterator[Case]:
    """Yield opens with every set of flags that means something, of everything."""
    accesses = {"read": os.O_RDONLY, "write": os.O_WRONLY, "both": os.O_RDWR}
    more = {
        "CREAT": os.O_CREAT,
        "CREAT EXCL": os.O_CREAT | os.O_EXCL,
        "TRUNC": os.O_TRUNC,
        "CREAT TRUNC": os.O_CREAT | os.O_TRUNC,
        "APPEND": os.O_APPEND,
        "NOFOLLOW": os.O_NOFOLLOW,
        "CREAT NOFOLLOW": os.O_CREAT | os.O_NOFOLLOW,
        "DIRECTORY": os.O_DIRECTORY,
        "DIRECTORY NOFOLLOW": os.O_DIRECTORY | os.O_NOFOLLOW,
        "PATH": os.O_PATH,
        "PATH NOFOLLOW": os.O_PATH | os.O_NOFOLLOW,
        "NOATIME": os.O_NOATIME,
        "SYNC": os.O_SYNC,
    }
    kinds = ("missing", *KINDS, "loop", *SPECIAL)
    for kind, (access, flag), (name, flags) in product(kinds, accesses.items(), more.items()):
        act = partial(_opened, "one", flag | flags)
        for user in (ROOT, ADA) if kind in {"missing", "file", "folder"} else (ROOT,):
            yield Case("open", f"{kind} to {access} {name}", act, partial(make, kind, "one"), user)
    yield Case("open", "TMPFILE", partial(_opened, ".", os.O_TMPFILE | os.O_RDWR))
    yield Case("open", "a program that runs, to write", _busy, _program)
    yield Case("truncate", "a program that runs", partial(_busy, cut=True), _program)


def _program() -> None:
    shutil.copy(shutil.which("sleep") or "/bin/sleep", "program")
    os.chmod("program", 0o755)


def _busy(*, cut: bool = False) -> object:
    """Write to a program that runs; of the program itself nothing is compared."""
    running = subprocess.Popen([os.path.abspath("program"), "100"], stdin=subprocess.DEVNULL)
    try:
        return os.truncate("program", 0) if cut else _opened("program", os.O_WRONLY)
    finally:
        running.kill()
        running.wait()


# --- what stays open -----------------------------------------------------------------------------


def open_file_cases() -> Iterator[Case]:
    """Yield what happens to files that are open while their names change."""
    scenes: dict[str, tuple[str, Callable[[], object]]] = {
        "write, cut, stat after it": ("unlink", _used_after_unlink),
        "attributes after it": ("unlink", _changed_after_unlink),
        "the name again": ("unlink", _unlinked_and_made_again),
        "of one of two hard links": ("unlink", _one_of_two),
        "of the folder one stands in": ("rmdir", _stood_in),
        "of an open folder": ("rmdir", _listed_after_rmdir),
        "of an open file": ("rename", _renamed_while_open),
        "of the folder above": ("rename", _folder_renamed_while_open),
        "over an open file": ("rename", _replaced_while_open),
        "by descriptors": ("open", _at_descriptors),
        "of a descriptor to read": ("write", lambda: _written("file", os.O_RDONLY, b"x", 0)),
        "appends of two": ("write", _two_append),
        "removed and read on": ("opendir", _listed_while_removed),
    }
    for what, (operation, act) in scenes.items():
        yield Case(operation, f"open files: {what}", act, _tree("file", "full folder", "folder"))


class _Opened:
    """A descriptor for the time of a block."""

    def __init__(self, path: str, flags: int = os.O_RDWR) -> None:
        self._descriptor = os.open(path, flags)

    def __enter__(self) -> int:
        return self._descriptor

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _used_after_unlink() -> object:
    with _Opened("file") as one:
        os.unlink("file")
        found: list[object] = [os.fstat(one).st_nlink, os.pwrite(one, b"more", 7)]
        os.ftruncate(one, 9)
        os.fsync(one)
        return [*found, os.pread(one, 100, 0), os.fstat(one).st_size, os.fstat(one).st_nlink]


def _changed_after_unlink() -> object:
    with _Opened("file") as one:
        os.unlink("file")
        os.fchmod(one, 0o600)
        os.fchown(one, ADA.uid, ADA.gid)
        os.utime(one, ns=(1, 2))
        found = os.fstat(one)
        return oct(found.st_mode), found.st_uid, found.st_gid, found.st_mtime_ns, found.st_nlink


def _unlinked_and_made_again() -> object:
    with _Opened("file") as one:
        os.unlink("file")
        Path("file").write_bytes(b"another")
        return os.pread(one, 100, 0), Path("file").read_bytes(), os.fstat(one).st_nlink


def _one_of_two() -> object:
    os.link("file", "second")
    os.unlink("file")
    return os.stat("second").st_nlink


def _stood_in() -> object:
    os.chdir("folder")
    os.rmdir("../folder")
    answers: list[object] = [os.listdir(".")]
    for act in (partial(os.mkdir, "x"), partial(_opened, "x", os.O_CREAT), partial(os.stat, "..")):
        try:
            answers.append(bool(act()))
        except OSError as error:
            answers.append(error.errno)
    os.chdir("..")
    return answers


def _listed_after_rmdir() -> object:
    with _Opened("folder", os.O_RDONLY | os.O_DIRECTORY) as one:
        os.rmdir("folder")
        return os.listdir(one), stat.S_IFMT(os.fstat(one).st_mode)


def _renamed_while_open() -> object:
    with _Opened("file") as one:
        os.rename("file", "moved")
        os.pwrite(one, b"C", 0)
        return Path("moved").read_bytes(), os.fstat(one).st_nlink


def _folder_renamed_while_open() -> object:
    with _Opened("full-folder/inside") as one:
        os.rename("full-folder", "folder")
        os.pwrite(one, b"C", 0)
        return Path("folder/inside").read_bytes(), os.fstat(one).st_nlink


def _replaced_while_open() -> object:
    with _Opened("file") as one:
        Path("new").write_bytes(b"new")
        os.rename("new", "file")
        os.pwrite(one, b"C", 0)
        return Path("file").read_bytes(), os.pread(one, 100, 0), os.fstat(one).st_nlink


def _at_descriptors() -> object:
    with _Opened("full-folder", os.O_RDONLY | os.O_DIRECTORY) as one:
        os.mkdir("new", dir_fd=one)
        os.rename("inside", "moved", src_dir_fd=one, dst_dir_fd=one)
        os.symlink("moved", "link", dir_fd=one)
        os.chmod("moved", 0o600, dir_fd=one)
        os.unlink("link", dir_fd=one)
        return sorted(os.listdir(one)), oct(os.stat("moved", dir_fd=one).st_mode)


def _two_append() -> object:
    with _Opened("file", os.O_WRONLY | os.O_APPEND) as one:
        with _Opened("file", os.O_WRONLY | os.O_APPEND) as two:
            for number in range(10):
                os.write(one if number % 2 else two, b"%d" % number)
        return Path("file").read_bytes()


def _listed_while_removed() -> object:
    for number in range(300):
        Path(f"folder/{number}").touch()
    found = set()
    with os.scandir("folder") as listed:
        for entry in listed:
            found.add(entry.name)
            os.unlink(f"folder/{entry.name}")
    return len(found), os.listdir("folder")


# --- all of it -----------------------------------------------------------------------------------


def all_cases() -> list[Case]:
    """Return every case, in a fixed order."""
    return [
        *path_cases(),
        *pointer_cases(),
        *rename_cases(),
        *sticky_cases(),
        *permission_cases(),
        *creation_cases(),
        *chmod_cases(),
        *chown_cases(),
        *size_cases(),
        *time_cases(),
        *open_cases(),
        *open_file_cases(),
    ]


def table(tally: Tally) -> str:
    """Return the summary by operation, as Markdown."""
    rows = ["| operation | checks | same | refused, because | different |", "|---|---|---|---|---|"]
    for name in sorted(tally.checks):
        refused = "; ".join(
            f"{count:,} ({because})"
            for because, count in sorted(tally.refused.get(name, {}).items())
        )
        rows.append(
            f"| {name} | {tally.checks[name]:,} | {tally.same[name]:,} | {refused or '–'} |"
            f" {tally.differing[name]} |"
        )
    total = sum(sum(counts.values()) for counts in tally.refused.values())
    checks, same = tally.checks.total(), tally.same.total()
    rows.append(f"| all | {checks:,} | {same:,} | {total:,} | {len(tally.different)} |")
    return "\n".join(rows) + "\n"


def main() -> int:
    """Walk two folders; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("mounted", type=Path)
    parser.add_argument("ordinary", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take each n-th case only")
    parser.add_argument("--only", default="", help="take those whose name has this in it")
    parser.add_argument(
        "--committed",
        action="store_true",
        help="wait for a line while what is prepared is committed",
    )
    parser.add_argument("--summary", type=Path, help="write what came of it there, as JSON")
    options = parser.parse_args()

    def wait() -> None:
        if options.committed:
            print("prepared", flush=True)
            sys.stdin.readline()

    cases = [case for case in all_cases() if options.only in case.name][:: options.every]
    tally = walk(
        cases,
        options.mounted,
        options.ordinary,
        REFUSALS,
        between=wait,
        is_committed=options.committed,
    )
    print(table(tally))
    for because, count in tally.skipped.items():
        print(f"{count:,} skipped: {because}")
    for one in tally.different:
        print(one, file=sys.stderr)
    if options.summary is not None:
        refused = sum(tally.refused.values(), Counter())
        found = {
            "table": table(tally),
            "same": tally.same.total(),
            "refused": dict(refused),
            "different": tally.different,
        }
        options.summary.write_text(json.dumps(found))
    return int(bool(tally.different))


if __name__ == "__main__":
    sys.exit(main())
