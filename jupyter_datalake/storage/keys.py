"""The keys of an encrypted lake: data keys wrapped by one key that people keep elsewhere.

Every object is encrypted under a *data key*; which one, its header says. All data keys lie in the
object store itself, in a *bundle* that is encrypted under the lake's *main key*, which never
enters the store: it comes from a file, a variable of the environment or the keyring.

Bundles are objects ``keys/<sequence>.json``, written by conditional creation: of two processes
that rotate at once, one makes the next number and the other is told. The highest number counts;
older bundles are deleted when it is there, so that a main key that was rotated out opens nothing
that it could not open before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import secrets
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jupyter_datalake import environment
from jupyter_datalake.errors import (
    ConflictError,
    CorruptDataError,
    ErrorKind,
    FormatError,
    InvalidInputError,
    MissingDependencyError,
    NotFoundError,
    PermissionDeniedError,
    StorageError,
)
from jupyter_datalake.forking import renew_lock_after_fork
from jupyter_datalake.storage.base import ObjectStore

KEY_FOLDER = "keys"
KEY_BYTES = 32
KEY_ID_BYTES = 16
NAME_KEY_BYTES = 64
KEYRING_SERVICE = "jupyter_datalake"

_BUNDLE_VERSION = 1
_MAX_BUNDLE = 1024 * 1024
_NONCE_BYTES = 12
_BUNDLE_NAME = re.compile(rf"{KEY_FOLDER}/(\d{{8}})\.json")


# --- main keys: where they come from --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MainKey:
    """The key that wraps all others; shows its id, never itself."""

    secret: bytes
    source: str
    """Where it came from, for messages: ``file:/…``, ``env:NAME``, ``keyring``."""

    @property
    def id(self) -> str:
        """Sixteen hex digits that tell main keys apart and say nothing about them."""
        return hashlib.sha256(b"jupyter_datalake main key\0" + self.secret).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"<MainKey {self.id} from {self.source}>"


def check_key_source(source: str) -> str:
    """Return `source` if it can say where a main key is, else raise `InvalidInputError`."""
    scheme, _, rest = source.partition(":")
    if source == "keyring" or (scheme in {"file", "env"} and rest):
        return source
    if re.fullmatch(r"[0-9A-Fa-f]{32,}", source.strip()):
        # Not repeated: messages are logged. It stands in the history of a shell already.
        raise InvalidInputError(
            "A key itself was given where the place of one belongs",
            hint="Take another key, put it into a file, and write file:/path/to/key",
        )
    raise InvalidInputError(
        f"{source!r} does not say where a key is",
        hint="Write file:/path/to/key, env:VARIABLE or keyring",
    )


def find_main_key(source: str | None, lake_id: str) -> MainKey:
    """Return the main key of a lake.

    Parameters
    ----------
    source
        ``file:<path>``, ``env:<variable>`` or ``keyring``. When None: the file that
        ``DATALAKE_KEY_FILE`` names, else the key in ``DATALAKE_KEY``, else the keyring.

    Raises
    ------
    PermissionDeniedError
        There is no key at that place, or what is there is none (kind ``key-missing``).
    """
    for candidate in [source] if source else _default_sources():
        key = _look_up(candidate, lake_id)
        if key is not None:
            return MainKey(_parse(key, candidate), candidate)
    raise PermissionDeniedError(
        f"The lake is encrypted, and {source or 'nothing'} gives its key"
        if source
        else "The lake is encrypted, and no key was given",
        kind=ErrorKind.KEY_MISSING,
        hint=f"Name the file that holds it in {environment.KEY_FILE_VARIABLE},"
        f" or put the key into {environment.KEY_VARIABLE}",
    )


def make_main_key(source: str, lake_id: str) -> MainKey:
    """Return the main key at a place, and put a new random one there if there is none.

    Raises
    ------
    PermissionDeniedError
        The place is a variable, which only its owner can set, and it is empty.
    """
    found = _look_up(check_key_source(source), lake_id)
    if found is None:
        found = secrets.token_hex(KEY_BYTES)
        scheme, _, rest = source.partition(":")
        if scheme == "file":
            _write_key_file(Path(rest).expanduser(), found)
        elif scheme == "keyring":
            _keyring("set_password", KEYRING_SERVICE, lake_id, found)
        else:
            raise PermissionDeniedError(
                f"The variable {rest} holds no key",
                kind=ErrorKind.KEY_MISSING,
                hint="Put 64 random hex digits there: openssl rand -hex 32",
            )
    return MainKey(_parse(found, source), source)


def _default_sources() -> list[str]:
    named = environment.key_file()
    return [*([f"file:{named}"] if named else []), f"env:{environment.KEY_VARIABLE}", "keyring?"]


def _look_up(source: str, lake_id: str) -> str | None:
    scheme, _, rest = source.partition(":")
    if scheme == "env":
        return environment.secret(rest)
    if scheme == "file":
        return _read_key_file(Path(rest).expanduser())
    try:
        found: str | None = _keyring("get_password", KEYRING_SERVICE, lake_id)
    except (MissingDependencyError, StorageError):
        if source == "keyring?":  # nobody asked for it by name
            return None
        raise
    return found


def _read_key_file(path: Path) -> str | None:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PermissionDeniedError(
            f"The key file {path} cannot be read: {error.strerror}", kind=ErrorKind.KEY_MISSING
        ) from error
    if mode & 0o022:
        raise PermissionDeniedError(
            f"The key file {path} can be changed by others",
            kind=ErrorKind.NOT_ALLOWED,
            hint=f"Keep it to yourself: chmod 600 {path}",
        )
    return text


def _write_key_file(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StorageError(
            f"The key file {path} cannot be written: {error.strerror}", path=str(path)
        ) from error


def _keyring(verb: str, *arguments: str) -> Any:
    try:
        import keyring  # noqa: PLC0415  # optional, and slow to import
        import keyring.errors  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError(
            "The package keyring is not installed",
            hint="Install it: pip install jupyter_datalake[keyring]; or keep the key in a file",
        ) from error
    try:
        return getattr(keyring, verb)(*arguments)
    except keyring.errors.KeyringError as error:
        raise StorageError(
            f"The keyring of this machine cannot be used: {type(error).__name__}",
            hint="Keep the key in a file instead: --key file:/path/to/key",
        ) from error


def _parse(text: str, source: str) -> bytes:
    """Return the 32 bytes that a key's text means; the text itself is in no message."""
    cleaned = text.strip()
    try:
        if len(cleaned) == 2 * KEY_BYTES:
            return bytes.fromhex(cleaned)
        key = base64.b64decode(cleaned, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise PermissionDeniedError(
            f"{source.rstrip('?')} holds no key: a key is 64 hex digits",
            kind=ErrorKind.KEY_MISSING,
            hint="Make one: openssl rand -hex 32",
        )
    return key


# --- data keys: in bundles ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key that objects are encrypted under; shows its id, never itself."""

    id: bytes
    secret: bytes
    created_ns: int

    def __repr__(self) -> str:
        return f"<DataKey {self.id.hex()}>"


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What may be told about one data key."""

    id: str
    created_ns: int
    is_current: bool
    """Whether new objects are encrypted under it."""


@dataclass(frozen=True, slots=True)
class _Bundle:
    sequence: int
    names: bytes
    data: tuple[DataKey, ...]

    def __repr__(self) -> str:
        return f"<Bundle {self.sequence} of {len(self.data)} keys>"


class LakeKeys:
    """The keys of one open lake. Thread-safe; follows rotations of other processes.

    Parameters
    ----------
    objects
        The store that holds the bundles, itself not encrypted.
    """

    def __init__(self, objects: ObjectStore, lake_id: str, main: MainKey, bundle: _Bundle) -> None:
        self._objects = objects
        self._lake_id = lake_id
        self._main = main
        self._bundle = bundle
        self._lock = threading.Lock()
        renew_lock_after_fork(self)

    @property
    def names(self) -> bytes:
        """The key that objects' names are encrypted under; the same for ever."""
        return self._bundle.names

    @property
    def main_key_id(self) -> str:
        """Id of the main key."""
        return self._main.id

    def current(self) -> DataKey:
        """Return the key for new objects."""
        return self._bundle.data[-1]

    def by_id(self, key_id: bytes) -> DataKey | None:
        """Return a data key, or None; an unknown id is looked for in the newest bundle."""
        for attempt in range(2):
            for key in self._bundle.data:
                if key.id == key_id:
                    return key
            if attempt == 0:
                self.reload()
        return None

    def list(self) -> list[KeyInfo]:
        """Return what may be told of the data keys, oldest first."""
        last = self._bundle.data[-1]
        return [KeyInfo(one.id.hex(), one.created_ns, one is last) for one in self._bundle.data]

    def reload(self) -> None:
        """Take up what other processes rotated meanwhile.

        Raises
        ------
        PermissionDeniedError
            The main key is another one by now (``key-wrong``).
        """
        with self._lock:
            self._bundle = _read_newest(self._objects, self._lake_id, self._main)

    def rotate(self, *, main: MainKey | None = None, data: bool = False, now_ns: int) -> None:
        """Wrap the data keys by another main key, or begin a new data key for new objects.

        Old objects stay readable: their keys stay in the bundle. Killed at any point, it has been
        done or not; a repetition brings it to its end.

        Parameters
        ----------
        main
            The new main key; the present one stays when None.
        data
            Whether new objects get a new data key.

        Raises
        ------
        ConflictError
            Another process rotated at the same time; nothing changed here.
        """
        with self._lock:
            old = _read_newest(self._objects, self._lake_id, self._main)
            keys = (*old.data, _new_data_key(now_ns)) if data else old.data
            fresh = _Bundle(old.sequence + 1, old.names, keys)
            wrapping = main or self._main
            if not _write(self._objects, self._lake_id, wrapping, fresh):
                raise ConflictError(
                    "The lake's keys are being rotated by another process",
                    kind=ErrorKind.LEASE_HELD,
                    hint="Look at 'datalake maintenance list-keys' and try again",
                    retryable=True,
                )
            self._main, self._bundle = wrapping, fresh
            for sequence in _sequences(self._objects):
                if sequence < fresh.sequence:
                    self._objects.delete(_bundle_name(sequence))


def create_keys(
    objects: ObjectStore, lake_id: str, main: MainKey, *, clock: Callable[[], int]
) -> LakeKeys:
    """Make the keys of a new lake; those of an attempt that was cut short are taken up."""
    bundle = _Bundle(1, secrets.token_bytes(NAME_KEY_BYTES), (_new_data_key(clock()),))
    if not _sequences(objects):
        _write(objects, lake_id, main, bundle)
    return open_keys(objects, lake_id, main)


def open_keys(objects: ObjectStore, lake_id: str, main: MainKey) -> LakeKeys:
    """Return the keys of an encrypted lake.

    Raises
    ------
    PermissionDeniedError
        The main key is the wrong one (``key-wrong``); both ids are named.
    CorruptDataError
        The bundle is missing or damaged.
    """
    return LakeKeys(objects, lake_id, main, _read_newest(objects, lake_id, main))


def _new_data_key(now_ns: int) -> DataKey:
    return DataKey(secrets.token_bytes(KEY_ID_BYTES), secrets.token_bytes(KEY_BYTES), now_ns)


def _bundle_name(sequence: int) -> str:
    return f"{KEY_FOLDER}/{sequence:08d}.json"


def _sequences(objects: ObjectStore) -> list[int]:
    found = (_BUNDLE_NAME.fullmatch(one.name) for one in objects.list(f"{KEY_FOLDER}/"))
    return sorted(int(match[1]) for match in found if match)


def _context(lake_id: str, sequence: int, main_key_id: str) -> bytes:
    """Return what a bundle is bound to: it opens as no other one, and in no other lake."""
    return f"jupyter_datalake keys {_BUNDLE_VERSION}\0{lake_id}\0{sequence}\0{main_key_id}".encode()


def _write(objects: ObjectStore, lake_id: str, main: MainKey, bundle: _Bundle) -> bool:
    plain = json.dumps(
        {
            "names": bundle.names.hex(),
            "data": [
                {"id": one.id.hex(), "key": one.secret.hex(), "created_ns": one.created_ns}
                for one in bundle.data
            ],
        }
    ).encode()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(main.secret).encrypt(nonce, plain, _context(lake_id, bundle.sequence, main.id))
    document = {
        "version": _BUNDLE_VERSION,
        "main_key": main.id,
        "nonce": nonce.hex(),
        "sealed": sealed.hex(),
    }
    return objects.create(_bundle_name(bundle.sequence), json.dumps(document).encode())


def _read_newest(objects: ObjectStore, lake_id: str, main: MainKey) -> _Bundle:
    for _ in range(10):
        sequences = _sequences(objects)
        if not sequences:
            raise CorruptDataError(
                "The lake is encrypted, and its keys are not in the store",
                kind=ErrorKind.CORRUPT_OBJECT,
                hint=f"Restore the folder {KEY_FOLDER}/ of the store from a backup",
            )
        try:
            return _read(objects, lake_id, main, sequences[-1])
        except NotFoundError:
            continue  # rotated, and deleted, since the listing
    raise StorageError("The lake's keys kept changing while they were read", retryable=True)


def _read(objects: ObjectStore, lake_id: str, main: MainKey, sequence: int) -> _Bundle:
    name = _bundle_name(sequence)
    try:
        document = json.loads(objects.read(name, 0, _MAX_BUNDLE))
        version, wrapped_by = document["version"], document["main_key"]
        nonce, sealed = bytes.fromhex(document["nonce"]), bytes.fromhex(document["sealed"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(name) from error
    if version != _BUNDLE_VERSION:
        raise FormatError(
            f"The lake's keys have format {version}; this program knows {_BUNDLE_VERSION}",
            kind=ErrorKind.FORMAT_TOO_NEW,
            hint="Upgrade jupyter_datalake",
        )
    if wrapped_by != main.id:
        raise PermissionDeniedError(
            f"The key from {main.source.rstrip('?')} is {main.id};"
            f" the lake is locked with the key {str(wrapped_by)[:16]}",
            kind=ErrorKind.KEY_WRONG,
            hint="Give the right key; nothing was changed",
        )
    try:
        plain = AESGCM(main.secret).decrypt(nonce, sealed, _context(lake_id, sequence, main.id))
        raw = json.loads(plain)
        return _Bundle(
            sequence,
            bytes.fromhex(raw["names"]),
            tuple(
                DataKey(bytes.fromhex(one["id"]), bytes.fromhex(one["key"]), one["created_ns"])
                for one in raw["data"]
            ),
        )
    except (InvalidTag, ValueError, KeyError, TypeError) as error:
        raise _damaged(name) from error


def _damaged(name: str) -> CorruptDataError:
    return CorruptDataError(
        f"The lake's keys in {name} are damaged",
        kind=ErrorKind.CORRUPT_OBJECT,
        hint="Restore the object from a backup; without it nothing in the lake can be read",
        object=name,
    )
