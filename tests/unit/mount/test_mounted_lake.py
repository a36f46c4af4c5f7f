"""What a mount point shows follows the metadata and the branches."""

import errno

import pytest
import trio

from jupyter_datalake.engine.session import open_session
from jupyter_datalake.mount import mounted_lake
from jupyter_datalake.mount.session_view import SessionView
from tests.unit.mount.conftest import POINT, record_mount, refused


def test_refresh_shows_exactly_what_is_recorded(run, lake):
    async def test(mounted):
        lake.repos.create("other")
        lake.files.put("other@main/x", "1")
        record_mount(lake, "other@main", "other", "main", writable=False)
        raw = mounted.view()
        await mounted.shown.refresh()
        assert await mounted.names("") == ["other@main", "raw"]
        assert mounted.view() is raw
        with lake.core.metadata.write() as tx:
            tx.mounts.delete(POINT, "raw")
        await mounted.shown.refresh()
        assert await mounted.names("") == ["other@main"]
        assert not raw.session.is_open
        assert (1, b"raw") in mounted.kernel.names

    run(test)


def test_a_session_that_is_busy_is_waited_for(run, lake, monkeypatch):
    async def test(mounted):
        lake.repos.create("other")
        session_id = record_mount(lake, "other", "other", "main", writable=True)
        busy = open_session(lake.core, lake.sessions.get(session_id))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(mounted.shown.refresh)
            await trio.sleep(0.05)
            busy.close()
        assert isinstance(mounted.view("other"), SessionView)

    run(test)


@pytest.mark.logs("other is not shown")
def test_a_mount_that_cannot_be_shown_is_named_and_tried_again(run, lake, monkeypatch):
    async def test(mounted):
        monkeypatch.setattr(mounted_lake, "_BUSY_S", 0.0)
        lake.repos.create("other")
        session_id = record_mount(lake, "other", "other", "main", writable=True)
        with open_session(lake.core, lake.sessions.get(session_id)):
            await mounted.shown.refresh()
            assert "open in another process" in mounted.shown.account()["problems"]["other"]
            assert await mounted.names("") == ["raw"]
        await mounted.shown.refresh()
        assert mounted.shown.account()["problems"] == {}
        assert await mounted.names("") == ["other", "raw"]

    run(test)


def test_a_read_only_branch_follows_and_a_tag_does_not(run, lake, kernel):
    async def test(mounted):
        lake.refs.create_tag("raw", "v1")
        record_mount(lake, "raw@v1", "raw", "v1", writable=False)
        await mounted.shown.refresh()
        number = await mounted.number("raw/a.txt")
        assert await mounted.read("raw@v1/a.txt") == b"hello"
        lake.files.put("raw@main/a.txt", "changed")
        await mounted.shown.keep_up()
        assert await mounted.read("raw/a.txt") == b"changed"
        assert await mounted.read("raw@v1/a.txt") == b"hello"
        assert kernel.inodes.count(number) == 1

    run(test, writable=False)


def test_what_others_do_elsewhere_is_not_looked_at(run, lake, kernel):
    async def test(mounted):
        lake.repos.create("other")
        lake.files.put("other@main/x", "1")
        lake.refs.create_branch("raw", "dev")
        lake.files.put("raw@dev/x", "1")
        before = mounted.view().base
        await mounted.shown.keep_up()
        assert mounted.view().base is before
        assert kernel.inodes == []

    run(test, writable=False)


def test_a_branch_that_is_deleted_stays_to_be_looked_at(run, lake):
    async def test(mounted):
        lake.refs.create_branch("raw", "dev")
        record_mount(lake, "raw@dev", "raw", "dev", writable=False)
        await mounted.shown.refresh()
        lake.files.put("raw@dev/a.txt", "last words")
        lake.refs.delete_branch("raw", "dev")
        await mounted.shown.keep_up()
        assert await mounted.read("raw@dev/a.txt") == b"hello"
        assert "dev" in mounted.shown.account()["problems"]["raw@dev"]

    run(test, writable=False)


@pytest.mark.logs("Following the lake failed")
def test_following_survives_a_database_that_fails(run, lake, monkeypatch):
    async def test(mounted):
        monkeypatch.setattr(mounted_lake, "FOLLOW_S", 0.01)
        keep_up, calls = mounted.shown.keep_up, []

        async def failing():
            calls.append(1)
            if len(calls) < 3:
                raise RuntimeError("no database")
            await keep_up()

        monkeypatch.setattr(mounted.shown, "keep_up", failing)
        lake.files.put("raw@main/a.txt", "changed")
        with trio.move_on_after(5) as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(mounted.shown.follow)
                while mounted.view().base.message == "Begin":  # noqa: ASYNC110
                    await trio.sleep(0.01)
                nursery.cancel_scope.cancel()
        assert not scope.cancelled_caught
        assert await mounted.read("raw/a.txt") == b"changed"

    run(test)


