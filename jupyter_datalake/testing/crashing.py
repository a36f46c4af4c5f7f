"""The crash harness: does a verb, kills the process that does it, and looks at what is left.

Usage::

    python -m jupyter_datalake.testing.crashing --runs 5000 --seed 1
    python -m jupyter_datalake.testing.crashing --stores s3-postgres --runs 500 --seed 1

Each run takes a lake with some history and one of `crash_verbs.VERBS`, and

1. in a child process, notes what the lake shows, copies the lake, and does the verb; SIGKILL ends
   the child at the nth step that changes a disk, a bucket or a database (``steps``), or whenever
   its parent pleases (``moments``), also in the middle of what SQLite does; or the child lives on,
   and from the nth step on its disk is full (``full``) or fails (``broken``) until the verb has
   given up;
2. in another child, opens the lake anew, reads everything, checks every invariant, and compares:
   what is there must be what was there before, or what the verb leads to in the copy; after an
   acknowledged verb only the latter;
3. does the verb again, which must work, and lead to the same;
4. goes on with the same lake, so that later kills meet what earlier ones left behind.

Processes are forked from one that has everything imported and no lake open, which makes a run cost
some 100 ms, and in S3 a second. The same seed gives the same runs; only moments differ, and in S3
the order in which threads of one process send.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import json
import logging
import os
import pickle
import re
import select
import shutil
import signal
import sqlite3
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from jupyter_datalake.errors import (
    ConflictError,
    CorruptDataError,
    DatalakeError,
    ErrorKind,
    FormatError,
    InternalError,
    StorageError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.metadata.migrating import HEAD
from jupyter_datalake.metadata.store import Clock
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.storage.base import origin_of
from jupyter_datalake.testing.crash_verbs import (
    BACKUP,
    LAKE,
    OTHER,
    VERBS,
    Arguments,
    Site,
    Verb,
    collect_at_once,
    populate,
    unmount_all,
)
from jupyter_datalake.testing.faults import CrashPoint, FailPoint, with_objects
from jupyter_datalake.testing.grounds import LOCAL, Ground
from jupyter_datalake.testing.invariants import check_lake
from jupyter_datalake.testing.lake_states import (
    Fact,
    Facts,
    Key,
    differs_from_after,
    differs_from_before,
    differs_from_both,
    observe,
)
from jupyter_datalake.testing.old_databases import dump, schema_of

ME = Author("Crash")
MODES = ("steps", "moments", "full", "broken")
_ERRORS = {"full": errno.ENOSPC, "broken": errno.EIO}
STORES = ("local-sqlite", "s3-sqlite", "s3-postgres")
POINTS = "COMMIT|_object|_upload|upload_part"
"""For `Plan.only`: requests that change a bucket, and commits of a database."""
TWIN = "twin"
RUNS_PER_LAKE = 60
"""A lake is replaced by a new one after so many runs, or its history would be all the work."""

_SHAPES: dict[str, Hashable] = {}
"""Of commits by id; children inherit it and tell what they add."""
_THOROUGH = 10
_LATE_LIBRARIES = frozenset({"alembic", "boto3", "botocore", "psycopg", "urllib3"})
_NEVER = 1 << 62
_LEASE_IS_OVER_NS = 3600 * 10**9
_PATIENCE_S = 60.0
_FRAME = struct.Struct("<I")
_SERIOUS = (CorruptDataError, FormatError, InternalError, StorageError)


@dataclass(slots=True)
class Tally:
    """What became of one verb."""

    runs: int = 0
    kills: int = 0
    """Runs in which the process was killed, or its disk failed, before the verb was done."""
    steps: set[int] = field(default_factory=set)
    """Numbers of the steps it was killed at."""
    kinds: Counter[str] = field(default_factory=Counter)
    """What those steps were."""
    passes: int = 0
    """How often a run found no step left to be killed at: every `Plan.stride` of them was."""
    undone: int = 0
    """Kills that left everything as it was."""
    losses: list[str] = field(default_factory=list)
    """What was wrong afterwards."""

    def add(self, other: Tally) -> None:
        """Count what another worker counted."""
        self.runs += other.runs
        self.kills += other.kills
        self.steps |= other.steps
        self.kinds += other.kinds
        self.passes += other.passes
        self.undone += other.undone
        self.losses += other.losses


Summary = dict[str, Tally]
"""Tallies by verb."""


# --- talking to children -------------------------------------------------------------------------


class Child:
    """A forked process that tells its parent what it does; ends without any clean-up."""

    def __init__(self, act: Callable[[Callable[..., None]], None]) -> None:
        self._read, write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._read)
            _live(act, write)
        os.close(write)
        self._buffer = b""

    def messages(self) -> Iterator[tuple[Any, ...]]:
        """Yield what it says until it is gone."""
        deadline = time.monotonic() + _PATIENCE_S
        while (found := self.next_message(deadline)) is not None:
            yield found
        if time.monotonic() > deadline:
            self.kill()
            yield ("hung",)
        os.waitpid(self.pid, 0)
        os.close(self._read)

    def next_message(self, deadline: float) -> tuple[Any, ...] | None:
        """Return what it says next, or None when it is gone or the deadline has passed."""
        while True:
            if len(self._buffer) >= _FRAME.size:
                (length,) = _FRAME.unpack_from(self._buffer)
                end = _FRAME.size + length
                if len(self._buffer) >= end:
                    body, self._buffer = self._buffer[_FRAME.size : end], self._buffer[end:]
                    message: tuple[Any, ...] = pickle.loads(body)  # noqa: S301  # our own child's
                    return message
            left = max(deadline - time.monotonic(), 0)
            if not select.select([self._read], [], [], left)[0]:
                return None
            data = os.read(self._read, 1 << 20)
            if not data:
                return None
            self._buffer += data

    def kill(self) -> None:
        """Kill it, as ``kill -9`` does."""
        os.kill(self.pid, signal.SIGKILL)


def _live(act: Callable[[Callable[..., None]], None], pipe: int) -> NoReturn:
    write = os.write  # the one that no crash point counts

    def tell(*message: object) -> None:
        body = pickle.dumps(message)
        data = _FRAME.pack(len(body)) + body
        while data:
            data = data[write(pipe, data) :]

    logging.disable()  # a migration tells where it keeps its copy, for one
    try:
        act(tell)
    except BaseException:  # noqa: BLE001  # told, and not ours to handle
        tell("failed", traceback.format_exc(limit=-6))
    os._exit(0)


# --- one run -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Run:
    """One verb, done once and killed."""

    verb: Verb
    seed: str
    at: int
    """The step to be killed at."""
    ground: Ground = LOCAL
    mode: str = "steps"
    only: str | None = None
    delay_s: float | None = None
    """When to be killed instead, after the verb began."""
    arguments: Arguments | None = None
    before: Facts = field(default_factory=dict)
    outcome: tuple[Any, ...] | None = None
    """``("done", value)``, ``("refused", kind)``; None when it was killed before."""
    died_at: str | None = None
    steps: int = 0
    took_s: float = 0.0
    problem: str | None = None
    is_undone: bool = False
    began: bool = False
    is_thorough: bool = False
    """Whether every invariant is checked, which takes longer than all the rest."""


@contextmanager
def opened(folder: Path, ground: Ground, clock: Clock = time.time_ns) -> Iterator[Site]:
    """Open the lake of a site."""
    with Lake.open(ground.config(folder / LAKE), author=ME, clock=clock) as lake:
        yield Site(lake, folder, ground)


def observe_site(site: Site) -> dict[Key, Fact]:
    """Return what a site's lake shows, and the other one beside it."""
    facts = observe(site.lake, _SHAPES)
    backup = site.folder / BACKUP
    if backup.exists():
        with closing(sqlite3.connect(backup)) as connection:
            answer = connection.execute("PRAGMA integrity_check").fetchone()
        facts["backup",] = Fact(answer, answer)
    if not site.ground.holds(site.other):
        return facts
    database = site.ground.database(site.other)
    if database is not None and schema_of(database) != HEAD:
        held = digest_of("".join(dump(database)).encode()).hex()
        facts["other",] = Fact((schema_of(database), held), schema_of(database))
        return facts
    try:
        with Lake.open(site.other_config(), author=ME) as lake:
            facts |= {("other", *key): fact for key, fact in observe(lake, _SHAPES).items()}
            _check(lake, is_thorough=False)
        facts["other",] = Fact("lake", "lake")
    except DatalakeError as error:
        if error.kind is not ErrorKind.DATABASE_UNAVAILABLE or database is not None:
            raise
        facts["other",] = Fact("no database", "no database")
    return facts


