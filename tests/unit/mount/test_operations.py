"""The handlers, called as the kernel calls them."""

import errno
import os
import stat
from types import SimpleNamespace

import pyfuse3
import pytest
import trio

from jupyter_datalake.mount.operations import Operations
from tests.unit.mount.conftest import attributes, refused


def test_every_handler_is_guarded():
    unguarded = [
        name
        for name, value in vars(Operations).items()
        if hasattr(pyfuse3.Operations, name)
        and callable(value)
        and not name.startswith("_")
        and not hasattr(value, "__wrapped__")
    ]
    assert unguarded == []


def test_paths_are_looked_up_and_read(run):
    async def test(mounted):
        assert await mounted.read("raw/a.txt") == b"hello"
        assert await mounted.read("raw/folder/b.bin") == bytes(range(256)) * 4_000
        found = await mounted.find("raw/a.txt")
        assert (found.st_size, stat.S_IFMT(found.st_mode)) == (5, stat.S_IFREG)
        assert found.entry_timeout > 86_400
        await refused(errno.ENOENT, mounted.find("raw/nothing"))
        await refused(errno.ENOENT, mounted.find("raw/a.txt/below"))

    run(test)


def test_files_are_made_written_and_listed(run):
    async def test(mounted):
        await mounted.write("raw/new", b"written")
        assert await mounted.read("raw/new") == b"written"
        assert await mounted.names("raw") == ["a.txt", "folder", "new"]
        assert (await mounted.find("raw/new")).st_size == 7

    run(test)


def test_a_listing_has_the_dots_first_and_each_name_once(run):
    async def test(mounted):
        number = await mounted.number("raw/folder")
        fh = await mounted.operations.opendir(number, None)
        token = SimpleNamespace(room=10, entries=[])
        await mounted.operations.readdir(fh, 0, token)
        assert [name for name, _ in token.entries] == [b".", b"..", b"b.bin", b"c.txt"]
        for position, expected in ((1, [b"..", b"b.bin", b"c.txt"]), (3, [b"c.txt"]), (4, [])):
            again = SimpleNamespace(room=10, entries=[])
            await mounted.operations.readdir(fh, position, again)
            assert [name for name, _ in again.entries] == expected
        await mounted.operations.releasedir(fh)
        await refused(errno.EBADF, mounted.operations.readdir(fh, 0, token))

    run(test)


def test_a_listing_is_the_same_whatever_happens_between_two_replies(run):
    async def test(mounted):
        for number in range(20):
            await mounted.write(f"raw/many-{number:02}", b"")
        root = await mounted.number("raw")
        fh = await mounted.operations.opendir(root, None)
        found, position = [], 0
        for turn in range(100):
            token = SimpleNamespace(room=2, entries=[])
            await mounted.operations.readdir(fh, position, token)
            if not token.entries:
                break
            found += [name.decode() for name, _ in token.entries]
            position = token.entries[-1][1]
            await mounted.write(f"raw/aa-{turn}", b"")
            if turn == 4:
                await mounted.operations.unlink(root, b"many-15", None)
        await mounted.operations.releasedir(fh)
        expected = ["a.txt", "folder"] + [f"many-{n:02}" for n in range(20) if n != 15]
        assert [name for name in found if not name.startswith((".", "aa-"))] == expected

    run(test)


def test_only_entries_that_were_taken_count_as_known(run):
    async def test(mounted):
        before = len(mounted.shown.inodes)
        number = await mounted.number("raw/folder")
        fh = await mounted.operations.opendir(number, None)
        await mounted.operations.readdir(fh, 2, SimpleNamespace(room=1, entries=[]))
        assert len(mounted.shown.inodes) == before + 3  # raw, folder, b.bin
        await mounted.operations.releasedir(fh)

    run(test)


def test_what_the_kernel_forgets_is_forgotten(run):
    async def test(mounted):
        found = await mounted.find("raw/folder/b.bin")
        again = await mounted.find("raw/folder/b.bin")
        assert again.st_ino == found.st_ino
        await mounted.operations.forget([(found.st_ino, 1)])
        await mounted.operations.getattr(found.st_ino, None)
        await mounted.operations.forget([(found.st_ino, 1), (987, 3), (1, 5)])
        await refused(errno.ESTALE, mounted.operations.getattr(found.st_ino, None))
        assert (await mounted.find("raw/folder/b.bin")).st_ino == found.st_ino
        await mounted.operations.getattr(1, None)

    run(test)


def test_f19_nodes_of_a_storm_of_look_ups_are_not_kept(run):
    async def test(mounted):
        tree = mounted.view().tree
        for _ in range(5):
            for path in ("raw/folder/b.bin", "raw/folder/c.txt", "raw/a.txt"):
                found = await mounted.find(path)
                await mounted.operations.forget([(found.st_ino, 1)])
        folder = await mounted.find("raw/folder")
        await mounted.operations.forget([(folder.st_ino, 11)])
        assert tree.root.children == {}

    run(test)


