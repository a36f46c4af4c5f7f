"""What a mount's process does to hold no more memory than it needs."""

import os
import subprocess
import sys

from jupyter_datalake.mount import memory
from jupyter_datalake.mount.processes import is_path_within, working_folders

HOLES = """
import os
from jupyter_datalake.mount import memory

memory.share_arenas()
blocks = [os.urandom(60_000) for _ in range(2_000)]
full = memory.resident_bytes()
del blocks[:-1]  # the last one stands above all the others in the heap
memory.give_back()
print(full - memory.resident_bytes())
"""


def test_holes_in_the_heap_are_given_back():
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, check=True, text=True)
    assert int(done.stdout) > 80_000_000


def test_the_memory_of_this_process_is_what_the_system_says():
    with open("/proc/self/status") as status:
        kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    assert abs(memory.resident_bytes() / 1024 - kib) < 0.1 * kib


def test_the_folders_that_processes_stand_in_are_found(tmp_path):
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, cwd=tmp_path) as standing:
        assert {str(tmp_path), os.getcwd()} <= working_folders()
        standing.stdin.close()
    assert str(tmp_path) not in working_folders()


def test_a_folder_is_within_itself_and_not_within_its_namesake():
    assert is_path_within("/a/b", "/a/b")
    assert is_path_within("/a/b/c", "/a/b")
    assert not is_path_within("/a/bc", "/a/b")
