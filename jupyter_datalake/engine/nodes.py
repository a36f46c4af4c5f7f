"""Manifest nodes: decoded ones kept in memory, new ones handed to a writer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from itertools import chain

from jupyter_datalake.engine.blobs import BlobReader, BlobWriter
from jupyter_datalake.forking import renew_lock_after_fork
from jupyter_datalake.model.ids import Digest, digest_of
from jupyter_datalake.model.manifests import Node, decode_node
from jupyter_datalake.model.packs import BlobKind

_LEAVES_KEPT = 1024
"""New leaves kept decoded while a tree is edited; about 30 KiB each."""


class NodeCache:
    """A `NodeSource` over stored blobs. Thread-safe."""

    def __init__(self, blobs: BlobReader, *, entries: int) -> None:
        self._blobs = blobs
        self._lock = threading.Lock()
        self._nodes: OrderedDict[Digest, Node] = OrderedDict()
        self._entries = entries
        renew_lock_after_fork(self)

    def load(self, digest: Digest) -> Node:
        """Return a node, or raise `CorruptDataError` / `StorageError`."""
        with self._lock:
            node = self._nodes.get(digest)
            if node is not None:
                self._nodes.move_to_end(digest)
                return node
        node = decode_node(self._blobs.get(digest, keep=False))
        self.keep(digest, node)
        return node

    def fetch(self, digests: Iterable[Digest]) -> None:
        """Read nodes that are about to be loaded, together; as many as are kept at most."""
        with self._lock:
            missing = [one for one in dict.fromkeys(digests) if one not in self._nodes]
        missing = missing[: self._entries]
        for digest, data in zip(missing, self._blobs.get_many(missing), strict=True):
            self.keep(digest, decode_node(data))

    def keep(self, digest: Digest, node: Node) -> None:
        """Take a decoded node into the cache."""
        with self._lock:
            self._nodes[digest] = node
            while len(self._nodes) > self._entries:
                self._nodes.popitem(last=False)


class NodeWriter:
    """A `NodeSink` that adds to the stored nodes through a blob writer.

    New nodes can be loaded before they are stored, because editing may come back to any of them:
    inner nodes and the last leaves from memory, older leaves from the packs they are in by then.
    """

    def __init__(self, stored: NodeCache, writer: BlobWriter) -> None:
        self._stored = stored
        self._writer = writer
        self._inner: dict[Digest, Node] = {}
        self._leaves: OrderedDict[Digest, Node] = OrderedDict()
        self._let_go: set[Digest] = set()

    def load(self, digest: Digest) -> Node:
        """Return a new or stored node."""
        node = self._inner.get(digest) or self._leaves.get(digest)
        if node is not None:
            return node
        if digest in self._let_go:
            self._writer.publish()
            self._let_go.clear()
        return self._stored.load(digest)

    def fetch(self, digests: Iterable[Digest]) -> None:
        """Read stored nodes that are about to be loaded, together."""
        self._stored.fetch(digests)

    def save(self, node: Node) -> Digest:
        """Hand a node to the writer and return its digest."""
        data = node.encode()
        digest = digest_of(data)
        if digest not in self._inner and digest not in self._leaves:
            self._writer.add(BlobKind.NODE, data)
            if node.level:
                self._inner[digest] = node
            else:
                self._keep_leaf(digest, node)
        return digest

    def _keep_leaf(self, digest: Digest, node: Node) -> None:
        self._leaves[digest] = node
        if len(self._leaves) > _LEAVES_KEPT:
            oldest, _ = self._leaves.popitem(last=False)
            self._let_go.add(oldest)

    def publish(self) -> None:
        """Put the new nodes into the cache, once their packs are registered."""
        for digest, node in chain(self._leaves.items(), self._inner.items()):
            self._stored.keep(digest, node)
