"""The environment: what is read of it, and what a datum gets."""

import os
import pwd

from jupyter_datalake import environment


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
