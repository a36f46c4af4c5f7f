"""What the mount of lazy inputs shows, without a kernel: requests are made by calling handlers."""

import errno

import pytest

pytest.importorskip("pyfuse3", reason="needs pyfuse3, which is not installed")

import pyfuse3
import trio

from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.selections import Selection
from jupyter_datalake.mount import operations as operations_module
from jupyter_datalake.mount.lazy import ShownInputs
from jupyter_datalake.mount.operations import Operations


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    with memory_lake.sessions.create("raw") as session:
        for path in ("d/a", "d/b", "d/e/c", "f", "g"):
            session.put(path, f"the text of {path}")
        session.commit("fill")
    return memory_lake


class Shown:
    """What is shown under names, and requests by path; made inside `trio.run`."""

    def __init__(self, lake, kernel, max_inodes=1000):
        self.selections = {}
        self.commit_id = lake.commits.get("raw").id
        self.inputs = ShownInputs(lake.core, self.selections.get, kernel, max_inodes=max_inodes)
        self.operations = Operations(self.inputs.inodes, lake.core.work_folder)

    def select(self, name, *paths):
        self.selections[name] = Selection("raw", self.commit_id, tuple(map(RepoPath, paths)))

    async def number(self, path):
        number = 1
        for name in path.split("/") if path else ():
            number = (await self.operations.lookup(number, name.encode(), None)).st_ino
        return number

    async def error(self, path):
        with pytest.raises(pyfuse3.FUSEError) as caught:
            await self.number(path)
        return caught.value.errno

    async def read(self, path):
        handle = (await self.operations.open(await self.number(path), 0, None)).fh
        data = await self.operations.read(handle, 0, 1000)
        await self.operations.release(handle)
        return data.decode()


@pytest.fixture
def listed(monkeypatch):
    """Answers of readdir, which pyfuse3 takes from a kernel alone."""
    names = []

    def reply(token, name, attributes, position):
        names.append(name.decode())
        return True

    monkeypatch.setattr(operations_module.pyfuse3, "readdir_reply", reply)

    async def of(shown, path):
        names.clear()
        handle = await shown.operations.opendir(await shown.number(path), None)
        await shown.operations.readdir(handle, 0, None)
        await shown.operations.releasedir(handle)
        return names[2:]

    return of


def test_a_datum_sees_what_it_was_given_and_the_folders_above(lake, kernel, listed):
    async def test():
        shown = Shown(lake, kernel)
        shown.select("one", "d/e", "d/a", "f")
        assert await listed(shown, "one") == ["d", "f"]
        assert await listed(shown, "one/d") == ["a", "e"]
        assert await listed(shown, "one/d/e") == ["c"]
        assert await shown.read("one/d/e/c") == "the text of d/e/c"
        assert await shown.error("one/d/b") == errno.ENOENT
        assert await shown.error("one/g") == errno.ENOENT
        shown.select("all", "")
        assert await listed(shown, "all") == ["d", "f", "g"]
        assert await shown.read("all/d/b") == "the text of d/b"

    trio.run(test)


def test_nothing_is_listed_or_found_that_no_datum_was_given(lake, kernel, listed):
    async def test():
        shown = Shown(lake, kernel)
        shown.select("one", "f")
        assert await shown.read("one/f") == "the text of f"
        assert await listed(shown, "") == []
        assert await shown.error("raw") == errno.ENOENT
        assert await shown.error("raw@main") == errno.ENOENT
        shown.selections["gone"] = Selection("raw", "0" * 64, (RepoPath("f"),))
        assert await shown.error("gone") == errno.ENOENT

    trio.run(test)


def test_what_two_look_up_at_once_is_one_folder(lake, kernel):
    async def test():
        shown = Shown(lake, kernel)
        shown.select("one", "f")
        numbers = []

        async def look():
            numbers.append(await shown.number("one/f"))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(look)
        assert len(set(numbers)) == 1

    trio.run(test)


def test_the_kernel_is_asked_to_forget_what_ended_datums_had(lake, kernel):
    async def test():
        shown = Shown(lake, kernel)
        for name in ("one", "two", "three"):
            shown.select(name, "d")
            await shown.number(f"{name}/d/a")
        before = len(shown.inputs.inodes)
        handle = (await shown.operations.open(await shown.number("three/d/a"), 0, None)).fh
        del shown.selections["one"], shown.selections["three"]
        await shown.inputs.keep_small()
        assert kernel.names == [(1, b"one")]
        # As the kernel does, for every time that it was told of them.
        folder, inner = await shown.number("one"), await shown.number("one/d")
        for number in (await shown.number("one/d/a"), inner, folder):
            inode = shown.inputs.inodes.get(number)
            await shown.operations.forget([(number, inode.lookups)])
        assert len(shown.inputs.inodes) == before - 3
        assert await shown.error("one") == errno.ENOENT
        assert (await shown.operations.read(handle, 0, 100)).decode() == "the text of d/a"

    trio.run(test)


def test_the_kernel_is_asked_to_forget_files_when_it_knows_too_many(lake, kernel):
    async def test():
        shown = Shown(lake, kernel, max_inodes=4)
        shown.select("one", "")
        folder = await shown.number("one/d")
        for name in ("d/a", "d/b", "f"):
            await shown.number(f"one/{name}")
        await shown.inputs.keep_small()
        assert kernel.names == [(folder, b"a"), (folder, b"b")]

    trio.run(test)


def test_nothing_can_be_changed(lake, kernel):
    async def test():
        shown = Shown(lake, kernel)
        shown.select("one", "d")
        number = await shown.number("one/d")
        for act in (
            lambda: shown.operations.mkdir(number, b"x", 0o755, None),
            lambda: shown.operations.unlink(number, b"a", None),
            lambda: shown.operations.create(number, b"x", 0o644, 2, None),
        ):
            with pytest.raises(pyfuse3.FUSEError) as caught:
                await act()
            assert caught.value.errno == errno.EROFS
        assert lake.files.read("raw@main/d/a") == b"the text of d/a"

    trio.run(test)
