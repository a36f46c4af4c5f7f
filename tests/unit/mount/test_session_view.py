"""Commands on a mounted session, and what waits for them."""

import errno
import os
import threading

import pytest
import trio

from jupyter_datalake.errors import ConflictError, StateError, StorageError
from jupyter_datalake.model.commits import Author
from jupyter_datalake.mount import session_view
from tests.unit.mount.conftest import attributes, refused

ADA = Author("Ada")


def test_a_commit_tells_the_kernel_only_what_others_changed(run, lake, kernel):
    async def test(mounted):
        await mounted.write("raw/ours", b"ours")
        number = await mounted.number("raw/a.txt")
        lake.files.put("raw@main/a.txt", "theirs")
        await mounted.shown.commit(mounted.view().session.id, "Ours", ADA, {})
        assert await mounted.read("raw/a.txt") == b"theirs"
        assert await mounted.number("raw/a.txt") == number
        assert number in kernel.inodes
        assert await mounted.number("raw/folder") not in kernel.inodes
        assert lake.files.read("raw@main/ours") == b"ours"

    run(test)


def test_a_file_being_read_keeps_its_content_over_a_commit(run, lake, kernel):
    async def test(mounted):
        do = mounted.operations
        number = await mounted.number("raw/a.txt")
        fh = (await do.open(number, os.O_RDONLY, None)).fh
        lake.files.put("raw@main/a.txt", "theirs")
        await mounted.write("raw/ours", b"ours")
        await mounted.shown.commit(mounted.view().session.id, "Ours", ADA, {})
        assert (await mounted.number("raw"), b"a.txt") in kernel.names
        assert await do.read(fh, 0, 100) == b"hello"
        assert await mounted.read("raw/a.txt") == b"theirs"
        assert await mounted.number("raw/a.txt") != number
        await do.release(fh)

    run(test)


def test_f11_writers_wait_for_a_commit_and_readers_do_not(run, monkeypatch):
    async def test(mounted):
        view = mounted.view()
        await mounted.write("raw/new", b"1")
        started, go_on, order = trio.Event(), threading.Event(), []
        publish = view.session.publish

        def slowly(*arguments, **keywords):
            trio.from_thread.run_sync(started.set)
            go_on.wait(10)
            return publish(*arguments, **keywords)

        monkeypatch.setattr(view.session, "publish", slowly)

        async def commit():
            await view.commit("One", ADA, {})
            order.append("committed")

        async def write():
            await mounted.write("raw/new", b"2")
            order.append("written")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(commit)
            await started.wait()
            nursery.start_soon(write)
            await trio.testing.wait_all_tasks_blocked()
            assert await mounted.read("raw/a.txt") == b"hello"
            assert await mounted.read("raw/new") == b"1"
            assert await mounted.names("raw") == ["a.txt", "folder", "new"]
            go_on.set()
        assert order == ["committed", "written"]
        assert [change.path for change in await view.diff("", "", 10)] == ["new"]

    run(test)


def test_nodes_forgotten_while_the_tree_is_rearranged_are_released_afterwards(run):
    async def test(mounted):
        view = mounted.view()
        found = await mounted.find("raw/folder/c.txt")
        node = mounted.shown.inodes.get(found.st_ino).node
        async with view.gate.unchanging(), view.rearranging():
            await mounted.operations.forget([(found.st_ino, 1)])
            assert view.tree.get("folder").children["c.txt"] is node
        assert "c.txt" not in view.tree.get("folder").children

    run(test)


def test_a_discard_brings_back_what_was_there(run, kernel):
    async def test(mounted):
        await mounted.write("raw/a.txt", b"STAGED")
        await mounted.write("raw/added", b"1")
        root = await mounted.number("raw")
        await mounted.operations.rename(root, b"folder", root, b"moved", 0, None)
        await mounted.shown.discard(mounted.view().session.id, None)
        assert await mounted.read("raw/a.txt") == b"hello"
        assert await mounted.names("raw") == ["a.txt", "folder"]
        assert await mounted.number("raw/a.txt") in kernel.inodes
        assert {name for _, name in kernel.names} >= {b"added", b"moved"}

    run(test)


