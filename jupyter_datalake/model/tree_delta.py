"""What one tree has that others beside it have not: the nodes a copy must look at.

Replication walks a new tree next to trees that the other side is known to hold. What both have at
the same place is left out with everything below it, so the walk costs what differs. Trees may come
from strangers, so every step down is checked: levels, order of keys, counts and sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import Branch, Item, Measure, Node, NodeSource


class NewNode(NamedTuple):
    """A node of the new tree that none of the others has at its place."""

    digest: Digest
    node: Node
    new_items: list[Item]
    """For a leaf: its items that the others do not have just so."""


class _Place(NamedTuple):
    """A node and the keys it may hold: above `low`, up to `high`."""

    digest: Digest
    node: Node


def iter_new_nodes(
    source: NodeSource, root: Digest, others: Sequence[Digest] = ()
) -> Iterator[NewNode]:
    """Yield the nodes of a tree that other trees do not have at the same place, parents first.

    Parameters
    ----------
    source
        Knows the nodes of all of them.
    root
        Of the new tree.
    others
        Roots of the trees beside it.

    Raises
    ------
    CorruptDataError
        The new tree is not one: keys out of order, sums that do not add up.
    """
    if root in others:
        return
    node = source.load(root)
    beside = [_Place(digest, source.load(digest)) for digest in others]
    # A tree that is much higher holds so much more that looking beside it costs more than it saves.
    beside = [one for one in beside if one.node.level <= node.level + 1]
    yield from _walk(source, _Place(root, node), beside, None)


def _walk(
    source: NodeSource, place: _Place, beside: Sequence[_Place], low: bytes | None
) -> Iterator[NewNode]:
    node = place.node
    beside = [*_lowered(source, beside, node, low)]
    peers = [one.node for one in beside if one.node.level == node.level]
    if node.level == 0:
        known = {(item.key, item.value) for peer in peers for item in peer.items}
        fresh = [item for item in node.items if (item.key, item.value) not in known]
        yield NewNode(place.digest, node, fresh)
        return
    yield NewNode(place.digest, node, [])
    same = {branch.digest for peer in peers for branch in peer.branches}
    same |= {one.digest for one in beside}
    for branch in node.branches:
        if branch.digest not in same:
            child = _child(source, node, branch, low)
            near = [one for one in beside if one.node.level < node.level]
            near += _below(source, peers, low, branch.last_key)
            yield from _walk(source, child, near, low)
        low = branch.last_key


def _lowered(
    source: NodeSource, beside: Sequence[_Place], node: Node, low: bytes | None
) -> Iterator[_Place]:
    """Yield what is beside a node, none of it on a higher level than the node."""
    high = node.keys[-1] if node.keys else None
    for one in beside:
        if one.node.level > node.level:
            yield from _below(source, [one.node], low, high)
        else:
            yield one


def _below(
    source: NodeSource, nodes: Sequence[Node], low: bytes | None, high: bytes | None
) -> list[_Place]:
    """Return the children of nodes that hold keys above `low` and up to `high`."""
    found: list[_Place] = []
    for node in nodes:
        previous: bytes | None = None
        for branch in node.branches:
            reaches = low is None or branch.last_key > low
            if reaches and (high is None or previous is None or previous < high):
                found.append(_Place(branch.digest, source.load(branch.digest)))
            previous = branch.last_key
    return found


def _child(source: NodeSource, parent: Node, branch: Branch, low: bytes | None) -> _Place:
    """Return a child after checking that it is what its parent says."""
    child = source.load(branch.digest)
    first = child.keys[0] if child.keys else None
    fits = (
        child.level == parent.level - 1
        and first is not None
        and child.keys[-1] == branch.last_key
        and (low is None or first > low)
        and measure_of(child) == (branch.item_count, branch.size_bytes)
    )
    if not fits:
        raise CorruptDataError(
            f"Node {branch.digest.hex()} is not what the node above it says",
            kind=ErrorKind.CORRUPT_OBJECT,
            hint="The tree was made by a broken or hostile program",
            blob=branch.digest.hex(),
        )
    return _Place(branch.digest, child)


def measure_of(node: Node) -> Measure:
    """Return what a node says that it holds."""
    if node.level == 0:
        return Measure(len(node.items), sum(item.size_bytes for item in node.items))
    return Measure(
        sum(branch.item_count for branch in node.branches),
        sum(branch.size_bytes for branch in node.branches),
    )
