"""The manifest: an immutable sorted map from path key to entry, kept as a content-defined B-tree.

A node's end is decided by a hash of its last key alone, independently on each level. So equal
maps have equal trees whatever their history, a changed value rewrites only the nodes above it,
and two trees are compared by skipping what has equal digests. Nodes are blobs; this module asks
for them through `NodeSource` and saves them through `NodeSink`, and does no I/O itself.

Byte layout: docs/format.md, section "Manifest node". Figures: docs/adr/0005-format-version-1.md.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import lt
from typing import Any, NamedTuple, Protocol

from xxhash import xxh32_intdigest

from jupyter_datalake.errors import CorruptDataError, ErrorKind, InternalError
from jupyter_datalake.model.encoding import pack_flat, unpack_canonical
from jupyter_datalake.model.ids import DIGEST_SIZE, Digest

NODE_TARGET = 128
"""Expected number of items in a node."""

MAX_LEVELS = 64
"""No tree is as high; a node that claims more is damage or an attack."""

NODE_MAX = NODE_TARGET * 16
"""A node ends here even without a boundary, so no choice of names makes one huge."""


class Item(NamedTuple):
    """One path of the map."""

    key: bytes
    value: bytes
    """Encoded entry, without the size."""
    size_bytes: int


class Edit(NamedTuple):
    """A change to one key: a new value, or None to remove it."""

    key: bytes
    value: bytes | None
    size_bytes: int = 0


class Difference(NamedTuple):
    """One key that two maps disagree on; None where a map lacks the key."""

    key: bytes
    old: Item | None
    new: Item | None


class Branch(NamedTuple):
    """A child of an inner node: everything up to `last_key`."""

    last_key: bytes
    digest: Digest
    item_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Node:
    """A decoded node: `items` on level 0, `branches` above; the other one is empty."""

    level: int
    keys: list[bytes]
    """Keys of the items, or last keys of the branches; sorted."""
    items: Sequence[Item] = ()
    branches: Sequence[Branch] = ()

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        if self.level == 0:
            return pack_flat(
                [
                    0,
                    self.keys,
                    [item.size_bytes for item in self.items],
                    [item.value for item in self.items],
                ]
            )
        return pack_flat(
            [
                self.level,
                self.keys,
                [branch.size_bytes for branch in self.branches],
                [branch.item_count for branch in self.branches],
                b"".join(branch.digest for branch in self.branches),
            ]
        )


def decode_node(data: bytes | memoryview) -> Node:
    """Return the node of canonical bytes, or raise `CorruptDataError`."""
    try:
        level, keys, sizes, *rest = unpack_canonical(data, "a manifest node")
        _check_types(level, keys, sizes)
        if level == 0:
            items = [Item(*row) for row in zip(keys, rest[0], sizes, strict=True)]
            return Node(0, keys, items=items)
        counts, joined = rest
        _check_types(level, keys, counts)
        if type(joined) is not bytes or not keys or len(joined) != len(keys) * DIGEST_SIZE:
            raise ValueError("not as many digests as keys, or none")
        digests = [Digest(joined[i : i + DIGEST_SIZE]) for i in range(0, len(joined), DIGEST_SIZE)]
        branches = [Branch(*row) for row in zip(keys, digests, counts, sizes, strict=True)]
        return Node(level, keys, branches=branches)
    except (ValueError, TypeError, IndexError) as error:
        raise CorruptDataError(
            "A manifest node has an unknown shape", kind=ErrorKind.CORRUPT_OBJECT
        ) from error


def _check_types(level: Any, keys: Any, numbers: Any) -> None:
    """Raise `ValueError` unless a node's parts are what the code below relies on."""
    if not (
        type(level) is int
        and 0 <= level < MAX_LEVELS
        and set(map(type, keys)) <= {bytes}
        and set(map(type, numbers)) <= {int}
        and min(numbers, default=0) >= 0
        and all(map(lt, keys, keys[1:]))
    ):
        raise ValueError("keys out of order, or a part of another type")


def _child(source: NodeSource, node: Node, index: int) -> Node:
    """Return a child of an inner node; each is lower than its parent, so every walk ends."""
    child = source.load(node.branches[index].digest)
    if child.level != node.level - 1:
        raise CorruptDataError(
            f"A manifest node of level {node.level} has a child of level {child.level}",
            kind=ErrorKind.CORRUPT_OBJECT,
        )
    return child


