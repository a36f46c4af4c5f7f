"""What this machine lets a mount do, as findings with the next step; and the mode that follows.

Nothing here imports the FUSE library, which may be broken: what needs it runs in another process.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import MountError
from jupyter_datalake.model.mounts import MountMode, Mountpoint, MountState
from jupyter_datalake.mount.control import MountClient, is_alive
from jupyter_datalake.mount.mountpoints import is_mounted, unmount

DEVICE = "/dev/fuse"
INSTALL = "pip install 'jupyter_datalake[fuse]'"
TRIAL_S = 20.0

_CAP_SYS_ADMIN = 21
_PING_S = 1.0

# Mounts a file system that knows only its root, asks it one question and takes it away again.
_TRIAL = """
import errno, os, stat, sys, pyfuse3, trio

class Trial(pyfuse3.Operations):
    async def getattr(self, inode, ctx):
        found = pyfuse3.EntryAttributes()
        found.st_ino, found.st_mode, found.st_nlink = inode, stat.S_IFDIR | 0o555, 1
        return found
    async def statfs(self, ctx):
        return pyfuse3.StatvfsData()

async def main(folder):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pyfuse3.main)
        await trio.to_thread.run_sync(os.statvfs, folder)
        pyfuse3.terminate()

pyfuse3.init(Trial(), sys.argv[1], {"fsname=datalake", "subtype=datalake"})
try:
    trio.run(main, sys.argv[1])
finally:
    pyfuse3.close()
