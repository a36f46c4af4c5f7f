"""DuckDB over files and data frames, without a database of its own: what ``%%sql`` asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import Any

import duckdb
import pyarrow as pa

from jupyter_datalake.warehouse.base import BATCH_ROWS
from jupyter_datalake.warehouse.duckdb import (
    batches_of,
    checked_reader,
    first_paragraph,
    refused,
)
from jupyter_datalake.warehouse.scratch import scratch_database

_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_WORD = re.compile(r"\w+|\S")
_TABLE_KEYWORDS = frozenset({"from", "join"})


@contextmanager
def query_files(
    sql: str,
    *,
    filesystem: Any,
    frames: Mapping[str, Any],
    address_of: Callable[[str], str | None],
    memory_bytes: int,
    work_folder: Path,
) -> Iterator[pa.RecordBatchReader]:
    """Run one SELECT over files and data frames, and give its rows as a stream.

    What does not fit into memory while it is sorted or joined goes to `work_folder` meanwhile.

    Parameters
    ----------
    filesystem
        An fsspec file system that answers for URLs of its protocol.
    frames
        Data frames and Arrow tables that the query may name.
    address_of
        Returns the URL that a quoted table name means, or None for what is DuckDB's to find.

    Raises
    ------
    InvalidInputError
        DuckDB refuses the query, or it is no single SELECT; the message is DuckDB's own.
    """
    with scratch_database(work_folder, reads_files=True) as connection:
        connection.execute(f"SET memory_limit = '{memory_bytes}B'")
        connection.execute("SET preserve_insertion_order = true")  # as people read a file
        connection.register_filesystem(filesystem)
        try:
            statements = connection.extract_statements(_with_urls(sql, address_of))
            if len(statements) != 1:
                raise refused(sql, f"it holds {len(statements)} statements instead of one")
            if statements[0].type != duckdb.StatementType.SELECT:
                raise refused(sql, "it is not a SELECT")
            # DuckDB looks for tables that it does not know among the names of the caller.
            caller = FunctionType(_ask.__code__, dict(frames))
            relation = caller(connection, statements[0].query)
            reader = checked_reader(relation.to_arrow_reader(BATCH_ROWS), sql)
        except duckdb.Error as error:
            raise refused(sql, first_paragraph(error)) from error
        yield pa.RecordBatchReader.from_batches(reader.schema, batches_of(reader, sql))


def _ask(_connection: Any, _query: str) -> Any:
    return _connection.sql(_query)


def _with_urls(sql: str, address_of: Callable[[str], str | None]) -> str:
    """Return a query with the places that its quoted table names mean as URLs."""
    tokens = [token for token in duckdb.tokenize(sql) if token[1] != duckdb.token_type.comment]
    parts: list[str] = []
    done = 0
    for index, (start, kind) in enumerate(tokens):
        if kind != duckdb.token_type.string_const or not _is_table(sql, tokens, index):
            continue
        literal = _LITERAL.match(sql, start)
        url = None if literal is None else address_of(literal[1].replace("''", "'"))
        if literal is not None and url is not None:
            parts += [sql[done:start], "'" + url.replace("'", "''") + "'"]
            done = literal.end()
    return "".join(parts) + sql[done:]


def _is_table(sql: str, tokens: list[tuple[int, Any]], index: int) -> bool:
    """Tell whether a text stands where a table does: FROM 'x', JOIN 'x', read_csv('x'), ['x']."""

    def word(at: int) -> str:
        found = _WORD.match(sql, tokens[at][0]) if at >= 0 else None
        return "" if found is None else found[0].lower()

    at = index - 1
    while word(at) in {"[", ",", "'"}:  # of a list of files
        at -= 1
    if word(at) == "(":
        return word(at - 1).startswith(("read_", "parquet_", "sniff_"))
    return word(at) in _TABLE_KEYWORDS
