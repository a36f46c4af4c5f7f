"""Manifests: a map is a map, however it came about, and every question about it is answered from
the few nodes that matter."""

import random
from bisect import bisect_left

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from xxhash import xxh32_intdigest

from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.model import manifests
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.manifests import (
    EMPTY_NODE,
    Branch,
    Cursor,
    Difference,
    Edit,
    Item,
    Node,
    build_manifest,
    decode_node,
    diff_manifests,
    edit_manifest,
    get_item,
    graft_range,
    iter_digests,
    iter_items,
    measure_range,
    replace_range,
)
from jupyter_datalake.testing.strategies import edit_lists, item_maps


class Nodes:
    """A node store in a dict that counts what is asked for; nodes pass through their bytes."""

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


@pytest.fixture(
    params=["as released", "small nodes", "max cut only", "cuts in plenty"], autouse=True
)
def sizes(request, monkeypatch):
    """Every test runs with trees of one level, of many, and with cuts that the keys refuse or
    force everywhere."""
    target, largest = {
        "as released": (manifests.NODE_TARGET, manifests.NODE_MAX),
        "small nodes": (4, 8),
        "max cut only": (1 << 32, 3),
        "cuts in plenty": (2, 100),
    }[request.param]
    monkeypatch.setattr(manifests, "NODE_TARGET", target)
    monkeypatch.setattr(manifests, "NODE_MAX", largest)
    return request.param


def items_of(found):
    return [Item(key, *found[key]) for key in sorted(found)]


def build(nodes, found):
    return build_manifest(nodes, items_of(found))


def apply(found, edits):
    changed = dict(found)
    for edit in edits:
        if edit.value is None:
            changed.pop(edit.key, None)
        else:
            changed[edit.key] = (edit.value, edit.size_bytes)
    return changed


def numbered(count, start=0):
    return {b"k%06d" % number: (b"v%d" % number, number) for number in range(start, start + count)}


# --- building and editing ------------------------------------------------------------------------


@given(item_maps())
@example({})
@example({b"": (b"", 0)})
def test_what_was_built_is_what_is_there(found):
    nodes = Nodes()
    root = build(nodes, found)
    assert list(iter_items(nodes, root)) == items_of(found)
    for item in items_of(found):
        assert get_item(nodes, root, item.key) == item
    assert get_item(nodes, root, b"not there") is None
    assert get_item(nodes, root, b"\xff" * 30) is None


@given(item_maps(), st.lists(edit_lists(), min_size=1, max_size=4))
def test_edits_one_after_the_other_give_the_tree_that_is_built_from_scratch(found, scripts):
    nodes = Nodes()
    root = build(nodes, found)
    for edits in scripts:
        root = edit_manifest(nodes, root, edits)
        found = apply(found, edits)
        assert root == build(Nodes(), found)
        assert list(iter_items(nodes, root)) == items_of(found)


@pytest.mark.parametrize("seed", range(5))
def test_long_histories_end_in_the_tree_that_is_built_from_scratch(seed):
    chance = random.Random(seed)
    nodes, found = Nodes(), numbered(1500)
    root = build(nodes, found)
    for _ in range(15):
        # A contiguous stretch and some single keys: removals that empty whole nodes, and
        # insertions before, into and behind everything.
        begin = chance.randrange(1600)
        chosen = {b"k%06d" % one for one in range(begin, begin + chance.randrange(200))}
        chosen |= {b"k%06d" % chance.randrange(2000) for _ in range(10)}
        chosen |= {b"a%d" % chance.randrange(50), b"z%d" % chance.randrange(50)}
        edits = [
            Edit(key, None if chance.random() < 0.6 else b"new%d" % chance.randrange(9), 7)
            for key in sorted(chosen)
        ]
        root = edit_manifest(nodes, root, edits)
        found = apply(found, edits)
    assert root == build(Nodes(), found)


def test_removing_everything_gives_the_empty_tree():
    nodes = Nodes()
    root = build(nodes, numbered(300))
    emptied = edit_manifest(nodes, root, [Edit(key, None) for key in sorted(numbered(300))])
    assert emptied == nodes.save(EMPTY_NODE)
    assert list(iter_items(nodes, emptied)) == []


