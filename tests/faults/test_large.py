"""E11 and B8: a million tiny files, also in one folder, a million branches, a sparse file of
100 GB, 10 GB of one byte. `make large` does it; in `make test` the sizes are smaller.
"""

import os
import statistics
import subprocess
import sys
import textwrap
import time
from functools import partial

import pytest
from sqlalchemy import insert, select

from jupyter_datalake.metadata import tables
from jupyter_datalake.model.refs import RefKind

IS_FULL = bool(os.environ.get("DATALAKE_LARGE_TESTS"))
pytestmark = pytest.mark.timeout(7200 if IS_FULL else 240)
BUDGET = 500 << 20

PROGRAM = """
import os, sys, time
from pathlib import Path
from jupyter_datalake.lake.lake import Lake

folder, what, size = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
source = folder / "source"

def tiny():
    for number in range(size):
        if number % 1000 == 0:
            (source / str(number // 1000)).mkdir(parents=True)
        (source / str(number // 1000) / str(number)).write_bytes(b"%d" % number * (number % 40))

def sparse():
    with open(source, "wb") as file:
        file.truncate(size)
        for place in range(0, size, max(size // 7, 1)):
            file.seek(place)
            file.write(b"a little data")
        file.truncate(size)

def one_byte():
    with open(source, "wb") as file:
        for _ in range(size >> 20):
            file.write(b"x" * (1 << 20))

{"tiny": tiny, "sparse": sparse, "one_byte": one_byte}[what]()
lake = Lake.create(str(folder / "lake"))
lake.repos.create("raw")
began = time.monotonic()
if what == "tiny":
    commit, skipped = lake.files.put_tree("raw@main/x", source)
    assert not skipped
    assert commit.file_count == size, commit.file_count
else:
    commit = lake.files.put("raw@main/x", source)
    assert commit.size_bytes == size >> 20 << 20, commit.size_bytes
took = time.monotonic() - began
stored = lake.maintenance.get_status().stored_bytes
page = lake.files.list("raw@main/x" if what == "tiny" else "raw@main", limit=100)
assert page
if what == "tiny":
    last = size - 1
    found = lake.files.read(f"raw@main/x/{last // 1000}/{last}")
    assert found == b"%d" % last * (last % 40)
else:
    with lake.files.open("raw@main/x") as file, open(source, "rb") as original:
        for place in (0, size // 7, size // 2, size - 100_000):
            file.seek(place)
            original.seek(place)
            assert file.read(70_000) == original.read(70_000), place
assert lake.maintenance.verify().is_clean
lake.close()
# Not getrusage: its peak counts what the process was before it became this program.
peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print(int(peak) * 1024, stored, round(took, 1))
"""

GIB = 1 << 30


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "scaled", "full", "most_stored"),
    [
        ("tiny", 6_000, 1_000_000, 400),
        ("sparse", GIB // 2, 100 * GIB, 0.02),
        ("one_byte", GIB // 4, 10 * GIB, 0.02),
    ],
)
def test_e11_memory_and_space_stay_small_for(what, scaled, full, most_stored, tmp_path):
    size = full if IS_FULL else scaled
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), tmp_path, what, str(size)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    memory, stored, _took = done.stdout.split()
    assert int(memory) < BUDGET
    assert int(stored) < most_stored * size + 8_000_000
    if IS_FULL:
        sys.stdout.write(f"{what} {size:,}: memory, stored bytes and seconds {done.stdout}")


def pages(fetch, size):
    """Fetch all pages; return the names, and how long the one in the middle of all took."""
    names, took = [], []
    while True:
        began = time.perf_counter()
        page = fetch(after=names[-1] if names else "", limit=size)
        took.append(time.perf_counter() - began)
        names += [one.name for one in page]
        if len(page) < size:
            return names, statistics.median(took)


def tell(what, count, median_s):
    if IS_FULL:
        sys.stdout.write(f"{count:,} {what}: p50 of a page of 1,000 {median_s * 1000:.1f} ms\n")


@pytest.mark.slow
def test_b8_a_folder_of_very_many_files_is_listed_in_pages(lake, tmp_path):
    count = 1_000_000 if IS_FULL else 20_000
    source = tmp_path / "source"
    source.mkdir()
    for number in range(count):
        (source / f"f{number:07}").touch()
    commit, skipped = lake.files.put_tree("raw@main/", source)
    assert (commit.file_count, skipped) == (count, [])
    names, median_s = pages(partial(lake.files.list, "raw@main"), 1000)
    assert names == [f"f{number:07}" for number in range(count)]
    tell("files in a folder", count, median_s)
    last = f"f{count - 1:07}"
    assert [one.name for one in lake.files.list("raw@main", after=f"f{count - 2:07}")] == [last]
    lake.files.put(f"raw@main/{last}", "changed")
    changed = lake.commits.diff("raw", "main~1", "main")
    assert [one.path for one in changed] == [last]
    assert lake.files.list("raw@main", after=last) == []
    assert lake.maintenance.verify().is_clean


@pytest.mark.slow
def test_b8_very_many_branches_are_listed_in_pages(lake):
    count = 1_000_000 if IS_FULL else 20_000
    head = lake.commits.get("raw").id
    lake.refs.create_branch("raw", "b")
    with lake.core.metadata.write() as tx:  # a transaction for each would take an hour
        refs, connection = tables.refs, tx._connection
        row = connection.execute(select(refs).where(refs.c.name == "b")).mappings().one()
        like = {key: value for key, value in row.items() if key != "id"}
        for begin in range(0, count, 10_000):
            names = (f"b{number:07}" for number in range(begin, begin + 10_000))
            connection.execute(insert(refs), [{**like, "name": name} for name in names])
    lake.refs.delete_branch("raw", "b")
    names, median_s = pages(partial(lake.refs.list, "raw", kind=RefKind.BRANCH), 1000)
    assert names == [f"b{number:07}" for number in range(count)] + ["main"]
    tell("branches", count, median_s)
    middle = f"b{count // 2:07}"
    lake.files.put(f"raw@{middle}/x", "only here")
    assert lake.refs.get("raw", middle).commit_id != head
    assert lake.refs.get("raw", names[0]).commit_id == head
    assert [one.name for one in lake.files.list(f"raw@{middle}")] == ["x"]
    assert lake.files.list("raw@main") == []
    lake.refs.delete_branch("raw", middle)
    assert len(lake.refs.list("raw", kind=RefKind.BRANCH, limit=count + 5)) == count
    assert lake.maintenance.verify().is_clean
