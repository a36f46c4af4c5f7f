"""What datums leave behind: stored as manifests, and joined into one tree."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from jupyter_datalake.engine.blobs import BlobWriter, register_packs
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.engine.sources import store_source, walk_folder
from jupyter_datalake.errors import ConflictError, ErrorKind, JobFailedError
from jupyter_datalake.metadata.pins import job_owner
from jupyter_datalake.model.entries import EntryKind, FileEntry, decode_entry
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import (
    Difference,
    Edit,
    Item,
    build_manifest,
    diff_manifests,
    edit_manifest,
    iter_items,
)
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import RepoPath, parse_path, path_from_key, path_key

_JOIN_BATCH = 10_000


class OutputBatch:
    """Stores what datums left: many folders in one pack and one transaction. Thread-safe.

    A folder that was stored is in the lake once `settle` has returned, and not before. A batch
    that could not be settled is lost as a whole.
    """

    def __init__(self, core: LakeCore) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._open: _OpenBatch | None = None

    def store(self, folder: Path, *, job_id: str, inside: Path | None = None) -> Digest:
        """Take everything below a folder and return the root of its manifest.

        Parameters
        ----------
        job_id
            The job it is for: gc keeps it until that has ended.
        inside
            Symlinks are followed to files below this folder, so that a program can pass inputs
            on by linking to them.

        Raises
        ------
        JobFailedError
            There is a socket, a pipe, a device, a symlink that leads outside, or a name that no
            path can hold; the message names it.
        """
        with self._lock:
            if self._open is None:
                self._open = _OpenBatch(self._core)
            root = self._open.store(folder, inside)
            self._open.roots[job_id].append(root)
            return root

    def settle(self) -> None:
        """Make durable and findable what was stored since the last call.

        Raises
        ------
        StorageError
            The disk is full, or the store or the database is away.
        StateError
            The lake may not store so much (``over-limit``).
        """
        with self._lock:
            batch, self._open = self._open, None
        if batch is not None:
            batch.settle()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Drop what was not settled."""
        if self._open is not None:
            self._open.drop()
            self._open = None


class _OpenBatch:
    """What was stored since the last time that everything was settled."""

    def __init__(self, core: LakeCore) -> None:
        self._core = core
        self._writer = core.writer()
        self._nodes = NodeWriter(core.nodes, self._writer)
        self.roots: dict[str, list[Digest]] = defaultdict(list)
        """Job to the manifests that it needs."""

    def store(self, folder: Path, inside: Path | None) -> Digest:
        skipped: list[str] = []
        items: list[Item] = []
        for place, relative in walk_folder(folder, skipped):
            entry = _store(self._core, self._writer, place, inside)
            path = parse_path(relative)
            items.append(Item(path_key(path), entry.encode(), entry.size_bytes))
        if skipped:
            raise JobFailedError(
                f"The output cannot be kept: {skipped[0]}",
                kind=ErrorKind.DATUM_FAILED,
                hint="Write only files, folders and symlinks to out",
                skipped=skipped[:100],
            )
        return build_manifest(self._nodes, sorted(items))

    def settle(self) -> None:
        with self._writer as writer:
            packs = writer.seal()
            with self._core.metadata.write() as tx:
                register_packs(tx, packs)
                for job_id, roots in self.roots.items():
                    tx.pins.add(job_owner(job_id), [(BlobKind.NODE, root) for root in roots])
            self._nodes.publish()

    def drop(self) -> None:
        self._writer.__exit__(None, None, None)


def store_folder(
    core: LakeCore, folder: Path, *, job_id: str, inside: Path | None = None
) -> Digest:
    """Store everything below one folder at once; see `OutputBatch.store`."""
    with OutputBatch(core) as batch:
        root = batch.store(folder, job_id=job_id, inside=inside)
        batch.settle()
    return root


def _store(core: LakeCore, writer: BlobWriter, place: Path, inside: Path | None) -> FileEntry:
    if place.is_symlink():
        target = Path(os.path.realpath(place))
        if inside is None or not target.is_relative_to(inside.resolve()) or not target.is_file():
            raise JobFailedError(
                f"The output cannot be kept: {place.name!r} is a symlink to {os.readlink(place)!r}",
                kind=ErrorKind.DATUM_FAILED,
                hint="Copy the file, or link to a file of an input",
            )
        place = target
    return store_source(writer, place, core.chunking, now_ns=core.clock())


def join_outputs(
    core: LakeCore,
    nodes: NodeWriter,
    previous: Digest,
    roots: Iterable[tuple[int, Digest]],
) -> Digest:
    """Return the tree that holds the outputs of all datums, and nothing else.

    A file that holds what the previous tree had at its path keeps the entry it had there: a
    program that writes the same bytes again leaves the same tree, and nothing downstream runs.

    Parameters
    ----------
    previous
        Root of the pipeline's last output.
    roots
        Position and output root of every datum, by position.

    Raises
    ------
    ConflictError
        Two datums wrote the same path (``outputs-collide``), or one a file where the other has
        a folder; both are named.
    """
    joined = build_manifest(nodes, [])
    owners: dict[bytes, int] = {}
    for position, root in roots:
        batch: list[Edit] = []
        for item in iter_items(nodes, root):
            if item.key in owners:
                raise _collision(path_from_key(item.key), owners[item.key], position)
            owners[item.key] = position
            batch.append(Edit(item.key, item.value, item.size_bytes))
            if len(batch) >= _JOIN_BATCH:
                joined, batch = edit_manifest(nodes, joined, batch), []
        joined = edit_manifest(nodes, joined, batch)
    joined = edit_manifest(nodes, joined, _without_nesting(nodes, joined, owners))
    kept = [
        Edit(difference.key, difference.old.value, difference.old.size_bytes)
        for difference in diff_manifests(nodes, previous, joined)
        if difference.old is not None and _only_time_differs(difference)
    ]
    return edit_manifest(nodes, joined, kept)


def _without_nesting(nodes: NodeWriter, root: Digest, owners: dict[bytes, int]) -> list[Edit]:
    """Return edits that drop markers of folders that others filled; refuse files with children."""
    edits: list[Edit] = []
    above: Item | None = None
    for item in iter_items(nodes, root):
        if above is not None and item.key.startswith(above.key + b"\0"):
            if decode_entry(above.value, above.size_bytes).kind is not EntryKind.FOLDER:
                raise _collision(path_from_key(item.key), owners[above.key], owners[item.key])
            edits.append(Edit(above.key, None))
        above = item
    return edits


def _only_time_differs(difference: Difference) -> bool:
    old, new = difference.old, difference.new
    if old is None or new is None:
        return False
    return decode_entry(old.value, old.size_bytes).same_content(
        decode_entry(new.value, new.size_bytes)
    )


def _collision(path: RepoPath, first: int, second: int) -> ConflictError:
    return ConflictError(
        f"Datums {first} and {second} both wrote {path!r}",
        kind=ErrorKind.OUTPUTS_COLLIDE,
        hint="Put something of the datum's own into the name, its input's name for instance",
        path=path,
        datums=[first, second],
    )