"""


class Verdict(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    found: str
    """What was found, as a phrase."""
    advice: str = ""
    """What to do about it; empty when there is nothing to do."""


def choose_mode() -> tuple[MountMode, str]:
    """Return how folders can be mounted here, and why; looks only, in about a millisecond."""
    for finding in (check_device(), check_library(), check_helper()):
        if finding.verdict is Verdict.FAIL:
            return MountMode.CHECKOUT, f"FUSE cannot be used here: {finding.found}"
    return MountMode.FUSE, "FUSE can be used here"


def examine(core: LakeCore, *, at: str | None = None, try_mount: bool = True) -> Sequence[Finding]:
    """Return everything there is to say about mounting here.

    Parameters
    ----------
    at
        The mount point that new mounts get.
    try_mount
        Whether to mount something for a moment; takes about half a second.
    """
    with core.metadata.read() as tx:
        points = tx.mounts.list_points()
    is_new = at not in {point.path for point in points}
    findings = examine_machine(at=at if is_new else None, try_mount=try_mount)
    return [*findings, *(check_mountpoint(core, point) for point in points)]


def examine_machine(*, at: str | None = None, try_mount: bool = True) -> list[Finding]:
    """Return what this machine lets a mount do, whatever the lake."""
    folders = [] if at is None else [check_folder(at)]
    findings = [check_device(), check_library(), check_helper(), check_privileges()]
    if try_mount and all(one.verdict is not Verdict.FAIL for one in findings[:3]):
        findings.append(check_trial_mount())
    return [_mode_that_follows(folders, findings), *folders, *findings]


def _mode_that_follows(folders: Sequence[Finding], findings: Sequence[Finding]) -> Finding:
    """Return which mode new mount points get, why, and how to get a better one."""
    for folder in folders:
        if folder.verdict is Verdict.FAIL:
            return Finding(
                "mode",
                Verdict.WARN,
                f"new mounts are {MountMode.DRIVE}s, because {folder.found}",
                f"For folders: {folder.advice}",
            )
    lacking = [one for one in findings if one.verdict is Verdict.FAIL]
    if not lacking:
        return Finding("mode", Verdict.OK, f"new mounts use {MountMode.FUSE}")
    first = lacking[0]
    return Finding(
        "mode",
        Verdict.WARN,
        f"new mounts are {MountMode.CHECKOUT}s, because {first.found}",
        f"For {MountMode.FUSE}: {first.advice}",
    )


def check_folder(path: str) -> Finding:
    """Look whether a mount point's folder is there or can be made, and be written to.

    Nothing is made. What stands in its place, or in it, is not looked at: `check_usable` refuses
    that.
    """
    place = Path(path)
    while not os.path.lexists(place):
        place = place.parent
    is_there = place == Path(path)
    is_covered = is_there and has_admin_capability() and choose_mode()[0] is MountMode.FUSE
    if not place.is_dir() or is_covered or os.access(place, os.W_OK | os.X_OK):
        return Finding("folder", Verdict.OK, f"{path} can be mounted at")
    lacks = "cannot be written to" if is_there else "cannot be made"
    why = "the file system is read-only" if is_read_only(place) else f"no permission in {place}"
    return Finding(
        "folder",
        Verdict.FAIL,
        f"{path} {lacks}: {why}",
        "Choose another mount point, with --at or DATALAKE_MOUNTPOINT",
    )


def is_read_only(place: Path) -> bool:
    """Tell whether the file system that a folder is on takes no writes."""
    try:
        return bool(os.statvfs(place).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def check_device() -> Finding:
    """Look whether the FUSE device can be opened."""
    if sys.platform != "linux":
        return Finding(
            "device",
            Verdict.FAIL,
            f"mounts by FUSE need Linux, and this is {sys.platform}",
            "Work in a Linux container or virtual machine",
        )
    try:
        os.close(os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        return Finding(
            "device",
            Verdict.FAIL,
            f"{DEVICE} is missing",
            "In a container, run it with --device /dev/fuse; on a machine, load the fuse module",
        )
    except OSError as error:
        return Finding(
            "device",
            Verdict.FAIL,
            f"{DEVICE} cannot be opened: {error.strerror}",
            "Give the user read and write permission on it",
        )
    return Finding("device", Verdict.OK, f"{DEVICE} can be opened")


def check_library() -> Finding:
    """Look whether the FUSE library for Python is installed; it is not imported."""
    try:
        if importlib.util.find_spec("pyfuse3") is None or importlib.util.find_spec("trio") is None:
            raise PackageNotFoundError
        return Finding("library", Verdict.OK, f"pyfuse3 {version('pyfuse3')} is installed")
    except PackageNotFoundError:
        return Finding("library", Verdict.FAIL, "pyfuse3 is not installed", INSTALL)


def check_helper() -> Finding:
    """Look for the program that mounts for users who may not; root does without it."""
    found = shutil.which("fusermount3")
    if found is not None:
        return Finding("helper", Verdict.OK, f"{found} is installed")
    if has_admin_capability():
        return Finding(
            "helper", Verdict.OK, "fusermount3 is missing, and not needed with CAP_SYS_ADMIN"
        )
    return Finding(
        "helper",
        Verdict.FAIL,
        "fusermount3 is missing",
        "Install the system's fuse3 package",
    )


def check_privileges() -> Finding:
    """Look whether the process may gain the privileges that mounting takes."""
    status = _process_status()
    no_new = status.get("NoNewPrivs", "0") == "1"
    said = f"NoNewPrivs {status.get('NoNewPrivs', '?')}, CapEff {status.get('CapEff', '?')}"
    if no_new and not has_admin_capability():
        return Finding(
            "privileges",
            Verdict.WARN,
            f"{said}: fusermount3 cannot become root here",
            "In Kubernetes, set allowPrivilegeEscalation; otherwise mounts are checkouts",
        )
    return Finding("privileges", Verdict.OK, said)


def has_admin_capability() -> bool:
    """Tell whether this process may mount by itself."""
    return bool(int(_process_status().get("CapEff", "0"), 16) >> _CAP_SYS_ADMIN & 1)


def check_trial_mount() -> Finding:
    """Mount something for a moment, in another process, and take it away again."""
    try:
        trial = tempfile.TemporaryDirectory(prefix="datalake-trial-")
    except OSError as error:
        return Finding(
            "trial mount",
            Verdict.WARN,
            f"no folder for a trial mount can be made: {error}",
            "Let TMPDIR name a folder that can be written to",
        )
    with trial as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-c", _TRIAL, folder],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TRIAL_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Finding(
                "trial mount",
                Verdict.FAIL,
                f"a trial mount did not answer within {TRIAL_S:.0f} s",
                "The kernel accepts mounts and does not serve them; mounts are checkouts here",
            )
        finally:
            if is_mounted(folder):
                unmount(folder)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no message"]
        said = next((line for line in lines if line.startswith("fuse")), lines[-1])
        return Finding(
            "trial mount",
            Verdict.FAIL,
            f"a trial mount failed: {said}",
            "Mounts are checkouts here, unless what is named above is put right",
        )
    return Finding("trial mount", Verdict.OK, "a trial mount worked")


def check_mountpoint(core: LakeCore, point: Mountpoint) -> Finding:
    """Ask how a mount point is doing."""
    name = f"mount point {point.path}"
    if point.host != socket.gethostname():
        return Finding(name, Verdict.OK, f"belongs to {point.host}")
    if point.mode is not MountMode.FUSE:
        note = f"; {point.message}" if point.message else ""
        what = "checkouts" if point.mode is MountMode.CHECKOUT else "a drive, and no folder"
        return Finding(name, Verdict.OK, f"shows {what}{note}")
    if point.state is MountState.FAILED:
        return Finding(
            name, Verdict.FAIL, f"failed: {point.message}", "Start it: datalake mounts start"
        )
    if point.state is MountState.STOPPED:
        return Finding(name, Verdict.OK, "is stopped")
    if not is_alive(point):
        return Finding(
            name,
            Verdict.WARN,
            f"is {MountState.STALE}: its process is gone",
            "The next mounts command brings it back",
        )
    return _check_answer(core, point, name)


def _check_answer(core: LakeCore, point: Mountpoint, name: str) -> Finding:
    try:
        account = MountClient(core, point.path, patience_s=_PING_S).ping()
    except MountError as error:
        return Finding(
            name, Verdict.WARN, f"does not answer: {error.message}", "Wait, or stop and start it"
        )
    if account["problems"]:
        said = "; ".join(account["problems"].values())
        return Finding(name, Verdict.WARN, f"does not show everything: {said}")
    said = f"is ready: {len(account['mounts'])} mounts, {account['memory_bytes'] >> 20} MiB"
    return Finding(name, Verdict.OK, said)


def _process_status() -> dict[str, str]:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except FileNotFoundError:
        return {}  # no Linux
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}
