"""``%%sql``: a query over lake files, data frames and warehouses becomes a data frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from glob import has_magic
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import psutil
import pyarrow as pa

from jupyter_datalake import environment
from jupyter_datalake.errors import DatalakeError, ErrorKind, InvalidInputError
from jupyter_datalake.lake.as_of import seen
from jupyter_datalake.lake.default_lake import shown_branches
from jupyter_datalake.lake.filesystem import LakeFileSystem
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.addresses import SCHEME, Address, parse_address
from jupyter_datalake.notebook.lakes import kernel_lake
from jupyter_datalake.warehouse.connections import open_warehouse
from jupyter_datalake.warehouse.file_queries import query_files

_SHARE = 4
"""DuckDB works with a quarter of what memory there is, and an answer may take as much."""
_LEAST_BYTES = 256 * 1024 * 1024


def answer(
    sql: str,
    names: Mapping[str, Any],
    *,
    connection: str | None = None,
    most_bytes: int | None = None,
) -> pd.DataFrame:
    """Return a query's answer as a data frame.

    Parameters
    ----------
    names
        Of the notebook; the query may name those that are tables.
    connection
        The warehouse that is asked, instead of lake files.
    most_bytes
        How large an answer may be.

    Raises
    ------
    InvalidInputError
        The query is refused, or its answer is too large.
    NotFoundError
        There is no such connection.
    """
    allowed = environment.memory_bytes() or psutil.virtual_memory().total // _SHARE
    most = allowed if most_bytes is None else most_bytes
    if connection is not None:
        with (
            open_warehouse(kernel_lake().warehouse.get(connection)) as warehouse,
            warehouse.query(sql) as reader,
        ):
            return _frame(reader, most)
    with (
        _files() as files,
        query_files(
            sql,
            filesystem=files.filesystem,
            frames={name: value for name, value in names.items() if _is_table(name, value)},
            address_of=partial(_url_of, files.check),
            memory_bytes=max(allowed, _LEAST_BYTES),
            work_folder=files.work_folder,
        ) as reader,
    ):
        return _frame(reader, most)


@dataclass(frozen=True, slots=True)
class _Files:
    """What a query finds behind addresses."""

    filesystem: Any
    check: Callable[[Address], None]
    """Refuses an address at which there is nothing."""
    work_folder: Path


@contextmanager
def _files() -> Iterator[_Files]:
    """Give the files of the lake; in a job, those of its datum."""
    if shown_branches() is None:
        lake = kernel_lake()
        filesystem = LakeFileSystem(lake_url=lake.url)
        yield _Files(filesystem, partial(_check_in_lake, lake), lake.core.work_folder / "sql")
        return
    filesystem = LakeFileSystem()
    with TemporaryDirectory(prefix="datalake-sql-") as folder:
        yield _Files(filesystem, partial(_check_in_datum, filesystem), Path(folder))


def _check_in_lake(lake: Lake, place: Address) -> None:
    found = seen(place)
    lake.commits.get(found.repo, found.ref)
    if not has_magic(place.path):
        lake.files.get(place)


def _check_in_datum(filesystem: Any, place: Address) -> None:
    filesystem.info(f"{place.repo}@{place.ref}" if has_magic(place.path) else str(place))


def _frame(reader: pa.RecordBatchReader, most: int) -> pd.DataFrame:
    batches: list[pa.RecordBatch] = []
    size = 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > most:
            raise InvalidInputError(
                f"The answer is larger than {most:,} bytes",
                kind=ErrorKind.INVALID_QUERY,
                hint="Sum it up or add a LIMIT; DATALAKE_MEMORY_BYTES allows more",
            )
    frame: pd.DataFrame = pa.Table.from_batches(batches, reader.schema).to_pandas()
    return frame


def _is_table(name: str, value: Any) -> bool:
    """Tell whether a notebook's variable can be asked: data frames of pandas, Arrow and polars."""
    if name.startswith("_"):
        return False
    if isinstance(value, pd.DataFrame | pa.Table | pa.RecordBatch):
        return True
    kind = type(value)
    return kind.__module__.partition(".")[0] == "polars" and kind.__name__ in {
        "DataFrame",
        "LazyFrame",
    }


def _url_of(check: Callable[[Address], None], text: str) -> str | None:
    """Return the URL of a place in the lake, or None for a text that is none.

    Raises
    ------
    DatalakeError
        It is an address that `check` refuses.
    """
    is_url = text.startswith(f"{SCHEME}://")
    if "@" not in text or ("://" in text and not is_url):
        return None
    try:
        place = parse_address(text)
    except DatalakeError:
        if is_url:
            raise
        return None
    if not place.path:
        return None
    check(place)
    return place.url
