"""Hostile names through a mount, row by row of docs/reliability.md."""

import errno
import os

import pytest

from jupyter_datalake.model.commits import Author
from jupyter_datalake.testing.invariants import check_lake
from tests.unit.mount.conftest import refused

ADA = Author("Ada")


async def make(mounted, folder, name, content=b"x"):
    """Make a file as a program does; return its inode number."""
    made, found = await mounted.operations.create(folder, name, 0o100644, os.O_RDWR, None)
    await mounted.operations.write(made.fh, 0, content)
    await mounted.operations.release(made.fh)
    return found.st_ino


async def read(mounted, folder, name):
    found = await mounted.operations.lookup(folder, name, None)
    fh = (await mounted.operations.open(found.st_ino, os.O_RDONLY, None)).fh
    try:
        return await mounted.operations.read(fh, 0, 1 << 20)
    finally:
        await mounted.operations.release(fh)


async def commit(mounted, lake):
    await mounted.shown.commit(mounted.view().session.id, "Names", ADA, {})
    check_lake(lake)
    return {one.path for one in lake.files.list("raw@main")} - {"a.txt", "folder"}


@pytest.mark.parametrize("name", [b"", b".", b"..", b"a\0b", b"a/b", b"/"])
def test_b1_names_that_are_none_are_refused(run, lake, name):
    """The kernel asks for none of them; a program that talks to the device itself may."""

    async def test(mounted):
        do, root = mounted.operations, await mounted.number("raw")
        number = await mounted.number("raw/a.txt")
        for make_it in (
            do.create(root, name, 0o100644, os.O_RDWR, None),
            do.mkdir(root, name, 0o755, None),
            do.symlink(root, name, b"a.txt", None),
            do.rename(root, b"a.txt", root, name, 0, None),
        ):
            await refused(errno.EINVAL, make_it)
        assert sorted(await mounted.names("raw")) == ["a.txt", "folder"]
        assert await mounted.number("raw/a.txt") == number
        assert not mounted.view().session.has_changes

    run(test)


def test_b2_twins_of_unicode_and_of_case_are_both_kept(run, lake):
    async def test(mounted):
        root = await mounted.number("raw")
        names = {"caf\u00e9", "cafe\u0301", "File", "file"}
        for name in names:
            await make(mounted, root, name.encode(), name.encode())
        assert set(await mounted.names("raw")) == names | {"a.txt", "folder"}
        assert await commit(mounted, lake) == names
        for name in names:
            assert await read(mounted, root, name.encode()) == name.encode()
            assert lake.files.read(f"raw@main/{name}") == name.encode()

    run(test)


def test_b3_names_to_255_bytes_and_paths_to_4095(run, lake):
    async def test(mounted):
        do, folder = mounted.operations, await mounted.number("raw")
        root = folder
        await make(mounted, root, b"n" * 255)
        for name in (b"n" * 256, "é".encode() * 128):
            await refused(errno.ENAMETOOLONG, do.create(root, name, 0o100644, os.O_RDWR, None))
            await refused(errno.ENAMETOOLONG, do.lookup(root, name, None))
            await refused(errno.ENAMETOOLONG, do.rename(root, b"a.txt", root, name, 0, None))
        for _ in range(39):
            folder = (await do.mkdir(folder, b"d" * 100, 0o755, None)).st_ino
        await make(mounted, folder, b"d" * 100, b"deep")
        await refused(errno.ENAMETOOLONG, do.create(folder, b"d" * 200, 0o100644, os.O_RDWR, None))
        assert await commit(mounted, lake) == {"n" * 255, "d" * 100}
        assert lake.files.read(f"raw@main/{'/'.join(['d' * 100] * 40)}") == b"deep"

    run(test)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("latin1-\udce9", id="b4 no text"),
        pytest.param("HEAD", id="b5 reserved"),
        pytest.param("con", id="b5 reserved elsewhere"),
        pytest.param("0" * 64, id="b5 like an id"),
        pytest.param("--help", id="b5 like an option"),
        pytest.param("main~2", id="b5 like ancestry"),
        pytest.param("raw@main", id="b5 like an address"),
        pytest.param("\u202egnp.exe", id="b6 right to left"),
        pytest.param("a\nb", id="b6 newline"),
        pytest.param("\x1b[31mred", id="b6 escape"),
        pytest.param("*", id="b9 any"),
        pytest.param("[a.txt]", id="b9 class"),
        pytest.param("'; drop table repos; --", id="b10"),
    ],
)
def test_b4_b5_b6_b9_b10_a_file_may_have_any_name_that_is_bytes(run, lake, name):
    async def test(mounted):
        root, raw = await mounted.number("raw"), os.fsencode(name)
        await refused(errno.ENOENT, mounted.operations.lookup(root, raw, None))
        await make(mounted, root, raw, b"odd")
        assert await read(mounted, root, raw) == b"odd"
        assert await commit(mounted, lake) == {name}
        assert lake.files.read(f"raw@main/{name}") == b"odd"
        assert await read(mounted, root, raw) == b"odd"
        assert await mounted.read("raw/a.txt") == b"hello"
        await mounted.operations.unlink(root, raw, None)
        assert await commit(mounted, lake) == set()

    run(test)


def test_b5_a_ref_that_there_is_none_of_is_no_folder_and_makes_none(run, lake):
    async def test(mounted):
        before = lake.refs.list("raw")
        for name in (b"raw@HEAD", b"raw@" + b"0" * 64, b"raw@main~99", b"raw@a^b", b"HEAD", b"out"):
            await refused(errno.ENOENT, mounted.operations.lookup(1, name, None))
        await refused(errno.EROFS, mounted.operations.mkdir(1, b"raw@HEAD", 0o755, None))
        assert lake.refs.list("raw") == before
        assert [repo.name for repo in lake.repos.list()] == ["raw"]

    run(test)


def test_b7_a_file_and_a_folder_of_one_name_are_not_both_there(run, lake):
    async def test(mounted):
        do, root = mounted.operations, await mounted.number("raw")
        file = await mounted.number("raw/a.txt")
        await refused(errno.EEXIST, do.mkdir(root, b"a.txt", 0o755, None))
        await refused(errno.EEXIST, do.create(root, b"folder", 0o100644, os.O_RDWR, None))
        await refused(errno.ENOTDIR, do.create(file, b"below", 0o100644, os.O_RDWR, None))
        await refused(errno.ENOTDIR, do.mkdir(file, b"below", 0o755, None))
        await refused(errno.ENOTDIR, do.rename(root, b"folder", root, b"a.txt", 0, None))
        await refused(errno.EISDIR, do.rename(root, b"a.txt", root, b"folder", 0, None))
        assert not mounted.view().session.has_changes
        assert await mounted.read("raw/a.txt") == b"hello"

    run(test)
