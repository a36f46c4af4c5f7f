"""Changes: what happened to a path, and by how much it grew."""

from jupyter_datalake.model.changes import ChangeKind, change_of
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import RepoPath


def info(size):
    return FileInfo(RepoPath("a/b"), FileKind.FILE, size, 0o644, 0, None)


def test_kind_and_growth_follow_from_the_two_sides():
    path = RepoPath("a/b")
    added, removed = change_of(path, None, info(5)), change_of(path, info(5), None)
    modified = change_of(path, info(5), info(3))
    assert [one.kind for one in (added, removed, modified)] == [
        ChangeKind.ADDED,
        ChangeKind.REMOVED,
        ChangeKind.MODIFIED,
    ]
    assert [one.size_change_bytes for one in (added, removed, modified)] == [5, -5, -2]
    assert info(1).name == "b"
