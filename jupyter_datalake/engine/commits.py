"""Making commits: new nodes and the commit into packs, then one transaction that moves the branch.

Moving the ref is the commit point. Everything before it leaves garbage when it is cut short;
nothing is left to do after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter

from jupyter_datalake.engine.blobs import BlobWriter, SealedPack, register_packs
from jupyter_datalake.engine.core import LakeCore, new_global_id
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.engine.rebasing import (
    KeyChange,
    Meeting,
    changes_between,
    rebased_edits,
)
from jupyter_datalake.engine.turns import in_turn
from jupyter_datalake.errors import ConflictError, ErrorKind, InvalidInputError, StateError
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.commits import (
    MAX_MESSAGE_BYTES,
    MAX_METADATA_BYTES,
    Author,
    Commit,
    CommitDraft,
    Origin,
    Provenance,
)
from jupyter_datalake.model.entries import FileEntry
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.ids import CommitId, Digest, GlobalId
from jupyter_datalake.model.lineage import GlobalOrigin
from jupyter_datalake.model.manifests import (
    Edit,
    build_manifest,
    edit_manifest,
    measure_range,
)
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import RepoPath, path_key
from jupyter_datalake.model.refs import RefKind
from jupyter_datalake.model.sessions import NO_CHOICES, Choices

BY_HAND = Provenance(Origin.SESSION)
"""What a person does, through a session."""

Changes = Mapping[RepoPath, FileEntry | None]
"""Path to its new entry, or None where it goes away."""


_CHOOSE = (
    "Commit again and say 'mine' or 'theirs' for each of them: datalake sessions commit --take PATH"
    " theirs"
)


@dataclass(frozen=True, slots=True)
class CommitRequest:
    """Everything about a commit except its tree."""

    repo: str
    branch: str
    message: str
    author: Author
    provenance: Provenance = BY_HAND
    global_id: GlobalId | None = None
    """A new one begins when None."""
    metadata: dict[str, str] = field(default_factory=dict)
    other_parents: tuple[CommitId, ...] = ()
    """What is merged in; the head of the branch is the first parent always."""

    def __post_init__(self) -> None:
        """Check what people type."""
        if not self.message.strip():
            raise InvalidInputError("A commit needs a message", hint="Say what changed and why")
        facts = (self.author.name, self.author.email or "", *chain(*self.metadata.items()))
        for text in (self.message, *facts):
            if not isinstance(text, str) or text != text.encode("utf-8", "replace").decode():
                raise InvalidInputError(
                    f"{text!r:.80} cannot be kept in a commit: it is not Unicode text"
                )
        if len(self.message.encode()) > MAX_MESSAGE_BYTES:
            raise InvalidInputError(f"A commit message has at most {MAX_MESSAGE_BYTES} bytes")
        if sum(map(len, facts)) > MAX_METADATA_BYTES:
            raise InvalidInputError(f"Commit metadata has at most {MAX_METADATA_BYTES} characters")


@dataclass(frozen=True, slots=True)
class CommitResult:
    """What became of a request."""

    commit: Commit
    """The new commit, or the unchanged head."""
    is_new: bool


AlsoInTransaction = Callable[[Transaction, Commit], None]
"""More to write in the transaction that moves the branch; may be called again for another try."""


@dataclass(frozen=True, slots=True)
class BranchChanges:
    """What is to be committed onto the head of one branch."""

    writer: BlobWriter
    """Holds the chunks of the new entries; sealed by the commit."""
    base: Commit
    """What `changes` were made relative to."""
    changes: Changes
    request: CommitRequest
    also: AlsoInTransaction | None = None
    tree: Digest | None = None
    """The tree that the base is to become, if it is stored already; there are no `changes` then."""
    choices: Choices = NO_CHOICES
    """Whose version is committed of paths that others changed too."""

    @property
    def changes_anything(self) -> bool:
        """Whether there is something to commit."""
        return bool(self.changes) if self.tree is None else self.tree != self.base.root


def commit_changes(
    core: LakeCore,
    writer: BlobWriter,
    base: Commit,
    changes: Changes,
    request: CommitRequest,
    also: AlsoInTransaction | None = None,
) -> CommitResult:
    """Commit `changes`, which were made relative to `base`, onto the head of a branch.

    A branch that moved since `base` is no obstacle where nobody else touched the same paths: the
    changes are applied to the new head instead.

    Parameters
    ----------
    writer
        Holds the chunks of the new entries; sealed here.

    Raises
    ------
    ConflictError
        Both sides changed the same paths (``paths-conflict``; `context` lists at most 100), or
        the branch kept moving (``branch-moved``, retryable).
    """
    return commit_together(core, [BranchChanges(writer, base, changes, request, also)])[0]


def commit_together(core: LakeCore, parts: Sequence[BranchChanges]) -> list[CommitResult]:
    """Commit to several branches, of any repos, at once: all of them move, or none.

    Each is rebased as by `commit_changes`; a conflict of one refuses all.

    Returns
    -------
    list of CommitResult
        In the order of `parts`; all new commits have one global id.

    Raises
    ------
    ConflictError
        As by `commit_changes`; nothing changed.
    """
    # One change is one global id, however many attempts it takes to commit it.
    given = parts[0].request.global_id
    global_id = given or new_global_id()
    branches = [(part.request.repo, part.request.branch) for part in parts]

    def attempt() -> list[CommitResult]:
        prepared = [_apply(core, part, global_id) for part in parts]
        _publish(core, prepared, None if given else global_id)
        return [CommitResult(one.commit, one.is_new) for one in prepared]

    return in_turn(core, branches, attempt)


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A commit whose objects are durable, and whose branch is still to be moved."""

    request: CommitRequest
    head: Commit
    """Where the branch must still be."""
    commit: Commit
    """The new one, or `head` where nothing changes."""
    packs: Sequence[SealedPack]
    nodes: NodeWriter | None
    also: AlsoInTransaction | None

    @property
    def is_new(self) -> bool:
        return self.commit is not self.head


