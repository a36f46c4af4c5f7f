"""The object store in a folder keeps the contract, and writes so that power may fail."""

import errno
import fcntl
import os
import random
import stat
import time
from pathlib import Path

import pytest

from jupyter_datalake.errors import ErrorKind, NotFoundError, StorageError
from jupyter_datalake.storage import local
from jupyter_datalake.storage.local import LocalObjectStore
from jupyter_datalake.storage.sequential import BUFFER_BYTES, SequentialFile
from jupyter_datalake.testing.object_store_suite import ObjectStoreSuite


@pytest.fixture
def store(tmp_path):
    made = LocalObjectStore(tmp_path / "objects")
    yield made
    made.close()


class TestLocalObjectStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self, tmp_path):
        made = LocalObjectStore(tmp_path / "objects")
        yield made
        made.close()

    def peek(self, store, name):
        path = store._folder / name
        return path.read_bytes() if path.is_file() else None

    def poke(self, store, name, data):
        path = store._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def temporaries(store):
    return list((store._folder / ".tmp").iterdir())


class Recorder:
    """Writes down what a power cut would need to know: names made, and folders and files synced."""

    def __init__(self, monkeypatch):
        self.steps = []
        real = {name: getattr(os, name) for name in ("fsync", "link", "mkdir")}

        def fsync(descriptor):
            real["fsync"](descriptor)
            self.steps.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}"))))

        def link(source, target):
            real["link"](source, target)
            self.steps.append(("name", Path(target)))

        def mkdir(path, mode=0o777):
            real["mkdir"](path, mode)
            self.steps.append(("name", Path(path)))

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(os, "link", link)
        monkeypatch.setattr(os, "mkdir", mkdir)

    def lost_names(self):
        """Names that a power cut now would take away."""
        lost = []
        for index, (act, path) in enumerate(self.steps):
            if act == "name" and ("sync", path.parent) not in self.steps[index:]:
                lost.append(path)
        return lost


def test_every_name_on_the_way_to_a_new_object_survives_a_power_cut(tmp_path, monkeypatch):
    recorder = Recorder(monkeypatch)
    store = LocalObjectStore(tmp_path / "new" / "lake" / "objects")
    with store.upload() as upload:
        upload.write(b"x")
        upload.finish("packs/ab/x")
    assert recorder.lost_names() == []
    named = [path for act, path in recorder.steps if act == "name"]
    assert store._folder / "packs" in named
    assert store._folder / "packs/ab/x" in named


def test_bytes_are_durable_before_they_get_their_name(store, monkeypatch):
    recorder = Recorder(monkeypatch)
    store.create("x", b"abc")
    acts = [(act, path.parent.name) for act, path in recorder.steps]
    assert acts.index(("sync", ".tmp")) < acts.index(("name", "objects"))
    assert recorder.steps[-1] == ("sync", store._folder)


def test_folder_made_by_another_process_a_moment_ago_is_synced_too(store, monkeypatch):
    (store._folder / "packs").mkdir()  # … and the other process died before it synced the name
    recorder = Recorder(monkeypatch)
    store.create("packs/x", b"abc")
    assert ("sync", store._folder) in recorder.steps


def test_object_already_there_is_synced_before_it_is_relied_on(store, monkeypatch):
    (store._folder / "packs").mkdir()
    (store._folder / "packs/x").write_bytes(b"abc")
    recorder = Recorder(monkeypatch)
    with store.upload() as upload:
        upload.write(b"abc")
        upload.finish("packs/x")
    assert recorder.steps[-1] == ("sync", store._folder / "packs")


@pytest.mark.logs("is read-only from now on")
def test_failed_fsync_gives_no_name_and_is_not_tried_again(store, monkeypatch):
    def fails(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", fails)
        with store.upload() as upload:
            upload.write(b"abc")
            with pytest.raises(StorageError) as caught:
                upload.finish("x")
    assert caught.value.kind is ErrorKind.STORAGE_UNAVAILABLE
    assert not caught.value.retryable
    assert list(store.list("")) == []
    assert temporaries(store) == []
    for change in (store.upload, lambda: store.create("x", b"abc"), lambda: store.delete("y")):
        with pytest.raises(StorageError) as caught:
            change()
        assert caught.value.kind is ErrorKind.STORAGE_FAILED
    assert temporaries(store) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_is_told_apart_from_other_trouble(store, monkeypatch, code):
    def fails(source, target):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", fails)
    with pytest.raises(StorageError) as caught:
        store.create("x", b"abc")
    assert caught.value.kind is ErrorKind.STORAGE_FULL
    assert caught.value.errno == errno.ENOSPC
    assert temporaries(store) == []


def test_store_that_lost_its_folder_is_a_storage_error_not_a_missing_object(store):
    (store._folder / ".tmp").rmdir()
    with pytest.raises(StorageError):
        store.upload()


def test_abandoned_upload_on_a_full_disk_does_not_raise_a_second_time(store):
    upload = store.upload()
    with upload:
        fill_up(upload)
        upload.write(b"x" * (BUFFER_BYTES + 100))  # what is written meanwhile fails unseen
    assert temporaries(store) == []


@pytest.mark.parametrize("size", [100, BUFFER_BYTES + 100, 3 * BUFFER_BYTES])
def test_what_a_full_disk_refused_behind_the_back_of_the_writer_gets_no_name(store, size):
    with store.upload() as upload:
        fill_up(upload)
        with pytest.raises(StorageError) as caught:
            finish(upload, b"x" * size)
    assert caught.value.kind is ErrorKind.STORAGE_FULL
    assert list(store.list("")) == []
    assert temporaries(store) == []


def finish(upload, data):
    upload.write(data)
    upload.finish("x")


def fill_up(upload):
    """Let everything that is written from here on meet a full disk."""
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, upload._file.descriptor)
    os.close(full)


