"""The environment: what is read of it, and what a datum gets."""

import os
import pwd

import pytest

from jupyter_datalake import environment
from jupyter_datalake.errors import InvalidInputError


def test_the_lake_is_the_named_one_or_the_users_own(monkeypatch):
    assert environment.lake_url({"DATALAKE_URL": "/x"}) == "/x"
    assert environment.lake_url({"XDG_DATA_HOME": "/data"}) == "/data/jupyter_datalake/lake"
    monkeypatch.setenv("HOME", "/home/ada")
    for empty in ({}, {"DATALAKE_URL": ""}):
        assert environment.lake_url(empty) == "/home/ada/.local/share/jupyter_datalake/lake"


def test_the_mount_point_may_be_missing():
    assert environment.mountpoint({}) is None
    assert environment.mountpoint({"DATALAKE_MOUNTPOINT": "/lake"}) == "/lake"


def test_the_user_is_the_named_one_or_the_process_owner(monkeypatch):
    assert environment.user_name({"DATALAKE_USER": "ada"}) == "ada"
    assert environment.user_name({}) == pwd.getpwuid(os.getuid()).pw_name

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert environment.user_name({}) == f"uid-{os.getuid()}"


def test_datums_get_an_allow_list():
    given = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "CONDA_PREFIX": "/c",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "LD_PRELOAD": "evil.so",
        "PYTHONPATH": "/elsewhere",
        "DATALAKE_URL": "/x",
        "JUPYTERHUB_API_TOKEN": "secret",
        "JUPYTER_TOKEN": "secret",
    }
    kept = environment.datum_environment(given)
    assert kept.keys() >= {"PATH", "LC_ALL", "CONDA_PREFIX"}
    assert "secret" not in kept.values()
    assert not kept.keys() & {"LD_PRELOAD", "PYTHONPATH", "DATALAKE_URL"}


def test_the_state_folder_is_the_named_one_or_the_users_own(monkeypatch):
    assert environment.state_folder({"DATALAKE_STATE_FOLDER": "/state"}) == "/state"
    assert environment.state_folder({"XDG_STATE_HOME": "/s"}) == "/s/jupyter_datalake/lakes"
    monkeypatch.setenv("HOME", "/home/ada")
    assert environment.state_folder({}) == "/home/ada/.local/state/jupyter_datalake/lakes"


def test_the_memory_of_a_process_is_a_number_of_bytes():
    assert environment.memory_bytes({}) is None
    assert environment.memory_bytes({"DATALAKE_MEMORY_BYTES": "1000000000"}) == 10**9
    with pytest.raises(InvalidInputError, match="DATALAKE_MEMORY_BYTES is '1GB'"):
        environment.memory_bytes({"DATALAKE_MEMORY_BYTES": "1GB"})


def test_the_size_of_the_read_cache_is_a_number_of_bytes():
    assert environment.read_cache_bytes({}) == 10 * 2**30
    assert environment.read_cache_bytes({"DATALAKE_CACHE_BYTES": "0"}) == 0
    assert environment.read_cache_bytes({"DATALAKE_CACHE_BYTES": "5000"}) == 5000
    for wrong in ("10GB", "-1", "1e9", "²"):
        with pytest.raises(InvalidInputError) as caught:
            environment.read_cache_bytes({"DATALAKE_CACHE_BYTES": wrong})
        assert wrong in caught.value.message


def test_a_worker_has_the_keys_of_the_stores_while_it_opens_them_and_then_no_more(monkeypatch):
    given = {"AWS_SECRET_ACCESS_KEY": "s", "DATALAKE_STATE_FOLDER": "/x", "https_proxy": "p"}
    handed = environment.handed_environment({**given, "PATH": "/bin", "EDITOR": "vi"})
    assert not set(handed) & set(given)
    assert sorted(handed.values()) == ["/x", "p", "s"]
    for name in given:
        monkeypatch.delenv(name, raising=False)
    for name, value in handed.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_REGION", "of the datum's own")
    with environment.store_environment():
        assert {name: os.environ.get(name) for name in given} == given
    assert not set(os.environ) & {*given, *handed}
    assert os.environ["AWS_REGION"] == "of the datum's own"


def test_duplicates_are_compared_where_somebody_asks_for_it():
    assert not environment.compares_duplicates({})
    assert not environment.compares_duplicates({"DATALAKE_COMPARE_DUPLICATES": "0"})
    assert environment.compares_duplicates({"DATALAKE_COMPARE_DUPLICATES": "1"})
    with pytest.raises(InvalidInputError, match="'yes'"):
        environment.compares_duplicates({"DATALAKE_COMPARE_DUPLICATES": "yes"})


def test_others_are_let_into_mounts_where_somebody_asks_for_it():
    assert not environment.allows_others({})
    assert environment.allows_others({"DATALAKE_ALLOW_OTHER": "1"})
    with pytest.raises(InvalidInputError, match="'yes'"):
        environment.allows_others({"DATALAKE_ALLOW_OTHER": "yes"})
