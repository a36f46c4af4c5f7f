"""Remotes: other lakes by name, and bringing history to them and from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from jupyter_datalake.config import MEMORY_URL, LakeConfig, without_password
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.replication import Replicator
from jupyter_datalake.errors import DatalakeError, ErrorKind, InvalidInputError, category_of
from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.lake.opening import close_core, open_core
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.remotes import (
    Remote,
    ReplicationReport,
    check_remote_name,
    parse_selection,
)

Progress = Callable[[ReplicationReport], None]


class Remotes:
    """`lake.remotes`: other lakes by name."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def list(self) -> Sequence[Remote]:
        """Return the remotes by name."""
        with self._context.core.metadata.read() as tx:
            return tx.remotes.list()

    def get(self, name: str) -> Remote:
        """Return one remote, or raise `NotFoundError`."""
        with self._context.core.metadata.read() as tx:
            return tx.remotes.get(name)

    def create(self, name: str, url: str, *, key: str | None = None) -> Remote:
        """Give another lake a name; it is not opened, and need not be there yet.

        Parameters
        ----------
        url
            Where it is, as `Lake.open` takes it, without any password.
        key
            Where its key is, if it is encrypted and the key is not the environment's:
            ``file:<path>``, ``env:<variable>`` or ``keyring``. The key itself is not stored.

        Raises
        ------
        InvalidInputError
            The name, the URL or the place of the key breaks its grammar; the URL holds a password,
            or is this lake itself.
        AlreadyExistsError
            The name is taken.
        """
        core = self._context.core
        check_remote_name(name)
        place = _place(url, core)
        if key is not None:
            from jupyter_datalake.storage.keys import check_key_source  # noqa: PLC0415  # ciphers

            check_key_source(key)
        with core.metadata.write() as tx:
            remote = tx.remotes.create(name, place, key, str(self._context.author))
            tx.events.append(EventKind.REMOTE_CHANGED, name, act="create")
            return remote

    def delete(self, name: str) -> None:
        """Forget a remote; the lake there is left alone."""
        with self._context.core.metadata.write() as tx:
            tx.remotes.get(name)
            tx.remotes.delete(name)
            tx.events.append(EventKind.REMOTE_CHANGED, name, act="delete")

    def push(
        self,
        name: str,
        selections: Sequence[str] = (),
        *,
        force: bool = False,
        with_inputs: bool = False,
        on_progress: Progress | None = None,
    ) -> ReplicationReport:
        """Bring commits and refs of this lake to a remote, where they have the same ids.

        Only blobs that it does not have are copied, each verified. Cut short, it can be repeated
        and begins behind what is there; repeated when all is done, it changes nothing.

        Parameters
        ----------
        selections
            ``repo`` with all its branches and tags, or ``repo@ref``; all repos when empty, except
            those that keep pipelines' code.
        force
            Move branches there also where they have commits that are not here; their reflog keeps
            them. Replace tags.
        with_inputs
            Also bring the commits and the code that the commits were made from.

        Raises
        ------
        NotFoundError
            There is no such remote, repo or ref, or no lake where the remote should be.
        ConflictError
            Refs there have commits that are not here (``branch-moved``); the others were moved.
            `context["refs"]` names them.
        CorruptDataError
            Something that would have been copied is damaged; nothing there names it.
        """
        core, wanted = self._context.core, [parse_selection(one) for one in selections]
        with self._opened(name, "push") as other:
            replicator = self._replicator(core, other, f"push from {core.url}", on_progress)
            return replicator.run(wanted, force=force, with_inputs=with_inputs)

    def pull(
        self,
        name: str,
        selections: Sequence[str] = (),
        *,
        force: bool = False,
        with_inputs: bool = False,
        on_progress: Progress | None = None,
    ) -> ReplicationReport:
        """Bring commits and refs of a remote into this lake; as `push`, the other way round.

        Pipelines that read a branch which moves run as after any other commit.
        """
        core, wanted = self._context.core, [parse_selection(one) for one in selections]
        with self._opened(name, "pull") as other:
            replicator = self._replicator(other, core, f"pull from {other.url}", on_progress)
            return replicator.run(wanted, force=force, with_inputs=with_inputs)

    def _replicator(
        self, source: LakeCore, target: LakeCore, reason: str, on_progress: Progress | None
    ) -> Replicator:
        return Replicator(
            source,
            target,
            author=self._context.author,
            reason=reason,
            on_progress=on_progress,
        )

    @contextmanager
    def _opened(self, name: str, act: str) -> Iterator[LakeCore]:
        """Open the lake of a remote, and tell followers of this one how it ended."""
        remote = self.get(name)
        outcome, message = "success", ""
        try:
            with open_remote(remote) as other:
                yield other
        except DatalakeError as error:
            outcome, message = "failed", str(error)
            raise
        except BaseException:
            outcome, message = "failed", "it was cut short; it can be repeated"
            raise
        finally:
            with self._context.core.metadata.write() as tx:
                tx.events.append(
                    EventKind.REMOTE_CHANGED, name, act=act, outcome=outcome, message=message
                )


@contextmanager
def open_remote(remote: Remote) -> Iterator[LakeCore]:
    """Open the lake of a remote for a while.

    Raises
    ------
    DatalakeError
        It cannot be opened; the message names the remote.
    """
    try:
        core = open_core(LakeConfig(remote.url, key=remote.key))
    except DatalakeError as error:
        raise category_of(error).error(
            f"Remote {remote.name!r} cannot be opened: {error.message}",
            kind=error.kind,
            hint=error.hint,
            retryable=error.retryable,
            remote=remote.name,
        ) from error
    try:
        yield core
    finally:
        close_core(core)


def _place(url: str, core: LakeCore) -> str:
    """Return where a lake is, the same from every working folder, or raise `InvalidInputError`."""
    shown = without_password(url)
    if shown != url:
        raise InvalidInputError(
            f"The URL {shown!r} holds a password, which would be kept for everybody to see",
            kind=ErrorKind.INVALID_URL,
            hint="Leave it out; credentials come from the environment",
            url=shown,
        )
    config = LakeConfig(url)
    place = url if config.folder is None else str(config.folder)
    if place in {core.url, MEMORY_URL}:
        raise InvalidInputError(
            f"{shown!r} is no other lake",
            kind=ErrorKind.INVALID_URL,
            hint="Name the folder or bucket of another lake",
            url=shown,
        )
    return place
