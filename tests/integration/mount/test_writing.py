"""Writing through a mount: what POSIX promises to programs, and what is in the commit after."""

import errno
import mmap
import os
import stat
import subprocess
import threading
from pathlib import Path

import pandas as pd
import pytest

from tests.integration.mount.conftest import commit, diff, wait_until

pytestmark = pytest.mark.fuse


def committed(lake, path):
    return lake.files.read(f"raw@main/{path}")


def put(lake, raw, path, content):
    """Commit a file behind the mount's back, and wait until the mount shows it."""
    lake.files.put(f"raw@main/{path}", content)
    wait_until((raw / path).exists)


def refused_with(code, act, *arguments, **keywords):
    with pytest.raises(OSError) as refused:
        act(*arguments, **keywords)
    assert refused.value.errno == code, refused.value


def test_what_is_written_is_committed_and_nothing_before(lake, raw):
    (raw / "a").mkdir()
    (raw / "a" / "x.txt").write_text("hello")
    frame = pd.DataFrame({"n": range(1000)})
    frame.to_parquet(raw / "frame.parquet")

    assert lake.files.list("raw@main") == []
    assert diff(lake) == {"a/x.txt": "added", "frame.parquet": "added"}
    commit(lake)
    assert committed(lake, "a/x.txt") == b"hello"
    assert diff(lake) == {}
    pd.testing.assert_frame_equal(pd.read_parquet(raw / "frame.parquet"), frame)


def test_a_committed_file_is_changed_in_place(lake, raw):
    put(lake, raw, "x", os.urandom(1_000_000))
    before = committed(lake, "x")
    with open(raw / "x", "r+b") as file:
        file.seek(500_000)
        file.write(b"middle")
        file.seek(0, os.SEEK_END)
        file.write(b"end")
    after = before[:500_000] + b"middle" + before[500_006:] + b"end"
    assert (raw / "x").read_bytes() == after
    assert diff(lake) == {"x": "modified"}
    commit(lake)
    assert committed(lake, "x") == after


def test_f4_append_truncate_and_sparse_writes(lake, raw):
    path = raw / "x"
    path.write_bytes(b"0123456789")
    with open(path, "ab") as file:
        file.write(b"abc")
    assert path.read_bytes() == b"0123456789abc"
    os.truncate(path, 4)
    assert path.read_bytes() == b"0123"
    with open(path, "r+b") as file:
        os.pwrite(file.fileno(), b"far", 1_000_000)
    assert path.stat().st_size == 1_000_003
    assert path.read_bytes() == b"0123" + bytes(999_996) + b"far"
    with open(path, "wb"):
        pass
    assert path.read_bytes() == b""
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))
    path.write_bytes(b"again")
    os.truncate(path, 8)
    commit(lake)
    assert committed(lake, "x") == b"again\0\0\0"


def test_truncating_a_committed_file_keeps_its_beginning(lake, raw):
    put(lake, raw, "x", b"0123456789" * 100_000)
    os.truncate(raw / "x", 15)
    assert (raw / "x").read_bytes() == b"012345678901234"
    commit(lake)
    assert committed(lake, "x") == b"012345678901234"