def test_copies_for_writing_survive_a_rebase_that_comes_between(run, lake, monkeypatch):
    async def test(mounted):
        view = mounted.view()
        copy_out = view.session.copy_out
        rebased = []

        def copy(entry, **keywords):
            data = copy_out(entry, **keywords)
            if not rebased:
                rebased.append(lake.files.put("raw@main/a.txt", "their longer text"))
                trio.from_thread.run(view.rebase)
            return data

        monkeypatch.setattr(view.session, "copy_out", copy)
        number = await mounted.number("raw/a.txt")
        fh = (await mounted.operations.open(number, os.O_RDWR, None)).fh
        view.writers = 0  # the rebase would wait for it otherwise
        await mounted.operations.write(fh, 0, b"OURS")
        view.writers = 1
        await mounted.operations.release(fh)
        assert await mounted.read("raw/a.txt") == b"OURSr longer text"
        assert len(os.listdir(view.session._folder / "data")) == 1

    run(test)


def test_a_branch_is_not_rebased_under_an_open_writer(run, lake):
    async def test(mounted):
        number = await mounted.number("raw/a.txt")
        fh = (await mounted.operations.open(number, os.O_RDWR, None)).fh
        lake.files.put("raw@main/a.txt", "theirs")
        await mounted.shown.keep_up()
        assert mounted.view().is_behind
        assert await mounted.operations.read(fh, 0, 100) == b"hello"
        await mounted.operations.release(fh)
        await mounted.shown.keep_up()
        assert await mounted.read("raw/a.txt") == b"theirs"
        assert not mounted.view().is_behind

    run(test)


def test_conflicts_and_empty_commits_change_nothing(run, lake):
    async def test(mounted):
        session = mounted.view().session
        with pytest.raises(StateError):
            await mounted.shown.commit(session.id, "Nothing", ADA, {})
        await mounted.write("raw/a.txt", b"ours")
        lake.files.put("raw@main/a.txt", "theirs")
        with pytest.raises(ConflictError):
            await mounted.shown.commit(session.id, "Ours", ADA, {})
        assert await mounted.read("raw/a.txt") == b"ourso"
        await mounted.write("raw/b.txt", b"still writable")

    run(test)


def test_an_unmounted_session_takes_nothing_more(run, lake):
    async def test(mounted):
        number = await mounted.number("raw/a.txt")
        fh = (await mounted.operations.open(number, os.O_RDWR, None)).fh
        root = await mounted.number("raw")
        with lake.core.metadata.write() as tx:
            tx.mounts.delete("/shown", "raw")
        await mounted.shown.refresh()
        await refused(errno.ESTALE, mounted.operations.write(fh, 0, b"x"))
        await refused(errno.ESTALE, mounted.operations.mkdir(root, b"d", 0o755, None))
        assert await mounted.operations.read(fh, 0, 10) == b"hello"
        await refused(errno.ENOENT, mounted.find("raw/a.txt"))
        await mounted.operations.release(fh)

    run(test)


def test_an_unlinked_file_can_be_changed_until_it_is_closed(run):
    async def test(mounted):
        do = mounted.operations
        root, number = await mounted.number("raw"), await mounted.number("raw/a.txt")
        fh = (await do.open(number, os.O_RDWR, None)).fh
        await do.unlink(root, b"a.txt", None)
        await do.write(fh, 0, b"J")
        await do.setattr(number, *attributes(size=3, mode=0o100600), fh, None)
        await do.fsync(fh, False)
        assert await do.read(fh, 0, 100) == b"Jel"
        assert (await do.getattr(number, None)).st_nlink == 0
        await do.release(fh)
        assert os.listdir(mounted.view().session._folder / "data") == []
        await refused(errno.ESTALE, do.setattr(number, *attributes(mode=0o100600), None, None))

    run(test)


