"""The data that is committed: the same on every run, made once and kept."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

MEGABYTE = 1 << 20
_WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa")


def random_file(place: Path, megabytes: int) -> Path:
    """Return a folder with one file that nothing compresses."""
    if not place.exists():
        partial = _partial(place)
        source = random.Random(1)
        with open(partial / "big.bin", "wb") as file:
            for _ in range(megabytes):
                file.write(source.randbytes(MEGABYTE))
        partial.rename(place)
    return place


def small_files(place: Path, count: int, size_bytes: int) -> Path:
    """Return a folder with many small text files, a hundred in each subfolder."""
    if not place.exists():
        partial = _partial(place)
        source = random.Random(2)
        text = " ".join(f"{source.choice(_WORDS)}{source.randrange(10**6)}" for _ in range(40_000))
        raw = text.encode()
        for number in range(count):
            if number % 100 == 0:
                folder = partial / f"{number // 100:05d}"
                folder.mkdir()
            start = source.randrange(len(raw) - size_bytes)
            content = b"%d " % number + raw[start : start + size_bytes]
            (folder / f"{number % 100:02d}.txt").write_bytes(content[:size_bytes])
        partial.rename(place)
    return place


def csv_rows(count: int, changed: frozenset[int] | range = range(0)) -> Iterator[bytes]:
    """Yield lines of about 100 bytes; those whose numbers are in `changed` have other values."""
    for number in range(count):
        source = random.Random(number if number not in changed else -number - 1)
        yield (
            b"%d,%s,%d,%.6f,%.6f,%d,%s\n"
            % (
                number,
                _WORDS[source.randrange(len(_WORDS))].encode(),
                source.randrange(10**9),
                source.random(),
                source.random() * 1000,
                1_700_000_000 + source.randrange(10**8),
                b"%032x" % source.getrandbits(128),
            )
        )


def csv_file(place: Path, megabytes: int, changes: str = "none") -> Path:
    """Return a folder with one CSV; `changes` of 1 % of its rows: none, clustered or scattered."""
    if not place.exists():
        partial = _partial(place)
        count = megabytes * MEGABYTE // 108
        hundredth = count // 100
        changed: frozenset[int] | range = range(0)
        if changes == "clustered":
            changed = range(count // 2, count // 2 + hundredth)
        elif changes == "scattered":
            changed = frozenset(random.Random(3).sample(range(count), hundredth))
        with open(partial / "table.csv", "wb", buffering=MEGABYTE) as file:
            file.writelines(csv_rows(count, changed))
        partial.rename(place)
    return place


def _partial(place: Path) -> Path:
    partial = place.with_name(f"{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial
