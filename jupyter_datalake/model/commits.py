"""Commits: an immutable tree, its parents, who made it and from what.

A commit's id is the digest of its canonical bytes, so it cannot be changed afterwards and the
same commit written twice is one commit. Byte layout: docs/format.md, section "Commit".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.model.encoding import pack_canonical, unpack_canonical
from jupyter_datalake.model.html import fields_html
from jupyter_datalake.model.ids import (
    DIGEST_SIZE,
    CommitId,
    Digest,
    GlobalId,
    commit_id_of,
    digest_of,
)

COMMIT_VERSION = 1
MAX_MESSAGE_BYTES = 64 * 1024
MAX_METADATA_BYTES = 1024 * 1024
_MAX_TIME_NS = 1 << 63


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a change: the Jupyter user or the user of the operating system."""

    name: str
    email: str | None = None

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.email else self.name


class Origin(StrEnum):
    """What kind of act made a commit."""

    REPO = "repo"
    """The empty first commit of a repo."""
    SESSION = "session"
    """A person, through a session, a mount or `files put`."""
    JOB = "job"
    """A pipeline's job."""
    CODE = "code"
    """The publication of a pipeline's code."""


CODE_INPUT = ".code"
"""The name under which a job reads the code that it runs; no input can have it."""


@dataclass(frozen=True, slots=True)
class InputCommit:
    """One input of a job: which commit it read under which name."""

    name: str
    repo: str
    branch: str
    commit_id: CommitId


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a commit was made from."""

    origin: Origin
    pipeline: str | None = None
    pipeline_version: int | None = None
    job_id: str | None = None
    code: InputCommit | None = None
    """The commit of the pipeline's code repo that ran."""
    inputs: tuple[InputCommit, ...] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    environment: str | None = None
    """Digest of the environment lock, hex."""
    tick_ns: int | None = None
    """The tick that cron inputs stood for, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One immutable version of a repo."""

    id: CommitId
    repo: str
    branch: str
    """The branch it was made on: a hint for people and for `maintenance rebuild`."""
    root: Digest
    parents: tuple[CommitId, ...]
    author: Author
    time_ns: int
    message: str
    global_id: GlobalId
    metadata: dict[str, str]
    provenance: Provenance
    file_count: int
    size_bytes: int

    @property
    def created_at(self) -> datetime:
        """When it was made, in UTC, to the microsecond."""
        return datetime.fromtimestamp(self.time_ns // 1000 / 1e6, UTC)

    def _repr_html_(self) -> str:
        made = self.provenance
        return fields_html(
            f"Commit {self.repo}@{self.id[:12]}",
            [
                ("message", self.message),
                ("author", self.author),
                ("time", self.created_at),
                ("branch", self.branch),
                ("holds", f"{self.file_count:,} files, {self.size_bytes:,} bytes"),
                ("parents", ", ".join(one[:12] for one in self.parents)),
                ("made by", made.origin if made.pipeline is None else f"pipeline {made.pipeline}"),
                *((f"input {one.name}", f"{one.repo}@{one.commit_id}") for one in made.inputs),
                *((f"parameter {name}", value) for name, value in made.parameters.items()),
                *self.metadata.items(),
                ("global id", self.global_id),
                ("id", self.id),
            ],
        )


class CommitPage(NamedTuple):
    """Some commits, and where to go on."""

    results: Sequence[Commit]
    next: CommitId | None
    """The last commit that was looked at; None when there is nothing behind it."""
    looked: int
    """How many commits were looked at for it."""


@dataclass(frozen=True, slots=True)
class CommitDraft:
    """Everything a commit says except its id, which follows from it."""

    repo: str
    branch: str
    root: Digest
    parents: tuple[CommitId, ...]
    author: Author
    time_ns: int
    message: str
    global_id: GlobalId
    provenance: Provenance
    metadata: dict[str, str] = field(default_factory=dict)
    file_count: int = 0
    size_bytes: int = 0

    def seal(self) -> tuple[Commit, bytes]:
        """Return the commit and its canonical bytes."""
        data = pack_canonical(
            [
                COMMIT_VERSION,
                self.repo,
                self.branch,
                self.root,
                [bytes.fromhex(parent) for parent in self.parents],
                [self.author.name, self.author.email],
                self.time_ns,
                self.message,
                self.global_id,
                self.metadata,
                provenance_as_dict(self.provenance),
                self.file_count,
                self.size_bytes,
            ]
        )
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return Commit(id=commit_id_of(digest_of(data)), **values), data


def reseal(commit: Commit) -> tuple[Commit, bytes]:
    """Return what a commit's values seal to now: the same commit, unless a value was changed."""
    values = {one.name: getattr(commit, one.name) for one in fields(CommitDraft)}
    return CommitDraft(**values).seal()


def decode_commit(data: bytes) -> Commit:
    """Return the commit of canonical bytes, or raise `CorruptDataError`."""
    try:
        (
            version,
            repo,
            branch,
            root,
            parents,
            author,
            time_ns,
            message,
            global_id,
            metadata,
            provenance,
            file_count,
            size_bytes,
        ) = unpack_canonical(data, "a commit")
        if version != COMMIT_VERSION:
            raise ValueError(version)
        texts = (repo, branch, message, global_id, *metadata, *metadata.values())
        if (
            any(type(text) is not str for text in texts)
            or any(type(number) is not int for number in (time_ns, file_count, size_bytes))
            or any(type(one) is not bytes or len(one) != DIGEST_SIZE for one in (root, *parents))
            or abs(time_ns) >= _MAX_TIME_NS
        ):
            raise ValueError("a part of another type, or out of range")
        return Commit(
            id=commit_id_of(digest_of(data)),
            repo=repo,
            branch=branch,
            root=Digest(root),
            parents=tuple(CommitId(parent.hex()) for parent in parents),
            author=Author(*author),
            time_ns=time_ns,
            message=message,
            global_id=GlobalId(global_id),
            metadata=metadata,
            provenance=provenance_from_dict(provenance),
            file_count=file_count,
            size_bytes=size_bytes,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptDataError(
            "A commit has an unknown shape", kind=ErrorKind.CORRUPT_OBJECT
        ) from error


def provenance_as_dict(provenance: Provenance) -> dict[str, Any]:
    """Return the stored and JSON form; absent facts are left out."""
    raw: dict[str, Any] = {
        "origin": str(provenance.origin),
        "pipeline": provenance.pipeline,
        "pipeline_version": provenance.pipeline_version,
        "job_id": provenance.job_id,
        "code": None if provenance.code is None else _input_as_dict(provenance.code),
        "inputs": [_input_as_dict(one) for one in provenance.inputs],
        "parameters": provenance.parameters,
        "environment": provenance.environment,
        "tick_ns": provenance.tick_ns,
    }
    return {key: value for key, value in raw.items() if value not in (None, [], {})}


def provenance_from_dict(raw: dict[str, Any]) -> Provenance:
    """Return the provenance of its stored form."""
    code = raw.get("code")
    return Provenance(
        origin=Origin(raw["origin"]),
        pipeline=raw.get("pipeline"),
        pipeline_version=raw.get("pipeline_version"),
        job_id=raw.get("job_id"),
        code=None if code is None else InputCommit(**code),
        inputs=tuple(InputCommit(**one) for one in raw.get("inputs", [])),
        parameters=raw.get("parameters", {}),
        environment=raw.get("environment"),
        tick_ns=raw.get("tick_ns"),
    )


def _input_as_dict(one: InputCommit) -> dict[str, str]:
    return {
        "name": one.name,
        "repo": one.repo,
        "branch": one.branch,
        "commit_id": one.commit_id,
    }
