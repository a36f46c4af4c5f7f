"""What a worktree is made of: nodes, their working files, and word of what happened to them.

The rules that nodes keep among each other are in `engine.worktree`, which alone links them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from jupyter_datalake.model.entries import DEFAULT_FOLDER_MODE, FileEntry
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.paths import RepoPath


@dataclass(slots=True)
class DataFile:
    """A working file of the session: content that can still change."""

    number: int
    path: Path


# A mount of a million files holds a million nodes: what only folders need, files share.
_NO_CHILDREN: dict[str, Node] = {}
_NONE_HIDDEN: set[str] = set()


class Node:
    """One file, symlink or folder of a worktree. Compared and hashed by identity."""

    __slots__ = (
        "children",
        "data",
        "entry",
        "hidden",
        "kind",
        "mode",
        "mtime_ns",
        "name",
        "opens",
        "origin",
        "parent",
        "pins",
        "touched",
        "writers",
    )

    def __init__(
        self,
        kind: FileKind,
        name: str,
        parent: Node | None,
        *,
        origin: RepoPath | None = None,
        entry: FileEntry | None = None,
        data: DataFile | None = None,
        mode: int = DEFAULT_FOLDER_MODE,
        mtime_ns: int = 0,
    ) -> None:
        self.kind = kind
        self.name = name
        self.parent = parent
        """None for the root. A node that was taken out of the tree keeps its last one."""
        self.origin = origin
        """Path in the snapshot that the node stands for; None for what was added."""
        self.entry = entry
        """What a file or symlink holds; None for folders, and while `data` is ahead of it."""
        self.data = data
        self.mode = mode
        """Permission bits of a folder, or of a file with `data`."""
        self.mtime_ns = mtime_ns
        """Of a folder that was added or changed; 0 otherwise."""
        is_folder = kind is FileKind.FOLDER
        self.children: dict[str, Node] = {} if is_folder else _NO_CHILDREN
        self.hidden: set[str] = set() if is_folder else _NONE_HIDDEN
        """Names below `origin` that the snapshot has and this tree has not, or has otherwise."""
        self.touched = False
        self.pins = 0
        """Users that need this very object: look-ups the kernel remembers, open files."""
        self.opens = 0
        """Open files among them."""
        self.writers = 0
        """Open files that may be written to."""

    @property
    def is_folder(self) -> bool:
        """Whether other nodes can be below it."""
        return self.kind is FileKind.FOLDER

    def still(self, parent: Node | None) -> StillNode:
        """Return a copy, without children, that no longer follows what becomes of this node."""
        copy = StillNode(
            self.kind,
            self.name,
            parent,
            origin=self.origin,
            entry=self.entry,
            data=self.data,
            mode=self.mode,
            mtime_ns=self.mtime_ns,
        )
        copy.source = self
        copy.touched, copy.opens, copy.writers = self.touched, self.opens, self.writers
        if self.is_folder:
            copy.hidden = set(self.hidden)
        return copy


class StillNode(Node):
    """What a node was at one moment."""

    __slots__ = ("source",)

    source: Node
    """The node itself, which may have become something else."""


StagedContent = FileEntry | Node
"""What a change leads to: a known entry, or a node whose working file is yet to be read."""


@dataclass(slots=True)
class Shift:
    """What a new state of the tree means for those who remember the old one."""

    nodes: list[Node] = field(default_factory=list)
    """Still in their place, with other content or attributes."""
    names: list[tuple[Node, str]] = field(default_factory=list)
    """Folder and name that led to a node and now lead to another, or to nothing."""
