"""A worktree over another snapshot: which nodes stay, which change, which are replaced."""

import os

import pytest

from jupyter_datalake.engine.worktree import Worktree
from jupyter_datalake.model.files import FileKind


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    with memory_lake.sessions.create("raw") as session:
        session.put("d/x", "x")
        session.put("d/y", "y")
        session.put("e/f/z", "z")
        session.put("other/deep/w", "w")
        session.commit("Old")
    return memory_lake


def snapshot(lake):
    return lake.core.snapshot(lake.commits.get("raw", "main"))


def change(lake, *, put=(), delete=()):
    with lake.sessions.create("raw") as session:
        for path in delete:
            session.delete(path)
        for path, content in dict(put).items():
            session.put(path, content)
        session.commit("New")
    return snapshot(lake)


def pinned(tree, *paths):
    nodes = [tree.get(path) for path in paths]
    for node in nodes:
        node.pins = 1
    return nodes


def test_what_did_not_change_is_not_touched(lake):
    tree = Worktree(snapshot(lake))
    x, y, w = pinned(tree, "d/x", "d/y", "other/deep/w")
    shift = tree.reset(change(lake, put={"d/x": "changed"}))
    assert x in shift.nodes
    assert y not in shift.nodes
    assert w not in shift.nodes
    assert {node.name for node in shift.nodes if node.is_folder} == {"", "d"}
    assert shift.names == []
    assert tree.get("d/x") is x
    assert tree.base.content_of(x.entry).read(0, 10) == b"changed"


def test_what_is_gone_is_named_with_its_folder(lake):
    tree = Worktree(snapshot(lake))
    pinned(tree, "d/x", "e/f/z")
    d, e = tree.get("d"), tree.get("e")
    shift = tree.reset(change(lake, delete=["d/x", "e"]))
    assert sorted((folder.name, name) for folder, name in shift.names) == [("", "e"), ("d", "x")]
    assert tree.is_attached(d)
    assert not tree.is_attached(e)
    assert tree.resolve("e/f/z") is None


def test_another_kind_of_thing_is_another_node(lake):
    tree = Worktree(snapshot(lake))
    (x,) = pinned(tree, "d/x")
    shift = tree.reset(change(lake, delete=["d/x"], put={"d/x/now": "a folder"}))
    assert [(folder.name, name) for folder, name in shift.names] == [("d", "x")]
    assert tree.get("d/x").kind is FileKind.FOLDER
    assert not tree.is_attached(x)


def test_a_file_that_is_being_read_keeps_its_content_under_no_name(lake):
    tree = Worktree(snapshot(lake))
    x, y = pinned(tree, "d/x", "d/y")
    x.opens = y.opens = 1
    shift = tree.reset(change(lake, put={"d/x": "changed"}))
    assert [(folder.name, name) for folder, name in shift.names] == [("d", "x")]
    assert tree.base.content_of(x.entry).read(0, 10) == b"x"
    assert tree.get("d/x") is not x
    assert tree.get("d/y") is y


def test_a_file_that_is_open_for_writing_takes_the_new_content(lake):
    tree = Worktree(snapshot(lake))
    (x,) = pinned(tree, "d/x")
    x.opens = x.writers = 1
    shift = tree.reset(change(lake, put={"d/x": "changed"}))
    assert x in shift.nodes
    assert tree.get("d/x") is x


def test_a_tree_that_was_changed_shows_the_new_snapshot_and_nothing_else(lake):
    tree = Worktree(snapshot(lake))
    pinned(tree, "d/x", "e/f/z")
    tree.detach(tree.get("d/y"))
    folder = tree.get("e")
    tree.detach(folder)
    tree.attach(tree.root, "moved", folder)
    shift = tree.reset(tree.base)
    assert [(above.name, name) for above, name in shift.names] == [("", "moved")]
    assert {node.name for node in tree.iter_children(tree.root)} == {"d", "e", "other"}
    assert {node.name for node in tree.iter_children(tree.get("d"))} == {"x", "y"}
    assert list(tree.iter_changes()) == []


def test_listing_goes_on_over_every_change(lake):
    tree = Worktree(snapshot(lake))
    names = iter(tree.iter_children(tree.get("d")))
    assert next(names).name == "x"
    tree.detach(tree.get("d/x"))
    base = change(lake, put={"d/z": "z"})
    tree.reset(base)
    assert [node.name for node in names] == ["y"]


def test_listing_leaves_out_what_is_removed_meanwhile(lake):
    tree = Worktree(snapshot(lake))
    tree.get("d/y")
    names = iter(tree.iter_children(tree.get("d")))
    assert next(names).name == "x"
    tree.detach(tree.get("d/y"))
    assert list(names) == []


def test_files_share_what_only_folders_need(lake):
    tree = Worktree(snapshot(lake))
    x, y = tree.get("d/x"), tree.get("d/y")
    assert x.children is y.children
    assert x.hidden is y.hidden
    assert x.children == {}
    assert x.hidden == set()


def test_names_that_came_and_went_are_forgotten(lake):
    tree = Worktree(snapshot(lake))
    folder = tree.get("d")
    for number in range(100):
        node = tree.make_folders(f"d/{number}", 0)
        tree.detach(node)
    assert len(folder.hidden) == 100
    assert list(tree.iter_changes()) == []
    assert folder.hidden == set()


def test_paths_deeper_than_pythons_stack_are_compared_and_reset(memory_lake):
    memory_lake.repos.create("raw")
    tree = Worktree(snapshot(memory_lake))
    path = "/".join("d" * 2_000)
    tree.make_folders(path, 0)
    assert [change[0] for change in tree.iter_changes()] == [path]
    assert tree.get(path).name == "d"
    tree.reset(tree.base)
    assert list(tree.iter_changes()) == []


def test_random_trees_end_up_as_the_snapshot(lake):
    """Whatever was loaded and changed before, a reset shows exactly the new tree."""
    import random

    for seed in range(15):
        chance = random.Random(seed)
        tree = Worktree(snapshot(lake))
        for _ in range(30):
            paths = [path for path, _ in tree.base.iter_entries()]
            node = tree.resolve(chance.choice(paths))
            if node is None or node.parent is None:
                continue
            node.pins = chance.randrange(2)
            if chance.random() < 0.3:
                tree.detach(node)
            elif chance.random() < 0.3:
                name = f"moved-{chance.randrange(3)}"
                if tree.lookup(tree.root, name) is None:
                    tree.detach(node)
                    tree.attach(tree.root, name, node)
        put = {f"{chance.choice('def')}/{chance.choice('xyz')}": os.urandom(3) for _ in range(5)}
        base = change(lake, put={path: data for path, data in put.items() if path != "e/f"})
        tree.reset(base)
        assert list(tree.iter_changes()) == []
        assert dict(_walk(tree)) == dict(base.iter_entries())


def _walk(tree):
    waiting = [tree.root]
    while waiting:
        node = waiting.pop()
        if node.is_folder:
            waiting += tree.iter_children(node)
        else:
            yield tree.path_of(node), node.entry
