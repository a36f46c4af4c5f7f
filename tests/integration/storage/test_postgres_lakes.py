"""Whole lakes with their metadata in Postgres: in a folder, and in S3 for several machines."""

import itertools
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from jupyter_datalake.config import ControllerConfig, LakeConfig
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    StorageError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import rebuild_lake, restore_lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of
from jupyter_datalake.testing.lake_machine import LakeMachine

ADA = Author("ada")
_numbers = itertools.count()


@pytest.fixture
def database(postgres_server):
    return postgres_server.url()


@pytest.fixture
def lake(tmp_path, database):
    config = LakeConfig(str(tmp_path / "lake"), database_url=database)
    with Lake.create(config, author=ADA) as made:
        made.repos.create("raw")
        yield made


def datalake(url, *arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "jupyter_datalake.cli.main", "--lake", url, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


# --- in a folder -----------------------------------------------------------------------------


def test_the_lake_is_as_the_model_says_whatever_is_done_to_it(postgres_server):
    class Machine(LakeMachine):
        def config(self, folder):
            return LakeConfig(str(folder), database_url=postgres_server.url())

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=3,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
        ),
    )


def test_the_lake_remembers_its_database_and_not_the_password(tmp_path, database):
    given = database.replace("ada@", "ada:very-secret@")
    config = LakeConfig(str(tmp_path / "lake"), database_url=given)
    with Lake.create(config, author=ADA) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/x", "1")
    assert "very-secret" not in repr(config)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"very-secret" not in file.read_bytes()
    named = json.loads((tmp_path / "lake/objects/lake.json").read_text())["database"]
    assert named == database
    with Lake.open(config.url) as lake:
        assert lake.files.read("raw@main/x") == b"1"
        check_lake(lake)
    assert not list((tmp_path / "lake").glob("metadata.sqlite*"))


def test_commands_make_and_use_it(tmp_path, database):
    url = str(tmp_path / "lake")
    assert datalake(url, "init", url, "--database", database).returncode == 0
    assert datalake(url, "repos", "create", "raw").returncode == 0
    assert "raw" in datalake(url, "repos", "list").stdout
    again = datalake(url, "init", f"{url}-2", "--database", database, "--json")
    assert again.returncode == 14
    assert "?schema=NAME" in json.loads(again.stderr)["message"]
    assert not (tmp_path / "lake-2" / "objects" / "lake.json").exists()
    gone = datalake(url, "repos", "list", DATALAKE_DATABASE_URL="postgresql://ada:pw@127.0.0.1:1/x")
    assert gone.returncode == 20
    (line,) = gone.stderr.splitlines()
    assert "does not answer" in line
    assert "pw" not in line


def test_a_lake_that_has_a_file_does_not_look_at_the_environment(tmp_path, database, monkeypatch):
    url = str(tmp_path / "lake")
    Lake.create(url, author=ADA).close()
    monkeypatch.setenv("DATALAKE_DATABASE_URL", database)
    with Lake.open(url) as lake:
        lake.repos.create("raw")
    with Lake.create(str(tmp_path / "other"), author=ADA) as other:
        other.repos.create("theirs")
    assert not (tmp_path / "other" / "metadata.sqlite").exists()
    with pytest.raises(InvalidInputError):
        Lake.create(LakeConfig("memory:", database_url=database))


def test_a_schema_is_one_lake_s(lake, tmp_path, database):
    config = LakeConfig(str(tmp_path / "other"), database_url=database)
    with pytest.raises(AlreadyExistsError, match="holds the lake"):
        Lake.create(config)
    assert not (tmp_path / "other" / "objects" / "lake.json").exists()
    assert [repo.name for repo in lake.repos.list()] == ["raw"]
    assert lake.maintenance.verify().is_clean


def test_a_creation_that_was_cut_short_is_gone_on_with(tmp_path, database):
    from jupyter_datalake.metadata.locations import open_postgres

    url = str(tmp_path / "lake")
    store = open_postgres(database, wait_s=5)
    with store.write() as tx:
        tx.settings.set_once("made_for", f"{socket.gethostname()}:{url}")
        tx.settings.set_once("lake_id", "ab" * 16)
        tx.settings.set_once("encrypted", "False")
    store.close()
    with Lake.create(LakeConfig(url, database_url=database), author=ADA) as lake:
        assert lake.core.lake_id == "ab" * 16
        lake.repos.create("raw")
        check_lake(lake)


def test_a_lost_schema_is_said_to_be_lost_and_is_rebuilt(lake, postgres_server, database):
    lake.files.put("raw@main/x", "1")
    history = history_of(lake, "raw")
    lake.close()
    with pytest.raises(AlreadyExistsError):
        rebuild_lake(lake.url)
    schema = database.rpartition("=")[2]
    with postgres_server.connect() as connection:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")
    with pytest.raises(StorageError, match="There is no lake in the database") as caught:
        Lake.open(lake.url)
    assert "rebuild" in caught.value.hint
    with postgres_server.connect() as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname = %s", [schema]
        ).fetchone()
    assert found == (0,), "opening made an empty one"
    rebuild_lake(lake.url)
    with Lake.open(lake.url) as again:
        assert history_of(again, "raw") == history
        again.files.put("raw@main/y", "2")
        check_lake(again)


