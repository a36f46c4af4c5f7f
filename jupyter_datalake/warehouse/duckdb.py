"""DuckDB in a file: the embedded warehouse.

DuckDB lets one process write to a file, or several read it. Each act here opens the file, works
and closes it again, behind a lock file that our own processes queue at; a notebook that holds
the file open is waited for, and named when it does not let go.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from jupyter_datalake.errors import ErrorKind, InvalidInputError, StorageError
from jupyter_datalake.model.warehouse import EgressMode, EgressReport, EgressSpec
from jupyter_datalake.warehouse.base import (
    BATCH_ROWS,
    MANIFEST_TABLE,
    EgressSource,
    TableInfo,
)

_RETRY_S = 0.1


class DuckdbWarehouse:
    """A `Warehouse` in one DuckDB file.

    Parameters
    ----------
    path
        The database file; created by the first write.
    wait_s
        How long to wait for another process that has the file open.
    """

    def __init__(self, path: Path, *, wait_s: float = 30.0) -> None:
        self._path = path
        self._wait_s = wait_s

    @contextmanager
    def query(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """Run a query and give its rows as a stream; see `Warehouse.query`."""
        with self._opened(read_only=True) as connection:
            try:
                statements = connection.extract_statements(sql)
                if len(statements) != 1:
                    raise refused(sql, f"it holds {len(statements)} statements instead of one")
                if statements[0].type != duckdb.StatementType.SELECT:
                    raise refused(sql, "it is not a SELECT")
                reader = checked_reader(connection.sql(sql).to_arrow_reader(BATCH_ROWS), sql)
            except duckdb.Error as error:
                raise refused(sql, first_paragraph(error)) from error
            yield pa.RecordBatchReader.from_batches(reader.schema, batches_of(reader, sql))

    def egress(
        self, rows: pa.RecordBatchReader, spec: EgressSpec, source: EgressSource
    ) -> EgressReport:
        """Write rows into a table and the source into the manifest; see `Warehouse.egress`."""
        with self._opened(read_only=False) as connection:
            connection.execute("BEGIN")
            try:
                report = self._write(connection, rows, spec, source)
                connection.execute("COMMIT")
            except duckdb.Error as error:
                _roll_back(connection)
                raise InvalidInputError(
                    f"Table {spec.table!r} does not take the rows: {first_paragraph(error)}",
                    kind=ErrorKind.EGRESS_FAILED,
                    hint="Compare the columns of the files with those of the table",
                    table=spec.table,
                ) from error
            except BaseException:
                _roll_back(connection)
                raise
            return report

    def list_tables(self) -> list[TableInfo]:
        """Return the tables, by name; see `Warehouse.list_tables`."""
        if not self._path.exists():
            return []
        with self._opened(read_only=True) as connection:
            rows = connection.execute(
                "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal"
                " ORDER BY schema_name, table_name"
            ).fetchall()
            return [
                self._table_info(connection, schema, table)
                for schema, table in rows
                if table != MANIFEST_TABLE
            ]

    def execute(self, sql: str) -> None:
        """Run statements that change the warehouse; for setting one up, not part of the contract.

        Raises
        ------
        InvalidInputError
            DuckDB refuses them; nothing was changed.
        """
        with self._opened(read_only=False) as connection:
            connection.execute("BEGIN")
            try:
                connection.execute(sql)
                connection.execute("COMMIT")
            except duckdb.Error as error:
                _roll_back(connection)
                raise refused(sql, first_paragraph(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing is open between acts."""

    # --- inside ----------------------------------------------------------------------------------

    def _table_info(
        self, connection: duckdb.DuckDBPyConnection, schema: str, table: str
    ) -> TableInfo:
        name = table if schema == "main" else f"{schema}.{table}"
        columns = connection.execute(
            "SELECT column_name, data_type FROM duckdb_columns()"
            " WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
            [schema, table],
        ).fetchall()
        count = connection.execute(f"SELECT count(*) FROM {quote_table(name)}").fetchone()  # noqa: S608  # quoted
        assert count is not None
        return TableInfo(name, dict(columns), count[0])

    def _write(
        self,
        connection: duckdb.DuckDBPyConnection,
        rows: pa.RecordBatchReader,
        spec: EgressSpec,
        source: EgressSource,
    ) -> EgressReport:
        manifest = quote_table(MANIFEST_TABLE)
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {manifest} (table_name VARCHAR, commit_id VARCHAR,"
            " global_id VARCHAR, repo VARCHAR, mode VARCHAR, row_count BIGINT,"
            " written_at TIMESTAMPTZ, PRIMARY KEY (table_name, commit_id))"
        )
        done = connection.execute(
            f"SELECT row_count FROM {manifest} WHERE table_name = ? AND commit_id = ?",  # noqa: S608  # quoted
            [spec.table, source.commit_id],
        ).fetchone()
        if done is not None:
            return EgressReport(done[0], was_done_before=True)
        connection.register("incoming_rows", rows)
        # The stream can be read once, and a merge reads it twice.
        connection.execute("CREATE TEMP TABLE incoming AS SELECT * FROM incoming_rows")
        connection.unregister("incoming_rows")
        count = self._apply(connection, spec)
        connection.execute("DROP TABLE temp.incoming")
        connection.execute(
            f"INSERT INTO {manifest} VALUES (?, ?, ?, ?, ?, ?, now())",  # noqa: S608  # quoted
            [
                spec.table,
                source.commit_id,
                source.global_id,
                source.repo,
                str(spec.mode),
                count,
            ],
        )
        return EgressReport(count, was_done_before=False)

    def _apply(self, connection: duckdb.DuckDBPyConnection, spec: EgressSpec) -> int:
        """Bring the rows of `temp.incoming` into the table; return how many there are."""
        table = quote_table(spec.table)
        if spec.mode is EgressMode.REPLACE:
            connection.execute(f"CREATE OR REPLACE TABLE {table} AS FROM temp.incoming")
        else:
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {table} AS FROM temp.incoming WITH NO DATA"
            )
            if spec.mode is EgressMode.MERGE:
                self._delete_matching(connection, table, spec)
            connection.execute(f"INSERT INTO {table} BY NAME FROM temp.incoming")
        return _count(connection, "temp.incoming")

    def _delete_matching(
        self, connection: duckdb.DuckDBPyConnection, table: str, spec: EgressSpec
    ) -> None:
        keys = ", ".join(quote_name(column) for column in spec.key)
        distinct = _count(connection, f"(SELECT DISTINCT {keys} FROM temp.incoming)")  # noqa: S608  # quoted
        if distinct != _count(connection, "temp.incoming"):
            raise InvalidInputError(
                f"The rows for table {spec.table!r} repeat a value of {', '.join(spec.key)}",
                kind=ErrorKind.EGRESS_FAILED,
                hint="Make the key unique, or use mode append",
                table=spec.table,
                key=list(spec.key),
            )
        same = " AND ".join(
            f"target.{quote_name(column)} IS NOT DISTINCT FROM incoming.{quote_name(column)}"
            for column in spec.key
        )
        connection.execute(
            f"DELETE FROM {table} AS target USING temp.incoming AS incoming WHERE {same}"  # noqa: S608  # quoted
        )

    @contextmanager
    def _opened(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        if read_only and not self._path.exists():
            raise StorageError(
                f"The DuckDB file {self._path} does not exist",
                kind=ErrorKind.WAREHOUSE_UNAVAILABLE,
                hint="Create it, or correct the connection's path",
                path=str(self._path),
            )
        deadline = time.monotonic() + self._wait_s
        with self._queued(fcntl.LOCK_SH if read_only else fcntl.LOCK_EX, deadline):
            connection = self._connect(deadline, read_only=read_only)
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def _queued(self, kind: int, deadline: float) -> Iterator[None]:
        """Hold the lock file beside the database, so our processes do not trip over each other."""
        lock = self._path.with_name(self._path.name + ".lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                f"The folder of {self._path} cannot be written: {error.strerror}",
                kind=ErrorKind.WAREHOUSE_UNAVAILABLE,
                path=str(self._path),
            ) from error
        try:
            while True:
                try:
                    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    self._wait(deadline, "another datalake process is working with it")
            yield
        finally:
            os.close(descriptor)

    def _connect(self, deadline: float, *, read_only: bool) -> duckdb.DuckDBPyConnection:
        while True:
            try:
                return without_bars(duckdb.connect(str(self._path), read_only=read_only))
            except duckdb.IOException as error:
                if "lock" not in str(error).lower():
                    raise StorageError(
                        f"The DuckDB file {self._path} cannot be opened: {error}",
                        kind=ErrorKind.WAREHOUSE_UNAVAILABLE,
                        path=str(self._path),
                    ) from error
                self._wait(deadline, str(error).splitlines()[0])

    def _wait(self, deadline: float, why: str) -> None:
        if time.monotonic() > deadline:
            raise StorageError(
                f"The DuckDB file {self._path} stayed busy for {self._wait_s:g} s: {why}",
                kind=ErrorKind.WAREHOUSE_UNAVAILABLE,
                hint="Close the notebook or program that has it open, and try again",
                retryable=True,
                path=str(self._path),
            )
        time.sleep(_RETRY_S)


def without_bars(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return a connection that shows no progress: it would print it among a program's output."""
    connection.execute("SET enable_progress_bar = false")
    return connection


def quote_name(name: str) -> str:
    """Return an identifier as SQL takes it, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'


def quote_table(name: str) -> str:
    """Return ``table`` or ``schema.table`` with its parts quoted."""
    return ".".join(quote_name(part) for part in name.split("."))


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()  # noqa: S608  # ours
    assert row is not None
    return int(row[0])


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    try:
        connection.execute("ROLLBACK")
    except duckdb.Error as error:
        # DuckDB has rolled back by itself when a COMMIT failed.
        if "no transaction" not in str(error).lower():
            raise


def checked_reader(reader: pa.RecordBatchReader, sql: str) -> pa.RecordBatchReader:
    """Return the answer of a query whose columns can be told apart, or raise."""
    names = reader.schema.names
    if not names:
        raise refused(sql, "it returns no columns")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise refused(sql, f"two columns are named {repeated[0]!r}; rename one with AS")
    return reader


def batches_of(reader: pa.RecordBatchReader, sql: str) -> Iterator[pa.RecordBatch]:
    """Yield a stream's batches; what the query stumbles over on the way is the query's error."""
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise refused(sql, first_paragraph(error)) from error
        yield batch


def refused(sql: str, why: str) -> InvalidInputError:
    """Return the error of a query that is not answered."""
    shown = " ".join(sql.split())
    return InvalidInputError(
        f"The query was refused: {why}",
        kind=ErrorKind.INVALID_QUERY,
        query=shown if len(shown) <= 500 else shown[:497] + "…",
    )


def first_paragraph(error: Exception) -> str:
    """Return what DuckDB says, on one line, without its drawing of the query."""
    return " ".join(str(error).partition("\n\n")[0].split())
