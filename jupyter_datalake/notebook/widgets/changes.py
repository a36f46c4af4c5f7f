"""A commit, and the difference of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.addresses import Address
from jupyter_datalake.model.changes import Change, ChangeKind
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.html import text_html

_PAGE = 100
_MAX_HUNKS = 50
_MAX_LINE = 300
_SIGNS = {
    ChangeKind.ADDED: "+",
    ChangeKind.MODIFIED: "~",
    ChangeKind.REMOVED: "-",
    ChangeKind.RENAMED: ">",
}


class DiffWidget(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets says nothing of its types
    """Paths that differ, page by page; the lines that differ of the one that is chosen."""

    def __init__(self, lake: Lake, repo: str, old: str, new: str) -> None:
        # Resolved once: branches may move while somebody looks.
        self._old, self._new = lake.commits.get(repo, old), lake.commits.get(repo, new)
        self._lake = lake
        self._changes: list[Change] = []
        self._head = ipywidgets.HTML()
        self._list = ipywidgets.Select(rows=1, layout={"width": "auto"})
        self._list.tooltip = "Paths that differ"
        self._list.observe(self._on_choice, "index")
        self._more = ipywidgets.Button(description="Show more")
        self._more.on_click(self._on_more)
        self._text = ipywidgets.HTML()
        super().__init__([self._head, self._list, self._more, self._text])
        self._load()

    @property
    def changes(self) -> Sequence[Change]:
        """The changes that are shown so far."""
        return self._changes

    def _load(self) -> None:
        after = self._changes[-1].path if self._changes else None
        page = self._lake.commits.diff(
            self._new.repo, self._old.id, self._new.id, after=after, limit=_PAGE + 1
        )
        self._changes += page[:_PAGE]
        has_more = len(page) > _PAGE
        count = f"{len(self._changes):,}{' or more' if has_more else ''} changes"
        self._head.value = (
            f"<p><b>{text_html(self._new.repo)}</b>: {text_html(self._old.id[:12])} → "
            f"{text_html(self._new.id[:12])}, {count}</p>"
        )
        self._list.options = [f"{_SIGNS[one.kind]} {one.path}" for one in self._changes]
        self._list.rows = min(max(len(self._changes), 1), 12)
        self._list.layout.display = None if self._changes else "none"
        self._more.layout.display = None if has_more else "none"

    def _on_more(self, button: Any) -> None:
        del button
        self._load()

    def _on_choice(self, change: Any) -> None:
        if change["new"] is not None:
            self._text.value = self._difference(self._changes[change["new"]])

    def _difference(self, change: Change) -> str:
        """Return how a file differs, as HTML."""
        if change.kind is not ChangeKind.MODIFIED:
            info = change.new or change.old
            size = 0 if info is None else info.size_bytes
            return f"<p>{text_html(change.path)} was {change.kind}: {size:,} bytes</p>"
        if change.new is None or change.new.kind is not FileKind.FILE:
            return f"<p>{text_html(change.path)} is no file</p>"
        repo = self._new.repo
        try:
            found = self._lake.files.diff_text(
                Address(repo, self._old.id, change.path),
                Address(repo, self._new.id, change.path),
                limit=_MAX_HUNKS,
            )
        except DatalakeError as error:
            return f"<p>{text_html(error)}</p>"
        if found.is_binary:
            return f"<p>{text_html(change.path)}: {change.size_change_bytes:+,} bytes, no text</p>"
        lines = [
            text_html(line.rstrip("\r\n").expandtabs()[:_MAX_LINE])
            for hunk in found.hunks
            for line in (hunk.heading(), *hunk.lines)
        ]
        return f"<pre>{chr(10).join(lines)}</pre>"


class CommitWidget(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets says nothing of its types
    """A commit's facts, and what it changed against its first parent."""

    def __init__(self, lake: Lake, repo: str, ref: str) -> None:
        self.commit = lake.commits.get(repo, ref)
        children: list[Any] = [ipywidgets.HTML(self.commit._repr_html_())]
        if self.commit.parents:
            children.append(DiffWidget(lake, repo, self.commit.parents[0], self.commit.id))
        super().__init__(children)
