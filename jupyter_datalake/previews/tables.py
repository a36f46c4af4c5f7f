"""Pages of tables: CSV by the index of its rows, Parquet and Arrow by their groups of rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.previews import Page
from jupyter_datalake.model.table_diffs import Column, distinct_names, shown_value
from jupyter_datalake.previews.kinds import ARROW_ENDINGS, LINES_ENDINGS
from jupyter_datalake.previews.records import RecordReader, Stop
from jupyter_datalake.previews.transcoding import transcoded
from jupyter_datalake.warehouse.table_files import (
    TableSource,
    TableStream,
    exact_type,
    open_table,
    read_csv_head,
    table_kind,
    uncompressed,
    unreadable,
)

MAX_COLUMNS = 1000
"""Further columns of a table are counted and not shown."""
MAX_CELLS = 100_000
MAX_CELL_CHARS = 500
OTHERS = "…"
"""Column of the keys of JSON lines that the beginning of the file does not have."""

_HEAD_LINES = 1000
_STREAM_ROWS = 8192
_BUFFER_BYTES = 1 << 20
_MAX_BATCH_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A table to look at."""

    source: TableSource
    size_bytes: int
    digest: bytes


def read_table_page(table: LookedAt, offset: int, limit: int, stop: Stop) -> Page:
    """Return rows of a table from a number on.

    Raises
    ------
    InvalidInputError
        The file is not what its ending says.
    StateError
        Nobody waits any more.
    """
    ending = PurePosixPath(table.source.label).suffix.lower()
    try:
        if ending in LINES_ENDINGS:
            return _lines_page(table, offset, limit, stop)
        if ending in ARROW_ENDINGS:
            return _arrow_page(table, offset, limit, stop)
        kind, compression = table_kind(table.source.label)
        if kind == ".parquet":
            return _parquet_page(table, offset, limit, stop)
        return _csv_page(table, offset, limit, stop, kind or "", compression)
    except (pa.ArrowException, OSError, UnicodeDecodeError, csv.Error, OverflowError) as error:
        raise unreadable(table.source, error) from error


def open_stream(table: LookedAt, stop: Stop) -> TableStream:
    """Begin to read a whole table, whatever its format: JSON lines and CSV as texts."""
    ending = PurePosixPath(table.source.label).suffix.lower()
    try:
        if ending in LINES_ENDINGS:
            return _lines_stream(table, stop)
        if ending in ARROW_ENDINGS:
            return _arrow_stream(table)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(table.source, error) from error
    return open_table(table.source)


# --- CSV -----------------------------------------------------------------------------------------


def _csv_page(
    table: LookedAt, offset: int, limit: int, stop: Stop, kind: str, compression: str | None
) -> Page:
    head = read_csv_head(table.source, kind, compression)
    width = max(1, min(len(head.columns), MAX_COLUMNS))
    limit = _limit(limit, len(head.columns))
    plain = compression is None and head.encoding == "utf-8"

    def opened() -> BinaryIO:
        raw = (
            table.source.open() if compression is None else uncompressed(table.source, compression)
        )
        return raw if head.encoding == "utf-8" else transcoded(raw, head.encoding)

    size = table.size_bytes if plain else None
    reader = RecordReader(opened, size, digest=table.digest, delimiter=head.delimiter)
    found = reader.read(offset + 1, limit, stop)
    cuts = [found.is_cut]
    rows = tuple(_csv_row(record, head.delimiter, width, cuts) for record in found.records)
    return Page(
        columns=head.columns[:width],
        column_count=len(head.columns),
        rows=rows,
        offset=offset,
        total=None if found.total is None else max(0, found.total - 1),
        estimated_total=found.estimated_total,
        has_more=found.has_more,
        is_cut=any(cuts),
    )


def _csv_row(record: bytes, delimiter: str, width: int, cuts: list[bool]) -> tuple[str | None, ...]:
    """Return the cells of a row: as many as are shown, whatever it has."""
    text = record.decode("utf-8", "replace").removesuffix("\r")
    try:
        cells = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        cells = text.split(delimiter)
    cells = [*cells[:width], *[""] * (width - len(cells))]
    return tuple(_cut(cell, cuts) if cell else None for cell in cells)


# --- JSON lines ----------------------------------------------------------------------------------


