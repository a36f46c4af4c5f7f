"""Kernels in which a cell failed, kept for a while, with all they hold, for a person to go on in.

::

    <work>/kept/<kernel>/record.json       what it is, and until when
    <work>/kept/<kernel>/connection.json   how Jupyter talks to it
    <work>/kept/<kernel>/alive.lock        held by the worker that keeps it
    <work>/kept/<kernel>/attached.lock     held by each Jupyter server that has it open
    <work>/kept/<kernel>/end               somebody wants it to end

The worker that ran the datum keeps the kernel, and does nothing else from then on: the kernel stays
its descendant, and ends when it does, as it ends with its controller. So nothing of it can be left
behind by a crash but files, which `sweep` takes away. The datum's folder stays where it is.

A kernel is kept until its time is over, or for as long as a Jupyter server has it open.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from jupyter_datalake.file_locks import EXCLUSIVE, SHARED, try_lock
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.jobs.watching import memory_of
from jupyter_datalake.jobs.workspace import Workspace

if TYPE_CHECKING:
    from jupyter_datalake.jobs.forked_notebooks import ForkedKernelManager

KEPT_FOLDER = "kept"
PROVISIONER = "datalake-kept"
"""By this name jupyter_client knows `jobs.kept_provisioner`."""

PER_JOB = 2
"""Kernels of one job that are kept: the first ones, for later ones seldom tell more."""
AT_MOST = 4
"""Kernels that are kept on this machine."""

_FREE_SHARE = 0.1
"""Of the machine's memory: where less is available, no kernel is kept that nobody has open."""
_MAX_SOCKET_FOLDER = 80
_LOOK_S = 0.25
_MEASURE_EVERY = 4
_ATTACH_TRIES = 20
_ATTACH_PAUSE_S = 0.01

_RECORD = "record.json"
_CONNECTION = "connection.json"
_ALIVE = "alive.lock"
_ATTACHED = "attached.lock"
_END = "end"


@dataclass(frozen=True, slots=True)
class KeptKernel:
    """A kernel in which a cell failed."""

    id: str
    job_id: str
    position: int
    """Of the datum."""
    pipeline: str
    attempt: str
    """Name of the try among all of its job's."""
    folder: str
    """Its working directory: the datum's folder."""
    until: datetime
    """When it ends, unless a Jupyter server has it open then."""
    is_attached: bool
    """Whether a Jupyter server has it open."""


