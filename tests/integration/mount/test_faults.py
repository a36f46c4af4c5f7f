"""Things that go wrong under a mount: what is lost (nothing staged), and how it comes back."""

import contextlib
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_datalake.errors import CorruptDataError, MountError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.mountpoints import Mountpoints
from jupyter_datalake.model.mounts import MountMode, MountState
from jupyter_datalake.mount import mountpoints, supervisor
from jupyter_datalake.mount.control import MountClient
from jupyter_datalake.mount.doctor import Finding, Verdict
from tests.integration.mount.conftest import commit, daemon_pid, diff, kill, log_of, wait_until

pytestmark = pytest.mark.fuse


def supervisor_pid(lake, point):
    return next(one.pid for one in lake.mounts.list_mountpoints() if one.path == point)


def test_f1_a_killed_daemon_comes_back_with_everything_staged(lake, raw, point):
    (raw / "kept").write_text("committed")
    commit(lake)
    (raw / "kept").write_text("staged")
    (raw / "d").mkdir(mode=0o700)
    (raw / "d" / "new").write_text("new")
    os.rename(raw / "d", raw / "e")
    (raw / "link").symlink_to("kept")
    number = (raw / "kept").stat().st_ino
    writer = os.open(raw / "open", os.O_CREAT | os.O_WRONLY)
    os.write(writer, b"written before the kill")

    old = daemon_pid(lake, point)
    kill(old)
    wait_until(lambda: (raw / "kept").read_text() == "staged")
    assert daemon_pid(lake, point) != old
    assert (raw / "e" / "new").read_text() == "new"
    assert (raw / "e").stat().st_mode & 0o777 == 0o700
    assert os.readlink(raw / "link") == "kept"
    assert (raw / "open").read_bytes() == b"written before the kill"
    assert (raw / "kept").stat().st_ino == number
    with pytest.raises(OSError) as refused:
        os.write(writer, b"into a connection that is gone")
    assert refused.value.errno in {errno.ENOTCONN, errno.EIO, errno.ECONNABORTED}
    with contextlib.suppress(OSError):
        os.close(writer)
    assert diff(lake) == {
        "e/new": "added",
        "kept": "modified",
        "link": "added",
        "open": "added",
    }
    commit(lake)
    assert lake.files.read("raw@main/kept") == b"staged"


def test_a_command_sent_while_the_daemon_is_dead_waits_for_the_next(lake, raw, point):
    (raw / "x").write_text("1")
    kill(daemon_pid(lake, point))
    assert diff(lake) == {"x": "added"}


@pytest.mark.logs("does not come back|is not shown")
def _errno_of_listing(folder):
    with pytest.raises(OSError) as refused:
        os.listdir(folder)
    return refused.value.errno


def test_supervisor_and_daemon_killed_together_are_replaced_by_the_next_verb(lake, raw, point):
    (raw / "x").write_text("staged")
    boss, daemon = supervisor_pid(lake, point), daemon_pid(lake, point)
    os.kill(boss, signal.SIGSTOP)
    kill(daemon)
    kill(boss)
    # While the kernel still aborts the connection it answers otherwise.
    wait_until(lambda: _errno_of_listing(raw) == errno.ENOTCONN)
    assert mountpoints.is_mounted(point)

    assert [mount.name for mount in lake.mounts.list()] == ["raw"]
    assert (raw / "x").read_text() == "staged"
    assert mountpoints.mounted_types(point) == [mountpoints.FILE_SYSTEM]
    assert diff(lake) == {"x": "added"}


def test_a_daemon_whose_supervisor_is_killed_unmounts_and_the_next_verb_recovers(lake, raw, point):
    (raw / "x").write_text("staged")
    kill(supervisor_pid(lake, point))
    wait_until(lambda: not mountpoints.is_mounted(point))
    assert lake.mounts.list_mountpoints()[0].state is MountState.READY
    assert (raw / "x").read_text() == "staged"


