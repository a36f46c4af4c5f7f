"""Lineage: what was made from what, as a graph of repos and pipelines, and by global id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from heapq import heapify, heappop, heappush
from typing import Any

from jupyter_datalake.model.drawing import drawing_of
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.paths import RepoPath

MAX_OPENED = 100
"""So much is told of what the datums of a job opened; `lake.lineage.observed` tells all."""


class GlobalOrigin(StrEnum):
    """What began a global id."""

    COMMIT = "commit"
    TICK = "tick"
    PIPELINE = "pipeline"
    RERUN = "rerun"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class GlobalRecord:
    """One change and everything it set off."""

    id: GlobalId
    created_at: datetime
    created_by: str
    origin: GlobalOrigin
    subject: str


class NodeKind(StrEnum):
    """Kinds of nodes in the lineage graph."""

    REPO = "repo"
    PIPELINE = "pipeline"
    TABLE = "table"
    """A table of a warehouse."""
    CRON = "cron"
    NOTEBOOK = "notebook"
    """A notebook whose kernel was seen to open files."""


class EdgeBasis(StrEnum):
    """How it is known that data flows."""

    DECLARED = "declared"
    """A pipeline says so."""
    OBSERVED = "observed"
    """A program was seen to open the files."""


@dataclass(frozen=True, slots=True)
class LineageNode:
    """One repo, pipeline, warehouse table, clock or notebook."""

    id: str
    """``kind:name``, stable over time."""
    kind: NodeKind
    label: str
    state: str = ""
    """State of the pipeline's newest job, or of the one under the global id asked for."""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineageEdge:
    """Data flows from `source` to `target`."""

    source: str
    target: str
    basis: EdgeBasis = EdgeBasis.DECLARED


@dataclass(frozen=True, slots=True)
class LineageGraph:
    """Nodes and edges, each in a stable order."""

    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]

    def _repr_html_(self) -> str:
        labels = {one.id: (one.label, f"{one.kind} {one.state}".strip()) for one in self.nodes}
        return drawing_of(labels, [(one.source, one.target) for one in self.edges], "Lineage")


@dataclass(frozen=True, slots=True)
class LineageStep:
    """One commit in the ancestry or the progeny of another."""

    commit_id: CommitId
    repo: str
    depth: int
    """Steps away from the commit that was asked for."""
    via: CommitId
    """The neighbouring commit it was reached from."""
    name: str
    """Input name of the edge; ``.code`` for the code that ran."""


class AccessKind(StrEnum):
    """For what a file was opened."""

    READ = "read"
    WRITE = "write"


class SeenBy(StrEnum):
    """By what means an access was seen."""

    MOUNT = "mount"
    """A FUSE mount was asked for the file."""
    READER = "reader"
    """The Python library read or wrote it: `lake.files`, `lake.sessions`, ``lake://``."""
    KERNEL = "kernel"
    """A kernel opened a file of a checkout, and said so."""
    LAZY = "lazy"
    """A datum opened a file of an input that is lazy."""


@dataclass(frozen=True, slots=True)
class Observer:
    """A process that was seen to open something, as far as the system told what it is."""

    id: str
    host: str
    pid: int
    command: str
    """Its command line, shortened."""
    kernel_id: str | None = None
    """The Jupyter kernel that it is, or that started it."""
    notebook: str | None = None
    """What the kernel was started for, as the Jupyter server names it."""
    cell: str | None = None
    """The cell that ran, where the kernel says so."""
    job_id: str | None = None
    """The job whose datum it works on; where it is not known by which process, `pid` is 0."""
    datum: int | None = None
    """Its position."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One file of one commit that an observer opened, however often.

    Of a verb that takes a whole folder, such as an export, it is the folder.
    """

    observer: Observer
    repo: str
    commit_id: CommitId
    """What was shown; of a session, the commit it was based on; of a file that was committed by
    the same call, the commit that has it."""
    path: RepoPath
    kind: AccessKind
    session_id: str | None
    """The session whose file it was; None for a read-only view."""
    opens: int
    first_ns: int
    """Nanoseconds since 1970, as `last_ns`."""
    last_ns: int
    seen_by: SeenBy = SeenBy.MOUNT


def node_id(kind: NodeKind, name: str) -> str:
    """Return the id of a node."""
    return f"{kind}:{name}"


def find_cycle(edges: Iterable[tuple[str, str]]) -> list[str] | None:
    """Return the nodes of one cycle in order, its first node repeated at the end, or None.

    >>> find_cycle([("a", "b"), ("b", "a")])
    ['a', 'b', 'a']
    """
    followers: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        followers[source].append(target)
    finished: set[str] = set()
    for start in sorted(followers):
        path: list[str] = []
        on_path: set[str] = set()
        stack: list[tuple[str, bool]] = [(start, False)]
        while stack:
            node, leaving = stack.pop()
            if leaving:
                on_path.discard(path.pop())
                finished.add(node)
                continue
            if node in on_path:
                return [*path[path.index(node) :], node]
            if node in finished:
                continue
            path.append(node)
            on_path.add(node)
            stack.append((node, True))
            stack.extend((follower, False) for follower in sorted(followers[node], reverse=True))
    return None


def topological_order(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    """Return `nodes` so that every edge points forward; ties by name. The edges hold no cycle.

    >>> topological_order(["c", "b", "a"], [("c", "a")])
    ['b', 'c', 'a']
    """
    waiting: dict[str, int] = dict.fromkeys(nodes, 0)
    followers: dict[str, list[str]] = defaultdict(list)
    for source, target in set(edges):
        if source in waiting and target in waiting:
            followers[source].append(target)
            waiting[target] += 1
    ready = [node for node, count in waiting.items() if count == 0]
    heapify(ready)
    order: list[str] = []
    while ready:
        node = heappop(ready)
        order.append(node)
        for follower in followers[node]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heappush(ready, follower)
    return order
