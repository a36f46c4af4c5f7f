"""Configuration as frozen values, parsed from URLs and mappings; reads no environment."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from jupyter_datalake.errors import ErrorKind, InvalidInputError

MEMORY_URL = "memory:"
S3_SCHEME = "s3://"

# Greedy: a password may hold any character, also those that should have been escaped.
_PASSWORD = re.compile(r"(://[^:/@]*):.*@", re.DOTALL)


DEFAULT_MEMORY_BYTES = 512 * 1024 * 1024
SMALLEST_MEMORY_BYTES = 256 * 1024 * 1024
MOUNT_MEMORY_BYTES = 288 * 1024 * 1024
"""What the process behind a mount point may take, unless `LakeConfig.memory_bytes` is set."""


@dataclass(frozen=True, slots=True)
class LakeConfig:
    """Where a lake is and how much of this machine it may use."""

    url: str
    """``memory:``, the path or ``file://`` URL of a folder, or ``s3://bucket/prefix``."""
    memory_bytes: int | None = None
    """What a process that uses the lake may take of the memory, about; the caches are cut to it.
    The one of the environment when None."""
    database_wait_s: float = 30.0
    """How long a transaction waits for another process's before it gives up."""
    database_url: str | None = field(default=None, repr=False)
    """``postgresql://user@host/database?schema=name``, where the metadata are in Postgres. When
    None: the one of the environment, or the one the lake was made with."""
    key: str | None = None
    """Where the key of an encrypted lake is: ``file:<path>``, ``env:<variable>`` or ``keyring``;
    None leaves it to the environment. A lake that is created with one is encrypted."""
    state_folder: Path | None = None
    """Where lakes that are not in a folder keep what is this machine's: one folder per lake. The
    one of the environment when None."""
    read_cache_bytes: int | None = None
    """Disk that copies of what was read from a distant store may take; 0 keeps none. The one of
    the environment when None."""
    staged_count: int | None = None
    """How many acts a session keeps in memory and in its journal before it folds what they made
    into a tree of the lake; what the memory allows when None. For tests."""
    compare_duplicates: bool | None = None
    """Whether what is written and already there is read and compared byte by byte, and not only
    by digest and size. The one of the environment when None; docs/adr/0018."""

    @property
    def folder(self) -> Path | None:
        """The lake's folder, or None for a lake that is not in one."""
        return None if self.url == MEMORY_URL or self.s3 is not None else folder_of(self.url)

    @property
    def s3(self) -> S3Location | None:
        """Where the lake's objects are in S3, or None for one that is elsewhere."""
        return parse_s3_url(self.url) if self.url.startswith(S3_SCHEME) else None


@dataclass(frozen=True, slots=True)
class CacheSizes:
    """How much an open lake keeps in memory to be quick."""

    chunk_bytes: int
    """Decoded chunks."""
    node_count: int
    """Decoded manifest nodes, of 20 to 40 KiB each."""
    place_count: int
    """Known places of blobs, of about 500 bytes each."""
    inode_count: int
    """What the kernel may remember of a mount, of about 700 bytes each."""
    staged_count: int
    """Acts of a session that are kept in memory, of up to 1.6 KiB each."""
    upload_bytes: int
    """Packs that are on their way to S3, or filled for it; what finds no room is on the disk."""


def cache_sizes(memory_bytes: int) -> CacheSizes:
    """Return the caches that leave a process within a budget.

    Beside them a process needs about 60 MiB for itself, and a commit, an export or a comparison
    another 100 MiB for what it is working on.

    Raises
    ------
    InvalidInputError
        The budget is below 256 MiB.
    """
    if memory_bytes < SMALLEST_MEMORY_BYTES:
        raise InvalidInputError(
            f"A memory budget of {memory_bytes:,} bytes is too small to work in",
            hint=f"Give at least {SMALLEST_MEMORY_BYTES:,} bytes",
        )
    return CacheSizes(
        chunk_bytes=memory_bytes // 8,
        node_count=memory_bytes // (256 * 1024),
        place_count=memory_bytes // 4096,
        inode_count=memory_bytes // 4096,
        staged_count=memory_bytes // 8192,
        upload_bytes=(memory_bytes - SMALLEST_MEMORY_BYTES) * 9 // 16,
    )


