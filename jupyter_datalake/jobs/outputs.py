"""What datums leave behind: stored as manifests, and joined into one tree."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Self

from jupyter_datalake.engine.blobs import BlobWriter, register_packs
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.engine.sources import store_source, walk_folder
from jupyter_datalake.errors import ConflictError, ErrorKind, JobFailedError
from jupyter_datalake.metadata.pins import job_owner
from jupyter_datalake.model.entries import EntryKind, FileEntry, decode_entry, kind_of
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import (
    Difference,
    Edit,
    Item,
    NodeSource,
    build_manifest,
    diff_manifests,
    edit_manifest,
    get_item,
    iter_items,
    last_key,
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
        self._settling = threading.Lock()
        """Who settles what another thread settles already waits for that: it may be theirs."""
        self._calls = 0
        self._failed: tuple[int, BaseException] | None = None
        """How many calls had begun when one failed last, and why."""
        self._open: _OpenBatch | None = None
        self._lost: BaseException | None = None
        """Why folders that were stored since the last time are in the lake no more."""

    def store(self, folder: Path, *, job_id: str, inside: Sequence[Path] = ()) -> Digest:
        """Take everything below a folder and return the root of its manifest.

        Parameters
        ----------
        job_id
            The job it is for: gc keeps it until that has ended.
        inside
            Symlinks are followed to what is in these folders, so that a program can pass inputs
            on by linking to them; of a folder, everything below is taken.

        Raises
        ------
        JobFailedError
            There is a socket, a pipe, a device, a symlink that leads outside, or a name that no
            path can hold; the message names it.
        """
        with self._lock:
            if self._open is None:
                self._open = _OpenBatch(self._core)
            try:
                root = self._open.store(folder, inside)
            except JobFailedError:
                raise  # of the folder; nothing is wrong with what is written of it
            except BaseException as error:
                # What was written may end anywhere, so nothing may be written behind it.
                broken, self._open = self._open, None
                broken.drop()
                self._lost = error
                raise
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
            self._calls += 1
            call = self._calls
        with self._settling:
            with self._lock:
                batch, self._open = self._open, None
                lost, self._lost = self._lost, None
            try:
                if batch is not None:
                    batch.settle()
                if lost is not None:
                    raise lost
            except BaseException as error:
                self._failed = self._calls, error
                raise
            if self._failed is not None and call <= self._failed[0]:
                raise self._failed[1]  # what this thread stored was perhaps in that batch

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

    def store(self, folder: Path, inside: Sequence[Path]) -> Digest:
        skipped: list[str] = []
        items: list[Item] = []
        for place, relative in _walk(folder, inside, skipped):
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
    core: LakeCore, folder: Path, *, job_id: str, inside: Sequence[Path] = ()
) -> Digest:
    """Store everything below one folder at once; see `OutputBatch.store`."""
    with OutputBatch(core) as batch:
        root = batch.store(folder, job_id=job_id, inside=inside)
        batch.settle()
    return root


def _walk(folder: Path, inside: Sequence[Path], skipped: list[str]) -> Iterator[tuple[Path, str]]:
    """Yield what `walk_folder` does; in place of a link to an input's folder what is in that."""
    for place, relative in walk_folder(folder, skipped):
        target = _target_of(place, inside) if os.path.islink(place) else None
        if target is None or not target.is_dir():
            yield place, relative
        elif os.listdir(target):
            for below, path in walk_folder(target, skipped):
                yield below, f"{relative}/{path}"
        else:
            yield target, relative


def _target_of(place: Path, inside: Sequence[Path]) -> Path | None:
    """Return what a symlink leads to if that is in one of some folders."""
    target = Path(os.path.realpath(place))
    is_inside = any(target.is_relative_to(folder.resolve()) for folder in inside)
    return target if is_inside else None


def _store(core: LakeCore, writer: BlobWriter, place: Path, inside: Sequence[Path]) -> FileEntry:
    if os.path.islink(place):
        target = _target_of(place, inside)
        if target is None or not target.is_file():
            raise JobFailedError(
                f"The output cannot be kept: {place.name!r} is a symlink to {os.readlink(place)!r}",
                kind=ErrorKind.DATUM_FAILED,
                hint="Copy it, or link to a file or folder of an input",
            )
        place = target
    return store_source(writer, place, core.chunking, now_ns=core.clock())


