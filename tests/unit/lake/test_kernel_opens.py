"""What a kernel opens in checkouts is heard from Python, and never stands in the way."""

import os
from pathlib import Path

import pytest

from jupyter_datalake.lake import cells
from jupyter_datalake.lake.kernel_opens import KernelOpens
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.lineage import SeenBy
from jupyter_datalake.model.mounts import MountMode


@pytest.fixture
def lake(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "jupyter_datalake.lake.mountpoints.choose_mode", lambda: (MountMode.CHECKOUT, "a test")
    )
    with Lake.create(str(tmp_path / "lake")) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/a.txt", "a")
        lake.files.put("raw@main/folder/b.txt", "b")
        monkeypatch.setenv("DATALAKE_URL", lake.url)
        yield lake


@pytest.fixture
def raw(lake, tmp_path):
    return Path(lake.mounts.create("raw", at=str(tmp_path / "shown")).path)


@pytest.fixture
def opens(lake):
    """What hears; an audit hook stays for ever, so it is told to hear no more."""
    hears = KernelOpens()
    hears.begin()
    yield hears
    hears.end()


def heard(lake, opens):
    opens.write_down()
    return {(one.path, str(one.kind), one.opens) for one in lake.lineage.observed()}


def test_opens_in_a_checkout_are_those_of_its_session(lake, raw, opens):
    (raw / "a.txt").read_text()
    with open(raw / "a.txt", "rb"), open(os.fsencode(raw / "folder" / "b.txt"), "rb"):
        (raw / "new.txt").write_text("new")
    os.close(os.open(raw / "folder" / "b.txt", os.O_RDONLY))
    assert heard(lake, opens) == {
        ("a.txt", "read", 2),
        ("folder/b.txt", "read", 2),
        ("new.txt", "write", 1),
    }
    for one in lake.lineage.observed():
        assert one.seen_by is SeenBy.KERNEL
        assert one.session_id == lake.mounts.get("raw").session_id
        assert one.commit_id == lake.commits.get("raw", "main").id
        assert one.observer.pid == os.getpid()


def test_relative_paths_links_and_renames_lead_to_the_same_file(
    lake, raw, opens, monkeypatch, tmp_path
):
    monkeypatch.chdir(raw / "folder")
    Path("b.txt").read_text()
    Path("../a.txt").read_text()
    (tmp_path / "link").symlink_to(raw)
    (tmp_path / "link" / "a.txt").read_text()
    Path(".partial").write_text("c")
    os.replace(".partial", "c.txt")
    found = {(path, kind) for path, kind, _ in heard(lake, opens)}
    assert found == {("folder/b.txt", "read"), ("a.txt", "read"), ("folder/c.txt", "write")}


def test_what_is_elsewhere_or_was_not_opened_is_forgotten(lake, raw, opens, tmp_path):
    (tmp_path / "own").write_text("mine")
    with pytest.raises(FileNotFoundError):
        (raw / "nothing").read_text()
    (raw / "gone").write_text("x")
    (raw / "gone").unlink()
    os.close(os.open(raw / "folder", os.O_RDONLY))
    here = os.open(raw, os.O_RDONLY)
    os.close(os.open("a.txt", os.O_RDONLY, dir_fd=here))  # which folder is not told
    os.close(here)
    assert heard(lake, opens) == set()


def test_a_read_only_checkout_is_named_by_its_commit(lake, opens, tmp_path):
    first = lake.commits.get("raw", "main")
    lake.refs.create_tag("raw", "v1")
    shown = Path(lake.mounts.create("raw", "v1", at=str(tmp_path / "shown")).path)
    (shown / "a.txt").read_text()
    opens.write_down()
    (one,) = lake.lineage.observed()
    assert (one.path, one.commit_id, one.session_id) == ("a.txt", first.id, None)


def test_committing_a_checkout_is_no_access_of_the_kernel(lake, raw, opens):
    session = lake.mounts.get("raw").session_id
    (raw / "new.txt").write_text("new")
    assert heard(lake, opens) == {("new.txt", "write", 1)}
    lake.sessions.commit(session, "Add it")
    assert heard(lake, opens) == {("new.txt", "write", 1)}


def test_nothing_is_heard_before_it_begins_and_after_it_ends(lake, raw):
    hears = KernelOpens()
    (raw / "a.txt").read_text()
    hears.begin()
    hears.begin()
    (raw / "folder" / "b.txt").read_text()
    hears.end()
    (raw / "a.txt").read_text()
    hears.write_down()
    assert {(one.path, one.opens) for one in lake.lineage.observed()} == {("folder/b.txt", 1)}


def test_no_open_fails_whatever_is_heard(opens, lake, raw, monkeypatch):
    monkeypatch.setattr(cells, "running", lambda: 1 / 0)
    assert (raw / "a.txt").read_text() == "a"
    assert opens.unheard > 0
    monkeypatch.undo()
    with pytest.raises(ValueError, match="null"):
        open("a\0b")  # noqa: SIM115
    assert (raw / "a.txt").read_text() == "a"


def test_without_a_lake_nothing_is_known_and_nothing_fails(opens, tmp_path, monkeypatch):
    monkeypatch.setenv("DATALAKE_URL", str(tmp_path / "nowhere"))
    (tmp_path / "own").write_text("mine")
    opens.write_down()
    assert not (tmp_path / "nowhere").exists()
