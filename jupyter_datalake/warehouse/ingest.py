"""Ingest: the rows of a query become files, streamed at constant memory.

The files depend on the rows alone: row groups are cut by count, not by the batches in which the
warehouse happened to send them. So an unchanged table gives unchanged bytes, and nothing
downstream runs; for that the query should say ORDER BY.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.warehouse import Connection, IngestReport, IngestSpec, TableFormat
from jupyter_datalake.warehouse.base import BATCH_ROWS
from jupyter_datalake.warehouse.connections import open_warehouse

MAX_PARTITIONS = 1000
"""More distinct values than this are a mistake in `partition_by`, not a layout."""

_NULL = "_null"
_EMPTY = "_empty"


def run_ingest(connection: Connection, spec: IngestSpec, out: Path) -> IngestReport:
    """Run a query and write its rows below `out`.

    Raises
    ------
    InvalidInputError
        The query is refused, or the partition column is missing or has too many values.
    StorageError
        The warehouse cannot be reached.
    """
    with open_warehouse(connection) as warehouse, warehouse.query(spec.query) as rows:
        return write_rows(rows, spec, out)


def write_rows(rows: pa.RecordBatchReader, spec: IngestSpec, out: Path) -> IngestReport:
    """Write a stream of rows as one file, or one file per value of the partition column."""
    schema = _storable(rows.schema)
    if spec.partition_by is not None and spec.partition_by not in schema.names:
        raise InvalidInputError(
            f"The query returns no column {spec.partition_by!r} to partition by;"
            f" it returns {', '.join(schema.names)}",
            kind=ErrorKind.INVALID_QUERY,
            column=spec.partition_by,
        )
    files: dict[str, _BufferedFile] = {}
    count = 0
    try:
        if spec.partition_by is None:
            files[""] = _open_file(spec, schema, out, "")
        for batch in rows:
            count += batch.num_rows
            table = pa.Table.from_batches([batch]).cast(schema)
            for folder, part in _parts(table, spec.partition_by):
                if folder not in files:
                    if len(files) == MAX_PARTITIONS:
                        raise InvalidInputError(
                            f"Column {spec.partition_by!r} has more than {MAX_PARTITIONS} values",
                            kind=ErrorKind.INVALID_QUERY,
                            hint="Partition by a column with fewer values",
                            column=spec.partition_by,
                        )
                    files[folder] = _open_file(spec, schema, out, folder)
                files[folder].write(part)
    finally:
        for file in files.values():
            file.close()
    return IngestReport(
        row_count=count,
        size_bytes=sum(file.path.stat().st_size for file in files.values()),
        files=tuple(sorted(str(file.path.relative_to(out)) for file in files.values())),
        columns={field.name: str(field.type) for field in schema},
    )


def _storable(schema: pa.Schema) -> pa.Schema:
    """Return the schema with view types, which not every reader of Parquet knows, as plain ones."""
    fields = []
    for field in schema:
        if pa.types.is_string_view(field.type):
            field = field.with_type(pa.string())  # noqa: PLW2901  # the same field, storable
        elif pa.types.is_binary_view(field.type):
            field = field.with_type(pa.binary())  # noqa: PLW2901
        fields.append(field)
    return pa.schema(fields)


def _parts(table: pa.Table, column: str | None) -> Iterator[tuple[str, pa.Table]]:
    """Yield the folder and the rows of each value of a column, in order of first appearance."""
    if column is None:
        yield "", table
        return
    values = table.column(column)
    for value in pc.unique(values):
        is_same = pc.is_null(values) if not value.is_valid else pc.equal(values, value)
        yield partition_folder(value.as_py()), table.filter(is_same)


def partition_folder(value: object) -> str:
    """Return the folder of a value: its text, with what a file name cannot hold escaped.

    >>> partition_folder("One/two year")
    'One%2Ftwo year'
    """
    if value is None:
        return _NULL
    name = quote(str(value), safe=" !#$&'()+,-.;=@[]^_`{}~", errors="surrogateescape")
    if name in {".", ".."}:
        return name.replace(".", "%2E")
    if name in {_NULL, _EMPTY}:
        return name.replace("_", "%5F")
    return name or _EMPTY


def _open_file(spec: IngestSpec, schema: pa.Schema, out: Path, folder: str) -> _BufferedFile:
    relative = Path(spec.output.lstrip("/"))
    path = out / folder / relative if folder else out / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    if spec.format is TableFormat.PARQUET:
        writer: _TableWriter = pq.ParquetWriter(path, schema, compression="zstd")
    else:
        writer = pacsv.CSVWriter(path, schema)
    return _BufferedFile(path, writer)


class _TableWriter(Protocol):
    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class _BufferedFile:
    """A file that is written in row groups of exactly `BATCH_ROWS`, whatever comes in."""

    def __init__(self, path: Path, writer: _TableWriter) -> None:
        self.path = path
        self._writer = writer
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: pa.Table) -> None:
        self._waiting.append(table)
        self._rows += table.num_rows
        while self._rows >= BATCH_ROWS:
            whole = pa.concat_tables(self._waiting)
            self._writer.write_table(whole.slice(0, BATCH_ROWS).combine_chunks())
            rest = whole.slice(BATCH_ROWS)
            self._waiting, self._rows = [rest], rest.num_rows

    def close(self) -> None:
        if self._rows:
            self._writer.write_table(pa.concat_tables(self._waiting).combine_chunks())
        self._writer.close()
