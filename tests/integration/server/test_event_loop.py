"""The loop answers while a verb blocks: what takes long is done in threads."""

import asyncio
import threading
import time

import pytest

from jupyter_datalake.errors import StateError
from jupyter_datalake.lake.commits import Commits
from jupyter_datalake.lake.files import Files
from jupyter_datalake.server import commits
from jupyter_datalake.server.commits import CommitsHandler
from jupyter_datalake.server.extension import _THREADS


async def task_of(coroutine):
    """Start a request and let it come as far as the server."""
    task = asyncio.ensure_future(coroutine)
    await asyncio.sleep(0)
    return task


class Held:
    """Verbs that block until they are let go."""

    def __init__(self):
        self.go = threading.Event()
        self.entered = threading.Semaphore(0)

    async def until(self, count):
        for _ in range(count):
            await asyncio.to_thread(self.entered.acquire, timeout=60)


@pytest.fixture
def held(monkeypatch):
    """Hold every file that is put back until told."""
    held = Held()
    put = Files.put

    def slow(*arguments, **options):
        held.entered.release()
        held.go.wait(60)
        return put(*arguments, **options)

    monkeypatch.setattr(Files, "put", slow)
    yield held
    held.go.set()


async def test_the_loop_answers_while_a_verb_blocks(call, served_lake, held):
    served_lake.repos.create("raw")
    slow = await task_of(call("putFile", repo="raw", ref="main", path="x", data=b"x", expect=201))
    await held.until(1)
    for _ in range(10):
        assert (await call("listRepos")).json["results"][0]["name"] == "raw"
        assert (await call("getStatus")).status == 200
    assert not slow.done()
    held.go.set()
    await slow
    assert served_lake.files.list("raw@main")[0].path == "x"


async def test_jupyter_itself_answers_while_every_thread_of_ours_is_taken(
    call, served_lake, held, jp_fetch
):
    served_lake.repos.create("raw")
    slow = [
        await task_of(call("putFile", repo="raw", ref="main", path=f"{n}", data=b"x", expect=201))
        for n in range(_THREADS)
    ]
    await held.until(_THREADS)
    waiting = await task_of(call("listRepos"))
    for _ in range(5):
        assert (await jp_fetch("api", "status")).code == 200
    assert not any(one.done() for one in [*slow, waiting])
    held.go.set()
    await asyncio.gather(*slow, waiting)
    assert len(served_lake.files.list("raw@main")) == _THREADS


async def test_a_slow_look_stops_when_its_connection_closes_and_holds_up_nobody(
    call, served_lake, monkeypatch, jp_http_port, jp_auth_header, jp_base_url
):
    served_lake.repos.create("raw")
    served_lake.files.put("raw@main/t.csv", "id\n1\n")
    entered, stopped = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(*_arguments, stop, **_options):
        loop.call_soon_threadsafe(entered.set)
        if stop.wait(60):
            loop.call_soon_threadsafe(stopped.set)
        raise StateError("stopped")

    monkeypatch.setattr(Files, "describe", slow)
    path = f"{jp_base_url}datalake/repos/raw/refs/main/statistics?path=t.csv"
    reader, writer = await asyncio.open_connection("127.0.0.1", jp_http_port)
    token = jp_auth_header["Authorization"]
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()
    await asyncio.wait_for(entered.wait(), 60)
    place = {"repo": "raw", "ref": "main", "path": "t.csv"}
    assert (await call("previewFile", **place)).json["page"]["rows"] == [["1"]]
    assert not stopped.is_set()
    writer.close()
    await writer.wait_closed()
    await asyncio.wait_for(stopped.wait(), 60)
    assert reader.at_eof() or reader.exception() is not None or not await reader.read()


async def test_the_loop_is_never_held_for_long_while_a_large_commit_is_made(call, served_lake):
    served_lake.repos.create("raw")
    with served_lake.sessions.create("raw") as session:
        for number in range(20_000):
            session.put(f"{number % 40}/{number}", f"{number}")
    (info,) = served_lake.sessions.list()
    began = time.monotonic()
    slow = await task_of(
        call("commitSession", session=info.id, json_body={"message": "all of it"}, expect=201)
    )
    longest, answered = 0.0, 0
    while not slow.done():
        before = time.monotonic()
        await asyncio.sleep(0.001)
        longest = max(longest, time.monotonic() - before)
        if not slow.done():
            await call("listRepos")
            answered += 1
    took = time.monotonic() - began
    await slow
    assert answered >= 3
    assert longest < took / 2, f"the loop stood still for {longest:.2f} s of {took:.2f} s"
    assert served_lake.commits.get("raw").file_count == 20_000


async def test_events_are_pushed_while_a_verb_blocks(call, served_lake, held, jp_ws_fetch):
    served_lake.repos.create("raw")
    stream = await jp_ws_fetch("datalake", "events", "stream", params={"after": "0"})
    slow = await task_of(call("putFile", repo="raw", ref="main", path="x", data=b"x", expect=201))
    await held.until(1)
    served_lake.repos.create("meanwhile")
    while "meanwhile" not in await stream.read_message():
        pass
    assert not slow.done()
    held.go.set()
    await slow
    stream.close()


async def test_commits_that_nobody_waits_for_are_not_looked_for_to_the_end(
    call, served_lake, monkeypatch
):
    served_lake.repos.create("raw")
    for number in range(6):
        served_lake.files.put("raw@main/x", f"{number}")
    look = Commits.look
    asked = []

    def few(self, *arguments, **options):
        asked.append(options["after"])
        return look(self, *arguments, **options, looks=2)

    monkeypatch.setattr(Commits, "look", few)
    rare = {"repo": "raw", "ref": "main", "path": "nowhere"}
    assert (await call("listCommits", **rare)).json == {"results": [], "next": None, "looked": 7}
    assert len(asked) == 4
    monkeypatch.setattr(commits, "_LOOK_S", 0)
    answer = (await call("listCommits", **rare)).json
    assert (answer["results"], answer["next"] is None, len(asked)) == ([], False, 5)
    monkeypatch.setattr(CommitsHandler, "is_gone", True)
    await call("listCommits", **rare)
    assert len(asked) == 5
