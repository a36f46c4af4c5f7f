"""Pipelines: a notebook, command or query, its inputs, and how it runs.

The written form is YAML, checked against `model.pipeline_schema`; this module holds the values
it becomes and what can be said of them without looking at a lake.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from jupyter_datalake.model.expectations import Expectation
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.notifications import NotifyRule
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.schedules import DEFAULT_ZONE, CatchUp
from jupyter_datalake.model.warehouse import EgressSpec, IngestSpec

CODE_SUFFIX = ".code"
DEFAULT_KERNEL = "python3"
DEFAULT_TRIES = 3
DEFAULT_TIMEOUT_S = 3600.0
DEFAULT_BACKOFF_S = 0.5
DEFAULT_STEP_TIMEOUT_S = 600.0


class PipelineState(StrEnum):
    """Whether a pipeline takes up new work."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class BranchTrigger:
    """How much has to come in before it runs the pipeline: what is left out is not asked for."""

    commits: int | None = None
    """So many commits."""
    size_bytes: int | None = None
    """Files of so many bytes, added or changed."""
    schedule: str = ""
    """A tick of this schedule since the first of them came in."""
    zone: str = DEFAULT_ZONE
    needs_all: bool = False
    """Whether all of these must hold, rather than one."""


@dataclass(frozen=True, slots=True)
class RepoInput:
    """A branch, cut into datums by a glob."""

    name: str
    """The variable and folder the program sees."""
    repo: str
    glob: str
    branch: str = DEFAULT_BRANCH
    exclude: tuple[str, ...] = ()
    """Globs that take away what `glob` matches, with everything below."""
    on: str = ""
    """In a join: what is compared, made of the captures of `glob`, such as ``$1``."""
    is_outer: bool = False
    """In a join: whether what matches nothing elsewhere is a datum without the others."""
    by: str = ""
    """In a group: what is compared, as `on`."""
    is_empty: bool = False
    """Whether the program sees names without content."""
    gives_match: bool = False
    """Whether the program is told where what was matched is, not the folder that it is in."""
    is_lazy: bool = False
    """Whether content is fetched when the program reads it, where the machine can mount."""
    trigger: BranchTrigger | None = None
    """When commits run the pipeline; each does when None."""


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


@dataclass(frozen=True, slots=True)
class UnionInput:
    """The datums of several inputs, one input after the other."""

    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class JoinInput:
    """The combinations of datums whose captures are equal."""

    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class GroupInput:
    """One datum for each text that is captured, with all that it is captured from."""

    inputs: tuple[Input, ...]


Leaf = RepoInput | CronInput
Combination = CrossInput | UnionInput | JoinInput | GroupInput
Input = Leaf | Combination

COMBINATIONS: dict[str, type[Combination]] = {
    "cross": CrossInput,
    "union": UnionInput,
    "join": JoinInput,
    "group": GroupInput,
}
"""What each combination is called in a spec."""


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


class ExecutorKind(StrEnum):
    """Where datums run."""

    LOCAL = "local"
    """In processes on the controller's machine."""
    DASK = "dask"
    """On the workers of a Dask cluster."""


@dataclass(frozen=True, slots=True)
class Packages:
    """A Python environment of a pipeline's own, made of nothing but these packages."""

    requirements: tuple[str, ...] = ()
    """As in a requirements file, one each; beside those that `file` holds."""
    file: str = ""
    """A requirements file, relative to the published folder."""
    python: str = ""
    """Such as ``3.12``; the version that the pipeline was published by when empty."""


@dataclass(frozen=True, slots=True)
class JobStep:
    """What a job runs once, before its datums or behind them."""

    code: NotebookCode | CommandCode
    timeout_s: float = DEFAULT_STEP_TIMEOUT_S


class OnError(StrEnum):
    """What becomes of a datum that failed its last try."""

    FAIL = "fail"
    """The job fails, when the others have been tried."""
    SKIP = "skip"
    """It is left out of the output, and tried again by the next job."""
    RECOVER = "recover"
    """A command makes its output, and the next job tries it again."""


@dataclass(frozen=True, slots=True)
class DatumPolicy:
    """How one datum is tried."""

    tries: int = DEFAULT_TRIES
    timeout_s: float = DEFAULT_TIMEOUT_S
    backoff_s: float = DEFAULT_BACKOFF_S
    """Before the second try; twice as long before each further one, up to a minute."""
    on_error: OnError = OnError.FAIL
    recover: tuple[str, ...] = ()
    """The program and arguments of `OnError.RECOVER`."""
    batch: int | None = None
    """So many datums at most are given to one run of the code; None gives it one, by itself."""
    keep_failed_s: float | None = None
    """How long the kernel of a notebook that failed is kept; not at all when None."""


