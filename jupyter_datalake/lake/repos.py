"""Repos: list, get, create, update, delete."""

from __future__ import annotations

from jupyter_datalake.engine.repos import Repositories
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.lake.context import LakeContext, limit_of
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.repos import Repo, RepoKind

VISIBLE_KINDS = frozenset({RepoKind.USER, RepoKind.OUTPUT})


class Repos:
    """`lake.repos`: the named, versioned trees of files."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(
        self,
        *,
        prefix: str = "",
        include_code: bool = False,
        after: str = "",
        limit: int | None = None,
    ) -> list[Repo]:
        """Return repos by name.

        Parameters
        ----------
        prefix
            Beginning of the names wanted.
        include_code
            Whether the repos that keep pipelines' code are wanted too.
        after, limit
            At most `limit` repos behind the name `after`; all of them by default.
        """
        kinds = frozenset(RepoKind) if include_code else VISIBLE_KINDS
        with self._context.core.metadata.read() as tx:
            rows = tx.repos.list(prefix=prefix, after=after, limit=limit_of(limit), kinds=kinds)
        return [row.repo for row in rows]

    def get(self, name: str) -> Repo:
        """Return one repo, or raise `NotFoundError`."""
        with self._context.core.metadata.read() as tx:
            return tx.repos.get(name).repo

    def create(self, name: str, *, description: str = "") -> Repo:
        """Create a repo; its branch main points to an empty first commit.

        Raises
        ------
        InvalidInputError
            The name breaks the grammar.
        AlreadyExistsError
            The name is taken.
        """
        return Repositories(self._context.core).create(
            name, description=description, author=self._context.author
        )

    def update(self, name: str, *, description: str) -> Repo:
        """Replace a repo's description."""
        with self._context.core.metadata.write() as tx:
            tx.repos.describe(tx.repos.get(name).id, description)
            tx.events.append(EventKind.REPO_CHANGED, name)
            return tx.repos.get(name).repo

    def delete(self, name: str, *, force: bool = False) -> None:
        """Remove a repo with its branches, tags, history and sessions; `restore` brings it back.

        Parameters
        ----------
        force
            Also when sessions are open on it, which end with everything staged in them, or data
            of other repos was made from it, which keeps the commits that it names.

        Raises
        ------
        StateError
            A pipeline or a mount uses it, or, without `force`, one of the above (``in-use``);
            `context["users"]` lists them.
        """
        Repositories(self._context.core).delete(name, force=force)

    def set_limit(self, name: str, limit_bytes: int | None) -> None:
        """Say how large the tree of one commit may be; None takes the limit away.

        A commit that would make it larger is refused (``over-limit``), with everything staged
        still there; one that makes a tree smaller that is above it already is taken.

        Raises
        ------
        InvalidInputError
            The limit is negative.
        """
        if limit_bytes is not None and not 0 <= limit_bytes < 2**63:
            raise InvalidInputError(f"A limit of {limit_bytes} bytes is below 0 or above 8 EiB")
        with self._context.core.metadata.write() as tx:
            tx.repos.set_limit(tx.repos.get(name).id, limit_bytes)

    def restore(self, name: str) -> Repo:
        """Bring back the repo of this name that was deleted last, without its sessions.

        Possible until gc removes it for good: 14 days, unless gc is told otherwise.

        Raises
        ------
        NotFoundError
            None was deleted, or gc has removed it.
        AlreadyExistsError
            There is another repo of this name by now.
        """
        return Repositories(self._context.core).restore(name)