def _apply(core: LakeCore, part: BranchChanges, global_id: GlobalId) -> _Prepared:
    """Apply changes to the present head of their branch."""
    request = part.request
    head = head_of(core, request.repo, request.branch)
    nodes = NodeWriter(core.nodes, part.writer)
    root = _tree_of(nodes, part, head)
    if root == head.root:
        # The blobs are made findable although no commit needs them yet: what wrote them may.
        return _Prepared(request, head, head, part.writer.seal(), None, part.also)
    return _prepare(core, part.writer, nodes, head, root, request, global_id, part.also)


def _tree_of(nodes: NodeWriter, part: BranchChanges, head: Commit) -> Digest:
    """Store the tree that a part makes of the present head, and return its root."""
    base = part.base
    if head.id == base.id:
        return part.tree or tree_of_changes(nodes, head.root, part.changes)
    if part.tree is None:
        ours: Iterable[KeyChange] = sorted(
            ((path_key(path), entry) for path, entry in part.changes.items()), key=itemgetter(0)
        )
    else:
        ours = changes_between(nodes, base.root, part.tree)
    meeting = Meeting()
    edits = rebased_edits(nodes, base.root, head.root, ours, meeting, part.choices)
    root = edit_manifest(nodes, head.root, edits)
    if meeting.count:
        raise paths_conflict(base, head, meeting.first, meeting.count)
    return root


def tree_of_changes(nodes: NodeWriter, root: Digest, changes: Changes) -> Digest:
    """Store the tree that changes make of another, and return its root; nothing is committed."""
    return edit_manifest(nodes, root, _edits(changes))


def commit_tree(
    core: LakeCore,
    writer: BlobWriter,
    nodes: NodeWriter,
    expected: Commit,
    root: Digest,
    request: CommitRequest,
    also: AlsoInTransaction | None = None,
    *,
    fresh_id: GlobalId | None = None,
) -> CommitResult:
    """Commit a whole tree onto a branch that must still be at `expected`.

    An equal tree makes no commit, unless another parent is to be remembered.

    Parameters
    ----------
    fresh_id
        The global id that begins with this change, where the request names none: given by who
        tries again when the branch has moved, since one change has one id.

    Raises
    ------
    ConflictError
        The branch moved (``branch-moved``); nothing changed.
    """
    global_id = request.global_id or fresh_id or new_global_id()
    if root == expected.root and not request.other_parents:
        prepared = _Prepared(request, expected, expected, writer.seal(), None, also)
    else:
        prepared = _prepare(core, writer, nodes, expected, root, request, global_id, also)
    _publish(core, [prepared], None if request.global_id else global_id)
    return CommitResult(prepared.commit, prepared.is_new)


def commit_in_place(
    core: LakeCore,
    writer: BlobWriter,
    head: Commit,
    parent: Commit,
    request: CommitRequest,
    *,
    fresh_id: GlobalId | None = None,
) -> Commit:
    """Commit the tree of a branch's head anew, on `parent` instead of what the head was made on.

    Parameters
    ----------
    fresh_id
        As for `commit_tree`.

    Raises
    ------
    ConflictError
        The branch moved (``branch-moved``); nothing changed.
    """
    global_id = request.global_id or fresh_id or new_global_id()
    nodes = NodeWriter(core.nodes, writer)
    prepared = _prepare(core, writer, nodes, head, head.root, request, global_id, None, parent)
    _publish(core, [prepared], None if request.global_id else global_id)
    return prepared.commit


def _prepare(
    core: LakeCore,
    writer: BlobWriter,
    nodes: NodeWriter,
    head: Commit,
    root: Digest,
    request: CommitRequest,
    global_id: GlobalId,
    also: AlsoInTransaction | None,
    parent: Commit | None = None,
) -> _Prepared:
    """Store a commit for a branch that is at `head`, made on that or on another `parent`."""
    held = measure_range(nodes, root)
    commit, data = CommitDraft(
        repo=request.repo,
        branch=request.branch,
        root=root,
        parents=((parent or head).id, *request.other_parents),
        author=request.author,
        time_ns=core.clock(),
        message=request.message,
        global_id=global_id,
        provenance=request.provenance,
        metadata=request.metadata,
        file_count=held.item_count,
        size_bytes=held.size_bytes,
    ).seal()
    writer.add(BlobKind.COMMIT, data)
    return _Prepared(request, head, commit, writer.seal(), nodes, also)


