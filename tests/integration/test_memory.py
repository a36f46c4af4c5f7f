"""Memory is bounded by configuration, never by the size of a file, a table or a history.

Each program runs in a process of its own, over something small and then over something larger
than it may take: the most memory that it ever had must hardly differ.
"""

import subprocess
import sys
import textwrap

import pytest

BOUND = 96 << 20
"""Bytes by which the large thing may cost more than the small one; it has twice as many."""

PRELUDE = """
import os, re, sys
from pathlib import Path
from jupyter_datalake.lake.lake import Lake

folder = Path(sys.argv[1])
lake = Lake.create(str(folder / "lake"))
lake.repos.create("raw")
most = []

def measured():
    # Of this program: what getrusage tells includes the process that it was forked from.
    status = Path("/proc/self/status").read_text()
    most.append(int(re.search("VmHWM:(.*) kB", status)[1]) * 1024)
"""

FILES = """
class Pieces:
    def __init__(self, size):
        self.left = size

    def read(self, size=-1):
        count = min(self.left, size if size > 0 else 1 << 20)
        self.left -= count
        return os.urandom(count)

for size in (80 << 20, 280 << 20):  # the smaller one fills the caches
    lake.files.put("raw@main/x", Pieces(size))
    with lake.files.open("raw@main/x") as file:
        while file.read(1 << 20):
            pass
    lake.files.export("raw@main/x", folder / f"out-{size}")
    assert (folder / f"out-{size}").stat().st_size == size
    assert lake.maintenance.verify().is_clean
    measured()
"""

TABLES = """
from jupyter_datalake.model.warehouse import IngestSpec
from jupyter_datalake.warehouse.duckdb import DuckdbWarehouse
from jupyter_datalake.warehouse.ingest import run_ingest

DuckdbWarehouse(folder / "w.duckdb").execute("CREATE TABLE t (x INTEGER)")
connection = lake.warehouse.create("w", f"duckdb://{folder}/w.duckdb")
for rows in (500_000, 12_000_000):
    query = f"SELECT range AS n, range * 3.7 AS x FROM range({rows})"
    out = folder / f"out-{rows}"
    out.mkdir()
    assert run_ingest(connection, IngestSpec("w", query), out).row_count == rows
    measured()
"""

HISTORIES = """
for count in (20, 400):
    for number in range(count):
        lake.files.put("raw@main/x", f"{number} of {count} ".encode() * 20_000)
    after = None
    while page := lake.commits.list("raw", after=after, limit=100):
        after = page[-1].id
    assert lake.maintenance.verify().is_clean
    measured()
"""


SESSIONS = """
from jupyter_datalake.config import LakeConfig

lake.close()
# What a session keeps in memory is folded now and then, here rather often.
lake = Lake.open(LakeConfig(str(folder / "lake"), staged_count=4_000))
for count in (8_000, 80_000):
    with lake.sessions.create("raw") as work:
        for number in range(count):
            work.put(f"{count}/{number % 100}/{number}", str(number))
    with lake.sessions.open(work.id) as work:
        assert sum(1 for _ in work._session.diff()) == count
        lake.files.put("raw@main/beside", str(count))
        assert work.commit("all of them").file_count > count
        work.delete_session()
    measured()
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [FILES, TABLES, HISTORIES, SESSIONS],
    ids=["file", "table", "history", "session"],
)
def test_memory_does_not_grow_with_the_size_of_a(program, tmp_path):
    source = PRELUDE + textwrap.dedent(program) + "print(*most)\n"
    done = subprocess.run(
        [sys.executable, "-c", source, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    small, large = map(int, done.stdout.split())
    assert large - small < BOUND, f"{small >> 20} MiB, then {large >> 20} MiB"