@dataclass(frozen=True, slots=True)
class DatumLimits:
    """What one datum may take, with all that it starts; None for as much as there is."""

    memory_bytes: int | None = None
    cpu_s: float | None = None
    """Processor time of all its processes together."""
    output_bytes: int | None = None
    """Of all files in its output folder."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What a Dask worker must have free for one datum; on the controller's machine not asked."""

    cpus: float | None = None
    """Processors; one where the workers say how many they have."""
    gpus: float | None = None
    labels: tuple[str, ...] = ()
    """Names that somebody gave to the workers which are fit."""


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """Everything that a user says about a pipeline."""

    name: str
    input: Input | None
    code: Code
    description: str = ""
    group: str = ""
    """What it is looked at and acted on together with; see `model.groups`."""
    parameters: dict[str, Any] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    """Helper files that the code needs beside it, relative to the published folder."""
    paths: dict[str, str] = field(default_factory=dict)
    """Where the code finds inputs and ``out`` besides: a path relative to its working directory to
    an input's name or ``out``, or what is below that; ``out/…/`` is a folder, which is made."""
    kernel: str = DEFAULT_KERNEL
    fork: bool = True
    """Whether kernels may be forked off a process that has imported what the notebook imports."""
    packages: Packages | None = None
    """The environment that it has for itself; what is installed for the workers when None."""
    datums: DatumPolicy = DatumPolicy()
    parallelism: int | None = None
    """Datums of one job run at once; as many as the controller has workers when None."""
    timeout_s: float | None = None
    """How long a job may run; as long as it takes when None."""
    priority: int = 0
    """How often its jobs have their turn, from -10 to 10: ten steps are worth ten times."""
    slots: dict[str, int] = field(default_factory=dict)
    """How much of which resource a datum holds while it runs; see `model.limits`."""
    limits: DatumLimits = DatumLimits()
    executor: ExecutorKind | None = None
    """Where datums run; where the controller's do when None."""
    placement: Placement = Placement()
    on_start: JobStep | None = None
    """Runs before the datums; where it fails, none of them does."""
    finally_: JobStep | None = None
    """Runs when a job that began has ended, however it has."""
    expectations: tuple[Expectation, ...] = ()
    """What the output must be; see `pipelines.expecting`."""
    notify: tuple[NotifyRule, ...] | None = None
    """Who is told when jobs end; by the rules of the lake when None."""
    egress: EgressSpec | None = None

    @property
    def code_repo(self) -> str:
        """Name of the repo that keeps the published code."""
        return f"{self.name}{CODE_SUFFIX}"


@dataclass(frozen=True, slots=True)
class InputWait:
    """What came in through an input with a trigger since the pipeline last read it."""

    input: str
    """Its key, as `keyed_inputs` gives it."""
    repo: str
    branch: str
    commits: int
    size_bytes: int | None
    """Of the files that these added or changed; None where the trigger does not ask for it."""
    since: datetime | None
    """When the first of them was made; None where nothing came in."""
    next_tick: datetime | None
    """When the trigger's schedule will have ticked since; None without one, or when it has."""
    trigger: BranchTrigger
    is_met: bool
    """Whether it is enough."""


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


class ChangeAction(StrEnum):
    """What has to be done about a pipeline so that it is as it is declared."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class PipelineChange:
    """One pipeline of those that are declared, or that are not any more."""

    pipeline: str
    action: ChangeAction
    differs: tuple[str, ...]
    """Keys of the spec, and files, that are not as they were published."""
    template: str = ""
    """The file of the template that makes it, as the folder names it; empty for none."""


def iter_leaves(given: Input | None) -> Iterator[Leaf]:
    """Yield the repo and cron inputs below `given`, in order."""
    if isinstance(given, Combination):
        for one in given.inputs:
            yield from iter_leaves(one)
    elif given is not None:
        yield given


def grouped_names(given: Input | None, *, inside: bool = False) -> set[str]:
    """Return the names of the inputs of which one datum can hold several matches."""
    if not isinstance(given, Combination):
        return {given.name} if given is not None and inside else set()
    inside = inside or isinstance(given, GroupInput)
    return {name for one in given.inputs for name in grouped_names(one, inside=inside)}


def repo_inputs(spec: PipelineSpec) -> list[RepoInput]:
    """Return the repo inputs of a pipeline, in order."""
    return [leaf for leaf in iter_leaves(spec.input) if isinstance(leaf, RepoInput)]


def keyed_inputs(spec: PipelineSpec) -> dict[str, RepoInput]:
    """Return the branches that a pipeline reads, by what jobs and provenance know them by.

    That is the input's name. Alternatives of a union may share theirs: what reads another branch
    under a name that is taken is known as ``name.2``, and so on.
    """
    keyed: dict[str, RepoInput] = {}
    for leaf in repo_inputs(spec):
        key, number = leaf.name, 1
        while key in keyed and not _reads_the_same(keyed[key], leaf):
            number += 1
            key = f"{leaf.name}.{number}"
        keyed.setdefault(key, leaf)
    return keyed


def key_of(keyed: dict[str, RepoInput], leaf: RepoInput) -> str:
    """Return the key by which `keyed_inputs` knows a leaf."""
    return next(
        key for key, one in keyed.items() if one.name == leaf.name and _reads_the_same(one, leaf)
    )


def _reads_the_same(one: RepoInput, other: RepoInput) -> bool:
    return (one.repo, one.branch) == (other.repo, other.branch)


def cron_inputs(spec: PipelineSpec) -> list[CronInput]:
    """Return the cron inputs of a pipeline, in order."""
    return [leaf for leaf in iter_leaves(spec.input) if isinstance(leaf, CronInput)]


def without_keeping(spec: PipelineSpec) -> PipelineSpec:
    """Return a spec whose kernels are not kept: where nobody could go on in them."""
    if spec.datums.keep_failed_s is None:
        return spec
    return replace(spec, datums=replace(spec.datums, keep_failed_s=None))
