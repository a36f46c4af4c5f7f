"""Selections: some paths of a commit, which is what a datum sees of an input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.paths import RepoPath, path_bytes


@dataclass(frozen=True, slots=True)
class Selection:
    """Files and folders of a commit, each with all that is below it."""

    repo: str
    commit_id: CommitId
    paths: tuple[RepoPath, ...]
    """None of them below another; the root alone is the whole commit."""

    def names_above(self) -> dict[RepoPath, Sequence[str]]:
        """Return for each folder above the paths which of its names lead to them, in byte order."""
        found: dict[RepoPath, set[str]] = defaultdict(set)
        for path in self.paths:
            names = path.split("/") if path else []
            for depth, name in enumerate(names):
                found[RepoPath("/".join(names[:depth]))].add(name)
        return {folder: sorted(names, key=path_bytes) for folder, names in found.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"repo": self.repo, "commit_id": self.commit_id, "paths": list(self.paths)}


def parse_selection(raw: dict[str, Any]) -> Selection:
    """Return the selection of its JSON form."""
    paths = tuple(RepoPath(path) for path in raw["paths"])
    return Selection(raw["repo"], CommitId(raw["commit_id"]), paths)
