"""Egress: the rows of a commit's files go into a table, streamed at constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.files import FileInfo
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.warehouse import Connection, EgressReport, EgressSpec
from jupyter_datalake.warehouse.base import BATCH_ROWS, EgressSource
from jupyter_datalake.warehouse.connections import open_warehouse

Opener = Callable[[RepoPath], BinaryIO]
_SUFFIXES = (".parquet", ".csv")


def run_egress(
    connection: Connection,
    spec: EgressSpec,
    source: EgressSource,
    files: list[FileInfo],
    opener: Opener,
) -> EgressReport:
    """Write the rows of `files` into the table that `spec` names, once per commit.

    Raises
    ------
    InvalidInputError
        The files have different columns, or their rows do not fit the table.
    StorageError
        The warehouse cannot be reached; nothing was written.
    """
    tables = [info.path for info in files if info.path.endswith(_SUFFIXES)]
    if not tables:
        raise InvalidInputError(
            f"Glob {spec.files!r} matches no Parquet or CSV file to write to {spec.table!r}",
            kind=ErrorKind.EGRESS_FAILED,
            hint="Correct 'files' in the pipeline's egress",
            glob=spec.files,
        )
    with open_warehouse(connection) as warehouse:
        return warehouse.egress(read_rows(tables, opener), spec, source)


def read_rows(paths: list[RepoPath], opener: Opener) -> pa.RecordBatchReader:
    """Return the rows of several files as one stream with the first file's schema."""
    schema = _schema_of(paths[0], opener)

    def batches() -> Iterator[pa.RecordBatch]:
        for path in paths:
            with opener(path) as file:
                for batch in _iter_batches(path, file):
                    yield from _conformed(batch, schema, path)

    return pa.RecordBatchReader.from_batches(schema, batches())


def _schema_of(path: RepoPath, opener: Opener) -> pa.Schema:
    with opener(path) as file:
        if path.endswith(".parquet"):
            schema: pa.Schema = pq.read_schema(file)
        else:
            schema = pacsv.open_csv(file).schema
    # pandas keeps its index and types in the metadata; the warehouse wants columns only.
    return schema.remove_metadata()


def _iter_batches(path: RepoPath, file: BinaryIO) -> Iterator[pa.RecordBatch]:
    if path.endswith(".parquet"):
        yield from pq.ParquetFile(file).iter_batches(batch_size=BATCH_ROWS)
    else:
        yield from pacsv.open_csv(file)


def _conformed(
    batch: pa.RecordBatch, schema: pa.Schema, path: RepoPath
) -> Iterator[pa.RecordBatch]:
    if set(batch.schema.names) != set(schema.names):
        difference = sorted(set(batch.schema.names) ^ set(schema.names))
        raise InvalidInputError(
            f"{path} has other columns than the files before it: {', '.join(difference)}",
            kind=ErrorKind.EGRESS_FAILED,
            hint="Write the same columns to every file, or narrow 'files' in the egress",
            path=path,
            columns=difference,
        )
    try:
        table = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InvalidInputError(
            f"{path} has other types than the files before it: {error}",
            kind=ErrorKind.EGRESS_FAILED,
            path=path,
        ) from error
    yield from table.to_batches()
