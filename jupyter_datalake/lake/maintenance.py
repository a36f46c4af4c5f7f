"""Maintenance: verification, and what the lake holds."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_datalake import environment
from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine.backups import Backup, fill_from_backup, make_backup
from jupyter_datalake.engine.core import LakeCore, new_id
from jupyter_datalake.engine.gc import GarbageCollector
from jupyter_datalake.engine.healing import Healer
from jupyter_datalake.engine.rebuild import Rebuilder, RebuildReport
from jupyter_datalake.engine.usage import measure_usage
from jupyter_datalake.engine.verify import Verifier, VerifyPlan
from jupyter_datalake.errors import DatalakeError, InvalidInputError, StateError
from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.lake.default_lake import default_url
from jupyter_datalake.lake.mountpoints import Mountpoints
from jupyter_datalake.lake.opening import DATABASE, open_core, rebuilding
from jupyter_datalake.lake.remotes import open_remote
from jupyter_datalake.metadata.gc import COLLECTION_LEASE
from jupyter_datalake.model.gc import DAY_S, CollectionRun, Due, GcPolicy, GcReport, when_due
from jupyter_datalake.model.jobs import CONTROLLER_LEASE
from jupyter_datalake.model.usage import LakeUsage
from jupyter_datalake.model.verification import HealReport, VerifyReport, parse_subset
from jupyter_datalake.mount.doctor import Finding, Verdict, examine, examine_machine
from jupyter_datalake.pipelines.trial_records import sweep_trials
from jupyter_datalake.storage.file_systems import doubt_of_locks, file_system_of

if TYPE_CHECKING:
    from jupyter_datalake.storage.keys import KeyInfo, LakeKeys

_STAGES = 4
"""Garbage is found, removed from the database, its packs are retired and their objects deleted."""


@dataclass(frozen=True, slots=True)
class LakeStatus:
    """What a lake is and how much it holds."""

    lake_id: str
    url: str
    packs: int
    blobs: int
    stored_bytes: int
    live_jobs: int
    controller: str | None
    """Who runs the controller now; None when nobody does."""
    collector: str | None
    """Who collects garbage now; None when nobody does."""
    is_encrypted: bool
    """Whether stored objects are encrypted."""
    quota_bytes: int | None
    """The most that `stored_bytes` may be; None: whatever there is space for."""
    auto_gc_s: float | None
    """How often gc may run by itself; None: never."""


class Maintenance:
    """`lake.maintenance`: keeping the lake in good health."""

    def __init__(self, context: LakeContext) -> None:
        self._context = context

    def get_status(self) -> LakeStatus:
        """Return what the lake is and how much it holds; a few queries."""
        core = self._context.core
        with core.metadata.read() as tx:
            packs, blobs, stored = tx.blobs.totals()
            return LakeStatus(
                core.lake_id,
                core.url,
                packs,
                blobs,
                stored,
                tx.jobs.count_live(),
                tx.leases.holder(CONTROLLER_LEASE),
                tx.leases.holder(COLLECTION_LEASE),
                _keys_of(core) is not None,
                tx.blobs.room().quota_bytes,
                tx.gc.auto_every_s() or None,
            )

    def set_quota(self, quota_bytes: int | None) -> None:
        """Say how much the lake may store; None takes the quota away.

        What would store more is refused (``over-limit``), with everything staged still there.
        Trees and commits may go above it by a tenth and 16 MiB, so that files can be deleted. What
        counts is what `get_status` tells: packs as they are stored, also those with garbage in
        them. A lake that has more already only takes no more.

        Raises
        ------
        InvalidInputError
            The quota is negative, or more than 8 EiB.
        """
        if quota_bytes is not None and not 0 <= quota_bytes < 2**63:
            raise InvalidInputError(f"A quota of {quota_bytes} bytes is below 0 or above 8 EiB")
        with self._context.core.metadata.write() as tx:
            tx.blobs.set_quota(quota_bytes)

    def list_keys(self) -> Sequence[KeyInfo]:
        """Return what may be told of the data keys of an encrypted lake, oldest first.

        Raises
        ------
        StateError
            The lake is not encrypted.
        """
        keys = _keys(self._context.core)
        keys.reload()
        return keys.list()

    def rotate_key(self, *, to: str | None = None, data: bool = False) -> Sequence[KeyInfo]:
        """Lock an encrypted lake with another key, or begin a new data key for new objects.

        Nothing that is stored is written anew: the old key opens the lake no more, and old objects
        stay under their data keys until they are repacked. Processes that have the lake open go
        on; those that find a new data key they do not have need the new key, and say so.

        Parameters
        ----------
        to
            Where the new key is: ``file:<path>``, ``env:<variable>`` or ``keyring``; a random one
            is put there if there is none. None keeps the key.
        data
            Whether new objects get a new data key.

        Returns
        -------
        The data keys, oldest first.

        Raises
        ------
        StateError
            The lake is not encrypted.
        InvalidInputError
            Nothing is asked for, or the key at `to` is the lake's key already.
        ConflictError
            Another process rotated at the same time.
        """
        core = self._context.core
        keys = _keys(core)
        if to is None and not data:
            raise InvalidInputError(
                "Nothing to rotate", hint="Name the place of a new key, or ask for a new data key"
            )
        from jupyter_datalake.storage.keys import make_main_key  # noqa: PLC0415  # loads ciphers

        main = None if to is None else make_main_key(to, core.lake_id)
        if main is not None and main.id == keys.main_key_id:
            raise InvalidInputError(
                f"The key at {to} is the lake's key already",
                hint="Name another place; a new key is made there",
            )
        keys.rotate(main=main, data=data, now_ns=core.clock())
        return keys.list()

    def verify(
        self,
        repo: str | None = None,
        *,
        subset: str | None = None,
        bytes_per_s: float | None = None,
        resume: bool = False,
        on_progress: Callable[[VerifyReport], None] | None = None,
    ) -> VerifyReport:
        """Read and hash what is stored, and look whether it is all that commits need.

        Cost: every stored byte once, or of one repo every reachable one. Changes nothing.

        Parameters
        ----------
        repo
            One repo only; what its commits need is read where it is met.
        subset
            Of the bytes, read only a share by chance (``5%``) or one part of several
            (``2/20``); twenty of those are all. What commits need is looked for all the same.
        bytes_per_s
            Read no faster than this on average.
        resume
            Begin where a verification that was cut short had come to.

        Raises
        ------
        InvalidInputError
            The subset is none, or it is asked for of one repo.
        """
        if repo is not None and (subset is not None or resume):
            raise InvalidInputError(
                "A subset, or the rest, can be read of the whole lake, not of one repo",
                hint="Leave the repo out",
            )
        chosen = None if subset is None else parse_subset(subset, random.random())  # noqa: S311
        plan = VerifyPlan(chosen, bytes_per_s, resume)
        return Verifier(self._context.core, on_progress, plan).run(repo)

    def heal(
        self,
        remote: str | None = None,
        *,
        on_progress: Callable[[VerifyReport], None] | None = None,
    ) -> HealReport:
        """Store damaged and missing blobs anew, from copies in this lake and from a remote.

        Cost: everything is read at least twice, before and after.

        Parameters
        ----------
        remote
            Name of a remote that was pushed to, or pulled from; only this lake's own copies are
            used when None.

        Returns
        -------
        HealReport
            What was mended, and what stays wrong with the files it touches.

        Raises
        ------
        NotFoundError
            There is no such remote.
        """
        core = self._context.core
        if remote is None:
            return Healer(core, None, on_progress).run()
        with core.metadata.read() as tx:
            found = tx.remotes.get(remote)
        with open_remote(found) as other:
            return Healer(core, other, on_progress).run()

    def backup(self, target: str | Path) -> Backup:
        """Write a consistent copy of the lake's database into a new file.

        Taken while others go on writing, it holds everything of one moment; what it names is in
        the objects, which are never changed and have to be copied after it. It is a SQLite
        database whatever the lake's own is; docs/operating.md says how to go back to it.

        Cost: the database is read and written once. The copy is durable when this returns.

        Parameters
        ----------
        target
            A file that is not there.

        Raises
        ------
        AlreadyExistsError
            Something is there; it is left alone.
        StorageError
            The disk is full, or the database is damaged; nothing is left behind.
        """
        return make_backup(self._context.core, Path(target))

    def gc(
        self,
        policy: GcPolicy | None = None,
        *,
        dry_run: bool = False,
        only_if_due: bool = False,
        on_progress: Callable[[GcReport], None] | None = None,
    ) -> GcReport:
        """Remove what nobody needs; other processes may go on working meanwhile.

        Garbage goes in stages, and each waits for a run of its own: found, removed from the
        database, deleted. Where a time in `policy` is 0, the stages follow each other at once.

        Cost: every manifest of every commit is read, no content: about 10 µs per blob, and
        memory within ``policy.memory_bytes``, besides what is repacked.

        Parameters
        ----------
        policy
            How long things are kept that nobody needs, and when packs are written anew.
        dry_run
            Only tell what this run and those behind it would remove.
        only_if_due
            Do nothing, at the cost of a few counts, where it would not run by itself either; the
            `phase` of the report is ``not due`` then. See `set_auto_gc`.

        Raises
        ------
        ConflictError
            Another run is at work (``lease-held``), or this one was cancelled.
        CorruptDataError
            A manifest is damaged, so it is not known what is in use; nothing was removed.
        """
        chosen = policy or GcPolicy()
        if only_if_due:
            with self._context.core.metadata.read() as tx:
                if when_due(tx.gc.garbage(chosen), chosen, tx.now_ns) is Due.NO:
                    return GcReport(phase="not due")
        if not dry_run:
            sweep_trials(self._context.core)
        total = GcReport()
        for _ in range(_STAGES):
            owner = f"{environment.user_name()}@{socket.gethostname()} {new_id()[:8]}"
            collector = GarbageCollector(self._context.core, chosen, owner, on_progress)
            if dry_run:
                return collector.look()
            report = collector.run()
            total.add(report)
            is_due = (report.condemned_blobs and not chosen.grace_s) or (
                report.retired_packs and not chosen.reader_s
            )
            if not is_due:
                break
        return total

    def get_usage(self) -> LakeUsage:
        """Return what every repo takes: logical, stored, and what it shares with others.

        Cost: every manifest of every commit is read, as by `gc`, and the next time on this machine
        those of new commits, unless commits were removed. The logical size alone is part
        of `repos.get`, and the size of all packs of `get_status`, at no cost.
        """
        return measure_usage(self._context.core, memory_bytes=GcPolicy().memory_bytes)

    def set_auto_gc(self, every_s: float | None) -> None:
        """Say how often `gc` may run by itself; None: never.

        The lake's controller runs it, where it is worth it: an earlier run left something to be
        removed, retention has removed commits, deletions cannot be undone any more, or there are
        many small packs. It waits until nothing has happened for a minute, and makes way when
        something does; after seven times as long it runs all the same. Once a day by default.

        Raises
        ------
        InvalidInputError
            The time is below a minute, or above 100 years.
        """
        if every_s is not None and not 60 <= every_s <= 36_500 * DAY_S:
            raise InvalidInputError(
                f"gc cannot run by itself every {every_s} seconds",
                hint="Give at least a minute, or None for never",
            )
        with self._context.core.metadata.write() as tx:
            tx.gc.set_auto(int(every_s or 0))

    def cancel_gc(self) -> str | None:
        """End the run of `gc` that is at work, wherever that is.

        It notices within a few seconds, or when the pack is written that it is at. What it did
        stays done, and the next run goes on.

        Returns
        -------
        str or None
            Who ran it; None where nobody did.
        """
        with self._context.core.metadata.write() as tx:
            return tx.leases.revoke(COLLECTION_LEASE)

    def list_runs(self, *, limit: int = 20) -> Sequence[CollectionRun]:
        """Return what the last runs of `gc` did, newest first."""
        with self._context.core.metadata.read() as tx:
            return tx.gc.runs(limit)

    def get_doctor(self) -> Sequence[Finding]:
        """Return what this machine can do for the lake, and what stands in the way."""
        return _examine(self._context.core)

    @staticmethod
    def restore(source: str | Path, url: str | LakeConfig | None = None) -> Backup:
        """Go back to a backup of a lost database; see `restore_lake`."""
        return restore_lake(source, url)

    @staticmethod
    def rebuild(
        url: str | LakeConfig | None = None,
        *,
        on_progress: Callable[[RebuildReport], None] | None = None,
    ) -> RebuildReport:
        """Make the lost database of a lake anew; see `rebuild_lake`."""
        return rebuild_lake(url, on_progress=on_progress)


def _keys_of(core: LakeCore) -> LakeKeys | None:
    """Return the keys of a lake, None where it is not encrypted."""
    keys: LakeKeys | None = getattr(core.objects, "keys", None)
    return keys


def _keys(core: LakeCore) -> LakeKeys:
    keys = _keys_of(core)
    if keys is None:
        raise StateError(
            f"The lake {core.url} is not encrypted",
            hint="Make an encrypted one ('datalake init --encrypt') and push everything there",
        )
    return keys


def examine_lake(url: str | None = None) -> Sequence[Finding]:
    """Return what this machine can do for a lake, also for one that cannot be opened.

    Parameters
    ----------
    url
        A folder, as a path or a ``file://`` URL; the one of the environment when None.
    """
    config = LakeConfig(url or default_url())
    try:
        core = open_core(config)
    except DatalakeError as error:
        return [
            Finding("lake", Verdict.FAIL, error.message, error.hint or ""),
            *examine_machine(),
        ]
    try:
        return _examine(core)
    finally:
        core.metadata.close()
        core.objects.close()


def _examine(core: LakeCore) -> Sequence[Finding]:
    return [
        Finding("lake", Verdict.OK, f"{core.url} can be opened"),
        *_check_locks(core),
        _check_controller(core),
        *examine(core, at=Mountpoints(core).named(None)),
    ]


def _check_locks(core: LakeCore) -> Sequence[Finding]:
    """Look whether the file system of the database keeps locks; nothing for one elsewhere."""
    folder = core.work_folder.parent
    if not (folder / DATABASE).exists():
        return []
    doubt = doubt_of_locks(folder)
    if doubt is not None:
        return [Finding("locks", Verdict.WARN, *doubt)]
    found = file_system_of(folder)
    kind = "a file system of which nothing is known" if found is None else found.kind
    return [Finding("locks", Verdict.OK, f"{folder} is on {kind}")]


def _check_controller(core: LakeCore) -> Finding:
    """Look whether somebody runs the pipelines, if there is anything to run."""
    with core.metadata.read() as tx:
        holder = tx.leases.holder(CONTROLLER_LEASE)
        waiting = tx.jobs.count_live()
    if holder is not None:
        return Finding("controller", Verdict.OK, f"runs as {holder}")
    advice = "Start JupyterLab, or run: datalake controller run"
    if waiting:
        return Finding("controller", Verdict.WARN, f"none runs, and {waiting} jobs wait", advice)
    return Finding("controller", Verdict.OK, "none runs, and no job waits")


def restore_lake(source: str | Path, url: str | LakeConfig | None = None) -> Backup:
    """Fill the lost database of a lake with what a backup holds.

    What was committed after the backup is in the packs, and not seen: `rebuild_lake` finds that,
    but no tags, pipelines and jobs. Killed in the middle, it leaves the lake as it was.

    Parameters
    ----------
    source
        As `Maintenance.backup` wrote it, from a database of either kind.
    url
        As for `Lake.open`; the one of the environment when None.

    Raises
    ------
    NotFoundError
        There is no lake at this place.
    AlreadyExistsError
        The lake has its database; it is not touched.
    StorageError
        The backup cannot be read, or is one of another lake.
    """
    config = url if isinstance(url, LakeConfig) else LakeConfig(url or default_url())
    with rebuilding(config) as core:
        return fill_from_backup(core, Path(source).expanduser())


def rebuild_lake(
    url: str | LakeConfig | None = None,
    *,
    on_progress: Callable[[RebuildReport], None] | None = None,
) -> RebuildReport:
    """Make the lost database of a lake anew from its packs: repos, commits, branches.

    The lake cannot be open for this, so it is a function of where the lake is. Killed in the
    middle, it leaves the lake as it was, and may be run again.

    Parameters
    ----------
    url
        A folder, as a path or a ``file://`` URL; the one of the environment when None.

    Returns
    -------
    RebuildReport
        What was found, and what no pack says: tags, pipelines, jobs.

    Raises
    ------
    NotFoundError
        There is no lake at this place.
    AlreadyExistsError
        The lake has its database; it is not touched.
    ConflictError
        Another process is rebuilding it.
    """
    config = url if isinstance(url, LakeConfig) else LakeConfig(url or default_url())
    with rebuilding(config) as core:
        return Rebuilder(core, on_progress).run()
