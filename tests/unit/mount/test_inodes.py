"""Inode numbers: stable, unique, and forgotten with what they stand for."""

import pytest

from jupyter_datalake.engine.tree_nodes import Node
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.mount.inodes import ROOT_NUMBER, InodeTable
from jupyter_datalake.mount.views import View


class SomeView(View):
    """A view that remembers what was released."""

    def __init__(self):
        super().__init__("raw", Node(FileKind.FOLDER, "", None), 7)
        self.released = []

    def release(self, node):
        self.released.append(node)


@pytest.fixture
def view():
    return SomeView()


@pytest.fixture
def table(view):
    return InodeTable(view, view.root)


def node(name, kind=FileKind.FILE, above=None):
    return Node(kind, name, above)


def test_a_number_follows_from_the_path(view, table):
    first = table.of(view, node("x"), table.root, "x")
    other = InodeTable(view, Node(FileKind.FOLDER, "", None))
    again = other.of(view, node("x"), other.root, "x")
    assert first.number == again.number
    assert first.number != table.of(view, node("y"), table.root, "y").number
    assert ROOT_NUMBER < first.number < 2**63


def test_a_node_keeps_its_number_under_another_name(view, table):
    known = node("x")
    number = table.of(view, known, table.root, "x").number
    assert table.of(view, known, table.root, "renamed").number == number


def test_another_node_at_a_path_in_use_gets_another_number(view, table):
    old, new = node("x"), node("x")
    first = table.of(view, old, table.root, "x")
    first.lookups = 1
    second = table.of(view, new, table.root, "x")
    assert second.number != first.number
    table.forget(first.number, 1)
    table.drop_if_unknown(second)
    assert table.of(view, node("x"), table.root, "x").number == first.number


def test_names_of_any_bytes_have_numbers(view, table):
    names = ["\udcff", "é", "e\u0301", " ", "x" * 255]
    assert len({table.of(view, node(name), table.root, name).number for name in names}) == 5


def test_an_inode_is_kept_while_it_is_known_or_open(view, table):
    known = node("x")
    inode = table.of(view, known, table.root, "x")
    inode.lookups = 2
    table.forget(inode.number, 1)
    assert table.get(inode.number) is inode
    known.opens = 1
    table.forget(inode.number, 1)
    assert table.get(inode.number) is inode
    known.opens = 0
    table.drop_if_unknown(inode)
    with pytest.raises(OSError):
        table.get(inode.number)
    assert view.released == [known]
    assert known.pins == 0
    table.drop_if_unknown(inode)
    assert view.released == [known]


def test_the_root_is_never_forgotten(view, table):
    table.forget(ROOT_NUMBER, 100)
    table.forget(12345, 1)
    assert table.get(ROOT_NUMBER).node is view.root
    assert len(table) == 1


def test_the_oldest_files_are_offered_once_each_round_and_folders_never(view, table):
    folder = node("d", FileKind.FOLDER, view.root)
    table.of(view, folder, table.root, "d")
    for name in "abc":
        table.of(view, node(name, above=view.root), table.root, name)
    busy = node("busy", above=view.root)
    busy.opens = 1
    table.of(view, busy, table.root, "busy")
    assert list(table.oldest_files(2)) == [(ROOT_NUMBER, "a"), (ROOT_NUMBER, "b")]
    assert list(table.oldest_files(2)) == [(ROOT_NUMBER, "c"), (ROOT_NUMBER, "a")]
