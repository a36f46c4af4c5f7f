"""What is staged without FUSE is saved as drafts while somebody of the lake is alive."""

import shutil
import threading
from pathlib import Path

import pytest

from jupyter_datalake.engine.session import sessions_folder
from jupyter_datalake.lake import autosaving
from jupyter_datalake.lake.autosaving import Autosaver
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.mounts import MountMode


@pytest.fixture
def lake(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "jupyter_datalake.lake.mountpoints.choose_mode", lambda: (MountMode.CHECKOUT, "a test")
    )
    with Lake.create(str(tmp_path / "lake")) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/a.txt", "a")
        lake.files.put("raw@main/b.txt", "b")
        yield lake


@pytest.fixture
def raw(lake, tmp_path):
    return Path(lake.mounts.create("raw", at=str(tmp_path / "shown")).path)


@pytest.fixture
def saver(lake):
    saver = Autosaver(lake.core, lake.sessions)
    yield saver
    saver.stop()


def test_a_checkout_that_is_lost_comes_back_from_its_draft(lake, raw, saver):
    session = lake.mounts.get("raw").session_id
    (raw / "new").write_text("new")
    (raw / "a.txt").write_text("changed")
    (raw / "b.txt").unlink()
    assert saver.save_changed() == [session]
    assert (raw / "new").read_text() == "new"
    shutil.rmtree(raw)
    shutil.rmtree(sessions_folder(lake.core) / session)
    lake.mounts.delete("raw", discard=True)

    recovered = lake.sessions.recover(session)
    again = Path(lake.mounts.create("raw", at=str(raw.parent)).path)
    assert sorted(one.name for one in again.iterdir()) == ["a.txt", "new"]
    assert (again / "a.txt").read_text() == "changed"
    lake.sessions.commit(recovered.id, "Recovered")
    assert lake.files.read("raw@main/new") == b"new"
    assert [one.path for one in lake.files.list("raw@main")] == ["a.txt", "new"]


def test_only_what_changed_is_saved(lake, raw, saver, monkeypatch):
    session = lake.mounts.get("raw").session_id
    assert saver.save_changed() == []
    (raw / "new").write_text("1")
    assert saver.save_changed() == [session]
    saver.save_changed()  # on a slow machine, a file that was young is looked at once more
    asked = []
    real = lake.sessions.save
    monkeypatch.setattr(lake.sessions, "save", lambda one: asked.append(one) or real(one))
    assert saver.save_changed() == []
    assert asked == []
    (raw / "new").write_text("12")
    assert saver.save_changed() == [session]
    (raw / "more").symlink_to("new")
    assert saver.save_changed() == [session]
    assert lake.sessions.drafts()[0].changes == 2
    lake.sessions.commit(session, "Add")
    assert saver.save_changed() == []
    assert lake.sessions.drafts() == []


def test_a_session_without_a_folder_is_saved_when_nobody_holds_it(lake, saver):
    with lake.sessions.create("raw") as work:
        work.put("new", "1")
        assert saver.save_changed() == []  # it is in use
    assert saver.save_changed() == [work.id]
    assert saver.save_changed() == []
    with lake.sessions.open(work.id) as work:
        work.put("more", "2")
    assert saver.save_changed() == [work.id]
    assert lake.sessions.drafts()[0].changes == 2
    shutil.rmtree(sessions_folder(lake.core) / work.id)
    with lake.sessions.open(lake.sessions.recover(work.id).id) as found:
        assert {one.path for one in found.diff()} == {"new", "more"}


def test_one_process_of_a_machine_saves_and_another_takes_over(lake, raw, saver):
    (raw / "new").write_text("1")
    assert len(saver.save_changed()) == 1
    (raw / "new").write_text("12")
    other = Autosaver(lake.core, lake.sessions)
    assert other.save_changed() == []
    saver.stop()
    assert len(other.save_changed()) == 1
    other.stop()


def test_a_folder_that_is_gone_hinders_no_other_session(lake, raw, saver, tmp_path):
    with lake.sessions.create("raw") as gone:
        gone.put("x", "1")
    shutil.rmtree(sessions_folder(lake.core) / gone.id)
    (raw / "new").write_text("1")
    assert saver.save_changed() == [lake.mounts.get("raw").session_id]


def test_a_thread_saves_by_itself_until_it_is_stopped(lake, raw, monkeypatch):
    monkeypatch.setattr(autosaving, "AUTOSAVE_S", 0.01)
    saved = threading.Event()
    saver = Autosaver(lake.core, lake.sessions)
    real = saver.save_changed
    monkeypatch.setattr(saver, "save_changed", lambda: real() and saved.set())
    (raw / "new").write_text("1")
    saver.start()
    assert saved.wait(60)
    saver.stop()
    assert "datalake-autosave" not in {one.name for one in threading.enumerate()}
    assert lake.sessions.drafts()[0].changes == 1


def test_many_files_of_a_checkout_cost_few_transactions(lake, raw, monkeypatch):
    session = lake.mounts.get("raw").session_id
    for number in range(40):
        (raw / str(number)).write_text(str(number))
    begun = []
    real = lake.core.metadata.write
    monkeypatch.setattr(lake.core.metadata, "write", lambda: begun.append(1) or real())
    assert lake.sessions.save(session).changes == 40
    lake.sessions.commit(session, "Add them")
    assert len(begun) < 15
    assert lake.files.read("raw@main/39") == b"39"