def _do(run: Run, site: Site) -> tuple[Any, ...]:
    assert run.arguments is not None
    try:
        return ("done", run.verb.act(site, *run.arguments))
    except DatalakeError as error:
        if isinstance(error, _SERIOUS):
            raise
        return ("refused", str(error.kind))


def _do_or_fail(run: Run, site: Site, point: FailPoint) -> tuple[Any, ...] | None:
    """Do the verb on a disk that fails; None where it said so, as it must."""
    try:
        outcome = _do(run, site)
    except StorageError as error:
        if point.failed_at is None:
            raise
        if run.mode == "full" and error.kind is not ErrorKind.STORAGE_FULL:
            raise AssertionError(f"a full disk is told as {error.kind}") from error
        outcome = None
    point.at = _NEVER
    return outcome


def _picked(run: Run, site: Site) -> Arguments | None:
    """Return what to do the verb to; None where what others left is in the way."""
    try:
        return run.verb.pick(site, Random(run.seed))  # noqa: S311  # repeatable, not secret
    except DatalakeError as error:
        if isinstance(error, _SERIOUS):
            raise
        return None


def _begin(run: Run, folder: Path, tell: Callable[..., None]) -> None:
    """In a child: do the verb, and die at the step."""
    run.ground.remove(folder / OTHER)
    with opened(folder, run.ground) as site:
        unmount_all(site)
        arguments = _picked(run, site)
        if arguments is None:
            return
        run.arguments = arguments
        tell("before", arguments, observe_site(site))
    run.ground.copy_site(folder, folder.parent / TWIN, (LAKE, OTHER))
    with opened(folder, run.ground) as site:
        point = CrashPoint(
            run.at,
            last_words=lambda step: tell("dies", step),
            only=re.compile(run.only) if run.only else None,
        )
        if run.mode in _ERRORS:
            point = FailPoint(run.at, error=_ERRORS[run.mode])
        watched = replace(site, lake=Lake(with_objects(site.lake.core, site.lake.core.objects), ME))
        if run.delay_s is None:
            run.ground.watch(point, folder)
        tell("begins")
        began = time.perf_counter()
        if isinstance(point, FailPoint):
            outcome = _do_or_fail(run, watched, point)
        else:
            outcome = _do(run, watched)
        tell("ends", outcome, len(point.steps), time.perf_counter() - began)
        point.at = _NEVER
        if isinstance(point, FailPoint) and point.failed_at is not None:
            tell("failed at", point.failed_at)