def test_the_kernel_is_asked_to_forget_when_it_knows_too_much(run, kernel):
    async def test(mounted):
        kernel.names.clear()
        found = [await mounted.find(f"raw/{path}") for path in ("a.txt", "folder/b.bin")]
        await mounted.shown.keep_up()
        assert {name for _, name in kernel.names} == {b"a.txt", b"b.bin"}
        assert [inode.node.name for inode in map(mounted.shown.inodes.get, _numbers(found))]

    run(test, max_inodes=3)


def test_a_ref_that_nobody_looks_at_is_let_go_of(run, lake, kernel, monkeypatch):
    async def test(mounted):
        lake.refs.create_tag("raw", "v1")
        lake.refs.create_tag("raw", "v2")
        lake.refs.create_tag("raw", "v3")
        number = await mounted.number("raw@v1/a.txt")
        held = await mounted.operations.open(await mounted.number("raw@v2/a.txt"), 0, None)
        await mounted.number("raw@v3/folder")
        monkeypatch.setattr(mounted_lake, "working_folders", lambda: {f"{POINT}/raw@v3/folder"})
        monkeypatch.setattr(mounted_lake, "IDLE_S", 0.0)
        kernel.names.clear()
        await mounted.shown.keep_up()
        assert kernel.names == [(1, b"raw@v1")]
        for known in (number, await mounted.number("raw@v1")):
            await mounted.operations.forget([(known, 2)])
        assert {view.name for *_, view in mounted.shown.catalogue.idle(float("inf"))} == {"raw@v3"}
        assert await mounted.read("raw@v1/a.txt") == b"hello"
        await mounted.operations.release(held.fh)
        assert len(list(mounted.shown.catalogue.idle(float("inf")))) == 3

    run(test)


def test_a_ref_that_was_just_looked_at_is_kept(run, lake, kernel):
    async def test(mounted):
        lake.refs.create_tag("raw", "v1")
        await mounted.number("raw@v1/a.txt")
        kernel.names.clear()
        await mounted.shown.keep_up()
        assert kernel.names == []

    run(test)


def _numbers(found):
    return [attributes.st_ino for attributes in found]


def test_a_session_that_had_to_close_itself_is_opened_again(run, lake, monkeypatch):
    async def test(mounted):
        await mounted.write("raw/new", b"1")
        session = mounted.view().session

        def fail(*_):
            session.close()
            raise OSError(errno.EIO, "the disk failed")

        monkeypatch.setattr(session, "settle", fail)
        with pytest.raises(OSError):
            await mounted.shown.commit(session.id, "New", lake.author, {})
        assert mounted.view().session is not session
        assert await mounted.read("raw/new") == b"1"
        assert lake.files.read("raw@main/new") == b"1"
        await mounted.write("raw/more", b"2")

    run(test)


def test_staged_changes_are_announced_once(run, lake):
    async def test(mounted):
        def announced():
            with lake.core.metadata.read() as tx:
                events = tx.events.list(0, limit=1000)
            return sum(event.subject == mounted.view().session.id for event in events)

        before = announced()
        await mounted.write("raw/x", b"1")
        await mounted.write("raw/y", b"1")
        await mounted.shown.keep_up()
        await mounted.shown.keep_up()
        assert announced() == before + 1

    run(test)


def test_any_ref_is_resolved_anew_and_forgotten_with_its_last_user(run, lake):
    async def test(mounted):
        catalogue = mounted.shown.catalogue
        old = await mounted.find("raw@main/a.txt")
        root = await mounted.find("raw@main")
        assert root.entry_timeout <= 1
        lake.files.put("raw@main/a.txt", "changed")
        assert await mounted.read("raw@main/a.txt") == b"changed"
        assert await mounted.number("raw@main") != root.st_ino
        fh = (await mounted.operations.open(old.st_ino, 0, None)).fh
        assert await mounted.operations.read(fh, 0, 9) == b"hello"
        await mounted.operations.release(fh)
        assert await mounted.names("") == ["raw"]
        for inode in list(mounted.shown.inodes._by_number.values()):
            await mounted.operations.forget([(inode.number, 1_000)])
        assert catalogue._resolved == {}

    run(test)


@pytest.mark.parametrize(
    "name", ["raw@", "@", "raw@nothing", "raw@main@main", "nothing@main", "é@main", "raw@é", "a/b"]
)
def test_what_means_nothing_is_not_there(run, name):
    async def test(mounted):
        await refused(errno.ENOENT, mounted.operations.lookup(1, name.encode(), None))

    run(test)


def test_projects_are_folders_while_they_have_repos(run, lake):
    async def test(mounted):
        lake.repos.create("demo/sales")
        lake.files.put("demo/sales@main/x", "1")
        assert await mounted.read("demo/sales@main/x") == b"1"
        assert await mounted.names("") == ["raw"]
        record_mount(lake, "demo/sales", "demo/sales", "main", writable=False)
        await mounted.shown.refresh()
        assert await mounted.names("") == ["demo", "raw"]
        assert await mounted.names("demo") == ["sales"]
        assert await mounted.read("demo/sales/x") == b"1"
        await refused(errno.ENOENT, mounted.find("demo/other"))

    run(test)