class NodeSource(Protocol):
    """Where decoded nodes come from; expected to cache them."""

    def load(self, digest: Digest) -> Node:
        """Return the node of this digest, or raise `CorruptDataError` / `NotFoundError`."""
        ...


class NodeSink(NodeSource, Protocol):
    """Where new nodes go; what was saved can be loaded at once."""

    def save(self, node: Node) -> Digest:
        """Store a node and return its digest."""
        ...


EMPTY_NODE = Node(0, [])


# --- building and editing ------------------------------------------------------------------------


def build_manifest(sink: NodeSink, items: Iterable[Item]) -> Digest:
    """Store the map of `items`, sorted by key without repeats, and return its root.

    Streams: memory is one open node per level.
    """
    builder = _Builder(sink)
    builder.add_items(items)
    return builder.finish()


def edit_manifest(sink: NodeSink, root: Digest, edits: Iterable[Edit]) -> Digest:
    """Return the root of `root` with `edits` applied, sorted by key without repeats.

    Removing a key that is absent changes nothing. Cost is proportional to the number of edits
    and the height of the tree, not to its size: untouched subtrees are taken over whole.
    """
    builder = _Builder(sink)
    _feed(builder, sink, sink.load(root), _Edits(edits), None)
    return builder.finish()


class _Edits:
    """Edits still to be made, taken one by one from a stream that may be longer than memory."""

    def __init__(self, edits: Iterable[Edit]) -> None:
        self._rest = iter(edits)
        self.next = next(self._rest, None)

    def any_up_to(self, last_key: bytes | None) -> bool:
        """Tell whether the next edit is at or before `last_key`; None is behind every key."""
        return self.next is not None and (last_key is None or self.next.key <= last_key)

    def take(self) -> Edit:
        edit, self.next = self.next, next(self._rest, None)
        assert edit is not None
        if self.next is not None and self.next.key <= edit.key:
            raise InternalError(f"Edits out of order: {self.next.key!r} after {edit.key!r}")
        return edit


def _feed(
    builder: _Builder, source: NodeSource, node: Node, edits: _Edits, last_key: bytes | None
) -> None:
    """Append the contents of `node`, with the edits up to `last_key`, to the new tree.

    A child without edits is taken over whole when the builder stands at a node boundary on all
    levels below: then its nodes begin and end exactly where a build from scratch would cut. The
    last child of the old tree ends without a boundary, but it gets every edit behind its last
    key, so nothing can follow it when it is taken over.
    """
    if node.level == 0:
        builder.add_items(_merge(node, edits, last_key))
        return
    final = len(node.branches) - 1
    for index, branch in enumerate(node.branches):
        end = last_key if index == final else branch.last_key
        if builder.is_aligned(node.level - 1) and not edits.any_up_to(end):
            builder.add_branch(node.level, branch)
        else:
            _feed(builder, source, _child(source, node, index), edits, end)


def _merge(node: Node, edits: _Edits, last_key: bytes | None) -> Iterator[Item]:
    keys, items = node.keys, node.items
    start = 0
    while edits.any_up_to(last_key):
        edit = edits.take()
        end = bisect_left(keys, edit.key, start)
        yield from items[start:end]
        start = end + 1 if end < len(keys) and keys[end] == edit.key else end
        if edit.value is not None:
            yield Item(edit.key, edit.value, edit.size_bytes)
    yield from items[start:]


def replace_range(
    sink: NodeSink, root: Digest, start: bytes, end: bytes | None, items: Iterable[Item]
) -> Digest:
    """Return the root of `root` with everything in `start` <= key < `end` replaced by `items`.

    `items` are sorted, without repeats, and inside the range. Cost: the new items and the height
    of the tree; what is outside the range is taken over by whole nodes.
    """
    builder = _Builder(sink)
    node = sink.load(root)
    _feed_range(builder, sink, node, b"", start)
    builder.add_items(items)
    if end is not None:
        _feed_range(builder, sink, node, end, None)
    return builder.finish()


def graft_range(
    sink: NodeSink, root: Digest, start: bytes, end: bytes | None, other: Digest
) -> Digest:
    """Return the root of `root` with the range as `other` has it.

    Cost: the height of the trees, however much the range holds: its nodes are shared.
    """
    builder = _Builder(sink)
    node = sink.load(root)
    _feed_range(builder, sink, node, b"", start)
    _feed_range(builder, sink, sink.load(other), start, end)
    if end is not None:
        _feed_range(builder, sink, node, end, None)
    return builder.finish()


