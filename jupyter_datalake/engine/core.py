"""What every part of the engine works with: one lake's stores, caches and rules."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_datalake.disk_trust import DiskTrust
from jupyter_datalake.engine.blobs import BlobReader, BlobWriter
from jupyter_datalake.engine.nodes import NodeCache
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.metadata.store import Clock, MetadataStore
from jupyter_datalake.model.chunking import ChunkingParameters
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.ids import Digest, GlobalId, short_id
from jupyter_datalake.storage.base import ObjectStore


@dataclass(frozen=True, slots=True)
class LakeCore:
    """The stores of one open lake; made by `lake.opening`, shared by everything in the engine."""

    lake_id: str
    objects: ObjectStore
    metadata: MetadataStore
    blobs: BlobReader
    nodes: NodeCache
    chunking: ChunkingParameters
    work_folder: Path
    """Local folder for sessions, jobs and sockets; private to the lake."""
    url: str
    clock: Clock = field(default=time.time_ns)
    staged_count: int = 65_536
    """Acts of a session that are kept in memory before it is folded (`engine.session`)."""
    disk: DiskTrust = field(default_factory=DiskTrust)
    """Of this machine's part: objects of a lake in a folder, SQLite, sessions."""
    compares_duplicates: bool = False
    """Whether writers read what they leave out because the lake has it, and compare."""

    def snapshot(self, commit: Commit) -> Snapshot:
        """Return the tree of a commit."""
        tree = self.tree(commit.root, f"{commit.repo}@{short_id(commit.id)}")
        tree.commit_id = commit.id
        return tree

    def tree(self, root: Digest, label: str) -> Snapshot:
        """Return the tree below a manifest root."""
        return Snapshot(self.nodes, self.blobs, root, label)

    def writer(self) -> BlobWriter:
        """Return a writer for new blobs."""
        stored = self.blobs if self.compares_duplicates else None
        return BlobWriter(self.objects, self.metadata, stored=stored)


def new_id() -> str:
    """Return a new random id of 32 hex digits, for sessions and jobs."""
    return secrets.token_hex(16)


def new_global_id() -> GlobalId:
    """Return a new random global id."""
    return GlobalId(secrets.token_hex(16))
