"""The mutating verbs that the crash harness kills, in one table: `VERBS`.

To add a verb, add a row: how to choose what it is done to, and how it is done. What it should
lead to is not described here: the harness does the same in a copy of the lake and looks.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.lake.lake import Lake, default_author
from jupyter_datalake.lake.maintenance import rebuild_lake
from jupyter_datalake.model.drive import DriveFile
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.model.merging import MergeReport
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.refs import DEFAULT_BRANCH, RefKind
from jupyter_datalake.testing.grounds import LOCAL, Ground
from jupyter_datalake.testing.old_databases import make_old, schemas

Arguments = tuple[Any, ...]
"""Plain values that can be handed to another process."""

REPOS = ("alpha", "beta", "gamma", "delta")
PATHS = ("a", "b", "c.bin", "d/one", "d/two", "d/e/three", "f")
NAMES = ("dev", "test", "v1", "v2")
SIZES = (0, 10, 64, 65, 3_000, 140_000, 700_000)
BACKUP = "backup.sqlite"
LAKE = "lake"
"""Name of the lake that verbs are done to, in the folder of its site."""
OTHER = "other"
"""Name of a second lake, beside the first, for verbs that make or replace one."""
DRIVE = "drive"
"""Name of the mount point of repos that are in the drive."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a verb works: an open lake, and a folder beside it for whatever else it needs."""

    lake: Lake
    folder: Path
    ground: Ground = LOCAL
    place: Path | None = None
    """The folder of the lake, where it is not in that folder under its name."""

    @property
    def home(self) -> Path:
        """The folder of the lake."""
        return self.place or self.folder / LAKE

    @property
    def other(self) -> Path:
        """The folder of the second lake."""
        return self.folder / OTHER

    @property
    def drive(self) -> str:
        """The mount point of the drive, in copies of the site too; there is no such folder."""
        return str(self.folder.parent / DRIVE)

    def other_config(self) -> LakeConfig:
        """Return how the second lake is opened."""
        return self.ground.config(self.other)


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb to be killed."""

    name: str
    pick: Callable[[Site, Random], Arguments | None]
    """Chooses what to do it to, and prepares that; None where the lake has nothing fitting."""
    act: Callable[..., object]
    """Does it: ``act(site, *arguments)``; what it returns is reported as acknowledged."""
    is_atomic: bool = True
    """Whether all of it must be there or nothing; else each path on its own."""
    needs_sqlite: bool = False


def content(seed: int, size: int) -> bytes:
    """Return the bytes that a seed stands for: noise and text by turns."""
    chance = Random(seed)  # noqa: S311  # repeatable, not secret
    if seed % 2:
        return chance.randbytes(size)
    return (b"%d, a line of text\n" % chance.randrange(10**9) * (size // 20 + 1))[:size]


# --- choosing ------------------------------------------------------------------------------------


def _repo(site: Site, chance: Random) -> str | None:
    repos = [repo.name for repo in site.lake.repos.list()]
    return chance.choice(repos) if repos else None


def _free(names: Sequence[str], taken: Sequence[str], chance: Random) -> str | None:
    free = [name for name in names if name not in taken]
    return chance.choice(free) if free else None


def _branch(site: Site, chance: Random) -> tuple[str, str] | None:
    repo = _repo(site, chance)
    if repo is None:
        return None
    return repo, chance.choice(_names(site, repo, RefKind.BRANCH))


def _names(site: Site, repo: str, kind: RefKind | None = None) -> list[str]:
    return [ref.name for ref in site.lake.refs.list(repo, kind=kind)]


def _file(site: Site, repo: str, ref: str, chance: Random) -> str | None:
    commit = site.lake.commits.get(repo, ref)
    paths = [path for path, _ in site.lake.core.snapshot(commit).iter_entries()]
    return chance.choice(paths) if paths else None


def _source(chance: Random) -> tuple[int, int]:
    return chance.randrange(10**6), chance.choice(SIZES)


def _session(site: Site, chance: Random, *, with_changes: bool = False) -> str | None:
    found = []
    for info in site.lake.sessions.list():
        with site.lake.sessions.open(info.id) as session:
            if session.has_changes or not with_changes:
                found.append(info.id)
    return chance.choice(found) if found else _staged_session(site, chance)


def _staged_session(site: Site, chance: Random) -> str | None:
    """Make a session with something staged."""
    branch = _branch(site, chance)
    if branch is None:
        return None
    with site.lake.sessions.create(*branch) as session:
        session.put("staged", content(*_source(chance)))
        session.put("d/staged", b"too")
        return session.id


def _place(path: str, chance: Random) -> str:
    return chance.choice([one for one in (*PATHS, "new", "g/new") if one != path])


def pick_free_repo(site: Site, chance: Random) -> Arguments | None:
    """Choose a name for a new repo."""
    name = _free(REPOS, [repo.name for repo in site.lake.repos.list()], chance)
    return None if name is None else (name, f"described {chance.randrange(100)}")


def pick_repo(site: Site, chance: Random) -> Arguments | None:
    """Choose a repo."""
    name = _repo(site, chance)
    return None if name is None else (name, f"described {chance.randrange(100)}")


def pick_put(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch, a path and a content."""
    branch = _branch(site, chance)
    return None if branch is None else (*branch, chance.choice(PATHS), *_source(chance))


