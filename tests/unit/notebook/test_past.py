"""`%%asof` answers reads from the past, or refuses them; it never gives the present instead."""

import io
import os
import threading
from pathlib import Path

import pandas as pd
import pytest

import jupyter_datalake as dl
from jupyter_datalake.errors import InvalidInputError, NotFoundError, StateError
from jupyter_datalake.model.mounts import MountMode


@pytest.fixture
def raw(lake, tmp_path, monkeypatch):
    """The repo as a folder."""
    monkeypatch.setattr(
        "jupyter_datalake.lake.mountpoints.choose_mode", lambda: (MountMode.CHECKOUT, "a test")
    )
    return Path(lake.mounts.create("raw", at=str(tmp_path / "shown")).path)


@pytest.mark.parametrize(
    ("ref", "note"),
    [
        ("main~1", b"note 2\n"),
        ("main@{2}", b"note 1\n"),
        ("v2", b"note 2\n"),
        ("raw@v2", b"note 2\n"),
        ("raw@main~2", b"note 1\n"),
        ("other@v2", b"note 3\n"),
        ("dev~1", b"note 3\n"),
    ],
)
def test_a_branch_is_read_as_of_a_ref(lake, ref, note):
    with dl.as_of(ref):
        assert lake.files.read("raw@main/note.txt") == note
    assert lake.files.read("raw@main/note.txt") == b"note 3\n"


def test_a_time_is_about_every_branch_and_no_commit(lake):
    second = lake.refs.get("raw", "v2")
    lake.refs.create_branch("raw", "dev", at="main")
    with dl.as_of(second.updated_at.isoformat()):
        assert lake.files.read("raw@main/note.txt") == b"note 2\n"
        assert lake.files.read("raw@main~2/note.txt") == b"note 1\n"
        assert lake.files.read(f"raw@{second.commit_id}/note.txt") == b"note 2\n"
        with pytest.raises(NotFoundError, match="before dev was created"):
            lake.files.read("raw@dev/note.txt")


def test_addresses_by_fsspec_and_their_passports_are_of_the_past(lake):
    with dl.as_of("main~1"):
        frame = pd.read_csv("lake://raw@main/table.csv", storage_options={"lake_url": lake.url})
        passport = lake.files.read_frame("raw@main/table.csv").attrs["datalake"]
    assert frame["a"].tolist() == [2]
    assert passport["commit"] == lake.commits.get("raw", "v2").id


def test_threads_of_the_cell_are_in_the_past_too(lake):
    found = []
    with dl.as_of("v2"):
        thread = threading.Thread(target=lambda: found.append(lake.files.read("raw@main/note.txt")))
        thread.start()
        thread.join()
    assert found == [b"note 2\n"]


def test_blocks_inside_each_other_end_one_by_one(lake):
    with dl.as_of("main~1"):
        with dl.as_of("main~2"):
            assert lake.files.read("raw@main/note.txt") == b"note 1\n"
        assert lake.files.read("raw@main/note.txt") == b"note 2\n"


@pytest.mark.parametrize("ref", ["", "main~", "2026-13-99", "a b"])
def test_what_is_no_ref_is_refused(ref):
    with pytest.raises(InvalidInputError), dl.as_of(*([ref] if ref else [])):
        pass


def test_a_cell_reads_the_past_and_gives_its_last_value(run, lake, shell):
    shell.user_ns["lake"] = lake
    cell = "%%asof main~1\nseen = lake.files.read('raw@main/note.txt')\nseen.decode()"
    assert run(cell) == "note 2\n"
    assert shell.user_ns["seen"] == b"note 2\n"
    assert run(f"{cell};") is None


def test_files_of_mounted_folders_are_read_as_they_were(run, raw, shell):
    shell.user_ns.update(raw=raw, pd=pd)
    assert run("%%asof main~1\nnow = open(raw / 'note.txt')\nnow.read()") == "note 2\n"
    assert run("%%asof main~1\n(raw / 'note.txt').read_bytes()") == b"note 2\n"
    assert run("%%asof main~2\npd.read_csv(str(raw / 'table.csv'))['a'].tolist()") == [1]
    assert (raw / "note.txt").read_text() == "note 3\n"
    assert open is io.open
    assert run("with open(raw / 'note.txt') as now: text = now.read()") is None
    assert shell.user_ns["text"] == "note 3\n"


def test_what_would_show_the_present_is_refused(run, raw, shell):
    shell.user_ns.update(raw=raw, os=os)
    for code, error in (
        ("os.listdir(raw)", InvalidInputError),
        ("list(raw.iterdir())", InvalidInputError),
        ("(raw / 'note.txt').write_text('x')", StateError),
        ("os.open(raw / 'note.txt', os.O_RDONLY)", StateError),
    ):
        with pytest.raises(error, match="shows the present"):
            run(f"%%asof main~1\n{code}")
    assert sorted(one.name for one in raw.iterdir()) == ["note.txt", "table.csv"]


def test_other_files_are_as_they_are(run, raw, shell, tmp_path):
    (tmp_path / "own.txt").write_text("mine")
    shell.user_ns.update(own=tmp_path / "own.txt", raw=raw)
    assert run("%%asof main~1\nown.write_text('yours'); own.read_text()") == "yours"
    assert run("%%asof other@v1\n(raw / 'note.txt').read_text()") == "note 3\n"


def test_a_cell_that_read_nothing_of_the_past_says_so(run, capsys):
    assert run("%%asof main~1\n1 + 1") == 2
    assert "Nothing was read as of main~1" in capsys.readouterr().err


def test_a_cell_that_fails_is_back_in_the_present(run, lake, shell):
    shell.user_ns["lake"] = lake
    with pytest.raises(ZeroDivisionError):
        run("%%asof main~1\n1 / 0")
    assert run("lake.files.read('raw@main/note.txt')") == b"note 3\n"
    with pytest.raises(NotFoundError, match="beyond the first commit"):
        run("%%asof main~50\nlake.files.read('raw@main/note.txt')")