def _publish(core: LakeCore, prepared: Sequence[_Prepared], new_global_id: GlobalId | None) -> None:
    """Register, add, move and announce: the one transaction that is the commit.

    Parameters
    ----------
    new_global_id
        The one that begins here, if it does.
    """

    def publish(tx: Transaction) -> None:
        moved = [one for one in prepared if one.is_new]
        if new_global_id is not None and moved:
            repos = ", ".join(one.request.repo for one in moved)
            by = str(moved[0].request.author)
            tx.lineage.begin(new_global_id, GlobalOrigin.COMMIT, repos, by)
        for one in prepared:
            register_packs(tx, one.packs)
            if one.is_new:
                _move(tx, one)
            if one.also is not None:
                one.also(tx, one.commit)

    if any(one.is_new or one.packs or one.also for one in prepared):
        core.metadata.transact(publish)
    for one in prepared:
        if one.nodes is not None:
            one.nodes.publish()


def _move(tx: Transaction, one: _Prepared) -> None:
    request = one.request
    repo = tx.repos.get(request.repo)
    _check_limit(tx, repo, one)
    tx.commits.add(repo.id, one.commit)
    tx.refs.move(
        repo,
        request.branch,
        expected=one.head.id,
        new=one.commit.id,
        by=str(request.author),
        reason=request.message.strip().splitlines()[0][:200],
    )
    announce_move(tx, repo, request.branch, one.commit)


def _check_limit(tx: Transaction, repo: RepoRow, one: _Prepared) -> None:
    """Refuse a tree that is above the repo's limit, unless it is smaller than the one before."""
    limit, size = tx.repos.limit_of(repo.id), one.commit.size_bytes
    if limit is not None and size > limit and size > one.head.size_bytes:
        raise StateError(
            f"Repo {repo.repo.name!r} may hold {limit:,} bytes, and this commit would make it"
            f" {size:,}",
            kind=ErrorKind.OVER_LIMIT,
            hint="Delete some files first, or raise the limit: datalake repos set-limit;"
            " what is staged is still there",
            repo=repo.repo.name,
            limit_bytes=limit,
            size_bytes=size,
        )


def announce_move(tx: Transaction, repo: RepoRow, branch: str, commit: Commit) -> None:
    """Tell followers that a branch has a new head."""
    tx.events.append(
        EventKind.REF_MOVED,
        repo.repo.name,
        ref=branch,
        commit=commit.id,
        global_id=commit.global_id,
        origin=str(commit.provenance.origin),
    )


def first_commit(core: LakeCore, repo: str, author: Author) -> tuple[Commit, BlobWriter]:
    """Return the empty commit that a new repo begins with, and the writer that holds it."""
    writer = core.writer()
    nodes = NodeWriter(core.nodes, writer)
    commit, data = CommitDraft(
        repo=repo,
        branch="main",
        root=build_manifest(nodes, []),
        parents=(),
        author=author,
        time_ns=core.clock(),
        message="Create the repo",
        global_id=new_global_id(),
        provenance=Provenance(Origin.REPO),
    ).seal()
    writer.add(BlobKind.COMMIT, data)
    return commit, writer


def paths_conflict(
    base: Commit,
    head: Commit,
    meeting: Iterable[RepoPath],
    count: int | None = None,
    *,
    hint: str = _CHOOSE,
) -> ConflictError:
    """Return the error that names the paths which two sides changed; `context` lists 100.

    Parameters
    ----------
    count
        How many there are, where these are only the first.
    """
    everything = sorted(meeting)
    shown = everything[:100]
    count = len(everything) if count is None else count
    paths = "1 path" if count == 1 else f"{count} paths"
    return ConflictError(
        f"{paths} changed both in your session and on"
        f" {head.repo}@{head.branch}: {', '.join(shown[:5])}{' …' if count > 5 else ''}",
        kind=ErrorKind.PATHS_CONFLICT,
        hint=hint,
        paths=shown,
        count=count,
        base=base.id,
        head=head.id,
    )


def _edits(changes: Changes) -> list[Edit]:
    edits = [edit_of(path, entry) for path, entry in changes.items()]
    return sorted(edits, key=lambda edit: edit.key)


def edit_of(path: RepoPath, entry: FileEntry | None) -> Edit:
    """Return the edit that makes a path what an entry says, or removes it."""
    key = path_key(path)
    return Edit(key, None) if entry is None else Edit(key, entry.encode(), entry.size_bytes)


def head_of(core: LakeCore, repo: str, branch: str) -> Commit:
    """Return the commit a branch points to, or raise `NotFoundError`."""
    with core.metadata.read() as tx:
        return tx.commits.get(tx.refs.get(tx.repos.get(repo), branch, RefKind.BRANCH).commit_id)


def commit_by_id(core: LakeCore, commit_id: CommitId) -> Commit:
    """Return a commit by its full id, or raise `NotFoundError`."""
    with core.metadata.read() as tx:
        return tx.commits.get(commit_id)
