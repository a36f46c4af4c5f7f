"""The composition root: a URL becomes stores, caches and a `LakeCore`. Wires, decides nothing.

A lake in a folder::

    objects/            the object store; lake.json names the lake and its format
    metadata.sqlite     the metadata store
    work/               sessions, jobs and sockets of this machine

Of a lake in S3 the bucket holds the objects. The rest lies in a folder of this machine that is
named by the lake's id, with ``cache/``, copies of what was read, and ``spool/``, uploads.

The metadata of either may be in Postgres instead of ``metadata.sqlite``; ``lake.json`` says where,
without the password.
"""

from __future__ import annotations

import errno
import json
import os
import pwd
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_datalake import environment
from jupyter_datalake.config import (
    DEFAULT_MEMORY_BYTES,
    MEMORY_URL,
    CacheSizes,
    LakeConfig,
    S3Location,
    cache_sizes,
    parse_s3_url,
    without_password,
)
from jupyter_datalake.disk_trust import DiskTrust
from jupyter_datalake.engine.blobs import BlobReader
from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.engine.nodes import NodeCache
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    CorruptDataError,
    ErrorKind,
    FormatError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StorageError,
)
from jupyter_datalake.file_locks import held
from jupyter_datalake.metadata.locations import (
    open_memory,
    open_postgres,
    open_sqlite,
    postgres_address,
    replace_postgres,
)
from jupyter_datalake.metadata.store import Clock, MetadataStore, Transaction
from jupyter_datalake.model.chunking import ChunkingParameters, parse_chunking
from jupyter_datalake.model.encoding import FORMAT_VERSION
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.storage.base import ObjectSource, ObjectStore
from jupyter_datalake.storage.cache import CachedObjectStore
from jupyter_datalake.storage.file_systems import warn_of_locks
from jupyter_datalake.storage.local import LocalObjectStore, sync_folder
from jupyter_datalake.storage.memory import MemoryObjectStore
from jupyter_datalake.storage.s3_parts import PartMemory

if TYPE_CHECKING:
    from jupyter_datalake.storage.s3 import S3ObjectStore

DESCRIPTION = "lake.json"
OBJECTS = "objects"
DATABASE = "metadata.sqlite"
WORK = "work"
CACHE = "cache"
SPOOL = "spool"
_IMMUTABLE_FOLDERS = ("packs/", "sealed/")
"""Of the object store: what is worth a copy on this machine."""
ENCRYPTION = {"version": 1, "cipher": "aes-256-gcm", "names": "aes-256-siv"}
"""What `lake.json` says of an encrypted lake; docs/format.md, "Encrypted objects"."""
_ENCRYPTED = "encrypted"
_DATABASE = "database"
"""In `lake.json`: the URL of the Postgres database, without a password."""
_MADE_FOR = "made_for"
_MAX_DESCRIPTION = 64 * 1024
_LAKE_ID = re.compile(r"[0-9a-f]{32}")


def create_core(config: LakeConfig, *, clock: Clock = time.time_ns) -> LakeCore:
    """Make a new lake and open it.

    Raises
    ------
    AlreadyExistsError
        There is a lake at this place.
    StorageError
        The folder cannot be written.
    """
    place = _place_for_new(config)
    ours = place.folder if place.lake_id is not None else None
    database = _database_of_new(config, place)
    metadata: MetadataStore | None = None
    try:
        metadata = _metadata(place, database, config, clock)
        with metadata.write() as tx:
            if database is not None:
                _check_unused(tx, place, database)
            # Somebody who was killed here, or who is making the lake at this moment, may have
            # given it its id already.
            tx.settings.set_once("lake_id", place.lake_id or new_id())
            lake_id = str(tx.settings.get("lake_id"))
            tx.settings.set_once(_ENCRYPTED, str(config.key is not None))
        place = _moved(place, config, lake_id)
        description = {
            "format": FORMAT_VERSION,
            "lake_id": lake_id,
            "chunking": ChunkingParameters().as_dict(),
            "created_ns": clock(),
        }
        if database is not None:
            description[_DATABASE] = postgres_address(database)
        if config.key is not None:
            from jupyter_datalake.storage import keys  # noqa: PLC0415  # see `_readable`

            main = keys.make_main_key(config.key, str(lake_id))
            keys.create_keys(place.objects, str(lake_id), main, clock=clock)
            description["encryption"] = ENCRYPTION
        _check_encryption(metadata, description, config)
        # The description makes it a lake, so it is written last: a crash before leaves none.
        if not place.objects.create(DESCRIPTION, json.dumps(description, indent=2).encode()):
            raise _exists(place.title)
        return _compose(config, place, metadata, description, clock)
    except BaseException:
        if metadata is not None:
            metadata.close()
        place.objects.close()
        if ours is not None:
            shutil.rmtree(ours, ignore_errors=True)  # of a lake that never was
        raise


