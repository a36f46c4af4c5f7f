"""The package on a system that is not Linux, made of this one by taking away what others lack."""

import os
import subprocess
import sys

# What CPython has on Linux and not on macOS, by module. Other libraries are loaded before: they
# have builds of their own for each system.
MACOS = r"""
import ctypes, fcntl, importlib, mmap, os, pkgutil, posix, re, resource, select, signal, socket, sys
import time


def load():
    import jupyter_datalake
    for one in pkgutil.walk_packages(jupyter_datalake.__path__, "jupyter_datalake."):
        if not one.name.startswith(SKIPPED):
            importlib.import_module(one.name)


SKIPPED = (
    "jupyter_datalake.mount.",
    "jupyter_datalake.testing",
    "jupyter_datalake.metadata.migrations.env",  # runs migrations when it is imported
)
load()
for name in [one for one in sys.modules if one.partition(".")[0] == "jupyter_datalake"]:
    del sys.modules[name]

OS = (
    r"O_(DIRECT|TMPFILE|PATH|NOATIME|LARGEFILE|RSYNC)|sched_(?!yield|get_priority).*|posix_fadvise"
    r"|POSIX_FADV_.*|posix_fallocate|fdatasync|copy_file_range|splice|SPLICE_.*|eventfd.*|EFD_.*"
    r"|memfd_create|MFD_.*|pidfd_open|PIDFD_.*|pipe2|getrandom|GRND_.*|.*xattr|XATTR_.*|setns"
    r"|unshare|CLONE_.*|[gs]etres[ug]id|timerfd.*|RTLD_DEEPBIND|RWF_.*|P_PIDFD"
    r"|ST_(?!RDONLY|NOSUID).*"
)
LINUX = {
    os: OS,
    posix: OS,
    fcntl: r"F_(OFD|SEAL|ADD_SEALS|GET_SEALS).*|F_[GS]ETPIPE_SZ|F_NOTIFY|FICLONE.*",
    select: r"epoll|EPOLL.*",
    signal: r"sigwaitinfo|sigtimedwait|pidfd_send_signal",
    socket: r"AF_(NETLINK|ALG|PACKET|VSOCK)|SOCK_(CLOEXEC|NONBLOCK)|SO_PEERCRED|MSG_NOSIGNAL",
    resource: r"prlimit",
    time: r"CLOCK_BOOTTIME|CLOCK_TAI",
    mmap: r"MAP_(POPULATE|STACK)|MADV_(REMOVE|.*HUGEPAGE|DONTFORK|DOFORK|HWPOISON|.*MERGEABLE)",
}
gone = 0
for module, names in LINUX.items():
    for name in [one for one in vars(module) if re.fullmatch(names, one)]:
        delattr(module, name)
        gone += 1
assert gone > 100, gone


class CDLL(ctypes.CDLL):
    def __getattr__(self, name):
        if name in {"fallocate", "malloc_trim", "prctl", "renameat2", "posix_fadvise"}:
            raise AttributeError(f"dlsym: {name}: symbol not found")
        return super().__getattr__(name)


def hide(event, arguments):
    if event in {"open", "os.listdir", "os.scandir"} and arguments:
        if str(arguments[0]).startswith(("/proc", "/sys/", "/dev/fuse")):
            raise FileNotFoundError(2, "No such file or directory", arguments[0])


ctypes.CDLL = CDLL
sys.addaudithook(hide)
sys.platform = "darwin"
sys.modules["pyfuse3"] = sys.modules["trio"] = None
load()
"""

LIFE = r"""
from pathlib import Path

from jupyter_datalake.lake.lake import Lake

place = Path(sys.argv[1])
big = os.urandom(12_000_000)
with Lake.create(str(place / "lake")) as lake:
    lake.repos.create("raw")
    lake.files.put("raw@main/big", big)
    (place / "folder").mkdir()
    (place / "folder" / "é.csv").write_text("id\n1\n")
    lake.files.put_tree("raw@main/folder", place / "folder")
    assert lake.files.read("raw@main/big") == big
    lake.files.export("raw@main/folder", place / "copied")
    lake.files.export("raw@main/folder", place / "linked", link="hardlink")
    assert (place / "linked" / "é.csv").read_text() == "id\n1\n"

    doctor = {one.name: one for one in lake.maintenance.get_doctor()}
    assert doctor["mode"].found == (
        "new mounts are checkouts, because mounts by FUSE need Linux, and this is darwin"
    ), doctor["mode"]
    at = str(place / "shown")
    mount = lake.mounts.create("raw", at=at)
    assert [str(one.mode) for one in lake.mounts.list_mountpoints()] == ["checkout"]
    Path(mount.path, "new").write_text("new")
    assert [one.path for one in lake.sessions.diff(mount.session_id)] == ["new"]
    lake.sessions.commit(mount.session_id, "From the checkout")
    lake.mounts.delete("raw", at=at)

    mount = lake.mounts.create("raw", at=at, mode="drive")
    lake.drive.put("raw/new", b", and more", offset=-1, at=at)
    lake.drive.put("raw/other", "other", at=at)
    lake.sessions.commit(mount.session_id, "From the drive")
    lake.mounts.delete("raw", at=at)
    assert lake.files.read("raw@main/new") == b"new, and more"
    assert lake.maintenance.verify().findings == []
    lake.maintenance.gc()
    lake.maintenance.backup(place / "backup.sqlite")
print("done")
"""


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_nothing_but_fuse_needs_linux(tmp_path):
    done = run(MACOS + LIFE, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"


def test_windows_is_told_what_to_do():
    done = run("import os; os.name = 'nt'\nimport jupyter_datalake")
    assert done.returncode == 1
    assert done.stderr.endswith(
        "ImportError: jupyter_datalake needs a POSIX system: on Windows, use it in WSL 2\n"
    )
