"""Datums on the workers of a Dask cluster that somebody else runs.

A bundle of tries is one Dask task. Its thread there hands it to processes of our own, see
`jobs.dask_host`, which open the lake by themselves: neither data nor credentials pass through
Dask, only what is to be run and the digests of what came of it.

Dask runs again, on another worker, what a lost worker was at. So a bundle may run twice, also at
the same time, where a worker was only cut off: its runs write to folders of their own, what they
store is named by its content, and the first outcome counts.

Dask's scheduler keeps nothing. When it is gone, the bundles that have not ended are handed over
again as soon as there is one at its address; until then they wait.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, Worker, WorkerPlugin, get_worker
from distributed import Future as DaskFuture

from jupyter_datalake._version import __version__
from jupyter_datalake.errors import ErrorKind, InvalidInputError, StorageError
from jupyter_datalake.jobs.dask_host import Host
from jupyter_datalake.jobs.executor import Executor
from jupyter_datalake.jobs.tasks import DatumOutcome, DatumTask, bundle_as_dict, parse_outcome
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.pipelines import PipelineSpec

logger = logging.getLogger(__name__)

MakeExecutor = Callable[[Path, int], Executor]
"""Makes what runs tries on a worker's machine, of a folder for logs and a number of slots. It goes
to the workers, so it must be something that can be pickled and holds no secret."""

CPU, GPU, MEMORY = "CPU", "GPU", "MEMORY"
"""What workers call what they have, in ``dask worker --resources "CPU=4 MEMORY=8e9 GPU=1"``."""
LABEL_SHARE = 0.001
"""A worker has one of each of its labels, and a datum takes so much of that: none runs out."""

_CONNECT_S = 10.0
_LOOK_S = 1.0
_ANSWER_S = 10.0
"""How long the scheduler may take to say which workers there are."""
_GATHER_S = 0.01
"""Tries of one bundle are cancelled together, by calls that follow each other."""
_STOP_S = 5.0
"""How long is waited for workers to say that what they were to stop is gone."""
_POLL_S = 0.02
_CLOSE_S = 15.0

_CANCELLED = DatumOutcome(DatumState.QUEUED, "cancelled")
_CLOSED = DatumOutcome(DatumState.QUEUED, "the executor closed")


class DaskExecutor:
    """An `Executor` over a Dask cluster. All methods may be called from any thread.

    Parameters
    ----------
    scheduler
        Address of the cluster's scheduler, as ``tcp://host:8786``. How it is encrypted and
        authenticated is Dask's own configuration.
    make_executor
        What runs the tries on the workers.
    name
        What the workers know this executor by; no other one may have it.
    at_most
        How many bundles the cluster is handed at once, also where it has fewer threads: an adaptive
        one grows for what waits. As many as there are threads when None.

    Raises
    ------
    StorageError
        There is no scheduler, or its workers are not fit (``executor-unavailable``).
    """

    def __init__(
        self,
        scheduler: str,
        make_executor: MakeExecutor,
        *,
        name: str,
        at_most: int | None = None,
        connect_s: float = _CONNECT_S,
    ) -> None:
        self._scheduler = scheduler
        self._plugin = HostPlugin(make_executor, name)
        self._name = name
        self._at_most = at_most
        self._connect_s = connect_s
        self._cluster = _Cluster()
        self._lock = threading.Lock()
        self._held: dict[str, float] = defaultdict(float)
        """What open bundles ask of workers beside a thread."""
        self._bundles: dict[str, _Bundle] = {}
        """By the id of each try that has no outcome."""
        self._is_closed = False
        self._serial = itertools.count(1)
        self._unfit: set[str] = set()
        """Pipelines that no worker is fit for."""
        opened: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main(opened)), name="dask-executor", daemon=True
        )
        self._thread.start()
        opened.result()

    @property
    def slots(self) -> int:
        """How many bundles it takes at once."""
        cluster = self._cluster
        # What no worker is fit for waits for one to come, and keeps none from the others.
        return max(self._at_most or cluster.threads, 1) + cluster.unfit

    def has_room(self, spec: PipelineSpec) -> bool:
        """Tell whether workers have free what a pipeline needs; see `Executor.has_room`.

        One bundle is let through in any case: an adaptive cluster grows for what is asked of it.
        """
        cluster = self._cluster
        with self._lock:
            return all(
                not self._held[name] or self._held[name] + amount <= cluster.total(name)
                for name, amount in cluster.needs_of(spec).items()
            )

    def submit(self, tasks: Sequence[DatumTask]) -> list[Future[DatumOutcome]]:
        """Queue tries; see `Executor.submit`."""
        bundle = _Bundle(tasks, self._cluster.needs_of(tasks[0].spec))
        with self._lock:
            is_closed = self._is_closed
            if not is_closed:
                self._bundles.update((task.id, bundle) for task in tasks)
                self._hold(bundle.needs, 1)
        if is_closed:
            for future in bundle.futures:
                future.set_result(_CLOSED)
        else:
            self._soon(self._follow, bundle)
        return bundle.futures

    def cancel(self, task: DatumTask) -> None:
        """Stop a try; see `Executor.cancel`."""
        self._soon(self._disturb, task.id)

    def close(self) -> None:
        """Stop everything; see `Executor.close`."""
        with self._lock:
            self._is_closed = True
        self._soon(self._closing.set)
        self._thread.join()

    def _soon(self, function: Callable[..., object], *arguments: object) -> None:
        """Have a function called in the thread of the event loop, unless that has ended."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    # --- in the event loop: the connection --------------------------------------------------------

    async def _main(self, opened: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        self._connected = asyncio.Event()
        self._client: Client | None = None
        self._scheduler_id: str | None = None
        self._follow_ups: set[asyncio.Task[None]] = set()
        self._handed: dict[str, tuple[_Bundle, list[int]]] = {}
        """By the key of each Dask task: which tries of which bundle it has."""
        self._ending: set[str] = set()
        self._sweep: asyncio.Task[None] | None = None
        try:
            await self._connect()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is why we cannot begin
            await self._disconnect()
            opened.set_exception(self._explained(error))
            return
        opened.set_result(None)
        watch = asyncio.create_task(self._watch())
        await self._closing.wait()
        await _end_tasks([watch, *self._follow_ups])
        with self._lock:
            bundles = {id(one): one for one in self._bundles.values()}
        for bundle in bundles.values():
            self._answer(bundle, dict.fromkeys(bundle.left, _CLOSED))
        await self._leave()
        await self._disconnect()

    async def _connect(self) -> None:
        client = _Client(
            self._scheduler,
            asynchronous=True,
            timeout=self._connect_s,
            set_as_default=False,
            name=self._name,
        )
        self._client = client
        try:
            await client
        except OSError as error:
            raise _NoSchedulerError(self._scheduler) from error
        await client.register_plugin(self._plugin)
        client.subscribe_topic(self._name, self._take_early)
        self._scheduler_id = None
        await self._look(client)
        self._connected.set()

    async def _leave(self) -> None:
        """Take everything back from the workers."""
        if self._client is None or not self._connected.is_set():
            return
        with suppress(Exception):  # the cluster may be going too, in any of its ways
            leaving = self._client.unregister_worker_plugin(self._name)
            await asyncio.wait_for(leaving, _CLOSE_S)

    async def _disconnect(self) -> None:
        """Close the connection; its tasks are ended by the scheduler, if that is there."""
        self._connected.clear()
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                await asyncio.wait_for(client.close(timeout=_STOP_S), _CLOSE_S)

    def _explained(self, error: Exception) -> StorageError | InvalidInputError:
        match error:
            case _NoSchedulerError():
                return StorageError(
                    f"No Dask scheduler answers at {self._scheduler}",
                    kind=ErrorKind.EXECUTOR_UNAVAILABLE,
                    hint="Start one with 'dask scheduler', or give the address of one that runs",
                    retryable=True,
                )
            case ValueError():
                return InvalidInputError(
                    f"{self._scheduler!r} is no address of a Dask scheduler: {error}",
                    kind=ErrorKind.INVALID_URL,
                    hint="Write tcp://host:8786, or tls://host:8786",
                )
        return StorageError(
            f"The Dask cluster at {self._scheduler} cannot run datums: {_text(error)}",
            kind=ErrorKind.EXECUTOR_UNAVAILABLE,
            hint=f"Its workers need jupyter_datalake[dask] {__version__}, as it is installed here",
        )

    async def _watch(self) -> None:
        """Follow the cluster, and connect again whenever it is lost."""
        is_away = False
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                if self._client is not None and self._connected.is_set():
                    await asyncio.wait_for(self._look(self._client), _ANSWER_S)
                else:
                    await self._disconnect()
                    await self._connect()
                if is_away:
                    logger.warning("the Dask scheduler %s is back", self._scheduler)
                is_away = False
            except Exception as error:  # noqa: BLE001  # Dask tells of one cause in many ways
                await self._disconnect()
                if not is_away:
                    logger.warning(
                        "the Dask scheduler %s is away, datums wait for it: %s",
                        self._scheduler,
                        _text(error),
                    )
                is_away = True

    async def _look(self, client: Client) -> None:
        """Learn which workers there are."""
        if client.status != "running" or client.scheduler is None:
            raise OSError("the connection was lost")
        identity = await client.scheduler.identity(n_workers=-1)
        if self._scheduler_id not in {None, identity["id"]}:
            raise OSError("it was started anew")
        self._scheduler_id = identity["id"]
        with self._lock:
            bundles = {id(one): one for one in self._bundles.values()}
        cluster = _Cluster.of(identity["workers"].values())
        unfit = [one for one in bundles.values() if not cluster.is_fit(one.needs)]
        self._cluster = replace(cluster, unfit=len(unfit))
        pipelines = {one.pipeline: one for one in unfit}
        for name in pipelines.keys() - self._unfit:
            wanted = ", ".join(f"{what} {much:g}" for what, much in pipelines[name].needs.items())
            logger.warning("pipeline %s waits: no Dask worker has %s", name, wanted)
        self._unfit = set(pipelines)

    def _lost(self, client: Client) -> None:
        """Note that a connection is of no use any more."""
        if client is self._client:
            self._connected.clear()

    # --- in the event loop: bundles ---------------------------------------------------------------

    def _follow(self, bundle: _Bundle) -> None:
        task = asyncio.create_task(self._see_through_safely(bundle))
        self._follow_ups.add(task)
        task.add_done_callback(self._follow_ups.discard)

    def _disturb(self, task_id: str) -> None:
        """Cancel a try; those that are cancelled right after it go the same way."""
        with self._lock:
            bundle = self._bundles.get(task_id)
        if bundle is None:
            return
        bundle.cancelled |= {place for place, one in bundle.left.items() if one.id == task_id}
        self._loop.call_later(_GATHER_S, bundle.disturbed.set)

    async def _see_through_safely(self, bundle: _Bundle) -> None:
        try:
            await self._see_through(bundle)
        except Exception as error:
            logger.exception("bundle of %s", bundle.pipeline)
            message = f"{type(error).__name__}: {error}"
            outcome = DatumOutcome(DatumState.FAILED, message, ErrorKind.INTERNAL)
            self._answer(bundle, dict.fromkeys(bundle.left, outcome))

    async def _see_through(self, bundle: _Bundle) -> None:
        """Hand a bundle over, as often as it takes until each of its tries has an outcome."""
        while bundle.left:
            client = self._client
            if bundle.cancelled:
                self._answer(bundle, dict.fromkeys(bundle.cancelled, _CANCELLED))
                bundle.cancelled.clear()
                bundle.disturbed.clear()
            elif client is None or not self._connected.is_set():
                await _first_of(self._connected.wait(), bundle.disturbed.wait())
            else:
                await self._hand_over(client, bundle)

    async def _hand_over(self, client: Client, bundle: _Bundle) -> None:
        """Have what is left of a bundle run, until it has or that has become pointless."""
        places = list(bundle.left)[: bundle.at_once]
        tasks = [bundle.left[place] for place in places]
        key = self._key_of(tasks)
        self._handed[key] = (bundle, places)
        try:
            future = client.submit(
                run_bundle,
                self._name,
                key,
                json.dumps(bundle_as_dict(tasks)),
                key=key,
                pure=False,
                resources=bundle.needs or None,
            )
            result = asyncio.ensure_future(_result_of(future))
            await _first_of(result, bundle.disturbed.wait())
            if result.done() and not result.cancelled():
                await self._take(client, bundle, places, result)
            else:
                await self._stop(client, future, key)
        finally:
            del self._handed[key]

    async def _take(
        self, client: Client, bundle: _Bundle, places: Sequence[int], result: asyncio.Future[str]
    ) -> None:
        """Take what has become of a Dask task."""
        error = result.exception()
        if error is None:
            self._answer_all(bundle, places, result.result())
            if any(place in bundle.left for place in places):
                await asyncio.sleep(_LOOK_S)  # its worker ends, and should be gone by then
        elif isinstance(error, KilledWorker) and len(places) > 1:
            bundle.at_once = 1  # one of them ends every worker that it comes to
        elif isinstance(error, KilledWorker):
            message = (
                f"{error.allowed_failures + 1} Dask workers ended while they ran the datum, for"
                f" lack of memory perhaps; the last of them was {error.last_worker.address}"
            )
            self._fail(bundle, places, message, ErrorKind.DATUM_FAILED)
        elif isinstance(error, _TaskError):
            message = f"A Dask worker could not run the datum: {_text(error)}"
            self._fail(bundle, places, message, ErrorKind.EXECUTOR_UNAVAILABLE)
        else:
            self._lost(client)

    def _fail(self, bundle: _Bundle, places: Iterable[int], message: str, kind: ErrorKind) -> None:
        outcome = DatumOutcome(DatumState.FAILED, message, kind)
        self._answer(bundle, dict.fromkeys(places, outcome))

    async def _stop(self, client: Client, future: DaskFuture[str], key: str) -> None:
        """Take a Dask task back, and wait until nothing of it runs."""
        with suppress(Exception):  # what cannot be reached is stopped by its own loss of us
            await asyncio.wait_for(client.cancel([future]), _STOP_S)
            self._ending.add(key)
            if self._sweep is None:
                self._sweep = asyncio.create_task(self._wait_for_ends(client))
            await asyncio.shield(self._sweep)

    async def _wait_for_ends(self, client: Client) -> None:
        """Ask all workers at once about the tasks that were stopped at about the same time."""
        await asyncio.sleep(_GATHER_S)
        keys, self._ending, self._sweep = self._ending, set(), None
        asked = client.run(wait_until_ended, self._name, keys, on_error="return")
        with suppress(Exception):
            await asyncio.wait_for(asked, _STOP_S)

    def _take_early(self, event: tuple[float, Mapping[str, str]]) -> None:
        """Take outcomes that were told before their bundle has ended."""
        _, told = event
        if told["key"] in self._handed:
            bundle, places = self._handed[told["key"]]
            self._answer_all(bundle, places, told["outcomes"])

    def _answer_all(self, bundle: _Bundle, places: Sequence[int], told: str) -> None:
        """Answer tries with what a worker said of them, unless that says nothing."""
        outcomes = {places[index]: parse_outcome(raw) for index, raw in json.loads(told)}
        ended = {at: one for at, one in outcomes.items() if one.state is not DatumState.QUEUED}
        self._answer(bundle, ended)

    def _answer(self, bundle: _Bundle, outcomes: Mapping[int, DatumOutcome]) -> None:
        """Tell how tries ended, unless that was told before."""
        for place, outcome in list(outcomes.items()):
            task = bundle.left.pop(place, None)
            if task is None:
                continue
            with self._lock:
                del self._bundles[task.id]
                if not bundle.left:
                    self._hold(bundle.needs, -1)
            bundle.futures[place].set_result(outcome)

    def _hold(self, needs: Mapping[str, float], sign: int) -> None:
        for name, amount in needs.items():
            # Without what is left of sums of fractions.
            self._held[name] = round(self._held[name] + sign * amount, 6)

    def _key_of(self, tasks: Sequence[DatumTask]) -> str:
        """Return a name for people to read; Dask groups tasks by what is before the digits."""
        first = tasks[0]
        more = f"+{len(tasks) - 1}" if len(tasks) > 1 else ""
        return (
            f"{first.spec.name}-{first.job_id[:8]}-{first.name}{more}"
            f"-{self._name}.{next(self._serial)}"
        )


@dataclass(slots=True, eq=False)
class _Bundle:
    """Tries that were submitted together."""

    tasks: Sequence[DatumTask]
    needs: dict[str, float]
    left: dict[int, DatumTask] = field(init=False)
    """Those without an outcome, by their places."""
    futures: list[Future[DatumOutcome]] = field(init=False)
    cancelled: set[int] = field(default_factory=set)
    disturbed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was cancelled."""
    at_once: int | None = None
    """How many are handed over together; all that are left when None."""

    def __post_init__(self) -> None:
        self.left = dict(enumerate(self.tasks))
        self.futures = [Future() for _ in self.tasks]

    @property
    def pipeline(self) -> str:
        return self.tasks[0].spec.name


@dataclass(frozen=True, slots=True)
class _Cluster:
    """The workers there are."""

    threads: int = 0
    resources: tuple[Mapping[str, float], ...] = ()
    """What each worker has, by its own account."""
    unfit: int = 0
    """Bundles that no worker is fit for."""

    @classmethod
    def of(cls, workers: Iterable[Mapping[str, Any]]) -> _Cluster:
        found = list(workers)
        return cls(sum(one["nthreads"] for one in found), tuple(one["resources"] for one in found))

    def total(self, name: str) -> float:
        return sum(one.get(name, 0.0) for one in self.resources)

    def is_fit(self, needs: Mapping[str, float]) -> bool:
        """Tell whether a worker has all that is needed, in use or not."""
        return not needs or any(
            all(one.get(name, 0.0) >= amount for name, amount in needs.items())
            for one in self.resources
        )

    def needs_of(self, spec: PipelineSpec) -> dict[str, float]:
        """Return what a datum takes of a worker.

        GPUs and labels only by who has them; processors and memory where any worker counts them.
        """
        placement = spec.placement
        needs = dict.fromkeys(placement.labels, LABEL_SHARE)
        if placement.gpus is not None:
            needs[GPU] = placement.gpus
        if self.total(CPU):
            needs[CPU] = 1.0 if placement.cpus is None else placement.cpus
        if self.total(MEMORY) and spec.limits.memory_bytes is not None:
            needs[MEMORY] = float(spec.limits.memory_bytes)
        return needs


class _NoSchedulerError(Exception):
    """Nothing answers at the scheduler's address."""


class _TaskError(Exception):
    """A worker raised something instead of running a bundle."""


async def _result_of(future: DaskFuture[str]) -> str:
    """Return the result of a Dask task; what is not the task's own failure is no `_TaskError`."""
    try:
        answer: str = await future
    except KilledWorker:
        raise
    except Exception as error:
        if future.status == "error":
            raise _TaskError(_text(error)) from error
        raise
    return answer


async def _first_of(*awaited: Awaitable[object]) -> None:
    """Wait until one of several things has happened; the others are given up."""
    tasks = [asyncio.ensure_future(one) for one in awaited]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end_tasks([one for one in tasks if not one.done()])


async def _end_tasks(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _text(error: BaseException) -> str:
    """Return the first line of an error, or its name."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


class _Client(Client):
    """A client that is of no use once its connection is lost: the executor makes another one.

    Dask's own looks for its scheduler. Closed while it does, it leaves open what it has connected
    to in that moment.
    """

    async def _reconnect(self) -> None:
        """Let go of the connection instead; see `distributed.Client`."""
        self.scheduler_comm = None


# --- on the workers -------------------------------------------------------------------------------


class HostPlugin(WorkerPlugin):
    """Lets a Dask worker run bundles; and stops those that Dask gives up."""

    def __init__(self, make_executor: MakeExecutor, name: str) -> None:
        self.name = name
        self._make_executor = make_executor
        self._version = __version__

    def setup(self, worker: Worker) -> None:
        """Make ready; see `WorkerPlugin.setup`.

        Raises
        ------
        RuntimeError
            Another version of this package is installed here, and might mistake what it is told.
        """
        if self._version != __version__:
            raise RuntimeError(
                f"the worker {worker.address} has jupyter_datalake {__version__}, and the"
                f" controller {self._version}"
            )
        folder, slots = Path(worker.local_directory), worker.state.nthreads
        self.host = Host(lambda: self._make_executor(folder, slots))

    def transition(self, key: object, start: str, finish: str, **_: object) -> None:
        """Stop a bundle that Dask does not want any more; see `WorkerPlugin.transition`.

        That is so when it was cancelled, when the controller is gone, or when the scheduler thinks
        that this worker was.
        """
        if not isinstance(key, str) or f"-{self.name}." not in key:
            return
        if finish == "released" and start in {"executing", "long-running"}:
            self.host.stop(key)
        elif start == "cancelled":
            self.host.forget(key)

    async def teardown(self, worker: Worker) -> None:
        """Kill everything; see `WorkerPlugin.teardown`."""
        await asyncio.to_thread(self.host.close)


def run_bundle(name: str, key: str, bundle: str) -> str:
    """Run a bundle in this worker's host; what a Dask task of ours calls. See `Host.run`."""
    worker = get_worker()
    plugin = worker.plugins[name]
    assert isinstance(plugin, HostPlugin)
    return plugin.host.run(
        key, bundle, lambda told: worker.log_event(name, {"key": key, "outcomes": told})
    )


async def wait_until_ended(name: str, keys: Iterable[str], dask_worker: Worker) -> None:
    """Return when nothing of some bundles runs on a worker."""
    plugin = dask_worker.plugins.get(name)
    while isinstance(plugin, HostPlugin) and any(map(plugin.host.is_running, keys)):  # noqa: ASYNC110  # a thread ends it
        await asyncio.sleep(_POLL_S)
