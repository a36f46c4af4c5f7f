"""Connections: a stored row becomes an open warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyter_datalake.config import without_password
from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.warehouse import Connection, Engine
from jupyter_datalake.warehouse.base import Warehouse
from jupyter_datalake.warehouse.duckdb import DuckdbWarehouse


def open_warehouse(connection: Connection) -> Warehouse:
    """Return the warehouse that a connection leads to."""
    return _OPENERS[connection.engine](connection.options)


def _open_duckdb(options: dict[str, Any]) -> Warehouse:
    return DuckdbWarehouse(Path(options["path"]))


_OPENERS = {Engine.DUCKDB: _open_duckdb}


def parse_warehouse_url(url: str) -> tuple[Engine, dict[str, Any]]:
    """Return engine and options of a warehouse URL such as ``duckdb:///data/shop.duckdb``.

    Raises
    ------
    InvalidInputError
        The engine is unknown, or a part is missing or too much.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _invalid(url, "is no URL") from error
    if parts.scheme != str(Engine.DUCKDB):
        raise _invalid(url, "names no engine that this version knows")
    path = unquote(parts.netloc + parts.path)
    # A user's name and password would be kept as part of the path, for everybody to see.
    is_file = path and not path.endswith("/") and "\0" not in path and "@" not in parts.netloc
    if not is_file or parts.query or parts.fragment:
        raise _invalid(url, "names no file")
    try:
        return Engine.DUCKDB, {"path": str(Path(path).expanduser().absolute())}
    except RuntimeError as error:
        raise _invalid(url, "names the home of a user who is not there") from error


def _invalid(url: str, why: str) -> InvalidInputError:
    shown = without_password(url)
    return InvalidInputError(
        f"Warehouse URL {shown!r} {why}",
        kind=ErrorKind.INVALID_URL,
        hint="Write duckdb:///path/to/file.duckdb",
        url=shown,
    )