def test_attributes_are_set_together_or_one_by_one(run):
    async def test(mounted):
        number = await mounted.number("raw/a.txt")
        set_ = mounted.operations.setattr
        found = await set_(
            number, *attributes(size=3, mode=0o100600, mtime_ns=5, atime_ns=9), None, None
        )
        assert (found.st_size, found.st_mode & 0o7777) == (3, 0o600)
        assert (found.st_mtime_ns, found.st_atime_ns) == (5, 9)
        assert await mounted.read("raw/a.txt") == b"hel"
        found = await set_(number, *attributes(uid=os.getuid(), gid=os.getgid()), None, None)
        assert found.st_uid == os.getuid()
        found = await set_(number, *attributes(uid=1234), None, None)
        assert (found.st_uid, found.st_gid) == (1234, os.getgid())
        found = await set_(number, *attributes(gid=4321), None, None)
        assert (found.st_uid, found.st_gid) == (1234, 4321)
        await refused(errno.EFBIG, set_(number, *attributes(size=2**50 + 1), None, None))

    run(test)


def test_a_read_only_view_refuses_every_change(run):
    async def test(mounted):
        do = mounted.operations
        root, file = await mounted.number("raw"), await mounted.number("raw/a.txt")
        for awaitable in (
            do.create(root, b"x", 0o100644, os.O_WRONLY, None),
            do.mknod(root, b"x", 0o100644, 0, None),
            do.mkdir(root, b"x", 0o755, None),
            do.symlink(root, b"x", b"y", None),
            do.unlink(root, b"a.txt", None),
            do.rmdir(root, b"folder", None),
            do.rename(root, b"a.txt", root, b"x", 0, None),
            do.setattr(file, *attributes(mode=0o100600), None, None),
            do.open(file, os.O_WRONLY, None),
            do.open(file, os.O_RDWR, None),
            do.open(file, os.O_RDONLY | os.O_TRUNC, None),
            do.mkdir(1, b"repo", 0o755, None),
            do.rename(1, b"raw", 1, b"x", 0, None),
            do.rmdir(1, b"raw", None),
        ):
            await refused(errno.EROFS, awaitable)
        await refused(errno.EPERM, do.link(file, root, b"x", None))
        await refused(errno.EPERM, do.mknod(root, b"x", stat.S_IFIFO | 0o644, 0, None))

    run(test, writable=False)


@pytest.mark.parametrize("name", [b"x" * 256, b"x" * 1024])
def test_names_that_are_too_long_are_refused_everywhere(run, name):
    async def test(mounted):
        do = mounted.operations
        root = await mounted.number("raw")
        for awaitable in (
            do.lookup(root, name, None),
            do.create(root, name, 0o100644, os.O_WRONLY, None),
            do.mkdir(root, name, 0o755, None),
            do.symlink(root, name, b"y", None),
            do.unlink(root, name, None),
            do.rename(root, b"a.txt", root, name, 0, None),
        ):
            await refused(errno.ENAMETOOLONG, awaitable)

    run(test)


def test_what_is_not_supported_is_left_to_the_kernel(run):
    async def test(mounted):
        await refused(errno.ENOSYS, mounted.operations.flush(1))
        await refused(errno.ENOSYS, mounted.operations.access(1, 4, None))
        await refused(errno.ENOTSUP, mounted.operations.setxattr(1, b"user.a", b"1", None))
        await refused(errno.ENOTSUP, mounted.operations.removexattr(1, b"user.a", None))
        await refused(errno.ENODATA, mounted.operations.getxattr(1, b"security.capability", None))

    run(test)


def test_handles_of_one_kind_are_not_of_the_other(run):
    async def test(mounted):
        do = mounted.operations
        folder = await do.opendir(1, None)
        await refused(errno.EBADF, do.read(folder, 0, 1))
        await refused(errno.EBADF, do.release(folder))
        await refused(errno.EBADF, do.read(12345, 0, 1))
        await do.releasedir(folder)

    run(test)


def test_statfs_says_how_long_names_may_be(run):
    async def test(mounted):
        found = await mounted.operations.statfs(None)
        assert found.f_namemax == 255
        assert found.f_bavail > 0

    run(test)


@pytest.mark.logs("The handler of .* failed")
@pytest.mark.parametrize("error", [KeyError("x"), MemoryError(), RecursionError(), ValueError()])
def test_a_handler_that_raises_gives_eio_and_the_next_one_works(run, monkeypatch, error):
    async def test(mounted):
        def fail(*_):
            raise error

        with monkeypatch.context() as patched:
            patched.setattr(type(mounted.view().tree), "lookup", fail)
            await refused(errno.EIO, mounted.find("raw/a.txt"))
        with monkeypatch.context() as patched:
            patched.setattr(type(mounted.shown.inodes), "forget", fail)
            await mounted.operations.forget([(5, 1)])
        assert await mounted.read("raw/a.txt") == b"hello"

    run(test)


def test_a_cancelled_request_stays_cancelled(run):
    async def test(mounted):
        with trio.move_on_after(0.01) as scope:
            async with mounted.view().gate.unchanging(), mounted.view().gate.unseen():
                await mounted.operations.lookup(await mounted.number("raw"), b"a.txt", None)
        assert scope.cancelled_caught

    run(test)
