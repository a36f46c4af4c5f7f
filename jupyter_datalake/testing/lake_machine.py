"""`LakeMachine`: a lake beside a model that is a few dicts, driven by Hypothesis.

Usage, in a test module::

    TestLakeMachine = LakeMachine.TestCase
    TestLakeMachine.settings = settings(max_examples=50, stateful_step_count=30)

The machine writes, renames, deletes, commits, branches and tags in two sessions that know nothing
of each other, reopens the lake, and lets processes die. The model is told the same. After every
step both must agree on every branch, every tag and every open session, and at the end `verify`
finds nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine.gc import GarbageCollector
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.sessions import WorkSession
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.model.paths import (
    ROOT,
    RepoPath,
    is_within,
    join_path,
    name_of,
    parent_of,
)
from jupyter_datalake.model.refs import DEFAULT_BRANCH, RefKind
from jupyter_datalake.testing.clocks import ManualClock
from jupyter_datalake.testing.faults import abandon
from jupyter_datalake.testing.invariants import check_history, check_lake, check_tree, contents_of
from jupyter_datalake.testing.merge_model import Entries, three_way, tidy
from jupyter_datalake.testing.merge_model import above as _above
from jupyter_datalake.testing.strategies import content_of, repo_paths

REPO = "raw"
_AT_ONCE = GcPolicy(grace_s=0, reader_s=0, small_pack_count=4)


class TreeModel:
    """A tree as a session shows it: what a file system would do, in two collections."""

    def __init__(self, entries: Entries) -> None:
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = set()
        for path, content in entries.items():
            if content is None:
                self.folders.add(path)
            else:
                self.files[path] = content
            self.folders |= set(_above(path))

    def entries(self) -> dict[str, bytes | None]:
        """Return what a commit of this tree would hold."""
        full = {above for path in (*self.files, *self.folders) for above in _above(path)}
        return {**self.files, **dict.fromkeys(self.folders - full)}

    def exists(self, path: str) -> bool:
        """Tell whether a file or folder is at a path."""
        return path in self.files or path in self.folders or path == ROOT

    def put(self, path: str, content: bytes) -> None:
        """Write a file, making the folders above it."""
        if any(above in self.files for above in _above(path)):
            raise InvalidInputError("a file is above")
        if path in self.folders:
            if any(is_within(RepoPath(one), RepoPath(path)) and one != path for one in self._all()):
                raise AlreadyExistsError("a folder with contents is there")
            self.folders.discard(path)
        self.files[path] = content
        self.folders |= set(_above(path))

    def make_folder(self, path: str) -> None:
        """Make a folder and those above it; one that is there stays as it is."""
        if any(above in self.files for above in (*_above(path), path)):
            raise InvalidInputError("a file is there or above")
        self.folders |= {*_above(path), path} - {ROOT}

    def delete(self, path: str) -> None:
        """Remove what is at a path, with everything below it; the folder above stays."""
        if not self.exists(path):
            raise PathNotFoundError("nothing is there")
        for one in self._all():
            if is_within(RepoPath(one), RepoPath(path)):
                self.files.pop(one, None)
                self.folders.discard(one)

    def rename(self, old: str, new: str) -> None:
        """Move what is at a path to another one, over a file or nothing."""
        if not self.exists(old):
            raise PathNotFoundError("nothing is there")
        if is_within(RepoPath(new), RepoPath(old)):
            raise InvalidInputError("into itself")
        if any(above in self.files for above in _above(new)):
            raise InvalidInputError("a file is above")
        if new in self.folders or new == ROOT:
            raise AlreadyExistsError("a folder is there")
        moved_files = {one: self.files[one] for one in self.files if _is_at(one, old)}
        moved_folders = {one for one in self.folders if _is_at(one, old)}
        for one in moved_files:
            del self.files[one]
        self.folders -= moved_folders
        self.files.pop(new, None)
        self.files |= {new + one[len(old) :]: found for one, found in moved_files.items()}
        self.folders |= {new + one[len(old) :] for one in moved_folders} | set(_above(new))

    def copy(self, source: Entries, path: str, target: str) -> None:
        """Take over what another tree holds at and below a path; its name for a folder target."""
        place = target
        if target in self.folders or target == ROOT:
            place = join_path(RepoPath(target), name_of(RepoPath(path))) if path else target
        for found, content in sorted(source.items()):
            if _is_at(found, path):
                below = found[len(path) :].lstrip("/")
                where = "/".join(part for part in (place, below) if part)
                if content is None:
                    self.make_folder(where)
                else:
                    self.put(where, content)

    def restore(self, source: Entries, path: str) -> None:
        """Make what is at and below a path what another tree has there."""
        wanted = {found: content for found, content in source.items() if _is_at(found, path)}
        if not wanted and path:
            raise PathNotFoundError("the other tree has nothing there")
        if any(above in self.files for above in _above(path)):
            raise InvalidInputError("a file is above")
        kept = {found: one for found, one in self.entries().items() if not _is_at(found, path)}
        self.__init__(tidy({**kept, **wanted}))  # type: ignore[misc]  # begins anew

    def _all(self) -> list[str]:
        return [*self.files, *self.folders]


def merged(base: Entries, ours: Entries, head: Entries) -> dict[str, bytes | None] | None:
    """Return what a commit of `ours`, made on `base`, makes of `head`; None for a conflict."""
    our_changes, their_changes = _changes(base, ours), _changes(base, head)
    agreed = {path for path in our_changes if their_changes.get(path, ...) == our_changes[path]}
    mine = {path: new for path, new in our_changes.items() if path not in agreed}
    theirs = {path: new for path, new in their_changes.items() if path not in agreed}
    if mine.keys() & theirs.keys():
        return None
    for one, other in ((mine, theirs), (theirs, mine)):
        if any(isinstance(other.get(above), bytes) for path in one for above in _above(path)):
            return None
    result = dict(head)
    for path, new in mine.items():
        if new is _GONE:
            result.pop(path, None)
        else:
            result[path] = None if new is None else bytes(new)  # type: ignore[call-overload]
    full = {above for path in result for above in _above(path)}
    return {path: found for path, found in result.items() if found is not None or path not in full}


_GONE = object()
_IN_THE_WAY = (AlreadyExistsError, InvalidInputError)


def _changes(old: Entries, new: Entries) -> dict[str, object]:
    return {
        path: new.get(path, _GONE)
        for path in old.keys() | new.keys()
        if old.get(path, _GONE) != new.get(path, _GONE)
    }


def _is_at(path: str, place: str) -> bool:
    return is_within(RepoPath(path), RepoPath(place))


@dataclass
class Work:
    """An open session and what the model knows of it."""

    session: WorkSession
    branch: str
    base: dict[str, bytes | None]
    tree: TreeModel


@dataclass
class Model:
    """What the lake should hold."""

    branches: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    tags: dict[str, tuple[str, dict[str, bytes | None]]] = field(default_factory=dict)
    trees: dict[str, dict[str, bytes | None]] = field(default_factory=dict)
    """Of every commit that a branch was ever at."""
    past: dict[str, list[tuple[RefKind, str] | None]] = field(default_factory=dict)
    """Of every name, oldest first: what it was, with its commit. It ends in what it is, and is
    emptied by a rename, which is undone by other rules."""

    def note(self, name: str) -> None:
        """Note what a name is now, if that is something new."""
        now: tuple[RefKind, str] | None = None
        if name in self.heads:
            now = RefKind.BRANCH, self.heads[name]
        elif name in self.tags:
            now = RefKind.TAG, self.tags[name][0]
        line = self.past.setdefault(name, [None])
        if line[-1] != now:
            line.append(now)


class LakeMachine(RuleBasedStateMachine):
    """The machine; subclass it to change what lakes it works on."""

    # So few names that acts meet: everything that is hard happens where two of them do.
    places = st.lists(st.sampled_from("aab"), min_size=1, max_size=3).map("/".join).map(RepoPath)
    odd_places = repo_paths(max_depth=2)
    names = st.sampled_from(["dev", "test", "v1"])
    contents = st.builds(
        content_of,
        st.sampled_from([0, 3, 64, 65, 300, 70_000]),
        st.integers(0, 3),
        st.just("noise"),
    )
    which = st.sampled_from([0, 1])

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lake-machine-"))
        self.clock = ManualClock()
        self.model = Model()
        self.works: dict[int, Work] = {}
        self._checked: set[str] = set()
        self.lake = Lake.create(
            self.config(self.folder / "lake"), author=Author("Machine"), clock=self.clock
        )

    def config(self, folder: Path) -> LakeConfig:
        """Return where the lake of one run is to be; override it for lakes of another kind."""
        return LakeConfig(str(folder), staged_count=3)  # sessions fold in the middle of runs

    @initialize()
    def create_repo(self) -> None:
        """Begin with one repo."""
        self.lake.repos.create(REPO)
        self._moved(DEFAULT_BRANCH, self.lake.commits.get(REPO).id, {})

    def teardown(self) -> None:
        """Check the whole lake and remove it."""
        try:
            for work in self.works.values():
                work.session.close()
            self.lake.maintenance.gc(_AT_ONCE)
            rest = self.lake.maintenance.gc(_AT_ONCE, dry_run=True)
            assert (rest.condemned_blobs, rest.repos) == (0, []), (
                "nothing is left that nobody needs"
            )
            check_lake(self.lake)
            self.lake.close()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- sessions --------------------------------------------------------------------------------

    @rule(number=which, data=st.data())
    def begin_session(self, number: int, data: Any) -> None:
        """Open a session on a branch, if this hand is free."""
        if number not in self.works:
            branch = data.draw(st.sampled_from(sorted(self.model.branches)))
            session = self.lake.sessions.create(REPO, branch)
            base = dict(self.model.branches[branch])
            self.works[number] = Work(session, branch, base, TreeModel(base))

    @precondition(lambda self: self.works)
    @rule(number=which, path=places, content=contents)
    def write(self, number: int, path: RepoPath, content: bytes) -> None:
        """Write or overwrite a file."""
        for work in self._work(number):
            with self._agreeing(partial(work.tree.put, path, content)):
                work.session.put(path, content)

    @precondition(lambda self: self.works)
    @rule(number=which, path=odd_places, content=contents)
    def write_oddly_named(self, number: int, path: RepoPath, content: bytes) -> None:
        """Write a file whose name has broken something before."""
        self.write(number, path, content)

    @precondition(lambda self: self.works)
    @rule(number=which, data=st.data(), content=contents)
    def overwrite(self, number: int, data: Any, content: bytes) -> None:
        """Write over a file that is there, perhaps with what it holds."""
        for work in self._work(number):
            if work.tree.files:
                path = data.draw(st.sampled_from(sorted(work.tree.files)))
                same = data.draw(st.booleans())
                self.write(number, RepoPath(path), work.tree.files[path] if same else content)

    @precondition(lambda self: self.works)
    @rule(number=which, path=places)
    def make_folder(self, number: int, path: RepoPath) -> None:
        """Make a folder."""
        for work in self._work(number):
            with self._agreeing(partial(work.tree.make_folder, path)):
                work.session.make_folder(path)

    @precondition(lambda self: self.works)
    @rule(number=which, data=st.data(), path=places)
    def delete(self, number: int, data: Any, path: RepoPath) -> None:
        """Remove a file or folder, mostly one that is there."""
        for work in self._work(number):
            place = self._place(work, data, path)
            with self._agreeing(partial(work.tree.delete, place)):
                work.session.delete(place)

    @precondition(lambda self: self.works)
    @rule(number=which, data=st.data(), path=places, new=places, into=st.booleans())
    def rename(self, number: int, data: Any, path: RepoPath, new: RepoPath, into: bool) -> None:
        """Move a file or folder, to a new place or below a folder that is there."""
        for work in self._work(number):
            place = self._place(work, data, path)
            folders = sorted(work.tree.folders)
            goal = (
                f"{data.draw(st.sampled_from(folders))}/{name_of(new)}" if into and folders else new
            )
            with self._agreeing(partial(work.tree.rename, place, goal)):
                work.session.rename(place, goal)

    @precondition(lambda self: self.works)
    @rule(number=which)
    def discard(self, number: int) -> None:
        """Drop everything that is staged."""
        for work in self._work(number):
            work.session.discard()
            work.tree = TreeModel(work.base)

    @precondition(lambda self: self.works)
    @rule(number=which, data=st.data(), path=places)
    def discard_some(self, number: int, data: Any, path: RepoPath) -> None:
        """Drop what is staged at and below a place; elsewhere, files stay as they are."""
        for work in self._work(number):
            place = self._place(work, data, path)
            files = dict(work.tree.files)
            try:
                work.session.discard(place)
            except DatalakeError:
                # A file elsewhere may stand where the base has a folder, or the reverse.
                pass
            else:
                left = _session_tree(work.session)
                for one in files.keys() | left.files.keys():
                    if _is_at(one, place):
                        assert left.files.get(one) == work.base.get(one)
                    elif one in files and not any(_is_at(above, place) for above in _above(one)):
                        assert left.files.get(one) == files[one]
            work.tree = _session_tree(work.session)

    @precondition(lambda self: self.works)
    @rule(number=which)
    def commit(self, number: int) -> None:
        """Commit a session; the branch may have moved since it began."""
        for work in self._work(number):
            head = self.model.branches[work.branch]
            ours = work.tree.entries()
            if not _changes(work.base, ours):
                self._refused(work, StateError, ErrorKind.NOTHING_TO_COMMIT)
                continue
            result = merged(work.base, ours, head)
            if result is None:
                self._refused(work, ConflictError, ErrorKind.PATHS_CONFLICT)
                continue
            commit = work.session.commit("commit")
            before = self.model.heads[work.branch]
            if result == head:
                assert commit.id == before
            else:
                assert commit.parents == (before,)
            self._moved(work.branch, commit.id, result)
            work.base = dict(result)
            work.tree = TreeModel(result)

    def _refused(self, work: Work, error: type[DatalakeError], kind: ErrorKind) -> None:
        """Check that a commit is refused and that everything staged is still there."""
        caught: DatalakeError | None = None
        try:
            work.session.commit("refused")
        except error as refusal:
            caught = refusal
        assert caught is not None, f"the commit should have been refused as {kind}"
        assert caught.kind is kind

    @precondition(lambda self: self.works)
    @rule(number=which)
    def close_and_open(self, number: int) -> None:
        """Close a session and open it again."""
        for work in self._work(number):
            work.session.close()
            work.session = self.lake.sessions.open(work.session.id)

    @precondition(lambda self: self.works)
    @rule(number=which)
    def die_and_open(self, number: int) -> None:
        """Let the process that has a session open die, and open it again."""
        for work in self._work(number):
            abandon(work.session)
            work.session = self.lake.sessions.open(work.session.id)

    @precondition(lambda self: self.works)
    @rule(number=which)
    def drop_session(self, number: int) -> None:
        """Remove a session with what is staged in it."""
        for work in self._work(number):
            work.session.delete_session()
            self.works = {hand: one for hand, one in self.works.items() if one is not work}

    # --- the lake --------------------------------------------------------------------------------

    @rule(data=st.data(), path=places, content=contents)
    def put_at_once(self, data: Any, path: RepoPath, content: bytes) -> None:
        """Commit one file without a session of one's own."""
        branch = data.draw(st.sampled_from(sorted(self.model.branches)))
        tree = TreeModel(self.model.branches[branch])
        with self._agreeing(partial(tree.put, path, content)):
            commit = self.lake.files.put(f"{REPO}@{branch}/{path}", content)
            self._moved(branch, commit.id, tree.entries())

    @rule(
        entries=st.dictionaries(places, st.one_of(st.none(), contents), max_size=4), data=st.data()
    )
    def put_tree(self, entries: dict[RepoPath, bytes | None], data: Any) -> None:
        """Commit a local folder over what is there."""
        local = TreeModel({})
        for path, content in entries.items():
            if not any(above in local.files for above in (*_above(path), path)):
                if content is None:
                    local.make_folder(path)
                elif path not in local.folders:
                    local.put(path, content)
        folder = self.folder / "local"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for one in sorted(local.folders):
            (folder / one).mkdir()
        for one, content in local.files.items():
            (folder / one).write_bytes(content)
        branch = data.draw(st.sampled_from(sorted(self.model.branches)))
        tree = TreeModel(self.model.branches[branch])
        with self._agreeing(partial(tree.copy, local.entries(), ROOT, ROOT), _IN_THE_WAY):
            commit, skipped = self.lake.files.put_tree(f"{REPO}@{branch}", folder)
            assert skipped == []
            self._moved(branch, commit.id, tree.entries())

    @rule(data=st.data(), goal=places)
    def copy(self, data: Any, goal: RepoPath) -> None:
        """Copy a file or folder between branches, or within one."""
        source = data.draw(st.sampled_from(sorted(self.model.branches)))
        branch = data.draw(st.sampled_from(sorted(self.model.branches)))
        origin = TreeModel(self.model.branches[source])
        path = data.draw(st.sampled_from([ROOT, *sorted((*origin.files, *origin.folders))]))
        tree = TreeModel(self.model.branches[branch])
        entries = origin.entries()
        with self._agreeing(partial(tree.copy, entries, path, goal), _IN_THE_WAY):
            commit = self.lake.files.copy(f"{REPO}@{source}/{path}", f"{REPO}@{branch}/{goal}")
            self._moved(branch, commit.id, tree.entries())

    @rule(name=names, data=st.data())
    def create_branch(self, name: str, data: Any) -> None:
        """Create a branch at another, or be told that the name is taken."""
        at = data.draw(st.sampled_from(sorted(self.model.branches)))
        with self._agreeing(partial(self._check_free, name)):
            self.lake.refs.create_branch(REPO, name, at=at)
            self._moved(name, self.model.heads[at], self.model.branches[at])

    @rule(name=names, data=st.data())
    def create_tag(self, name: str, data: Any) -> None:
        """Create a tag at a branch, or be told that the name is taken."""
        at = data.draw(st.sampled_from(sorted(self.model.branches)))
        with self._agreeing(partial(self._check_free, name)):
            self.lake.refs.create_tag(REPO, name, at=at)
            self.model.tags[name] = self.model.heads[at], self.model.branches[at]
            self.model.note(name)

    @rule()
    def collect_garbage(self) -> None:
        """Remove what nobody needs, and nothing else: what the model knows is looked at anyway."""
        GarbageCollector(self.lake.core, _AT_ONCE, "a rule").run()

    @rule(name=st.one_of(names, st.just(DEFAULT_BRANCH)))
    def delete_branch(self, name: str) -> None:
        """Delete a branch that nobody writes to; main stays."""

        def check() -> None:
            if name not in self.model.branches:
                raise NotFoundError("no such branch")
            if name == DEFAULT_BRANCH or any(work.branch == name for work in self.works.values()):
                raise StateError("in use")

        with self._agreeing(check):
            self.lake.refs.delete_branch(REPO, name)
            del self.model.branches[name], self.model.heads[name]
            self.model.note(name)

    @rule(name=names)
    def delete_tag(self, name: str) -> None:
        """Delete a tag."""

        def check() -> None:
            if name not in self.model.tags:
                raise NotFoundError("no such tag")

        with self._agreeing(check):
            self.lake.refs.delete_tag(REPO, name)
            del self.model.tags[name]
            self.model.note(name)

    # --- history ---------------------------------------------------------------------------------

    @rule(data=st.data(), theirs=st.booleans())
    def merge(self, data: Any, theirs: bool) -> None:
        """Merge one branch into another: refused where they meet, then one side is chosen."""
        into = data.draw(st.sampled_from(sorted(self.model.branches)))
        ref = data.draw(st.sampled_from(sorted(self.model.branches)))
        ours, other = self.model.heads[into], self.model.heads[ref]
        bases = self._merge_bases(ours, other)
        if other in bases:
            assert self.lake.commits.merge(REPO, ref, into=into).commit.id == ours  # type: ignore[union-attr]
            return
        if ours in bases:
            assert self.lake.commits.merge(REPO, ref, into=into).commit.id == other  # type: ignore[union-attr]
            self._moved(into, other, self.model.trees[other])
            return
        made = self._join(
            partial(self.lake.commits.merge, REPO, ref, into=into), bases[0], into, other, theirs
        )
        assert self.lake.commits.get(REPO, made).parents == (ours, other)

    @rule(data=st.data(), theirs=st.booleans(), back=st.booleans())
    def repeat_or_revert(self, data: Any, theirs: bool, back: bool) -> None:
        """Do on one branch what the last commit of another did, or the opposite."""
        branch = data.draw(st.sampled_from(sorted(self.model.branches)))
        source = data.draw(st.sampled_from(sorted(self.model.branches)))
        commit = self.lake.commits.get(REPO, source)
        if not commit.parents:
            return
        parent = commit.parents[0]
        verb = self.lake.commits.revert if back else self.lake.commits.cherry_pick
        base, other = (commit.id, parent) if back else (parent, commit.id)
        act = partial(verb, REPO, commit.id, branch=branch, parent=1)
        self._join(act, base, branch, other, theirs)

    def _join(self, act: Any, base: str, branch: str, other: str, theirs: bool) -> str:
        """Join three trees, and choose one side where the lake and the model say they clash."""
        trees = self.model.trees
        ours = self.model.branches[branch]
        expected = three_way(trees[base], ours, trees[other])
        planned = act(dry_run=True)
        assert {conflict.path for conflict in planned.conflicts} == expected.clashes
        listed = {change.path for change in planned.changes}
        changed = _changes(ours, expected.entries).keys()
        assert changed <= listed
        for path in listed - changed:  # of another time, which the model does not know
            assert ours.get(path, _GONE) == expected.entries.get(path, _GONE)
        if expected.clashes:
            caught: ConflictError | None = None
            try:
                act()
            except ConflictError as error:
                caught = error
            assert caught is not None
            assert set(caught.context["paths"]) == expected.clashes
            assert self.lake.commits.get(REPO, branch).id == self.model.heads[branch]
        wanted = expected.clashes if theirs else set()
        result = three_way(trees[base], ours, trees[other], wanted).entries
        choices = dict.fromkeys(expected.clashes, "theirs" if theirs else "ours")
        made: str = act(choices=choices).commit.id
        self._moved(branch, made, result)
        return made

    @rule(data=st.data(), path=places)
    def restore(self, data: Any, path: RepoPath) -> None:
        """Make a path of a branch what some commit has there."""
        branch = data.draw(st.sampled_from(sorted(self.model.branches)))
        commit = self._commit(data)
        place = data.draw(st.sampled_from([path, path, ROOT]))
        tree = TreeModel(self.model.branches[branch])
        with self._agreeing(partial(tree.restore, self.model.trees[commit], place)):
            made = self.lake.files.restore(f"{REPO}@{commit}/{place}", branch=branch)
            self._moved(branch, made.id, tree.entries())

    @rule(data=st.data(), path=places, new=places)
    def rename_at_once(self, data: Any, path: RepoPath, new: RepoPath) -> None:
        """Move a file or folder of a branch, without a session of one's own."""
        branch = data.draw(st.sampled_from(sorted(self.model.branches)))
        tree = TreeModel(self.model.branches[branch])
        there = sorted((*tree.files, *tree.folders))
        old = data.draw(st.sampled_from(there)) if there else path
        with self._agreeing(partial(tree.rename, old, new), _IN_THE_WAY):
            made = self.lake.files.rename(f"{REPO}@{branch}/{old}", new)
            self._moved(branch, made.id, tree.entries())

    @rule(data=st.data(), path=places)
    def delete_at_once(self, data: Any, path: RepoPath) -> None:
        """Remove a file or folder of a branch, without a session of one's own."""
        branch = data.draw(st.sampled_from(sorted(self.model.branches)))
        tree = TreeModel(self.model.branches[branch])
        with self._agreeing(partial(tree.delete, path)):
            made = self.lake.files.delete(f"{REPO}@{branch}/{path}")
            self._moved(branch, made.id, tree.entries())

    @rule(data=st.data())
    def reset(self, data: Any) -> None:
        """Point a branch to any commit that there ever was."""
        branch = data.draw(st.sampled_from(sorted(self.model.branches)))
        commit = self._commit(data)
        self.lake.refs.reset(REPO, branch, commit, force=True)
        self._moved(branch, commit, self.model.trees[commit])

    @rule(name=names, new=names)
    def rename_ref(self, name: str, new: str) -> None:
        """Give a branch or tag another name."""

        def check() -> None:
            if name not in self.model.branches and name not in self.model.tags:
                raise NotFoundError("no such ref")
            if any(work.branch == name for work in self.works.values()):
                raise StateError("in use")
            self._check_free(new)

        with self._agreeing(check):
            self.lake.refs.rename(REPO, name, new)
            self._renamed(name, new)
            for one in (name, new):
                self.model.past[one] = [None]
                self.model.note(one)
                self.model.past[one] = self.model.past[one][-1:]

    @rule(name=st.one_of(names, st.just(DEFAULT_BRANCH)))
    def undo(self, name: str) -> None:
        """Take the last move of a name back, whatever it was."""
        line = self.model.past.get(name, [])
        if len(line) < 2:
            return
        before = line[-2]

        def check() -> None:
            is_held = any(work.branch == name for work in self.works.values())
            if before is None and (is_held or name == DEFAULT_BRANCH):
                raise StateError("in use")

        with self._agreeing(check):
            self.lake.refs.undo(REPO, name, force=True)
            self.model.branches.pop(name, None)
            self.model.heads.pop(name, None)
            self.model.tags.pop(name, None)
            if before is not None and before[0] is RefKind.BRANCH:
                self._moved(name, before[1], self.model.trees[before[1]])
            elif before is not None:
                self.model.tags[name] = before[1], self.model.trees[before[1]]
            self.model.note(name)

    def _renamed(self, name: str, new: str) -> None:
        if name in self.model.tags:
            self.model.tags[new] = self.model.tags.pop(name)
            return
        self.model.branches[new] = self.model.branches.pop(name)
        self.model.heads[new] = self.model.heads.pop(name)

    def _merge_bases(self, one: str, other: str) -> list[str]:
        """Return the best common ancestors, newest first, by drawing all there is."""
        graph = {}
        waiting = [one, other]
        while waiting:
            if (commit_id := waiting.pop()) not in graph:
                graph[commit_id] = self.lake.commits.get(REPO, commit_id)
                waiting += graph[commit_id].parents

        def ancestors(start: str) -> set[str]:
            found, waiting = set(), [start]
            while waiting:
                if (commit_id := waiting.pop()) not in found:
                    found.add(commit_id)
                    waiting += graph[commit_id].parents
            return found

        common = ancestors(one) & ancestors(other)
        best = [
            found
            for found in common
            if not any(found in ancestors(than) for than in common - {found})
        ]
        return sorted(best, key=lambda found: (graph[found].time_ns, found), reverse=True)

    @rule()
    def reopen(self) -> None:
        """Close the lake with its sessions, and open all of them again."""
        for work in self.works.values():
            work.session.close()
        self._open_again()

    @rule()
    def die(self) -> None:
        """Let the process die, and open the lake and its sessions in another."""
        for work in self.works.values():
            abandon(work.session)
        self._open_again()

    def _open_again(self) -> None:
        self.lake.close()
        self.lake = Lake.open(self.lake.url, author=self.lake.author, clock=self.clock)
        for work in self.works.values():
            work.session = self.lake.sessions.open(work.session.id)

    # --- what must be true after every step ------------------------------------------------------

    @invariant()
    def branches_are_what_the_model_says(self) -> None:
        """Look at heads, contents and history."""
        heads = {ref.name: ref.commit_id for ref in self.lake.refs.list(REPO)}
        tags = {name: commit for name, (commit, _) in self.model.tags.items()}
        assert heads == {**self.model.heads, **tags}
        for name, entries in self.model.branches.items():
            assert contents_of(self.lake, REPO, name) == entries
            if self.model.heads[name] not in self._checked:
                check_history(self.lake, REPO, name)
                check_tree(self.lake, REPO, name)
                self._checked.add(self.model.heads[name])
        for name, (_, entries) in self.model.tags.items():
            assert contents_of(self.lake, REPO, name) == entries

    @invariant()
    def sessions_are_what_the_model_says(self) -> None:
        """Look at listings, bytes, and what is staged."""
        open_ones = {work.session.id for work in self.works.values()}
        assert {info.id for info in self.lake.sessions.list()} == open_ones
        for work in self.works.values():
            found = _session_tree(work.session)
            assert found.files == work.tree.files
            assert found.folders == work.tree.folders
            ours = work.tree.entries()
            staged = {change.path for change in work.session.diff()}
            changed = _changes(work.base, ours).keys()
            assert changed <= staged
            for path in staged - changed:  # written with what was there
                assert work.base.get(path, _GONE) == ours.get(path, _GONE)

    # --- inside ----------------------------------------------------------------------------------

    def _work(self, number: int) -> Iterator[Work]:
        """Yield the session of this hand, else the other hand's."""
        work = self.works.get(number) or next(iter(self.works.values()), None)
        if work is not None:
            yield work

    def _place(self, work: Work, data: Any, path: RepoPath) -> str:
        """Return a path that is there, or now and then any other."""
        there = sorted((*work.tree.files, *work.tree.folders))
        if there and data.draw(st.integers(0, 9)):
            return data.draw(st.sampled_from(there))  # type: ignore[no-any-return]
        return path

    def _commit(self, data: Any) -> str:
        """Return any commit there ever was; by its number, since ids differ from run to run."""
        number: int = data.draw(st.integers(0, len(self.model.trees) - 1))
        return list(self.model.trees)[number]

    def _check_free(self, name: str) -> None:
        if name in self.model.branches or name in self.model.tags:
            raise AlreadyExistsError("the name is taken")

    def _moved(self, branch: str, commit_id: str, entries: Entries) -> None:
        self.model.heads[branch] = commit_id
        self.model.branches[branch] = dict(entries)
        self.model.trees[commit_id] = dict(entries)
        self.model.note(branch)

    @contextmanager
    def _agreeing(
        self, predict: Any, alike: tuple[type[DatalakeError], ...] = ()
    ) -> Iterator[None]:
        """Run a block that must be refused exactly as the model refuses.

        Parameters
        ----------
        alike
            Errors of which any stands for any other: of several things that are in the way, either
            side may meet another one first.
        """
        expected: type[DatalakeError] | None = None
        try:
            predict()
        except DatalakeError as error:
            expected = type(error)
        try:
            yield
        except DatalakeError as error:
            if type(error) is not expected and not {type(error), expected} <= set(alike):
                raise
        else:
            assert expected is None, f"should have been refused: {expected}"


def _session_tree(session: WorkSession) -> TreeModel:
    """Return what a session shows, by looking at every folder and file of it."""
    found = TreeModel({})
    waiting = [ROOT]
    while waiting:
        folder = waiting.pop()
        for info in session.list(folder):
            assert parent_of(info.path) == folder
            assert info.name
            if info.kind is FileKind.FOLDER:
                found.folders.add(info.path)
                waiting.append(info.path)
            else:
                with session.open(info.path) as file:
                    found.files[info.path] = file.read()
                assert info.size_bytes == len(found.files[info.path])
            assert session.find(info.path) == info
    return found
