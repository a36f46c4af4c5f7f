"""An encrypted lake: the same verbs, and nothing to be seen in its store without the key."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from jupyter_datalake import environment
from jupyter_datalake.cli.main import cli
from jupyter_datalake.config import LakeConfig
from jupyter_datalake.errors import (
    ErrorKind,
    InvalidInputError,
    PermissionDeniedError,
    StateError,
    StorageError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import rebuild_lake
from jupyter_datalake.testing.invariants import check_lake, contents_of

SECRET = b"the patient's name is " * 4000
LARGE = random.Random(1).randbytes(1_500_000)


@pytest.fixture
def config(tmp_path):
    return LakeConfig(str(tmp_path / "lake"), key=f"file:{tmp_path}/key")


@pytest.fixture
def lake(config, lake_author, lake_clock):
    with Lake.create(config, author=lake_author, clock=lake_clock) as made:
        made.repos.create("raw")
        made.files.put("raw@main/secret.txt", SECRET)
        made.files.put("raw@main/large", LARGE)
        yield made


def stored(lake):
    folder = Path(lake.url) / "objects"
    return {
        str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }


def test_an_encrypted_lake_works_as_any_other(lake, config):
    check_lake(lake)
    with Lake.open(config) as again:
        assert contents_of(again, "raw") == {"secret.txt": SECRET, "large": LARGE}
        assert again.maintenance.get_status().is_encrypted
        assert again.files.read("raw@main/large")[700_000:700_010] == LARGE[700_000:700_010]


def test_neither_contents_nor_names_nor_digests_are_in_the_store(lake):
    with lake.core.metadata.read() as tx:
        packs = tx.blobs.packs(limit=100)
    assert packs
    for name, data in stored(lake).items():
        assert b"patient" not in data
        assert b"secret.txt" not in data
        assert b"JDLPACK" not in data
        for pack in packs:
            assert pack.name[:16] not in name
            assert bytes.fromhex(pack.name) not in data


def test_the_description_can_be_read_and_says_how_it_is_encrypted(lake):
    description = json.loads((Path(lake.url) / "objects" / "lake.json").read_text())
    assert description["lake_id"] == lake.core.lake_id
    assert description["encryption"]["cipher"] == "aes-256-gcm"


def test_without_the_key_the_lake_is_not_opened_and_the_message_says_what_is_missing(lake):
    with pytest.raises(PermissionDeniedError) as caught:
        Lake.open(lake.url)
    assert caught.value.kind is ErrorKind.KEY_MISSING


def test_with_a_wrong_key_the_lake_is_not_opened_and_nothing_changes(lake, monkeypatch):
    before = stored(lake)
    monkeypatch.setenv("DATALAKE_KEY", "00" * 32)
    with pytest.raises(PermissionDeniedError) as caught:
        Lake.open(lake.url)
    assert caught.value.kind is ErrorKind.KEY_WRONG
    assert stored(lake) == before


def test_the_environment_gives_the_key(lake, config, monkeypatch):
    monkeypatch.setenv("DATALAKE_KEY_FILE", config.key.removeprefix("file:"))
    with Lake.open(lake.url) as again:
        assert again.files.read("raw@main/secret.txt") == SECRET


def test_a_lake_whose_description_lost_its_encryption_is_refused(lake):
    # Whoever can write to the store must not be able to turn encryption off.
    place = Path(lake.url) / "objects" / "lake.json"
    description = json.loads(place.read_text())
    del description["encryption"]
    place.chmod(0o600)
    place.write_text(json.dumps(description))
    with pytest.raises(StorageError, match="encrypted"):
        Lake.open(lake.url)


def test_a_place_begun_without_encryption_is_not_taken_for_an_encrypted_lake(tmp_path):
    with Lake.create(str(tmp_path / "lake")):
        pass
    (tmp_path / "lake" / "objects" / "lake.json").unlink()
    with pytest.raises(StorageError, match="not encrypted"):
        Lake.create(LakeConfig(str(tmp_path / "lake"), key=f"file:{tmp_path}/key"))
    assert not (tmp_path / "lake" / "objects" / "lake.json").exists()


def test_an_encrypted_lake_in_memory_works(tmp_path):
    with Lake.create(LakeConfig("memory:", key=f"file:{tmp_path}/key")) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/x", SECRET)
        assert lake.files.read("raw@main/x") == SECRET
        check_lake(lake)


def test_a_lost_database_is_rebuilt_with_the_key(lake, config):
    lake.close()
    for name in ("metadata.sqlite", "metadata.sqlite-wal", "metadata.sqlite-shm"):
        (Path(lake.url) / name).unlink(missing_ok=True)
    report = rebuild_lake(config)
    assert report.damaged == []
    with Lake.open(config) as again:
        assert contents_of(again, "raw") == {"secret.txt": SECRET, "large": LARGE}
        check_lake(again)


def test_a_rotated_key_opens_and_the_old_one_does_not(lake, config, tmp_path):
    before = stored(lake)
    lake.maintenance.rotate_key(to=f"file:{tmp_path}/new")
    after = stored(lake)
    assert {name for name in before if not name.startswith("keys/")} == {
        name for name in after if not name.startswith("keys/")
    }
    with pytest.raises(PermissionDeniedError):
        Lake.open(config)
    lake.files.put("raw@main/after", b"after" * 100)  # who has it open goes on
    with Lake.open(LakeConfig(lake.url, key=f"file:{tmp_path}/new")) as again:
        assert contents_of(again, "raw").keys() == {"secret.txt", "large", "after"}
        check_lake(again)


def test_new_objects_are_under_the_new_data_key_and_old_ones_stay_readable(lake, config):
    first = lake.core.objects.keys.list()[0].id
    old = {one.name for one in lake.core.objects.list("packs/")}
    lake.maintenance.rotate_key(data=True)
    lake.files.put("raw@main/after", b"after" * 1000)
    under = {one.name: lake.core.objects.key_id(one.name) for one in lake.core.objects.list("")}
    assert {under[name] for name in old} == {first}
    assert {key for name, key in under.items() if name not in old} == {
        lake.maintenance.list_keys()[1].id
    }
    with Lake.open(config) as again:
        assert contents_of(again, "raw").keys() == {"secret.txt", "large", "after"}
        check_lake(again)


def test_rotating_to_the_same_key_or_to_nothing_is_refused(lake, config):
    with pytest.raises(InvalidInputError, match="already"):
        lake.maintenance.rotate_key(to=config.key)
    with pytest.raises(InvalidInputError):
        lake.maintenance.rotate_key()
    assert len(lake.maintenance.list_keys()) == 1


def test_a_lake_without_encryption_has_no_keys(memory_lake):
    assert not memory_lake.maintenance.get_status().is_encrypted
    for verb in (memory_lake.maintenance.list_keys, memory_lake.maintenance.rotate_key):
        with pytest.raises(StateError, match="not encrypted"):
            verb()


def test_no_datum_sees_the_key():
    seen = environment.datum_environment(
        {"DATALAKE_KEY": "ab" * 32, "DATALAKE_KEY_FILE": "/key", "PATH": "/bin"}
    )
    assert seen == {"PATH": "/bin"}


def test_the_command_line_makes_an_encrypted_lake_and_rotates_its_key(tmp_path, monkeypatch):
    def run(*words):
        done = CliRunner().invoke(cli, ["--lake", str(tmp_path / "lake"), *words])
        assert done.exception is None, done.output
        return done.output

    key = tmp_path / "key"
    output = run("init", "--encrypt", f"file:{key}")
    assert "without it nothing in the lake can be read" in output
    assert key.read_text().strip() not in output
    monkeypatch.setenv("DATALAKE_KEY_FILE", str(key))
    run("repos", "create", "raw")
    assert ["encrypted", "yes"] in [
        line.split() for line in run("maintenance", "get-status").splitlines()
    ]
    assert run("maintenance", "rotate-key", "--data").count("objects") == 2
    output = run("maintenance", "rotate-key", "--to", f"file:{tmp_path}/new")
    assert (tmp_path / "new").read_text().strip() not in output
    monkeypatch.setenv("DATALAKE_KEY_FILE", str(tmp_path / "new"))
    assert len(json.loads(run("maintenance", "list-keys", "--json"))) == 2
    assert "raw" in run("repos", "list")
