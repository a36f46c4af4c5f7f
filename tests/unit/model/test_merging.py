"""Three-way merging of trees agrees with a few dicts, from both sides, whatever is chosen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.model.entries import EntryKind, decode_entry, empty_folder, inline_file
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.manifests import (
    Item,
    build_manifest,
    decode_node,
    edit_manifest,
    iter_items,
)
from jupyter_datalake.model.merging import ClashKind, Side, Taken, merge_manifests
from jupyter_datalake.model.paths import RepoPath, path_from_key, path_key
from jupyter_datalake.testing.merge_model import above, three_way, tidy

EMPTY = None
"""What a dict holds for an empty folder."""


class Nodes:
    def __init__(self):
        self.stored = {}
        self.loads = 0

    def save(self, node):
        data = node.encode()
        self.stored[digest_of(data)] = data
        return digest_of(data)

    def load(self, digest):
        self.loads += 1
        return decode_node(self.stored[digest])


def entry_of(content, mtime_ns=0):
    if content is EMPTY:
        return empty_folder(mtime_ns=0)
    return inline_file(content, mode=0o644, mtime_ns=mtime_ns)


def build(nodes, tree, mtime_ns=0):
    items = [
        Item(path_key(RepoPath(path)), entry.encode(), entry.size_bytes)
        for path, entry in ((path, entry_of(content, mtime_ns)) for path, content in tree.items())
    ]
    return build_manifest(nodes, sorted(items))


def contents(nodes, root):
    found = {}
    for item in iter_items(nodes, root):
        entry = decode_entry(item.value, item.size_bytes)
        found[path_from_key(item.key)] = EMPTY if entry.kind is EntryKind.FOLDER else entry.content
    return found


def valid(tree):
    """A tree without what a file stands in the way of."""
    return tidy(
        {
            path: found
            for path, found in tree.items()
            if not any(tree.get(folder, EMPTY) is not EMPTY for folder in above(path))
        }
    )


PLACES = st.lists(st.sampled_from("ab"), min_size=1, max_size=3).map("/".join)
TREES = st.dictionaries(PLACES, st.sampled_from([b"1", b"2", b"3", EMPTY]), max_size=6).map(valid)


def merged(nodes, base, ours, theirs, choices=None, times=(0, 0, 0), *, from_ours=False):
    roots = [
        build(nodes, tree, time) for tree, time in zip((base, ours, theirs), times, strict=True)
    ]
    chosen = choices or {}
    found = merge_manifests(
        nodes, *roots, lambda clash: chosen.get(clash.path), from_ours=from_ours
    )
    root = edit_manifest(nodes, found.start, found.edits())
    return root, {clash.path: clash.kind for clash in found.open}


@given(TREES, TREES, TREES, st.dictionaries(PLACES, st.sampled_from(Side), max_size=4))
def test_a_merge_is_what_two_dicts_say_and_the_same_from_both_sides(base, ours, theirs, choices):
    nodes = Nodes()
    wanted = {path for path, side in choices.items() if side is Side.THEIRS}
    model = three_way(base, ours, theirs, wanted)
    expected, clashes = model.entries, model.clashes
    root, opened = merged(nodes, base, ours, theirs, choices)
    assert contents(nodes, root) == expected
    assert opened.keys() == clashes - choices.keys()
    assert root == build(nodes, expected)
    assert merged(nodes, base, ours, theirs, choices, from_ours=True) == (root, opened)
    # From the other side, what is chosen has the other name, and what is open is theirs.
    turned = dict.fromkeys(clashes, Side.THEIRS) | {
        path: Side.OURS if side is Side.THEIRS else Side.THEIRS for path, side in choices.items()
    }
    back, _ = merged(nodes, base, theirs, ours, turned)
    assert back == root


@given(TREES, TREES)
def test_merging_what_did_not_change_or_changed_alike_takes_the_other_side(base, other):
    nodes = Nodes()
    for ours, theirs in ((base, other), (other, base), (other, other)):
        root, opened = merged(nodes, base, ours, theirs)
        assert contents(nodes, root) == other
        assert opened == {}


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "kind", "path"),
    [
        ({}, {"a": b"1"}, {"a": b"2"}, ClashKind.BOTH_ADDED, "a"),
        ({"a": b"0"}, {"a": b"1"}, {"a": b"2"}, ClashKind.BOTH_MODIFIED, "a"),
        ({"a": b"0"}, {}, {"a": b"2"}, ClashKind.OURS_REMOVED, "a"),
        ({"a": b"0"}, {"a": b"1"}, {}, ClashKind.THEIRS_REMOVED, "a"),
        ({}, {"a": b"1"}, {"a/b/c": b"2"}, ClashKind.FILE_AND_FOLDER, "a"),
        ({"a": b"0"}, {"a": b"1"}, {"a/b": b"2"}, ClashKind.FILE_AND_FOLDER, "a"),
        ({"a/x": b"0"}, {"a": b"1"}, {"a/x": b"2"}, ClashKind.FILE_AND_FOLDER, "a"),
        ({"a/x": b"0"}, {"a/x": b"0", "a/y": EMPTY}, {"a": b"1"}, ClashKind.FILE_AND_FOLDER, "a"),
    ],
)
@pytest.mark.parametrize("extra", [0, 5])
def test_each_kind_of_clash_is_told_by_its_name(base, ours, theirs, kind, path, extra):
    nodes = Nodes()
    many = {f"z{number}": b"1" for number in range(extra)}  # lets either side be the smaller one
    roots = [build(nodes, tree) for tree in (base, {**ours, **many}, theirs)]
    found = merge_manifests(nodes, *roots, lambda clash: None)
    root = edit_manifest(nodes, found.start, found.edits())
    assert [(clash.path, clash.kind) for clash in found.open] == [(path, kind)]
    assert contents(nodes, root) == {**ours, **many}


def test_a_clash_can_become_what_another_place_has():
    nodes = Nodes()
    base, ours, theirs = {"d/a": b"0"}, {"d/a": b"1"}, {"d/a": b"2"}
    elsewhere = build(nodes, {"x/y": b"file", "x/z/w": b"below"})
    for taken, expected in (
        ("x/y", {"d/a": b"file"}),
        ("x", {"d/a/y": b"file", "d/a/z/w": b"below"}),
    ):
        root, opened = merged(nodes, base, ours, theirs, {"d/a": Taken(elsewhere, RepoPath(taken))})
        assert contents(nodes, root) == expected
        assert opened == {}


def test_times_alone_are_no_change_and_those_that_stay_are_ours():
    nodes = Nodes()
    tree = {"a": b"1", "b": b"2"}
    root, opened = merged(nodes, {}, tree, tree, times=(0, 7, 8))
    assert root == build(nodes, tree, 7)
    assert opened == {}
    more = {**tree, "c": b"3"}
    root, opened = merged(nodes, {}, tree, more, times=(0, 7, 8))
    kept = {item.key: item for item in iter_items(nodes, root)}
    assert {item.key for item in iter_items(nodes, build(nodes, tree, 7))} <= kept.keys()
    assert kept[b"a"] in list(iter_items(nodes, build(nodes, tree, 7)))
    root, opened = merged(nodes, {}, more, tree, times=(0, 7, 8))
    assert root == build(nodes, more, 7)


@pytest.mark.parametrize("extra", [0, 5])
def test_a_time_does_not_stand_against_a_removal(extra):
    nodes = Nodes()
    many = {f"z{number}": b"1" for number in range(extra)}  # lets either side be the smaller one
    touched, gone = {"a": b"1", "b": b"2", **many}, {"b": b"2"}
    for order, times in (((touched, gone), (0, 7, 0)), ((gone, touched), (0, 0, 7))):
        root, opened = merged(nodes, {"a": b"1", "b": b"2"}, *order, times=times)
        assert opened == {}
        assert contents(nodes, root) == {"b": b"2", **many}


def test_many_open_clashes_are_counted_and_the_first_are_told(monkeypatch):
    monkeypatch.setattr("jupyter_datalake.model.merging.MAX_OPEN", 3)
    nodes = Nodes()
    roots = [build(nodes, {f"{name}": text for name in "abcde"}) for text in (b"0", b"1", b"2")]
    found = merge_manifests(nodes, *roots, lambda clash: None)
    assert list(found.edits()) == []
    assert ([clash.path for clash in found.open], found.open_count) == (["a", "b", "c"], 5)


def test_edits_are_made_as_they_are_asked_for():
    nodes = Nodes()
    names = [f"{number:05}" for number in range(20_000)]
    base = dict.fromkeys(names, b"1")
    ours, theirs = ({**base, **dict.fromkeys(names[at::2], b"2")} for at in (0, 1))
    roots = [build(nodes, tree) for tree in (base, ours, theirs)]
    found = merge_manifests(nodes, *roots, lambda clash: None, from_ours=True)
    nodes.loads = 0
    next(found.edits())
    assert nodes.loads < 30, "it read what was not asked for"


def test_the_cost_of_a_merge_is_that_of_the_smaller_side():
    nodes = Nodes()
    base = {f"{number:05}": b"1" for number in range(10_000)}
    few, many = {**base, "05000": b"2"}, {f"new/{number:05}": b"3" for number in range(10_000)}
    roots = [build(nodes, tree) for tree in (base, few, {**base, **many})]
    for order in ((0, 1, 2), (0, 2, 1)):
        nodes.loads = 0
        found = merge_manifests(nodes, *(roots[one] for one in order), lambda clash: None)
        root = edit_manifest(nodes, found.start, found.edits())
        assert nodes.loads < 60, "it read what it had no need to"
        assert contents(nodes, root) == {**few, **many}
