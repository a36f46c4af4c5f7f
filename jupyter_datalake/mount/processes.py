"""What the processes of this machine have to do with a mount, as far as ``/proc`` shows it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def working_folders() -> set[str]:
    """Return the folders that processes stand in; of strangers' processes root alone sees them."""
    found: set[str] = set()
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError):  # it has ended, or is somebody else's
                found.add(os.readlink(f"/proc/{name}/cwd"))
    return found


def stat_fields(pid: int) -> list[bytes]:
    """Return what the system says of a process behind its name; nothing of one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return []


def is_path_within(path: str, folder: str) -> bool:
    """Tell whether a path is a folder, or below it."""
    return path == folder or path.startswith(f"{folder}/")