def open_core(config: LakeConfig, *, clock: Clock = time.time_ns) -> LakeCore:
    """Open an existing lake.

    Raises
    ------
    NotFoundError
        There is no lake at this place.
    FormatError
        A newer program made it.
    StorageError
        Its database is gone; the hint says how to rebuild it.
    """
    place, description = _find(config)
    metadata: MetadataStore | None = None
    try:
        database = _database_of(config, description)
        if database is None:
            _check_database(config, place)
        metadata = _metadata(place, database, config, clock, must_exist=True)
        with metadata.read() as tx:
            lake_id = tx.settings.get("lake_id")
        if lake_id != description["lake_id"]:
            where = place.folder if database is None else postgres_address(database)
            raise StorageError(
                f"The database of {where} belongs to another lake ({lake_id})",
                kind=ErrorKind.DATABASE_UNAVAILABLE,
                hint="Put the right database back; nothing was changed",
            )
        _check_encryption(metadata, description, config)
        return _compose(config, place, metadata, description, clock)
    except BaseException:
        if metadata is not None:
            metadata.close()
        place.objects.close()
        raise


def _check_database(config: LakeConfig, place: _Place) -> None:
    """Refuse a lake whose database is not here, before an empty one is made in its place."""
    assert place.folder is not None
    if _size_of(place.folder / DATABASE):
        return
    if config.s3 is None:
        raise StorageError(
            f"The lake {place.title} has lost its database {DATABASE}",
            kind=ErrorKind.DATABASE_UNAVAILABLE,
            hint="Restore it from a backup, or rebuild it from the packs:"
            f" datalake --lake {place.folder} maintenance rebuild",
        )
    raise StorageError(
        f"This machine has no database of the lake {place.title}: it would be in {place.folder}",
        kind=ErrorKind.DATABASE_UNAVAILABLE,
        hint="Work on the machine that has it, or move it here; if it is lost, rebuild it from the"
        f" packs: datalake --lake '{place.url}' maintenance rebuild",
    )


@contextmanager
def rebuilding(config: LakeConfig, *, clock: Clock = time.time_ns) -> Iterator[LakeCore]:
    """Open a lake whose database is lost, with an empty one for `engine.rebuild` to fill.

    The new database is the lake's when the block ends; until then, and for ever when it raises,
    the lake stays as it was.

    Raises
    ------
    AlreadyExistsError
        The database is there.
    NotFoundError
        There is no lake at this place, or one in memory.
    ConflictError
        Another process is rebuilding it.
    """
    place, description = _find(config)
    database = _database_of(config, description)
    try:
        with _replacing(place, database, config, clock) as metadata:
            with metadata.write() as tx:
                tx.settings.set_once("lake_id", description["lake_id"])
                tx.settings.set_once(_ENCRYPTED, str("encryption" in description))
            yield _compose(config, place, metadata, description, clock)
    finally:
        place.objects.close()


