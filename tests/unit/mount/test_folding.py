"""What is staged in a mount leaves the memory while programs go on, and none of them can tell."""

import os
from dataclasses import replace

import pyfuse3
import pytest
import trio

from jupyter_datalake.errors import StorageError
from jupyter_datalake.mount.folders import write_staged
from jupyter_datalake.testing.invariants import check_lake, contents_of
from tests.unit.mount.conftest import attributes


def fold_after(view, count):
    """Have a view's session fold when it is looked after next, if it holds so many acts."""
    view.session._core = replace(view.session._core, staged_count=count)
    view.session._folds_at = count


def working_files(view):
    return os.listdir(view.session._folder / "data")


async def looks(mounted, path):
    found = await mounted.find(path)
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns


def test_files_look_and_read_as_before_when_they_were_folded(run, lake):
    async def test(mounted):
        view = mounted.view()
        fold_after(view, 5)
        folder = await mounted.operations.mkdir(
            await mounted.number("raw"), b"private", 0o40700, None
        )
        for number in range(6):
            await mounted.write(f"raw/private/{number}", b"%d" % number * 50)
        times, wanted = attributes(mtime_ns=5)
        await mounted.operations.setattr(
            await mounted.number("raw/private/3"), times, wanted, None, None
        )
        paths = ["raw/private", "raw/a.txt", *(f"raw/private/{number}" for number in range(6))]
        before = [await looks(mounted, path) for path in paths]
        reader = (await mounted.operations.open(before[3][0], os.O_RDONLY, None)).fh
        await mounted.shown.keep_up()
        assert view.tree.is_folded
        assert working_files(view) == []
        assert [await looks(mounted, path) for path in paths] == before
        assert folder.st_ino == before[0][0]
        assert await mounted.operations.read(reader, 0, 100) == b"1" * 50
        await mounted.operations.release(reader)
        assert sorted(await mounted.names("raw/private")) == [str(n) for n in range(6)]
        with pytest.raises(pyfuse3.FUSEError):
            await mounted.operations.getxattr(before[3][0], b"user.datalake.commit", None)
        await mounted.shown.commit(view.session.id, "All of them", lake.author, {})
        assert contents_of(lake, "raw")["private/5"] == b"5" * 50

    run(test)
    check_lake(lake)


def test_a_file_that_is_being_written_is_left_alone_and_folded_later(run, lake):
    async def test(mounted):
        view = mounted.view()
        fold_after(view, 3)
        above = await mounted.number("raw")
        for number in range(4):
            await mounted.write(f"raw/{number}", b"%d" % number)
        made, _ = await mounted.operations.create(above, b"long", 0o100644, os.O_RDWR, None)
        await mounted.operations.write(made.fh, 0, b"begun, ")
        await mounted.shown.keep_up()
        assert len(working_files(view)) == 1
        await mounted.operations.write(made.fh, 7, b"ended")
        assert await mounted.read("raw/long") == b"begun, ended"
        await mounted.operations.release(made.fh)
        fold_after(view, 0)
        await mounted.shown.keep_up()
        assert working_files(view) == []
        assert await mounted.read("raw/long") == b"begun, ended"
        await mounted.write("raw/long", b"BEGUN")
        await mounted.shown.commit(view.session.id, "Long", lake.author, {})
        assert contents_of(lake, "raw")["long"] == b"BEGUN, ended"

    run(test)


def test_a_list_of_changes_holds_those_that_are_folded_while_it_is_made(run, lake, monkeypatch):
    async def test(mounted):
        view = mounted.view()
        fold_after(view, 10**6)
        for number in range(4):
            await mounted.write(f"raw/{number}", b"%d" % number)
        await mounted.write("raw/a.txt", b"HELLO")
        staged = view.session.staged("", 100)
        fold_after(view, 0)
        await mounted.shown.keep_up()
        assert view.tree.is_folded
        for inode in list(mounted.shown.inodes._by_number.values()):
            mounted.shown.inodes.forget(inode.number, inode.lookups)
        shown = {one.path: str(one.kind) for one in view.session.show_staged(staged)}
        assert shown == {"a.txt": "modified"} | {str(number): "added" for number in range(4)}
        view.session.delete("0")
        assert "0" not in {one.path for one in view.session.show_staged(staged)}

    run(test)


@pytest.mark.logs("could not be folded")
def test_a_fold_that_fails_is_put_off_and_stops_nobody(run, lake, monkeypatch):
    async def test(mounted):
        view = mounted.view()
        fold_after(view, 2)

        def refuse(_):
            raise StorageError("the disk is full")

        for number in range(3):
            await mounted.write(f"raw/{number}", b"%d" % number)
        monkeypatch.setattr(view.session, "store_fold", refuse)
        await mounted.shown.keep_up()
        assert not view.tree.is_folded
        assert not view.session.is_full
        monkeypatch.undo()
        for number in range(3, 6):
            await mounted.write(f"raw/{number}", b"%d" % number)
        await mounted.shown.keep_up()
        assert view.tree.is_folded
        assert [await mounted.read(f"raw/{number}") for number in range(6)] == [
            b"%d" % number for number in range(6)
        ]

    run(test)


def test_what_is_folded_waits_for_a_draft_that_reads_the_files(run, lake):
    async def test(mounted):
        view = mounted.view()
        fold_after(view, 1)
        await mounted.write("raw/new", b"1")
        async with view._saving:
            await mounted.shown.keep_up()
            assert not view.tree.is_folded
        with trio.fail_after(20):
            await mounted.shown.keep_up()
        assert view.tree.is_folded
        await mounted.shown.save_drafts()
        assert lake.sessions.drafts()[0].changes == 1

    run(test)


@pytest.mark.parametrize("is_folded", [False, True])
def test_a_checkout_begins_with_what_was_put_into_an_empty_folder_and_taken_from_a_full_one(
    lake, tmp_path, is_folded
):
    with lake.sessions.create("raw") as first:
        first.make_folder("e")
        first.put("f/only", b"1")
        first.commit("begin")
        first.delete_session()
    with lake.sessions.begin("raw", "main") as session:
        session.put("e/filled", b"1")
        session.delete("f/only")
        if is_folded:
            session.fold()
        session.tree.committed.export("", tmp_path / "out")
        write_staged(session, tmp_path / "out")
    assert {found.name for found in (tmp_path / "out").iterdir()} >= {"e", "f"}
    assert os.listdir(tmp_path / "out" / "e") == ["filled"]
    assert os.listdir(tmp_path / "out" / "f") == []
