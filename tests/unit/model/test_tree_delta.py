"""The nodes of a tree that others have not: enough to copy, and no more than differs."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.manifests import (
    Branch,
    Edit,
    Item,
    Node,
    build_manifest,
    edit_manifest,
    iter_digests,
    iter_items,
)
from jupyter_datalake.model.tree_delta import iter_new_nodes


class Nodes:
    """A sink and source that remembers what was loaded."""

    def __init__(self):
        self.nodes = {}
        self.loads = 0

    def load(self, digest):
        self.loads += 1
        return self.nodes[digest]

    def save(self, node):
        digest = digest_of(node.encode())
        self.nodes[digest] = node
        return digest


def tree_of(sink, numbers):
    return build_manifest(
        sink, [Item(b"%08d" % one, b"v%d" % value, value) for one, value in sorted(numbers.items())]
    )


def assert_complete(source, root, others):
    """What the others have together with what is new must be the whole tree."""
    new = list(iter_new_nodes(source, root, others))
    there = {digest for other in others for digest, _ in iter_digests(source, other)}
    whole = {digest for digest, _ in iter_digests(source, root)}
    assert whole - there <= {one.digest for one in new} <= whole
    assert len(new) == len({one.digest for one in new})
    known = {item for other in others for item in iter_items(source, other)}
    fresh = {item for one in new for item in one.new_items}
    assert set(iter_items(source, root)) - known <= fresh
    return new


TREES = st.dictionaries(st.integers(0, 3000), st.integers(0, 3), max_size=600)


@given(TREES, st.lists(TREES, max_size=2))
def test_what_others_have_and_what_is_new_are_the_whole_tree(tree, others):
    sink = Nodes()
    assert_complete(sink, tree_of(sink, tree), [tree_of(sink, one) for one in others])


@given(st.integers(0, 20_000), st.integers(1, 30), st.randoms(use_true_random=False))
def test_edits_anywhere_cost_what_they_change(size, count, chance):
    sink = Nodes()
    old = tree_of(sink, dict.fromkeys(range(size), 1))
    keys = sorted({b"%08d" % chance.randrange(max(size, 1) * 2) for _ in range(count)})
    root = edit_manifest(sink, old, [Edit(key, b"new", 3) for key in keys])
    new = assert_complete(sink, root, [old])
    assert len(new) <= 6 * len(keys) + 6


def test_one_change_in_a_large_tree_loads_a_handful_of_nodes():
    sink = Nodes()
    old = tree_of(sink, dict.fromkeys(range(100_000), 1))
    root = edit_manifest(sink, old, [Edit(b"%08d" % 50_000, b"new", 3)])
    sink.loads = 0
    (leaf,) = [one for one in iter_new_nodes(sink, root, [old]) if one.new_items]
    assert leaf.new_items == [Item(b"%08d" % 50_000, b"new", 3)]
    assert sink.loads < 20


def test_a_tree_that_is_there_has_nothing_new():
    sink = Nodes()
    root = tree_of(sink, dict.fromkeys(range(1000), 1))
    assert list(iter_new_nodes(sink, root, [root])) == []


def test_a_small_tree_is_not_looked_for_in_a_large_one():
    sink = Nodes()
    large = tree_of(sink, dict.fromkeys(range(100_000), 1))
    small = tree_of(sink, {5: 1})
    sink.loads = 0
    assert [one.digest for one in iter_new_nodes(sink, small, [large])] == [small]
    assert sink.loads < 20


def hostile(sink, change):
    """A tree of two leaves under a node that says something else."""
    leaves = [[Item(b"a", b"1", 1), Item(b"b", b"1", 1)], [Item(b"c", b"1", 1)]]
    branches = []
    for items in leaves:
        node = Node(0, [item.key for item in items], items=items)
        branches.append(Branch(items[-1].key, sink.save(node), len(items), len(items)))
    branches = change(branches)
    return sink.save(Node(1, [one.last_key for one in branches], branches=branches))


HOSTILE = {
    "one child twice": lambda branches: [branches[0], branches[0]._replace(last_key=b"z")],
    "children in the wrong order": lambda branches: [
        branches[0]._replace(digest=branches[1].digest),
        branches[1]._replace(digest=branches[0].digest),
    ],
    "a count that is too large": lambda branches: [
        branches[0]._replace(item_count=10**15),
        branches[1],
    ],
    "a sum that is too large": lambda branches: [
        branches[0],
        branches[1]._replace(size_bytes=1 << 62),
    ],
}


@pytest.mark.parametrize("how", HOSTILE)
def test_trees_that_are_none_are_refused(how):
    sink = Nodes()
    root = hostile(sink, HOSTILE[how])
    with pytest.raises(CorruptDataError):
        list(iter_new_nodes(sink, root))


def test_a_tree_that_names_one_node_a_million_times_ends_at_once():
    # Twenty levels of sixteen equal children would be 16**20 nodes to walk.
    sink = Nodes()
    below = sink.save(Node(0, [b"a"], items=[Item(b"a", b"1", 1)]))
    count = 1
    for level in range(1, 8):
        keys = [b"%02d" % number for number in range(16)]
        branches = [Branch(key, below, count, count) for key in keys]
        below = sink.save(Node(level, keys, branches=branches))
        count *= 16
    with pytest.raises(CorruptDataError):
        list(iter_new_nodes(sink, below))
    assert sink.loads < 50


def test_random_histories_are_complete_step_by_step():
    noise, sink = random.Random(4), Nodes()
    roots = [tree_of(sink, dict.fromkeys(range(0, 4000, 2), 1))]
    for _ in range(30):
        edits = {
            b"%08d" % noise.randrange(4000): noise.choice([None, b"x%d" % noise.randrange(9)])
            for _ in range(noise.randrange(1, 60))
        }
        roots.append(
            edit_manifest(
                sink,
                noise.choice(roots),
                [
                    Edit(key, value, (value and len(value)) or 0)
                    for key, value in sorted(edits.items())
                ],
            )
        )
        assert_complete(sink, roots[-1], noise.sample(roots[:-1], min(2, len(roots) - 1)))
