"""Exporting: whole or not at all, and never outside the target, whoever made the tree."""

import errno
import os
import stat

import pytest

from jupyter_datalake.engine import exporting
from jupyter_datalake.engine.blobs import register_packs
from jupyter_datalake.errors import (
    AlreadyExistsError,
    CorruptDataError,
    DatalakeError,
    ErrorKind,
    InvalidInputError,
    PathNotFoundError,
    StorageError,
)
from jupyter_datalake.model.entries import empty_folder, inline_file, symlink
from jupyter_datalake.model.manifests import Item, Node
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import ROOT, RepoPath
from jupyter_datalake.testing.faults import with_objects


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    return memory_lake


def tree_of(lake, entries):
    """A tree with these keys and entries, in this order, whatever this program would make."""
    items = [Item(key, entry.encode(), entry.size_bytes) for key, entry in entries]
    node = Node(0, [item.key for item in items], items=items)
    with lake.core.writer() as writer:
        root = writer.add(BlobKind.NODE, node.encode())
        packs = writer.seal()
    with lake.core.metadata.write() as tx:
        register_packs(tx, packs)
    return lake.core.tree(root, "hostile")


def file(data=b"x", mode=0o644):
    return inline_file(data, mode=mode, mtime_ns=1_000_000_000)


def link(target):
    return symlink(os.fsencode(target), mtime_ns=0)


@pytest.fixture
def outside(tmp_path):
    place = tmp_path / "outside"
    place.mkdir()
    (place / "precious").write_text("precious")
    return place


