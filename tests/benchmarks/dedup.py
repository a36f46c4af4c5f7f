"""What a change of a file adds to the store, over what the change itself holds.

Appends, inserts and local edits of CSV, Parquet, SQLite and tar files, beside restic and borg.
"""

from __future__ import annotations

import io
import random
import shutil
import sqlite3
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import csv_rows
from tools import Borg, Datalake, Restic, Tool

ROWS = 600_000
CHANGED = ROWS // 100


def run(place: Path, *, scale: float = 1.0) -> dict[str, Any]:
    """Return stored bytes over changed bytes, by kind of file, change and tool."""
    rows = max(int(ROWS * scale), 5_000)
    tools = [tool for tool in (Datalake, Restic, Borg) if tool.version() is not None]
    figures = {
        f"{kind}, {change}": _measure(place, tools, make, change, rows)
        for kind, make in MAKERS.items()
        for change in ("append", "insert", "edit")
    }
    return {"benchmark": "dedup", "rows": rows, "stored_per_changed_byte": figures}


def _measure(
    place: Path,
    tools: list[type[Tool]],
    make: Callable[[Path, list[bytes]], None],
    change: str,
    rows: int,
) -> dict[str, float]:
    before = list(csv_rows(rows))
    after, changed_bytes = _changed(before, change)
    ratios: dict[str, float] = {}
    for kind in tools:
        tool = kind(place / "stores" / kind.name.replace(" ", "-"))
        folder = place / "dedup"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tool.begin()
        make(folder / "file", before)
        tool.commit(folder, "before")
        stored = tool.stored_bytes()
        make(folder / "file", after)
        tool.commit(folder, "after")
        ratios[kind.name] = round((tool.stored_bytes() - stored) / changed_bytes, 2)
        shutil.rmtree(folder)
        shutil.rmtree(tool.place)
    print(change, ratios, file=sys.stderr)
    return ratios


def _changed(rows: list[bytes], change: str) -> tuple[list[bytes], int]:
    """Return rows of which 1 % were appended, inserted or edited, and the bytes of those."""
    count = max(len(rows) // 100, 1)
    source = random.Random(9)
    fresh = [b"%d,new,%032x\n" % (number, source.getrandbits(128)) for number in range(count)]
    middle = len(rows) // 2
    after = {
        "append": [*rows, *fresh],
        "insert": [*rows[:middle], *fresh, *rows[middle:]],
        "edit": [*rows[:middle], *fresh, *rows[middle + count :]],
    }[change]
    return after, sum(map(len, fresh))


def _csv(path: Path, rows: list[bytes]) -> None:
    path.write_bytes(b"".join(rows))


def _parquet(path: Path, rows: list[bytes]) -> None:
    columns = list(zip(*(row.rstrip().split(b",", 2) for row in rows), strict=True))
    table = pa.table({name: pa.array(column) for name, column in zip("abc", columns, strict=True)})
    # As pandas and DuckDB write it, but cut by content, which pyarrow offers for stores like this.
    pq.write_table(table, path, use_content_defined_chunking=True)


def _sqlite(path: Path, rows: list[bytes]) -> None:
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, line BLOB)")
    with connection:
        connection.executemany("INSERT INTO t (line) VALUES (?)", ((row,) for row in rows))
    connection.close()


def _tar(path: Path, rows: list[bytes]) -> None:
    with tarfile.open(path, "w") as tar:
        for start in range(0, len(rows), 1000):
            data = b"".join(rows[start : start + 1000])
            member = tarfile.TarInfo(f"part-{start:09d}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


MAKERS: dict[str, Callable[[Path, list[bytes]], None]] = {
    "CSV": _csv,
    "Parquet": _parquet,
    "SQLite": _sqlite,
    "tar": _tar,
}
