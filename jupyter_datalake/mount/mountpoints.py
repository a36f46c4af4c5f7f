"""Mount points as the system sees them: what is mounted there, and getting rid of it.

Asks the kernel's table and never the mounted file system: one whose process hangs would take
the asker with it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from jupyter_datalake.errors import ErrorKind, InvalidInputError, MountError

FILE_SYSTEM = "fuse.datalake"
"""Type of our mounts in the kernel's table."""

_UNMOUNT_S = 20.0
_ESCAPE = re.compile(r"\\([0-7]{3})")


def normalised(path: str | os.PathLike[str]) -> str:
    """Return a mount point's path as everything here knows it: absolute, without links above it.

    The last component is not followed: while its process is dead, it cannot be.

    Raises
    ------
    InvalidInputError
        It is the root, or no text.
    """
    absolute = os.path.abspath(os.path.expanduser(path))
    parent, name = os.path.split(absolute)
    found = os.path.join(os.path.realpath(parent), name)
    try:
        found.encode()
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            f"The mount point {os.fsencode(found)!r} is not valid text",
            kind=ErrorKind.INVALID_PATH,
            hint="Choose a folder whose name is UTF-8",
        ) from error
    if not name:
        raise InvalidInputError(
            "The root of the file system cannot be a mount point", kind=ErrorKind.INVALID_PATH
        )
    return found


def mounted_types(path: str) -> list[str]:
    """Return the types of the file systems mounted at exactly this path, the topmost last."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
        fields = line.split(" ")
        if _unescaped(fields[4]) == path:
            found.append(fields[fields.index("-") + 1])
    return found


def is_mounted(path: str) -> bool:
    """Tell whether one of our file systems is mounted at a path, be its process alive or not."""
    return FILE_SYSTEM in mounted_types(path)[-1:]


def unmount(path: str) -> None:
    """Take our file system off a path, also when its process is dead or files in it are open.

    Raises
    ------
    MountError
        The system refused; the message is the system's.
    """
    while is_mounted(path):
        problems = []
        for command in (["fusermount3", "-u", "-z", path], ["umount", "-l", path]):
            program = shutil.which(command[0])
            if program is None:
                problems.append(f"{command[0]} is not installed")
                continue
            done = subprocess.run(
                [program, *command[1:]],
                capture_output=True,
                text=True,
                timeout=_UNMOUNT_S,
                check=False,
            )
            if done.returncode == 0:
                break
            problems.append(done.stderr.strip())
        else:
            raise MountError(
                f"{path} cannot be unmounted: {'; '.join(problems)}",
                hint="Unmount it yourself: fusermount3 -u -z, or umount -l as root",
                mountpoint=path,
            )


def check_usable(path: str) -> None:
    """Make a folder for a mount, and refuse a place where it would hide something.

    Raises
    ------
    InvalidInputError
        It is a file, or a folder with something in it.
    """
    try:
        os.makedirs(path, exist_ok=True)
        names = os.listdir(path)
    except OSError as error:
        raise InvalidInputError(
            f"The folder {path} cannot be a mount point: {error.strerror}",
            kind=ErrorKind.INVALID_PATH,
            hint="Choose another folder with --at",
            path=path,
        ) from error
    if names:
        raise InvalidInputError(
            f"The folder {path} is not empty; mounting there would hide what is in it",
            kind=ErrorKind.INVALID_PATH,
            hint="Choose another folder with --at, or move its contents away",
            path=path,
        )


def _unescaped(field: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 8)), field)
