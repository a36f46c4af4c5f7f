"""Datums: the units of work that a glob cuts an input into, and what names their results."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from typing import Any, Protocol

from jupyter_datalake.errors import ErrorKind, StateError
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.paths import RepoPath, path_bytes


class DatumState(StrEnum):
    """Where a datum is."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    SKIPPED = "skipped"
    """Its key is known: the earlier result is used."""
    FAILED = "failed"
    RECOVERED = "recovered"
    """It failed, and the pipeline's recovery took over."""


DATUM_TRANSITIONS: dict[DatumState, frozenset[DatumState]] = {
    DatumState.QUEUED: frozenset({DatumState.RUNNING, DatumState.SKIPPED}),
    # back to queued: another try, or the worker vanished
    DatumState.RUNNING: frozenset(
        {DatumState.SUCCESS, DatumState.FAILED, DatumState.RECOVERED, DatumState.QUEUED}
    ),
    DatumState.SUCCESS: frozenset(),
    DatumState.SKIPPED: frozenset(),
    DatumState.RECOVERED: frozenset(),
    DatumState.FAILED: frozenset({DatumState.QUEUED}),
}

_MOST_NAMED = 10
"""A datum of more inputs is named by its first and its last one."""

CHECKS, ON_START, FINALLY = "checks", "on_start", "finally"
STEP_POSITIONS = {CHECKS: -3, ON_START: -2, FINALLY: -1}
"""Steps of a job, and where their rows and logs are among those of its datums: before all of them.
They are no datums: they are not counted, and have no output."""
BEFORE_ALL = min(STEP_POSITIONS.values()) - 1

DONE_STATES = frozenset({DatumState.SUCCESS, DatumState.SKIPPED, DatumState.RECOVERED})


@dataclass(frozen=True, slots=True)
class DatumInput:
    """What one input contributes to a datum: a matched path of a commit, or a tick."""

    name: str
    repo: str | None
    """None for a tick."""
    commit_id: CommitId | None
    path: RepoPath
    """The matched path; the root for the glob ``/``; the time for a tick."""
    digest: Digest
    """Of the content below `path`, times left out."""
    size_bytes: int = 0
    part: int | None = None
    """In a batch: which of its datums, from 0, this belongs to."""
    key: str = ""
    """What the job knows its branch by, where another input has the same name; else empty."""

    def as_dict(self) -> dict[str, Any]:
        """Return the stored form."""
        return {
            "name": self.name,
            "repo": self.repo,
            "commit_id": self.commit_id,
            "path": self.path,
            "digest": self.digest.hex(),
            "size_bytes": self.size_bytes,
            **({} if self.part is None else {"part": self.part}),
            **({"key": self.key} if self.key else {}),
        }

    @property
    def label(self) -> str:
        """The input as people read it."""
        return f"{self.name}:{self.path}" if self.repo is None else f"{self.repo}:/{self.path}"


def parse_datum_input(raw: dict[str, Any]) -> DatumInput:
    """Return the input of its stored form."""
    return DatumInput(
        raw["name"],
        raw["repo"],
        raw["commit_id"],
        RepoPath(raw["path"]),
        Digest(bytes.fromhex(raw["digest"])),
        raw["size_bytes"],
        raw.get("part"),
        raw.get("key", ""),
    )


@dataclass(frozen=True, slots=True)
class Datum:
    """One datum of a job."""

    job_id: str
    position: int
    key: Digest
    state: DatumState
    inputs: tuple[DatumInput, ...]
    reason: str
    """Why it runs or not: ``new``, ``input changed``, ``unchanged`` …"""
    tries: int
    started_at: datetime | None
    finished_at: datetime | None
    output_root: Digest | None
    """Manifest of what it wrote; None until it succeeded or was skipped."""
    artifacts_root: Digest | None
    """Manifest of the executed notebook and the log; None until it ended."""
    message: str

    @property
    def label(self) -> str:
        """What the datum was cut from, as people read it; the name of a step."""
        if self.position < 0:
            return next(name for name, at in STEP_POSITIONS.items() if at == self.position)
        return label_of(self.inputs)


def label_of(inputs: Iterable[DatumInput]) -> str:
    """Return what a datum was cut from, as people read it; bytes that are no text are escaped.

    A batch is named by its first and its last datum and how many it has, and a large group alike.
    """
    parts = parts_of(tuple(inputs))
    text = _label_of_part(parts[0])
    if len(parts) > 1:
        text += f" … {_label_of_part(parts[-1])} ({len(parts)} datums)"
    return text.encode("utf-8", "backslashreplace").decode()


def _label_of_part(part: tuple[DatumInput, ...]) -> str:
    if len(part) > _MOST_NAMED:
        return f"{part[0].label} × … × {part[-1].label} ({len(part)} inputs)"
    return " × ".join(one.label for one in part) or "no input"


def parts_of(inputs: tuple[DatumInput, ...]) -> list[tuple[DatumInput, ...]]:
    """Return the datums that a batch is made of; one that is no batch is made of itself."""
    if not inputs:
        return [()]
    return [tuple(part) for _, part in groupby(inputs, lambda one: one.part)]


class Placed(Protocol):
    """What is known of an input of a datum before it is looked into."""

    @property
    def name(self) -> str:
        """The input's name."""

    @property
    def repo(self) -> str | None:
        """The repo; None for a tick."""

    @property
    def path(self) -> RepoPath:
        """The matched path."""


def place_of(inputs: Iterable[Placed]) -> bytes:
    """Return what tells a datum from all others of its job, in 16 bytes: where it was cut from.

    The same datum of another job has the same place, whatever its inputs hold by then.
    """
    places = [[one.name, one.repo, path_bytes(one.path)] for one in inputs if one.repo is not None]
    return digest_of(pack_canonical(places))[:16]


def check_datum_transition(job_id: str, position: int, old: DatumState, new: DatumState) -> None:
    """Raise `StateError` unless a datum may go from `old` to `new`."""
    if new not in DATUM_TRANSITIONS[old]:
        raise StateError(
            f"Datum {position} of job {job_id} cannot go from {old} to {new}",
            kind=ErrorKind.WRONG_STATE,
            job=job_id,
            position=position,
        )


@dataclass(frozen=True, slots=True)
class DatumResult:
    """What is remembered of a datum that succeeded."""

    key: Digest
    job_id: str
    position: int
    output_root: Digest
    artifacts_root: Digest


def datum_key(
    pipeline: str,
    inputs: Iterable[DatumInput],
    code: Digest,
    parameters: dict[str, Any],
    environment: Digest,
) -> Digest:
    """Return the name of a datum's result: the digest of everything the result depends on.

    Parameters
    ----------
    pipeline
        Keeps equal work of two pipelines apart, so each output has one maker.
    inputs
        In the order of the spec; paths count, since a program can see them.
    code
        Digest of code cells or command and of the helper files.
    parameters
        As the notebook receives them.
    environment
        Digest of the environment lock.
    """
    return digest_of(
        pack_canonical(
            [
                1,
                pipeline,
                [_keyed(one) for one in inputs],
                code,
                parameters,
                environment,
            ]
        )
    )


def _keyed(given: DatumInput) -> list[Any]:
    named = [given.key or given.name, path_bytes(given.path), given.digest]
    return named if given.part is None else [*named, given.part]