def folder_of(url: str) -> Path:
    """Return the folder a lake URL names, absolute.

    Raises
    ------
    InvalidInputError
        The scheme is not ``file``.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = SplitResult("", "", url, "", "")  # a path that only looks like a broken URL
    if len(parts.scheme) > 1 and parts.scheme != "file":
        raise InvalidInputError(
            f"Lake URL {without_password(url)!r} has the unknown scheme {parts.scheme!r}",
            kind=ErrorKind.INVALID_URL,
            hint="Give a folder, as a path or as file:///folder, or s3://bucket/prefix",
            url=without_password(url),
        )
    raw = unquote(parts.path) if parts.scheme == "file" else url
    elsewhere = parts.scheme == "file" and (
        parts.netloc not in {"", "localhost"} or parts.query or parts.fragment
    )
    if not raw or "\0" in raw or elsewhere:
        raise InvalidInputError(
            f"Lake URL {without_password(url)!r} names no folder of this machine",
            kind=ErrorKind.INVALID_URL,
            hint="Give a folder, as a path or as file:///folder",
            url=without_password(url),
        )
    try:
        return Path(raw).expanduser().absolute()
    except FileNotFoundError as error:
        raise InvalidInputError(
            f"Lake URL {url!r} is relative to the current folder, which is gone",
            kind=ErrorKind.INVALID_URL,
            hint="Change to a folder that is there, or give the whole path",
            url=url,
        ) from error
    except RuntimeError as error:
        raise InvalidInputError(
            f"Lake URL {url!r} names the home of a user who is not there",
            kind=ErrorKind.INVALID_URL,
            url=url,
        ) from error


@dataclass(frozen=True, slots=True)
class S3Location:
    """A place in S3 and how it is talked to. Holds no secret: credentials are found by boto3."""

    bucket: str
    prefix: str = ""
    """What every key begins with: empty, or components each followed by a slash."""
    endpoint_url: str | None = None
    """The server, where it is not Amazon's."""
    region: str | None = None
    addressing_style: str | None = None
    """``path`` or ``virtual``; by default ``path`` at an `endpoint_url`, else ``virtual``."""
    profile: str | None = None
    """The profile of the AWS configuration whose credentials are used."""
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    """How long a server that says nothing is waited for, each time it says nothing."""
    attempts: int = 8
    """How often a request is made before it is given up."""
    patience_s: float = 90.0
    """After how long no further attempt begins."""
    state_folder: str | None = None
    """Where a lake at this place keeps what is this machine's; see `LakeConfig.state_folder`."""

    @property
    def url(self) -> str:
        """The URL that names this place; `parse_s3_url` of it is equal."""
        query = {
            name: value
            for name in _S3_OPTIONS
            if (value := getattr(self, name)) not in {None, getattr(_S3_DEFAULTS, name)}
        }
        options = f"?{urlencode(query, safe=':/')}" if query else ""
        return f"{S3_SCHEME}{self.bucket}/{quote(self.prefix)}".rstrip("/") + options


_S3_DEFAULTS = S3Location("")
_S3_NUMBERS = ("connect_timeout_s", "read_timeout_s", "attempts", "patience_s")
_S3_OPTIONS = (
    "endpoint_url",
    "region",
    "addressing_style",
    "profile",
    "state_folder",
    *_S3_NUMBERS,
)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_WORD = re.compile(r"[A-Za-z0-9._-]+")


def parse_s3_url(url: str) -> S3Location:
    """Return the place that ``s3://bucket/prefix?option=value&…`` names.

    >>> parse_s3_url("s3://data/lakes/churn?region=eu-central-1").prefix
    'lakes/churn/'

    Raises
    ------
    InvalidInputError
        It is no such URL, has an unknown option, or holds a user or password.
    """
    try:
        return _parsed_s3_url(url)
    except ValueError as error:  # also what urllib refuses
        shown = without_password(url)
        raise InvalidInputError(
            f"S3 URL {shown!r} is not right: {error}",
            kind=ErrorKind.INVALID_URL,
            hint="Write s3://bucket/prefix?endpoint_url=https://host&region=name",
            url=shown,
        ) from None


