"""Names in order however many, and folders that are removed from below."""

import os
import random

import pytest

from jupyter_datalake.mount import listing
from jupyter_datalake.mount.folders import make_read_only
from jupyter_datalake.mount.listing import names_in, remove_tree, walk_up


@pytest.fixture(params=[1, 3, 50, 100_000])
def bound(request, monkeypatch):
    """How many names are sorted in memory."""
    monkeypatch.setattr(listing, "NAMES_IN_MEMORY", request.param)
    monkeypatch.setattr(listing, "_BLOCK_BYTES", 7)


def test_names_come_in_byte_order(bound, tmp_path):
    numbers = random.Random(1)
    names = {
        b"n" + numbers.randbytes(9).replace(b"\0", b"0").replace(b"/", b"1") for _ in range(40)
    }
    names |= {b"a\nb", b"a", b"a.txt", "é".encode()}
    for name in names:
        (open(os.path.join(os.fsencode(tmp_path), name), "wb")).close()
    assert list(names_in(os.fsencode(tmp_path))) == sorted(names)
    assert list(names_in(os.fsencode(tmp_path / "gone"))) == []


def test_a_tree_is_walked_from_below_and_symlinks_are_not_followed(bound, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").touch()
    (tmp_path / "a" / "b.c").touch()
    (tmp_path / "link").symlink_to("a")
    found = [
        (os.path.relpath(os.fsdecode(place), tmp_path), is_folder)
        for place, is_folder in walk_up(os.fsencode(tmp_path))
    ]
    assert found == [
        ("a/b/c", False),
        ("a/b", True),
        ("a/b.c", False),
        ("a", True),
        ("link", False),
    ]


def test_a_tree_is_removed_read_only_or_not_and_nothing_behind_a_symlink(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "_AT_ONCE", 2)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x").touch()
    tree = tmp_path / "tree"
    for number in range(7):
        (tree / "deep" / str(number)).mkdir(parents=True)
        (tree / "deep" / str(number) / "x").touch()
        (tree / f"link {number}").symlink_to(tmp_path / "kept")
    make_read_only(tree)
    assert not os.access(tree / "deep" / "1", os.W_OK) or os.geteuid() == 0
    remove_tree(tree)
    remove_tree(tree)
    assert not tree.exists()
    assert os.listdir(tmp_path / "kept") == ["x"]
    (tmp_path / "way").symlink_to("kept")
    with pytest.raises(OSError):
        remove_tree(tmp_path / "way")
    assert os.listdir(tmp_path / "kept") == ["x"]
