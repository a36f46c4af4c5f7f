"""Lazy inputs: one mount for all datums that a controller runs on this machine.

The controller starts the mount's process when the first datum with a lazy input is handed out.
It belongs to no worker: one that is killed with everything it started leaves it alone. It ends with
the controller, however that ends, for it reads the other end of a pipe. On a Dask cluster, the
process of each Dask worker is what the controller is here.

What a name below the mount point shows is written down in the datum's folder, and means nothing
any more when that is removed.

::

    <work>/lazy/<number>        the mount point
    <work>/lazy/<number>.lock   held by its controller
    <work>/lazy/<number>.why    why nothing is mounted there
    <work>/lazy/<number>.err    what its process printed last
    <work>/jobs/<job>/<try>/lazy/<input>.json
                                what <mount point>/<job>:<try>:<input> shows
"""

from __future__ import annotations

import errno
import itertools
import json
import logging
import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import ErrorKind, MountError
from jupyter_datalake.file_locks import try_lock
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask
from jupyter_datalake.jobs.workspace import Workspace, job_folder
from jupyter_datalake.model.datums import DatumInput
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.model.pipelines import PipelineSpec, repo_inputs
from jupyter_datalake.model.selections import Selection, parse_selection
from jupyter_datalake.mount.doctor import choose_mode
from jupyter_datalake.mount.mountpoints import unmount
from jupyter_datalake.mount.starting import READY

logger = logging.getLogger(__name__)

PROCESS = "jupyter_datalake.lake.mount_process"
LAZY_FOLDER = "lazy"
"""Below it are the mount points."""

IDLE_S = 300.0

_START_S = 60.0
_STOP_S = 20.0
_MAX_STARTS = 5
"""A process that was killed so often is not brought back; inputs are copied from then on."""

_TROUBLE = (MountError, OSError, subprocess.SubprocessError)

# <job>:<try>:<input>
_NAME = re.compile(r"([A-Za-z0-9_-]+):([0-9]+-[0-9.]+):([A-Za-z0-9_]+)", re.ASCII)


class LazyMount:
    """The mount point of one controller. Thread-safe.

    Nothing is mounted before `start`. Mount points that dead controllers left are swept when it is
    made.

    Parameters
    ----------
    places
        A folder of this machine for mount points.
    idle_s
        After so long without a datum that needs it, the process ends: others may need the memory.
    """

    def __init__(self, url: str, places: Path, *, idle_s: float = IDLE_S) -> None:
        self._url = url
        self._idle_s = idle_s
        self._guard = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._is_hopeless = False
        self._holders = 0
        self._free_since_s = 0.0
        self._rest: threading.Timer | None = None
        places.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sweep(places)
        self.folder, self._lock = _take_place(places)

    @property
    def pid(self) -> int | None:
        """The mount's process, if one was started and not ended."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """See to it that the mount serves, or that it is written down why it does not.

        Cost: nothing while it serves; about a second the first time.
        """
        with self._guard:
            if self._is_hopeless or (self._process is not None and self._process.poll() is None):
                return
            try:
                self._end()
                self._begin()
            except _TROUBLE as error:
                logger.warning("Lazy inputs are copied: %s", error)
                self._is_hopeless = not (isinstance(error, MountError) and error.retryable)
                with suppress(OSError):  # a full disk; then it is not known why
                    _why_file(self.folder).write_text(str(error))

    def hold(self) -> None:
        """As `start`; and let the process live until `release` was called as often as this."""
        with self._guard:
            self._holders += 1
        self.start()

    def release(self) -> None:
        """Take note that one holder does not need the mount any more."""
        with self._guard:
            self._holders -= 1
            self._free_since_s = time.monotonic()
            if not self._holders:
                self._rest_after(self._idle_s)

    def close(self) -> None:
        """Unmount, end the process and give up the mount point; safe to call twice."""
        with self._guard:
            self._is_hopeless = True
            if self._rest is not None:
                self._rest.cancel()
            if self._lock >= 0:
                self._end_if_possible()
                os.close(self._lock)
                self._lock = -1

    def _rest_after(self, wait_s: float) -> None:
        if self._rest is None and not self._is_hopeless:
            self._rest = threading.Timer(wait_s, self._end_if_idle)
            self._rest.daemon = True
            self._rest.start()

    def _end_if_idle(self) -> None:
        with self._guard:
            self._rest = None
            left_s = self._free_since_s + self._idle_s - time.monotonic()
            if self._holders or self._is_hopeless:
                return
            if left_s > 0:  # it was needed meanwhile
                self._rest_after(left_s)
            else:
                self._end_if_possible()
                self._starts = 0

    def _end_if_possible(self) -> None:
        try:
            self._end()
        except _TROUBLE as error:
            logger.warning("A mount of lazy inputs is left: %s", error)

    def _begin(self) -> None:
        mode, note = choose_mode()
        if mode is not MountMode.FUSE:
            raise MountError(note, kind=ErrorKind.FUSE_UNAVAILABLE)
        if self._starts == _MAX_STARTS:
            raise MountError(f"The mount's process died {_MAX_STARTS} times")
        self._starts += 1
        self.folder.mkdir(mode=0o700, exist_ok=True)
        command = [sys.executable, "-m", PROCESS, "--lake", self._url]
        with open(self.folder.with_suffix(".err"), "wb") as errors:
            self._process = subprocess.Popen(
                [*command, "--mountpoint", str(self.folder), "--datum-inputs"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                cwd="/",
                start_new_session=True,  # Ctrl-C at a terminal is for the controller to handle
            )
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], _START_S)[0]:
            self._end()
            raise MountError(f"The mount's process took more than {_START_S:.0f} s", retryable=True)
        said = self._process.stdout.readline()
        if said != READY:
            self._end()
            why = said.decode("utf-8", "replace").strip()
            raise MountError(why or f"The mount's process did not start; see {errors.name}")

    def _end(self) -> None:
        """Leave nothing mounted, and no process."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
        _clear(self.folder)


