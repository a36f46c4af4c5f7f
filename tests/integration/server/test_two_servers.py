"""Two Jupyter servers on one lake, as two people or two tabs of a hub have them."""

import asyncio
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from urllib.request import Request, urlopen

import duckdb
import psutil
import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPError
from tornado.websocket import websocket_connect

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author

TOKEN = "secret-for-this-test"
PATIENCE_S = 60


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


class Server:
    """A Jupyter server in a process of its own."""

    def __init__(self, name, folder, url):
        root = folder / name
        root.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": root,
            "ServerApp.open_browser": False,
            "ServerApp.allow_root": True,
            "ServerApp.jpserver_extensions": '{"jupyter_datalake": True}',
            "IdentityProvider.token": TOKEN,
            "DatalakeExtension.lake_url": url,
        }
        places = {f"JUPYTER_{kind}_DIR": str(root / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
        self.log = open(folder / f"{name}.log", "wb")  # noqa: SIM115  # closed by `close`
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyter_server",
                *(f"--{key}={value}" for key, value in options.items()),
            ],
            env={**os.environ, **places},
            stdout=self.log,
            stderr=self.log,
        )

    def get(self, path):
        request = Request(  # http, to ourselves
            f"http://127.0.0.1:{self.port}/datalake{path}",
            headers={"Authorization": f"token {TOKEN}"},
        )
        with urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def query(self, connection, sql):
        return AsyncHTTPClient().fetch(
            f"http://127.0.0.1:{self.port}/datalake/connections/{connection}/queries",
            method="POST",
            headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
            body=json.dumps({"sql": sql, "limit": 1}),
            request_timeout=PATIENCE_S,
        )

    def is_up(self):
        assert self.process.poll() is None, "the server ended"
        try:
            return self.get("/status")
        except OSError:
            return None

    def events(self):
        return websocket_connect(
            f"ws://127.0.0.1:{self.port}/datalake/events/stream?token={TOKEN}&after=0"
        )

    def controllers(self):
        """Return the processes that it started to run pipelines."""
        return [
            one.pid
            for one in psutil.Process(self.process.pid).children()
            if one.status() != psutil.STATUS_ZOMBIE
            and "jupyter_datalake.lake.controller_process" in one.cmdline()
        ]

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_S)
        self.log.close()


@pytest.fixture
def lake(tmp_path):
    with Lake.create(str(tmp_path / "lake"), author=Author("ada")) as opened:
        opened.repos.create("raw")
        yield opened


@pytest.fixture
def servers(lake, tmp_path):
    started = [Server(name, tmp_path, lake.url) for name in ("one", "two")]
    try:
        for one in started:
            wait_until(one.is_up, "the server")
        yield started
    finally:
        for one in started:
            one.close()


def leading(lake, servers):
    """Return the server whose controller leads, or None."""
    holder = lake.maintenance.get_status().controller
    if holder is None:
        return None
    pid = int(holder.split(":")[-2])
    return next((one for one in servers if is_running(one) and pid in one.controllers()), None)


def is_running(server):
    return server.process.poll() is None


async def received(stream, kind, subject):
    """Read a stream up to an event."""
    while True:
        event = json.loads(await stream.read_message())
        if (event["kind"], event["subject"]) == (kind, subject):
            return event


async def test_two_servers_show_one_lake_and_one_of_their_controllers_works(
    lake, servers, tmp_path
):
    leader = wait_until(lambda: leading(lake, servers), "a controller to lead")
    (other,) = [one for one in servers if one is not leader]
    wait_until(other.controllers, "the second controller to stand by")
    streams = [await one.events() for one in servers]
    lake.pipelines.create(
        {
            "pipeline": "upper",
            "command": ["sh", "-c", "tr a-z A-Z < pfs/raw/x > pfs/out/x"],
            "input": {"repo": {"name": "raw", "glob": "/"}},
        },
        folder=tmp_path,
    )
    commit = lake.files.put("raw@main/x", "by another process")
    for stream in streams:
        event = await received(stream, "ref.moved", "raw")
        assert event["details"]["commit"] == commit.id
        event = await received(stream, "ref.moved", "upper")
        assert event["details"]["global_id"] == commit.global_id
        stream.close()
    for one in servers:
        assert [repo["name"] for repo in one.get("/repos")["results"]] == ["raw", "upper"]
        (job,) = wait_until(lambda one=one: ended(one), "the job")
        assert (job["state"], job["attempt"]) == ("success", 1)
    assert len(lake.commits.list("upper")) == 2

    leader.process.kill()
    leader.process.wait()
    assert wait_until(lambda: leading(lake, servers), "the second controller to lead") is other
    lake.files.put("raw@main/x", "after the kill")
    wait_until(lambda: len(lake.commits.list("upper")) == 3, "the second job")
    assert lake.files.read("upper@main/x") == b"AFTER THE KILL"
    assert {job["attempt"] for job in other.get("/jobs")["results"]} == {1}

    (killed,) = other.controllers()
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: other.controllers() not in ([], [killed]), "another controller in its place")
    lake.files.put("raw@main/x", "and again")
    wait_until(lambda: len(lake.commits.list("upper")) == 4, "the third job")


async def test_a_server_ends_while_a_verb_runs_that_would_take_days(lake, servers, tmp_path):
    one, other = servers
    place = tmp_path / "warehouse.duckdb"
    duckdb.connect(place).close()
    lake.warehouse.create("wh", f"duckdb://{place}")
    sql = "SELECT count(*) FROM range(1000000000000000) AS t(n) WHERE n % 7 = 3"
    asked = asyncio.ensure_future(one.query("wh", sql))
    await asyncio.to_thread(wait_until, lambda: is_open(place), "the query to begin")
    one.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(one.process.wait, PATIENCE_S) == 0
    with pytest.raises(HTTPError):
        await asked
    assert (
        "beside this, which is done whole or not at all: _query"
        in (tmp_path / "one.log").read_text()
    )
    assert lake.maintenance.verify().is_clean
    assert [repo["name"] for repo in other.get("/repos")["results"]] == ["raw"]


def is_open(place):
    """Whether a process of ours reads a DuckDB file."""
    try:
        with open(f"{place}.lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def ended(server):
    jobs = server.get("/jobs")["results"]
    return jobs if jobs and all(job["state"] == "success" for job in jobs) else None
