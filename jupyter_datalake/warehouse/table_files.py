"""CSV and Parquet files as streams of Arrow batches that a database takes without loss."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.table_diffs import Column, distinct_names

MAX_COLUMNS = 2000

_HEAD_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 20
_BATCH_ROWS = 8192
_DELIMITERS = ",;\t|"
_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class TableSource:
    """A table in a file.

    Parameters
    ----------
    label
        What messages call it, an address.
    open
        Opens its bytes, from the beginning each time.
    """

    label: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class TableStream:
    """The columns of a table, and its rows as they come."""

    columns: tuple[Column, ...]
    schema: pa.Schema
    """Of the batches; the columns are named ``c0``, ``c1``, … there."""
    batches: Iterator[pa.RecordBatch]


def is_table(path: str) -> bool:
    """Tell whether a path ends like a table that can be read."""
    return table_kind(path)[0] is not None


def open_table(source: TableSource) -> TableStream:
    """Begin to read a table; memory is a few batches, whatever its size.

    Raises
    ------
    InvalidInputError
        The ending is unknown, or the file cannot be read as what its ending says; also later,
        from the batches.
    """
    kind, compression = table_kind(source.label)
    if kind is None:
        raise InvalidInputError(
            f"{source.label} has no ending that tells how to read it as a table",
            kind=ErrorKind.INVALID_REQUEST,
            hint="One of .csv, .tsv, .parquet, .csv.gz, .csv.bz2, .csv.zst",
        )
    try:
        if kind == ".parquet":
            stream = _open_parquet(source)
        else:
            stream = _open_csv(source, kind, compression)
    except (pa.ArrowException, OSError, UnicodeDecodeError, csv.Error) as error:
        raise unreadable(source, error) from error
    if len(stream.columns) > MAX_COLUMNS:
        raise InvalidInputError(
            f"{source.label} has {len(stream.columns)} columns; at most {MAX_COLUMNS} are compared",
            kind=ErrorKind.INVALID_REQUEST,
        )
    return stream


def table_kind(path: str) -> tuple[str | None, str | None]:
    """Return the ending of a table's format, and how it is compressed; None for what is none."""
    suffixes = [one.lower() for one in PurePosixPath(path).suffixes]
    compression = _COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    kind = suffixes[-1] if suffixes else ""
    if kind in {".csv", ".tsv"} or (kind == ".parquet" and not compression):
        return kind, compression
    return None, None


# --- Parquet -------------------------------------------------------------------------------------


