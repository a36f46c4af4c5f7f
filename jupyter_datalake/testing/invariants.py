"""What must be true of any lake at any time, as functions that raise `AssertionError` if not."""

from __future__ import annotations

from itertools import pairwise

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.entries import EntryKind
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.paths import ROOT, parent_of, path_key
from jupyter_datalake.model.refs import DEFAULT_BRANCH, RefKind


def check_lake(lake: Lake) -> None:
    """Check everything below, and that verification finds nothing."""
    for repo in lake.repos.list(include_code=True):
        names = {ref.name for ref in lake.refs.list(repo.name, kind=RefKind.BRANCH)}
        assert DEFAULT_BRANCH in names, f"{repo.name} has no main branch"
        for ref in lake.refs.list(repo.name):
            check_history(lake, repo.name, ref.name)
            check_tree(lake, repo.name, ref.name)
        check_reflog(lake, repo.name)
    with lake.core.metadata.read() as tx:
        assert tx.blobs.room().stored_bytes == tx.blobs.totals()[2], "the sum of packs is wrong"
    report = lake.maintenance.verify()
    assert report.is_clean, [f"{one.thing}: {one.message}" for one in report.findings]


def check_history(lake: Lake, repo: str, ref: str) -> None:
    """Check that history is a line without cycle that ends at a commit without parents."""
    ids = history_of(lake, repo, ref)
    assert len(ids) == len(set(ids)), f"{repo}@{ref} meets itself"
    commits = lake.commits.list(repo, ref)
    assert [commit.id for commit in commits] == ids
    for newer, older in pairwise(commits):
        assert newer.parents[0] == older.id
    if commits[-1].parents:  # history before it was removed, and says so
        with lake.core.metadata.read() as tx:
            assert tx.retention.find_removed(commits[-1].parents[0]) is not None
    assert all(commit.repo == repo for commit in commits)


def check_tree(lake: Lake, repo: str, ref: str) -> None:
    """Check that listings, entries, sums and look-ups agree, and no path is file and folder."""
    commit = lake.commits.get(repo, ref)
    tree = lake.core.snapshot(commit)
    entries = dict(tree.iter_entries())
    assert list(entries) == sorted(entries, key=path_key)
    assert len(entries) == commit.file_count
    assert sum(entry.size_bytes for entry in entries.values()) == commit.size_bytes
    folders = {ROOT}
    for path in entries:
        above = parent_of(path)
        while above:
            assert above not in entries, f"{above!r} is an entry and holds {path!r}"
            folders.add(above)
            above = parent_of(above)
    folders |= {path for path, entry in entries.items() if entry.kind is EntryKind.FOLDER}
    seen = set()
    waiting = [ROOT]
    while waiting:
        folder = waiting.pop()
        for info in tree.list(folder, measure=True):
            assert info == tree.get(info.path)
            seen.add(info.path)
            if info.kind is FileKind.FOLDER:
                assert info.path in folders
                waiting.append(info.path)
            else:
                assert info.digest == entries[info.path].content_digest
    assert seen == set(entries) | folders - {ROOT}


def check_reflog(lake: Lake, repo: str) -> None:
    """Check that each ref is where its last move led, and each move began where one had led."""
    where: dict[str, str | None] = {}
    for move in reversed(lake.refs.list_moves(repo, limit=1_000_000)):
        assert where.get(move.name) == move.old_commit_id
        where[move.name] = move.new_commit_id
    present = {ref.name: ref.commit_id for ref in lake.refs.list(repo)}
    assert present == {name: commit for name, commit in where.items() if commit is not None}


def history_of(lake: Lake, repo: str, ref: str = DEFAULT_BRANCH) -> list[str]:
    """Return the ids of a ref's commits, newest first, asked for in small pages."""
    ids: list[str] = []
    after: str | None = None
    while page := lake.commits.list(repo, ref, after=after, limit=3):
        ids += [commit.id for commit in page]
        after = ids[-1]
    return ids


def contents_of(lake: Lake, repo: str, ref: str = DEFAULT_BRANCH) -> dict[str, bytes | None]:
    """Return everything a tree holds: path to bytes, a symlink's target, or None for a folder."""
    tree = lake.core.snapshot(lake.commits.get(repo, ref))
    found: dict[str, bytes | None] = {}
    for path, entry in tree.iter_entries():
        if entry.kind is EntryKind.FILE:
            found[path] = b"".join(tree.content_of(entry).iter_chunks())
        else:
            found[path] = entry.content if entry.kind is EntryKind.SYMLINK else None
    return found