HOSTILE = {
    "a name with a slash": lambda out: [(b"../outside/evil", file())],
    "an absolute name": lambda out: [(os.fsencode(out / "evil"), file())],
    "dots": lambda out: [(b"..\0outside\0evil", file())],
    "a dot": lambda out: [(b".\0evil", file())],
    "an empty name": lambda out: [(b"\0evil", file())],
    "through a symlink": lambda out: [(b"a", link(out)), (b"a\0evil", file())],
    "through a symlink, apart": lambda out: [
        (b"a", link(out)),
        (b"a\0b\0evil", file()),
        (b"b", file()),
    ],
    "a folder through a symlink": lambda out: [
        (b"a", link(out)),
        (b"a\0evil", empty_folder(mtime_ns=0)),
    ],
    "a link through a symlink": lambda out: [(b"a", link(out)), (b"a\0evil", link("precious"))],
    "below a file": lambda out: [(b"a", file()), (b"a\0b", file())],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_written_outside_the_target_and_nothing_half(lake, outside, tmp_path, name):
    tree = tree_of(lake, HOSTILE[name](outside))
    target = tmp_path / "target"
    with pytest.raises(DatalakeError) as caught:
        tree.export(ROOT, target)
    assert caught.value.kind in {ErrorKind.CORRUPT_OBJECT, ErrorKind.INVALID_PATH}
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert [path.name for path in outside.iterdir()] == ["precious"]


def test_symlinks_of_a_folder_that_is_there_already_are_not_written_through(
    lake, outside, tmp_path
):
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a").symlink_to(outside)
    tree = tree_of(lake, [(b"a\0evil", file())])
    with pytest.raises(CorruptDataError):
        tree.export_into(ROOT, folder)
    assert [path.name for path in outside.iterdir()] == ["precious"]


def test_symlinks_that_lead_outside_are_written_as_they_are_and_not_followed(
    lake, outside, tmp_path
):
    tree = tree_of(lake, [(b"l", link(outside / "precious")), (b"m", file(b"m"))])
    assert tree.export(ROOT, tmp_path / "target") == 1
    assert os.readlink(tmp_path / "target" / "l") == str(outside / "precious")
    assert (outside / "precious").read_text() == "precious"


def test_set_user_id_bits_stay_behind(lake, tmp_path):
    tree = tree_of(lake, [(b"x", file(mode=0o6755))])
    tree.export(ROOT, tmp_path / "target")
    assert stat.S_IMODE((tmp_path / "target" / "x").stat().st_mode) == 0o755


def test_what_is_below_a_path_is_written_with_or_without_that_path(lake, tmp_path):
    tree = tree_of(lake, [(b"a\0b\0c", file(b"c")), (b"a\0d", file(b"d")), (b"e", file(b"e"))])
    tree.export(RepoPath("a"), tmp_path / "one")
    assert {
        path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*")
    } == {
        "b",
        "b/c",
        "d",
    }
    tree.export_into(RepoPath("a"), tmp_path / "two")
    tree.export_into(RepoPath("e"), tmp_path / "two")
    assert {
        path.relative_to(tmp_path / "two").as_posix() for path in (tmp_path / "two").rglob("*")
    } == {
        "a",
        "a/b",
        "a/b/c",
        "a/d",
        "e",
    }
    tree.export(RepoPath("e"), tmp_path / "three")
    assert (tmp_path / "three").read_bytes() == b"e"


def test_an_empty_tree_and_an_empty_folder_are_folders(lake, tmp_path):
    tree = tree_of(lake, [(b"a", empty_folder(mtime_ns=0))])
    assert tree.export(RepoPath("a"), tmp_path / "one") == 0
    assert list((tmp_path / "one").iterdir()) == []
    empty = lake.core.snapshot(lake.commits.get("raw"))
    assert empty.export(ROOT, tmp_path / "two") == 0
    assert list((tmp_path / "two").iterdir()) == []


def test_what_is_not_there_is_not_found(lake, tmp_path):
    with pytest.raises(PathNotFoundError):
        tree_of(lake, [(b"a", file())]).export(RepoPath("b"), tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["", "large"])
def test_damage_in_the_middle_leaves_nothing(lake, tmp_path, what):
    lake.files.put("raw@main/large", os.urandom(2_000_000))
    lake.files.put("raw@main/small", "s")
    tree = lake.core.snapshot(lake.commits.get("raw"))
    victim = list(tree.content(RepoPath("large"))._covering(0, 2_000_000))[2].digest
    with lake.core.metadata.write() as tx:
        tx._connection.exec_driver_sql("DELETE FROM blobs WHERE digest = ?", (victim,))
    fresh = with_objects(lake.core, lake.core.objects)  # with nothing in its caches
    with pytest.raises(CorruptDataError):
        fresh.snapshot(lake.commits.get("raw")).export(RepoPath(what), tmp_path / "target")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_and_says_so(lake, tmp_path, monkeypatch):
    tree = tree_of(lake, [(b"a", file()), (b"b", file())])

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "utime", full)
    with pytest.raises(StorageError) as caught:
        tree.export(ROOT, tmp_path / "target")
    assert caught.value.kind is ErrorKind.STORAGE_FULL
    assert list(tmp_path.iterdir()) == []


def test_a_file_made_meanwhile_is_not_overwritten(lake, tmp_path, monkeypatch):
    tree = tree_of(lake, [(b"a", file(b"new"))])
    target = tmp_path / "target"
    write = exporting._Writer.write

    def overtaken(self, entries):
        written = write(self, entries)
        target.write_text("somebody else's")
        return written

    monkeypatch.setattr(exporting._Writer, "write", overtaken)
    with pytest.raises(AlreadyExistsError):
        tree.export(RepoPath("a"), target)
    assert target.read_text() == "somebody else's"
    assert list(tmp_path.iterdir()) == [target]


def test_file_systems_without_hard_links_are_written_to(lake, tmp_path, monkeypatch):
    def refuses(*args, **kwargs):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    tree_of(lake, [(b"a", file(b"new"))]).export(RepoPath("a"), tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"new"


def test_paths_deeper_than_the_kernel_takes_at_once_are_an_error_not_a_crash(lake, tmp_path):
    deep = b"\0".join([b"d" * 60] * 66)
    tree = tree_of(lake, [(deep, file())])
    with pytest.raises((StorageError, InvalidInputError)):
        tree.export(ROOT, tmp_path / "target")
    assert list(tmp_path.iterdir()) == []
