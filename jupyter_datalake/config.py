"""Configuration as frozen values, parsed from URLs and mappings; reads no environment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from jupyter_datalake.errors import ErrorKind, InvalidInputError

MEMORY_URL = "memory:"

# Greedy: a password may hold any character, also those that should have been escaped.
_PASSWORD = re.compile(r"(://[^:/@]*):.*@", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LakeConfig:
    """Where a lake is and how much of this machine it may use."""

    url: str
    """``memory:`` or the path or ``file://`` URL of a folder."""
    node_cache_entries: int = 4096
    """Decoded manifest nodes kept per open lake; about 20 KiB each."""
    chunk_cache_bytes: int = 64 * 1024 * 1024
    """Decoded chunks kept per open lake."""
    database_wait_s: float = 30.0
    """How long a transaction waits for another process's before it gives up."""
    key: str | None = None
    """Where the key of an encrypted lake is: ``file:<path>``, ``env:<variable>`` or ``keyring``;
    None leaves it to the environment. A lake that is created with one is encrypted."""

    @property
    def folder(self) -> Path | None:
        """The lake's folder, or None for a lake in memory."""
        return None if self.url == MEMORY_URL else folder_of(self.url)


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
            hint="Give a folder, as a path or as file:///folder",
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
    except RuntimeError as error:
        raise InvalidInputError(
            f"Lake URL {url!r} names the home of a user who is not there",
            kind=ErrorKind.INVALID_URL,
            url=url,
        ) from error


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
    """Datums run at once, over all jobs."""
    poll_s: float = 0.25
    """How often it looks for new events when nothing wakes it."""
    lease_s: float = 15.0
    """How long its claim lasts without a heartbeat; a standby waits as long to take over."""
    job_lease_s: float = 30.0
    environment: dict[str, str] = field(default_factory=dict)
    """Variables given to every datum besides the allow-list."""


def parse_controller(raw: dict[str, Any]) -> ControllerConfig:
    """Return the configuration of a mapping, naming an unknown key."""
    unknown = set(raw) - set(ControllerConfig.__slots__)
    if unknown:
        raise InvalidInputError(
            f"Unknown controller setting {sorted(unknown)[0]!r}",
            hint=f"Known settings: {', '.join(ControllerConfig.__slots__)}",
        )
    return ControllerConfig(**raw)
