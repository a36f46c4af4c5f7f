"""How soon the server answers what the panel asks, in a large lake and with many panels open.

``python tests/benchmarks/workbench.py [FOLDER]`` prints the figures as JSON; `run` returns them. In
a folder that is named the lake stays, so that it need not be made for each run.

The lake has a million files (a tenth of them in one folder), 10,000 commits, 300 pipelines and a
thousand repos. The server is a Jupyter server in a process of its own; the client is this one, on
the same machine.

- *views*: each request that a view of the panel makes, one after another. "times bare" is its
  median over that of ``/api/status``, the cheapest thing that a Jupyter server does for somebody
  who is logged in.
- *panels*: so many browsers begin at once, each with its event stream; then somebody commits twice
  a second, and each panel loads anew what an event concerns, as `src/models/refreshing.ts` has it.
  "behind" is from the commit to the event in the browser; "status" is how long ``/api/status``
  takes meanwhile, which shows for how long the server's loop stands still.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import psutil
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author

FILES = 1_000_000
COMMITS = 10_000
PIPELINES = 300
REPOS = 100
"""Besides those of the pipelines, of which each has three."""
PANELS = 50
ROUNDS = 15
BUSY_S = 20.0
COMMIT_EVERY_S = 0.5

_FOLDER_FILES = 1_000
_TOKEN = "of-the-benchmark"
_PATIENCE_S = 60.0
_GATHER_S = 0.15
_AUTHOR = Author("Bench", "bench@example.org")


def run(
    *,
    files: int = FILES,
    commits: int = COMMITS,
    pipelines: int = PIPELINES,
    panels: int = PANELS,
    place: Path | None = None,
) -> dict[str, object]:
    """Return milliseconds by view and with many panels.

    Parameters
    ----------
    place
        A folder in which the lake is made and stays: the next run there begins with it.
    """
    with _folder(place) as folder:
        made_s = folder / "made-s"
        if not made_s.exists():
            began = (time.monotonic(), time.process_time())
            with Lake.create(str(folder / "lake"), author=_AUTHOR) as lake:
                _fill(lake, files, commits, pipelines)
            wall, processor = time.monotonic() - began[0], time.process_time() - began[1]
            made_s.write_text(f"{wall:.1f} {processor:.1f}")
        with (
            Lake.open(str(folder / "lake"), author=_AUTHOR) as lake,
            _server(folder) as (process, url),
        ):
            client = _Client(url)
            views = asyncio.run(_views(client, commits))
            busy = asyncio.run(_panels(client, lake, psutil.Process(process.pid), panels))
        making, processor_s = map(float, made_s.read_text().split())
    return {
        "benchmark": "workbench",
        "files": files,
        "commits": commits,
        "pipelines": pipelines,
        "making the lake, s": making,
        "making the lake, processor s": processor_s,
        "views": views,
        "panels": {str(panels): busy},
    }


@contextmanager
def _folder(place: Path | None) -> Iterator[Path]:
    if place is not None:
        place.mkdir(parents=True, exist_ok=True)
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="datalake-workbench-") as name:
        yield Path(name)


def _fill(lake: Lake, files: int, commits: int, pipelines: int) -> None:
    lake.repos.create("big")
    flat = files // 10
    with lake.sessions.create("big") as session:
        for number in range(flat):
            session.put(f"flat/{number:06}.txt", f"{number}")
        for number in range(files - flat):
            folder, rest = divmod(number, _FOLDER_FILES)
            session.put(f"{folder % 30:02}/{folder:04}/{rest:04}.txt", f"{number}")
        session.commit("all the files")
    for number in range(commits):
        lake.files.put(f"big@main/changing/{number % 100}", f"{number}", message=f"change {number}")
    for number in range(REPOS):
        lake.repos.create(f"repo-{number:03}")
    for number in range(pipelines):
        name = f"step-{number:03}"
        source = "big" if number % 10 == 0 else f"step-{number - 1:03}"
        lake.pipelines.apply(
            {
                "pipeline": name,
                "command": ["true"],
                "input": {"repo": {"name": source, "glob": "/changing/*"}},
            }
        )


@contextmanager
def _server(place: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Serve the lake; give the process and its address."""
    root = place / "root"
    root.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={root}"),
        f"--IdentityProvider.token={_TOKEN}",
        f"--DatalakeExtension.lake_url={place / 'lake'}",
        "--DatalakeExtension.start_controller=False",
    ]
    runtime = place / "runtime"
    shutil.rmtree(runtime, ignore_errors=True)  # of a server before
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime)}
    with open(place / "server.log", "ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield process, _address(process, runtime)
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)


