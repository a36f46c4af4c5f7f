"""Mount points by their paths, and the kernel's table of them."""

import os

import pytest

from jupyter_datalake.errors import InvalidInputError, MountError
from jupyter_datalake.mount import mountpoints

TABLE = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
50 22 0:40 / /home/ada/my\\040lake rw,nosuid - fuse.datalake datalake rw,user_id=0
51 22 0:41 / /home/ada/other rw shared:1 - fuse.sshfs host: rw
52 22 0:42 / /home/ada/both rw - ext4 /dev/vdb rw
53 52 0:43 / /home/ada/both rw - fuse.datalake datalake rw
"""


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(mountpoints.Path, "read_text", lambda *_, **__: TABLE)


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("/home/ada/my lake", ["fuse.datalake"]),
        ("/home/ada/other", ["fuse.sshfs"]),
        ("/home/ada/both", ["ext4", "fuse.datalake"]),
        ("/home/ada/nothing", []),
        ("/home/ada", []),
    ],
)
def test_the_table_is_read(table, path, types):
    assert mountpoints.mounted_types(path) == types
    assert mountpoints.is_mounted(path) == (types[-1:] == ["fuse.datalake"])


def test_what_is_not_ours_is_not_unmounted(table, monkeypatch):
    monkeypatch.setattr(mountpoints.subprocess, "run", lambda *_, **__: 1 / 0)
    mountpoints.unmount("/home/ada/other")


def test_a_mount_that_stays_is_an_error_with_the_systems_words(table, monkeypatch):
    class Refused:
        returncode = 1
        stderr = "Operation not permitted\n"

    monkeypatch.setattr(mountpoints.subprocess, "run", lambda *_, **__: Refused)
    monkeypatch.setattr(
        mountpoints.shutil, "which", lambda name: name if name == "umount" else None
    )
    with pytest.raises(MountError) as refused:
        mountpoints.unmount("/home/ada/my lake")
    assert "fusermount3 is not installed; Operation not permitted" in refused.value.message


def test_paths_are_brought_to_one_form(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    real = os.path.realpath(tmp_path)
    assert mountpoints.normalised("link/x/../lake/") == f"{real}/real/lake"
    assert mountpoints.normalised("link") == f"{real}/link"
    assert mountpoints.normalised("~") == os.path.expanduser("~")


@pytest.mark.parametrize("path", ["/", "/tmp/\udcff"])
def test_paths_that_cannot_be_recorded_are_refused(path):
    with pytest.raises(InvalidInputError):
        mountpoints.normalised(path)


def test_a_place_must_be_an_empty_folder(tmp_path):
    mountpoints.check_usable(str(tmp_path / "new" / "deep"))
    assert (tmp_path / "new" / "deep").is_dir()
    (tmp_path / "file").touch()
    for name in ("", "file", "file/below"):
        with pytest.raises(InvalidInputError):
            mountpoints.check_usable(str(tmp_path / name))
