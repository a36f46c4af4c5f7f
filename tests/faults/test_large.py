"""E11: a million tiny files, a sparse file of 100 GB, 10 GB of one byte: `make large` does it.

In `make test` the sizes are smaller and the budget is the same.
"""

import os
import subprocess
import sys
import textwrap

import pytest

IS_FULL = bool(os.environ.get("DATALAKE_LARGE_TESTS"))
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
