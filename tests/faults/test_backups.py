"""p5: the database's files are removed, copied by hand while it is written to, or backed up."""

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from jupyter_datalake.errors import AlreadyExistsError, DatalakeError, ErrorKind, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import rebuild_lake
from jupyter_datalake.testing.invariants import (
    check_history,
    check_lake,
    check_tree,
    contents_of,
    history_of,
)

DATABASE = "metadata.sqlite"
REFUSALS = {None, ErrorKind.DATABASE_UNAVAILABLE, ErrorKind.REPO_NOT_FOUND}


def copied(lake, to, parts):
    """Copy a lake's folder as `cp` does, with these files of its database, then the objects."""
    to.mkdir()
    for suffix in parts:
        source = Path(f"{lake.url}/{DATABASE}{suffix}")
        if source.exists():
            shutil.copy(source, to / source.name)
    # What is being written at this moment has no name yet, and is gone in the next.
    shutil.copytree(Path(lake.url) / "objects", to / "objects", ignore=_unfinished)
    return str(to)


def _unfinished(folder, names):
    return names if Path(folder).name == ".tmp" else ()


class Writer(threading.Thread):
    """Commits to a lake until told to stop."""

    def __init__(self, lake):
        super().__init__()
        self.lake, self.stop, self.committed = lake, threading.Event(), []

    def run(self):
        number = 0
        while not self.stop.is_set():
            commit = self.lake.files.put(f"raw@main/{number % 5}", f"{number} " * 50)
            self.committed.append(commit.id)
            number += 1


@pytest.fixture
def writer(lake):
    running = Writer(lake)
    running.start()
    yield running
    running.stop.set()
    running.join(timeout=60)


def wait_for_more(writer, count):
    enough = len(writer.committed) + count
    while len(writer.committed) < enough:
        assert writer.is_alive()
        writer.join(timeout=0.01)


def test_p5_without_its_index_of_the_log_the_database_is_whole(lake, tmp_path):
    lake.files.put("raw@main/x", "1")
    url = copied(lake, tmp_path / "copy", ["", "-wal"])  # the -shm is missing
    with Lake.open(url) as copy:
        assert history_of(copy, "raw") == history_of(lake, "raw")
        copy.files.put("raw@main/y", "2")
        check_lake(copy)


def test_p5_without_its_log_the_database_refuses_or_is_as_it_was_and_a_rebuild_has_it_all(
    lake, tmp_path
):
    for number in range(3):
        lake.files.put("raw@main/x", f"{number}")
    history = history_of(lake, "raw")
    url = copied(lake, tmp_path / "copy", [""])
    refused = None
    try:
        with Lake.open(url) as copy:
            seen = history_of(copy, "raw")
            assert history[-len(seen) :] == seen, "not a state that there was"
    except DatalakeError as error:
        refused = error.kind
    assert refused in REFUSALS
    for file in Path(url).glob(f"{DATABASE}*"):
        file.unlink()
    rebuild_lake(url)
    with Lake.open(url) as copy:
        assert history_of(copy, "raw") == history
        assert contents_of(copy, "raw") == {"x": b"2"}
        check_lake(copy)


def test_p5_a_copy_by_hand_of_a_live_lake_can_be_rebuilt_whatever_its_database_is(
    lake, writer, tmp_path
):
    for number in range(4):
        wait_for_more(writer, 5)
        committed = list(writer.committed)
        parts = [["", "-wal", "-shm"], ["", "-wal"], [""], ["-wal", ""]][number]
        url = copied(lake, tmp_path / f"{number}", parts)
        refused = None
        try:
            # Pages of several moments: often refused, sometimes opened. Nobody can tell which
            # rows are missing, so 'maintenance backup' is there.
            with Lake.open(url) as copy:
                history_of(copy, "raw")
        except DatalakeError as error:
            refused = error.kind
        assert refused in REFUSALS
        for file in Path(url).glob(f"{DATABASE}*"):
            file.unlink()
        rebuild_lake(url)
        with Lake.open(url) as copy:
            assert set(committed) <= set(history_of(copy, "raw"))
            # A commit that was made meanwhile may have been copied without its parent's pack; it
            # is kept under a name of its own.
            check_history(copy, "raw", "main")
            check_tree(copy, "raw", "main")


def test_p5_a_backup_of_a_live_lake_is_one_state_with_everything_acknowledged_before(
    lake, writer, tmp_path
):
    with lake.sessions.create("raw") as session:
        session.put("staged", "kept")
    for number in range(4):
        wait_for_more(writer, 3)
        committed = list(writer.committed)
        lake.refs.create_tag("raw", f"v{number}")
        made = lake.maintenance.backup(tmp_path / f"{number}.sqlite")
        url = copied(lake, tmp_path / f"{number}", [])
        shutil.copy(made.path, Path(url) / DATABASE)
        with Lake.open(url) as copy:
            assert set(committed) <= set(history_of(copy, "raw"))
            assert copy.events.last_number() == made.last_event
            assert copy.refs.get("raw", f"v{number}").name == f"v{number}"
            assert session.id in {one.id for one in copy.sessions.list()}
            check_lake(copy)
            copy.files.put("raw@main/after", "restored")
        assert stat.S_IMODE(os.stat(made.path).st_mode) == 0o600
        assert os.stat(made.path).st_size == made.size_bytes
    assert len(list(tmp_path.glob(".*"))) == 0, "something was left behind"


def test_p5_a_backup_takes_the_place_of_nothing(lake, tmp_path):
    target = tmp_path / "there"
    target.write_text("precious")
    with pytest.raises(AlreadyExistsError) as caught:
        lake.maintenance.backup(target)
    assert caught.value.kind is ErrorKind.PATH_EXISTS
    assert target.read_text() == "precious"
    with pytest.raises(StorageError):
        lake.maintenance.backup(tmp_path / "missing" / "b")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["lake", "there"]


def test_p5_a_backup_that_does_not_fit_says_so_and_leaves_nothing(lake, small_disk):
    lake.files.put("raw@main/x", "1")
    for left in (0, 8192, 65536, 200_000):
        small_disk.fill(left)
        with pytest.raises(StorageError) as caught:
            lake.maintenance.backup(small_disk.folder / "b")
        assert caught.value.kind is ErrorKind.STORAGE_FULL
        assert [file.name for file in small_disk.folder.iterdir()] == ["ballast"]
        small_disk.free()
    made = lake.maintenance.backup(small_disk.folder / "b")
    assert os.path.getsize(made.path) == made.size_bytes
    check_lake(lake)


def test_p5_a_damaged_database_is_not_backed_up_as_if_it_were_sound(lake, tmp_path):
    for number in range(40):
        lake.refs.create_tag("raw", f"tag-{number:03}")
    lake.close()
    path = Path(lake.url) / DATABASE
    data = bytearray(path.read_bytes())
    for page in range(30, len(data) // 4096):
        data[page * 4096 + 8 : page * 4096 + 60] = b"\xa5" * 52
    path.write_bytes(data)
    target = tmp_path / "b"
    with pytest.raises(StorageError) as caught, Lake.open(lake.url) as opened:
        opened.maintenance.backup(target)
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE
    assert not target.exists()


def test_the_command_line_makes_a_backup_and_says_where(lake, tmp_path):
    command = [sys.executable, "-m", "jupyter_datalake.cli.main", "--lake", lake.url]
    command += ["maintenance", "backup", str(tmp_path / "b"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["path"] == str(tmp_path / "b")
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 14
    assert json.loads(again.stderr)["kind"] == "path-exists"
