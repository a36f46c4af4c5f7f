"""Who opens what is counted, whatever happens to the database or to the process."""

import os
from types import SimpleNamespace

import pytest
import trio
import trio.lowlevel

from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.mount import observers
from jupyter_datalake.mount.observing import Observations


def note(mounted, path, *, thread=None, can_write=False):
    """Let this process open a file, as a request of the kernel does."""

    async def ask():
        found = await mounted.find(path)
        inode = mounted.shown.inodes.get(found.st_ino)
        mounted.operations.observations.note(
            os.getpid() if thread is None else thread, inode.view, inode.node, can_write=can_write
        )

    return ask()


def recorded(lake):
    return {(one.path, str(one.kind)): one for one in lake.lineage.observed()}


def test_opens_are_counted_and_written_down_by_process(run, lake):
    async def test(mounted):
        observations = mounted.operations.observations
        for _ in range(3):
            await note(mounted, "raw/a.txt")
        await note(mounted, "raw/folder/c.txt", can_write=True)
        await observations.write_down(mounted.lake.core)
        await note(mounted, "raw/a.txt")
        await observations.write_down(mounted.lake.core)
        await observations.write_down(mounted.lake.core)
        found = recorded(lake)
        assert {key: one.opens for key, one in found.items()} == {
            ("a.txt", "read"): 4,
            ("folder/c.txt", "write"): 1,
        }
        one = found["a.txt", "read"]
        assert one.observer.pid == os.getpid()
        assert one.observer.notebook is None
        assert one.first_ns < one.last_ns
        assert one.session_id == mounted.view().session.id
        assert one.commit_id == mounted.view().base.id
        assert one.seen_by == "mount"

    run(test)


def test_an_open_is_noted_by_the_request_itself(run, lake):
    async def test(mounted):
        ctx = SimpleNamespace(pid=os.getpid(), uid=os.getuid(), gid=os.getgid())
        number = await mounted.number("raw/a.txt")
        opened = await mounted.operations.open(number, os.O_RDONLY, ctx)
        above = await mounted.number("raw")
        made, _ = await mounted.operations.create(above, b"new", 0o100644, os.O_WRONLY, ctx)
        await mounted.operations.observations.write_down(mounted.lake.core)
        assert set(recorded(lake)) == {("a.txt", "read"), ("new", "write")}
        for info in (opened, made):
            await mounted.operations.release(info.fh)

    run(test)


@pytest.mark.logs("could not be recorded yet")
def test_what_the_database_refuses_is_recorded_later(run, lake, monkeypatch):
    async def test(mounted):
        observations = mounted.operations.observations
        await note(mounted, "raw/a.txt")
        real = lake.core.metadata.write

        def refuse():
            raise StorageError("the database is gone", kind=ErrorKind.STORAGE_UNAVAILABLE)

        with monkeypatch.context() as patch:
            patch.setattr(lake.core.metadata, "write", refuse)
            await observations.write_down(mounted.lake.core)
        assert lake.core.metadata.write == real
        assert recorded(lake) == {}
        await note(mounted, "raw/a.txt")
        await observations.write_down(mounted.lake.core)
        assert recorded(lake)["a.txt", "read"].opens == 2

    run(test)


@pytest.mark.logs("were not recorded: too many")
def test_memory_is_bounded_and_what_was_missed_is_told(run, lake, monkeypatch):
    async def test(mounted):
        monkeypatch.setattr(observers, "MAX_WAITING", 1)
        observations = mounted.operations.observations
        await note(mounted, "raw/a.txt")
        await note(mounted, "raw/folder/c.txt")
        await note(mounted, "raw/a.txt")
        await observations.write_down(mounted.lake.core)
        assert {key: one.opens for key, one in recorded(lake).items()} == {("a.txt", "read"): 2}
        assert observations.take_missed() == 0

    run(test)


def test_a_process_that_is_gone_is_one_of_which_nothing_is_known(run, lake):
    async def test(mounted):
        await note(mounted, "raw/a.txt", thread=2**22 + 1)
        await note(mounted, "raw/folder/c.txt", thread=0)
        await mounted.operations.observations.write_down(mounted.lake.core)
        found = recorded(lake)
        assert found["a.txt", "read"].observer.command == ""
        assert found["folder/c.txt", "read"].observer.kernel_id is None

    run(test)


def test_what_is_left_is_written_down_when_the_mount_ends(run, lake):
    async def test(mounted):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mounted.operations.observations.keep, mounted.lake.core)
            await trio.lowlevel.checkpoint()
            await note(mounted, "raw/a.txt")
            nursery.cancel_scope.cancel()
        assert set(recorded(lake)) == {("a.txt", "read")}

    run(test)


def test_nothing_is_known_of_what_was_opened_before_anything_was():
    assert Observations().take() == []