class LazyExecutor:
    """An `Executor` whose datums find their lazy inputs mounted.

    Parameters
    ----------
    inner
        Runs the datums, on this machine.
    """

    def __init__(self, inner: Executor, mount: LazyMount) -> None:
        self._inner = inner
        self._mount = mount

    @property
    def slots(self) -> int:
        """How many datums run at once."""
        return self._inner.slots

    def has_room(self, spec: PipelineSpec) -> bool:
        """Tell whether a place is free; see `Executor.has_room`."""
        return self._inner.has_room(spec)

    def submit(self, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        """Queue tries; see `Executor.submit`."""
        if not any(leaf.is_lazy for leaf in repo_inputs(tasks[0].spec)):
            return self._inner.submit(tasks)
        for _ in tasks:
            self._mount.hold()
        futures = self._inner.submit(tasks)
        for future in futures:
            future.add_done_callback(lambda _: self._mount.release())
        return futures

    def cancel(self, task: DatumTask) -> None:
        """Stop a try; see `Executor.cancel`."""
        self._inner.cancel(task)

    def close(self) -> None:
        """Stop everything and unmount; see `Executor.close`."""
        try:
            self._inner.close()
        finally:
            self._mount.close()


class MountedInputs:
    """Shows lazy inputs below the mount point of a controller; for its workers."""

    def __init__(self, mountpoint: Path) -> None:
        self._mountpoint = mountpoint

    def show(self, task: DatumTask, given: Sequence[DatumInput], notes: Path) -> Path:
        """Return the folder that shows an input; see `jobs.lazy.LazyInputs`."""
        first = given[0]
        assert first.repo is not None
        assert first.commit_id is not None
        selection = Selection(first.repo, first.commit_id, tuple(one.path for one in given))
        notes.mkdir(mode=0o700, exist_ok=True)
        (notes / f"{first.name}.json").write_text(json.dumps(selection.as_dict()))
        folder = self._mountpoint / f"{task.job_id}:{task.name}:{first.name}"
        try:
            os.stat(folder)
        except OSError as error:
            raise MountError(self._why(error), kind=ErrorKind.FUSE_UNAVAILABLE) from error
        return folder

    def _why(self, error: OSError) -> str:
        if error.errno in {errno.ENOTCONN, errno.ECONNABORTED}:
            return "the process behind the mount was killed"
        try:
            return _why_file(self._mountpoint).read_text()
        except FileNotFoundError:
            return f"the mount does not show it: {error.strerror}"


def find_selection(core: LakeCore, name: str) -> Selection | None:
    """Return what a name below the mount point shows, or None where it means nothing."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    job_id, attempt, given = match.groups()
    notes = Workspace(job_folder(core, job_id) / attempt).notes
    try:
        return parse_selection(json.loads((notes / f"{given}.json").read_text()))
    except (OSError, ValueError, KeyError):
        return None  # the datum has ended, or is just ending


def datum_of(name: str) -> tuple[str, int] | None:
    """Return job and position of the datum to which a name below the mount point is shown."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    position, _, _ = match[2].partition("-")
    return (match[1], int(position)) if position.isdigit() else None


def _take_place(places: Path) -> tuple[Path, int]:
    """Return a mount point that no controller has, and the descriptor that holds its lock."""
    for number in itertools.count():
        folder = places / str(number)
        lock = try_lock(folder.with_suffix(".lock"))
        if lock is not None:
            return folder, lock
    raise AssertionError("there is no end of numbers")


def _sweep(places: Path) -> None:
    """Take away what controllers left that were killed together with their mounts."""
    for lock_file in places.glob("*.lock"):
        folder = lock_file.with_suffix("")
        lock = try_lock(lock_file)
        if lock is not None:
            try:
                _clear(folder)
            except _TROUBLE as error:
                logger.warning("A mount of lazy inputs is left: %s", error)
            finally:
                os.close(lock)


def _clear(folder: Path) -> None:
    """Leave nothing mounted at a mount point, and no folder; raise `MountError` if that fails."""
    _why_file(folder).unlink(missing_ok=True)
    if os.path.lexists(folder):
        unmount(str(folder))
        with suppress(OSError):  # somebody put something there: it is theirs
            folder.rmdir()


def _why_file(folder: Path) -> Path:
    return folder.with_suffix(".why")