def pick_tree(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch and make a folder of files to put there."""
    branch = _branch(site, chance)
    return None if branch is None else (*branch, make_folder(site, chance))


def make_folder(site: Site, chance: Random) -> str:
    """Make a folder of files beside the lake and return where."""
    source = site.folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    for path in chance.sample(PATHS, 4):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes(content(*_source(chance)))
    return str(source)


def pick_file(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch and a path that it holds."""
    branch = _branch(site, chance)
    path = None if branch is None else _file(site, *branch, chance)
    return None if branch is None or path is None else (*branch, path)


def pick_copy(site: Site, chance: Random) -> Arguments | None:
    """Choose a file, a branch, and where on it the file is to go."""
    source, target = pick_file(site, chance), _branch(site, chance)
    return None if source is None or target is None else (*source, *target, f"copy/{source[2]}")


def pick_new_ref(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch to begin at, and a free name."""
    branch = _branch(site, chance)
    name = None if branch is None else _free(NAMES, _names(site, branch[0]), chance)
    return None if branch is None or name is None else (*branch, name)


def pick_branch_to_delete(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch that is not main and that no session writes to."""
    busy = {(one.repo, one.branch) for one in site.lake.sessions.list()}
    found = [
        (repo.name, name)
        for repo in site.lake.repos.list()
        for name in _names(site, repo.name, RefKind.BRANCH)
        if name != DEFAULT_BRANCH and (repo.name, name) not in busy
    ]
    return chance.choice(found) if found else None


def pick_two_branches(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch, and make another one that parted from it."""
    branch = _branch(site, chance)
    name = None if branch is None else _free((*NAMES, "m1", "m2"), _names(site, branch[0]), chance)
    if branch is None or name is None:
        return None
    repo, into = branch
    site.lake.refs.create_branch(repo, name, at=into)
    site.lake.files.put(f"{repo}@{name}/theirs", content(*_source(chance)))
    if chance.random() < 0.7:
        site.lake.files.put(f"{repo}@{into}/ours", content(*_source(chance)))
    return repo, name, into


def pick_commit(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch whose last commit can be undone."""
    branch = _branch(site, chance)
    if branch is None:
        return None
    site.lake.files.put(f"{branch[0]}@{branch[1]}/last", content(*_source(chance)))
    return branch


def pick_free_ref(site: Site, chance: Random) -> Arguments | None:
    """Choose a ref that nobody holds, and a free name for it."""
    ref = pick_tag(site, chance) or pick_branch_to_delete(site, chance)
    if ref is None:
        return None
    name = _free((*NAMES, "r1", "r2"), _names(site, ref[0]), chance)
    return None if name is None else (*ref, name)


def pick_moved_ref(site: Site, chance: Random) -> Arguments | None:
    """Choose a ref, and let it be moved in one of the ways that can be undone."""
    branch = pick_commit(site, chance)
    if branch is None or chance.random() < 0.3:
        return branch
    if chance.random() < 0.5:
        deleted = pick_tag(site, chance)
        if deleted is not None:
            site.lake.refs.delete_tag(*deleted)
        return deleted
    renamed = pick_free_ref(site, chance)
    if renamed is None:
        return None
    repo, name, new_name = renamed
    site.lake.refs.rename(repo, name, new_name)
    return repo, new_name


def pick_folder(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch, make a folder in it and change it again."""
    branch = _branch(site, chance)
    if branch is None:
        return None
    repo, name = branch
    with closing(site.lake.sessions.begin(repo, name)) as session:
        for path in ("tree/a", "tree/b/c"):
            session.put(RepoPath(path), content(*_source(chance)))
        session.commit("make a folder", site.lake.author)
        session.delete(RepoPath("tree/b"))
        session.put(RepoPath("tree/a"), b"changed")
        session.commit("change it", site.lake.author)
        session.destroy()
    return branch


def pick_session_restore(site: Site, chance: Random) -> Arguments | None:
    """Choose a session and a path that the branch it is based on holds."""
    found = _session(site, chance)
    if found is None:
        return None
    info = site.lake.sessions.get(found)
    path = _file(site, info.repo, info.base_commit_id, chance)
    return None if path is None else (found, f"{info.repo}@{info.base_commit_id}/{path}")


def pick_draft(site: Site, chance: Random) -> Arguments | None:
    """Choose a session with changes, and save a draft of it."""
    found = _session(site, chance, with_changes=True)
    if found is not None:
        site.lake.sessions.save(found)
    return None if found is None else (found,)


def pick_two_sessions(site: Site, chance: Random) -> Arguments | None:
    """Begin sessions on two repos and stage something in each."""
    repos = [repo.name for repo in site.lake.repos.list()]
    if len(repos) < 2:
        return None
    made = []
    for repo in chance.sample(repos, 2):
        with site.lake.sessions.create(repo) as session:
            session.put(chance.choice(PATHS), content(*_source(chance)))
            made.append(session.id)
    return tuple(made)


def pick_two_files(site: Site, chance: Random) -> Arguments | None:
    """Choose two repos, and a content for each."""
    repos = [repo.name for repo in site.lake.repos.list()]
    if len(repos) < 2:
        return None
    return (*chance.sample(repos, 2), *_source(chance), *_source(chance))


def pick_no_backup(site: Site, chance: Random) -> Arguments | None:
    """Clear the place for a backup."""
    (site.folder / BACKUP).unlink(missing_ok=True)
    return ()


def pick_tag(site: Site, chance: Random) -> Arguments | None:
    """Choose a tag."""
    found = [
        (repo.name, name)
        for repo in site.lake.repos.list()
        for name in _names(site, repo.name, RefKind.TAG)
    ]
    return chance.choice(found) if found else None


def pick_branch(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch."""
    return _branch(site, chance)


def pick_session(site: Site, chance: Random) -> Arguments | None:
    """Choose a session, a path and a content for it."""
    found = _session(site, chance)
    return None if found is None else (found, chance.choice(PATHS), *_source(chance))


def pick_session_with_changes(site: Site, chance: Random) -> Arguments | None:
    """Choose a session in which something is staged."""
    found = _session(site, chance, with_changes=True)
    return None if found is None else (found,)


def pick_session_tree(site: Site, chance: Random) -> Arguments | None:
    """Choose a session and make a folder to put into it."""
    found = _session(site, chance)
    return None if found is None else (found, make_folder(site, chance))


def pick_session_file(site: Site, chance: Random) -> Arguments | None:
    """Choose a session, a file it shows and a free name at its root."""
    found = _session(site, chance)
    if found is None:
        return None
    with site.lake.sessions.open(found) as session:
        shown = [info for info in session.list() if info.kind is FileKind.FILE]
        name = _free(["x", "y", "z", "w"], [info.path for info in session.list()], chance)
    return (found, chance.choice(shown).path, name) if shown and name else None


def pick_session_write(site: Site, chance: Random) -> Arguments | None:
    """Choose a session, a file at its root that was not written to before, and a content."""
    found = _session(site, chance)
    if found is None:
        return None
    with site.lake.sessions.open(found) as session:
        files = session.list()
    whole = [one.path for one in files if one.kind is FileKind.FILE and one.digest is not None]
    new = _free(("n", "new-1", "new-2"), [one.path for one in files], chance)
    path = chance.choice([*whole, new]) if new else None
    return None if path is None else (found, path, *_source(chance))


def pick_session_copy(site: Site, chance: Random) -> Arguments | None:
    """Choose a session and a committed file to copy into it."""
    found, source = _session(site, chance), pick_file(site, chance)
    return None if found is None or source is None else (found, *source)


def pick_staged_path(site: Site, chance: Random) -> Arguments | None:
    """Choose a session and some of what is staged in it."""
    found = _session(site, chance, with_changes=True)
    if found is None:
        return None
    changes = site.lake.sessions.diff(found)
    return (found, chance.choice(changes).path) if changes else None


def pick_drive_file(site: Site, chance: Random) -> Arguments | None:
    """Mount a repo in the drive; choose a file that it shows there, and a name for a new one."""
    repo = _repo(site, chance)
    if repo is None:
        return None
    _mount(site, repo)
    found = [one.path for one in _drive_files(site, repo)]
    new = _free(("n", "new-1", "new-2"), [path.partition("/")[2] for path in found], chance)
    return (site.drive, chance.choice(found), f"{repo}/{new}") if found and new else None


def pick_drive_put(site: Site, chance: Random) -> Arguments | None:
    """Choose a file of the drive that is there or is new, and a content."""
    found = pick_drive_file(site, chance)
    return None if found is None else (found[0], chance.choice(found[1:]), *_source(chance))


def pick_drive_write(site: Site, chance: Random) -> Arguments | None:
    """Choose a file of the drive that was not written to before, a content, and where it goes."""
    found = pick_drive_file(site, chance)
    if found is None:
        return None
    at, path, new = found
    is_whole = site.lake.drive.get(path, at=at).digest is not None
    place = chance.choice((path, new)) if is_whole else new
    return (at, place, chance.choice((-1, 0, 70)), *_source(chance))


def pick_drive_replace(site: Site, chance: Random) -> Arguments | None:
    """Choose two files of the drive."""
    found = pick_drive_file(site, chance)
    if found is None:
        return None
    at, path, _ = found
    others = [one.path for one in _drive_files(site, path.partition("/")[0]) if one.path != path]
    return (at, path, chance.choice(others)) if others else None


def pick_drive_copy(site: Site, chance: Random) -> Arguments | None:
    """Choose a file of the drive, of this mount or another or of a commit, and a free name."""
    found = pick_drive_file(site, chance)
    if found is None:
        return None
    at, path, new = found
    match chance.choice(("mount", "other mount", "commit")):
        case "other mount":
            other = pick_drive_other(site, chance, path.partition("/")[0])
            return None if other is None else (at, other, new)
        case "commit":
            source = pick_file(site, chance)
            return None if source is None else (at, "{}@{}/{}".format(*source), new)
    return at, path, new


def pick_drive_other(site: Site, chance: Random, repo: str) -> str | None:
    """Mount another repo than this in the drive, and choose a file of it."""
    other = _free([one.name for one in site.lake.repos.list()], [repo], chance)
    if other is None:
        return None
    _mount(site, other)
    found = _drive_files(site, other)
    return chance.choice(found).path if found else None


def _mount(site: Site, repo: str) -> None:
    site.lake.mounts.create(repo, at=site.drive, mode=MountMode.DRIVE)


def _drive_files(site: Site, repo: str) -> Sequence[DriveFile]:
    """Return the files at the root of a repo in the drive."""
    shown = site.lake.drive.list(repo, at=site.drive)
    return [one for one in shown if one.kind is FileKind.FILE]


def unmount_all(site: Site) -> None:
    """Take off what a run mounted: a repo that is mounted is neither deleted nor renamed."""
    for mount in site.lake.mounts.list():
        site.lake.mounts.delete(mount.name, at=mount.mountpoint)


def pick_nothing_there(site: Site, chance: Random) -> Arguments | None:
    """Clear the place for a second lake."""
    site.ground.make_room(site.other)
    return ()


def pick_lost_database(site: Site, chance: Random) -> Arguments | None:
    """Make a copy of the lake that lost its database."""
    site.ground.copy_objects(site.home, site.other)
    return ()


def pick_garbage(site: Site, chance: Random) -> Arguments | None:
    """Make commits that nothing leads to, beside what earlier kills left."""
    branch = pick_commit(site, chance)
    if branch is None:
        return None
    repo, name = branch
    site.lake.refs.reset(repo, name, f"{name}~1", force=True)
    with site.lake.core.metadata.write() as tx:
        tx.leases.revoke("gc")  # of a run that was killed: as if its time had passed
    return (chance.choice([0.0, 0.7, 1.0]),)


def pick_retention(site: Site, chance: Random) -> Arguments | None:
    """Choose a branch with more history than a policy keeps."""
    branch = pick_folder(site, chance)
    if branch is None:
        return None
    repo, name = branch
    site.lake.retention.set(repo, name, keep_last=2, keep_tagged=True)
    return (repo,)


def pick_deleted_repo(site: Site, chance: Random) -> Arguments | None:
    """Choose a repo, and delete it."""
    repo = _repo(site, chance)
    if repo is None:
        return None
    site.lake.repos.delete(repo, force=True)
    return (repo,)


def pick_remote(site: Site, chance: Random) -> Arguments | None:
    """Make another lake, to push to and pull from, that has some of this one's history."""
    pick_nothing_there(site, chance)
    Lake.create(site.other_config(), author=site.lake.author).close()
    known = [remote.name for remote in site.lake.remotes.list()]
    if OTHER not in known:
        site.lake.remotes.create(OTHER, site.other_config().url)
    if chance.random() < 0.7:
        site.lake.remotes.push(OTHER)
        branch = _branch(site, chance)
        if branch is not None:
            site.lake.files.put(f"{branch[0]}@{branch[1]}/here", content(*_source(chance)))
    return ()


def pick_remote_ahead(site: Site, chance: Random) -> Arguments | None:
    """Make another lake that has this one's history and more."""
    branch = _branch(site, chance)
    if branch is None or pick_remote(site, chance) is None:
        return None
    site.lake.remotes.push(OTHER)
    with Lake.open(site.other_config(), author=site.lake.author) as other:
        other.files.put(f"{branch[0]}@{branch[1]}/there", content(*_source(chance)))
        other.refs.create_tag(branch[0], f"t{chance.randrange(10**6)}", at=branch[1])
    return ()


def pick_old_database(site: Site, chance: Random) -> Arguments | None:
    """Make a copy of the lake with a database of an older schema."""
    pick_lost_database(site, chance)
    source = site.ground.database(site.home)
    assert source is not None
    database = site.other / source.relative_to(site.home)
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as ours:
        ours.execute("VACUUM INTO ?", [str(database)])
    with closing(sqlite3.connect(database)) as copy, copy:
        copy.execute("UPDATE sessions SET place = NULL")  # else they are those of the first lake
    schema = chance.choice(schemas()[:-1])
    make_old(database, schema)
    return (schema,)


# --- doing ---------------------------------------------------------------------------------------


def _put(site: Site, repo: str, branch: str, path: str, *source: int) -> object:
    return site.lake.files.put(f"{repo}@{branch}/{path}", content(*source)).id


def _put_tree(site: Site, repo: str, branch: str, folder: str) -> object:
    return site.lake.files.put_tree(f"{repo}@{branch}/tree", folder)[0].id


def _delete(site: Site, repo: str, branch: str, path: str) -> object:
    return site.lake.files.delete(f"{repo}@{branch}/{path}").id


def _copy(site: Site, repo: str, ref: str, path: str, *target: str) -> object:
    to_repo, to_branch, to_path = target
    return site.lake.files.copy(f"{repo}@{ref}/{path}", f"{to_repo}@{to_branch}/{to_path}").id


def _session_put(site: Site, session_id: str, path: str, *source: int) -> None:
    with site.lake.sessions.open(session_id) as session:
        session.put(path, content(*source))


def _session_write(site: Site, session_id: str, path: str, *source: int) -> None:
    with site.lake.sessions.open(session_id) as session:
        session.write(path, content(*source))


def _sessions_write(site: Site, session_id: str, path: str, *source: int) -> None:
    site.lake.sessions.write(session_id, path, content(*source))


def _sessions_write_all(site: Site, session_id: str, path: str, *source: int) -> None:
    site.lake.sessions.write_all(session_id, [(path, content(*source))])


def _session_put_tree(site: Site, session_id: str, folder: str) -> None:
    with site.lake.sessions.open(session_id) as session:
        session.put_tree(folder, "tree")


def _session_rename(site: Site, session_id: str, old: str, new: str) -> None:
    with site.lake.sessions.open(session_id) as session:
        session.rename(old, new)


def _session_delete_file(site: Site, session_id: str, path: str, *_: object) -> None:
    with site.lake.sessions.open(session_id) as session:
        session.delete(path)


def _session_copy(site: Site, session_id: str, repo: str, ref: str, path: str) -> None:
    with site.lake.sessions.open(session_id) as session:
        session.copy(f"{repo}@{ref}/{path}", f"copied-{path.replace('/', '-')}")


def _session_make_folder(site: Site, session_id: str, *_: object) -> None:
    with site.lake.sessions.open(session_id) as session:
        session.make_folder("empty")


def _session_create(site: Site, repo: str, branch: str) -> None:
    session = site.lake.sessions.create(repo, branch)
    session.close()


def _session_commit(site: Site, session_id: str) -> object:
    return site.lake.sessions.commit(session_id, "commit what is staged").id


def _drive_put(site: Site, at: str, path: str, *source: int) -> None:
    site.lake.drive.put(path, content(*source), at=at)


def _drive_write(site: Site, at: str, path: str, offset: int, *source: int) -> None:
    site.lake.drive.put(path, content(*source), offset=offset, at=at)


def _drive_make_folder(site: Site, at: str, _: str, new: str) -> None:
    site.lake.drive.make_folder(new, at=at)


def _drive_rename(site: Site, at: str, path: str, new: str) -> None:
    site.lake.drive.rename(path, new, replace=True, at=at)


def _drive_copy(site: Site, at: str, path: str, new: str) -> None:
    site.lake.drive.copy(path, new, at=at)


def _drive_delete(site: Site, at: str, path: str, _: str) -> None:
    site.lake.drive.delete(path, at=at)


def _transaction(site: Site, one: str, other: str, *sources: int) -> None:
    with site.lake.transaction("both or none") as tx:
        tx.put(f"{one}@main/both", content(*sources[:2]))
        tx.put(f"{other}@main/both", content(*sources[2:]))


def _commit_together(site: Site, *session_ids: str) -> None:
    site.lake.sessions.commit_together(session_ids, "together")


def _replicate(act: str, site: Site) -> None:
    url = site.other_config().url
    if site.lake.remotes.get(OTHER).url != url:  # in a copy of the site
        site.lake.remotes.delete(OTHER)
        site.lake.remotes.create(OTHER, url)
    if act == "push":
        site.lake.remotes.push(OTHER)
    else:
        site.lake.remotes.pull(OTHER)


def collect_at_once(site: Site, min_live_share: float = 0.7) -> None:
    """Remove all that is garbage, without waiting for anybody."""
    policy = GcPolicy(
        undo_s=0,
        grace_s=0,
        reader_s=0,
        unknown_s=0,
        min_live_share=min_live_share,
        small_pack_count=3,
    )
    site.lake.maintenance.gc(policy)


def _id(report: MergeReport) -> object:
    return None if report.commit is None else report.commit.id


VERBS = (
    Verb(
        "repos.create", pick_free_repo, lambda site, name, _: site.lake.repos.create(name) and None
    ),
    Verb(
        "repos.update",
        pick_repo,
        lambda site, name, text: site.lake.repos.update(name, description=text) and None,
    ),
    Verb("repos.delete", pick_repo, lambda site, name, _: site.lake.repos.delete(name, force=True)),
    Verb("files.put", pick_put, _put),
    Verb("files.put_tree", pick_tree, _put_tree),
    Verb("files.delete", pick_file, _delete),
    Verb("files.copy", pick_copy, _copy),
    Verb(
        "refs.create_branch",
        pick_new_ref,
        lambda site, repo, at, name: site.lake.refs.create_branch(repo, name, at=at) and None,
    ),
    Verb(
        "refs.create_tag",
        pick_new_ref,
        lambda site, repo, at, name: site.lake.refs.create_tag(repo, name, at=at) and None,
    ),
    Verb(
        "refs.delete_branch",
        pick_branch_to_delete,
        lambda site, *ref: site.lake.refs.delete_branch(*ref),
    ),
    Verb(
        "commits.merge",
        pick_two_branches,
        lambda site, repo, ref, into: _id(site.lake.commits.merge(repo, ref, into=into)),
    ),
    Verb(
        "commits.cherry_pick",
        pick_two_branches,
        lambda site, repo, ref, into: _id(site.lake.commits.cherry_pick(repo, ref, branch=into)),
    ),
    Verb(
        "commits.revert",
        pick_commit,
        lambda site, repo, branch: _id(site.lake.commits.revert(repo, branch, branch=branch)),
    ),
    Verb(
        "refs.reset",
        pick_commit,
        lambda site, repo, branch: (
            site.lake.refs.reset(repo, branch, f"{branch}~1", force=True) and None
        ),
    ),
    Verb(
        "refs.rename",
        pick_free_ref,
        lambda site, repo, name, new_name: site.lake.refs.rename(repo, name, new_name) and None,
    ),
    Verb(
        "refs.undo",
        pick_moved_ref,
        lambda site, repo, name: site.lake.refs.undo(repo, name, force=True) and None,
    ),
    Verb(
        "files.rename",
        pick_folder,
        lambda site, repo, name: site.lake.files.rename(f"{repo}@{name}/tree", "moved/to").id,
    ),
    Verb(
        "files.restore",
        pick_folder,
        lambda site, repo, name: site.lake.files.restore(f"{repo}@{name}~1/tree", branch=name).id,
    ),
    Verb(
        "files.copy of a folder",
        pick_folder,
        lambda site, repo, name: (
            site.lake.files.copy(f"{repo}@{name}/tree", f"{repo}@{name}/copied/tree").id
        ),
    ),
    Verb(
        "sessions.restore",
        pick_session_restore,
        lambda site, one, source: site.lake.sessions.restore(one, source),
        is_atomic=False,
    ),
    Verb("sessions.commit_together", pick_two_sessions, _commit_together),
    Verb("transaction", pick_two_files, _transaction),
    Verb("remotes.push", pick_remote, partial(_replicate, "push"), is_atomic=False),
    Verb("remotes.pull", pick_remote_ahead, partial(_replicate, "pull"), is_atomic=False),
    Verb(
        "commits.squash",
        pick_folder,
        lambda site, repo, name: (
            site.lake.commits.squash(repo, f"{name}~2", branch=name, message="squashed").id
        ),
    ),
    Verb(
        "retention.set",
        pick_branch,
        lambda site, repo, name: site.lake.retention.set(repo, name, keep_last=3) and None,
    ),
    Verb("retention.apply", pick_retention, lambda site, _: site.lake.retention.apply() and None),
    Verb("maintenance.gc", pick_garbage, collect_at_once, is_atomic=False),
    Verb(
        "repos.restore",
        pick_deleted_repo,
        lambda site, repo: site.lake.repos.restore(repo) and None,
    ),
    Verb(
        "maintenance.backup",
        pick_no_backup,
        lambda site: site.lake.maintenance.backup(site.folder / BACKUP) and None,
    ),
    Verb("refs.delete_tag", pick_tag, lambda site, *ref: site.lake.refs.delete_tag(*ref)),
    Verb("sessions.create", pick_branch, _session_create),
    Verb("sessions.commit", pick_session_with_changes, _session_commit),
    Verb(
        "sessions.discard",
        pick_session_with_changes,
        lambda site, one: site.lake.sessions.discard(one),
    ),
    Verb(
        "sessions.discard of a path",
        pick_staged_path,
        lambda site, one, path: site.lake.sessions.discard(one, [path]),
        is_atomic=False,
    ),
    Verb(
        "sessions.save",
        pick_session_with_changes,
        lambda site, one: site.lake.sessions.save(one) and None,
    ),
    Verb(
        "sessions.recover",
        pick_draft,
        lambda site, one: site.lake.sessions.recover(one) and None,
        is_atomic=False,
    ),
    Verb("sessions.delete", pick_session, lambda site, one, *_: site.lake.sessions.delete(one)),
    Verb("session.put", pick_session, _session_put),
    Verb("sessions.write", pick_session_write, _sessions_write),
    Verb("sessions.write_all", pick_session_write, _sessions_write_all),
    Verb("session.write", pick_session_write, _session_write),
    Verb("session.put_tree", pick_session_tree, _session_put_tree, is_atomic=False),
    Verb("session.rename", pick_session_file, _session_rename),
    Verb("session.delete", pick_session_file, _session_delete_file),
    Verb("session.copy", pick_session_copy, _session_copy),
    Verb("session.make_folder", pick_session, _session_make_folder),
    Verb("drive.put", pick_drive_put, _drive_put),
    Verb("drive.put at an offset", pick_drive_write, _drive_write),
    Verb("drive.make_folder", pick_drive_file, _drive_make_folder),
    Verb("drive.rename", pick_drive_file, _drive_rename),
    Verb("drive.rename over a file", pick_drive_replace, _drive_rename),
    Verb("drive.copy", pick_drive_copy, _drive_copy),
    Verb("drive.delete", pick_drive_file, _drive_delete),
    Verb(
        "init",
        pick_nothing_there,
        lambda site: Lake.create(site.other_config(), author=default_author()).close(),
    ),
    Verb(
        "migrate",
        pick_old_database,
        lambda site, _: Lake.open(site.other_config(), author=default_author()).close(),
        needs_sqlite=True,
    ),
    Verb(
        "maintenance.rebuild",
        pick_lost_database,
        lambda site: rebuild_lake(site.other_config()) and None,
    ),
)
"""Every verb that changes a lake."""


def populate(site: Site, chance: Random) -> None:
    """Fill a new lake with something for every verb to be done to."""
    lake = site.lake
    for name in REPOS[:2]:
        lake.repos.create(name)
        for path in PATHS[:5]:
            lake.files.put(f"{name}@main/{path}", content(*_source(chance)))
        lake.refs.create_branch(name, "dev")
        lake.refs.create_tag(name, "v1", at="main~1")
        lake.files.put(f"{name}@dev/only-dev", b"on dev")
        session = lake.sessions.create(name)
        session.put("staged", content(*_source(chance)))
        session.delete("a")
        session.rename("b", "moved")
        session.close()