def _feed_range(
    builder: _Builder, source: NodeSource, node: Node, start: bytes, end: bytes | None
) -> None:
    """Append what `node` holds in `start` <= key < `end` to the tree under construction.

    Children that lie inside are taken over whole where `_feed` would take them. The last child
    of a node is opened always: on the right edge of a tree it ends without a boundary.
    """
    if not start and end == b"":
        return
    if node.level == 0:
        first = bisect_left(node.keys, start)
        last = len(node.keys) if end is None else bisect_left(node.keys, end)
        builder.add_items(node.items[first:last])
        return
    final = len(node.branches) - 1
    for index in range(bisect_left(node.keys, start), len(node.branches)):
        if end is not None and index > 0 and node.keys[index - 1] >= end:
            return
        branch = node.branches[index]
        begins_inside = not start or (index > 0 and node.keys[index - 1] >= start)
        ends_inside = end is None or branch.last_key < end
        is_whole = begins_inside and ends_inside and index < final
        if is_whole and builder.is_aligned(node.level - 1):
            builder.add_branch(node.level, branch)
        else:
            child = _child(source, node, index)
            _feed_range(builder, source, child, b"" if begins_inside else start, end)


class _Builder:
    """Cuts a sorted stream into nodes, level by level."""

    def __init__(self, sink: NodeSink) -> None:
        self._sink = sink
        self._items: list[Item] = []
        self._branches: list[list[Branch]] = []
        """`_branches[n]` are the children of the open node on level n + 1."""

    def is_aligned(self, level: int) -> bool:
        """Tell whether no node is open on `level` or below."""
        return not self._items and not any(self._branches[:level])

    def add_items(self, items: Iterable[Item]) -> None:
        # What is done for each of a million items is written out, and looked up once.
        hash_of, target, largest = xxh32_intdigest, NODE_TARGET, NODE_MAX
        opened = self._items
        for item in items:
            opened.append(item)
            if hash_of(item[0], 0) % target == 0 or len(opened) >= largest:
                self._close(0)
                opened = self._items

    def add_branch(self, level: int, branch: Branch) -> None:
        """Append a finished node of `level - 1` to the open node on `level`."""
        while len(self._branches) < level:
            self._branches.append([])
        children = self._branches[level - 1]
        children.append(branch)
        if _is_boundary(branch.last_key, level) or len(children) >= NODE_MAX:
            self._close(level)

    def _close(self, level: int) -> None:
        if level == 0:
            items, self._items = self._items, []
            node = Node(0, [item.key for item in items], items=items)
            count, size_bytes = len(items), sum(item.size_bytes for item in items)
        else:
            branches = self._branches[level - 1]
            self._branches[level - 1] = []
            node = Node(level, [branch.last_key for branch in branches], branches=branches)
            count = sum(branch.item_count for branch in branches)
            size_bytes = sum(branch.size_bytes for branch in branches)
        digest = self._sink.save(node)
        self.add_branch(level + 1, Branch(node.keys[-1], digest, count, size_bytes))

    def finish(self) -> Digest:
        """Close what is open and return the root: the lowest node that holds everything."""
        level = 0
        while True:
            is_open = bool(self._items) if level == 0 else bool(self._branches[level - 1])
            nothing_above = not any(self._branches[level:])
            if nothing_above and not is_open and level == 0:
                return self._sink.save(EMPTY_NODE)
            if nothing_above and level > 0 and len(self._branches[level - 1]) == 1:
                return self._lowest(self._branches[level - 1][0].digest)
            if is_open:
                self._close(level)
            level += 1

    def _lowest(self, root: Digest) -> Digest:
        """Descend through inner nodes with a single child, which a fresh build never has on top."""
        node = self._sink.load(root)
        while node.level > 0 and len(node.branches) == 1:
            root = node.branches[0].digest
            node = self._sink.load(root)
        return root


def _is_boundary(key: bytes, level: int) -> bool:
    return xxh32_intdigest(key, level) % NODE_TARGET == 0


# --- reading -------------------------------------------------------------------------------------


