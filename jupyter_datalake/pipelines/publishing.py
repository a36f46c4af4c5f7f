"""Publishing: a spec and its files become a version of a pipeline.

The notebook, helper files, query and environment lock are committed to the pipeline's code repo;
the pipeline's row then points to that commit. A version never changes, so a job can name exactly
what it ran.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from jupyter_datalake.engine.commits import CommitRequest, commit_changes, head_of
from jupyter_datalake.engine.core import LakeCore, new_global_id
from jupyter_datalake.engine.repos import Repositories
from jupyter_datalake.engine.sources import store_source
from jupyter_datalake.errors import (
    AlreadyExistsError,
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.jobs.environments import LOCK_FILE
from jupyter_datalake.jobs.notebooks import check_parameters, parse_notebook
from jupyter_datalake.jobs.packages import (
    REQUIREMENTS_FILE,
    LockedPackages,
)
from jupyter_datalake.jobs.python_source import parse_python
from jupyter_datalake.jobs.workspace import INPUTS
from jupyter_datalake.metadata.pipelines import PipelineRow
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import Author, Commit, Origin, Provenance
from jupyter_datalake.model.entries import FileEntry
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.expectations import check_of
from jupyter_datalake.model.jobs import LIVE_STATES, Trigger, TriggerKind
from jupyter_datalake.model.lineage import GlobalOrigin, find_cycle
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.pipelines import (
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    Pipeline,
    PipelineSpec,
    QueryCode,
    RepoInput,
    UnionInput,
    cron_inputs,
    repo_inputs,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.model.warehouse import check_connection_name
from jupyter_datalake.pipelines.code_files import (
    SPEC_FILE,
    code_contents,
    code_paths,
    lock_code,
    notebooks_of,
    stored_packages,
)
from jupyter_datalake.pipelines.triggering import Started, plan_jobs


@dataclass(frozen=True, slots=True)
class Publication:
    """A spec that is to be published."""

    spec: PipelineSpec
    files: dict[str, bytes]
    """The notebook and helper files that it names, by path."""
    is_new: bool
    """Whether there is no pipeline of its name."""


@contextmanager
def told_of(pipeline: str) -> Iterator[None]:
    """Let errors say which of several pipelines they are about."""
    try:
        yield
    except DatalakeError as error:
        error.context.setdefault("pipeline", pipeline)
        raise


class Publisher:
    """Creates, updates and deletes pipelines of one lake."""

    def __init__(self, core: LakeCore, author: Author) -> None:
        self._core = core
        self._author = author

    def create(self, spec: PipelineSpec, files: dict[str, bytes]) -> Pipeline:
        """Publish a new pipeline; it runs at once where its inputs hold data.

        Parameters
        ----------
        files
            The notebook and helper files that the spec names, by path.

        Raises
        ------
        AlreadyExistsError
            A pipeline or a repo of this name exists.
        InvalidInputError
            A cycle, a missing file, a notebook that is none, a parameter of the wrong type.
        NotFoundError
            An input's repo or branch, a connection or the kernel is missing.
        """
        return self.publish_all([Publication(spec, files, is_new=True)])[0]

    def update(
        self, spec: PipelineSpec, files: dict[str, bytes], *, upgrade: bool = False
    ) -> Pipeline:
        """Publish the next version of a pipeline; it runs again where that changes anything.

        Parameters
        ----------
        upgrade
            Whether newer packages are taken into an environment of its own.

        Raises
        ------
        NotFoundError
            There is no such pipeline, or something it needs is missing.
        """
        publication = Publication(spec, files, is_new=False)
        return self.publish_all([publication], upgrade=upgrade)[0]

    def publish_all(
        self,
        publications: Sequence[Publication],
        *,
        deleted: Sequence[str] = (),
        upgrade: bool = False,
    ) -> list[Pipeline]:
        """Publish pipelines and delete others, all or none; what runs does so under one global id.

        Everything is checked before anything is done. What is refused, or ends on the way, leaves
        at most repos without files behind, which the next attempt takes over.

        Parameters
        ----------
        publications
            Each after those that write what it reads.
        upgrade
            Whether newer packages are taken into environments of their own.

        Raises
        ------
        DatalakeError
            As `create`, `update` and `delete` do.
        """
        with self._core.metadata.read() as tx:
            for name in deleted:
                check_idle(tx, name)
            for one in publications:
                self._check_name(tx, one)
        coming: list[PipelineSpec] = []
        for one in publications:
            with told_of(one.spec.name):
                self.check(one.spec, one.files, coming)
            coming.append(one.spec)
        contents = [self.contents(one, upgrade=upgrade) for one in publications]
        for one in publications:
            if one.is_new:
                spec = one.spec
                self._ensure_repo(spec.name, RepoKind.OUTPUT, spec.description)
                self._ensure_repo(spec.code_repo, RepoKind.CODE, f"Code of pipeline {spec.name}")
        codes = [
            self._commit_code(one.spec, files)
            for one, files in zip(publications, contents, strict=True)
        ]
        with self._core.metadata.write() as tx:
            started = []
            rows = []
            for one, code in zip(publications, codes, strict=True):
                row, is_changed = self._put(tx, one, code)
                rows.append(row)
                if is_changed and has_data(tx, one.spec):
                    trigger = Trigger(TriggerKind.PIPELINE, one.spec.name, tx.now_ns)
                    started.append(Started(row, trigger))
            for name in deleted:
                _delete(tx, name)
            if started:
                global_id = new_global_id()
                names = ", ".join(one.row.pipeline.name for one in started)
                tx.lineage.begin(global_id, GlobalOrigin.PIPELINE, names, str(self._author))
                plan_jobs(tx, started, global_id)
            return [row.pipeline for row in rows]

    def delete(self, name: str) -> None:
        """Remove a pipeline with its jobs; its output repo stays, as a repo of the user's.

        Raises
        ------
        StateError
            A job of it is running.
        """
        with self._core.metadata.write() as tx:
            _delete(tx, name)

    # --- checks ----------------------------------------------------------------------------------

    def _check_name(self, tx: Transaction, one: Publication) -> None:
        """Raise unless a pipeline is there, or not, as its publication says."""
        name = one.spec.name
        if not one.is_new:
            tx.pipelines.get(name)
            return
        if tx.pipelines.find(name) is not None:
            raise AlreadyExistsError(
                f"There is a pipeline {name!r} already",
                kind=ErrorKind.PIPELINE_EXISTS,
                hint="Update it instead, or choose another name",
                pipeline=name,
            )
        row = tx.repos.find(name)
        if row is not None:
            check_free(tx, row)

    def check(
        self, spec: PipelineSpec, files: dict[str, bytes], coming: Sequence[PipelineSpec] = ()
    ) -> None:
        """Raise unless a spec can be published after those that are coming."""
        with self._core.metadata.read() as tx:
            self._check_inputs(tx, spec, {one.name for one in coming})
            self._check_cycle(tx, spec, coming)
            for connection in _connections(spec):
                tx.connections.get(connection)
            _check_slots(tx, spec)
        self._check_files(spec, files)

    def _check_inputs(self, tx: Transaction, spec: PipelineSpec, coming: Collection[str]) -> None:
        for given in repo_inputs(spec):
            if given.repo in coming and given.branch == DEFAULT_BRANCH:
                continue
            repo = tx.repos.find(given.repo)
            if repo is None or tx.refs.find(repo, given.branch) is None:
                what = "repo" if repo is None else f"branch {given.branch!r} in repo"
                make = (
                    f"repos create {given.repo}"
                    if repo is None
                    else f"refs create-branch {given.repo} {given.branch}"
                )
                raise NotFoundError(
                    f"Input {given.name!r} of pipeline {spec.name!r} reads {what}"
                    f" {given.repo!r}, which does not exist",
                    kind=ErrorKind.REPO_NOT_FOUND if repo is None else ErrorKind.REF_NOT_FOUND,
                    hint=f"Create it first: datalake {make}",
                    repo=given.repo,
                    input=given.name,
                )

    def _check_cycle(
        self, tx: Transaction, spec: PipelineSpec, coming: Sequence[PipelineSpec]
    ) -> None:
        anew = [*coming, spec]
        names = {one.name for one in anew}
        edges = [(edge.repo, edge.pipeline) for edge in tx.pipelines.edges()]
        edges = [edge for edge in edges if edge[1] not in names]
        edges += [(given.repo, one.name) for one in anew for given in repo_inputs(one)]
        cycle = find_cycle(edges)
        if cycle is not None:
            raise InvalidInputError(
                f"Pipeline {spec.name!r} would read what is made from its own output:"
                f" {' → '.join(cycle)}",
                kind=ErrorKind.PIPELINE_CYCLE,
                hint="Break the circle at one of these",
                cycle=cycle,
            )

    def _check_files(self, spec: PipelineSpec, files: dict[str, bytes]) -> None:
        for path in code_paths(spec):
            if path not in files:
                raise PathNotFoundError(
                    f"Pipeline {spec.name!r} needs the file {path!r}, which is not there",
                    hint="Paths are relative to the spec",
                    path=path,
                )
            if path.partition("/")[0] in {INPUTS, SPEC_FILE, LOCK_FILE, REQUIREMENTS_FILE}:
                raise InvalidInputError(
                    f"The file name {path!r} is taken by the job itself",
                    kind=ErrorKind.INVALID_SPEC,
                    hint="Rename the file",
                    path=path,
                )
        for index, one in enumerate(spec.expectations):
            if one.python:
                source = files[check_of(one.python)[0]]
                _check_function(one.python, source, f"expectations[{index}].python")
        for name in notebooks_of(spec):
            check_parameters(parse_notebook(files[name], name), spec.parameters, name)

    # --- acts ------------------------------------------------------------------------------------

    def _ensure_repo(self, name: str, kind: RepoKind, description: str) -> None:
        """Create a repo that a pipeline owns, or take over the one an earlier pipeline left."""
        with self._core.metadata.write() as tx:
            row = tx.repos.find(name)
            if row is not None:
                check_free(tx, row)
                tx.repos.set_kind(row.id, kind)
                return
        Repositories(self._core).create(
            name, kind=kind, description=description, author=self._author
        )

    def _packages_of(self, spec: PipelineSpec) -> LockedPackages | None:
        """Return the packages that the published version is locked to, if it is."""
        head = head_of(self._core, spec.code_repo, DEFAULT_BRANCH)
        return stored_packages(self._core.snapshot(head))

    def contents(self, one: Publication, *, upgrade: bool) -> dict[str, bytes]:
        """Return what a publication commits, its environment locked."""
        with told_of(one.spec.name):
            before = None if one.is_new else self._packages_of(one.spec)
            packages = lock_code(one.spec, one.files, before, upgrade=upgrade)
            return code_contents(one.spec, one.files, packages)

    def _put(self, tx: Transaction, one: Publication, code: Commit) -> tuple[PipelineRow, bool]:
        """Write a pipeline's row; return it, and whether that made it another."""
        by = str(self._author)
        if one.is_new:
            row = tx.pipelines.create(one.spec, code.id, by)
        else:
            row = tx.pipelines.get(one.spec.name)
            if (row.pipeline.spec, row.pipeline.code_commit_id) == (one.spec, code.id):
                return row, False  # published again as it is: no new version, nothing runs
            row = tx.pipelines.update(row, one.spec, code.id, by)
        tx.events.append(EventKind.PIPELINE_CHANGED, one.spec.name, version=row.pipeline.version)
        return row, True

    def _commit_code(self, spec: PipelineSpec, contents: dict[str, bytes]) -> Commit:
        base = head_of(self._core, spec.code_repo, DEFAULT_BRANCH)
        with self._core.writer() as writer:
            now = self._core.clock()
            changes: dict[RepoPath, FileEntry | None] = {
                path: None
                for path, _ in self._core.snapshot(base).iter_entries()
                if path not in contents
            }
            for path, data in contents.items():
                entry = store_source(writer, data, self._core.chunking, now_ns=now)
                old = self._core.snapshot(base).entry(RepoPath(path))
                changes[RepoPath(path)] = old if old and old.same_content(entry) else entry
            request = CommitRequest(
                repo=spec.code_repo,
                branch=DEFAULT_BRANCH,
                message=f"Publish {spec.name}",
                author=self._author,
                provenance=Provenance(Origin.CODE, pipeline=spec.name),
            )
            return commit_changes(self._core, writer, base, changes, request).commit


