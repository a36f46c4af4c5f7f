"""What a power cut can leave of a disk: states made from the log of what was done to it.

Certain is only what a sync ordered: the bytes of a file that was synced, the names of a folder that
was synced. All the rest may be there, or not, or in part: a write without its neighbour, a name
whose file is empty, a file whose name is not there, a removal that never was.

Usage::

    python -m jupyter_datalake.testing.power_loss --acts 60 --states 2000 --seed 1

does a seeded series of verbs on a lake on a `recording_disk`, cuts the power at random moments in
every way of `Loss`, and opens the lake on each state: it must show what it had acknowledged, or
that and the act under way, and nothing else.
"""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from random import Random

from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StateError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.crash_verbs import LAKE, VERBS, Site, Verb, populate
from jupyter_datalake.testing.crashing import ME, observe_site
from jupyter_datalake.testing.grounds import LocalGround
from jupyter_datalake.testing.lake_states import Facts, differs_from_both
from jupyter_datalake.testing.recording_disk import MARKS, ROOT, Act, recorded_disk

_PAGE = 4096
_REFUSALS = (AlreadyExistsError, ConflictError, InvalidInputError, NotFoundError, StateError)
_PREPARING = b"preparing"
_WITHOUT = frozenset(
    {"init", "maintenance.backup", "maintenance.rebuild", "migrate", "remotes.pull", "remotes.push"}
)
"""Verbs for a second lake, whose folder is made and removed around them without a sync."""


class Loss(StrEnum):
    """How much of what was not synced is there after a power cut."""

    ALL = "nothing that was not synced is there"
    DATA = "all names are there, and of their files only what was synced"
    NAMES = "all bytes are there, and of the names only those that were synced"
    ORDERED = "names up to a moment, and of the bytes behind it some pages"
    WILD = "of names and pages any"
    NONE = "everything is there, as after a kill"