def get_item(source: NodeSource, root: Digest, key: bytes) -> Item | None:
    """Return the item of `key`, or None; loads one node per level."""
    node = source.load(root)
    while node.level:
        index = bisect_left(node.keys, key)
        if index == len(node.keys):
            return None
        node = _child(source, node, index)
    index = bisect_left(node.keys, key)
    if index < len(node.keys) and node.keys[index] == key:
        return node.items[index]
    return None


def last_key(source: NodeSource, root: Digest) -> bytes:
    """Return the last key of a map, or nothing for an empty one; loads one node."""
    node = source.load(root)
    return node.keys[-1] if node.keys else b""


def key_at(source: NodeSource, root: Digest, rank: int) -> bytes | None:
    """Return the key that `rank` others come before, or None; loads one node per level."""
    node = source.load(root)
    while node.level:
        for index, branch in enumerate(node.branches):
            if rank < branch.item_count:
                node = _child(source, node, index)
                break
            rank -= branch.item_count
        else:
            return None
    return node.keys[rank] if rank < len(node.keys) else None


class Cursor:
    r"""Walks a manifest forward; `seek` skips without reading what lies between.

    Usage::

        cursor = Cursor(source, root)
        cursor.seek(b"data\0")
        while (item := cursor.peek()) is not None:
            ...
            cursor.advance()
    """

    def __init__(self, source: NodeSource, root: Digest) -> None:
        self._source = source
        self._root = root
        self._path: list[tuple[Node, int]] = []
        """Inner nodes from the root down, each with the index of the child that was taken."""
        self._leaf = EMPTY_NODE
        self._index = 0
        node = source.load(root)
        self._last_key = node.keys[-1] if node.keys else b""
        self._descend(node, b"")

    def _descend(self, node: Node, key: bytes) -> None:
        while node.level:
            index = bisect_left(node.keys, key)
            if index == len(node.keys):
                index -= 1  # the key lies behind everything: end on the last leaf, past its items
            self._path.append((node, index))
            node = _child(self._source, node, index)
        self._leaf = node
        self._index = bisect_left(node.keys, key)

    def peek(self) -> Item | None:
        """Return the item under the cursor, or None at the end."""
        while self._index >= len(self._leaf.items):
            if not self._next_leaf():
                return None
        return self._leaf.items[self._index]

    def advance(self) -> None:
        """Step to the next item."""
        self._index += 1

    def seek(self, key: bytes) -> None:
        """Move forward to the first item whose key is not below `key`; never backward."""
        if self._leaf.keys and key <= self._leaf.keys[-1]:
            self._index = bisect_left(self._leaf.keys, key, self._index)
            return
        if key > self._last_key:  # what is appended seeks there again and again
            self._path.clear()
            self._leaf, self._index = EMPTY_NODE, 0
            return
        while self._path and self._path[-1][0].keys[-1] < key:
            self._path.pop()
        if not self._path:
            self._descend(self._source.load(self._root), key)
            return
        node, index = self._path.pop()
        index = bisect_left(node.keys, key, index)
        self._path.append((node, index))
        self._descend(_child(self._source, node, index), key)

    def _next_leaf(self) -> bool:
        while self._path:
            node, index = self._path.pop()
            if index + 1 < len(node.branches):
                self._path.append((node, index + 1))
                self._descend(_child(self._source, node, index + 1), b"")
                return True
        return False


def iter_items(
    source: NodeSource, root: Digest, start: bytes = b"", end: bytes | None = None
) -> Iterator[Item]:
    """Yield the items with `start` <= key < `end`, in order; `end` None means to the last."""
    cursor = Cursor(source, root)
    cursor.seek(start)
    while (item := cursor.peek()) is not None and (end is None or item.key < end):
        yield item
        cursor.advance()


class Measure(NamedTuple):
    """How much a range of the map holds."""

    item_count: int
    size_bytes: int


def measure_range(
    source: NodeSource, root: Digest, start: bytes = b"", end: bytes | None = None
) -> Measure:
    """Return count and sum of sizes of the items with `start` <= key < `end`.

    Reads only the nodes at the two ends; what lies between is in the inner nodes' sums.
    """
    return _measure(source, source.load(root), start, end)


