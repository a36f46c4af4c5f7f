"""Machines of other kinds, made of this one in a mount namespace of its own.

Real are the namespace, the user, the helper and what the kernel refuses; made up is only how the
machine came to be so. Where this process may not make such a machine, the tests are skipped.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import jupyter_datalake

PACKAGE = Path(jupyter_datalake.__file__).parents[1]
NAMESPACE = ["unshare", "--mount", "--propagation", "private", "--"]


def _may_make_one():
    if os.getuid() or shutil.which("unshare") is None:
        return False
    command = [*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


pytestmark = [
    pytest.mark.fuse,
    pytest.mark.skipif(not _may_make_one(), reason="only root may make a mount namespace"),
]

# The same for every machine: mount, look, write, commit, unmount; then what the doctor says.
SCRIPT = """
import os, sys
from pathlib import Path
from jupyter_datalake.lake.lake import Lake

place = Path(sys.argv[1])
with Lake.create(str(place / "lake")) as lake:
    lake.repos.create("raw")
    lake.files.put("raw@main/a.txt", "old")
    mount = lake.mounts.create("raw", at=str(place / "shown"))
    raw = Path(mount.path)
    assert (raw / "a.txt").read_text() == "old"
    (raw / "a.txt").write_text("new")
    (raw / "d").mkdir()
    (raw / "d" / "b.txt").write_text("more")
    changes = {one.path: str(one.kind) for one in lake.sessions.diff(mount.session_id)}
    assert changes == {"a.txt": "modified", "d/b.txt": "added"}, changes
    lake.sessions.commit(mount.session_id, "New")
    assert lake.files.read("raw@main/d/b.txt") == b"more"
    (point,) = lake.mounts.list_mountpoints()
    print("mode", point.mode, os.getuid())
    for one in lake.mounts.doctor():
        print(one.name, one.verdict, one.found, one.advice, sep="|")
    lake.mounts.delete("raw")
    assert not os.path.ismount(place / "shown")
"""


@pytest.fixture
def machine(tmp_path):
    """Run the script on a machine that shell commands prepare; return what it printed."""

    def run(prepare, *, python=sys.executable, place=None, environ=(), begin=""):
        if place is None:
            place = tmp_path / "place"
            place.mkdir()
        shell = f"set -eu\n{prepare}\nexec {begin} '{python}' -c \"$SCRIPT\" '{place}'"
        variables = {"PYTHONPATH": str(PACKAGE), "TMPDIR": str(place), "SCRIPT": SCRIPT}
        done = subprocess.run(
            [*NAMESPACE, "bash", "-c", shell],
            env={**os.environ, **variables, **dict(environ)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


WITHOUT_DEVICE = """
mkdir -p /mnt && mount -t tmpfs none /mnt && mkdir /mnt/dev && mount --rbind /dev /mnt/dev
mount -t tmpfs none /dev
for name in null zero full random urandom tty; do
    touch /dev/$name && mount --bind /mnt/dev/$name /dev/$name
done
mkdir /dev/shm && mount -t tmpfs none /dev/shm
ln -s /proc/self/fd /dev/fd
"""


def test_a_container_without_the_device_has_checkouts_and_says_why(machine):
    said = machine(WITHOUT_DEVICE)
    assert "mode checkout 0" in said
    assert "mode|warn|new mounts are checkouts, because /dev/fuse is missing" in said
    assert "--device /dev/fuse" in said


LAZY_SCRIPT = """
import sys
from pathlib import Path
from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.lake.lake import Lake

place = Path(sys.argv[1])
with Lake.create(str(place / "lake")) as lake:
    lake.repos.create("raw")
    lake.files.put("raw@main/d/a.txt", "some text")
    lake.pipelines.create(
        {
            "pipeline": "p",
            "command": ["sh", "-euc", "test -h pfs/raw && echo shown; cp -rL pfs/raw/d pfs/out/"],
            "input": {"repo": {"name": "raw", "glob": "/", "lazy": True}},
        },
        folder=place,
    )
    lake.run_controller(ControllerConfig(workers=1), until_idle=True)
    (job,) = lake.jobs.list()
    print(job.state, lake.files.read("p@main/d/a.txt"))
    print(lake.jobs.logs(job.id)[0].text)