def _lines_page(table: LookedAt, offset: int, limit: int, stop: Stop) -> Page:
    columns, is_whole = _lines_columns(table, stop)
    names = [column.name for column in columns]
    found = _lines_reader(table).read(offset, _limit(limit, len(names)), stop)
    cuts = [found.is_cut]
    rows = tuple(
        tuple(
            None if cell is None else _cut(cell, cuts)
            for cell in _lines_cells(record, names, more=not is_whole)
        )[:MAX_COLUMNS]
        for record in found.records
    )
    shown_columns = (*columns, *(() if is_whole else (Column(OTHERS, "string"),)))
    return Page(
        columns=shown_columns[:MAX_COLUMNS],
        column_count=len(shown_columns),
        rows=rows,
        offset=offset,
        total=found.total,
        estimated_total=found.estimated_total,
        has_more=found.has_more,
        is_cut=any(cuts),
    )


def _lines_reader(table: LookedAt) -> RecordReader:
    return RecordReader(table.source.open, table.size_bytes, digest=table.digest)


def _lines_columns(table: LookedAt, stop: Stop) -> tuple[list[Column], bool]:
    """Return the keys of the first lines, and whether these are all lines."""
    head = _lines_reader(table).read(0, _HEAD_LINES, stop)
    kinds: dict[str, set[str]] = {}
    for record in head.records:
        value = _parsed(record)
        if isinstance(value, dict):
            for name, one in value.items():
                kinds.setdefault(name, set()).add(_type_name(one))
        elif record.strip():
            kinds.setdefault("value", set()).add(_type_name(value))
    columns = [Column(name, _joined(found)) for name, found in kinds.items()]
    return columns, not head.has_more


