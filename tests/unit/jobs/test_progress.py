"""The memory by which a worker tells where it is."""

import subprocess
import sys
from contextlib import closing

from jupyter_datalake.jobs.progress import Progress

PROGRAM = """
import os, sys
from jupyter_datalake.jobs.progress import Progress
progress = Progress.inherited(int(sys.argv[1]))
for place in (0, 1, 200):
    progress.begin(place)
    print("at", place, flush=True)
    sys.stdin.readline()
    progress.end(place)
    print("behind", place, flush=True)
    sys.stdin.readline()
print("inherits", os.path.exists(f"/dev/fd/{sys.argv[1]}"), flush=True)
"""


def test_where_a_process_is_is_seen_by_the_other_and_after_its_end():
    with closing(Progress.shared()) as progress:
        assert progress.at is None
        command = [sys.executable, "-c", PROGRAM, str(progress.file)]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[progress.file],
        ) as process:
            for place in (0, 1, 200):
                assert process.stdout.readline() == f"at {place}\n"
                assert progress.at == place
                print(file=process.stdin, flush=True)
                assert process.stdout.readline() == f"behind {place}\n"
                assert progress.at is None
                print(file=process.stdin, flush=True)
            assert process.stdout.readline() == "inherits False\n"
        progress.begin(3)
        assert progress.at == 3
        progress.reset()
        assert progress.at is None


def test_a_process_that_was_killed_leaves_where_it_was():
    with closing(Progress.shared()) as progress:
        command = [sys.executable, "-c", PROGRAM, str(progress.file)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[progress.file]
        ) as process:
            process.stdout.readline()
            process.kill()
        assert progress.at == 0
