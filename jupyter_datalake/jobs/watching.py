"""Watching what a datum takes of the machine, and ending it when that is more than it may.

Looked at are all processes that the worker has started, the kernel or program and whatever these
started, several times a second. A process counts with the memory that is its own: what it shares
with the process it was forked from costs nothing.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from jupyter_datalake.errors import DatalakeError, ErrorKind, JobFailedError
from jupyter_datalake.model.pipelines import DatumLimits

_LOOK_S = 0.1
_OUTPUT_SHARE = 10
"""Measuring the output takes a tenth of the time at most, however many files it has."""


@contextmanager
def watched(
    limits: DatumLimits, out: Path, spared: Callable[[], Collection[int]]
) -> Iterator[None]:
    """End what this process starts inside, when it takes more than `limits` say.

    Parameters
    ----------
    out
        The datum's output folder.
    spared
        Returns processes that do not belong to the datum.

    Raises
    ------
    JobFailedError
        It took too much (``datum-limit``); the message names the limit and what was taken.
    """
    if limits == DatumLimits():
        yield
        return
    watch = _Watch(limits, out, spared)
    try:
        with watch.looking():
            yield
    except DatalakeError as error:
        if watch.verdict:
            raise _too_much(watch.verdict) from error
        raise
    if verdict := watch.verdict or watch.check_output():
        raise _too_much(verdict)


def _too_much(verdict: str) -> JobFailedError:
    return JobFailedError(
        verdict,
        kind=ErrorKind.DATUM_LIMIT,
        hint="Raise it in 'resources' of the pipeline, or cut the input into smaller datums",
    )


class _Watch:
    """One datum that is watched."""

    def __init__(
        self, limits: DatumLimits, out: Path, spared: Callable[[], Collection[int]]
    ) -> None:
        self._limits = limits
        self._out = out
        self._spared = spared
        self._ended = threading.Event()
        self._cpu: dict[tuple[int, float], float] = {}
        """Seconds of each process that was seen, also of those that are gone."""
        self.verdict = ""
        """What was too much, if anything was."""

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Look, in a thread, until the block is left."""
        thread = threading.Thread(target=self._look, name="watch-datum", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _look(self) -> None:
        """Look until the datum has ended or takes too much."""
        rest_s = 0.0
        while not self._ended.wait(_LOOK_S):
            verdict = self._check_processes(self._family())
            rest_s -= _LOOK_S
            if not verdict and rest_s <= 0:
                before = time.thread_time()
                verdict = self.check_output()
                rest_s = _OUTPUT_SHARE * (time.thread_time() - before)
            if verdict:
                self.verdict = verdict
                _kill(self._family())
                return

    def check_output(self) -> str:
        """Measure the output; return what is too much, if it is."""
        limit = self._limits.output_bytes
        size = 0 if limit is None else folder_bytes(self._out)
        if limit is None or size <= limit:
            return ""
        return f"The datum wrote {_mib(size)}; its limit is {_mib(limit)}"

    def _family(self) -> list[psutil.Process]:
        spared = self._spared()
        return [one for one in psutil.Process().children(recursive=True) if one.pid not in spared]

    def _check_processes(self, family: list[psutil.Process]) -> str:
        """Add up what processes take; return what is too much, if anything is."""
        limits = self._limits
        memory = 0 if limits.memory_bytes is None else memory_of(family)
        for process in family:
            try:
                if limits.cpu_s is not None:
                    times = process.cpu_times()
                    self._cpu[process.pid, process.create_time()] = times.user + times.system
            except psutil.Error:
                continue  # it has ended meanwhile
        if limits.memory_bytes is not None and memory > limits.memory_bytes:
            limit = _mib(limits.memory_bytes)
            return f"The datum took {_mib(memory)} of memory; its limit is {limit}"
        spent = sum(self._cpu.values())
        if limits.cpu_s is not None and spent > limits.cpu_s:
            return (
                f"The datum took {spent:.1f} s of processor time; its limit is {limits.cpu_s:g} s"
            )
        return ""


def memory_of(family: Iterable[psutil.Process]) -> int:
    """Return the bytes that processes have for themselves, together."""
    memory = 0
    for process in family:
        try:
            memory += process.memory_full_info().uss
        except psutil.Error:
            continue  # it has ended meanwhile
    return memory


def _kill(family: list[psutil.Process]) -> None:
    for process in family:
        try:
            process.kill()
        except psutil.Error:
            continue  # it has ended by itself


def folder_bytes(folder: Path) -> int:
    """Return the bytes of the files below a folder; holes count, for they would be stored."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(place, name)).st_size
            except FileNotFoundError:
                continue  # it was removed meanwhile
    return size


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MiB"
