"""The folders above the repos: what is mounted, by name, and any ref of any repo on look-up.

``raw`` and ``project/raw`` are listed while they are mounted. ``raw@v1``, or any other ref
expression, is found when it is asked for and never listed; it shows one commit for as long as
somebody looks at it, and the expression is resolved again when it is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterator

import trio

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.history import History
from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.errors import InvalidInputError, NotFoundError
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.ids import REPO_PATTERN
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.mount.views import Found, TreeView, View

FOLDER_MODE = 0o555
"""Of the folders up here: nobody makes repos with mkdir."""


class Catalogue(View):
    """What the mount point itself shows, and the folders of projects."""

    def __init__(self, core: LakeCore) -> None:
        root = Node(FileKind.FOLDER, "", None, mode=FOLDER_MODE)
        super().__init__("", root, core.clock())
        self._core = core
        self._shown: dict[str, View] = {}
        self._resolved: dict[str, TreeView] = {}
        self._looked_at_s: dict[str, float] = {}
        """When each of the resolved was last asked for."""
        self._projects: dict[str, Node] = {}

    # --- what is mounted -------------------------------------------------------------------------

    @property
    def shown(self) -> dict[str, View]:
        """The mounted views by name; a copy."""
        return dict(self._shown)

    def put(self, view: View) -> None:
        """Show a view under its name."""
        self._shown[view.name] = view

    def remove(self, name: str) -> tuple[Node, str]:
        """Show a view no longer; return the folder and the name it had there."""
        del self._shown[name]
        project, _, last = name.rpartition("/")
        return (self._project(project) if project else self.root), last

    # --- looking ---------------------------------------------------------------------------------

    async def lookup(self, folder: Node, name: str) -> Found | None:
        """Return what is at a name, or None; asks the database for what is not mounted."""
        found = self.present(folder, name)
        if found is not None:
            return found
        full = _full_name(self.root, folder, name)
        if "@" in full:
            resolved = await self._resolve(full)
            return None if resolved is None else (resolved, resolved.root)
        if folder is self.root and await trio.to_thread.run_sync(self._has_repos, name):
            return self, self._project(name)
        return None

    def present(self, folder: Node, name: str) -> Found | None:
        """Return what is mounted at a name, or None."""
        view = self._shown.get(_full_name(self.root, folder, name))
        if view is not None:
            return view, view.root
        if folder is self.root and any(shown.startswith(f"{name}/") for shown in self._shown):
            return self, self._project(name)
        return None

    def children(self, folder: Node) -> Iterator[tuple[str, View, Node]]:
        """Yield the mounted views, and once each the projects that they are in."""
        if folder is not self.root:
            for name, view in sorted(self._shown.items()):
                project, _, last = name.rpartition("/")
                if project == folder.name:
                    yield last, view, view.root
            return
        for name in sorted({name.partition("/")[0] for name in self._shown}):
            view = self._shown.get(name, self)
            yield name, view, self._project(name) if view is self else view.root

    def is_attached(self, node: Node) -> bool:
        """Tell whether a node can still be reached by a path."""
        del node
        return True

    def _project(self, name: str) -> Node:
        node = self._projects.get(name)
        if node is None:
            node = Node(FileKind.FOLDER, name, self.root, mode=FOLDER_MODE)
            self._projects[name] = node
        return node

    def release(self, node: Node) -> None:
        """Forget a project's folder that the kernel has forgotten."""
        if self._projects.get(node.name) is node and not node.pins:
            del self._projects[node.name]

    # --- any ref ---------------------------------------------------------------------------------

    async def _resolve(self, full: str) -> TreeView | None:
        """Return the view of ``repo@ref`` as it is now, or None where there is no such thing."""
        commit = await trio.to_thread.run_sync(self._find, full)
        if commit is None:
            return None
        self._looked_at_s[full] = trio.current_time()
        view = self._resolved.get(full)
        if view is None or view.base.id != commit.id:
            # The old view stays what it is for those who are in it.
            repo = full.partition("@")[0]
            view = TreeView(self._core, full, repo, commit, on_release=self._forget)
            self._resolved[full] = view
        return view

    def _find(self, full: str) -> Commit | None:
        repo, _, ref = full.partition("@")
        if not REPO_PATTERN.fullmatch(repo) or not ref.isascii():
            return None  # names from the kernel are any bytes, and not all are text to a database
        try:
            return History(self._core).resolve(repo, ref)
        except (NotFoundError, InvalidInputError):
            return None

    def _has_repos(self, project: str) -> bool:
        if not REPO_PATTERN.fullmatch(project):
            return False
        with self._core.metadata.read() as tx:
            found = tx.repos.list(prefix=f"{project}/", limit=1, kinds=frozenset(RepoKind))
        return bool(found)

    def _forget(self, view: TreeView) -> None:
        if self._resolved.get(view.name) is view:
            del self._resolved[view.name]
            self._looked_at_s.pop(view.name, None)

    def idle(self, before_s: float) -> Iterator[tuple[Node, str, TreeView]]:
        """Yield folder, name and view of refs that nobody has open or asked for since a time.

        The kernel asks again for the name of a view whenever a path leads through it, but for
        paths that begin inside: a program may stand in a view that is idle.
        """
        for full, view in list(self._resolved.items()):
            if not view.opens and self._looked_at_s.get(full, 0.0) < before_s:
                project, _, last = full.rpartition("/")
                yield self._project(project) if project else self.root, last, view


def _full_name(root: Node, folder: Node, name: str) -> str:
    return name if folder is root else f"{folder.name}/{name}"