def _type_name(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            return "int64"
        case float():
            return "double"
    return "string"


def _joined(kinds: set[str]) -> str:
    kinds = kinds - {"null"}
    if kinds == {"int64", "double"}:
        return "double"
    return kinds.pop() if len(kinds) == 1 else "string"


def _parsed(record: bytes) -> Any:
    try:
        return json.loads(record.decode("utf-8", "replace").removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return record.decode("utf-8", "replace").strip()


def _lines_cells(record: bytes, names: Sequence[str], *, more: bool) -> list[str | None]:
    """Return a line's values as text, one per column; `more` adds one of all other keys."""
    value = _parsed(record)
    if not isinstance(value, dict):
        value = {"value": value} if record.strip() else {}
    known = set(names)
    others = {name: one for name, one in value.items() if name not in known}
    cells = [_json_text(value.get(name)) for name in names]
    return [*cells, _json_text(others or None)] if more else cells


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        # Half a surrogate pair is no character, and no database takes it.
        return value and value.encode("utf-8", "replace").decode()
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace").decode()
    except (ValueError, RecursionError):
        return OTHERS


def _lines_stream(table: LookedAt, stop: Stop) -> TableStream:
    columns, _ = _lines_columns(table, stop)
    names = [column.name for column in columns]
    schema = pa.schema([(f"c{n}", pa.string()) for n in range(len(names))])

    def batches() -> Iterator[pa.RecordBatch]:
        reader, offset = _lines_reader(table), 0
        while True:
            found = reader.read(offset, _STREAM_ROWS, stop)
            cells = [_lines_cells(record, names, more=False) for record in found.records]
            arrays = [pa.array([row[n] for row in cells], pa.string()) for n in range(len(names))]
            if names and cells:
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            offset += len(cells)
            if not found.has_more or not cells:
                return

    return TableStream(tuple(columns), schema, batches())


# --- Parquet and Arrow ---------------------------------------------------------------------------


def _parquet_page(table: LookedAt, offset: int, limit: int, stop: Stop) -> Page:
    with table.source.open() as raw:
        file = pq.ParquetFile(raw, pre_buffer=False, buffer_size=_BUFFER_BYTES)
        fields = list(file.schema_arrow)
        total = file.metadata.num_rows
        limit = _limit(limit, len(fields))
        few = [field.name for field in fields[:MAX_COLUMNS]]
        wanted = few if len(fields) > MAX_COLUMNS else None

        def batches(group: int) -> Iterator[pa.RecordBatch]:
            yield from file.iter_batches(
                batch_size=limit, row_groups=[group], columns=wanted, use_threads=False
            )

        sizes = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        parts = _rows_of(sizes, batches, offset, limit, stop)
        return _page_of(fields, parts, offset, total)


def _arrow_page(table: LookedAt, offset: int, limit: int, stop: Stop) -> Page:
    with table.source.open() as raw:
        file = _arrow_file(raw, table)
        fields = list(file.schema)
        limit = _limit(limit, len(fields))
        kept: list[pa.RecordBatch] = []
        total = 0
        for number in range(file.num_record_batches):
            if stop():
                break
            batch = file.get_batch(number)
            start = max(0, offset - total)
            room = limit - sum(one.num_rows for one in kept)
            if start < batch.num_rows and room > 0:
                kept.append(batch.slice(start, room))
            total += batch.num_rows
        return _page_of(fields, iter(kept), offset, total)


def _arrow_file(raw: BinaryIO, table: LookedAt) -> pa.RecordBatchFileReader:
    file = pa.ipc.open_file(pa.PythonFile(raw, mode="r"))
    each = table.size_bytes // max(1, file.num_record_batches)
    if each > _MAX_BATCH_BYTES:
        raise InvalidInputError(
            f"{table.source.label} has batches of {each:,} bytes; at most"
            f" {_MAX_BATCH_BYTES:,} are read at once",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Write it in smaller batches, or as Parquet",
        )
    return file


def _arrow_stream(table: LookedAt) -> TableStream:
    file = _arrow_file(table.source.open(), table)
    fields = list(file.schema)
    names = distinct_names([field.name for field in fields])
    columns = tuple(Column(name, str(f.type)) for name, f in zip(names, fields, strict=True))
    schema = pa.schema([(f"c{n}", exact_type(field.type)) for n, field in enumerate(fields)])

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(file.num_record_batches):
            whole = file.get_batch(number)
            arrays = [
                (array.storage if isinstance(array, pa.ExtensionArray) else array).cast(field.type)
                for array, field in zip(whole.columns, schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return TableStream(columns, schema, batches())


def _rows_of(
    sizes: Sequence[int],
    batches: Callable[[int], Iterator[pa.RecordBatch]],
    offset: int,
    limit: int,
    stop: Stop,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows that are wanted, from the groups that hold them."""
    before = 0
    for group, size in enumerate(sizes):
        if before + size > offset:
            for batch in batches(group):
                if stop() or limit <= 0:
                    return
                start = max(0, offset - before)
                before += batch.num_rows
                if start < batch.num_rows:
                    rows = batch.slice(start, limit)
                    limit -= rows.num_rows
                    offset = before
                    yield rows
        else:
            before += size


def _page_of(
    fields: Sequence[pa.Field], parts: Iterator[pa.RecordBatch], offset: int, total: int
) -> Page:
    names = distinct_names([field.name for field in fields])[:MAX_COLUMNS]
    columns = tuple(
        Column(name, str(field.type)) for name, field in zip(names, fields, strict=False)
    )
    cuts: list[bool] = []
    rows: list[tuple[str | None, ...]] = []
    for part in parts:
        texts = [_texts(array, cuts) for array in part.columns[: len(columns)]]
        rows += zip(*texts, strict=True) if texts else [()] * part.num_rows
    return Page(
        columns=columns,
        column_count=len(fields),
        rows=tuple(rows),
        offset=offset,
        total=total,
        has_more=offset + len(rows) < total,
        is_cut=any(cuts),
    )


def _texts(array: pa.Array, cuts: list[bool]) -> list[str | None]:
    """Return values as text, each cut to what is shown."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        values = array.cast(pa.large_string()).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, UnicodeDecodeError):
        values = [_nested_text(value) for value in array]
    return [None if value is None else _cut(value, cuts) for value in values]


def _nested_text(value: pa.Scalar) -> str | None:
    if not value.is_valid:
        return None
    try:
        plain = shown_value(value.as_py())
    except (ValueError, UnicodeDecodeError):  # a time beyond Python's, text that is none
        return str(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _limit(limit: int, columns: int) -> int:
    """Return how many rows fit into one page."""
    return max(1, min(limit, MAX_CELLS // max(1, min(columns, MAX_COLUMNS))))


def _cut(text: str, cuts: list[bool]) -> str:
    if len(text) <= MAX_CELL_CHARS:
        return text
    cuts.append(True)
    return text[:MAX_CELL_CHARS] + "…"