def _parsed_s3_url(url: str) -> S3Location:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("credentials do not belong in it; boto3 finds them in the environment")
    if parts.scheme != "s3" or not _BUCKET.fullmatch(parts.netloc):
        raise ValueError(f"{parts.netloc!r} cannot be a bucket")
    if parts.fragment:
        raise ValueError("it has a fragment")
    prefix = unquote(parts.path).strip("/")
    if not prefix.isprintable() or any(one in {"", ".", ".."} for one in prefix.split("/")[:-1]):
        raise ValueError(f"{prefix!r} cannot be a prefix")
    raw = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    unknown = sorted(set(raw) - set(_S3_OPTIONS))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no option; known are {', '.join(_S3_OPTIONS)}")
    endpoint = raw.get("endpoint_url")
    if endpoint is not None:
        _check_endpoint(endpoint)
    style = raw.get("addressing_style")
    if style not in {None, "path", "virtual"}:
        raise ValueError(f"addressing_style is path or virtual, not {style!r}")
    if not os.path.isabs(raw.get("state_folder", "/")):
        raise ValueError("state_folder is an absolute path")
    for name in ("region", "profile"):
        if name in raw and not _WORD.fullmatch(raw[name]):
            raise ValueError(f"{raw[name]!r} cannot be a {name}")
    numbers: dict[str, Any] = {name: _s3_number(name, raw) for name in _S3_NUMBERS if name in raw}
    return S3Location(
        parts.netloc,
        f"{prefix}/" if prefix else "",
        endpoint,
        raw.get("region"),
        style,
        raw.get("profile"),
        state_folder=raw.get("state_folder"),
        **numbers,
    )


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("endpoint_url is http://host or https://host")
    if "@" in parts.netloc:
        raise ValueError("credentials do not belong in it; boto3 finds them in the environment")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or not endpoint.isprintable():
        raise ValueError("endpoint_url has nothing behind its host and port")
    _ = parts.port  # raises where it is no number


def _s3_number(name: str, raw: dict[str, str]) -> float:
    value = int(raw[name]) if name == "attempts" else float(raw[name])
    if not 0 < value <= _MAX_S3_NUMBER:
        raise ValueError(f"{name} is a number above 0 and at most {_MAX_S3_NUMBER:.0f}")
    return value


_MAX_S3_NUMBER = 3600.0


def without_password(url: str) -> str:
    """Return a URL as it may be shown and logged.

    >>> without_password("snowflake://ada:secret@account/db")
    'snowflake://ada:***@account/db'
    """
    return _PASSWORD.sub(r"\1:***@", url)


@dataclass(frozen=True, slots=True)
class ControllerConfig:
    """How the controller works."""

    workers: int = 2
    """Datums run at once on this machine, over all jobs."""
    scheduler: str | None = None
    """Address of a Dask scheduler, ``tcp://host:8786``, on whose workers datums may run."""
    scheduler_datums: int | None = None
    """Datums, or bundles of short ones, that the Dask cluster is handed at once, which makes an
    adaptive one grow; as many as its workers have threads when None."""
    executor: str | None = None
    """Where datums run whose pipeline does not say: ``local`` or ``dask``; on Dask when None and
    there is a `scheduler`."""
    poll_s: float = 0.25
    """How often it looks for new events when nothing wakes it."""
    lease_s: float = 15.0
    """How long its claim lasts without a heartbeat; a standby waits as long to take over."""
    job_lease_s: float = 30.0
    environment: dict[str, str] = field(default_factory=dict)
    """Variables given to every datum besides the allow-list."""

    @property
    def default_executor(self) -> str:
        """Where datums run whose pipeline does not say."""
        return self.executor or ("local" if self.scheduler is None else "dask")


def parse_controller(raw: dict[str, Any]) -> ControllerConfig:
    """Return the configuration of a mapping, naming an unknown key."""
    unknown = set(raw) - set(ControllerConfig.__slots__)
    if unknown:
        raise InvalidInputError(
            f"Unknown controller setting {sorted(unknown)[0]!r}",
            hint=f"Known settings: {', '.join(ControllerConfig.__slots__)}",
        )
    return ControllerConfig(**raw)
