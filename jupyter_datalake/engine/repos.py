"""Repos: making and removing them, and their branches and tags."""

from __future__ import annotations

from jupyter_datalake.engine.blobs import register_packs
from jupyter_datalake.engine.commits import announce_move, first_commit
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.history import resolve_in
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    StateError,
)
from jupyter_datalake.metadata.base import time_of
from jupyter_datalake.metadata.pins import draft_owner, session_owner
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import MAX_MESSAGE_BYTES, Author, Commit
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import check_ref_name, check_repo_name
from jupyter_datalake.model.pipelines import CODE_SUFFIX
from jupyter_datalake.model.refs import DEFAULT_BRANCH, Ref, RefKind, parse_ref_expression
from jupyter_datalake.model.repos import Repo, RepoKind

_SHOWN = 20


def _in_use(name: str, users: list[str], hint: str) -> StateError:
    named = sorted(set(users))
    return StateError(
        f"Repo {name!r} is in use by {', '.join(named)}",
        kind=ErrorKind.IN_USE,
        hint=hint,
        repo=name,
        users=named,
    )


class Repositories:
    """Changes to the set of repos and refs of one lake."""

    def __init__(self, core: LakeCore) -> None:
        self._core = core

    def create(
        self, name: str, *, kind: RepoKind = RepoKind.USER, description: str = "", author: Author
    ) -> Repo:
        """Create a repo whose main branch points to an empty first commit.

        Raises
        ------
        AlreadyExistsError
            The name is taken.
        InvalidInputError
            The name breaks the grammar.
        """
        check_repo_name(name)
        with self._core.metadata.read() as tx:
            self._check_free(tx, name)
        commit, writer = first_commit(self._core, name, author)
        with writer:
            packs = writer.seal()
        with self._core.metadata.write() as tx:
            self._check_free(tx, name)
            repo = Repo(name, kind, description, time_of(tx.now_ns), str(author))
            repo_id = tx.repos.create(repo)
            register_packs(tx, packs)
            tx.commits.add(repo_id, commit)
            tx.events.append(EventKind.REPO_CREATED, name, kind=str(kind))
            tx.refs.create(
                tx.repos.get(name),
                DEFAULT_BRANCH,
                RefKind.BRANCH,
                commit.id,
                by=str(author),
                reason=commit.message,
            )
        return repo

    def adopt(self, tx: Transaction, repo: Repo, first: Commit) -> RepoRow:
        """Make a repo that another lake has, its main branch at a commit that was brought here.

        Raises
        ------
        AlreadyExistsError
            The name is taken, or a folder of another repo's path.
        InvalidInputError
            The name breaks the grammar.
        """
        self._check_free(tx, check_repo_name(repo.name))
        repo_id = tx.repos.create(repo)
        tx.commits.add(repo_id, first)
        row = tx.repos.get(repo.name)
        tx.events.append(EventKind.REPO_CREATED, repo.name, kind=str(repo.kind))
        tx.refs.create(
            row,
            DEFAULT_BRANCH,
            RefKind.BRANCH,
            first.id,
            by=repo.created_by,
            reason="brought from another lake",
        )
        return row

    def delete(self, name: str, *, force: bool = False) -> None:
        """Remove a repo with its branches, tags, history and open sessions.

        Until gc removes it for good, `restore` brings back all of it but the sessions.

        Parameters
        ----------
        force
            Also when sessions are open on it, which end with everything staged in them, and when
            commits of other repos were made from it, which keep the commits that they name.

        Raises
        ------
        StateError
            A pipeline reads or writes it, or it is mounted, or, without `force`, one of the above;
            `context` lists which (``in-use``).
        """
        with self._core.metadata.write() as tx:
            row = tx.repos.get(name)
            users = [
                f"pipeline {edge.pipeline}" for edge in tx.pipelines.edges() if edge.repo == name
            ]
            if row.repo.kind is not RepoKind.USER:
                owner = name.removesuffix(CODE_SUFFIX)
                users += [f"pipeline {owner}"] if tx.pipelines.find(owner) else []
            users += [f"mount {mount.path}" for mount in tx.mounts.list() if mount.repo == name]
            if users:
                hint = "Delete the pipelines and unmount the folders first"
                raise _in_use(name, users, hint)
            sessions = [one.id for one in tx.sessions.list(row)]
            users = [f"session {one}" for one in sessions]
            users += [f"data of repo {one}" for one in tx.repos.made_from(row.id, _SHOWN)]
            if users and not force:
                raise _in_use(name, users, "Delete it all the same with --force")
            for session in sessions:
                tx.pins.release(session_owner(session))
            for draft in tx.sessions.list_drafts(row):
                tx.pins.release(draft_owner(draft.session_id))
            tx.repos.delete(row)
            tx.events.append(EventKind.REPO_DELETED, name)

    def restore(self, name: str) -> Repo:
        """Bring back the repo of this name that was deleted last, with its branches and tags.

        Raises
        ------
        NotFoundError
            None was deleted, or gc has removed it for good.
        AlreadyExistsError
            There is another repo of this name by now.
        """
        check_repo_name(name)
        with self._core.metadata.write() as tx:
            self._check_free(tx, name)
            found = next((one for one in tx.repos.list_deleted() if one.name == name), None)
            if found is None:
                raise NotFoundError(
                    f"No deleted repo {name!r} can be restored",
                    kind=ErrorKind.REPO_NOT_FOUND,
                    hint="gc removes deleted repos for good when their time to be restored is over",
                    repo=name,
                )
            tx.repos.restore(found.id, name)
            row = tx.repos.get(name)
            tx.events.append(EventKind.REPO_CREATED, name, kind=str(row.repo.kind))
            return row.repo

    def create_ref(
        self,
        repo: str,
        name: str,
        kind: RefKind,
        at: str,
        author: Author,
        message: str | None = None,
    ) -> Ref:
        """Create a branch or tag at the commit that the expression `at` means; no bytes move."""
        check_ref_name(name, str(kind))
        check_message(message)
        expression = parse_ref_expression(at)
        with self._core.metadata.write() as tx:
            row = tx.repos.get(repo)
            commit_id = resolve_in(tx, row, expression)
            ref = tx.refs.create(
                row,
                name,
                kind,
                commit_id,
                by=str(author),
                reason=f"create {kind} at {at}",
                message=message,
            )
            if kind is RefKind.BRANCH:
                announce_move(tx, row, name, tx.commits.get(commit_id))
            else:
                tx.events.append(EventKind.REF_MOVED, repo, ref=name, commit=commit_id)
            return ref

    def delete_ref(self, repo: str, name: str, kind: RefKind, author: Author) -> None:
        """Remove a branch or tag; the reflog keeps where it pointed.

        Raises
        ------
        StateError
            It is the main branch, or a session writes to it.
        """
        with self._core.metadata.write() as tx:
            row = tx.repos.get(repo)
            ref = tx.refs.get(row, name, kind)
            if name == DEFAULT_BRANCH:
                raise StateError(
                    f"Branch {repo}@{name} cannot be deleted: every repo has one",
                    kind=ErrorKind.IN_USE,
                    hint="Delete the repo instead",
                    repo=repo,
                    ref=name,
                )
            writers = [one.id for one in tx.sessions.list(row) if one.branch == name]
            if writers and kind is RefKind.BRANCH:
                raise StateError(
                    f"Branch {repo}@{name} has an open session",
                    kind=ErrorKind.IN_USE,
                    hint=f"Commit or discard it first: datalake sessions discard {writers[0]}",
                    repo=repo,
                    ref=name,
                    sessions=writers,
                )
            tx.refs.delete(row, ref, by=str(author), reason=f"delete {kind}")
            tx.events.append(EventKind.REF_MOVED, repo, ref=name, commit=None)

    def _check_free(self, tx: Transaction, name: str) -> None:
        """Refuse a name that is taken, or that would be a folder of another repo's path."""
        clash = tx.repos.find(name) or (
            tx.repos.find(name.partition("/")[0]) if "/" in name else None
        )
        if clash is None and "/" not in name:
            below = tx.repos.list(prefix=f"{name}/", limit=1, kinds=frozenset(RepoKind))
            clash = below[0] if below else None
        if clash is not None:
            raise AlreadyExistsError(
                f"There is a repo {clash.repo.name!r} already",
                kind=ErrorKind.REPO_EXISTS,
                hint="Choose another name",
                repo=clash.repo.name,
            )


def check_message(message: str | None) -> None:
    """Refuse what a tag cannot say: nothing, too much, or what is not Unicode."""
    if message is None:
        return
    if message != message.encode("utf-8", "replace").decode():
        raise InvalidInputError(f"{message!r:.80} cannot be kept: it is not Unicode text")
    if not message.strip() or len(message.encode()) > MAX_MESSAGE_BYTES:
        raise InvalidInputError(
            f"A tag's message has 1 to {MAX_MESSAGE_BYTES} bytes",
            hint="Say what it marks, or leave the message out",
        )
