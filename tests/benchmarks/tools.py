"""This lake and its peers behind one interface: make a store, commit a folder, restore it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from measuring import Cost, measure, size_of


class Tool:
    """One way to keep versions of a folder."""

    name = ""
    compresses = False
    syncs = False
    """Whether what was committed is on the disk, not only in memory, when the command ends."""
    has_history_of_folder = True

    def __init__(self, place: Path) -> None:
        self.place = place
        self.store = place / "store"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)

    @classmethod
    def version(cls) -> str | None:
        """Return the version, or None where the tool is not to be had."""
        raise NotImplementedError

    def begin(self) -> None:
        """Make an empty store."""
        raise NotImplementedError

    def commit(self, folder: Path, label: str) -> Cost:
        """Commit everything in a folder."""
        raise NotImplementedError

    def restore(self, label: str, target: Path) -> Cost:
        """Write what was committed under a label to a new folder."""
        raise NotImplementedError

    def stored_bytes(self) -> int:
        """Return what the store takes on the disk."""
        return size_of(self.store)

    environment: Mapping[str, str] = {}

    def run(self, *command: str | Path, folder: Path | None = None) -> Cost:
        """Run a command of the tool."""
        return measure(command, folder=folder or self.place, environment=self.environment)


class Datalake(Tool):
    """This lake, by its command line."""

    name = "datalake"
    compresses = True
    syncs = True

    @classmethod
    def version(cls) -> str | None:
        return _version(cls._command(), "--version")

    @staticmethod
    def _command() -> str:
        return str(Path(sys.executable).parent / "datalake")

    def begin(self) -> None:
        self.run(self._command(), "init", self.store)
        self.environment = {"DATALAKE_URL": str(self.store)}
        self.run(self._command(), "repos", "create", "data")

    def commit(self, folder: Path, label: str) -> Cost:
        cost = self.run(self._command(), "files", "put", "data@main/", folder, "-m", label)
        self.run(self._command(), "refs", "create-tag", "data", f"v-{label}")
        return cost

    def restore(self, label: str, target: Path) -> Cost:
        return self.run(self._command(), "files", "export", f"data@v-{label}", target)


class LinkedDatalake(Datalake):
    """This lake, restoring by links to files that it keeps for reading."""

    name = "datalake, linked"

    def restore(self, label: str, target: Path) -> Cost:
        command = (self._command(), "files", "export", "--link", "hardlink", f"data@v-{label}")
        self.run(*command, target.with_name(f"{target.name}-first"))
        return self.run(*command, target)


class Restic(Tool):
    """restic with its own compression."""

    name = "restic"
    compresses = True
    syncs = True
    mode = "auto"

    @classmethod
    def version(cls) -> str | None:
        return _version("restic", "version")

    def begin(self) -> None:
        self.environment = {"RESTIC_PASSWORD": "benchmark", "RESTIC_REPOSITORY": str(self.store)}
        self.run("restic", "init", "--repository-version", "2")

    def commit(self, folder: Path, label: str) -> Cost:
        return self.run(
            "restic", "--compression", self.mode, "backup", "--tag", label, ".", folder=folder
        )

    def restore(self, label: str, target: Path) -> Cost:
        return self.run("restic", "restore", "latest", "--tag", label, "--target", target)


class PlainRestic(Restic):
    """restic without compression."""

    name = "restic, no compression"
    compresses = False
    mode = "off"


class Borg(Tool):
    """borg, compressing by zstd as the lake does."""

    name = "borg, zstd"
    compresses = True
    syncs = True
    mode = "zstd,1"

    @classmethod
    def version(cls) -> str | None:
        return _version("borg", "--version")

    def begin(self) -> None:
        self.environment = {
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
            "BORG_BASE_DIR": str(self.place / "home"),
        }
        self.run("borg", "init", "-e", "none", self.store)

    def commit(self, folder: Path, label: str) -> Cost:
        return self.run("borg", "create", "-C", self.mode, f"{self.store}::{label}", ".",
                        folder=folder)  # fmt: skip

    def restore(self, label: str, target: Path) -> Cost:
        target.mkdir(parents=True)
        return self.run("borg", "extract", f"{self.store}::{label}", folder=target)


class PlainBorg(Borg):
    """borg without compression."""

    name = "borg, no compression"
    compresses = False
    mode = "none"


class Lz4Borg(Borg):
    """borg with its default compression."""

    name = "borg, lz4"
    mode = "lz4"


class Dvc(Tool):
    """DVC: `add` into its cache, in a Git repository."""

    name = "DVC"

    @classmethod
    def version(cls) -> str | None:
        return _version(_peer("dvc"), "--version")

    def begin(self) -> None:
        self.store = self.place / ".dvc" / "cache"
        self.environment = {"DVC_NO_ANALYTICS": "1"}
        self.run("git", "init", "-q", ".")
        self.run(_peer("dvc"), "init", "-q")

    def commit(self, folder: Path, label: str) -> Cost:
        data = self.place / "data"
        if not data.exists() or _newest(folder) != getattr(self, "_last", None):
            # The user's own copy: not DVC's work, so not measured.
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(folder, data)
        self._last = _newest(folder)
        return self.run(_peer("dvc"), "add", "-q", "data")

    def restore(self, label: str, target: Path) -> Cost:
        shutil.rmtree(self.place / "data")
        cost = self.run(_peer("dvc"), "checkout", "-q", "data.dvc")
        shutil.copytree(self.place / "data", target)
        return cost


class Annex(Tool):
    """git-annex: `add` and commit."""

    name = "git-annex"

    @classmethod
    def version(cls) -> str | None:
        return _version("git-annex", "version")

    def begin(self) -> None:
        self.store = self.place / ".git"
        for command in (
            ("git", "init", "-q", "."),
            ("git", "config", "user.name", "benchmark"),
            ("git", "config", "user.email", "benchmark@example.org"),
            ("git", "annex", "init", "-q", "benchmark"),
        ):
            self.run(*command)

    def commit(self, folder: Path, label: str) -> Cost:
        data = self.place / "data"
        if not data.exists() or _newest(folder) != getattr(self, "_last", None):
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(folder, data)
        self._last = _newest(folder)
        return self.run("bash", "-c", f"git annex add -q data && git commit -q -m {label} || true")

    def restore(self, label: str, target: Path) -> Cost:
        shutil.rmtree(target, ignore_errors=True)
        return self.run(
            "bash", "-c", f"git clone -q . {target} && cd {target} && git annex get -q ."
        )


class Oxen(Tool):
    """oxen by its Python package, which has no command line."""

    name = "oxen"

    @classmethod
    def version(cls) -> str | None:
        code = "import importlib.metadata; print(importlib.metadata.version('oxenai'))"
        return _version(_peer("python"), "-c", code)

    def begin(self) -> None:
        self.store = self.place / "work" / ".oxen"
        (self.place / "work").mkdir()
        self.environment = {"HOME": str(self.place)}
        self._python("oxen.user.config_user('benchmark','b@example.org')\noxen.Repo('work').init()")

    def commit(self, folder: Path, label: str) -> Cost:
        data = self.place / "work" / "data"
        if not data.exists() or _newest(folder) != getattr(self, "_last", None):
            shutil.rmtree(data, ignore_errors=True)
            shutil.copytree(folder, data)
        self._last = _newest(folder)
        return self._python(f"r=oxen.Repo('work')\nr.add('data')\nr.commit('{label}')")

    def _python(self, code: str) -> Cost:
        return self.run(_peer("python"), "-c", f"import oxen, oxen.user\n{code}")


class Copy(Tool):
    """The raw operation: `cp -r`, synced."""

    name = "cp -r and sync"
    syncs = True

    @classmethod
    def version(cls) -> str | None:
        return _version("cp", "--version")

    def begin(self) -> None:
        self.store.mkdir()

    def commit(self, folder: Path, label: str) -> Cost:
        target = self.store / label
        return self.run("bash", "-c", f"cp -r {folder} {target} && sync -f {self.store}")


class Tar(Tool):
    """The raw operation: `tar` into one file, synced."""

    name = "tar and sync"
    syncs = True

    @classmethod
    def version(cls) -> str | None:
        return _version("tar", "--version")

    def begin(self) -> None:
        self.store.mkdir()

    def commit(self, folder: Path, label: str) -> Cost:
        target = self.store / f"{label}.tar"
        return self.run("bash", "-c", f"tar cf {target} -C {folder} . && sync {target}")

    def restore(self, label: str, target: Path) -> Cost:
        target.mkdir(parents=True)
        return self.run("tar", "xf", self.store / f"{label}.tar", "-C", target)


PEERS: tuple[type[Tool], ...] = (Restic, PlainRestic, Borg, Lz4Borg, PlainBorg, Dvc, Annex, Oxen)
RAW: tuple[type[Tool], ...] = (Copy, Tar)


def _peer(name: str) -> str:
    """Return a command of the environment that holds the peers which are Python packages."""
    home = Path(os.environ.get("BENCH_PEERS", ""))
    return str(home / "bin" / name)


def _newest(folder: Path) -> tuple[str, int]:
    return str(folder), folder.stat().st_mtime_ns


def _version(*command: str) -> str | None:
    try:
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\d+(\.\d+)+", shown)
    return found.group() if found else None
