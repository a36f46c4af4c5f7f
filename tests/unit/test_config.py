"""Configuration: which folder a URL names, and what is refused."""

from pathlib import Path

import pytest

from jupyter_datalake.config import LakeConfig, folder_of, parse_controller
from jupyter_datalake.errors import ErrorKind, InvalidInputError


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("/data/lake", "/data/lake"),
        ("file:///data/lake", "/data/lake"),
        ("file://localhost/data/lake", "/data/lake"),
        ("file:///data/my%20lake", "/data/my lake"),
        ("/data/my lake", "/data/my lake"),
        ("/data/100%25", "/data/100%25"),
        ("/data/what?#1", "/data/what?#1"),
        ("//[x", "//[x"),
        ("/data/a:b", "/data/a:b"),
    ],
)
def test_paths_and_file_urls_name_folders(url, folder):
    assert folder_of(url) == Path(folder)


def test_relative_paths_and_homes_become_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/ada")
    assert folder_of("lake") == tmp_path / "lake"
    assert folder_of("./a:b") == tmp_path / "a:b"
    assert folder_of("~/lake") == Path("/home/ada/lake")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file://",
        "file://server/share",
        "file:///a?b",
        "file:///a#b",
        "file:///a%00b",
        "a\0b",
        "s3://bucket/x",
        "http://169.254.169.254/",
        "~nobody-of-this-name/lake",
    ],
)
def test_other_urls_are_refused_with_what_to_write(url):
    with pytest.raises(InvalidInputError) as caught:
        folder_of(url)
    assert caught.value.kind is ErrorKind.INVALID_URL
    assert caught.value.context["url"] == url


@pytest.mark.parametrize("password", ["secret", "se:c@r/e#t?", "%73ecret"])
def test_a_password_in_a_url_is_not_repeated(password):
    with pytest.raises(InvalidInputError) as caught:
        folder_of(f"postgresql://ada:{password}@host/lake")
    assert password not in str(caught.value.as_dict())
    assert "postgresql://ada:***@host/lake" in str(caught.value)


def test_a_lake_in_memory_has_no_folder():
    assert LakeConfig("memory:").folder is None
    assert LakeConfig("/x").folder == Path("/x")


def test_controller_settings_are_known_by_name():
    assert parse_controller({"workers": 4}).workers == 4
    with pytest.raises(InvalidInputError) as caught:
        parse_controller({"wokers": 4})
    assert "'wokers'" in str(caught.value)
    assert "workers" in caught.value.hint
