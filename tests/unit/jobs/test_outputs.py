"""Storing what a datum left, and joining the outputs of many."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.errors import ConflictError, ErrorKind, JobFailedError, StorageError
from jupyter_datalake.jobs import outputs
from jupyter_datalake.jobs.outputs import OutputBatch, OutputJoiner, store_folder
from jupyter_datalake.model.manifests import build_manifest
from jupyter_datalake.model.paths import ROOT


def stored(core, tmp_path, name, files):
    """Return the root of a folder with the given files; None makes an empty folder."""
    folder = tmp_path / name
    folder.mkdir()
    for path, content in files.items():
        place = folder / path
        if content is None:
            place.mkdir(parents=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content)
    return store_folder(core, folder, job_id="j")


def joined(core, roots, previous=None):
    """Return the joined root, with what it holds."""
    with core.writer() as writer:
        nodes = NodeWriter(core.nodes, writer)
        before = build_manifest(nodes, []) if previous is None else previous
        joiner = OutputJoiner(nodes)
        for number, root in enumerate(roots):
            joiner.add(f"d{number}", root)
        root = joiner.finish(before)
        packs = writer.seal()
        with core.metadata.write() as tx:
            for pack in packs:
                tx.blobs.add_pack(pack.name, pack.size_bytes, pack.records)
    tree = core.tree(root, "joined")
    return root, {path: entry.kind.name for path, entry in tree.iter_entries()}


def test_outputs_of_several_datums_become_one_tree(memory_lake, tmp_path):
    core = memory_lake.core
    a = stored(core, tmp_path, "a", {"x.txt": "1", "d/y.txt": "2"})
    b = stored(core, tmp_path, "b", {"d/z.txt": "3", "empty": None})
    _, held = joined(core, [a, b])
    assert held == {"x.txt": "FILE", "d/y.txt": "FILE", "d/z.txt": "FILE", "empty": "FOLDER"}


def test_no_datum_gives_an_empty_tree(memory_lake):
    _, held = joined(memory_lake.core, [])
    assert held == {}


def test_two_datums_that_write_one_path_are_both_named(memory_lake, tmp_path):
    core = memory_lake.core
    a = stored(core, tmp_path, "a", {"x.txt": "1"})
    b = stored(core, tmp_path, "b", {"x.txt": "1"})
    with pytest.raises(ConflictError, match=r"datums d0 and d1 both wrote 'x\.txt'") as caught:
        joined(core, [a, b])
    assert caught.value.kind is ErrorKind.OUTPUTS_COLLIDE


def test_a_file_where_another_datum_has_a_folder_collides(memory_lake, tmp_path):
    core = memory_lake.core
    a = stored(core, tmp_path, "a", {"x": "1"})
    b = stored(core, tmp_path, "b", {"x/y": "1"})
    with pytest.raises(ConflictError, match="'x/y'"):
        joined(core, [a, b])


def test_an_empty_folder_that_another_datum_fills_is_no_collision(memory_lake, tmp_path):
    core = memory_lake.core
    a = stored(core, tmp_path, "a", {"x": None})
    b = stored(core, tmp_path, "b", {"x/y": "1"})
    _, held = joined(core, [a, b])
    assert held == {"x/y": "FILE"}


def test_an_empty_folder_that_two_datums_make_is_no_collision(memory_lake, tmp_path):
    core = memory_lake.core
    a = stored(core, tmp_path, "a", {"x": None})
    b = stored(core, tmp_path, "b", {"x": None})
    _, held = joined(core, [a, b])
    assert held == {"x": "FOLDER"}


def test_the_same_bytes_written_later_give_the_same_tree(memory_lake, tmp_path):
    core = memory_lake.core
    a = stored(core, tmp_path, "a", {"x": "1", "y": "2"})
    first, _ = joined(core, [a])
    os.utime(tmp_path / "a" / "x", (0, 0))
    again = store_folder(core, tmp_path / "a", job_id="j")
    assert again != a  # the time is part of the entry …
    second, _ = joined(core, [again], previous=first)
    assert second == first  # … and no reason to run what is downstream


def test_a_file_that_changed_is_a_new_tree(memory_lake, tmp_path):
    core = memory_lake.core
    first, _ = joined(core, [stored(core, tmp_path, "a", {"x": "1", "y": "2"})])
    b = stored(core, tmp_path, "b", {"x": "1", "y": "3"})
    second, _ = joined(core, [b], previous=first)
    assert second != first


def test_nothing_is_written_behind_what_could_not_be_written(memory_lake, tmp_path, monkeypatch):
    core = memory_lake.core
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text(f"the text of {name}, which is longer than an entry" * 9)
    batch = OutputBatch(core)
    batch.store(tmp_path / "a", job_id="j")
    with monkeypatch.context() as patch:
        patch.setattr(outputs, "store_source", full)
        with pytest.raises(StorageError):
            batch.store(tmp_path / "b", job_id="j")
    late = batch.store(tmp_path / "b", job_id="j")
    with pytest.raises(StorageError, match="no space"):
        batch.settle()
    assert core.tree(late, "late").read("x").startswith(b"the text of b")
    again = batch.store(tmp_path / "a", job_id="j")
    batch.settle()
    assert core.tree(again, "again").read("x").startswith(b"the text of a")
    assert memory_lake.maintenance.verify().is_clean


def full(writer, place, chunking, *, now_ns):
    raise StorageError("There is no space left", kind=ErrorKind.STORAGE_FULL)


def test_a_link_to_an_input_is_kept_as_its_content(memory_lake, tmp_path):
    inputs = tmp_path / "pfs"
    (inputs / "raw").mkdir(parents=True)
    (inputs / "raw" / "a").write_text("hello")
    (inputs / "out").mkdir()
    (inputs / "out" / "b").symlink_to("../raw/a")
    core = memory_lake.core
    root = store_folder(core, inputs / "out", job_id="j", inside=[inputs])
    assert core.tree(root, "t").read("b") == b"hello"


def test_a_link_to_a_folder_of_an_input_is_kept_as_what_is_in_it(memory_lake, tmp_path):
    shown, out = tmp_path / "shown", tmp_path / "pfs" / "out"
    (shown / "d" / "empty").mkdir(parents=True)
    (shown / "d" / "a").write_text("hello")
    (shown / "d" / "b").symlink_to("a")
    out.mkdir(parents=True)
    (out / "all").symlink_to(shown)
    (out / "nothing").symlink_to(shown / "d" / "empty")
    core = memory_lake.core
    root = store_folder(core, out, job_id="j", inside=[tmp_path / "pfs", shown])
    tree = core.tree(root, "t")
    kinds = {path: str(entry.kind) for path, entry in tree.iter_entries(ROOT)}
    assert set(kinds) == {"all/d/a", "all/d/b", "all/d/empty", "nothing"}
    assert kinds["nothing"] == kinds["all/d/empty"] != kinds["all/d/a"]
    assert tree.read("all/d/b") == b"hello"


def test_a_link_that_leads_back_to_itself_ends_by_name(memory_lake, tmp_path):
    out = tmp_path / "pfs" / "out"
    out.mkdir(parents=True)
    (out / "again").symlink_to(".")
    with pytest.raises(JobFailedError, match="'again' is a symlink to"):
        store_folder(memory_lake.core, out, job_id="j", inside=[tmp_path / "pfs"])


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret", "nowhere"])
def test_n11_a_link_that_leads_outside_fails_the_datum(memory_lake, tmp_path, target):
    inputs = tmp_path / "pfs"
    (inputs / "out").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (inputs / "out" / "b").symlink_to(target)
    with pytest.raises(JobFailedError, match="symlink to"):
        store_folder(memory_lake.core, inputs / "out", job_id="j", inside=[inputs])


def test_n11_a_pipe_fails_the_datum_by_name(memory_lake, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(JobFailedError, match="fifo"):
        store_folder(memory_lake.core, tmp_path, job_id="j")


@pytest.mark.parametrize("fails", [False, True])
def test_who_settles_what_another_thread_settles_waits_for_that(
    memory_lake, tmp_path, monkeypatch, fails
):
    core = memory_lake.core
    batch = OutputBatch(core)
    began, goes_on = threading.Event(), threading.Event()
    register = outputs.register_packs

    def slowly(tx, packs):
        began.set()
        assert goes_on.wait(30)
        if fails:
            raise StorageError("The disk is full", kind=ErrorKind.STORAGE_FULL)
        register(tx, packs)

    monkeypatch.setattr(outputs, "register_packs", slowly)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("1")
    root = batch.store(tmp_path / "out", job_id="j")

    def settle():
        batch.settle()
        return {path for path, _ in core.tree(root, "out").iter_entries()}

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(batch.settle)
        assert began.wait(30)
        second = pool.submit(settle)
        deadline = time.monotonic() + 30
        while batch._calls < 2:
            assert time.monotonic() < deadline
        assert wait([second], 0.05).not_done
        goes_on.set()
        if fails:
            for one in (first, second):
                with pytest.raises(StorageError, match="full"):
                    one.result(30)
        else:
            assert second.result(30) == {"x"}
    batch.settle()  # who comes later has nothing to do with it