def _measure(source: NodeSource, node: Node, start: bytes, end: bytes | None) -> Measure:
    if node.level == 0:
        first = bisect_left(node.keys, start)
        last = len(node.keys) if end is None else bisect_left(node.keys, end)
        chosen = node.items[first:last]
        return Measure(len(chosen), sum(item.size_bytes for item in chosen))
    count = size_bytes = 0
    for index in range(bisect_left(node.keys, start), len(node.branches)):
        branch = node.branches[index]
        begins_inside = not start or (index > 0 and node.keys[index - 1] >= start)
        ends_inside = end is None or branch.last_key < end
        if begins_inside and ends_inside:
            part = Measure(branch.item_count, branch.size_bytes)
        else:
            child = _child(source, node, index)
            part = _measure(source, child, b"" if begins_inside else start, end)
        count += part.item_count
        size_bytes += part.size_bytes
        if not ends_inside:
            break
    return Measure(count, size_bytes)


# --- comparing -----------------------------------------------------------------------------------


def diff_manifests(
    source: NodeSource, old: Digest, new: Digest, start: bytes = b"", end: bytes | None = None
) -> Iterator[Difference]:
    """Yield the keys on which two maps differ, in order; `start` <= key < `end`.

    Subtrees with equal digests are skipped unread, and so is what lies before `start`: the cost
    is that of the differences that are asked for.
    """
    if old == new:
        return
    left = _DiffSide(source, old)
    right = _DiffSide(source, new)
    if start:
        left.seek(start)
        right.seek(start)
    while True:
        if left.is_between_leaves and right.is_between_leaves:
            _skip_equal(left, right)
        a, b = left.peek(), right.peek()
        if a is None and b is None:
            return
        if end is not None and min(one.key for one in (a, b) if one is not None) >= end:
            return
        if b is None or (a is not None and a.key < b.key):
            assert a is not None
            yield Difference(a.key, a, None)
            left.advance()
        elif a is None or b.key < a.key:
            yield Difference(b.key, None, b)
            right.advance()
        else:
            if a != b:
                yield Difference(a.key, a, b)
            left.advance()
            right.advance()


def _skip_equal(left: _DiffSide, right: _DiffSide) -> None:
    """Drop equal subtrees from both sides and open the taller of unequal ones.

    Afterwards both sides lead with unequal leaves, or one is used up.
    """
    while left.stack and right.stack:
        if left.stack[-1] == right.stack[-1]:
            left.stack.pop()
            right.stack.pop()
            continue
        height_left, height_right = left.height, right.height
        if height_left == height_right == 0:
            return
        if height_left >= height_right:
            left.open_top()
        if height_right >= height_left:
            right.open_top()


class _DiffSide:
    """One tree of a comparison: subtrees still to come (next one last) and the leaf being read."""

    def __init__(self, source: NodeSource, root: Digest) -> None:
        self._source = source
        self._items: Sequence[Item] = ()
        self._index = 0
        self.stack: list[Digest] = [root]

    @property
    def is_between_leaves(self) -> bool:
        return self._index >= len(self._items)

    @property
    def height(self) -> int:
        return self._source.load(self.stack[-1]).level

    def open_top(self) -> None:
        node = self._source.load(self.stack.pop())
        self.stack.extend(branch.digest for branch in reversed(node.branches))

    def seek(self, key: bytes) -> None:
        """Go to the first item whose key is not below `key`; once, before anything is read."""
        node = self._source.load(self.stack.pop())
        while node.level:
            index = bisect_left(node.keys, key)
            if index == len(node.keys):
                return
            self.stack.extend(branch.digest for branch in reversed(node.branches[index + 1 :]))
            node = _child(self._source, node, index)
        self._items = node.items
        self._index = bisect_left(node.keys, key)

    def peek(self) -> Item | None:
        while self.is_between_leaves:
            if not self.stack:
                return None
            if self.height:
                self.open_top()
            else:
                self._items = self._source.load(self.stack.pop()).items
                self._index = 0
        return self._items[self._index]

    def advance(self) -> None:
        self._index += 1


def iter_digests(
    source: NodeSource, root: Digest, *, known: Container[Digest] = ()
) -> Iterator[tuple[Digest, Node]]:
    """Yield every node below and including `root`, parents first, in the order of their keys.

    Parameters
    ----------
    known
        Nodes that are left out with everything below them; may grow meanwhile.
    """
    waiting = [iter([root])]
    while waiting:
        digest = next(waiting[-1], None)
        if digest is None:
            waiting.pop()
        elif digest not in known:
            node = source.load(digest)
            waiting.append(iter([branch.digest for branch in node.branches]))
            yield digest, node
