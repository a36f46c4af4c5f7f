"""Whole lakes in S3 with SQLite on this machine: what works in a folder works there."""

import itertools
import os

import pytest
from click.testing import CliRunner
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from jupyter_datalake.cli.main import cli
from jupyter_datalake.config import ControllerConfig, LakeConfig
from jupyter_datalake.errors import AlreadyExistsError, ErrorKind, NotFoundError, StorageError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import rebuild_lake
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.testing.invariants import check_lake
from jupyter_datalake.testing.lake_machine import LakeMachine

_numbers = itertools.count()
BUCKET = "lakes"


@pytest.fixture
def url(s3, s3_environment):
    s3.client.create_bucket(Bucket=BUCKET)
    return s3.url(BUCKET, f"lake-{next(_numbers)}")


@pytest.fixture
def lake(url):
    with Lake.create(url) as lake:
        lake.repos.create("raw")
        yield lake


def run(*words):
    done = CliRunner().invoke(cli, list(words))
    assert done.exception is None, (done.output, done.exception)
    return done.output


def test_the_lake_is_as_the_model_says_whatever_is_done_to_it(moto, s3_environment):
    moto.client.create_bucket(Bucket=BUCKET)

    class Machine(LakeMachine):
        def config(self, folder):
            url = moto.url(BUCKET, f"machine-{next(_numbers)}")
            return LakeConfig(url, state_folder=folder)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=2,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
        ),
    )


def test_files_of_many_packs_come_back_and_the_second_time_from_this_machine(lake, url, tmp_path):
    data = os.urandom(70 << 20)
    (tmp_path / "large").write_bytes(data)
    lake.files.put("raw@main/large", tmp_path / "large")
    lake.files.put("raw@main/small", b"small" * 100)
    with Lake.open(url) as other:
        other.files.export("raw@main/large", tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == data
        with other.files.open("raw@main/large") as file:
            file.seek(33_000_000)
            assert file.read(100) == data[33_000_000:33_000_100]
    check_lake(lake)
    held = sum(
        path.stat().st_size
        for path in (lake.core.work_folder.parent / "cache").rglob("*")
        if path.is_file()
    )
    assert held > len(data)
    assert list((lake.core.work_folder.parent / "spool").glob("*")) == []


def test_commands_make_and_use_it(url, tmp_path):
    assert "Made a lake in s3://" in run("--lake", url, "init")
    run("--lake", url, "repos", "create", "raw")
    (tmp_path / "in.csv").write_text("a,b\n1,2\n")
    run("--lake", url, "files", "put", "raw@main/in.csv", str(tmp_path / "in.csv"))
    assert run("--lake", url, "files", "read", "raw@main/in.csv") == "a,b\n1,2\n"
    assert "X-Amz-Signature" in run("--lake", url, "files", "share", "raw@main/in.csv")
    assert "in.csv" in run("--lake", url, "files", "list", "raw@main/")
    assert "Made a lake" not in CliRunner().invoke(cli, ["--lake", url, "init"]).output
    assert "can be opened" in CliRunner().invoke(cli, ["--lake", url, "doctor"]).output


def test_pipelines_run_and_datums_find_no_keys(lake, tmp_path):
    spec = {
        "pipeline": "p",
        "command": ["sh", "-c", "env > pfs/out/environment"],
        "input": {"repo": {"name": "raw", "glob": "/"}},
    }
    lake.files.put("raw@main/x", "1")
    lake.pipelines.apply(spec, folder=tmp_path)
    lake.run_controller(ControllerConfig(workers=1), until_idle=True)
    (job,) = lake.jobs.list()
    assert str(job.state) == "success", job.message
    seen = lake.files.read("p@main/environment").decode()
    assert "AWS_" not in seen
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in seen


def test_another_machine_is_told_that_it_has_no_database(lake, url, monkeypatch, tmp_path):
    lake.files.put("raw@main/x", b"here" * 100)
    monkeypatch.setenv("DATALAKE_STATE_FOLDER", str(tmp_path / "other machine"))
    with pytest.raises(StorageError) as caught:
        Lake.open(url)
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE
    assert "maintenance rebuild" in caught.value.hint
    assert not list((tmp_path / "other machine").rglob("metadata.sqlite*"))
    assert lake.files.read("raw@main/x") == b"here" * 100


def test_a_lost_database_is_rebuilt_from_the_bucket(lake, url):
    data = os.urandom(1_000_000)
    lake.files.put("raw@main/x", data)
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/y", b"dev" * 100)
    folder = lake.core.work_folder.parent
    with pytest.raises(AlreadyExistsError):
        rebuild_lake(url)
    lake.close()
    for file in folder.glob("metadata.sqlite*"):
        file.unlink()
    report = rebuild_lake(url)
    assert sorted(report.branches) == ["raw@dev", "raw@main"]
    with Lake.open(url) as again:
        assert again.core.lake_id == lake.core.lake_id
        assert again.files.read("raw@main/x") == data
        assert again.files.read("raw@dev/y") == b"dev" * 100
        check_lake(again)


def test_the_state_folder_of_a_configuration_is_found_by_processes_too(url, tmp_path):
    config = LakeConfig(url, state_folder=tmp_path / "elsewhere", read_cache_bytes=0)
    with Lake.create(config) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/x", b"1" * 1000)
        with Lake.open(lake.url) as process:
            assert process.files.read("raw@main/x") == b"1" * 1000
        assert lake.core.work_folder.is_relative_to(tmp_path / "elsewhere")


def test_a_place_without_a_lake_says_how_to_make_one(url, tmp_path):
    with pytest.raises(NotFoundError) as caught:
        Lake.open(url)
    assert caught.value.kind is ErrorKind.LAKE_NOT_FOUND
    assert url.partition("?")[0] in caught.value.hint
    assert not (tmp_path / "state").exists()


def test_garbage_is_collected_in_the_bucket(lake, s3):
    lake.files.put("raw@main/x", b"stays" * 100)
    lake.repos.create("gone")
    lake.files.put("gone@main/x", os.urandom(500_000))
    prefix = lake.core.objects.origin.location.prefix

    def stored():
        listed = s3.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}packs/")["Contents"]
        return sum(one["Size"] for one in listed)

    before = stored()
    lake.repos.delete("gone")
    report = lake.maintenance.gc(GcPolicy(undo_s=0, grace_s=0, reader_s=0, unknown_s=0))
    assert report.deleted_packs > 0
    assert stored() < before - 500_000
    assert lake.files.read("raw@main/x") == b"stays" * 100
    check_lake(lake)
