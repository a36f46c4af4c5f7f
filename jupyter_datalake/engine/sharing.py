"""Links to files, where the object store hands out objects itself.

A file is chunks in packs, compressed: nothing in the store is the file. So it is put there as an
object of its own, named by its content and the week, and the link is to that. What is older than
any link to it can be is removed when the next link is made.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.errors import ErrorKind, InvalidInputError, StateError
from jupyter_datalake.model.files import FileKind, SharedFile
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.paths import RepoPath, name_of
from jupyter_datalake.storage.base import (
    MAX_LINK_S,
    LinkingObjectStore,
    ObjectStore,
    origin_of,
)

SHARED_FOLDER = "shared"
_PIECE_BYTES = 4 * 1024 * 1024
_WEEK_S = 7 * 24 * 3600
_KEPT = timedelta(seconds=_WEEK_S + MAX_LINK_S + 24 * 3600)
"""For a week an object gets new links, then its last one ends, and clocks may differ by a day."""


def share_file(core: LakeCore, tree: Snapshot, path: RepoPath, *, expires_s: int) -> SharedFile:
    """Return a link to a file of a commit.

    Cost: the file is written to the store once a week that it is shared in; at most its size on
    this machine's disk meanwhile.

    Raises
    ------
    StateError
        The lake's store hands out no links, or the lake is encrypted.
    InvalidInputError
        It is no file, or `expires_s` is not between one second and a week.
    """
    if not 0 < expires_s <= MAX_LINK_S:
        raise InvalidInputError(
            f"A link cannot last {expires_s} s",
            hint=f"Between 1 and {MAX_LINK_S} s (a week) is possible",
        )
    store = origin_of(core.objects)
    if not isinstance(store, LinkingObjectStore):
        raise StateError(
            f"The lake {core.url} hands out no links: it is encrypted, or not in S3",
            kind=ErrorKind.STORAGE_UNSUITABLE,
            hint="Export the file, or download it through the Jupyter server",
        )
    info = tree.get(path)
    if info.kind is not FileKind.FILE or info.digest is None:
        raise InvalidInputError(
            f"{path!r} is a {info.kind}, not a file", kind=ErrorKind.INVALID_PATH, path=path
        )
    now = datetime.fromtimestamp(core.clock() / 1e9, UTC)
    _sweep(store, now)
    # The size too: a list of chunks and a chunk could be of equal bytes.
    content = digest_of(info.digest + info.size_bytes.to_bytes(8, "big")).hex()
    name = f"{SHARED_FOLDER}/{int(now.timestamp()) // _WEEK_S}-{content}"
    if not any(one.size_bytes == info.size_bytes for one in store.list(name)):
        _write(store, tree, path, name)
    url = store.presign(name, expires_s=expires_s, filename=name_of(path))
    return SharedFile(path, url, now + timedelta(seconds=expires_s), info.size_bytes)


def _write(store: ObjectStore, tree: Snapshot, path: RepoPath, name: str) -> None:
    with closing(tree.open(path)) as file, store.upload() as upload:
        while piece := file.read(_PIECE_BYTES):
            upload.write(piece)
        upload.finish(name)


def _sweep(store: ObjectStore, now: datetime) -> None:
    for one in list(store.list(f"{SHARED_FOLDER}/")):
        if one.modified_at < now - _KEPT:
            store.delete(one.name)