def test_edits_that_change_nothing_give_the_same_root():
    nodes, found = Nodes(), numbered(300)
    root = build(nodes, found)
    same = [Edit(key, *found[key]) for key in sorted(found)[::7]]
    assert edit_manifest(nodes, root, same) == root
    assert edit_manifest(nodes, root, []) == root
    assert edit_manifest(nodes, root, [Edit(b"absent", None)]) == root


def test_nodes_are_never_larger_than_the_bound():
    nodes = Nodes()
    root = build(nodes, numbered(2000))
    for _, node in iter_digests(nodes, root):
        assert 1 <= len(node.keys) <= manifests.NODE_MAX


def test_one_change_rewrites_only_the_nodes_above_it():
    nodes = Nodes()
    root = build(nodes, numbered(3000))
    height = nodes.load(root).level + 1
    before = set(nodes.stored)
    nodes.loads = 0
    edit_manifest(nodes, root, [Edit(b"k001500", b"changed", 1)])
    assert len(set(nodes.stored) - before) <= height + 1
    assert nodes.loads <= 4 * height


def hostile_keys(count, cuts):
    """Keys that end a node on each of the first levels, or on none, as released."""
    found, number = {}, 0
    while len(found) < count:
        key = b"h%08d" % number
        if [xxh32_intdigest(key, level) % 128 == 0 for level in range(len(cuts))] == cuts:
            found[key] = (b"", 1)
        number += 1
    return found


@pytest.mark.parametrize(
    ("count", "cuts"), [(600, [True]), (60, [True, True]), (5000, [False, False])]
)
def test_names_chosen_to_cut_always_or_never_make_bounded_nodes(count, cuts):
    nodes = Nodes()
    found = hostile_keys(count, cuts)
    root = build(nodes, found)
    assert max(len(node.keys) for _, node in iter_digests(nodes, root)) <= manifests.NODE_MAX
    edits = [Edit(key, None) for key in sorted(found)[20:50]]
    assert edit_manifest(nodes, root, edits) == build(Nodes(), apply(found, edits))


# --- reading -------------------------------------------------------------------------------------


@given(item_maps(), st.lists(st.one_of(st.binary(max_size=6), st.integers(0, 5000)), max_size=20))
def test_seeking_forward_finds_the_first_key_not_below(found, wanted):
    nodes = Nodes()
    root = build(nodes, found)
    ordered = items_of(found)
    cursor = Cursor(nodes, root)
    position = 0
    for one in sorted(b"k%05d" % one if isinstance(one, int) else one for one in wanted):
        cursor.seek(one)
        position = max(position, bisect_left([item.key for item in ordered], one))
        expected = ordered[position] if position < len(ordered) else None
        assert cursor.peek() == expected
        if expected is not None:
            cursor.advance()
            position += 1


@given(item_maps(), st.binary(max_size=6), st.one_of(st.none(), st.binary(max_size=6)))
def test_ranges_and_their_measures_are_those_of_the_map(found, start, end):
    nodes = Nodes()
    root = build(nodes, found)
    expected = [
        item for item in items_of(found) if start <= item.key and (end is None or item.key < end)
    ]
    assert list(iter_items(nodes, root, start, end)) == expected
    measure = measure_range(nodes, root, start, end)
    assert measure == (len(expected), sum(item.size_bytes for item in expected))


def test_measuring_reads_only_the_two_ends():
    nodes = Nodes()
    root = build(nodes, numbered(3000))
    height = nodes.load(root).level + 1
    nodes.loads = 0
    assert measure_range(nodes, root, b"k000500", b"k002500").item_count == 2000
    assert nodes.loads <= 2 * height


def test_looking_up_reads_one_node_per_level():
    nodes = Nodes()
    root = build(nodes, numbered(3000))
    height = nodes.load(root).level + 1
    nodes.loads = 0
    get_item(nodes, root, b"k001234")
    assert nodes.loads == height


@given(item_maps())
def test_every_node_is_yielded_once_with_parents_first(found):
    nodes = Nodes()
    root = build(nodes, found)
    announced = [root]
    seen = []
    for digest, node in iter_digests(nodes, root):
        assert digest in announced
        seen.append(digest)
        announced += [branch.digest for branch in node.branches]
    assert sorted(seen) == sorted(announced)