@pytest.mark.logs("is read-only from now on")
def test_e6_bytes_that_could_not_be_synced_end_all_writing(run, lake, monkeypatch):
    """The program that asked is told, and so is everybody who would rely on what follows."""

    def fail(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async def test(mounted):
        do = mounted.operations
        number = await mounted.number("raw/a.txt")
        fh = (await do.open(number, os.O_RDWR, None)).fh
        await do.write(fh, 0, b"J")
        with monkeypatch.context() as disk:
            disk.setattr(os, "fsync", fail)
            await refused(errno.EIO, do.fsync(fh, False))
        await refused(errno.EROFS, do.fsync(fh, False))
        root = await mounted.number("raw")
        await refused(errno.EROFS, do.mkdir(root, b"d", 0o755, None))
        assert await do.read(fh, 0, 100) == b"Jello"
        await do.release(fh)
        session = mounted.view().session
        with pytest.raises(StorageError, match="was marked read-only"):
            await mounted.shown.commit(session.id, "New", lake.author, {})
        assert session.is_open
        assert lake.files.read("raw@main/a.txt") == b"hello"
        session._let_go()  # as the end of the process does

    run(test)


def test_a_rename_into_itself_is_refused_even_if_the_kernel_let_it_pass(run):
    async def test(mounted):
        root, folder = await mounted.number("raw"), await mounted.number("raw/folder")
        rename = mounted.operations.rename
        await refused(errno.EINVAL, rename(root, b"folder", folder, b"below", 0, None))
        await refused(errno.EINVAL, rename(root, b"a.txt", root, b"b.txt", 2, None))
        await refused(errno.EEXIST, rename(root, b"a.txt", root, b"folder", 1, None))
        await refused(errno.EXDEV, rename(root, b"a.txt", 1, b"raw2", 0, None))

    run(test)


def test_working_files_are_made_in_advance_while_many_are_made_and_removed_afterwards(run, lake):
    async def test(mounted):
        view, folder = mounted.view(), await mounted.number("raw/folder")
        for number in range(40):
            made, _ = await mounted.operations.create(folder, b"%d" % number, 0o100644, 2, None)
            await mounted.operations.write(made.fh, 0, b"%d" % number)
            await mounted.operations.release(made.fh)
        with trio.fail_after(30):
            while view._is_preparing:  # noqa: ASYNC110
                await trio.sleep(0.01)
        assert view.session.prepared_count > 64
        made, _ = await mounted.operations.create(folder, b"last", 0o100644, 2, None)
        await mounted.operations.release(made.fh)
        await view.rest()
        assert view.session.prepared_count > 0
        await view.rest()
        assert view.session.prepared_count == 0
        assert [await mounted.read(f"raw/folder/{number}") for number in range(40)] == [
            b"%d" % number for number in range(40)
        ]
        assert await mounted.read("raw/folder/last") == b""
        await mounted.shown.commit(view.session.id, "Many", Author("Ada"), {})
        assert lake.files.read("raw@main/folder/39") == b"39"

    run(test)


def test_a_large_diff_lets_others_in_between_its_batches(run, lake, monkeypatch):
    async def test(mounted):
        monkeypatch.setattr(session_view, "_DIFF_BATCH", 2)
        view, looked = mounted.view(), []
        for number in range(10):
            await mounted.write(f"raw/new{number}", b"1")
        show, begun = view.session.show_staged, trio.Event()

        def showing(staged):
            looked.append(len(staged))
            trio.from_thread.run_sync(begun.set)
            return show(staged)

        monkeypatch.setattr(view.session, "show_staged", showing)
        remove = mounted.operations.unlink

        async def look():
            await begun.wait()
            await remove(await mounted.number("raw"), b"new9", None)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            changes = await view.diff("", "", 100)
        assert looked == [2, 2, 2, 2, 2]
        found = {change.path for change in changes}
        assert found - {"new9"} == {f"new{number}" for number in range(9)}
        assert {one.path for one in await view.diff("", "", 100)} == found - {"new9"}
        assert [one.path for one in await view.diff("new3", "", 100)] == ["new3"]
        assert len(await view.diff("", "", 4)) == 4
        rest = [one.path for one in await view.diff("", "new3", 100)]
        assert rest == [f"new{number}" for number in range(4, 9)]
        assert await view.diff("folder", "", 100) == []

    run(test)
