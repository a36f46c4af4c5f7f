"""The folder of one try of one datum: its inputs, its output, its code, its log.

::

    <work>/jobs/<job>/<position>-<attempt of the job>.<attempt>/
        run/                the program's working directory, with the published code
        run/pfs/<input>/    what each input contributes, under its own path
        run/pfs/.batch.json for a batch, which of that belongs to which of its datums
        run/pfs/out/        what the program writes is the datum's output
        artifacts/          executed notebook and log
        lazy/               what is to be shown of inputs that are not copied
        above/…/run/        in place of run/, where the spec's `paths` go up further than one folder

Inputs are copies: what a program does to them reaches nobody else and is not kept. The folder of
one that is lazy is a symlink to where it can be read and not written to.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.errors import MountError
from jupyter_datalake.jobs.lazy import LazyInputs, NoLazyInputs
from jupyter_datalake.jobs.tasks import DatumTask
from jupyter_datalake.model.datums import DatumInput, parts_of
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.paths import ROOT
from jupyter_datalake.model.pipelines import (
    PipelineSpec,
    grouped_names,
    iter_leaves,
    repo_inputs,
)
from jupyter_datalake.model.shown_paths import folders_up

SnapshotOf = Callable[[CommitId], Snapshot]
"""Returns the tree of a commit."""

INPUTS = "pfs"
OUT = "out"
BATCH = ".batch.json"
"""Beside the inputs of a batch: what each of its datums has of each input."""
LOG = "log.txt"
NOTEBOOK = "notebook.ipynb"
PART = ".part"
"""What the name of an executed notebook ends in while it is written."""
MAX_LOG_BYTES = 16 * 1024 * 1024


class Workspace:
    """The folder of one try. Made by `prepare`, removed by `remove`."""

    def __init__(self, folder: Path, depth: int = 1) -> None:
        self.folder = folder
        # Deep enough that what its paths show beside and above it is in this folder.
        self.run = folder.joinpath(*["above"] * (depth - 1), "run")
        self.inputs = self.run / INPUTS
        self.out = self.inputs / OUT
        self.artifacts = folder / "artifacts"
        self.notes = folder / "lazy"
        self.readable = [self.inputs]
        """The folders that hold inputs; those of lazy ones lie elsewhere."""

    @classmethod
    def of(cls, core: LakeCore, task: DatumTask) -> Self:
        """Return where a try's folder is, whether it exists or not."""
        return cls.at(job_folder(core, task.job_id) / task.name, task.spec)

    @classmethod
    def at(cls, folder: Path, spec: PipelineSpec) -> Self:
        """Return the folder of a try of a pipeline, at a place."""
        return cls(folder, max([1, *map(folders_up, spec.paths)]))

    @classmethod
    def list_of(cls, core: LakeCore, job_id: str, position: int) -> Sequence[Self]:
        """Return the folders that a datum's tries have at this moment, the newest try first."""
        folders = job_folder(core, job_id).glob(f"{position}-*")
        return [cls(folder) for folder in sorted(folders, key=_try_of, reverse=True)]

    def prepare(
        self,
        snapshot_of: SnapshotOf,
        task: DatumTask,
        lazy: LazyInputs | None = None,
        code: Snapshot | None = None,
    ) -> Sequence[str]:
        """Make the folder with code and inputs; return what the datum's log has to say of it.

        Parameters
        ----------
        lazy
            Shows the inputs that are lazy; what it cannot show is copied.
        code
            The tree of the code, where no commit has it.

        Raises
        ------
        StorageError
            The disk is full.
        CorruptDataError
            An input is damaged.
        """
        if os.path.lexists(self.folder):
            self.remove()  # an attempt of that name was killed
        os.makedirs(self.folder, exist_ok=True)
        self.artifacts.mkdir(mode=0o700)
        if code is None:
            assert task.code_commit_id is not None
            code = snapshot_of(task.code_commit_id)
        code.export_into(ROOT, self.run)
        os.makedirs(self.out)
        names_only = {leaf.name for leaf in repo_inputs(task.spec) if leaf.is_empty}
        are_lazy = {leaf.name for leaf in repo_inputs(task.spec) if leaf.is_lazy}
        notes: list[str] = []
        for name, several in _by_name(_each_once(task.inputs)).items():
            if name in are_lazy:
                try:
                    self._link(name, (lazy or NoLazyInputs()).show(task, several, self.notes))
                    continue
                except MountError as error:
                    notes.append(f"the lazy input {name} is copied: {error}")
            for given in several:
                self._place(snapshot_of, given, names_only=name in names_only)
        if any(given.part is not None for given in task.inputs):
            (self.inputs / BATCH).write_text(json.dumps(places_of_batch(task)))
        notes += [f"{path} is not shown: {why}" for path, why in self._show(task.spec.paths)]
        return notes

    def _show(self, paths: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """Let code find inputs and output where it looks for them; yield what cannot be shown."""
        for path, target in paths.items():
            link = Path(os.path.normpath(self.run / path))
            if not link.is_relative_to(self.folder):
                yield path, "it leads outside of the datum's folder"
            elif os.path.lexists(link):
                yield path, "something else is there"
            else:
                place = self.inputs / target
                if target.startswith(f"{OUT}/"):
                    (place if target.endswith("/") else place.parent).mkdir(
                        parents=True, exist_ok=True
                    )
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(os.path.relpath(place, link.parent))

    def _link(self, name: str, folder: Path) -> None:
        os.symlink(folder, self.inputs / name)
        self.readable.append(folder)

    def _place(self, snapshot_of: SnapshotOf, given: DatumInput, *, names_only: bool) -> None:
        target = self.inputs / given.name
        if given.commit_id is None:
            target.mkdir()
            moment = datetime.fromtimestamp(int(given.path) // 1000 / 1e6, UTC)
            text = moment.isoformat()
            (target / text.replace(":", "-")).write_text(text)
            return
        tree = snapshot_of(given.commit_id)
        if names_only:
            tree.export_names_into(given.path, target)
        else:
            tree.export_into(given.path, target)

    def remove(self) -> None:
        """Remove the folder; what a program made unremovable stays for the next start."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _each_once(inputs: Iterable[DatumInput]) -> Iterator[DatumInput]:
    """Yield what has to be written: what several datums of a batch hold, and folders hold, once."""
    chosen = {(one.name, one.path) for one in inputs}
    for one in dict.fromkeys(replace(one, part=None) for one in inputs):
        names = one.path.split("/") if one.commit_id is not None and one.path else []
        above = {"/".join(names[:depth]) for depth in range(len(names))}
        if not any((one.name, folder) in chosen for folder in above):
            yield one


def _by_name(inputs: Iterable[DatumInput]) -> dict[str, list[DatumInput]]:
    found: dict[str, list[DatumInput]] = defaultdict(list)
    for one in inputs:
        found[one.name].append(one)
    return found


def places_of(task: DatumTask) -> dict[str, str | None]:
    """Return where each input is, as its spec asks: its folder, or what was matched in it.

    None for one that this datum has nothing of.
    """
    absent: dict[str, str | None] = {one.name: None for one in iter_leaves(task.spec.input)}
    matches = {leaf.name for leaf in repo_inputs(task.spec) if leaf.gives_match}
    return absent | {
        one.name: _place_of(one)
        if one.name in matches and one.part is None
        else f"{INPUTS}/{one.name}"
        for one in task.inputs
    }


def places_of_batch(task: DatumTask) -> dict[str, list[Any]]:
    """Return for each input what each datum of a batch has of it, in the order of the datums.

    That is the path of what was matched, or of all that was matched where the input is in a group;
    None where a datum has nothing of it, and the folder for a clock.
    """
    grouped = grouped_names(task.spec.input)
    places: dict[str, list[Any]] = {one.name: [] for one in iter_leaves(task.spec.input)}
    for part in parts_of(task.inputs):
        for name, held in places.items():
            mine = [_place_of(one) for one in part if one.name == name]
            held.append(mine if name in grouped else next(iter(mine), None))
    return places


def _place_of(given: DatumInput) -> str:
    folder = f"{INPUTS}/{given.name}"
    return f"{folder}/{given.path}" if given.commit_id is not None and given.path else folder


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