def test_known_nodes_are_left_out_with_everything_below():
    nodes = Nodes()
    root = build(nodes, numbered(3000))
    top = nodes.load(root)
    known = {branch.digest for branch in top.branches}
    found = [digest for digest, _ in iter_digests(nodes, root, known=known)]
    assert found == [root]
    assert list(iter_digests(nodes, root, known={root})) == []


# --- comparing -----------------------------------------------------------------------------------


@given(item_maps(), edit_lists())
def test_a_diff_is_the_difference_of_the_maps(found, edits):
    nodes = Nodes()
    other = apply(found, edits)
    old, new = build(nodes, found), build(nodes, other)
    expected = [
        Difference(
            key,
            Item(key, *found[key]) if key in found else None,
            Item(key, *other[key]) if key in other else None,
        )
        for key in sorted(found.keys() | other.keys())
        if found.get(key) != other.get(key)
    ]
    assert list(diff_manifests(nodes, old, new)) == expected


@given(item_maps(), item_maps())
def test_a_diff_of_unrelated_maps_is_right_in_both_directions(one, other):
    nodes = Nodes()
    left, right = build(nodes, one), build(nodes, other)
    there = list(diff_manifests(nodes, left, right))
    back = list(diff_manifests(nodes, right, left))
    assert [(found.key, found.new, found.old) for found in there] == [tuple(one) for one in back]
    assert apply(one, [Edit(d.key, *(d.new[1:] if d.new else (None,))) for d in there]) == other


@given(item_maps(), edit_lists(), st.binary(max_size=4), st.none() | st.binary(max_size=4))
def test_a_part_of_a_diff_is_that_part_of_the_whole(found, edits, start, end):
    nodes = Nodes()
    old, new = build(nodes, found), build(nodes, apply(found, edits))
    whole = list(diff_manifests(nodes, old, new))
    keys = [one.key for one in whole]
    for first in {start, *keys[:3]}:
        part = [one for one in whole if first <= one.key and (end is None or one.key < end)]
        assert list(diff_manifests(nodes, old, new, first, end)) == part


def test_comparing_equal_trees_reads_nothing():
    nodes = Nodes()
    root = build(nodes, numbered(1000))
    nodes.loads = 0
    assert list(diff_manifests(nodes, root, root)) == []
    assert nodes.loads == 0


def test_the_cost_of_a_diff_is_that_of_the_change(sizes):
    nodes, found = Nodes(), numbered(3000)
    old = build(nodes, found)
    new = edit_manifest(nodes, old, [Edit(b"k001500", b"changed", 1)])
    nodes.loads = 0
    assert [one.key for one in diff_manifests(nodes, old, new)] == [b"k001500"]
    levels = nodes.load(old).level + 1
    widest = max(len(node.keys) for _, node in iter_digests(Nodes2(nodes), old))
    assert nodes.loads <= 8 * levels * (widest if sizes != "cuts in plenty" else 1) + 8


class Nodes2:
    """The same nodes, not counted."""

    def __init__(self, nodes):
        self.load = lambda digest: decode_node(nodes.stored[digest])


# --- bytes ---------------------------------------------------------------------------------------


def test_bytes_of_a_node_are_fixed_for_ever():
    leaf = Node(0, [b"a", b"b"], items=[Item(b"a", b"1", 2), Item(b"b", b"", 0)])
    assert leaf.encode().hex() == "9400" + "92c40161c40162" + "920200" + "92c40131c400"
    inner = Node(1, [b"b"], branches=[Branch(b"b", b"\x11" * 32, 2, 2)])
    assert inner.encode().hex() == "9501" + "91c40162" + "9102" + "9102" + "c420" + "11" * 32
    assert decode_node(leaf.encode()) == leaf
    assert decode_node(inner.encode()) == inner


@given(st.binary(max_size=60))
def test_any_bytes_are_a_node_or_damage(data):
    try:
        node = decode_node(data)
    except CorruptDataError:
        return
    assert node.keys == sorted(node.keys)