def test_stop_and_start_bring_everything_back(lake, raw, point):
    (raw / "x").write_text("staged")
    lake.mounts.stop(point)
    assert os.listdir(point) == []
    assert not mountpoints.is_mounted(point)
    assert lake.mounts.list_mountpoints()[0].state is MountState.STOPPED
    assert [mount.name for mount in lake.mounts.list()] == ["raw"]
    assert not mountpoints.is_mounted(point)
    lake.mounts.stop(point)
    lake.mounts.start(point)
    assert (raw / "x").read_text() == "staged"
    lake.mounts.start(point)


def test_unmounting_by_hand_ends_the_daemon(lake, raw, point):
    (raw / "x").write_text("staged")
    subprocess.run(["fusermount3", "-u", point], check=True)
    wait_until(lambda: lake.mounts.list_mountpoints()[0].state is MountState.STOPPED)
    lake.mounts.start(point)
    assert (raw / "x").read_text() == "staged"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_daemon_that_is_told_to_end_unmounts(lake, raw, point, number):
    pid = daemon_pid(lake, point)
    with contextlib.suppress(OSError), open(raw / "x", "w") as busy:
        busy.write("1")
        busy.flush()
        os.kill(pid, number)
        wait_until(lambda: not mountpoints.is_mounted(point))
        wait_until(lambda: not Path(f"/proc/{pid}").exists())
    lake.mounts.start(point)
    assert (raw / "x").read_text() == "1"


def test_a_mount_that_nobody_staged_in_leaves_nothing_behind(lake, raw, point):
    assert lake.sessions.list() != []
    lake.mounts.delete("raw")
    assert lake.sessions.list() == []
    assert lake.mounts.list_mountpoints() == []
    assert os.listdir(point) == []


def test_staged_changes_wait_for_the_next_mount_of_the_branch(lake, raw, point):
    (raw / "x").write_text("staged")
    lake.mounts.delete("raw")
    assert len(lake.sessions.list()) == 1
    lake.mounts.create("raw", at=point)
    assert (raw / "x").read_text() == "staged"
    lake.mounts.delete("raw", discard=True)
    assert lake.sessions.list() == []
    lake.mounts.create("raw", at=point)
    assert os.listdir(raw) == []


def test_f15_a_damaged_pack_gives_eio_for_what_is_in_it_and_nothing_else(lake, point):
    big = os.urandom(4_000_000)
    lake.files.put("raw@main/big", big)
    folder = Path(lake.mounts.create("raw", writable=False, at=point).path)
    pack = _pack_of(lake, "raw@main/big", byte=2_000_000)
    lake.files.put("raw@main/other", os.urandom(500_000))
    wait_until((folder / "other").exists)
    with open(pack["path"], "r+b") as file:
        file.seek(pack["offset"])
        file.write(b"damaged!")

    with open(folder / "big", "rb", buffering=0) as file:
        assert os.pread(file.fileno(), 1_000, 0) == big[:1_000]
        with pytest.raises(OSError) as refused:
            os.pread(file.fileno(), 1_000, 2_000_000)
        assert refused.value.errno == errno.EIO
        assert os.pread(file.fileno(), 1_000, 3_900_000) == big[3_900_000:3_901_000]
    with pytest.raises(OSError) as refused:
        (folder / "big").read_bytes()
    assert refused.value.errno == errno.EIO
    assert len((folder / "other").read_bytes()) == 500_000
    assert "raw/…/big cannot be read at byte" in log_of(lake, point)
    with pytest.raises(CorruptDataError):
        lake.files.read("raw@main/big")


def _pack_of(lake, address, byte):
    from jupyter_datalake.engine.blobs import pack_object

    place, tree = lake.files._tree(address)
    span = tree.content(place.path)._span_at(byte)
    pack, record = lake.core.blobs.place(span.digest)
    path = Path(lake.url) / "objects" / pack_object(pack)
    path.chmod(0o644)
    return {"path": path, "offset": record.offset + 100}


RAISING = """
import sys
import pyfuse3
from jupyter_datalake.lake import mount_process
from jupyter_datalake.mount import attributes, operations

def getattr_of(inode, real=operations.attributes_of):
    if inode.node.name == "bug":
        raise KeyError("a bug nobody thought of")
    return real(inode)

operations.attributes_of = getattr_of
sys.exit(mount_process.main())
"""