def _address(process: subprocess.Popen[bytes], runtime: Path) -> str:
    """Wait until the server runs; return its address, as it wrote that down."""
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        for told in runtime.glob("jpserver-*.json"):
            with suppress(ValueError, OSError):  # it is being written, or nobody listens yet
                facts = json.loads(told.read_text())
                socket.create_connection(("127.0.0.1", int(facts["port"]))).close()
                return str(facts["url"])
        time.sleep(0.05)
    raise RuntimeError(f"the Jupyter server did not start: {process.poll()}")


class _Client:
    """Asks the server, as somebody who is logged in."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"token {_TOKEN}"}

    async def get(self, path: str, /, **query: object) -> bytes:
        """Return what the server answers."""
        asked = urlencode({name: str(value) for name, value in query.items()})
        answer = await AsyncHTTPClient().fetch(
            f"{self._url}{quote(path)}?{asked}",
            headers=self._headers,
            request_timeout=_PATIENCE_S,
            connect_timeout=_PATIENCE_S,
        )
        return answer.body

    async def timed(self, path: str, /, **query: object) -> float:
        """Return milliseconds from question to answer."""
        began = time.perf_counter()
        await self.get(path, **query)
        return (time.perf_counter() - began) * 1e3

    async def events(self) -> WebSocketClientConnection:
        """Open an event stream."""
        address = self._url.replace("http", "ws", 1)
        return await websocket_connect(f"{address}datalake/events/stream?token={_TOKEN}")


async def _views(client: _Client, commits: int) -> dict[str, object]:
    """Return median and worst of each request that a view makes, and how many times a bare one."""
    AsyncHTTPClient.configure(None, max_clients=500, max_body_size=1 << 30)
    repo = "datalake/repos/big"
    views: dict[str, tuple[str, dict[str, object]]] = {
        "bare": ("api/status", {}),
        "status": ("datalake/status", {}),
        "repos, 500": ("datalake/repos", {"limit": 500}),
        "branches and tags": (f"{repo}/refs", {}),
        "history, newest 50": (f"{repo}/refs/main/commits", {"limit": 50}),
        "history, oldest 50": (f"{repo}/refs/main~{max(commits - 60, 0)}/commits", {"limit": 50}),
        "history of a file": (
            f"{repo}/refs/main/commits",
            {"path": "changing/1", "limit": 50},
        ),
        "files of the root": (f"{repo}/refs/main/files", {"path": "", "limit": 500}),
        "files of a folder": (f"{repo}/refs/main/files", {"path": "00/0000", "limit": 500}),
        "a folder of 100,000, first 500": (
            f"{repo}/refs/main/files",
            {"path": "flat", "limit": 500},
        ),
        "the same, from its middle": (
            f"{repo}/refs/main/files",
            {"path": "flat", "limit": 500, "after": "flat/050000.txt"},
        ),
        "changes of a commit": (f"{repo}/diff", {"old": "main~1", "new": "main"}),
        "changes since the first, 500": (
            f"{repo}/diff",
            {"old": f"main~{commits + 1}", "new": "main", "limit": 500},
        ),
        "sessions": ("datalake/sessions", {}),
        "mounts": ("datalake/mounts", {}),
        "pipelines, 300": ("datalake/pipelines", {"limit": 500}),
        "jobs, newest 50": ("datalake/jobs", {"limit": 50}),
        "changes by global id": ("datalake/globals", {"limit": 50}),
        "lineage, whole": ("datalake/graph", {}),
    }
    figures: dict[str, object] = {}
    bare = 0.0
    for name, (path, query) in views.items():
        first = await client.timed(path, **query)
        taken = [await client.timed(path, **query) for _ in range(ROUNDS)]
        median = statistics.median(taken)
        bare = bare or median
        figures[name] = {
            "first ms": round(first, 1),
            "median ms": round(median, 1),
            "worst ms": round(max(taken), 1),
            "times bare": round(median / bare, 1),
        }
        print(f"{name:34} {figures[name]}", file=sys.stderr)
    return figures


_BEGINNING = ("status", "repos", "mounts", "mountpoints", "sessions", "drafts", "pipelines", "jobs")
_CONCERNED = ("repos", "jobs", "status")
"""What a panel loads anew after a commit."""


async def _panels(
    client: _Client, lake: Lake, server: psutil.Process, count: int
) -> dict[str, float]:
    """Open panels, commit while they follow, and return how they did."""
    began = time.perf_counter()
    panels = [_Panel(client) for _ in range(count)]
    async with asyncio.TaskGroup() as group:
        for panel in panels:
            group.create_task(panel.begin())
    beginning_s = time.perf_counter() - began
    following = [asyncio.create_task(panel.follow()) for panel in panels]
    committed: dict[str, float] = {}
    loads_before = sum(panel.loads for panel in panels)
    processor_before = sum(server.cpu_times()[:2])
    writing = asyncio.create_task(asyncio.to_thread(_commit_for, lake, committed, BUSY_S))
    status = [await client.timed("api/status")]
    while not writing.done():
        status.append(await client.timed("api/status"))
        await asyncio.sleep(0.01)
    await writing
    processor = sum(server.cpu_times()[:2]) - processor_before
    deadline = time.monotonic() + _PATIENCE_S
    while any(len(panel.seen) < len(committed) for panel in panels):
        if time.monotonic() > deadline:
            raise RuntimeError("a panel was not told of every commit")
        await asyncio.sleep(0.05)
    for task in following:
        task.cancel()
    behind = [at - committed[commit] for panel in panels for commit, at in panel.seen.items()]
    status.sort()
    return {
        "all panels filled, s": round(beginning_s, 2),
        "commits": len(committed),
        "loads": sum(panel.loads for panel in panels) - loads_before,
        "behind, median ms": round(statistics.median(behind) * 1e3, 1),
        "behind, worst ms": round(max(behind) * 1e3, 1),
        "status, median ms": round(statistics.median(status), 1),
        "status, 99th ms": round(status[int(len(status) * 0.99)], 1),
        "status, worst ms": round(status[-1], 1),
        "server's processor, share": round(processor / BUSY_S, 2),
    }


class _Panel:
    """What one browser does: it loads all there is, follows the events, and loads again."""

    def __init__(self, client: _Client) -> None:
        self._client = client
        self.loads = 0
        self.seen: dict[str, float] = {}
        """When it was told of each commit."""
        self._is_stale = asyncio.Event()

    async def begin(self) -> None:
        """Open the event stream and load everything."""
        self._stream = await self._client.events()
        await self._load(_BEGINNING)

    async def follow(self) -> None:
        """Take every event; load what it concerns, gathered and never twice at once."""
        await asyncio.gather(self._listen(), self._load_when_stale())

    async def _listen(self) -> None:
        while (message := await self._stream.read_message()) is not None:
            event = json.loads(message)
            if event["kind"] == "ref.moved" and event["subject"] == "big":
                self.seen.setdefault(event["details"]["commit"], time.perf_counter())
            self._is_stale.set()

    async def _load_when_stale(self) -> None:
        while await self._is_stale.wait():
            await asyncio.sleep(_GATHER_S)
            self._is_stale.clear()  # what comes from here on makes one more load
            await self._load(_CONCERNED)

    async def _load(self, what: Sequence[str]) -> None:
        await asyncio.gather(*(self._client.get(f"datalake/{one}") for one in what))
        self.loads += len(what)


def _commit_for(lake: Lake, committed: dict[str, float], seconds: float) -> None:
    """Commit again and again; note when each commit was there."""
    until = time.monotonic() + seconds
    number = 0
    while (began := time.monotonic()) < until:
        number += 1
        commit = lake.files.put("big@main/changing/now", f"{number}")
        committed[str(commit.id)] = time.perf_counter()
        time.sleep(max(COMMIT_EVERY_S - (time.monotonic() - began), 0))


if __name__ == "__main__":
    print(json.dumps(run(place=Path(sys.argv[1]) if sys.argv[1:] else None), indent=2))