@dataclass(slots=True)
class _File:
    mode: int
    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes since (offset, data), and changes of the size (size, None)."""


@dataclass(slots=True)
class _Folder:
    synced: dict[bytes, int] = field(default_factory=dict)
    pending: list[tuple[int, tuple[tuple[bytes, int | None], ...]]] = field(default_factory=list)
    """Since then: number of the act, and names with what they mean now, which belong together."""


class DiskModel:
    """What is certain and what is not, at one moment of a log."""

    def __init__(self) -> None:
        self._files: dict[int, _File] = {}
        self._folders: dict[int, _Folder] = {ROOT: _Folder()}
        self._number = 0

    def apply(self, act: Act) -> None:
        """Go on by one line of the log."""
        self._number += 1
        match act:
            case ("make", inode, mode):
                if stat.S_ISDIR(mode):
                    self._folders[inode] = _Folder()
                else:
                    self._files[inode] = _File(mode)
            case ("name", folder, name, inode):
                self._rename(folder, (name, inode))
            case ("rename", old, old_name, new, new_name, inode) if old == new:
                self._rename(old, (old_name, None), (new_name, inode))
            case ("rename", old, old_name, new, new_name, inode):
                self._rename(new, (new_name, inode))
                self._rename(old, (old_name, None))
            case ("write", inode, offset, data):
                self._files[inode].pending.append((offset, data))
            case ("size", inode, size):
                self._files[inode].pending.append((size, None))
            case ("sync", inode):
                self._sync(inode)

    def build(self, folder: Path, loss: Loss, chance: Random) -> None:
        """Make the files of a state that a power cut at this moment could leave."""
        moment = chance.randrange(self._number + 1)
        files: dict[int, Path] = {}
        waiting = [(ROOT, folder)]
        while waiting:
            inode, place = waiting.pop()
            place.mkdir(exist_ok=True)
            for name, found in self._names(self._folders[inode], loss, moment, chance).items():
                below = place / os.fsdecode(name)
                if found in self._folders:
                    waiting.append((found, below))
                elif found in files:
                    os.link(files[found], below)
                else:
                    self._write(below, self._files[found], loss, chance)
                    files[found] = below

    def _rename(self, folder: int, *names: tuple[bytes, int | None]) -> None:
        self._folders[folder].pending.append((self._number, names))

    def _sync(self, inode: int) -> None:
        if inode in self._folders:
            folder = self._folders[inode]
            for _, names in folder.pending:
                _name(folder.synced, names)
            folder.pending.clear()
        else:
            file = self._files[inode]
            for change in file.pending:
                _change(file.synced, *change)
            file.pending.clear()

    def _names(self, folder: _Folder, loss: Loss, moment: int, chance: Random) -> dict[bytes, int]:
        found = dict(folder.synced)
        for number, names in folder.pending:
            match loss:
                case Loss.ALL | Loss.NAMES:
                    is_there = False
                case Loss.DATA | Loss.NONE:
                    is_there = True
                case Loss.ORDERED:
                    is_there = number <= moment
                case Loss.WILD:
                    is_there = chance.random() < 0.5
            if is_there:
                _name(found, names)
        return found

    def _write(self, place: Path, file: _File, loss: Loss, chance: Random) -> None:
        data = bytearray(file.synced)
        match loss:
            case Loss.ALL | Loss.DATA:
                changes: list[tuple[int, bytes | None]] = []
            case Loss.NAMES | Loss.NONE:
                changes = file.pending
            case Loss.ORDERED | Loss.WILD:
                changes = _some(file.pending, len(data), chance)
        for change in changes:
            _change(data, *change)
        if stat.S_ISLNK(file.mode):
            place.symlink_to(os.fsdecode(bytes(data)) or "lost")
        else:
            place.write_bytes(data)
            place.chmod(stat.S_IMODE(file.mode))


def _name(names: dict[bytes, int], changes: Sequence[tuple[bytes, int | None]]) -> None:
    for name, inode in changes:
        if inode is None:
            names.pop(name, None)
        else:
            names[name] = inode


def _change(data: bytearray, place: int, written: bytes | None) -> None:
    if written is None:
        del data[place:]
        data.extend(bytes(place - len(data)))
        return
    if place > len(data):
        data.extend(bytes(place - len(data)))
    data[place : place + len(written)] = written


def _some(
    pending: Sequence[tuple[int, bytes | None]], synced_size: int, chance: Random
) -> list[tuple[int, bytes | None]]:
    """Return some of the changes, in order.

    In half of the cases those up to one of them, the last of which is cut; else every page is as it
    was at a moment of its own. A file that grew may have its new size all the same, with zeros
    where nothing came.
    """
    some: list[tuple[int, bytes | None]] = []
    if pending and chance.random() < 0.3:
        end = max(place + len(data or b"") for place, data in pending)
        some.append((max(end, synced_size), None))
    if chance.random() < 0.5:
        some += pending[: chance.randrange(len(pending) + 1)]
        if some and some[-1][1]:
            place, data = some[-1]
            some[-1] = place, (data or b"")[: chance.randrange(len(data or b"") + 1)]
        return some
    kept = pending if chance.random() < 0.5 else pending[: chance.randrange(len(pending) + 1)]
    written_at = {
        place // _PAGE: chance.randrange(len(kept) + 1)
        for begin, data in kept
        if data is not None
        for place, _ in _pages(begin, data)
    }
    for number, (place, data) in enumerate(kept):
        if data is None:
            some.append((place, None))
            continue
        some += [piece for piece in _pages(place, data) if number < written_at[piece[0] // _PAGE]]
    return some


def _pages(place: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    begin = 0
    while begin < len(data):
        end = min(len(data), begin + _PAGE - (place + begin) % _PAGE)
        yield place + begin, data[begin:end]
        begin = end


# --- lakes on such disks -------------------------------------------------------------------------


@dataclass(slots=True)
class Recording:
    """A series of acts on a lake: what was done to the disk, and what the lake showed between."""

    log: Sequence[Act]
    place: Path
    """Where the disk was; a lake knows where its sessions are kept, so its states are looked at in
    the same place."""
    facts: Sequence[Facts]
    """What the lake showed when mark number n was made."""
    verbs: Sequence[Verb | None]
    """What was done to get there; None for what all began with."""


def record(folder: Path, acts: int, seed: int, verbs: Sequence[Verb] = VERBS) -> Recording:
    """Do a seeded series of acts on a new lake on a recorded disk.

    Raises
    ------
    OSError
        This machine cannot mount FUSE file systems.
    """
    chance = Random(seed)  # noqa: S311  # repeatable, not secret
    chosen = [verb for verb in verbs if verb.name not in _WITHOUT]
    facts: list[Facts] = []
    done: list[Verb | None] = []
    with recorded_disk(folder / "disk") as disk:
        place = disk.folder
        with Lake.create(LocalGround().config(place / LAKE), author=ME) as lake:
            # What verbs need beside the lake is not recorded.
            site = Site(lake, folder, place=place / LAKE)
            populate(site, chance)
            facts.append(observe_site(site))
            done.append(None)
            disk.mark("0")
            while len(done) <= 2 * acts:
                verb = chance.choice(chosen)
                disk.mark(_PREPARING)
                try:
                    arguments = verb.pick(site, chance)
                except _REFUSALS:
                    arguments = None  # what others left is in the way
                facts.append(observe_site(site))
                done.append(None)
                disk.mark(str(len(done) - 1))
                if arguments is None:
                    continue
                with suppress(*_REFUSALS):  # refused, so nothing may change
                    verb.act(site, *arguments)
                facts.append(observe_site(site))
                done.append(verb)
                disk.mark(str(len(done) - 1))
    return Recording(disk.log, disk.folder, facts, done)


@dataclass(slots=True)
class LossReport:
    """What became of a lake in all the states."""

    states: Counter[str] = field(default_factory=Counter)
    """How many of each kind of loss were looked at."""
    undone: int = 0
    """States without the act that was under way."""
    losses: list[str] = field(default_factory=list)


def examine(
    recording: Recording, folder: Path, states: int, seed: int, report: LossReport | None = None
) -> LossReport:
    """Cut the power so many times, and look at the lake each time.

    States in which something is lost stay below `folder`.
    """
    report = report or LossReport()
    chance = Random(f"{seed} cuts")  # noqa: S311  # repeatable, not secret
    log = recording.log
    places = _places_to_cut(log)
    cuts = sorted(chance.choice(places) for _ in range(states))
    disk, number, acknowledged = DiskModel(), 0, -1
    kinds = list(Loss)
    for count, cut in enumerate(cuts):
        for act in log[number:cut]:
            disk.apply(act)
            acknowledged += act[0] == "mark" and act[1] != _PREPARING
        number = cut
        loss = kinds[count % len(kinds)]
        place = recording.place
        shutil.rmtree(place, ignore_errors=True)
        disk.build(place, loss, chance)
        (place / MARKS).unlink(missing_ok=True)
        wrong = _look(recording, place, acknowledged, report)
        report.states[loss] += 1
        if wrong is None:
            continue
        kept = folder / f"state-{seed}-{count}"
        shutil.copytree(place, kept, symlinks=True)
        following = recording.verbs[min(acknowledged + 1, len(recording.verbs) - 1)]
        report.losses.append(
            f"power cut at act {cut} of {len(log)}, {loss.value}; {acknowledged} verbs"
            f" acknowledged, then {following.name if following else None};"
            f" kept in {kept}:\n{wrong}"
        )
    return report


def _places_to_cut(log: Sequence[Act]) -> list[int]:
    """Return the places of a log where one verb was under way, or none."""
    places = []
    is_preparing = True
    for number, act in enumerate(log, 1):
        if act[0] == "mark":
            is_preparing = act[1] == _PREPARING
        if not is_preparing:
            places.append(number)
    return places


def _look(recording: Recording, place: Path, acknowledged: int, report: LossReport) -> str | None:
    """Open the lake of a state and return what is wrong with it."""
    before = recording.facts[acknowledged]
    following = min(acknowledged + 1, len(recording.facts) - 1)
    after, verb = recording.facts[following], recording.verbs[following]
    try:
        with Lake.open(LocalGround().config(place / LAKE), author=ME) as lake:
            found = observe_site(Site(lake, place))
            verified = lake.maintenance.verify()
            if not verified.is_clean:
                return str(verified.findings[:3])
            report.undone += found == before
            lake.repos.create("after-the-cut")
            lake.files.put("after-the-cut@main/x", b"life goes on")
    except Exception:  # noqa: BLE001  # whatever it is, it is what we look for
        return traceback.format_exc(limit=-5)
    is_atomic = verb is None or verb.is_atomic
    return differs_from_both(found, before, after, is_atomic=is_atomic)


def main(arguments: Sequence[str] | None = None) -> int:
    """Record and examine from a command line; return 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="power_loss", description="Cut the power and look.")
    parser.add_argument("--acts", type=int, default=60, help="verbs in a series")
    parser.add_argument("--states", type=int, default=2000, help="states to look at")
    parser.add_argument("--series", type=int, default=5, help="how many series to share them among")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    place = Path(tempfile.mkdtemp(prefix="power-", dir="/dev/shm"))
    began = time.monotonic()
    report = LossReport()
    acts = 0
    for series in range(options.series):
        seed = 1000 * options.seed + series
        recording = record(place / f"series-{series}", options.acts, seed)
        acts += len(recording.log)
        examine(recording, place, options.states // options.series, seed, report)
    lines = ["| what is lost | states |", "|---|---:|"]
    lines += [f"| {kind} | {count:,} |" for kind, count in sorted(report.states.items())]
    print("\n".join(lines))  # noqa: T201  # a program
    print(  # noqa: T201
        f"\nseed {options.seed}: {acts:,} acts on the disk, {report.states.total():,} states,"
        f" {report.undone:,} without the act under way, {len(report.losses)} losses,"
        f" {time.monotonic() - began:.0f} s"
    )
    for loss in report.losses:
        print(f"\nLOST: {loss}", file=sys.stderr)  # noqa: T201
    if not report.losses:
        shutil.rmtree(place)
    return 1 if report.losses else 0


if __name__ == "__main__":
    sys.exit(main())
