"""The environment lock: what a pipeline's code was published with, exactly.

A lock names the interpreter, the platform and every installed distribution. It is stored with
the code and is part of the datum key, so publishing under another environment runs the datums
again; what has changed since is told in each datum's log.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import subprocess
import sys
from contextlib import suppress
from importlib import metadata
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from jupyter_datalake.errors import ErrorKind, NotFoundError
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.ids import Digest, digest_of

LOCK_FILE = "environment.lock.json"
_PROBE_S = 60

# Run by another interpreter, so it uses nothing but the standard library of any Python 3.
_PROBE = """
import json, platform, sys
from importlib import metadata
found = {}
for d in metadata.distributions():
    name = d.metadata["Name"]
    if name:
        found[name.lower().replace("_", "-")] = d.version
print(json.dumps({"python": platform.python_version(), "packages": found}))
"""


def lock_environment(kernel: str | None) -> dict[str, Any]:
    """Return the lock of a kernel's environment; of this interpreter's when `kernel` is None.

    Raises
    ------
    NotFoundError
        No kernel has this name.
    """
    if kernel is None:
        return _own_lock()
    try:
        spec = KernelSpecManager().get_kernel_spec(kernel)
    except NoSuchKernel as error:
        raise NotFoundError(
            f"There is no Jupyter kernel {kernel!r} on this machine",
            kind=ErrorKind.INVALID_SPEC,
            hint="'jupyter kernelspec list' shows the installed ones",
            kernel=kernel,
        ) from error
    interpreter = spec.argv[0] if spec.argv else ""
    if interpreter in {"python", "python3", sys.executable}:
        lock = _own_lock()
    elif spec.language == "python":
        lock = _probe(interpreter)
    else:
        lock = {"packages": {}}
    return {
        **lock,
        "kernel": kernel,
        "language": spec.language,
        "argv": [part for part in spec.argv if part != interpreter],
        "platform": platform_name(),
    }


def lock_bytes(lock: dict[str, Any]) -> bytes:
    """Return a lock as it is stored."""
    return json.dumps(lock, indent=1, sort_keys=True).encode()


def lock_digest(stored: bytes) -> Digest:
    """Return the digest of a stored lock."""
    return digest_of(pack_canonical(json.loads(stored)))


def differences(locked: dict[str, Any], present: dict[str, Any]) -> list[str]:
    """Return what has changed since a lock was made, as lines for people."""
    changed = [
        f"{key} was {locked.get(key)}, is {present.get(key)}"
        for key in ("kernel", "language", "python", "platform")
        if locked.get(key) != present.get(key)
    ]
    old, new = locked.get("packages", {}), present.get("packages", {})
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            changed.append(f"{name} was {old.get(name, 'absent')}, is {new.get(name, 'absent')}")
    return changed


def _own_lock() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "platform": platform_name(),
        "packages": dict(_packages(_places())),
    }


def _places() -> tuple[tuple[str, int], ...]:
    """Return where packages are, and when something was last added or removed there."""
    found = []
    for place in sys.path:
        with suppress(OSError):
            found.append((place, os.stat(place or ".").st_mtime_ns))
    return tuple(found)


@functools.lru_cache(maxsize=1)
def _packages(_places: tuple[tuple[str, int], ...]) -> dict[str, str]:
    """Return names and versions of what is installed: a tenth of a second, for each datum."""
    packages = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        # Our own version is not part of it: an upgrade of the lake must not re-run everything.
        if name and name.lower().replace("_", "-") != "jupyter-datalake":
            packages[name.lower().replace("_", "-")] = distribution.version
    return dict(sorted(packages.items()))


def _probe(interpreter: str) -> dict[str, Any]:
    """Ask another Python for its packages; one that does not answer has an empty lock."""
    try:
        answer = subprocess.run(
            [interpreter, "-c", _PROBE], capture_output=True, timeout=_PROBE_S, check=True
        )
        return dict(json.loads(answer.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return {"packages": {}, "unknown": f"{interpreter} did not answer: {error}"}


def platform_name() -> str:
    """Return system and machine, such as ``Linux-x86_64``."""
    return f"{platform.system()}-{platform.machine()}"
