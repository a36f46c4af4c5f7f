"""What happens to programs that use a mount: rows of bad luck that no other test here is about."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jupyter_datalake.engine.blobs import pack_object
from jupyter_datalake.errors import ConflictError, StateError
from jupyter_datalake.mount import mountpoints
from tests.integration.mount.conftest import commit, daemon_pid, wait_until

pytestmark = pytest.mark.fuse

STOPPING = """
import os, sys
file = open(sys.argv[1], "r+b", buffering=0)
print(file.read(4), flush=True)
sys.stdin.readline()
try:
    file.write(b"more")
    print(0, flush=True)
except OSError as error:
    print(error.errno, flush=True)
"""


def test_f2_a_mount_that_is_stopped_under_a_program_gives_an_errno_and_no_hang(lake, raw, point):
    (raw / "x").write_bytes(b"kept")
    program = subprocess.Popen(
        [sys.executable, "-c", STOPPING, raw / "x"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        assert "kept" in program.stdout.readline()
        pid = daemon_pid(lake, point)
        lake.mounts.stop(point)
        assert not mountpoints.is_mounted(point)
        wait_until(lambda: not Path(f"/proc/{pid}").exists())
        program.stdin.write("go on\n")
        program.stdin.flush()
        assert int(program.stdout.readline()) in {errno.ENOTCONN, errno.EIO, errno.ECONNABORTED}
    assert program.returncode == 0
    lake.mounts.start(point)
    assert (raw / "x").read_bytes() == b"kept"


def test_f12_two_mounts_of_one_branch_are_two_sessions_that_are_merged_or_conflict(
    lake, raw, tmp_path
):
    lake.files.put("raw@main/both", "base")
    other_point = str(tmp_path / "elsewhere")
    other = Path(lake.mounts.create("raw", at=other_point).path)
    other_session = lake.mounts.get("raw", at=other_point).session_id
    session = lake.mounts.get("raw", at=str(raw.parent)).session_id
    assert session != other_session
    (raw / "mine").write_text("1")
    (other / "yours").write_text("2")
    assert not (other / "mine").exists()
    lake.sessions.commit(session, "Mine")
    lake.sessions.commit(other_session, "Yours")
    assert lake.files.read("raw@main/mine") == b"1"
    assert lake.files.read("raw@main/yours") == b"2"
    assert (other / "mine").read_text() == "1"
    wait_until((raw / "yours").exists)

    (raw / "both").write_text("mine")
    (other / "both").write_text("yours")
    lake.sessions.commit(session, "Mine")
    with pytest.raises(ConflictError) as refused:
        lake.sessions.commit(other_session, "Yours")
    assert "both" in str(refused.value)
    assert lake.files.read("raw@main/both") == b"mine"
    assert (other / "both").read_text() == "yours"


@pytest.fixture
def hung(lake):
    """A repo whose file lies in a pack that never answers, while the rest of the store does."""
    lake.repos.create("hung")
    lake.files.put("hung@main/file", os.urandom(300_000))
    place, tree = lake.files._tree("hung@main/file")
    pack, _ = lake.core.blobs.place(tree.content(place.path)._span_at(0).digest)
    path = Path(lake.url) / "objects" / pack_object(pack)
    moved = path.with_suffix(".moved")
    lake.files.put("raw@main/fine", os.urandom(300_000))
    yield path, moved
    if moved.exists():
        _answer_again(path, moved)


def _hang(path, moved):
    """Put a pipe in the place of a pack: whoever opens it waits until somebody writes."""
    path.rename(moved)
    os.mkfifo(path)


def _answer_again(path, moved):
    moved_to, waiting = path.with_suffix(".pipe"), os.O_WRONLY | os.O_NONBLOCK
    path.rename(moved_to)
    moved.rename(path)
    with contextlib.suppress(OSError):  # nobody waits any more
        while True:
            os.close(os.open(moved_to, waiting))
            break
    moved_to.unlink()


def test_f16_a_store_that_hangs_holds_up_its_readers_alone_and_they_can_be_interrupted(
    lake, hung, raw, point
):
    folder = Path(lake.mounts.create("hung", writable=False, at=point).path)
    assert os.listdir(folder) == ["file"]
    _hang(*hung)
    reader = subprocess.Popen(["cat", folder / "file"], stdout=subprocess.PIPE)
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            reader.wait(0.5)
        assert len((raw / "fine").read_bytes()) == 300_000
        assert sorted(os.listdir(raw.parent)) == ["hung", "raw"]
        (raw / "new").write_text("written meanwhile")
        commit(lake)
        assert os.stat(folder / "file").st_size == 300_000
        reader.send_signal(signal.SIGINT)
        assert reader.wait(5) == -signal.SIGINT
    finally:
        reader.kill()
        reader.stdout.close()
    _answer_again(*hung)
    assert len((folder / "file").read_bytes()) == 300_000


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_f17_others_are_kept_out_and_modes_are_those_of_the_files(raw, point):
    (raw / "x").write_text("mine")
    (raw / "x").chmod(0o600)
    refused = subprocess.run(
        ["cat", raw / "x"], user=65534, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "Permission denied" in refused.stderr
    assert subprocess.run(["ls", point], user=65534, capture_output=True, check=False).returncode
    assert (raw / "x").read_text() == "mine"
    os.chown(raw / "x", 65534, 65534)
    assert (raw / "x").stat().st_uid == 65534


def test_f22_what_looks_at_every_name_downloads_nothing(lake, hung, point):
    """The pack with the content hangs: whoever asked for a byte of it would never end."""
    folder = Path(lake.mounts.create("hung", writable=False, at=point).path)
    assert os.listdir(folder) == ["file"]
    _hang(*hung)
    for command in (["find", folder, "-newer", "/"], ["du", "-a", folder], ["ls", "-laR", folder]):
        subprocess.run(command, capture_output=True, check=True, timeout=20)


def test_f11_a_commit_takes_what_was_flushed_and_tears_no_write_apart(lake, raw):
    """Each write fills the whole file with one letter; a commit must never hold two."""
    size, done = 3 << 20, threading.Event()
    (raw / "x").write_bytes(b"a" * size)

    def write():
        with open(raw / "x", "r+b", buffering=0) as file:
            for letter in b"bcdefgh" * 50:
                if done.is_set():
                    return
                os.pwrite(file.fileno(), bytes([letter]) * 65_536, 0)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(4):
            # What is written next may be what was committed last: then there is nothing to commit.
            with contextlib.suppress(StateError):
                commit(lake)
            letters = set(lake.files.read("raw@main/x")[:65_536])
            assert len(letters) == 1
    finally:
        done.set()
        writer.join()
    assert len(lake.files.read("raw@main/x")) == size
