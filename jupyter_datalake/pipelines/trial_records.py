"""Records of trials: what is known of each, in a file of this machine's, as long as it is kept.

What a trial makes is held by a lease of its own: while it runs, and for a day behind its end. The
file and all else that it left goes when the lease has run out, so that nothing stays behind of a
process that was killed.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.errors import ErrorKind, InvalidInputError, NotFoundError
from jupyter_datalake.jobs.workspace import job_folder
from jupyter_datalake.metadata.pins import job_owner
from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.trials import TRIAL_LEASE, Trial, TrialState, parse_trial

FOLDER = "trials"
KEEP_S = 24 * 3600.0
"""How long what a trial made is kept behind its end."""
KEPT = 50
"""So many trials that have ended are kept, the newest."""

_ENDING = ".json"
_REQUEST = ".cancel"


def write_record(core: LakeCore, trial: Trial) -> None:
    """Write what is known of a trial; whoever reads it meanwhile finds the one or the other."""
    folder = core.work_folder / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = folder / f".{trial.id}"
    new.write_text(json.dumps(as_json(trial)))
    os.replace(new, folder / f"{trial.id}{_ENDING}")


def list_records(core: LakeCore) -> list[Trial]:
    """Return the trials of this machine, newest first."""
    read = [*_read_all(core.work_folder / FOLDER)]
    held = _held(core)  # later: each has its lease before its file
    found = [_as_it_is(one, held) for one in read]
    return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)


def get_record(core: LakeCore, trial_id: str) -> Trial:
    """Return the trial whose id begins so.

    Raises
    ------
    NotFoundError
        There is none, or it is not kept any more.
    InvalidInputError
        There are several.
    """
    folder = core.work_folder / FOLDER
    names = [one.stem for one in _files(folder) if one.stem.startswith(trial_id)]
    if len(names) > 1:
        raise InvalidInputError(
            f"{len(names)} trials have ids that begin with {trial_id!r}",
            hint="Give more of the id",
        )
    for name in names:
        for found in _read(folder / f"{name}{_ENDING}"):
            return _as_it_is(found, _held(core))
    raise NotFoundError(
        f"There is no trial {trial_id!r} on this machine",
        kind=ErrorKind.TRIAL_NOT_FOUND,
        hint="'datalake trials list' shows those that are kept; each is for a day",
        trial=trial_id,
    )


def request_end(core: LakeCore, trial_id: str) -> None:
    """Ask the process that runs a trial to end it."""
    (core.work_folder / FOLDER / f"{trial_id}{_REQUEST}").touch()


def take_request(core: LakeCore, trial_id: str) -> bool:
    """Tell whether somebody has asked for the end of a trial since this was looked at last."""
    request = core.work_folder / FOLDER / f"{trial_id}{_REQUEST}"
    if not request.exists():
        return False
    request.unlink(missing_ok=True)
    return True


def remove_record(core: LakeCore, trial_id: str) -> None:
    """Let go of everything that a trial made."""
    with core.metadata.write() as tx:
        tx.leases.forget(f"{TRIAL_LEASE}{trial_id}")
        tx.pins.release(job_owner(trial_id))
    _remove_files(core, trial_id)


def sweep_trials(core: LakeCore) -> None:
    """Remove what is left of trials that were killed or are not kept any more."""
    folder = core.work_folder / FOLDER
    if not folder.is_dir():
        return
    with core.metadata.write() as tx:
        gone = [one.removeprefix(TRIAL_LEASE) for one in tx.leases.forget_ended(TRIAL_LEASE)]
        for trial_id in gone:
            tx.pins.release(job_owner(trial_id))
    for trial_id in gone:
        _remove_files(core, trial_id)
    there = [one.stem for one in _files(folder)]
    for trial_id in {*there} - _held(core):  # their leases were removed by another machine
        _remove_files(core, trial_id)
    ended = [one for one in list_records(core) if one.state is not TrialState.RUNNING]
    for one in ended[KEPT:]:
        remove_record(core, one.id)


def _held(core: LakeCore) -> set[str]:
    with core.metadata.read() as tx:
        return {one.removeprefix(TRIAL_LEASE) for one in tx.leases.held(TRIAL_LEASE)}


def _as_it_is(trial: Trial, held: set[str]) -> Trial:
    if trial.state is not TrialState.RUNNING or trial.id in held:
        return trial
    return replace(trial, state=TrialState.LOST, message="The process that ran it was ended")


def _files(folder: Path) -> list[Path]:
    return [one for one in folder.glob(f"*{_ENDING}") if not one.name.startswith(".")]


def _read_all(folder: Path) -> Iterator[Trial]:
    for file in _files(folder):
        yield from _read(file)


def _read(file: Path) -> Iterator[Trial]:
    """Yield the trial in a file, if the file is still there."""
    with suppress(FileNotFoundError):
        yield parse_trial(json.loads(file.read_text()))


def _remove_files(core: LakeCore, trial_id: str) -> None:
    shutil.rmtree(job_folder(core, trial_id), ignore_errors=True)
    folder = core.work_folder / FOLDER
    (folder / f"{trial_id}{_ENDING}").unlink(missing_ok=True)
    (folder / f".{trial_id}").unlink(missing_ok=True)
    (folder / f"{trial_id}{_REQUEST}").unlink(missing_ok=True)