def test_a_backup_is_a_file_and_is_gone_back_to(lake, postgres_server, database, tmp_path):
    lake.files.put("raw@main/x", "1")
    lake.refs.create_tag("raw", "v1")
    lake.repos.create("gone")
    lake.repos.delete("gone")
    made = lake.maintenance.backup(tmp_path / "backup")
    lake.files.put("raw@main/x", "2")
    lake.close()
    with pytest.raises(AlreadyExistsError):
        restore_lake(made.path, lake.url)
    with postgres_server.connect() as connection:
        connection.execute(f"DROP SCHEMA {database.rpartition('=')[2]} CASCADE")
    before = Path(made.path).read_bytes()
    restored = datalake(lake.url, "maintenance", "restore", made.path, "--json")
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["last_event"] == made.last_event
    assert Path(made.path).read_bytes() == before
    with Lake.open(lake.url) as again:
        assert contents_of(again, "raw", "v1") == contents_of(again, "raw") == {"x": b"1"}
        assert again.events.last_number() == made.last_event
        with again.core.metadata.read() as tx:
            old = tx.repos.get("raw").id
        again.repos.create("new")
        with again.core.metadata.read() as tx:
            assert tx.repos.get("new").id > old + 1, "the number of a deleted repo came back"
        again.files.put("raw@main/z", "3")
        check_lake(again)


def test_a_backup_of_another_lake_is_refused(lake, tmp_path):
    made = lake.maintenance.backup(tmp_path / "backup")
    url = str(tmp_path / "other")
    Lake.create(url, author=ADA).close()
    for file in Path(url).glob("metadata.sqlite*"):
        file.unlink()
    with pytest.raises(StorageError, match="another lake"):
        restore_lake(made.path, url)
    assert not list(Path(url).glob("metadata.sqlite*"))


def test_pipelines_run_and_their_workers_find_the_database(lake, tmp_path, database):
    """Also where the password comes from the environment, which datums do not see."""
    spec = {
        "pipeline": "p",
        "command": ["sh", "-c", "env > pfs/out/environment"],
        "input": {"repo": {"name": "raw", "glob": "/"}},
    }
    lake.files.put("raw@main/x", "1")
    lake.pipelines.apply(spec, folder=tmp_path)
    os.environ["PGPASSWORD"] = "not-for-datums"
    try:
        lake.run_controller(ControllerConfig(workers=1), until_idle=True)
    finally:
        del os.environ["PGPASSWORD"]
    (job,) = lake.jobs.list()
    assert str(job.state) == "success", job.message
    seen = lake.files.read("p@main/environment").decode()
    assert "not-for-datums" not in seen
    check_lake(lake)


# --- in S3, from two machines ----------------------------------------------------------------


@pytest.fixture
def machines(s3, s3_environment, tmp_path, database):
    """The same lake, opened on two machines: two folders for what is a machine's own."""
    bucket = f"postgres-{next(_numbers)}"
    s3.client.create_bucket(Bucket=bucket)
    url = s3.url(bucket, "lake")
    one = LakeConfig(url, database_url=database, state_folder=tmp_path / "one")
    two = LakeConfig(url, state_folder=tmp_path / "two")
    with Lake.create(one, author=ADA) as first, Lake.open(two, author=Author("bob")) as second:
        first.repos.create("raw")
        yield first, second


def test_what_one_machine_commits_the_other_sees(machines):
    one, two = machines
    one.files.put("raw@main/a", b"1" * 100_000)
    assert two.files.read("raw@main/a") == b"1" * 100_000
    two.refs.create_branch("raw", "dev")
    two.files.put("raw@dev/b", "2")
    assert contents_of(one, "raw", "dev").keys() == {"a", "b"}
    events = [[one.number for one in lake.events.list(after=0, limit=99)] for lake in machines]
    assert events[0] == events[1]
    with one.transaction("both") as tx:
        tx.put("raw@main/c", "3")
        tx.put("raw@dev/c", "3")
    assert two.files.read("raw@dev/c") == two.files.read("raw@main/c") == b"3"
    for lake in machines:
        check_lake(lake)


def test_commits_of_two_machines_to_one_branch_conflict_or_are_both_kept(machines):
    one, two = machines
    sessions = [lake.sessions.create("raw") for lake in machines]
    for number, session in enumerate(sessions):
        session.put(f"own {number}", "x")
        session.put("both", f"{number}")
    sessions[0].commit("first")
    with pytest.raises(ConflictError) as caught:
        sessions[1].commit("second")
    assert caught.value.context["paths"] == ["both"]
    sessions[1].discard("both")
    sessions[1].commit("second, without it")
    assert contents_of(one, "raw") == {"own 0": b"x", "own 1": b"x", "both": b"0"}
    for session in sessions:
        session.delete_session()
    check_lake(two)


def test_a_session_of_the_other_machine_is_seen_and_left_alone(machines):
    one, two = machines
    with one.sessions.create("raw") as session:
        session.put("staged", "here")
    assert [info.id for info in two.sessions.list()] == [session.id]
    for act in (two.sessions.diff, two.sessions.open, two.sessions.delete, two.sessions.discard):
        with pytest.raises(ConflictError, match=f"is kept on {socket.gethostname()} in") as caught:
            act(session.id)
        assert caught.value.kind is ErrorKind.SESSION_ELSEWHERE
    with pytest.raises(ConflictError):
        two.sessions.commit(session.id, "not mine")
    assert [change.path for change in one.sessions.diff(session.id)] == ["staged"]
    two.sessions.delete(session.id, lost=True)
    assert one.sessions.list() == []


def test_one_machine_leads_and_the_other_waits(machines):
    one, two = machines
    with one.core.metadata.write() as tx:
        assert tx.leases.acquire("controller", "one", 60) is not None
    with two.core.metadata.write() as tx:
        assert tx.leases.acquire("controller", "two", 60) is None
    assert two.maintenance.get_status().controller == "one"


def test_a_lake_in_s3_is_found_by_its_url_alone(machines, database):
    one, _ = machines
    done = datalake(one.url, "repos", "list", "--json")
    assert done.returncode == 0, done.stderr
    assert [repo["name"] for repo in json.loads(done.stdout)] == ["raw"]