def test_f4_appenders_do_not_overwrite_each_other(lake, raw):
    def append(letter):
        with open(raw / "log", "ab", buffering=0) as file:
            for _ in range(200):
                file.write(letter * 10 + b"\n")

    threads = [
        threading.Thread(target=append, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = (raw / "log").read_bytes().splitlines()
    assert len(lines) == 800
    assert {line: lines.count(line) for line in set(lines)} == {
        letter * 10: 200 for letter in (b"a", b"b", b"c", b"d")
    }


def test_f5_rename_replaces_a_file_at_once_and_its_readers_keep_the_old_one(lake, raw):
    put(lake, raw, "x", "old")
    with open(raw / "x") as reader:
        (raw / "x.tmp").write_text("new")
        os.replace(raw / "x.tmp", raw / "x")
        assert reader.read() == "old"
        assert (raw / "x").read_text() == "new"
    assert os.listdir(raw) == ["x"]
    commit(lake)
    assert committed(lake, "x") == b"new"


def test_f5_renames_of_folders_follow_posix(lake, raw):
    put(lake, raw, "a/b/x", "1")
    (raw / "empty").mkdir()
    (raw / "full").mkdir()
    (raw / "full" / "y").write_text("2")
    (raw / "file").write_text("3")

    refused_with(errno.ENOTEMPTY, os.rename, raw / "a", raw / "full")
    refused_with(errno.ENOTDIR, os.rename, raw / "a", raw / "file")
    refused_with(errno.EISDIR, os.rename, raw / "file", raw / "empty")
    refused_with(errno.EINVAL, os.rename, raw / "a", raw / "a" / "b" / "c")
    refused_with(errno.ENOENT, os.rename, raw / "nothing", raw / "x")
    os.rename(raw / "a", raw / "empty")
    os.rename(raw / "empty" / "b", raw / "b")
    os.rename(raw / "file", raw / "file")
    assert (raw / "b" / "x").read_text() == "1"
    assert sorted(os.listdir(raw)) == ["b", "empty", "file", "full"]
    assert diff(lake) == {
        "a/b/x": "removed",
        "b/x": "added",
        "empty": "added",
        "file": "added",
        "full/y": "added",
    }


def test_f7_renameat2_flags(raw):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    (raw / "a").write_text("a")
    (raw / "b").write_text("b")

    def rename(flags, new="b"):
        at = -100
        code = libc.renameat2(at, os.fsencode(raw / "a"), at, os.fsencode(raw / new), flags)
        if code:
            raise OSError(ctypes.get_errno(), "renameat2")

    refused_with(errno.EEXIST, rename, 1)
    refused_with(errno.EINVAL, rename, 2)
    rename(1, "c")
    assert sorted(os.listdir(raw)) == ["b", "c"]


def test_rename_between_repos_is_refused_so_that_programs_copy(lake, raw, point):
    lake.repos.create("other")
    other = Path(lake.mounts.create("other", at=point).path)
    (raw / "x").write_text("1")
    refused_with(errno.EXDEV, os.rename, raw / "x", other / "x")
    import shutil

    shutil.move(raw / "x", other / "x")
    assert (other / "x").read_text() == "1"
    assert os.listdir(raw) == []


def test_f6_an_unlinked_file_works_until_it_is_closed(lake, raw):
    put(lake, raw, "old", "committed")
    with open(raw / "new", "w+") as new, open(raw / "old", "r+") as old:
        new.write("written")
        new.flush()
        (raw / "new").unlink()
        (raw / "old").unlink()
        assert os.fstat(new.fileno()).st_nlink == 0
        new.write(" more")
        new.flush()
        os.fsync(new.fileno())
        new.seek(0)
        assert new.read() == "written more"
        assert old.read() == "committed"
        old.seek(0)
        old.write("COMM")
        old.flush()
        old.seek(0)
        assert old.read() == "COMMitted"
        os.fchmod(old.fileno(), 0o600)
        os.utime(old.fileno(), ns=(1, 1))
    assert os.listdir(raw) == []
    assert diff(lake) == {"old": "removed"}


def test_f3_a_shared_mapping_is_written_back(lake, raw):
    (raw / "x").write_bytes(bytes(100_000))
    with open(raw / "x", "r+b") as file:
        view = mmap.mmap(file.fileno(), 0)
    view[50_000:50_005] = b"hello"  # the file is closed, the mapping is not
    view.flush()
    view.close()
    commit(lake)
    assert committed(lake, "x")[50_000:50_005] == b"hello"


def test_f21_permissions_and_times_to_the_nanosecond(lake, raw):
    path = raw / "x"
    path.write_text("1")
    path.chmod(0o754)
    moment = 1_234_567_890_123_456_789
    os.utime(path, ns=(moment + 1, moment))
    status = path.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o754, moment)
    assert status.st_atime_ns == moment + 1
    commit(lake)
    info = lake.files.get("raw@main/x")
    assert (info.mode, info.mtime_ns) == (0o754, moment)
    path.chmod(0o600)
    os.utime(path, ns=(5, -1_000_000_000))
    assert path.stat().st_mtime_ns == -1_000_000_000
    assert diff(lake) == {"x": "modified"}
    commit(lake)
    assert lake.files.get("raw@main/x").mtime_ns == -1_000_000_000
    in_2242 = 2**33 * 10**9 + 1
    path.write_text("2")
    os.utime(path, ns=(5, in_2242))
    commit(lake)
    assert path.stat().st_mtime_ns == lake.files.get("raw@main/x").mtime_ns == in_2242


def test_new_files_get_the_mode_that_was_asked_for(raw):
    before = os.umask(0o027)
    try:
        os.close(os.open(raw / "x", os.O_CREAT | os.O_WRONLY, 0o666))
        (raw / "d").mkdir(0o777)
    finally:
        os.umask(before)
    assert stat.S_IMODE((raw / "x").stat().st_mode) == 0o640
    assert stat.S_IMODE((raw / "d").stat().st_mode) == 0o750


def test_a_file_that_others_write_to_loses_set_id_bits(lake, point, monkeypatch):
    """Root's own writing leaves them, as everywhere; of the group's, what runs nothing goes too."""
    is_root = os.getuid() == 0
    if is_root:
        monkeypatch.setenv("DATALAKE_ALLOW_OTHER", "1")
    raw = Path(lake.mounts.create("raw", at=point).path)
    for name, mode in (("appended", 0o6777), ("cut", 0o6777), ("plain", 0o2666)):
        (raw / name).write_text("1")
        (raw / name).chmod(mode)
    command = "echo 2 >> appended; echo 2 > cut; echo 2 >> plain"
    subprocess.run(["sh", "-c", command], cwd=raw, check=True, user=65534 if is_root else None)
    modes = {name: stat.S_IMODE((raw / name).stat().st_mode) for name in os.listdir(raw)}
    assert modes == {"appended": 0o777, "cut": 0o777, "plain": 0o666}


def test_f7_symlinks_keep_their_targets(lake, raw):
    (raw / "to-file").symlink_to("x")
    (raw / "absolute").symlink_to("/etc/passwd")
    (raw / "loop").symlink_to("loop")
    (raw / "x").write_text("1")
    assert (raw / "to-file").read_text() == "1"
    refused_with(errno.ELOOP, open, raw / "loop")
    commit(lake)
    assert os.readlink(raw / "absolute") == "/etc/passwd"
    assert lake.files.get("raw@main/loop").target == "loop"


def test_f7_what_no_commit_can_hold_is_refused(raw):
    (raw / "x").write_text("1")
    refused_with(errno.EPERM, os.link, raw / "x", raw / "y")
    refused_with(errno.EPERM, os.mkfifo, raw / "pipe")
    refused_with(errno.EPERM, os.mknod, raw / "device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    refused_with(errno.ENOTSUP, os.setxattr, raw / "x", "user.a", b"1")
    os.mknod(raw / "regular", stat.S_IFREG | 0o640)
    assert sorted(os.listdir(raw)) == ["regular", "x"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_an_owner_is_shown_for_the_time_being_and_not_committed(lake, raw):
    (raw / "x").write_text("1")
    os.chown(raw / "x", 1234, -1)
    os.chown(raw / "x", -1, 4321)
    status = (raw / "x").stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321)
    commit(lake)
    assert (raw / "x").read_text() == "1"
    lake.files.export("raw@main/x", raw.parent.parent / "exported")
    assert (raw.parent.parent / "exported").stat().st_uid == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_who_is_let_in_owns_what_he_makes(lake, point, monkeypatch):
    monkeypatch.setenv("DATALAKE_ALLOW_OTHER", "1")
    raw = Path(lake.mounts.create("raw", at=point).path)
    raw.chmod(0o1777)
    (raw / "mine").write_text("1")
    (raw / "ours").mkdir()
    os.chown(raw / "ours", -1, 1234)
    (raw / "ours").chmod(0o2777)
    command = "umask 027; echo 1 > theirs; mkdir ours/below; ! rm -f mine; ! echo 2 > mine"
    subprocess.run(
        ["sh", "-c", command], cwd=raw, check=True, user=65534, group=65534, extra_groups=[]
    )
    theirs, below = (raw / "theirs").stat(), (raw / "ours" / "below").stat()
    assert (theirs.st_uid, theirs.st_gid, stat.S_IMODE(theirs.st_mode)) == (65534, 65534, 0o640)
    assert (below.st_uid, below.st_gid, stat.S_IMODE(below.st_mode)) == (65534, 1234, 0o2750)
    assert (raw / "mine").read_text() == "1"
    commit(lake)
    assert committed(lake, "theirs") == b"1\n"


def test_the_owner_may_be_set_to_what_it_is(raw):
    (raw / "x").write_text("1")
    os.chown(raw / "x", os.getuid(), os.getgid())
    status = (raw / "x").stat()
    assert (status.st_uid, status.st_gid) == (os.getuid(), os.getgid())


def test_any_bytes_can_be_a_name(lake, raw):
    names = ["naïve – 数据 🙂".encode(), b"not \xff\xfe utf-8", b" ", b"a\nb", b"-rf", b"~"]
    for name in names:
        path = os.path.join(os.fsencode(raw), name)
        with open(path, "wb") as file:
            file.write(b"1")
    assert sorted(os.listdir(os.fsencode(raw))) == sorted(names)
    assert set(diff(lake)) == {name.decode("utf-8", "surrogateescape") for name in names}
    commit(lake)
    for name in names:
        path = os.path.join(os.fsencode(raw), name)
        os.rename(path, path + b"2")
        with open(path + b"2", "rb") as file:
            assert file.read() == b"1"


def test_names_have_at_most_255_bytes(lake, raw):
    (raw / ("é" * 127 + "x")).write_text("1")
    refused_with(errno.ENAMETOOLONG, open, raw / ("x" * 256), "w")
    refused_with(errno.ENAMETOOLONG, os.mkdir, raw / ("x" * 256))
    refused_with(errno.ENAMETOOLONG, os.rename, raw / ("é" * 127 + "x"), raw / ("x" * 256))
    refused_with(errno.ENAMETOOLONG, os.stat, raw / ("x" * 256))
    commit(lake)
    assert committed(lake, "é" * 127 + "x") == b"1"


def test_paths_too_long_to_be_named_are_refused_without_harm(lake, raw):
    descriptor = os.open(raw, os.O_RDONLY)
    depth = 0
    try:
        while True:
            os.mkdir("d" * 200, dir_fd=descriptor)
            following = os.open("d" * 200, os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = following
            depth += 1
    except OSError as error:
        refused = error
    finally:
        os.close(descriptor)
    assert refused.errno == errno.ENAMETOOLONG
    assert depth == 4095 // 201
    commit(lake)
    assert len(list(lake.files.list("raw@main"))) == 1


def test_a_tree_of_two_thousand_levels_is_committed(lake, raw):
    descriptor = os.open(raw, os.O_RDONLY)
    for _ in range(2_000):
        os.mkdir("d", dir_fd=descriptor)
        following = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = following
    os.close(os.open("x", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor))
    os.close(descriptor)
    commit(lake)
    assert lake.files.get("raw@main/" + "d/" * 2_000 + "x").size_bytes == 0


def test_f20_huge_sizes_cost_nothing_or_are_refused(lake, raw):
    (raw / "x").touch()
    os.truncate(raw / "x", 2**40)
    assert (raw / "x").stat().st_size == 2**40
    assert (raw / "x").stat().st_blocks < 100
    with open(raw / "x", "rb") as file:
        assert os.pread(file.fileno(), 10, 2**40 - 10) == bytes(10)
        assert os.lseek(file.fileno(), 0, os.SEEK_END) == 2**40
    refused_with(errno.EFBIG, os.truncate, raw / "x", 2**50 + 1)
    with open(raw / "x", "r+b") as file:
        refused_with(errno.EFBIG, os.pwrite, file.fileno(), b"x", 2**50)
        os.pwrite(file.fileno(), b"x", 2**31 - 1)
        assert os.pread(file.fileno(), 3, 2**31 - 2) == b"\0x\0"
    (raw / "x").unlink()
    assert diff(lake) == {}


def test_exclusive_creation_has_one_winner(raw):
    path = raw / "lock"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    refused_with(errno.EEXIST, os.open, path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    refused_with(errno.EEXIST, os.mkdir, path)
    path.unlink()
    won = []

    def take(number):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            won.append(number)
        except FileExistsError:
            pass

    threads = [threading.Thread(target=take, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_folders_are_removed_only_when_empty(lake, raw):
    put(lake, raw, "a/x", "1")
    refused_with(errno.ENOTEMPTY, os.rmdir, raw / "a")
    refused_with(errno.EISDIR, os.unlink, raw / "a")
    (raw / "a" / "x").unlink()
    (raw / "a").rmdir()
    assert os.listdir(raw) == []
    commit(lake)
    assert lake.files.list("raw@main") == []


def test_a_removed_working_folder_takes_nothing_new(raw):
    (raw / "d").mkdir()
    descriptor = os.open(raw / "d", os.O_RDONLY)
    (raw / "d").rmdir()
    refused_with(errno.ENOENT, os.open, "x", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor)
    os.close(descriptor)


def test_f9_listing_while_files_come_and_go_ends_and_misses_nothing(raw):
    stable = {f"stable-{number:04}" for number in range(1_000)}
    for name in stable:
        (raw / name).touch()
    stop = threading.Event()

    def churn():
        number = 0
        while not stop.is_set():
            path = raw / f"moving-{number % 50:04}"
            path.touch()
            path.unlink()
            number += 1

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(10):
            names = os.listdir(raw)
            assert len(names) == len(set(names))
            assert stable <= set(names)
    finally:
        stop.set()
        thread.join()


def test_removing_while_listing_removes_all(raw):
    for number in range(1_000):
        (raw / f"{number}").touch()
    with os.scandir(raw) as entries:
        for entry in entries:
            os.unlink(entry.path)
    assert os.listdir(raw) == []


def test_inode_numbers_stay_with_their_files(raw):
    (raw / "a").write_text("1")
    (raw / "b").write_text("2")
    number = (raw / "a").stat().st_ino
    assert number != (raw / "b").stat().st_ino
    os.rename(raw / "a", raw / "c")
    assert (raw / "c").stat().st_ino == number
    (raw / "a").write_text("3")
    assert (raw / "a").stat().st_ino != number


def test_f8_many_files_can_be_open_at_once(raw):
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    files = [os.open(raw / f"{number}", os.O_CREAT | os.O_WRONLY) for number in range(4_000)]
    same = [os.open(raw / "0", os.O_RDONLY) for _ in range(900)]
    for file in files:
        os.write(file, b"x")
    for file in [*files, *same]:
        os.close(file)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (raw / "3999").read_bytes() == b"x"


def test_fsync_of_files_and_folders_works(raw):
    descriptor = os.open(raw, os.O_RDONLY)
    with open(raw / "x", "wb") as file:
        file.write(b"1")
        file.flush()
        os.fsync(file.fileno())
        os.fdatasync(file.fileno())
    os.fsync(descriptor)
    os.close(descriptor)


def test_f10_locks_exclude_between_processes(raw):
    import fcntl
    import subprocess
    import sys

    script = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+');"
        "fcntl.{}(file, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    )
    (raw / "x").touch()
    for call in ("flock", "lockf"):
        with open(raw / "x", "r+") as file:
            getattr(fcntl, call)(file, fcntl.LOCK_EX)
            done = subprocess.run(
                [sys.executable, "-c", script.format(call), raw / "x"],
                capture_output=True,
                check=False,
            )
            assert b"BlockingIOError" in done.stderr
