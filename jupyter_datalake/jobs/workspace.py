"""The folder of one try of one datum: its inputs, its output, its code, its log.

::

    <work>/jobs/<job>/<position>-<attempt of the job>.<attempt>/
        run/                the program's working directory, with the published code
        run/pfs/<input>/    what each input contributes, under its own path
        run/pfs/out/        what the program writes is the datum's output
        artifacts/          executed notebook and log

Inputs are copies: what a program does to them reaches nobody else and is not kept.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.model.datums import DatumInput
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.paths import ROOT

SnapshotOf = Callable[[CommitId], Snapshot]
"""Returns the tree of a commit."""

INPUTS = "pfs"
OUT = "out"
LOG = "log.txt"
NOTEBOOK = "notebook.ipynb"
MAX_LOG_BYTES = 16 * 1024 * 1024


class Workspace:
    """The folder of one try. Made by `prepare`, removed by `remove`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "run"
        self.inputs = self.run / INPUTS
        self.out = self.inputs / OUT
        self.artifacts = folder / "artifacts"

    @classmethod
    def of(cls, core: LakeCore, task: DatumTask) -> Self:
        """Return where a try's folder is, whether it exists or not."""
        return cls(job_folder(core, task.job_id) / task.name)

    @classmethod
    def list_of(cls, core: LakeCore, job_id: str, position: int) -> Sequence[Self]:
        """Return the folders that a datum's tries have at this moment, the newest try first."""
        folders = job_folder(core, job_id).glob(f"{position}-*")
        return [cls(folder) for folder in sorted(folders, key=_try_of, reverse=True)]

    def prepare(self, snapshot_of: SnapshotOf, task: DatumTask) -> int:
        """Make the folder with code and inputs; return the bytes written.

        Raises
        ------
        StorageError
            The disk is full.
        CorruptDataError
            An input is damaged.
        """
        shutil.rmtree(self.folder, ignore_errors=True)  # an attempt of that name was killed
        self.artifacts.mkdir(mode=0o700, parents=True)
        written = snapshot_of(task.code_commit_id).export_into(ROOT, self.run)
        self.out.mkdir(parents=True)
        for given in task.inputs:
            written += self._place(snapshot_of, given)
        return written

    def _place(self, snapshot_of: SnapshotOf, given: DatumInput) -> int:
        target = self.inputs / given.name
        if given.commit_id is None:
            target.mkdir()
            moment = datetime.fromtimestamp(int(given.path) // 1000 / 1e6, UTC)
            text = moment.isoformat()
            (target / text.replace(":", "-")).write_text(text)
            return len(text)
        return snapshot_of(given.commit_id).export_into(given.path, target)

    def remove(self) -> None:
        """Remove the folder; what a program made unremovable stays for the next start."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _try_of(folder: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in folder.name.rpartition("-")[2].split("."))


def job_folder(core: LakeCore, job_id: str) -> Path:
    """Return the folder that holds a job's workspaces."""
    return core.work_folder / "jobs" / job_id


class CappedLog:
    """A datum's log: text is appended and flushed, up to a limit that the log itself announces."""

    def __init__(self, path: Path, *, limit: int = MAX_LOG_BYTES) -> None:
        self._file = open(path, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115  # closed on exit
        self._left = limit
        self._limit = limit

    def write(self, text: str) -> int:
        """Append text; past the limit it is dropped, after one line that says so."""
        if self._left > 0:
            self._file.write(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._file.write(f"\n[the log ends here: it reached {self._limit >> 20} MiB]\n")
            self._file.flush()
        return len(text)

    def line(self, text: str) -> None:
        """Append one line of our own."""
        self.write(f"[datalake] {text}\n")

    def flush(self) -> None:
        """Everything is flushed as it is written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._file.close()
