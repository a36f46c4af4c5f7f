"""A mount without a kernel: requests are made by calling the handlers."""

import errno
import stat
from types import SimpleNamespace

import pytest

pytest.importorskip("pyfuse3", reason="needs pyfuse3, which is not installed")

import pyfuse3
import trio

from jupyter_datalake.model.mounts import MountMode, MountState
from jupyter_datalake.mount import operations as operations_module
from jupyter_datalake.mount.mounted_lake import MountedLake
from jupyter_datalake.mount.operations import Operations

POINT = "/shown"


class RecordingKernel:
    """Remembers what it was told to forget."""

    def __init__(self):
        self.is_mounted = True
        self.inodes = []
        self.names = []

    def forget_inode(self, number):
        self.inodes.append(number)

    def forget_name(self, folder_number, name):
        self.names.append((folder_number, name))


class Mounted:
    """A mount point with `raw` in it, and requests by path; made inside `trio.run`."""

    def __init__(self, lake, kernel, max_inodes):
        self.lake = lake
        self.kernel = kernel
        self.shown = MountedLake(lake.core, POINT, kernel, max_inodes=max_inodes)
        self.operations = Operations(self.shown.inodes, lake.core.work_folder)

    async def find(self, path):
        """Look a path up from the mount point on, as the kernel does; return its attributes."""
        found = await self.operations.getattr(1, None)
        for name in path.split("/"):
            found = await self.operations.lookup(found.st_ino, name.encode(), None)
        return found

    async def number(self, path):
        return (await self.find(path)).st_ino if path else 1

    async def write(self, path, data, *, flags=0o2):
        folder, _, name = path.rpartition("/")
        try:
            number = await self.number(path)
            fh = (await self.operations.open(number, flags, None)).fh
        except pyfuse3.FUSEError as error:
            if error.errno != errno.ENOENT:
                raise
            above = await self.number(folder)
            made, _ = await self.operations.create(above, name.encode(), 0o100644, flags, None)
            fh = made.fh
        await self.operations.write(fh, 0, data)
        await self.operations.release(fh)

    async def read(self, path):
        fh = (await self.operations.open(await self.number(path), 0, None)).fh
        try:
            return await self.operations.read(fh, 0, 1 << 30)
        finally:
            await self.operations.release(fh)

    async def names(self, path, *, batch=3):
        """List a folder in replies of a few names each."""
        number = await self.number(path)
        fh = await self.operations.opendir(number, None)
        found, position = [], 0
        while True:
            token = SimpleNamespace(room=batch, entries=[])
            await self.operations.readdir(fh, position, token)
            if not token.entries:
                break
            found += [name for name, _ in token.entries]
            position = token.entries[-1][1]
        await self.operations.releasedir(fh)
        return [name.decode() for name in found if name not in {b".", b".."}]

    def view(self, name="raw"):
        return self.shown.catalogue.shown[name]


def attributes(**values):
    """Return what setattr is asked for, and which of it is meant."""
    wanted = pyfuse3.EntryAttributes()
    fields = {f"update_{name}": False for name in ("uid", "gid", "size", "mode", "mtime", "atime")}
    for name, value in values.items():
        fields[f"update_{name.removesuffix('_ns')}"] = True
        setattr(wanted, f"st_{name}", value)
    return wanted, SimpleNamespace(**fields)


async def refused(code, awaitable):
    """Check that a request fails with an errno."""
    with pytest.raises(pyfuse3.FUSEError) as error:
        await awaitable
    assert error.value.errno == code, errno.errorcode[error.value.errno]


@pytest.fixture(autouse=True)
def replies(monkeypatch):
    """Collect directory entries in the token, which has room for a few."""

    def reply(token, name, found, following):
        if len(token.entries) == token.room:
            return False
        assert found.st_ino
        assert stat.S_IFMT(found.st_mode)
        token.entries.append((name, following))
        return True

    monkeypatch.setattr(operations_module.pyfuse3, "readdir_reply", reply)


@pytest.fixture
def kernel():
    return RecordingKernel()


@pytest.fixture
def lake(memory_lake):
    """A lake with a repo `raw` that has a few files."""
    memory_lake.repos.create("raw")
    with memory_lake.sessions.create("raw") as session:
        session.put("a.txt", "hello")
        session.put("folder/b.bin", bytes(range(256)) * 4_000)
        session.put("folder/c.txt", "c")
        session.commit("Begin")
        session.delete_session()
    return memory_lake


@pytest.fixture
def run(lake, kernel):
    """Run an async test with a mount point that shows `raw` writable, as in the daemon."""

    def run(test, *, writable=True, max_inodes=10_000):
        record_mount(lake, "raw", "raw", "main", writable=writable)

        async def main():
            mounted = Mounted(lake, kernel, max_inodes)
            await mounted.shown.start()
            try:
                async with trio.open_nursery() as nursery:
                    mounted.operations.nursery = nursery
                    await test(mounted)
            finally:
                await mounted.shown.close()
                mounted.operations.descriptors.close_all()

        trio.run(main)

    return run


def record_mount(lake, name, repo, ref, *, writable):
    """Write into the metadata that something is mounted, as `lake.mounts` does."""
    session_id = None
    if writable:
        with lake.sessions.begin(repo, ref) as session:
            session_id = session.id
    with lake.core.metadata.write() as tx:
        if tx.mounts.find_point(POINT) is None:
            tx.mounts.set_point(
                POINT, mode=MountMode.FUSE, state=MountState.READY, message="", pid=None, host="h"
            )
        tx.mounts.add(POINT, name, tx.repos.get(repo), ref, session_id=session_id, by="Ada")
    return session_id