"""


def test_lazy_inputs_are_shown_where_they_can_be_and_else_copied(machine, tmp_path):
    said = machine(WITHOUT_DEVICE, environ={"SCRIPT": LAZY_SCRIPT})
    assert "success b'some text'" in said
    assert "shown" not in said
    why = "FUSE cannot be used here: /dev/fuse is missing"
    assert f"[datalake] the lazy input raw is copied: {why}" in said
    place = tmp_path / "other"
    place.mkdir()
    said = machine("true", environ={"SCRIPT": LAZY_SCRIPT}, place=place)
    assert "success b'some text'" in said
    assert "shown" in said
    assert "is copied" not in said


def test_a_read_only_root_is_no_hindrance(machine, tmp_path):
    place = tmp_path / "place"
    said = machine(f"mount --bind '{place}' '{place}'\nmount -o remount,bind,ro /\n! touch /x")
    assert "mode fuse 0" in said
    assert "mode|ok|new mounts use fuse" in said


DRIVE_SCRIPT = """
import os, sys
from pathlib import Path
from jupyter_datalake.lake.lake import Lake

place = Path(sys.argv[1])
with Lake.create(str(place / "lake")) as lake:
    lake.repos.create("raw")
    lake.files.put("raw@main/a.txt", "old")
    at = str(place / "read-only" / "shown")
    os.environ["DATALAKE_MOUNTPOINT"] = at
    for one in lake.mounts.doctor():
        print(one.name, one.verdict, one.found, one.advice, sep="|")
    mount = lake.mounts.create("raw")
    (point,) = lake.mounts.list_mountpoints()
    print("mode", point.mode, point.message)
    assert lake.drive.read("raw/a.txt") == b"old"
    lake.drive.put("raw/a.txt", "new")
    lake.sessions.commit(mount.session_id, "New")
    assert lake.files.read("raw@main/a.txt") == b"new"
    lake.mounts.delete("raw")
    assert not os.path.lexists(at)
"""


def test_where_no_folder_can_be_made_mounts_are_drives_and_say_why(machine, tmp_path):
    place = tmp_path / "place"
    said = machine(
        f"mkdir '{place}/read-only' && mount -t tmpfs -o ro none '{place}/read-only'",
        environ={"SCRIPT": DRIVE_SCRIPT},
    )
    why = f"{place}/read-only/shown cannot be made: the file system is read-only"
    assert f"mode|warn|new mounts are drives, because {why}" in said
    assert f"mode drive No folder can be shown here: {why}" in said


@pytest.fixture
def as_user(machine):
    """Run a script as a user without privileges, where everybody may read what it imports."""
    base, packages = sys.base_prefix, sysconfig.get_path("purelib")
    prepare = f"""
    mount -t tmpfs -o mode=755 none /mnt
    mkdir /mnt/python /mnt/packages /mnt/ours
    mount --bind '{base}' /mnt/python
    mount --bind '{packages}' /mnt/packages
    mount --bind '{PACKAGE}' /mnt/ours
    mknod /mnt/fuse c 10 229 && chmod 666 /mnt/fuse && mount --bind /mnt/fuse /dev/fuse
    mkdir -m 777 /mnt/place
    """
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"

    def run(script):
        return machine(
            prepare,
            python=f"/mnt/python/bin/{name}",
            place="/mnt/place",
            begin="setpriv --reuid 65534 --regid 65534 --clear-groups --",
            environ={
                "PYTHONPATH": "/mnt/ours:/mnt/packages",
                "PYTHONHOME": "/mnt/python",
                "LD_LIBRARY_PATH": "/mnt/python/lib",
                "HOME": "/mnt/place",
                "SCRIPT": script,
            },
        )

    return run


def test_a_user_without_privileges_mounts_by_the_helper(as_user):
    said = as_user(SCRIPT)
    assert "mode fuse 65534" in said
    assert "helper|ok|" in said
    assert "trial mount|ok" in said


SHOWN_SCRIPT = """
import json, os, sys
from pathlib import Path
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.lazy_inputs import LazyMount
from jupyter_datalake.model.selections import Selection

place = Path(sys.argv[1])
with Lake.create(str(place / "lake")) as lake:
    lake.repos.create("raw")
    lake.files.put("raw@main/d/a.txt", "some text")
    notes = lake.core.work_folder / "jobs" / "job" / "0-1.1" / "lazy"
    notes.mkdir(parents=True)
    selection = Selection("raw", lake.commits.get("raw").id, ("d",))
    (notes / "raw.json").write_text(json.dumps(selection.as_dict()))
    mount = LazyMount(lake.url, place / "mounts")
    mount.start()
    print(os.getuid(), (mount.folder / "job:0-1.1:raw" / "d" / "a.txt").read_text())
    mount.close()
    print(os.path.lexists(mount.folder))
"""


def test_a_user_without_privileges_has_lazy_inputs(as_user):
    assert as_user(SHOWN_SCRIPT).splitlines() == ["65534 some text", "False"]
