"""Data frames of files, each with a passport: the commit its numbers come from."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO

from jupyter_datalake.errors import ErrorKind, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

PASSPORT = "datalake"
"""Where `DataFrame.attrs` keeps the passport."""

_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".zst", ".zip"})


def read_frame(file: BinaryIO, path: str, options: dict[str, Any]) -> pd.DataFrame:
    """Return what pandas reads from a file; the ending of `path` says with which reader.

    Parameters
    ----------
    options
        Passed on to the reader of pandas.

    Raises
    ------
    InvalidInputError
        No reader belongs to the ending.
    """
    reader, more = _reader(path)
    frame: pd.DataFrame = reader(file, **{**more, **options})
    return frame


def _reader(path: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    import pandas as pd  # noqa: PLC0415  # half a second, and only tables need it

    suffixes = [one.lower() for one in PurePosixPath(path).suffixes]
    more: dict[str, Any] = {}
    if suffixes and suffixes[-1] in _COMPRESSED:
        # pandas guesses from a name, and an open file has none.
        name = suffixes.pop().lstrip(".")
        more["compression"] = {"gz": "gzip", "zst": "zstd"}.get(name, name)
    kind = suffixes[-1] if suffixes else ""
    readers: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        ".parquet": (pd.read_parquet, {}),
        ".feather": (pd.read_feather, {}),
        ".arrow": (pd.read_feather, {}),
        ".csv": (pd.read_csv, more),
        ".tsv": (pd.read_csv, {"sep": "\t", **more}),
        ".json": (pd.read_json, more),
        ".jsonl": (pd.read_json, {"lines": True, **more}),
        ".ndjson": (pd.read_json, {"lines": True, **more}),
    }
    if kind not in readers or (more and "compression" not in readers[kind][1]):
        raise InvalidInputError(
            f"{path} has no ending that tells how to read it as a table",
            kind=ErrorKind.INVALID_REQUEST,
            hint=f"One of {', '.join(sorted(readers))}, or open it and read it your way: "
            "lake.files.open(address)",
        )
    return readers[kind]
