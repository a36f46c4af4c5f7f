"""Reading commits through a mount, with the system's own calls and tools."""

import errno
import mmap
import os
import stat
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.integration.mount.conftest import wait_until

pytestmark = pytest.mark.fuse

RANDOM = os.urandom(3_000_000)


@pytest.fixture
def shown(lake, point):
    """The folder of `raw` with some files in it, mounted read-only."""
    lake.files.put("raw@main/folder/big.bin", RANDOM)
    lake.files.put("raw@main/empty", "")
    lake.files.put("raw@main/small", "hello")
    return Path(lake.mounts.create("raw", writable=False, at=point).path)


def test_files_are_listed_and_read_as_they_were_put(shown):
    assert sorted(os.listdir(shown)) == ["empty", "folder", "small"]
    assert (shown / "folder" / "big.bin").read_bytes() == RANDOM
    assert (shown / "empty").read_bytes() == b""
    assert (shown / "small").read_text() == "hello"


def test_tools_of_the_system_work_on_it(shown, tmp_path):
    def run(*command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout

    assert "big.bin" in run("ls", "-laR", shown)
    assert run("cat", shown / "small") == "hello"
    assert len(run("find", shown, "-type", "f").splitlines()) == 3
    run("tar", "-cf", tmp_path / "all.tar", "-C", shown, ".")
    run("cp", "-a", shown, tmp_path / "copy")
    run("diff", "-r", shown, tmp_path / "copy")


def test_parquet_is_read_by_pandas(lake, point, tmp_path):
    frame = pd.DataFrame(
        {"number": range(100_000), "text": ["x" * (i % 50) for i in range(100_000)]}
    )
    frame.to_parquet(tmp_path / "frame.parquet", row_group_size=10_000)
    lake.files.put("raw@main/frame.parquet", tmp_path / "frame.parquet")
    folder = Path(lake.mounts.create("raw", writable=False, at=point).path)

    pd.testing.assert_frame_equal(pd.read_parquet(folder / "frame.parquet"), frame)
    columns = pd.read_parquet(folder / "frame.parquet", columns=["number"])
    assert columns.equals(frame[["number"]])


def test_a_file_can_be_mapped_and_read_anywhere(shown):
    with open(shown / "folder" / "big.bin", "rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            assert view[2_999_990:] == RANDOM[2_999_990:]
            assert view[1_000_000:1_000_100] == RANDOM[1_000_000:1_000_100]
        for offset in (2_000_000, 0, 1_234_567, 2_999_999, 3_000_000, 5_000_000):
            assert os.pread(file.fileno(), 70_000, offset) == RANDOM[offset : offset + 70_000]


def test_attributes_are_those_of_the_commit(lake, shown):
    status = (shown / "small").stat()
    info = lake.files.get("raw@main/small")
    assert (status.st_size, stat.S_IMODE(status.st_mode)) == (5, 0o644)
    assert status.st_mtime_ns == info.mtime_ns
    assert (status.st_uid, status.st_gid, status.st_nlink) == (os.getuid(), os.getgid(), 1)
    head = lake.commits.get("raw", "main")
    assert (shown / "folder").stat().st_mtime_ns == head.time_ns
    assert os.statvfs(shown).f_namemax == 255


def test_extended_attributes_say_where_a_file_comes_from(lake, shown):
    path = shown / "small"
    assert os.getxattr(path, "user.datalake.repo") == b"raw"
    assert os.getxattr(path, "user.datalake.commit").decode() == lake.commits.get("raw", "main").id
    digest = os.getxattr(path, "user.datalake.digest").decode()
    assert digest == lake.files.get("raw@main/small").digest.hex()
    global_id = os.getxattr(path, "user.datalake.global_id").decode()
    assert global_id == lake.commits.get("raw", "main").global_id
    assert len(os.listxattr(path)) == 4
    with pytest.raises(OSError) as refused:
        os.getxattr(path, "user.other")
    assert refused.value.errno == errno.ENODATA
    with pytest.raises(OSError) as refused:
        os.setxattr(path, "user.other", b"1")
    assert refused.value.errno in {errno.ENOTSUP, errno.EROFS}


def test_f13_every_change_of_a_read_only_mount_is_refused(shown):
    changes = {
        "create": lambda: (shown / "new").write_text("x"),
        "overwrite": lambda: (shown / "small").write_text("x"),
        "append": lambda: (shown / "small").open("ab"),
        "unlink": (shown / "small").unlink,
        "mkdir": (shown / "new").mkdir,
        "rename": lambda: (shown / "small").rename(shown / "other"),
        "chmod": lambda: (shown / "small").chmod(0o600),
        "utime": lambda: os.utime(shown / "small"),
        "truncate": lambda: os.truncate(shown / "small", 0),
        "symlink": lambda: (shown / "new").symlink_to("small"),
        "mkdir above": (shown.parent / "repo").mkdir,
        "create above": lambda: (shown.parent / "file").write_text("x"),
        "rmdir": shown.rmdir,
    }
    for name, change in changes.items():
        with pytest.raises(OSError) as refused:
            change()
        assert refused.value.errno == errno.EROFS, name
    assert sorted(os.listdir(shown)) == ["empty", "folder", "small"]


def test_any_ref_is_found_on_look_up_and_not_listed(lake, shown):
    first = lake.commits.get("raw", "main")
    lake.files.put("raw@main/small", "changed")
    lake.refs.create_tag("raw", "v1", at=first.id)
    above = shown.parent

    assert (above / "raw@v1" / "small").read_text() == "hello"
    assert (above / f"raw@{first.id[:12]}" / "small").read_text() == "hello"
    assert (above / "raw@main" / "small").read_text() == "changed"
    assert (above / "raw@main^" / "small").read_text() == "hello"
    assert os.listdir(above) == ["raw"]
    with pytest.raises(OSError) as refused:
        (above / "raw@v1" / "small").write_text("x")
    assert refused.value.errno == errno.EROFS


def test_what_is_no_ref_of_a_repo_is_not_found(shown):
    for name in ("raw@nothing", "nothing@main", "nothing", "raw@", "@main", "raw@a b", "é@x"):
        with pytest.raises(FileNotFoundError):
            os.stat(shown.parent / name)


def test_a_name_that_moves_is_resolved_again(lake, shown):
    above = shown.parent
    assert (above / "raw@main" / "small").read_text() == "hello"
    with open(above / "raw@main" / "small") as before:
        lake.files.put("raw@main/small", "changed")
        wait_until(lambda: (above / "raw@main" / "small").read_text() == "changed")
        assert before.read() == "hello"


def test_repos_of_a_project_are_in_its_folder(lake, point):
    lake.repos.create("demo/sales")
    lake.files.put("demo/sales@main/x.csv", "1,2")
    folder = Path(lake.mounts.create("demo/sales", at=point, writable=False).path)

    assert folder == Path(point) / "demo" / "sales"
    assert os.listdir(point) == ["demo"]
    assert os.listdir(Path(point) / "demo") == ["sales"]
    assert (folder / "x.csv").read_text() == "1,2"
    assert (Path(point) / "demo" / "sales@main" / "x.csv").read_text() == "1,2"


def test_a_listing_of_many_names_is_complete(lake, point):
    with lake.sessions.create("raw") as session:
        for number in range(5_000):
            session.put(f"many/{number:05}", b"")
        session.commit("Many")
    folder = Path(lake.mounts.create("raw", writable=False, at=point).path)
    assert sorted(os.listdir(folder / "many")) == [f"{number:05}" for number in range(5_000)]
    with os.scandir(folder / "many") as entries:
        assert sum(entry.is_file() for entry in entries) == 5_000