def _open_parquet(source: TableSource) -> TableStream:
    file = pq.ParquetFile(source.open(), pre_buffer=False, buffer_size=_HEAD_BYTES)
    fields = list(file.schema_arrow)
    names = distinct_names([field.name for field in fields])
    columns = tuple(
        Column(name, str(field.type)) for name, field in zip(names, fields, strict=True)
    )
    schema = pa.schema([(f"c{n}", exact_type(field.type)) for n, field in enumerate(fields)])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            arrays = [
                _exact(array, field.type)
                for array, field in zip(batch.columns, schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return TableStream(columns, schema, _guarded(batches(), source))


def exact_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that a value goes to the database as: one that it holds without loss."""
    if isinstance(kind, pa.BaseExtensionType):
        return exact_type(kind.storage_type)
    if pa.types.is_decimal256(kind):
        return pa.string()
    if pa.types.is_float16(kind):
        return pa.float32()
    if pa.types.is_duration(kind):
        return pa.int64()
    if pa.types.is_dictionary(kind):
        return exact_type(kind.value_type)
    if pa.types.is_map(kind):
        return pa.map_(exact_type(kind.key_type), exact_type(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, exact_type(field.type)) for field in kind])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.list_(exact_type(kind.value_type))
    return kind


def _exact(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    return array if array.type == kind else array.cast(kind)


# --- CSV -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CsvHead:
    """What the beginning of a CSV file tells."""

    columns: tuple[Column, ...]
    delimiter: str
    encoding: str


def read_csv_head(source: TableSource, kind: str, compression: str | None) -> CsvHead:
    """Read how a CSV file is written, and its columns, from its first MiB."""
    with uncompressed(source, compression) as file:
        head = file.read(_HEAD_BYTES)
    encoding = _BOMS.get(head[:2], "utf-8")
    text = io.StringIO(head.decode(encoding, "replace").removeprefix("\ufeff"), newline="")
    delimiter = "\t" if kind == ".tsv" else _delimiter_of(text.getvalue())
    header = next(csv.reader(text, delimiter=delimiter, strict=True), [])
    types = _guessed_types(head, encoding, _parsing(delimiter, len(header)), len(header))
    columns = tuple(Column(*one) for one in zip(distinct_names(header), types, strict=True))
    return CsvHead(columns, delimiter, encoding)


def _parsing(delimiter: str, count: int) -> pacsv.ParseOptions:
    return pacsv.ParseOptions(
        delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=count > 1
    )


def _open_csv(source: TableSource, kind: str, compression: str | None) -> TableStream:
    head = read_csv_head(source, kind, compression)
    count = len(head.columns)
    schema = pa.schema([(f"c{n}", pa.string()) for n in range(count)])
    if not count:
        return TableStream((), schema, iter(()))

    def batches() -> Iterator[pa.RecordBatch]:
        reader = pacsv.open_csv(
            uncompressed(source, compression),
            read_options=pacsv.ReadOptions(
                block_size=_BLOCK_BYTES,
                use_threads=False,
                autogenerate_column_names=True,
                encoding=head.encoding,
            ),
            parse_options=_parsing(head.delimiter, count),
            # NULL is an empty cell without quotes; with them it is an empty text.
            convert_options=pacsv.ConvertOptions(
                column_types={f"f{n}": pa.string() for n in range(count)},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        is_first = True
        for batch in reader:
            rows = batch.slice(1) if is_first else batch
            is_first = is_first and not batch.num_rows
            yield pa.RecordBatch.from_arrays(rows.columns, schema=schema)

    return TableStream(head.columns, schema, _guarded(batches(), source))


def uncompressed(source: TableSource, compression: str | None) -> pa.NativeFile:
    """Open a file as what it is without its compression."""
    file = pa.PythonFile(source.open(), mode="r")
    return file if compression is None else pa.CompressedInputStream(file, compression)


def _delimiter_of(text: str) -> str:
    """Return the delimiter that the header has most of, outside of quotes; a comma if none."""
    header, quoted = "", False
    for char in text:
        quoted ^= char == '"'
        if char in "\r\n" and not quoted:
            break
        header += "" if quoted else char
    return max(_DELIMITERS, key=header.count)


def _guessed_types(
    head: bytes, encoding: str, parsing: pacsv.ParseOptions, count: int
) -> list[str]:
    """Return the types that the first rows look like: for people, never for comparing."""
    whole = head if len(head) < _HEAD_BYTES else head[: head.rfind(b"\n") + 1]
    reading = pacsv.ReadOptions(encoding=encoding, skip_rows=0)
    try:
        found = pacsv.read_csv(io.BytesIO(whole), reading, parsing).schema.types
    except pa.ArrowInvalid:
        found = []  # a row cut in two, or nothing to guess from
    return [str(one) for one in found] if len(found) == count else ["string"] * count


# --- errors --------------------------------------------------------------------------------------


def _guarded(batches: Iterator[pa.RecordBatch], source: TableSource) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise unreadable(source, error) from error


def unreadable(source: TableSource, error: Exception) -> InvalidInputError:
    """Return the error of a file that is not what its ending says."""
    why = " ".join(str(error).split())
    return InvalidInputError(
        f"{source.label} cannot be read as a table: {why[:300]}",
        kind=ErrorKind.INVALID_REQUEST,
        hint="Its ending says what it should be; a CSV file is UTF-8 and begins with its header",
    )
