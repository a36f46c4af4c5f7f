"""Drafts are saved while people write, and go with what they are drafts of."""

import os
import threading

import pytest
import trio

from jupyter_datalake.errors import ErrorKind, NotFoundError, StorageError
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.mount import mounted_lake
from tests.unit.mount.conftest import attributes


def test_what_was_written_is_saved_now_and_then_and_once(run, lake, monkeypatch):
    async def test(mounted):
        monkeypatch.setattr(mounted_lake, "AUTOSAVE_S", 0.0)
        await mounted.write("raw/new", b"1")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mounted.shown.autosave)
            with trio.fail_after(20):
                while not lake.sessions.drafts():  # noqa: ASYNC110
                    await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
        (draft,) = lake.sessions.drafts()
        await mounted.shown.save_drafts()
        assert lake.sessions.drafts() == [draft]
        await mounted.write("raw/more", b"2")
        await mounted.shown.save_drafts()
        assert lake.sessions.drafts()[0].changes == 2

    run(test)


def test_a_commit_and_a_discard_of_everything_end_a_draft(run, lake):
    async def test(mounted):
        session_id = mounted.view().session.id
        await mounted.write("raw/new", b"1")
        await mounted.shown.save(session_id)
        await mounted.shown.discard(session_id, ["a.txt"])
        assert len(lake.sessions.drafts()) == 1
        await mounted.shown.commit(session_id, "New", lake.author, {})
        assert lake.sessions.drafts() == []
        await mounted.write("raw/new", b"2")
        await mounted.shown.save(session_id)
        await mounted.shown.discard(session_id, None)
        assert lake.sessions.drafts() == []
        with lake.core.metadata.read() as tx:
            assert tx.pins.owners() == []

    run(test)


def test_a_commit_that_comes_between_is_not_undone_by_a_draft(run, lake):
    async def test(mounted):
        view = mounted.view()
        await mounted.write("raw/new", b"1")
        collected = view._drafter.collect()
        await mounted.shown.commit(view.session.id, "New", lake.author, {})
        assert await trio.to_thread.run_sync(view._drafter.save, collected) is None
        assert lake.sessions.drafts() == []
        with pytest.raises(NotFoundError):
            lake.sessions.recover(view.session.id)

    run(test)


def test_files_are_read_again_when_they_changed_and_survive_gc(run, lake, monkeypatch):
    async def test(mounted):
        view, read = mounted.view(), []
        from jupyter_datalake.engine import drafts

        def counting(*arguments, real=drafts.store_stream, **more):
            read.append(1)
            return real(*arguments, **more)

        monkeypatch.setattr(drafts, "store_stream", counting)
        await mounted.write("raw/one", os.urandom(300_000))
        await mounted.write("raw/two", b"2" * 100)
        await view.save()
        assert len(read) == 2
        await mounted.write("raw/two", b"3" * 101)
        await view.save()
        assert len(read) == 3
        lake.maintenance.gc(GcPolicy(grace_s=0))
        lake.maintenance.gc(GcPolicy(grace_s=0))
        recovered = lake.sessions.recover(view.session.id)
        assert [one.path for one in lake.sessions.diff(recovered.id)] == ["one", "two"]
        with lake.sessions.open(recovered.id) as session:
            assert session.open("one").read() == await mounted.read("raw/one")
            assert session.open("two").read() == b"3" * 101

    run(test)


@pytest.mark.logs("No draft of raw was saved")
def test_a_draft_that_cannot_be_saved_is_tried_again_and_stops_nobody(run, lake, monkeypatch):
    async def test(mounted):
        view = mounted.view()
        await mounted.write("raw/new", b"1")

        def refuse(_):
            raise StorageError("the disk is full", kind=ErrorKind.STORAGE_FULL)

        with monkeypatch.context() as patch:
            patch.setattr(view._drafter, "save", refuse)
            await mounted.shown.save_drafts()
        assert lake.sessions.drafts() == []
        assert view.is_unsaved
        await mounted.shown.save_drafts()
        assert len(lake.sessions.drafts()) == 1

    run(test)


def test_a_discard_does_not_wait_for_a_draft_of_a_large_file(run, lake, monkeypatch):
    """The file never ends; whoever discards it has the reading end."""
    from jupyter_datalake.engine import drafts

    begun = threading.Event()

    class Endless(drafts._Reading):
        def readinto(self, buffer):
            begun.set()
            super().readinto(buffer)
            return len(buffer)

    async def test(mounted):
        view = mounted.view()
        await mounted.write("raw/new", b"1")
        with monkeypatch.context() as patch:
            patch.setattr(drafts, "_Reading", Endless)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(view.save)
                assert await trio.to_thread.run_sync(begun.wait, 20)
                with trio.fail_after(20):
                    await mounted.shown.discard(view.session.id, ["new"])
        assert lake.sessions.drafts() == []
        assert "new" not in await mounted.names("raw")
        await mounted.write("raw/more", b"2")
        await view.save()
        assert lake.sessions.drafts()[0].changes == 1

    run(test)


def test_a_mount_that_ends_does_not_wait_for_a_draft(run, lake):
    async def test(mounted):
        view = mounted.view()
        await mounted.write("raw/new", b"1")
        mounted.shown.end_saving()
        await view.save()
        assert lake.sessions.drafts() == []
        assert view.session.has_changes

    run(test)


@pytest.mark.logs("nearly all holes")
def test_a_file_that_is_nearly_all_holes_keeps_no_other_from_its_draft(run, lake):
    async def test(mounted):
        await mounted.write("raw/hollow", b"1")
        wanted, fields = attributes(size=2**43)
        await mounted.operations.setattr(
            await mounted.number("raw/hollow"), wanted, fields, None, None
        )
        await mounted.write("raw/more", b"2")
        await mounted.view().save()
        (draft,) = lake.sessions.drafts()
        assert draft.changes == 1

    run(test)