def test_f18_a_bug_in_a_handler_gives_eio_and_the_mount_lives(
    lake, raw, point, tmp_path, monkeypatch
):
    (tmp_path / "raising_mount.py").write_text(RAISING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("jupyter_datalake.lake.mountpoints.PROCESS", "raising_mount")
    lake.mounts.stop(point)
    lake.mounts.start(point)
    pid = daemon_pid(lake, point)
    for _ in range(3):
        with pytest.raises(OSError) as refused:
            (raw / "bug").write_text("x")
        assert refused.value.errno == errno.EIO
    (raw / "fine").write_text("x")
    assert (raw / "fine").read_text() == "x"
    assert daemon_pid(lake, point) == pid
    assert "a bug nobody thought of" in log_of(lake, point)


FORGETFUL = """
import sys
from dataclasses import replace

from jupyter_datalake.lake import mount_process

sizes = mount_process.cache_sizes
mount_process.cache_sizes = lambda budget: replace(sizes(budget), inode_count=200)
sys.exit(mount_process.main())
"""


def test_f19_the_daemon_forgets_files_that_nobody_uses(lake, raw, point, tmp_path, monkeypatch):
    for number in range(2_000):
        (raw / f"{number}").write_text(f"{number}")
    (tmp_path / "forgetful_mount.py").write_text(FORGETFUL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("jupyter_datalake.lake.mountpoints.PROCESS", "forgetful_mount")
    lake.mounts.stop(point)
    lake.mounts.start(point)
    with open(raw / "0") as held:
        assert len([entry.stat() for entry in os.scandir(raw)]) == 2_000
        wait_until(lambda: MountClient(lake.core, point).ping()["inodes"] <= 200)
        assert held.read() == "0"
    assert {int((raw / f"{number}").read_text()) for number in range(2_000)} == set(range(2_000))
    (raw / "0").write_text("still writable")


def test_a_daemon_that_dies_at_once_is_given_up_with_its_last_words(
    lake, point, tmp_path, monkeypatch
):
    (tmp_path / "dying_mount.py").write_text(
        "import sys\n"
        "from jupyter_datalake.lake import mount_process\n"
        "if '--record-failure' in sys.argv: sys.exit(mount_process.main())\n"
        "raise RuntimeError('no such luck')\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("jupyter_datalake.lake.mountpoints.PROCESS", "dying_mount")
    with pytest.raises(MountError) as refused:
        lake.mounts.create("raw", at=point)
    assert "no such luck" in str(refused.value)
    assert f"{supervisor.MAX_SHORT_LIVES} times" in str(refused.value)
    assert lake.mounts.list() == []
    assert lake.sessions.list() == []


def test_a_mount_that_cannot_be_shown_does_not_keep_the_others_away(lake, raw, point):
    lake.repos.create("other")
    other = lake.mounts.create("other", at=point)
    lake.mounts.stop(point)
    journal = lake.core.work_folder / "sessions" / other.session_id / "journal"
    journal.write_bytes(b"this is no journal")
    lake.mounts.start(point)
    (raw / "x").write_text("1")
    assert os.listdir(point) == ["raw"]
    problems = MountClient(lake.core, point).ping()["problems"]
    assert "journal" in problems["other"]
    assert any("journal" in finding.found for finding in lake.mounts.doctor())


def test_a_full_disk_is_told_and_loses_nothing(small_disk, point):
    with Lake.create(str(small_disk.folder / "lake")) as lake:
        lake.repos.create("raw")
        folder = Path(lake.mounts.create("raw", at=point).path)
        try:
            (folder / "first").write_bytes(os.urandom(1_000_000))
            with pytest.raises(OSError) as refused:
                (folder / "huge").write_bytes(os.urandom(40_000_000))
            assert refused.value.errno == errno.ENOSPC
            assert len((folder / "first").read_bytes()) == 1_000_000
            (folder / "huge").unlink()
            (folder / "second").write_bytes(b"fits")
            commit(lake)
            assert lake.files.read("raw@main/second") == b"fits"
            assert len(lake.files.read("raw@main/first")) == 1_000_000
        finally:
            lake.mounts.stop(point)


def test_what_a_stranger_sends_to_the_socket_is_answered_and_harmless(lake, raw, point):
    import socket

    from jupyter_datalake.mount.control import reachable_path, socket_path

    for line in (
        b"",
        b"\n",
        b"{}\n",
        b"[1]\n",
        b"\xff\xfe\n",
        b'{"verb": "explode", "arguments": {}}\n',
        b'{"verb": "diff", "arguments": {"nonsense": 1}}\n',
        b"x" * 100_000 + b"\n",
    ):
        with socket.socket(socket.AF_UNIX) as connection:
            with reachable_path(socket_path(lake.core, point)) as address:
                connection.connect(address)
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            assert b"error" in connection.makefile("rb").readline()
    assert MountClient(lake.core, point).ping()["mounts"]["raw"]["is_writable"]
    assert os.stat(socket_path(lake.core, point)).st_mode & 0o077 == 0


def test_starting_twice_at_once_gives_one_mount(lake, point, tmp_path):
    lake.mounts.create("raw", at=point)
    lake.mounts.stop(point)
    script = (
        "import sys; from jupyter_datalake.lake.lake import Lake\n"
        "with Lake.open(sys.argv[1]) as lake: lake.mounts.start(sys.argv[2])"
    )
    starters = [subprocess.Popen([sys.executable, "-c", script, lake.url, point]) for _ in range(3)]
    assert [starter.wait(60) for starter in starters] == [0, 0, 0]
    assert mountpoints.mounted_types(point) == [mountpoints.FILE_SYSTEM]


def test_the_caller_of_a_verb_is_not_kept_waiting_by_the_daemon(lake, point):
    script = (
        "import sys; from jupyter_datalake.lake.lake import Lake\n"
        "with Lake.open(sys.argv[1]) as lake: print(lake.mounts.create('raw', at=sys.argv[2]).path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, lake.url, point],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == f"{point}/raw", done.stderr
    (Path(point) / "raw" / "x").write_text("the mount outlives the command")


@pytest.mark.parametrize("where", ["file", "full", "lake", "root"])
def test_places_that_cannot_be_mount_points_are_refused(lake, tmp_path, where):
    places = {
        "file": tmp_path / "file",
        "full": tmp_path / "full",
        "lake": Path(lake.url) / "shown",
        "root": Path("/"),
    }
    places["file"].write_text("x")
    places["full"].mkdir()
    (places["full"] / "x").write_text("x")
    with pytest.raises(ValueError):
        lake.mounts.create("raw", at=str(places[where]))
    assert lake.mounts.list_mountpoints() == []
    assert lake.sessions.list() == []


@pytest.mark.logs("becomes checkouts")
def test_mounts_become_checkouts_where_fuse_no_longer_works(lake, raw, point, monkeypatch):
    (raw / "kept").write_text("committed")
    commit(lake)
    (raw / "staged").write_text("not committed")
    lake.repos.create("other")
    lake.files.put("other@main/a", "1")
    lake.mounts.stop(point)

    def refuse(self, path):
        raise MountError(f"FUSE cannot mount at {path}")

    monkeypatch.setattr(Mountpoints, "start", refuse)
    with pytest.raises(MountError):  # FUSE works, so something else is wrong
        lake.mounts.start(point)
    monkeypatch.setattr(
        "jupyter_datalake.lake.mounts.check_trial_mount",
        lambda: Finding("trial mount", Verdict.FAIL, "a trial mount failed: a test wants it"),
    )
    lake.mounts.start(point)

    (shown,) = lake.mounts.list_mountpoints()
    assert (shown.mode, shown.state) == (MountMode.CHECKOUT, MountState.READY)
    assert "a test wants it" in shown.message
    assert (raw / "kept").read_text() == "committed"
    assert diff(lake) == {"staged": "added"}
    lake.mounts.create("other", at=point)
    assert Path(point, "other", "a").read_text() == "1"