@pytest.mark.parametrize(
    "parts",
    [
        7,
        [],
        [0],
        [0, [], []],
        [0, [b"a"], [1], []],
        [0, [b"b", b"a"], [1, 1], [b"", b""]],
        [0, [b"a", b"a"], [1, 1], [b"", b""]],
        [0, ["a"], [1], [b""]],
        [0, [b"a"], [-1], [b""]],
        [0, [b"a"], ["1"], [b""]],
        [-1, [b"a"], [1], [1], b"x" * 32],
        [1000, [b"a"], [1], [1], b"x" * 32],
        ["1", [b"a"], [1], [1], b"x" * 32],
        [1, [b"a"], [1], [1], b"x" * 31],
        [1, [b"a"], [1], [1], b"x" * 64],
        [1, [b"a"], [1], [1], "x" * 32],
        [1, [], [], [], b""],
    ],
)
def test_nodes_of_another_shape_are_damage(parts):
    with pytest.raises(CorruptDataError):
        decode_node(pack_canonical(parts))


def test_child_that_is_not_lower_than_its_parent_is_damage():
    nodes = Nodes()
    leaf = nodes.save(Node(0, [b"a"], items=[Item(b"a", b"", 1)]))
    inner = nodes.save(Node(1, [b"a"], branches=[Branch(b"a", leaf, 1, 1)]))
    wrong = nodes.save(Node(1, [b"a"], branches=[Branch(b"a", inner, 1, 1)]))
    for ask in (
        lambda: get_item(nodes, wrong, b"a"),
        lambda: list(iter_items(nodes, wrong)),
        lambda: measure_range(nodes, wrong, b"a", b"a\0"),
        lambda: edit_manifest(nodes, wrong, [Edit(b"a", None)]),
    ):
        with pytest.raises(CorruptDataError):
            ask()


def bounds(draw, left, right):
    """A range that begins and ends at, between, or beside the keys of two maps."""
    known = sorted({b"", *left, *right})
    start = draw(st.sampled_from(known)) + draw(st.sampled_from([b"", b"\0"]))
    ends = [None, *(key for key in known if key >= start), start + b"\xff"]
    return start, draw(st.sampled_from(ends))


def is_inside(key, start, end):
    return start <= key and (end is None or key < end)


def rooted(nodes, found):
    return build_manifest(nodes, [Item(key, *found[key]) for key in sorted(found)])


@given(item_maps(), item_maps(), st.data())
def test_a_range_of_a_difference_is_the_difference_in_that_range(left, right, data):
    nodes = Nodes()
    old, new = rooted(nodes, left), rooted(nodes, right)
    start, end = bounds(data.draw, left, right)
    expected = [one for one in diff_manifests(nodes, old, new) if is_inside(one.key, start, end)]
    assert list(diff_manifests(nodes, old, new, start, end)) == expected


@given(item_maps(), item_maps(), st.data())
def test_a_replaced_or_grafted_range_makes_the_tree_that_a_fresh_build_makes(left, right, data):
    nodes = Nodes()
    old, new = rooted(nodes, left), rooted(nodes, right)
    start, end = bounds(data.draw, left, right)
    outside = {key: found for key, found in left.items() if not is_inside(key, start, end)}
    inside = {key: found for key, found in right.items() if is_inside(key, start, end)}
    expected = rooted(nodes, outside | inside)
    items = [Item(key, *inside[key]) for key in sorted(inside)]
    assert replace_range(nodes, old, start, end, items) == expected
    assert graft_range(nodes, old, start, end, new) == expected


def test_grafting_reads_the_edges_of_a_range_and_not_its_inside(monkeypatch):
    nodes = Nodes()
    left = {b"k%06d" % number: (b"old", 1) for number in range(5_000)}
    right = {b"k%06d" % number: (b"new", 1) for number in range(5_000)}
    old, new = rooted(nodes, left), rooted(nodes, right)
    everything = len(nodes.stored)
    nodes.loads = 0
    grafted = graft_range(nodes, old, b"k000010", b"k004990", new)
    assert measure_range(nodes, grafted).item_count == 5_000
    assert nodes.loads < everything / 2
    assert len(list(diff_manifests(nodes, grafted, new))) == 20
