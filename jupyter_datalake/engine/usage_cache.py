"""What was measured of repos before, so that measuring again costs what is new.

For each repo the cache has the commits that were measured and every blob that they need, as sorted
files of digests. Commits and blobs never change, so this stays true for as long as all of those
commits are there; a repo that lost one is measured anew. It is a cache of this machine: whatever is
wrong with it, everything is measured anew.
"""

from __future__ import annotations

import heapq
import json
import mmap
import os
import shutil
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.file_locks import held
from jupyter_datalake.model.ids import DIGEST_SIZE, Digest

_VERSION = 1
_STATE = "state.json"
_LOCK = "lock"
_MAX_RUNS = 16
"""Files of one repo; more are made one."""


@dataclass(slots=True)
class Measured:
    """What is known of one repo."""

    commits: list[str] = field(default_factory=list)
    """Names of files of the commits that were measured."""
    blobs: list[str] = field(default_factory=list)
    """Names of files of the blobs that they need; no blob is in two."""
    stored_bytes: int = 0
    exclusive_bytes: int = 0


@dataclass(slots=True)
class UsageState:
    """What is known of a lake."""

    repos: dict[str, Measured] = field(default_factory=dict)
    """By the number of the repo."""
    shared_bytes: int = 0
    needed_bytes: int = 0
    """Of all blobs that any repo needs."""


class SortedDigests:
    """Digests in sorted files, looked for by halving; the files are mapped, not read."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._maps: list[mmap.mmap] = []
        for path in files:
            with open(path, "rb") as file:
                if os.fstat(file.fileno()).st_size:
                    self._maps.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def __contains__(self, digest: Digest) -> bool:
        for one in self._maps:
            place = bisect_left(_Rows(one), digest)
            if one[place * DIGEST_SIZE : (place + 1) * DIGEST_SIZE] == digest:
                return True
        return False

    def __iter__(self) -> Iterator[Digest]:
        """Yield all of them in order."""
        return heapq.merge(*map(_digests_of, self._maps))

    def close(self) -> None:
        """Unmap the files."""
        for one in self._maps:
            one.close()


class _Rows:
    """A mapped file as a sequence of digests."""

    def __init__(self, mapped: mmap.mmap) -> None:
        self._mapped = mapped

    def __len__(self) -> int:
        return len(self._mapped) // DIGEST_SIZE

    def __getitem__(self, row: int) -> bytes:
        return self._mapped[row * DIGEST_SIZE : (row + 1) * DIGEST_SIZE]


def _digests_of(mapped: mmap.mmap) -> Iterator[Digest]:
    for begin in range(0, len(mapped), DIGEST_SIZE):
        yield Digest(mapped[begin : begin + DIGEST_SIZE])


class UsageCache:
    """The cache of one lake on this machine, for one measurement.

    Made by `usage_cache`, which locks it.
    """

    def __init__(self, folder: Path, lake_id: str, stack: ExitStack) -> None:
        self._folder = folder
        self._lake_id = lake_id
        self._stack = stack
        self.state = self._load()

    def commits_of(self, repo: str) -> SortedDigests:
        """Return the commits of a repo that were measured."""
        return self._sorted(self._known(repo).commits)

    def blobs_of(self, repo: str) -> SortedDigests:
        """Return the blobs that those commits need."""
        return self._sorted(self._known(repo).blobs)

    def write(self, digests: Iterable[Digest]) -> str:
        """Write sorted digests into a new file, durably, and return its name."""
        name = new_id()
        with open(self._folder / name, "wb") as file:
            for digest in digests:
                file.write(digest)
            file.flush()
            os.fsync(file.fileno())
        return name

    def save(self, state: UsageState) -> None:
        """Keep what was measured for the next time."""
        for measured in state.repos.values():
            measured.commits = self._joined(measured.commits)
            measured.blobs = self._joined(measured.blobs)
        sizes = {
            name: os.path.getsize(self._folder / name)
            for measured in state.repos.values()
            for name in (*measured.commits, *measured.blobs)
        }
        content = {"version": _VERSION, "lake": self._lake_id, "sizes": sizes, **asdict(state)}
        fresh = self._folder / f".{new_id()}"
        fresh.write_text(json.dumps(content), encoding="utf-8")
        os.replace(fresh, self._folder / _STATE)
        for path in self._folder.iterdir():
            if path.name not in {_STATE, _LOCK, *sizes}:
                path.unlink()

    def _joined(self, names: list[str]) -> list[str]:
        if len(names) <= _MAX_RUNS:
            return names
        return [self.write(self._sorted(names))]

    def _known(self, repo: str) -> Measured:
        return self.state.repos.get(repo, Measured())

    def _sorted(self, names: Iterable[str]) -> SortedDigests:
        found = SortedDigests(self._folder / name for name in names)
        self._stack.callback(found.close)
        return found

    def _load(self) -> UsageState:
        """Return what is known; nothing, where that cannot be read or is not whole."""
        try:
            raw = json.loads((self._folder / _STATE).read_text(encoding="utf-8"))
            if (raw["version"], raw["lake"]) != (_VERSION, self._lake_id):
                return UsageState()
            for name, size in raw["sizes"].items():
                if os.path.getsize(self._folder / name) != size:
                    return UsageState()
            return _state_of(raw)
        except (OSError, ValueError, KeyError, TypeError):
            return UsageState()


def _state_of(raw: Mapping[str, Any]) -> UsageState:
    repos = {name: Measured(**measured) for name, measured in raw["repos"].items()}
    return UsageState(repos, int(raw["shared_bytes"]), int(raw["needed_bytes"]))


@contextmanager
def usage_cache(core: LakeCore) -> Iterator[UsageCache | None]:
    """Open the cache of a lake for one measurement; None where it cannot be had, or is in use."""
    folder = _folder_of(core)
    with ExitStack() as stack:
        cache = None
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            if stack.enter_context(held(folder / _LOCK)):
                cache = UsageCache(folder, core.lake_id, stack)
        yield cache


def forget_usage(core: LakeCore) -> None:
    """Drop what was measured, because blobs were stored in another way."""
    shutil.rmtree(_folder_of(core), ignore_errors=True)


def _folder_of(core: LakeCore) -> Path:
    return core.work_folder / "usage"