def check_free(tx: Transaction, row: RepoRow) -> None:
    """Raise if a pipeline's output would replace what people have put into a repo."""
    if holds_own_files(tx, row):
        name = row.repo.name
        raise AlreadyExistsError(
            f"There is a repo {name!r} with files of its own, which the pipeline's"
            " output would replace",
            kind=ErrorKind.REPO_EXISTS,
            hint="Choose another name for the pipeline",
            repo=name,
            pipeline=name,
        )


def holds_own_files(tx: Transaction, row: RepoRow) -> bool:
    """Tell whether the newest commit of a repo is one that people made."""
    head = tx.commits.get(tx.refs.get(row, DEFAULT_BRANCH).commit_id)
    return head.provenance.origin is Origin.SESSION


def _delete(tx: Transaction, name: str) -> None:
    row = tx.pipelines.get(name)
    check_idle(tx, name)
    tx.pipelines.delete(row.id)
    tx.repos.set_kind(tx.repos.get(name).id, RepoKind.USER)
    code = tx.repos.find(row.pipeline.spec.code_repo)
    if code is not None:
        tx.repos.set_kind(code.id, RepoKind.USER)
    tx.events.append(EventKind.PIPELINE_CHANGED, name, deleted=True)


def _check_function(python: str, source: bytes, place: str) -> None:
    """Raise `InvalidInputError` unless a file is Python and has a function at its top level."""
    file, function = check_of(python)
    try:
        found = [
            one.name for one in parse_python(source, file).body if isinstance(one, ast.FunctionDef)
        ]
    except (SyntaxError, ValueError) as error:
        raise InvalidInputError(
            f"Pipeline spec: {place}: {file!r} is no Python: {error}",
            kind=ErrorKind.INVALID_SPEC,
            place=place,
        ) from error
    if function not in found:
        raise InvalidInputError(
            f"Pipeline spec: {place}: {file!r} has no function {function!r}",
            kind=ErrorKind.INVALID_SPEC,
            hint=f"It has {', '.join(found)}" if found else "It has no function at all",
            place=place,
        )


