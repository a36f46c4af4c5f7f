"""A DuckDB for one act, on disk: it takes little memory, whatever is loaded into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.file_locks import try_lock
from jupyter_datalake.warehouse.duckdb import without_bars
from jupyter_datalake.warehouse.table_files import TableStream

MEMORY_LIMIT = "192MiB"
"""What DuckDB may take; Arrow's batches and the program itself come on top."""

_THREADS = 2
_FOLDER = "scratch-"


@contextmanager
def scratch_database(
    folder: Path, *, reads_files: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an empty database below `folder` that ends with the block.

    Those of processes that were killed are removed.

    Parameters
    ----------
    reads_files
        Whether statements may name files; a person's own query may.
    """
    with _work_place(folder) as place, closing(_connect(place, reads_files)) as database:
        yield database


def load_table(database: duckdb.DuckDBPyConnection, table: str, stream: TableStream) -> int:
    """Read a table into the database, behind what is in one of that name; return the bytes read.

    Parameters
    ----------
    table
        Name that needs no quotes. Its columns are ``c0``, ``c1``, …

    Raises
    ------
    InvalidInputError
        The file cannot be read as what its ending says.
    """
    failures: list[DatalakeError] = []
    size_bytes = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal size_bytes
        try:
            for batch in stream.batches:
                size_bytes += batch.nbytes
                yield batch
        except DatalakeError as error:
            failures.append(error)
            raise

    reader = pa.RecordBatchReader.from_batches(stream.schema, batches())
    database.register("incoming", reader)
    try:
        database.execute(f"CREATE TABLE IF NOT EXISTS {table} AS FROM incoming WITH NO DATA")
        database.execute(f"INSERT INTO {table} FROM incoming")
    except duckdb.Error:
        # DuckDB wraps what its source raises.
        if failures:
            raise failures[0] from None
        raise
    finally:
        database.unregister("incoming")
    return size_bytes


def _connect(place: Path, reads_files: bool) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        str(place / "tables.duckdb"),
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": _THREADS,
            "temp_directory": str(place / "spilled"),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    if not reads_files:
        # Nothing of what is loaded is a statement; should it ever become one, it finds no file.
        connection.execute("SET enable_external_access = false")
    return without_bars(connection)


@contextmanager
def _work_place(folder: Path) -> Iterator[Path]:
    """Give a folder that ends with the block; those of processes that were killed are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{_FOLDER}*"):
        with _held(left) as is_ours:
            if is_ours:
                shutil.rmtree(left, ignore_errors=True)
    place = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=folder))
    with _held(place):
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold a folder against other processes; tell whether nobody else does."""
    try:
        lock = try_lock(folder, creates=False)
    except FileNotFoundError:
        lock = None
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)