class KeptPlace:
    """Where what concerns a kept kernel lies."""

    def __init__(self, work: Path, kernel_id: str) -> None:
        self.folder = work / KEPT_FOLDER / kernel_id

    @property
    def connection(self) -> Path:
        """How Jupyter talks to it."""
        return self.folder / _CONNECTION

    def read(self) -> dict[str, Any] | None:
        """Return its record, or None when there is none."""
        try:
            raw: dict[str, Any] = json.loads((self.folder / _RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return raw

    def write(self, record: dict[str, Any]) -> None:
        """Write its record whole."""
        fresh = self.folder / f".{_RECORD}"
        fresh.write_text(json.dumps(record, indent=1), encoding="utf-8")
        fresh.replace(self.folder / _RECORD)

    @property
    def is_alive(self) -> bool:
        """Whether there is a worker that keeps it."""
        return _is_held(self.folder / _ALIVE, SHARED)

    @property
    def is_attached(self) -> bool:
        """Whether a Jupyter server has it open."""
        return _is_held(self.folder / _ATTACHED, EXCLUSIVE)

    @property
    def is_to_end(self) -> bool:
        """Whether somebody wants it to end, or took its folder away."""
        return (self.folder / _END).exists() or not (self.folder / _RECORD).exists()

    def keep_alive(self) -> int:
        """Hold it, as the worker that keeps it; return the descriptor that does."""
        lock = _take(self.folder / _ALIVE, EXCLUSIVE)
        assert lock is not None
        return lock

    def attach(self) -> int | None:
        """Hold it open; return the descriptor that does, or None when it has ended or just does."""
        for _ in range(_ATTACH_TRIES):
            if not self.is_alive or self.is_to_end:
                return None
            lock = _take(self.folder / _ATTACHED, SHARED)
            if lock is not None:
                return lock
            time.sleep(_ATTACH_PAUSE_S)  # somebody only looks whether it is held
        return None

    def give_up(self) -> int | None:
        """Let nobody open it any more; return the descriptor that does, None if somebody has it."""
        return _take(self.folder / _ATTACHED, EXCLUSIVE)

    def end(self) -> None:
        """Have it ended by the worker that keeps it, which takes a moment."""
        with suppress(FileNotFoundError):  # it has ended
            (self.folder / _END).touch()

    def remove(self, *, with_datum: bool = True) -> None:
        """Remove what lies here, the kernel's sockets, and the datum's folder if that is said."""
        record = self.read() or {}
        if "sockets" in record:
            shutil.rmtree(record["sockets"], ignore_errors=True)
        if with_datum and "datum_folder" in record:
            datum = Path(record["datum_folder"])
            shutil.rmtree(datum, ignore_errors=True)
            with suppress(OSError):  # other datums of the job are there
                datum.parent.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)


def list_kept(work: Path, job_id: str | None = None) -> Sequence[KeptKernel]:
    """Return the kernels that are kept on this machine, of one job if given, the oldest first."""
    found = []
    for place in _places(work):
        raw = place.read()
        if raw is None or not place.is_alive or place.is_to_end:
            continue
        if job_id is None or raw["job_id"] == job_id:
            found.append(
                KeptKernel(
                    id=place.folder.name,
                    job_id=raw["job_id"],
                    position=raw["position"],
                    pipeline=raw["pipeline"],
                    attempt=raw["attempt"],
                    folder=raw["folder"],
                    until=datetime.fromtimestamp(raw["until_ns"] / 1e9, UTC),
                    is_attached=place.is_attached,
                )
            )
    return sorted(found, key=lambda one: one.until)


def end_kept(work: Path, kernel_id: str) -> None:
    """Have a kernel ended."""
    KeptPlace(work, kernel_id).end()


def sweep_kept(work: Path) -> None:
    """Take away what was left of kernels whose workers were killed."""
    if not (work / KEPT_FOLDER).is_dir():
        return
    with _alone(work):
        for folder in (work / KEPT_FOLDER).iterdir():
            place = KeptPlace(work, folder.name)
            if folder.is_dir() and not place.is_alive:
                place.remove()


def remove_but_kept(work: Path, job: Path) -> None:
    """Remove the folder of a job, but for what kernels that are kept work in."""
    kept = {str(Path(one.folder).parent) for one in list_kept(work)}
    if not any(str(job) == os.path.dirname(one) for one in kept):
        shutil.rmtree(job, ignore_errors=True)
        return
    for folder in job.iterdir():
        if str(folder) not in kept:
            shutil.rmtree(folder, ignore_errors=True)


class Keeping:
    """A kernel that this worker keeps.

    Parameters
    ----------
    place
        Where what concerns it lies.
    alive
        The descriptor that tells others so.
    """

    def __init__(self, place: KeptPlace, alive: int, task: DatumTask) -> None:
        self._place = place
        self._alive = alive
        self._task = task
        record = place.read()
        assert record is not None
        self._sockets = Path(record["sockets"])
        self._kernel: ForkedKernelManager | None = None
        self._until_ns: int = record["until_ns"]

    @property
    def until(self) -> str:
        """Until when, for people."""
        return datetime.fromtimestamp(self._until_ns / 1e9, UTC).strftime("%H:%M:%S UTC")

    def open(self, kernel: ForkedKernelManager) -> str:
        """Have the kernel open its sockets; return why that failed, if it did.

        It holds no place any more then, and has to be ended.
        """
        try:
            kernel.keep(self._place.connection, self._sockets)
        except OSError as error:
            self.release(with_datum=False)
            return f"it opened no sockets: {error}"
        record = self._place.read()
        assert record is not None
        self._place.write({**record, "pid": kernel.pid})
        self._kernel = kernel
        return ""

    def wait(self, family: Callable[[], list[psutil.Process]]) -> str:
        """Wait until the kernel has to end; return why.

        Parameters
        ----------
        family
            Returns the processes whose memory counts.
        """
        assert self._kernel is not None
        looks = 0
        limit = self._task.spec.limits.memory_bytes
        while True:
            if not self._kernel.is_alive():
                return "it ended"
            record = self._place.read()
            if record is None or self._place.is_to_end:
                return "it was asked to end"
            if looks % _MEASURE_EVERY == 0:
                if limit is not None and memory_of(family()) > limit:
                    return "it took more memory than its datum may"
                if _is_memory_short() and self._can_be_given_up():
                    return "the machine is short of memory"
            if time.time_ns() > record["until_ns"] and self._can_be_given_up():
                return "its time is over"
            looks += 1
            time.sleep(_LOOK_S)

    def _can_be_given_up(self) -> bool:
        return self._place.give_up() is not None

    def release(self, *, with_datum: bool = True) -> None:
        """Remove what is left when the kernel has ended.

        Parameters
        ----------
        with_datum
            False to leave the datum's folder to whoever made it.
        """
        self._place.remove(with_datum=with_datum)
        os.close(self._alive)


def begin_keeping(work: Path, task: DatumTask, workspace: Workspace) -> Keeping | str:
    """Take a place for a kernel that is to be kept; return why there is none if there is not.

    Kernels of earlier jobs of the pipeline that nobody has open make way, and so does the oldest of
    any other job where there are as many as there may be.
    """
    kept_s = task.spec.datums.keep_failed_s
    assert kept_s is not None
    sweep_kept(work)
    with _alone(work):
        why = _make_way(work, task)
        if why:
            return why
        sockets = Path(tempfile.mkdtemp(prefix="datalake-kept-"))
        if len(os.fsencode(sockets)) > _MAX_SOCKET_FOLDER:
            sockets.rmdir()
            return f"sockets cannot be made in {str(sockets.parent)!r}, whose name is too long"
        kernel_id = f"{task.job_id[:12]}-{task.name.replace('.', '-')}"
        place = KeptPlace(work, kernel_id)
        place.folder.mkdir(mode=0o700)
        alive = place.keep_alive()
        place.write(
            {
                "job_id": task.job_id,
                "position": task.position,
                "pipeline": task.spec.name,
                "attempt": task.name,
                "folder": str(workspace.run),
                "until_ns": time.time_ns() + round(kept_s * 1e9),
                "sockets": str(sockets),
                "datum_folder": str(workspace.folder),
            }
        )
        return Keeping(place, alive, task)


def _make_way(work: Path, task: DatumTask) -> str:
    """End what has to go for the kernel of a task; return why that cannot be kept, if so."""
    if _is_memory_short():
        return "the machine is short of memory"
    present = list_kept(work)
    if sum(one.job_id == task.job_id for one in present) >= PER_JOB:
        return f"{PER_JOB} of this job are kept already"
    others = [one for one in present if one.job_id != task.job_id and not one.is_attached]
    old = [one for one in others if one.pipeline == task.spec.name]
    left = len(present) - len(old)
    if left >= AT_MOST:
        rest = [one for one in others if one not in old]
        if not rest:
            return f"{AT_MOST} are kept already"
        old.append(rest[0])
    for one in old:
        end_kept(work, one.id)
    return ""


def _is_memory_short() -> bool:
    memory = psutil.virtual_memory()
    return memory.available < _FREE_SHARE * memory.total


def _places(work: Path) -> Iterator[KeptPlace]:
    for record in sorted((work / KEPT_FOLDER).glob(f"*/{_RECORD}")):
        yield KeptPlace(work, record.parent.name)


def _take(path: Path, how: int) -> int | None:
    """Lock a file; return the descriptor that holds the lock, or None where others prevent it."""
    try:
        return try_lock(path, how)
    except OSError:
        return None


def _is_held(path: Path, how: int) -> bool:
    """Tell whether somebody holds a lock that prevents ours."""
    if not path.exists():
        return False
    lock = _take(path, how)
    if lock is None:
        return True
    os.close(lock)
    return False


@contextmanager
def _alone(work: Path) -> Iterator[None]:
    """Let nobody else begin to keep a kernel, or sweep, on this machine."""
    folder = work / KEPT_FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