def has_data(tx: Transaction, spec: PipelineSpec) -> bool:
    """Tell whether a pipeline can run at once: its repo inputs were written to, no clock waits.

    A cross needs all of its inputs; of a union, a join and a group one is enough.
    """
    return not cron_inputs(spec) and _holds_data(tx, spec.input)


def _holds_data(tx: Transaction, given: Input | None) -> bool:
    match given:
        case RepoInput():
            return _has_commits(tx, given)
        case CrossInput(inputs):
            return all(_holds_data(tx, one) for one in inputs)
        case UnionInput(inputs) | JoinInput(inputs) | GroupInput(inputs):
            return any(_holds_data(tx, one) for one in inputs)
        case _:
            return True


def _has_commits(tx: Transaction, given: RepoInput) -> bool:
    repo = tx.repos.get(given.repo)
    head = tx.commits.get(tx.refs.get(repo, given.branch).commit_id)
    return head.provenance.origin is not Origin.REPO


def check_idle(tx: Transaction, name: str) -> None:
    """Raise `StateError` if a job of a pipeline has not ended."""
    live = tx.jobs.list(pipeline=name, states=LIVE_STATES, limit=1)
    if live:
        raise StateError(
            f"Job {live[0].id} of pipeline {name!r} is {live[0].state}",
            kind=ErrorKind.IN_USE,
            hint=f"Wait for it, or cancel it: datalake jobs cancel {live[0].id}",
            job=live[0].id,
        )


def _check_slots(tx: Transaction, spec: PipelineSpec) -> None:
    """Raise unless there is as much of each resource as one datum holds."""
    there = {limit.name: limit.count for limit in tx.settings.limits()}
    for name, count in spec.slots.items():
        if count > there.get(name, 0):
            have = f"there are {there[name]}" if name in there else "none is known"
            raise InvalidInputError(
                f"A datum of {spec.name!r} needs {count} of resource {name!r}, of which {have}",
                kind=ErrorKind.INVALID_SPEC,
                hint=f"Say how many there are: datalake pipelines set-slots {name} {count}",
                resource=name,
            )


def _connections(spec: PipelineSpec) -> list[str]:
    names = []
    if isinstance(spec.code, QueryCode):
        names.append(check_connection_name(spec.code.ingest.connection))
    if spec.egress is not None:
        names.append(check_connection_name(spec.egress.connection))
    return names
