"""Transactions: changes to several branches, of any repos, that appear at once or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from jupyter_datalake.engine.session import commit_sessions
from jupyter_datalake.engine.sources import Source
from jupyter_datalake.errors import StateError, StorageError
from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.lake.sessions import Sessions, WorkSession
from jupyter_datalake.model.addresses import Address, parse_address
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.ids import GlobalId
from jupyter_datalake.model.refs import DEFAULT_BRANCH


class LakeTransaction:
    """Changes that are committed together when the block ends, and dropped when it raises.

    Usage::

        with lake.transaction("Publish the January figures") as tx:
            tx.put("raw@main/2026/01.csv", Path("january.csv"))
            tx.delete("raw@main/2025")
            tx.copy("raw@main~1/schema.json", "reports@main/schema.json")
        print(tx.global_id, tx.commits)

    Nothing is seen by anybody before the end; then all of it is. A branch that others moved
    meanwhile is no obstacle where they touched other paths; one conflict refuses everything.
    """

    def __init__(
        self,
        context: LakeContext,
        sessions: Sessions,
        message: str,
        metadata: dict[str, str] | None,
    ) -> None:
        self._context = context
        self._sessions = sessions
        self._message = message
        self._metadata = metadata
        self._open: dict[tuple[str, str], WorkSession] = {}
        self._has_ended = False
        self.commits: Sequence[Commit] = ()
        """The new commits, one for each branch that was changed; empty before the end."""

    @property
    def global_id(self) -> GlobalId | None:
        """The id that all new commits share; None where there are none."""
        return self.commits[0].global_id if self.commits else None

    def branch(self, repo: str, branch: str = DEFAULT_BRANCH) -> WorkSession:
        """Return the session that collects the changes of one branch; it ends with the block.

        Raises
        ------
        StateError
            The block has ended.
        """
        if self._has_ended:
            raise StateError("The transaction has ended", hint="Begin another one")
        place = (repo, branch)
        if place not in self._open:
            self._open[place] = WorkSession(self._sessions.begin(repo, branch), self._context)
        return self._open[place]

    def put(self, address: str | Address, source: Source | str) -> None:
        """Change one file: bytes, text, a local `Path`, or a stream."""
        place = _parsed(address)
        self.branch(place.repo, place.ref).put(place.path, source)

    def put_tree(self, address: str | Address, folder: str | Path) -> Sequence[str]:
        """Take everything below a local folder; return what was left out, with the reason."""
        place = _parsed(address)
        return self.branch(place.repo, place.ref).put_tree(folder, place.path)

    def copy(self, source: str | Address, target: str | Address) -> None:
        """Copy what a commit has to a path of this name; no bytes move."""
        place = _parsed(target)
        self.branch(place.repo, place.ref).copy(source, place.path)

    def delete(self, address: str | Address) -> None:
        """Remove a file or folder."""
        place = _parsed(address)
        self.branch(place.repo, place.ref).delete(place.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._has_ended = True
        try:
            changed = [one._session for one in self._open.values() if one.has_changes]
            if exc_type is None and changed:
                results = commit_sessions(
                    self._context.core,
                    changed,
                    self._message,
                    self._context.author,
                    metadata=self._metadata,
                )
                self.commits = [result.commit for result in results]
        finally:
            for one in self._open.values():
                # One that cannot be removed now stays behind, empty or dropped later by hand.
                with suppress(StorageError):
                    one.delete_session()


def _parsed(address: str | Address) -> Address:
    return parse_address(address) if isinstance(address, str) else address