class OutputJoiner:
    """Makes one tree of the outputs of many datums, beginning with what is in `start`.

    First what datums wrote that are gone is removed, then what others wrote is added. Memory is
    that of a batch; without `remove`, and of datums that write in the order of their paths, each
    file costs its place in the tree and nothing else.

    Parameters
    ----------
    start
        Root of the tree to begin with: of an earlier join, or None for nothing.
    owner_of
        Finds the datum that wrote a file of `start`, by name; asked where another wrote it too.
    """

    def __init__(
        self,
        nodes: NodeWriter,
        start: Digest | None = None,
        owner_of: Callable[[RepoPath], str] = lambda _: "an earlier one",
    ) -> None:
        self._nodes = nodes
        self._goes_on = start is not None
        self._owner_of = owner_of
        self._root = build_manifest(nodes, []) if start is None else start
        self._last_key = last_key(nodes, self._root)
        self._edits: dict[bytes, tuple[Edit, str]] = {}
        """What is to be done to the tree, with the datum that it is done for, by key."""
        self._added: list[bytes] = []
        """Keys that were added to a tree that was not empty."""
        self.dropped_folders = False
        """Whether a datum made an empty folder that another made too, or filled."""

    def remove(self, output: Digest) -> None:
        """Take out what a datum wrote that is gone, or has written again."""
        for item in iter_items(self._nodes, output):
            self._edits[item.key] = (Edit(item.key, None), "")
            self._flush_if_long()

    def add(self, owner: str, output: Digest) -> None:
        """Put in what a datum wrote.

        Raises
        ------
        ConflictError
            Another datum wrote the same path (``outputs-collide``); both are named.
        """
        for item in iter_items(self._nodes, output):
            before, first = self._before(item.key)
            if before is not None:
                if not (_is_folder(before) and _is_folder(item.value)):
                    path = path_from_key(item.key)
                    raise _collision(path, first or self._owner_of(path), owner)
                self.dropped_folders = True
            self._edits[item.key] = (Edit(item.key, item.value, item.size_bytes), owner)
            if self._goes_on:
                self._added.append(item.key)
            self._flush_if_long()

    def finish(self, previous: Digest) -> Digest:
        """Return the root of the joined tree.

        A file that holds what the tree `previous` had at its path keeps the entry it had there:
        a program that writes the same bytes again leaves the same tree, and nothing downstream
        runs.

        Raises
        ------
        ConflictError
            One datum wrote a file where another has a folder (``outputs-collide``).
        """
        self._flush()
        nesting = self._nesting_of_added() if self._goes_on else self._nesting_of_all()
        if nesting:
            self.dropped_folders = True
            self._root = edit_manifest(self._nodes, self._root, nesting)
        kept = [
            Edit(difference.key, difference.old.value, difference.old.size_bytes)
            for difference in diff_manifests(self._nodes, previous, self._root)
            if difference.old is not None and _only_time_differs(difference)
        ]
        return edit_manifest(self._nodes, self._root, kept)

    def _flush_if_long(self) -> None:
        if len(self._edits) >= _JOIN_BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._edits:
            ordered = sorted(self._edits)
            edits = [self._edits[key][0] for key in ordered]
            self._root = edit_manifest(self._nodes, self._root, edits)
            self._last_key = max(self._last_key, ordered[-1])
            self._edits = {}

    def _before(self, key: bytes) -> tuple[bytes | None, str]:
        """Return what the tree has at a key, and the datum it is of where that is known."""
        if key in self._edits:
            edit, owner = self._edits[key]
            return edit.value, owner
        if key > self._last_key:  # nothing is behind it, so no look-up is needed
            return None, ""
        item = get_item(self._nodes, self._root, key)
        return (None if item is None else item.value), ""

    def _nesting_of_all(self) -> list[Edit]:
        """Return edits that drop markers of folders that others filled."""
        edits: list[Edit] = []
        above: Item | None = None
        for item in iter_items(self._nodes, self._root):
            if above is not None and item.key.startswith(above.key + b"\0"):
                edits.append(self._dropped(above, item.key))
            above = item
        return edits

    def _nesting_of_added(self) -> list[Edit]:
        edits: dict[bytes, Edit] = {}
        for key in self._added:
            names = key.split(b"\0")
            for depth in range(1, len(names)):
                above = get_item(self._nodes, self._root, b"\0".join(names[:depth]))
                if above is not None:
                    edits[above.key] = self._dropped(above, key)
            below = next(iter_items(self._nodes, self._root, key + b"\0", key + b"\1"), None)
            found = get_item(self._nodes, self._root, key)
            if below is not None and found is not None:
                edits[key] = self._dropped(found, below.key)
        return [edits[key] for key in sorted(edits)]

    def _dropped(self, above: Item, below: bytes) -> Edit:
        """Return the edit that drops a folder's marker; refuse a file that has files below it."""
        if not _is_folder(above.value):
            path, inner = path_from_key(above.key), path_from_key(below)
            raise _collision(inner, self._owner_of(path), self._owner_of(inner))
        return Edit(above.key, None)


def writer_of(source: NodeSource, outputs: Iterable[tuple[str, Digest]], path: RepoPath) -> str:
    """Return which of several datums wrote a path; reads all outputs up to that one's."""
    key = path_key(path)
    for owner, output in outputs:
        if get_item(source, output, key) is not None:
            return owner
    return "an earlier one"


def _is_folder(value: bytes) -> bool:
    return kind_of(value) is EntryKind.FOLDER


def _only_time_differs(difference: Difference) -> bool:
    old, new = difference.old, difference.new
    if old is None or new is None:
        return False
    return decode_entry(old.value, old.size_bytes).same_content(
        decode_entry(new.value, new.size_bytes)
    )


def _collision(path: RepoPath, first: str, second: str) -> ConflictError:
    return ConflictError(
        f"The datums {first} and {second} both wrote {path!r}",
        kind=ErrorKind.OUTPUTS_COLLIDE,
        hint="Put something of the datum's own into the name, its input's name for instance",
        path=path,
        datums=[first, second],
    )
