"""Which commits are wanted: what the log of a branch and a search of the lake have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jupyter_datalake.model.commits import Commit


@dataclass(frozen=True, slots=True)
class CommitFilter:
    """Facts about a commit that must all be true; None where nothing is asked of them."""

    author: str | None = None
    """Part of the author's name or address, in any case."""
    text: str | None = None
    """Part of the message, in any case."""
    since_ns: int | None = None
    until_ns: int | None = None
    """Both inclusive."""
    metadata: Mapping[str, str | None] = field(default_factory=dict)
    """Keys that must be there, with this value unless it is None."""
    global_id: str | None = None
    """Beginning of the global id."""

    def fits(self, commit: Commit) -> bool:
        """Tell whether a commit is wanted."""
        author = f"{commit.author.name}\n{commit.author.email or ''}"
        return (
            _is_in(self.author, author)
            and _is_in(self.text, commit.message)
            and (self.since_ns is None or commit.time_ns >= self.since_ns)
            and (self.until_ns is None or commit.time_ns <= self.until_ns)
            and commit.global_id.startswith(self.global_id or "")
            and all(
                key in commit.metadata and value in {None, commit.metadata[key]}
                for key, value in self.metadata.items()
            )
        )


def _is_in(part: str | None, text: str) -> bool:
    return part is None or part.lower() in text.lower()
