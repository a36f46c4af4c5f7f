"""Connections: a stored row becomes an open warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

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
    parts = urlsplit(url)
    if parts.scheme != str(Engine.DUCKDB):
        raise InvalidInputError(
            f"Warehouse URL {url!r} names no engine that this version knows",
            kind=ErrorKind.INVALID_URL,
            hint="Write duckdb:///path/to/file.duckdb",
            url=url,
        )
    path = unquote(parts.netloc + parts.path)
    if not path or path.endswith("/") or parts.query or parts.fragment:
        raise InvalidInputError(
            f"Warehouse URL {url!r} names no file",
            kind=ErrorKind.INVALID_URL,
            hint="Write duckdb:///path/to/file.duckdb",
            url=url,
        )
    return Engine.DUCKDB, {"path": str(Path(path).expanduser().absolute())}