def _judge(run: Run, folder: Path, tell: Callable[..., None]) -> None:
    """In another child: look at what is left, and do the verb again."""
    known = len(_SHAPES)
    with opened(folder, run.ground) as site:
        found = observe_site(site)
        _check(site.lake, is_thorough=run.is_thorough)
        is_undone = differs_from_before(found, run.before) is None
        if run.outcome is None and is_undone and not run.is_thorough:
            _do(run, site)
        else:
            _judge_by_copy(run, site, found, is_undone=is_undone)
        for info in site.lake.sessions.list():
            is_leftover = ("session", info.id) not in run.before
            if is_leftover and not run.verb.name.startswith("session"):
                site.lake.sessions.delete(info.id)
    if run.is_thorough:
        _check_leftovers(folder, run.ground)
    tell("judged", is_undone, dict([*_SHAPES.items()][known:]))


def _judge_by_copy(run: Run, site: Site, found: Facts, *, is_undone: bool) -> None:
    """Compare with a copy of the lake in which the verb is done; do it again and compare again."""
    with opened(site.folder.parent / TWIN, run.ground) as twin:
        outcome = _do(run, twin)
        after = observe_site(twin)
    _compare(run, found, after, outcome)
    again = _do(run, site)
    if is_undone and run.verb.is_atomic:
        assert again[0] == outcome[0], f"done again, it is {again}, not {outcome}"
        wrong = differs_from_after(observe_site(site), run.before, after)
        assert wrong is None, f"done again, {wrong}"


def _check_leftovers(folder: Path, ground: Ground) -> None:
    """Check that gc takes away what kills left, and nothing else."""
    if ground.holds(folder / OTHER):
        with Lake.open(ground.config(folder / OTHER), author=ME) as other:
            _check_store(other, ground, folder / OTHER)
    with opened(folder, ground) as site:
        try:
            _collect_and_check(site)
            return
        except ConflictError:  # a run that was killed holds its lease for a while
            pass
    twin = folder.parent / TWIN
    ground.copy_site(folder, twin, (LAKE,))
    later_ns = time.time_ns() + _LEASE_IS_OVER_NS
    with opened(twin, ground, lambda: later_ns) as site:
        _collect_and_check(site)


