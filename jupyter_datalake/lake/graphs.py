"""The lineage graph, collected from metadata in one transaction: of now, of then, of a change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jupyter_datalake.lake.context import limit_of
from jupyter_datalake.lake.repos import VISIBLE_KINDS
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.ids import CommitId, GlobalId
from jupyter_datalake.model.jobs import Job, JobState, Outcome
from jupyter_datalake.model.lineage import (
    AccessKind,
    EdgeBasis,
    LineageEdge,
    LineageGraph,
    LineageNode,
    NodeKind,
    node_id,
)
from jupyter_datalake.model.pipelines import (
    CommandCode,
    NotebookCode,
    Pipeline,
    QueryCode,
    cron_inputs,
    keyed_inputs,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.times import nanoseconds_of

_MAX_OBSERVED = 5_000
"""Notebooks and repos between which flows are shown."""


class GraphBuilder:
    """Collects nodes and edges in one transaction.

    Parameters
    ----------
    global_id
        Only what hangs on this change.
    at_ns
        As it was then; nanoseconds since 1970.
    """

    def __init__(self, tx: Transaction, global_id: GlobalId | None, at_ns: int | None) -> None:
        self._tx = tx
        self._global_id = global_id
        self._at_ns = at_ns
        self._nodes: dict[str, LineageNode] = {}
        self._edges: dict[tuple[str, str], LineageEdge] = {}

    def build(self) -> LineageGraph:
        """Return the graph."""
        pipelines = self._pipelines()
        if self._global_id is None:
            jobs = self._tx.jobs.latest_of_each(at_ns=self._at_ns)
        else:
            under = self._tx.jobs.list(global_id=self._global_id, limit=limit_of(None))
            jobs = {job.pipeline: job for job in under}
            pipelines = [one for one in pipelines if one.name in jobs]
        self._add_repos(pipelines)
        for pipeline in pipelines:
            self._add_pipeline(pipeline, jobs.get(pipeline.name))
        if self._global_id is None:
            self._add_observed()
        return LineageGraph(tuple(self._nodes.values()), tuple(self._edges.values()))

    def _pipelines(self) -> list[Pipeline]:
        if self._at_ns is None:
            return [row.pipeline for row in self._tx.pipelines.list(limit=limit_of(None))]
        return [row.pipeline for row in self._tx.pipelines.list_at(self._at_ns)]

    def _add_repos(self, pipelines: list[Pipeline]) -> None:
        touched = self._touched_repos(pipelines)
        heads: Mapping[int, CommitId] | None = None
        if self._at_ns is not None:
            heads = self._tx.refs.heads_at(DEFAULT_BRANCH, self._at_ns)
        for row in self._tx.repos.list(limit=limit_of(None), kinds=VISIBLE_KINDS):
            if touched is not None and row.repo.name not in touched:
                continue
            if self._is_ahead(row.repo.created_at):
                continue
            name = row.repo.name
            details = {"kind": str(row.repo.kind), **self._head_of(row, heads)}
            self._nodes[node_id(NodeKind.REPO, name)] = LineageNode(
                node_id(NodeKind.REPO, name), NodeKind.REPO, name, "", details
            )

    def _head_of(self, row: RepoRow, heads: Mapping[int, CommitId] | None) -> dict[str, Any]:
        head = row.repo.head
        if heads is None or (head is not None and heads.get(row.id) == head.commit_id):
            if head is None:
                return {"commit_id": None, "files": 0}
            return {"commit_id": head.commit_id, "files": head.file_count}
        # Of a commit of the past the number of files would be a look at every one of them.
        return {"commit_id": heads.get(row.id)}

    def _touched_repos(self, pipelines: list[Pipeline]) -> set[str] | None:
        if self._global_id is None:
            return None
        touched = {one.name for one in pipelines}
        for pipeline in pipelines:
            touched |= {given.repo for given in keyed_inputs(pipeline.spec).values()}
        touched |= {commit.repo for commit in self._tx.commits.by_global_id(self._global_id)}
        return touched

    def _add_pipeline(self, pipeline: Pipeline, job: Job | None) -> None:
        spec = pipeline.spec
        own = self._add(
            NodeKind.PIPELINE,
            pipeline.name,
            pipeline.name,
            state="" if job is None else self._state_of(job),
            job_id=None if job is None else job.id,
            version=pipeline.version,
            code=_code_of(pipeline),
            group=spec.group,
        )
        for given in keyed_inputs(spec).values():
            self._connect(node_id(NodeKind.REPO, given.repo), own)
        for clock in cron_inputs(spec):
            name = f"{pipeline.name}.{clock.name}"
            self._connect(self._add(NodeKind.CRON, name, clock.schedule), own)
        if isinstance(spec.code, QueryCode):
            connection = spec.code.ingest.connection
            self._connect(self._add(NodeKind.TABLE, connection, connection), own)
        self._connect(own, node_id(NodeKind.REPO, pipeline.name))
        if spec.egress is not None:
            name = f"{spec.egress.connection}.{spec.egress.table}"
            table = self._add(NodeKind.TABLE, name, name, mode=str(spec.egress.mode))
            self._connect(node_id(NodeKind.REPO, pipeline.name), table)

    def _add_observed(self) -> None:
        """Add what notebooks and jobs were seen to open of the repos that are shown."""
        flows = self._tx.lineage.observed_flows(until_ns=self._at_ns, limit=_MAX_OBSERVED)
        for notebook, repo, kind in flows:
            if node_id(NodeKind.REPO, repo) in self._nodes:
                self._connect_seen(self._add(NodeKind.NOTEBOOK, notebook, notebook), repo, kind)
        # Lazy inputs, too; those are connected already.
        flows = self._tx.lineage.observed_flows_of_jobs(until_ns=self._at_ns, limit=_MAX_OBSERVED)
        for pipeline, repo, kind in flows:
            seen = node_id(NodeKind.PIPELINE, pipeline)
            if seen in self._nodes and node_id(NodeKind.REPO, repo) in self._nodes:
                self._connect_seen(seen, repo, kind)

    def _connect_seen(self, seen: str, repo: str, kind: AccessKind) -> None:
        place = node_id(NodeKind.REPO, repo)
        source, target = (place, seen) if kind is AccessKind.READ else (seen, place)
        self._connect(source, target, EdgeBasis.OBSERVED)

    def _add(
        self, kind: NodeKind, name: str, label: str, /, *, state: str = "", **details: Any
    ) -> str:
        identifier = node_id(kind, name)
        self._nodes.setdefault(identifier, LineageNode(identifier, kind, label, state, details))
        return identifier

    def _connect(self, source: str, target: str, basis: EdgeBasis = EdgeBasis.DECLARED) -> None:
        if source in self._nodes or source.startswith(f"{NodeKind.PIPELINE}:"):
            self._edges.setdefault((source, target), LineageEdge(source, target, basis))

    def _state_of(self, job: Job) -> str:
        """Return a job's state, or what kind of success it was where that says more."""
        if self._is_ahead(job.finished_at):
            return str(JobState.WAITING if self._is_ahead(job.started_at) else JobState.RUNNING)
        if job.outcome in {Outcome.CUT_OFF, Outcome.UNCHANGED}:
            return str(job.outcome)
        return str(job.state)

    def _is_ahead(self, moment: datetime | None) -> bool:
        """Tell whether a time is not reached yet at that which is asked for."""
        return self._at_ns is not None and (moment is None or nanoseconds_of(moment) > self._at_ns)


def _code_of(pipeline: Pipeline) -> str:
    match pipeline.spec.code:
        case NotebookCode(path):
            return path
        case CommandCode(argv):
            return " ".join(argv)
        case QueryCode():
            return "query"
