"""Pipelines: a notebook, command or query, its inputs, and how it runs.

The written form is YAML, checked against `model.pipeline_schema`; this module holds the values
it becomes and what can be said of them without looking at a lake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import product
from typing import Any

from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.schedules import DEFAULT_ZONE, CatchUp
from jupyter_datalake.model.warehouse import EgressSpec, IngestSpec

CODE_SUFFIX = ".code"
DEFAULT_KERNEL = "python3"
DEFAULT_TRIES = 3
DEFAULT_TIMEOUT_S = 3600.0


class PipelineState(StrEnum):
    """Whether a pipeline takes up new work."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class RepoInput:
    """A branch, cut into datums by a glob."""

    name: str
    """The variable and folder the program sees."""
    repo: str
    glob: str
    branch: str = DEFAULT_BRANCH


@dataclass(frozen=True, slots=True)
class CronInput:
    """A clock: each tick is one datum, and one run."""

    name: str
    schedule: str
    zone: str = DEFAULT_ZONE
    """The time zone whose wall clock the schedule is read by."""
    catch_up: CatchUp = CatchUp.ONE
    """What becomes of ticks that no controller was there for."""


@dataclass(frozen=True, slots=True)
class CrossInput:
    """Every combination of the datums of several inputs."""

    inputs: tuple[Input, ...]


Input = RepoInput | CronInput | CrossInput


@dataclass(frozen=True, slots=True)
class NotebookCode:
    """A notebook, run by papermill with its parameters cell filled in."""

    path: str
    """Relative to the folder that is published."""


@dataclass(frozen=True, slots=True)
class CommandCode:
    """A program and its arguments; no shell in between."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QueryCode:
    """A query that is run in a warehouse."""

    ingest: IngestSpec


Code = NotebookCode | CommandCode | QueryCode


@dataclass(frozen=True, slots=True)
class DatumPolicy:
    """How one datum is tried."""

    tries: int = DEFAULT_TRIES
    timeout_s: float = DEFAULT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """Everything that a user says about a pipeline."""

    name: str
    input: Input | None
    code: Code
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    """Helper files that the code needs beside it, relative to the published folder."""
    kernel: str = DEFAULT_KERNEL
    fork: bool = True
    """Whether kernels may be forked off a process that has imported what the notebook imports."""
    datums: DatumPolicy = DatumPolicy()
    parallelism: int | None = None
    """Datums of one job run at once; as many as the controller has workers when None."""
    egress: EgressSpec | None = None

    @property
    def code_repo(self) -> str:
        """Name of the repo that keeps the published code."""
        return f"{self.name}{CODE_SUFFIX}"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline at its current version."""

    name: str
    state: PipelineState
    version: int
    spec: PipelineSpec
    code_commit_id: CommitId
    created_at: datetime
    updated_at: datetime
    created_by: str


def iter_leaves(given: Input | None) -> Iterator[RepoInput | CronInput]:
    """Yield the repo and cron inputs below `given`, in order."""
    if isinstance(given, CrossInput):
        for one in given.inputs:
            yield from iter_leaves(one)
    elif given is not None:
        yield given


def repo_inputs(spec: PipelineSpec) -> list[RepoInput]:
    """Return the repo inputs of a pipeline, in order."""
    return [leaf for leaf in iter_leaves(spec.input) if isinstance(leaf, RepoInput)]


def cron_inputs(spec: PipelineSpec) -> list[CronInput]:
    """Return the cron inputs of a pipeline, in order."""
    return [leaf for leaf in iter_leaves(spec.input) if isinstance(leaf, CronInput)]


def combine(given: Input | None, pieces: dict[str, list[Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield the datums of an input, each as one piece per leaf, in a stable order.

    Parameters
    ----------
    pieces
        What each leaf was cut into, by input name.
    """
    if given is None:
        yield ()
    elif isinstance(given, CrossInput):
        for parts in product(*(list(combine(one, pieces)) for one in given.inputs)):
            yield tuple(piece for part in parts for piece in part)
    else:
        for piece in pieces[given.name]:
            yield (piece,)