def _collect_and_check(site: Site) -> None:
    before = observe_site(site)
    collect_at_once(site)
    changed = differs_from_before(observe_site(site), before)
    assert changed is None, f"gc changed {changed}"
    report = site.lake.maintenance.verify()
    assert report.is_clean, [f"{one.thing}: {one.message}" for one in report.findings]
    assert report.unknown_packs == 0, f"gc left {report.unknown_packs} packs that nobody knows"
    _check_store(site.lake, site.ground, site.home)


def _check_store(lake: Lake, ground: Ground, folder: Path) -> None:
    left = ground.leftovers(folder, origin_of(lake.core.objects))
    assert not left, f"nobody will ever remove {left}"


def _check(lake: Lake, *, is_thorough: bool) -> None:
    """Check that every byte and every ref is right; thoroughly, every invariant there is."""
    if is_thorough:
        check_lake(lake)
        return
    report = lake.maintenance.verify()
    assert report.is_clean, [f"{one.thing}: {one.message}" for one in report.findings]


def _compare(run: Run, found: Facts, after: Facts, outcome: tuple[Any, ...]) -> None:
    """Raise `AssertionError` if what was found is not what must be."""
    if run.outcome is None:
        wrong = differs_from_both(found, run.before, after, is_atomic=run.verb.is_atomic)
    else:
        assert run.outcome[0] == outcome[0], f"{run.outcome} here and {outcome} in the copy"
        wrong = differs_from_after(found, run.before, after)
        value = run.outcome[1]
        if wrong is None and run.outcome[0] == "done" and isinstance(value, str):
            heads = {fact.exact for key, fact in found.items() if key[0] == "ref"}
            wrong = None if value in heads else f"commit {value} was acknowledged and is no head"
    assert wrong is None, wrong


def perform(run: Run, folder: Path) -> None:
    """Do one run in a site's folder, and note in it what became of it."""
    child = Child(lambda tell: _begin(run, folder, tell))
    for message in child.messages():
        _note(run, message)
        if message[0] == "begins" and run.delay_s is not None:
            _kill_at(child, time.monotonic() + run.delay_s, run)
    if run.problem is None and run.began:
        judge = Child(lambda tell: _judge(run, folder, tell))
        said = list(judge.messages())
        for message in said:
            _note(run, message)
        if not said:
            run.problem = "nobody could say what is left"
    (folder / BACKUP).unlink(missing_ok=True)


def _kill_at(child: Child, moment: float, run: Run) -> None:
    while (message := child.next_message(moment)) is not None:
        _note(run, message)
    child.kill()
    if run.outcome is None:
        run.died_at = "any moment"


def _note(run: Run, message: tuple[Any, ...]) -> None:
    kind, *values = message
    match kind:
        case "before":
            run.arguments, run.before = values
        case "begins":
            run.began = True
        case "dies":
            (run.died_at,) = values
        case "ends":
            run.outcome, run.steps, run.took_s = values
            run.died_at = None
        case "failed at":
            (run.died_at,) = values
        case "judged":
            run.is_undone, shapes = values
            _SHAPES.update(shapes)
        case "failed":
            (run.problem,) = values
        case "hung":
            run.problem = f"it went on for more than {_PATIENCE_S} s"


# --- many runs -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """Which kills there are to be."""

    seed: int = 1
    mode: str = "steps"
    """``steps``: at steps that change a disk or a database. ``moments``: whenever. ``full`` and
    ``broken``: no kill, but a disk that is full, or fails, from a step on."""
    stride: int = 1
    """Every so many steps of a verb are tried; in a second pass others."""
    first_step: int = 1
    only: str | None = None
    """A regular expression that is found in the names of the steps that count; all by default."""


