"""Two notebooks on one branch, each with a folder and staged changes of its own."""

from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

import jupyter_datalake
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidInputError,
    PermissionDeniedError,
)
from jupyter_datalake.notebook.magics import DatalakeMagics
from tests.integration.mount.conftest import wait_until


@pytest.fixture(params=[pytest.param("fuse", marks=pytest.mark.fuse), "checkout"])
def mode(request):
    if request.param == "checkout":
        request.getfixturevalue("checkouts")
    return request.param


@pytest.fixture
def environment(lake, point, monkeypatch):
    """What a kernel's variables say."""
    lake.files.put("raw@main/both", "base")
    monkeypatch.setenv("DATALAKE_URL", lake.url)
    monkeypatch.setenv("DATALAKE_MOUNTPOINT", point)
    return monkeypatch


def session_at(lake, folder):
    return next(one.session_id for one in lake.mounts.list() if one.path == str(folder))


def test_each_notebook_stages_and_commits_for_itself(lake, point, environment, mode):
    raw = Path(lake.mounts.create("raw").path)
    environment.setenv("JPY_SESSION_NAME", "/srv/jupyter/a b.ipynb")
    mine = jupyter_datalake.session("raw")
    environment.setenv("JPY_SESSION_NAME", "/srv/jupyter/other.ipynb")
    yours = jupyter_datalake.session("raw")
    assert [str(one) for one in (raw, mine, yours)] == [
        f"{point}/raw",
        f"{point}/raw@main+a-b",
        f"{point}/raw@main+other",
    ]
    (mine / "mine").write_text("1")
    (yours / "yours").write_text("2")
    (yours / "both").write_text("yours")
    assert not (yours / "mine").exists()
    assert not (raw / "mine").exists()
    assert {(one.name, one.notebook) for one in lake.sessions.list("raw")} == {
        (None, None),
        ("a-b", "/srv/jupyter/a b.ipynb"),
        ("other", "/srv/jupyter/other.ipynb"),
    }

    lake.sessions.commit(session_at(lake, mine), "Mine")
    assert lake.files.read("raw@main/mine") == b"1"
    assert [one.path for one in lake.sessions.diff(session_at(lake, yours))] == ["both", "yours"]
    lake.sessions.commit(session_at(lake, yours), "Yours")
    wait_until((yours / "mine").exists)
    assert lake.files.read("raw@main/both") == b"yours"

    if mode == "checkout":
        lake.mounts.start(point)  # a checkout follows when it is told to
    wait_until(lambda: (mine / "both").read_text() == "yours")
    (mine / "both").write_text("mine")
    (raw / "both").write_text("third")
    lake.sessions.commit(session_at(lake, raw), "Third")
    with pytest.raises(ConflictError, match="both"):
        lake.sessions.commit(session_at(lake, mine), "Mine")
    assert (mine / "both").read_text() == "mine"
    assert lake.files.read("raw@main/both") == b"third"


def test_what_is_staged_is_there_when_the_notebook_asks_again(lake, environment, mode):
    mine = jupyter_datalake.session("raw", notebook="/srv/jupyter/a.ipynb")
    assert jupyter_datalake.session("raw", notebook="/srv/jupyter/a.ipynb") == mine
    (mine / "x").write_text("1")
    before = session_at(lake, mine)
    lake.mounts.delete(mine.name)
    raw = Path(lake.mounts.create("raw").path)
    assert not (raw / "x").exists()
    assert jupyter_datalake.session("raw", notebook="/srv/jupyter/a.ipynb") == mine
    assert (mine / "x").read_text() == "1"
    assert session_at(lake, mine) == before
    namesake = jupyter_datalake.session("raw", notebook="/elsewhere/a.ipynb")
    assert namesake.name.startswith("raw@main+a-")
    assert not (namesake / "x").exists()
    lake.mounts.delete(namesake.name)
    assert [one.notebook for one in lake.sessions.list("raw") if one.name] == [
        "/srv/jupyter/a.ipynb"
    ]


@pytest.mark.usefixtures("checkouts", "environment")
def test_what_makes_no_sense_is_refused_and_leaves_nothing(lake):
    lake.refs.create_tag("raw", "v1")
    for ref, name, writable, error in [
        ("main", "a/b", None, InvalidInputError),
        ("main", "", None, InvalidInputError),
        ("main", "x", False, InvalidInputError),
        ("v1", "x", None, PermissionDeniedError),
    ]:
        with pytest.raises(error):
            lake.mounts.create("raw", ref, session=name, writable=writable)
    with pytest.raises(InvalidInputError, match="which notebook"):
        jupyter_datalake.session("raw")
    assert lake.mounts.list() == []
    assert lake.sessions.list() == []
    lake.mounts.create("raw", session="x")
    with pytest.raises(AlreadyExistsError):
        lake.mounts.create("raw", session="x")
    assert [(one.name, one.session_id) for one in lake.mounts.list()] == [
        ("raw@main+x", lake.sessions.list()[0].id)
    ]


@pytest.mark.usefixtures("checkouts")
def test_the_magic_gives_the_notebook_its_folder(environment, point):
    environment.setenv("JPY_SESSION_NAME", "/srv/jupyter/a.ipynb")
    run = DatalakeMagics(InteractiveShell()).datalake
    assert run("session raw") == Path(point) / "raw@main+a"
    assert run("session raw main") == Path(point) / "raw@main+a"
    for line in ("session", "session raw main more"):
        with pytest.raises(InvalidInputError, match="not understood"):
            run(line)
    with pytest.raises(InvalidInputError, match="No such command 'sesion'"):
        run("sesion raw")
