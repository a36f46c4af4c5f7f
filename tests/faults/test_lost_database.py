"""The metadata database is deleted: the command line says what to do, and that helps."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of

BIG = bytes(range(256)) * 20_000


@pytest.fixture
def lost(lake):
    """A lake with history whose database is gone, and what the lake held."""
    lake.files.put("raw@main/a/big", BIG)
    lake.files.put("raw@main/b", "first")
    lake.refs.create_branch("raw", "dev", at="main")
    lake.files.put("raw@main/b", "second")
    lake.files.put("raw@dev/c", "on dev")
    lake.repos.create("other")
    lake.files.copy("raw@main/a", "other@main/copied")
    held = {
        (repo, ref): (history_of(lake, repo, ref), contents_of(lake, repo, ref))
        for repo, ref in (("raw", "main"), ("raw", "dev"), ("other", "main"))
    }
    with lake.sessions.create("raw") as session:
        session.put("staged", "not committed yet")
    lake.close()
    for file in Path(lake.url).glob("metadata.sqlite*"):
        file.unlink()
    return lake.url, held


def datalake(url, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "jupyter_datalake.cli.main", "--lake", url, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_says_that_it_is_gone_and_how_to_get_it_back(lost):
    url, _ = lost
    for command in (["repos", "list"], ["files", "read", "raw@main/b"], ["jobs", "list"]):
        done = datalake(url, *command)
        assert (done.returncode, done.stdout) == (20, "")
        (line,) = done.stderr.splitlines()
        assert f"datalake --lake {url} maintenance rebuild" in line
    assert not list(Path(url).glob("metadata.sqlite*"))


def test_rebuilding_brings_back_every_branch_its_history_and_what_was_staged(lost):
    url, held = lost
    done = datalake(url, "maintenance", "rebuild", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["branches"] == ["other@main", "raw@dev", "raw@main"]
    again = datalake(url, "maintenance", "rebuild")
    assert (again.returncode, again.stdout) == (14, "")
    assert datalake(url, "maintenance", "verify").returncode == 0
    with Lake.open(url) as lake:
        for (repo, ref), (history, contents) in held.items():
            assert history_of(lake, repo, ref) == history
            assert contents_of(lake, repo, ref) == contents
        (session,) = lake.sessions.list()
        assert [change.path for change in lake.sessions.diff(session.id)] == ["staged"]
        lake.sessions.commit(session.id, "after all")
        lake.files.put("raw@dev/d", "life goes on")
        check_lake(lake)
