"""Repos: named, versioned trees of files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from jupyter_datalake.model.html import fields_html
from jupyter_datalake.model.ids import CommitId


class RepoKind(StrEnum):
    """Who writes to a repo."""

    USER = "user"
    """People, through sessions."""
    OUTPUT = "output"
    """The pipeline of the same name; nobody else writes to its main branch."""
    CODE = "code"
    """The publications of a pipeline's code, ``<pipeline>.code``; hidden unless asked for."""


@dataclass(frozen=True, slots=True)
class RepoHead:
    """The newest commit of a repo's main branch, as lists show it."""

    commit_id: CommitId
    created_at: datetime
    author: str
    message: str
    file_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Repo:
    """A repo as lists show it."""

    name: str
    kind: RepoKind
    description: str
    created_at: datetime
    created_by: str
    head: RepoHead | None = None
    """None only while the repo is being created."""

    def _repr_html_(self) -> str:
        head = self.head
        return fields_html(
            f"Repo {self.name}",
            [
                ("description", self.description),
                ("kind", self.kind),
                ("made", f"{self.created_at:%Y-%m-%d} by {self.created_by}"),
                ("holds", head and f"{head.file_count:,} files, {head.size_bytes:,} bytes"),
                ("newest commit", head and f"{head.commit_id[:12]} {head.message}"),
            ],
        )