@contextmanager
def _replacing(
    place: _Place, database: str | None, config: LakeConfig, clock: Clock
) -> Iterator[MetadataStore]:
    """Open an empty database that becomes the lake's when the block ends well."""
    if database is not None:
        with replace_postgres(database, wait_s=config.database_wait_s, clock=clock) as metadata:
            yield metadata
        return
    folder = place.folder
    assert folder is not None
    if any(_size_of(folder / f"{DATABASE}{suffix}") for suffix in ("", "-wal")):
        raise AlreadyExistsError(
            f"The lake {place.title} has its database in {folder}",
            kind=ErrorKind.LAKE_EXISTS,
            hint=f"Move {DATABASE} (and its -wal and -shm) away if you want to rebuild it",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _rebuild_lock(folder):
        fresh = folder / f"{DATABASE}.rebuilt"
        _remove_database(fresh)
        metadata = open_sqlite(fresh, wait_s=config.database_wait_s, clock=clock, disk=place.disk)
        try:
            yield metadata
            metadata.close()  # the last connection writes everything into the one file
            _remove_database(folder / DATABASE)
            os.rename(fresh, folder / DATABASE)
            sync_folder(folder)
        finally:
            metadata.close()
            _remove_database(fresh)


@contextmanager
def _rebuild_lock(folder: Path) -> Iterator[None]:
    with held(folder) as is_ours:
        if not is_ours:
            raise ConflictError(
                f"The lake in {folder} is being rebuilt by another process",
                kind=ErrorKind.LEASE_HELD,
                hint="Wait for it to end",
                retryable=True,
            )
        yield


def _remove_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def close_core(core: LakeCore) -> None:
    """Close a lake's files and connections; safe to call twice."""
    core.metadata.close()
    core.objects.close()
    if core.url == MEMORY_URL:
        shutil.rmtree(core.work_folder, ignore_errors=True)


def read_description(objects: ObjectStore) -> dict[str, Any]:
    """Return what the lake says of itself, checked."""
    raw = objects.read(DESCRIPTION, 0, _MAX_DESCRIPTION)
    try:
        description: dict[str, Any] = json.loads(raw)
        version, chunking = description["format"], description["chunking"]
        if type(version) is not int or version < 1 or not isinstance(chunking, dict):
            raise ValueError("a part of another type")
        if version == FORMAT_VERSION and not _LAKE_ID.fullmatch(description["lake_id"]):
            raise ValueError("no lake id")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptDataError(
            f"The lake's description {DESCRIPTION} is damaged: {error}",
            kind=ErrorKind.CORRUPT_OBJECT,
            hint="Restore it from a backup; it is never written after the lake was made",
        ) from error
    if version > FORMAT_VERSION:
        raise FormatError(
            f"The lake has format {version}; this program knows up to {FORMAT_VERSION}",
            kind=ErrorKind.FORMAT_TOO_NEW,
            hint="Upgrade jupyter_datalake",
        )
    return description


def _is_lake(folder: Path) -> bool:
    return _size_of(folder / OBJECTS / DESCRIPTION) is not None


def _size_of(path: Path) -> int | None:
    """Return a file's size, None where there is none; one that is not ours to see is an error."""
    try:
        return path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(
            f"{path} cannot be looked at: {error.strerror}", path=str(path)
        ) from error


def _sizes(config: LakeConfig) -> CacheSizes:
    return cache_sizes(config.memory_bytes or environment.memory_bytes() or DEFAULT_MEMORY_BYTES)


def _compose(
    config: LakeConfig,
    place: _Place,
    metadata: MetadataStore,
    description: dict[str, Any],
    clock: Clock,
) -> LakeCore:
    objects = _readable(place.objects, description, config)
    sizes = _sizes(config)
    blobs = BlobReader(
        objects, metadata, cache_bytes=sizes.chunk_bytes, place_count=sizes.place_count
    )
    folder = place.folder
    work = Path(tempfile.mkdtemp(prefix="datalake-")) if folder is None else folder / WORK
    _make_work_folder(work)
    return LakeCore(
        lake_id=description["lake_id"],
        objects=objects,
        metadata=metadata,
        blobs=blobs,
        nodes=NodeCache(blobs, entries=sizes.node_count),
        chunking=parse_chunking(description["chunking"]),
        work_folder=work,
        url=place.url,
        clock=clock,
        disk=place.disk,
        compares_duplicates=environment.compares_duplicates()
        if config.compare_duplicates is None
        else config.compare_duplicates,
        staged_count=sizes.staged_count if config.staged_count is None else config.staged_count,
    )


def _make_work_folder(work: Path) -> None:
    """Make the folder of sessions and jobs; a lake that can only be read goes without."""
    try:
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            return
        raise StorageError(
            f"The folder {work} could not be made: {error.strerror}",
            kind=ErrorKind.STORAGE_FULL
            if error.errno in {errno.ENOSPC, errno.EDQUOT}
            else ErrorKind.STORAGE_UNAVAILABLE,
            path=str(work),
        ) from error


def _readable(objects: ObjectStore, description: dict[str, Any], config: LakeConfig) -> ObjectStore:
    """Return the store as the engine sees it: behind encryption, where the lake has it."""
    if "encryption" not in description:
        return objects
    if description["encryption"] != ENCRYPTION:
        raise FormatError(
            "The lake is encrypted in a way that this program does not know",
            kind=ErrorKind.FORMAT_TOO_NEW,
            hint="Upgrade jupyter_datalake",
        )
    # Not above: ciphers cost a twentieth of a second to load, and most lakes need none.
    from jupyter_datalake.storage import encrypted, keys  # noqa: PLC0415

    lake_id = description["lake_id"]
    main = keys.find_main_key(config.key, lake_id)
    return encrypted.EncryptedObjectStore(objects, keys.open_keys(objects, lake_id, main))


def _check_encryption(
    metadata: MetadataStore, description: dict[str, Any], config: LakeConfig
) -> None:
    """Refuse a description that contradicts the database on whether the lake is encrypted.

    Whoever can write to the store could otherwise take the word out of `lake.json`, and what is
    committed from then on would not be encrypted.
    """
    with metadata.read() as tx:
        remembered = tx.settings.get(_ENCRYPTED) or "False"
    if remembered != str("encryption" in description):
        was = "encrypted" if remembered == "True" else "not encrypted"
        raise StorageError(
            f"The database of {without_password(config.url)} was made for a lake that is {was},"
            f" and {DESCRIPTION} says otherwise",
            kind=ErrorKind.DATABASE_UNAVAILABLE,
            hint=f"Put the right {DESCRIPTION} or database back; nothing was changed",
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the parts of one lake are."""

    title: str
    """As it reads behind "the lake": ``in /folder``."""
    url: str
    """By which other processes of this machine open it."""
    objects: ObjectStore
    folder: Path | None
    """Of this machine: database and working files. None for a lake in memory."""
    lake_id: str | None = None
    """Where the place itself follows from the id; else the database has it."""
    disk: DiskTrust = field(default_factory=DiskTrust)
    """Of `folder`."""


def _place_for_new(config: LakeConfig) -> _Place:
    """Return the place of a lake that is about to be made."""
    if config.s3 is not None:
        return _s3_place_for_new(config, config.s3)
    folder = config.folder
    if folder is None:
        return _Place("in memory", MEMORY_URL, MemoryObjectStore(), None)
    if _is_lake(folder):
        raise _exists(f"in {folder}")
    return _folder_place(folder)


def _find(config: LakeConfig) -> tuple[_Place, dict[str, Any]]:
    """Return the place of an existing lake, and what it says of itself."""
    if config.s3 is not None:
        return _find_in_s3(config, config.s3)
    folder = config.folder
    if folder is None:
        raise NotFoundError(
            "A lake in memory cannot be opened again",
            kind=ErrorKind.LAKE_NOT_FOUND,
            hint="Create it with Lake.create('memory:')",
        )
    if not _is_lake(folder):
        raise _not_found(f"in {folder}", str(folder), config)
    place = _folder_place(folder)
    return place, read_description(place.objects)


def _moved(place: _Place, config: LakeConfig, lake_id: str) -> _Place:
    """Return the place under another id, where somebody else began to make this lake before."""
    if config.s3 is None or place.lake_id == lake_id:
        return place
    place.objects.close()
    moved = _s3_place_under(config, config.s3, lake_id)
    assert moved.folder is not None
    moved.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return moved


def _folder_place(folder: Path) -> _Place:
    _check_owner(folder)
    disk = DiskTrust()
    objects = LocalObjectStore(folder / OBJECTS, disk)
    return _Place(f"in {folder}", str(folder), objects, folder, disk=disk)


def _check_owner(folder: Path) -> None:
    """Refuse root on a lake of somebody else, who could not read what root writes into it."""
    if os.geteuid() != 0:
        return
    try:
        owner = folder.stat().st_uid
    except OSError:
        return  # not there, or not ours to see: what follows tells
    if owner == 0:
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise PermissionDeniedError(
        f"The lake in {folder} belongs to the user {name}, who could not read what root writes",
        kind=ErrorKind.NOT_ALLOWED,
        hint=f"Work as that user: sudo -u '{name}' datalake …; or give it to root with all that is"
        f" in it: chown -R root '{folder}'",
        path=str(folder),
    )


def _s3_place_for_new(config: LakeConfig, location: S3Location) -> _Place:
    from jupyter_datalake.storage import s3  # noqa: PLC0415  # loads boto3, which few lakes need

    store = s3.S3ObjectStore(location)
    try:
        if any(one.name == DESCRIPTION for one in store.list(DESCRIPTION)):
            raise _exists(f"at {location.url}")
        s3.probe(store)
        place = _s3_place(config, location, store, new_id())
        assert place.folder is not None
        place.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except BaseException:
        store.close()
        raise
    return place


def _s3_place_under(config: LakeConfig, location: S3Location, lake_id: str) -> _Place:
    from jupyter_datalake.storage.s3 import S3ObjectStore  # noqa: PLC0415  # as above

    return _s3_place(config, location, S3ObjectStore(location), lake_id)


def _find_in_s3(config: LakeConfig, location: S3Location) -> tuple[_Place, dict[str, Any]]:
    from jupyter_datalake.storage.s3 import S3ObjectStore  # noqa: PLC0415  # as above

    store = S3ObjectStore(location)
    try:
        description = read_description(store)
    except NotFoundError as error:
        store.close()
        raise _not_found(f"at {location.url}", f"'{location.url}'", config) from error
    except BaseException:
        store.close()
        raise
    return _s3_place(config, location, store, description["lake_id"]), description


def _s3_place(
    config: LakeConfig, location: S3Location, store: S3ObjectStore, lake_id: str
) -> _Place:
    """Return the place of a lake in S3, with what this machine keeps of it."""
    if config.state_folder is not None:  # in the URL, processes that we start find it too
        location = replace(location, state_folder=str(config.state_folder.absolute()))
    folder = Path(location.state_folder or environment.state_folder()) / lake_id
    store.spool_folder = folder / SPOOL
    store.memory = PartMemory(_sizes(config).upload_bytes)
    limit = config.read_cache_bytes
    if limit is None:
        limit = environment.read_cache_bytes()
    objects = CachedObjectStore(
        store, folder / CACHE, limit_bytes=limit, folders=_IMMUTABLE_FOLDERS
    )
    return _Place(f"at {location.url}", location.url, objects, folder, lake_id)


def open_source(url: str) -> ObjectSource:
    """Open a place in another object store for reading; ``s3://bucket/prefix?…`` is one.

    Raises
    ------
    InvalidInputError
        It is no such URL.
    StorageError
        There are no credentials.
    """
    location = parse_s3_url(url)
    from jupyter_datalake.storage.s3_source import S3Source  # noqa: PLC0415  # as above

    return S3Source(location)


def _metadata(
    place: _Place,
    database: str | None,
    config: LakeConfig,
    clock: Clock,
    *,
    must_exist: bool = False,
) -> MetadataStore:
    if database is not None:
        return open_postgres(
            database, wait_s=config.database_wait_s, clock=clock, must_exist=must_exist
        )
    if place.folder is None:
        return open_memory(clock=clock)
    warn_of_locks(place.folder)
    return open_sqlite(
        place.folder / DATABASE, wait_s=config.database_wait_s, clock=clock, disk=place.disk
    )


def _database_of_new(config: LakeConfig, place: _Place) -> str | None:
    """Return the Postgres database that a new lake is to have, or None."""
    if place.folder is not None:
        return config.database_url or environment.database_url()
    if config.database_url is not None:
        raise InvalidInputError(
            "A lake in memory has its metadata in memory too",
            kind=ErrorKind.INVALID_URL,
            hint="Make it in a folder, or leave the database out",
        )
    return None


def _database_of(config: LakeConfig, description: dict[str, Any]) -> str | None:
    """Return the Postgres database of an existing lake, or None.

    The environment may say where it is now, and the password; not that there is one.
    """
    if config.database_url is not None:
        return config.database_url
    named: str | None = description.get(_DATABASE)
    return named and (environment.database_url() or named)


def _check_unused(tx: Transaction, place: _Place, database: str) -> None:
    """Refuse to make a lake in a schema that is another lake's.

    What a creation left that was cut short is no lake: it has no repos, and was to be here.
    """
    here = place.url.partition("?")[0]
    if place.lake_id is None:
        here = f"{socket.gethostname()}:{here}"
    lake_id = tx.settings.get("lake_id")
    if lake_id is None:
        tx.settings.set_once(_MADE_FOR, here)
        return
    if tx.settings.get(_MADE_FOR) != here or tx.repos.list(limit=1, kinds=frozenset(RepoKind)):
        raise AlreadyExistsError(
            f"The database {postgres_address(database)} holds the lake {lake_id} already",
            kind=ErrorKind.LAKE_EXISTS,
            hint="Give the new one a schema of its own: …?schema=NAME",
        )


def _exists(title: str) -> AlreadyExistsError:
    return AlreadyExistsError(
        f"There is a lake {title} already",
        kind=ErrorKind.LAKE_EXISTS,
        hint="Open it, or choose another place",
    )


def _not_found(title: str, argument: str, config: LakeConfig) -> NotFoundError:
    return NotFoundError(
        f"There is no lake {title}",
        kind=ErrorKind.LAKE_NOT_FOUND,
        hint=f"Make one: datalake init {argument}",
        url=config.url,
    )