SIZES = [0, 1, BUFFER_BYTES - 1, BUFFER_BYTES, BUFFER_BYTES + 1, 5 * BUFFER_BYTES // 2]


@pytest.mark.parametrize("size", SIZES)
def test_a_file_holds_what_was_written_in_pieces_of_any_size(tmp_path, size):
    data = random.Random(size).randbytes(size)
    path = tmp_path / "file"
    file = SequentialFile(path)
    for start in range(0, size, 1_000_003):
        piece = bytearray(data[start : start + 1_000_003])
        file.write(piece)
        piece[:] = bytes(len(piece))  # it was copied: who wrote it may use it again
    file.sync()
    file.close()
    assert path.read_bytes() == data
    assert path.stat().st_blocks * 512 <= size + 8192  # what was reserved ahead is given back


@pytest.mark.parametrize("refusal", ["the flag", "the writes"])
def test_a_file_system_without_direct_writes_gets_the_same_bytes(tmp_path, monkeypatch, refusal):
    data = random.Random(1).randbytes(3 * BUFFER_BYTES + 17)
    real_fcntl, real_pwrite = fcntl.fcntl, os.pwrite
    refused = []

    def no_flag(descriptor, command, flags=0):
        if command == fcntl.F_SETFL and flags & os.O_DIRECT and refusal == "the flag":
            refused.append(command)
            raise OSError(errno.EINVAL, "no direct writes")
        return real_fcntl(descriptor, command, flags)

    def no_write(descriptor, view, offset):
        if real_fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(offset)
            raise OSError(errno.EINVAL, "no direct writes")
        return real_pwrite(descriptor, view, offset)

    monkeypatch.setattr(fcntl, "fcntl", no_flag)
    monkeypatch.setattr(os, "pwrite", no_write)
    file = SequentialFile(tmp_path / "file")
    file.write(data)
    file.sync()
    file.close()
    assert (tmp_path / "file").read_bytes() == data
    assert len(refused) == 1


def test_objects_are_read_only_files_for_their_owner(store):
    store.create("packs/x", b"abc")
    mode = stat.S_IMODE((store._folder / "packs/x").stat().st_mode)
    assert mode == 0o400
    assert stat.S_IMODE(store._folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((store._folder / "packs").stat().st_mode) == 0o700


def test_temporary_files_of_dead_processes_are_swept_up_when_the_store_is_opened(store):
    old = time.time() - 2 * local._LEFT_BEHIND_S
    left = store._folder / ".tmp" / "dead"
    left.write_bytes(b"x")
    os.utime(left, (old, old))
    recent = store._folder / ".tmp" / "recent"
    recent.write_bytes(b"x")
    LocalObjectStore(store._folder).close()
    assert temporaries(store) == [recent]


def test_temporary_file_of_a_slow_upload_is_not_swept_up(store):
    old = time.time() - 2 * local._LEFT_BEHIND_S
    with store.upload() as upload:
        upload.write(b"slow")
        os.utime(upload._temporary, (old, old))
        LocalObjectStore(store._folder).close()
        upload.finish("x")
    assert store.read("x", 0, 9) == b"slow"


def test_handles_are_bounded_and_released(store):
    def open_descriptors():
        return len(os.listdir("/proc/self/fd"))

    before = open_descriptors()
    for number in range(local._OPEN_FILES * 2):
        store.create(f"n/{number}", b"x")
        store.read(f"n/{number}", 0, 1)
    assert open_descriptors() <= before + local._OPEN_FILES
    store.close()
    assert open_descriptors() <= before


def test_folder_and_foreign_things_are_not_objects(store):
    store.create("packs/x", b"abc")
    os.mkfifo(store._folder / "packs" / "pipe")
    os.symlink("/etc", store._folder / "etc")
    with pytest.raises(NotFoundError):
        store.read("packs", 0, 1)
    with pytest.raises(NotFoundError):
        store.read("etc", 0, 1)
    assert [one.name for one in store.list("packs")] == ["packs/x"]
    assert [one.name for one in store.list("")] == ["packs/x"]


def test_unreadable_folder_is_an_error_of_the_listing_not_an_empty_one(store, monkeypatch):
    store.create("packs/x", b"abc")
    real = os.scandir

    def fails(path):
        if Path(path).name == "packs":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", fails)
    with pytest.raises(StorageError):
        list(store.list(""))


def test_only_what_need_not_be_waited_for_is_read_now(store):
    data = random.Random(1).randbytes(50_000)
    store.create("packs/x", data)
    assert store.read_now("packs/x", 0, 10) is None  # it would have to be opened
    assert store.read("packs/x", 0, 50_000) == data
    # A file system that cannot tell (tmpfs) has nothing at hand.
    assert store.read_now("packs/x", 10_000, 5_000) in {None, data[10_000:15_000]}
    assert store.read_now("packs/x", 49_000, 5_000) in {None, data[49_000:]}
    assert store.read_now("packs/y", 0, 10) is None


def test_nothing_is_read_now_where_the_system_knows_no_such_read(store, monkeypatch):
    monkeypatch.setattr(local, "_NOWAIT", None)
    store.create("packs/x", b"data")
    assert store.read("packs/x", 0, 4) == b"data"
    assert store.read_now("packs/x", 0, 4) is None