class Worker:
    """Does runs one after the other, in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        verbs: Sequence[Verb],
        *,
        number: int,
        of: int,
        ground: Ground,
    ) -> None:
        self.summary: Summary = {verb.name: Tally() for verb in verbs}
        self._folder = folder / str(number)
        self._plan, self._verbs, self._number, self._ground = plan, verbs, number, ground
        self._stride = of * plan.stride
        self._next_step = {verb.name: plan.first_step + number for verb in verbs}
        self._took_s: dict[str, float] = {}

    def work(self, runs: int) -> None:
        """Do so many runs, of each verb in turn."""
        done = tried = 0
        while done < runs and tried < 4 * runs + 100:
            if tried % RUNS_PER_LAKE == 0:
                self._new_lake(tried)
            verb = self._verbs[tried % len(self._verbs)]
            run = self._next_run(verb, tried)
            run.is_thorough = tried % _THOROUGH == 0
            tried += 1
            perform(run, self._folder / LAKE)
            if run.began or run.problem:
                done += 1
                self._count(run)

    def _next_run(self, verb: Verb, number: int) -> Run:
        seed = f"{self._plan.seed} {self._number} {number} {verb.name}"
        if self._plan.mode != "moments":
            step, plan = self._next_step[verb.name], self._plan
            return Run(verb, seed, step, self._ground, plan.mode, plan.only)
        chance = Random(f"{seed} when")  # noqa: S311  # repeatable, not secret
        took_s = self._took_s.get(verb.name)  # the first is left alone, to see how long it takes
        delay_s = _PATIENCE_S if took_s is None else chance.uniform(0, 1.1 * took_s)
        return Run(verb, seed, _NEVER, self._ground, self._plan.mode, delay_s=delay_s)

    def _count(self, run: Run) -> None:
        tally = self.summary[run.verb.name]
        tally.runs += 1
        if run.died_at is not None:
            tally.kills += 1
            tally.kinds[run.died_at.replace(str(self._folder), "")] += 1
            tally.undone += run.is_undone
            if run.delay_s is None:
                tally.steps.add(run.at)
                self._next_step[run.verb.name] += self._stride
        elif run.outcome is not None:
            # It has no step of that number: begin again, on what is another lake by now, and
            # between the steps of the last pass where there is room.
            tally.passes += 1
            ahead = tally.passes + self._number
            self._next_step[run.verb.name] = 1 + ahead % self._stride
            before_s = self._took_s.get(run.verb.name, run.took_s)
            self._took_s[run.verb.name] = 0.8 * before_s + 0.2 * run.took_s
        if run.problem is not None:
            kept = self._folder.parent / f"loss-{self._number}-{tally.runs}-{run.verb.name}"
            shutil.copytree(self._folder, kept, dirs_exist_ok=True)
            tally.losses.append(
                f"{run.verb.name}{run.arguments} killed at step {run.at} ({run.died_at},"
                f" {run.outcome}), seed {run.seed!r}, kept in {kept}:\n{run.problem}"
            )
            self._new_lake(tally.runs + 1_000_000)

    def _new_lake(self, number: int) -> None:
        _SHAPES.clear()
        shutil.rmtree(self._folder, ignore_errors=True)
        site, ground = self._folder / LAKE, self._ground
        site.mkdir(parents=True)

        def make(tell: Callable[..., None]) -> None:
            for one in (site, self._folder / TWIN):
                for name in (LAKE, OTHER):
                    ground.remove(one / name)
            ground.make_room(site / LAKE)
            with Lake.create(ground.config(site / LAKE), author=ME) as lake:
                chance = Random(f"{self._plan.seed} {self._number} {number}")  # noqa: S311  # as above
                populate(Site(lake, site, ground), chance)
            tell("made")

        said = list(Child(make).messages())
        if said != [("made",)]:
            raise AssertionError(f"no lake could be made to begin with: {said}")


def warm_up(ground: Ground) -> None:
    """Import what children would import otherwise, each for itself."""
    folder = Path(tempfile.mkdtemp(prefix="crash-"))

    def make(tell: Callable[..., None]) -> None:
        ground.make_room(folder / LAKE)
        Lake.create(ground.config(folder / LAKE), author=ME).close()
        ground.remove(folder / LAKE)
        loaded = [name for name in sys.modules if name.partition(".")[0] in _LATE_LIBRARIES]
        tell("made", loaded)

    ground.prepare()
    for said, names in Child(make).messages():
        if said != "made":
            raise AssertionError(names)
        for name in names:
            importlib.import_module(name)
    shutil.rmtree(folder)


def crash(
    runs: int,
    plan: Plan | None = None,
    *,
    verbs: Sequence[Verb] = VERBS,
    workers: int = 1,
    folder: Path | None = None,
    ground: Ground | None = None,
) -> Summary:
    """Kill verbs, and tell what became of them.

    Parameters
    ----------
    runs
        How many processes to kill.
    plan
        When to kill them; at every step in turn by default.
    workers
        How many lakes to work on at once.
    folder
        Where lakes are made; in memory (``/dev/shm``) by default, which a kill is no less hard to.
    ground
        What lakes are made of; of files with SQLite by default.
    """
    chosen, where_lakes_are = plan or Plan(), ground or LOCAL
    if chosen.mode in _ERRORS and not where_lakes_are.can_fail:
        raise ValueError(f"the mode {chosen.mode} is one of lakes on a local disk")
    verbs = [verb for verb in verbs if where_lakes_are.has_sqlite or not verb.needs_sqlite]
    warm_up(where_lakes_are)
    shared = Path("/dev/shm")  # noqa: S108  # a folder with a random name is made there
    where = folder or (shared if os.access(shared, os.W_OK) else None)
    place = Path(tempfile.mkdtemp(prefix="crash-", dir=where))
    total: Summary = {verb.name: Tally() for verb in verbs}

    def work(number: int, tell: Callable[..., None]) -> None:
        worker = Worker(place, chosen, verbs, number=number, of=workers, ground=where_lakes_are)
        share = runs // workers + (number < runs % workers)
        worker.work(share)
        tell(worker.summary)

    children = [Child(partial(work, number)) for number in range(workers)]
    for child in children:
        while (message := child.next_message(time.monotonic() + 3600 * 24)) is not None:
            if message[0] == "failed":
                raise AssertionError(message[1])
            for name, tally in message[0].items():
                total[name].add(tally)
        os.waitpid(child.pid, 0)
    if not any(tally.losses for tally in total.values()):
        shutil.rmtree(place)
    return total


def table(summary: Summary) -> str:
    """Return a summary as a table in Markdown."""
    lines = [
        "| verb | runs | kills | steps killed at | kinds of step | nothing of it there | losses |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    whole = Tally()
    for name, tally in sorted(summary.items()):
        lines.append(_line(f"`{name}`", tally, len(tally.steps)))
        whole.add(tally)
    steps = sum(len(tally.steps) for tally in summary.values())
    return "\n".join([*lines, _line("all", whole, steps)])


def _line(name: str, tally: Tally, steps: int) -> str:
    return (
        f"| {name} | {tally.runs:,} | {tally.kills:,} | {steps:,} | {len(tally.kinds):,}"
        f" | {tally.undone:,} | {len(tally.losses):,} |"
    )


def as_json(summary: Mapping[str, Tally]) -> dict[str, Any]:
    """Return a summary as plain values."""
    return {
        name: {
            "runs": tally.runs,
            "kills": tally.kills,
            "steps": sorted(tally.steps),
            "passes": tally.passes,
            "kinds": dict(tally.kinds),
            "undone": tally.undone,
            "losses": tally.losses,
        }
        for name, tally in summary.items()
    }


def ground_of(stores: str) -> AbstractContextManager[Ground]:
    """Return a block in which lakes can be made of one of `STORES`; servers run as long."""
    if stores == STORES[0]:
        return nullcontext(LOCAL)
    from jupyter_datalake.testing.s3_grounds import s3_ground  # noqa: PLC0415  # optional packages

    return s3_ground(with_postgres=stores == STORES[2])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the harness from a command line; return 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="crashing", description="Kill verbs and look.")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", choices=MODES, default="steps")
    parser.add_argument(
        "--stores", choices=STORES, default=STORES[0], help="what lakes are made of"
    )
    parser.add_argument("--stride", type=int, default=1, help="try every so many steps")
    parser.add_argument("--only", help="a regular expression: what kinds of step count")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--verbs", help="names, joined by commas; all by default")
    parser.add_argument("--folder", type=Path, help="where lakes are made; memory by default")
    parser.add_argument("--json", type=Path, help="a file to write the summary to")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    wanted = options.verbs.split(",") if options.verbs else [verb.name for verb in VERBS]
    with ground_of(options.stores) as ground:
        summary = crash(
            options.runs,
            Plan(options.seed, options.mode, options.stride, only=options.only),
            verbs=[verb for verb in VERBS if verb.name in wanted],
            workers=options.workers,
            folder=options.folder,
            ground=ground,
        )
    took = time.monotonic() - began
    runs = sum(tally.runs for tally in summary.values())
    print(table(summary))  # noqa: T201  # a program
    how = f"seed {options.seed}, {options.stores}, {options.mode}"
    print(f"\n{how}: {took:.0f} s, {runs / took:.1f} runs/s")  # noqa: T201
    passed = [name for name, tally in summary.items() if tally.passes]
    print(f"killed at each of these steps, to the last: {len(passed)} of {len(summary)} verbs")  # noqa: T201
    losses = [loss for tally in summary.values() for loss in tally.losses]
    for loss in losses:
        print(f"\nLOST: {loss}", file=sys.stderr)  # noqa: T201
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(summary), indent=1) + "\n")
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main())
