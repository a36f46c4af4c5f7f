"""Configuration: which folder a URL names, and what is refused."""

from pathlib import Path

import pytest

from jupyter_datalake.config import (
    LakeConfig,
    S3Location,
    cache_sizes,
    folder_of,
    parse_controller,
    parse_s3_url,
)
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
        "gs://bucket/x",
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


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("s3://bucket", S3Location("bucket")),
        ("s3://bucket/", S3Location("bucket")),
        ("s3://bucket/a/b/", S3Location("bucket", "a/b/")),
        ("s3://bucket/a%20b", S3Location("bucket", "a b/")),
        (
            "s3://bucket/a?endpoint_url=http://127.0.0.1:9000&region=eu-1",
            S3Location("bucket", "a/", "http://127.0.0.1:9000", "eu-1"),
        ),
        (
            "s3://bucket?attempts=3&read_timeout_s=2.5&addressing_style=path&profile=work",
            S3Location(
                "bucket", addressing_style="path", profile="work", attempts=3, read_timeout_s=2.5
            ),
        ),
        ("s3://bucket?state_folder=/var/lake", S3Location("bucket", state_folder="/var/lake")),
    ],
)
def test_s3_urls_name_a_place_and_how_it_is_talked_to(url, place):
    assert parse_s3_url(url) == place
    assert parse_s3_url(place.url) == place
    assert LakeConfig(url).s3 == place
    assert LakeConfig(url).folder is None


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///a",
        "s3://a",
        "s3://bucket/a/../b",
        "s3://bucket/a//b",
        "s3://bucket/a%00b",
        "s3://bucket#x",
        "s3://bucket?region=",
        "s3://bucket?region=eu 1",
        "s3://bucket?colour=red",
        "s3://bucket?endpoint_url=file:///etc/passwd",
        "s3://bucket?endpoint_url=http://",
        "s3://bucket?endpoint_url=http://host/path",
        "s3://bucket?endpoint_url=http://host:port",
        "s3://bucket?addressing_style=sideways",
        "s3://bucket?attempts=0",
        "s3://bucket?attempts=many",
        "s3://bucket?read_timeout_s=1e9",
        "s3://bucket?read_timeout_s=nan",
        "s3://bucket?state_folder=here",
    ],
)
def test_wrong_s3_urls_are_refused_with_what_to_write(url):
    with pytest.raises(InvalidInputError) as caught:
        parse_s3_url(url)
    assert caught.value.kind is ErrorKind.INVALID_URL
    assert "s3://bucket/prefix" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    ["s3://key:secret@bucket/a", "s3://bucket?endpoint_url=https://key:secret@host"],
)
def test_credentials_in_an_s3_url_are_refused_and_not_repeated(url):
    with pytest.raises(InvalidInputError) as caught:
        parse_s3_url(url)
    assert "secret" not in str(caught.value.as_dict())


def test_caches_are_cut_to_the_memory_budget_and_one_too_small_is_refused():
    small, large = cache_sizes(256 * 2**20), cache_sizes(1024 * 2**20)
    for sizes, budget in ((small, 256 * 2**20), (large, 1024 * 2**20)):
        taken = sizes.chunk_bytes + sizes.node_count * 40_000 + sizes.place_count * 500
        assert taken < budget // 2
        rest = 160 * 2**20  # the process itself, and what it is working on
        assert taken + sizes.upload_bytes + rest < max(budget, 264 * 2**20)
    assert large.node_count == 4 * small.node_count
    assert (small.upload_bytes, large.upload_bytes) == (0, 432 * 2**20)
    with pytest.raises(InvalidInputError, match="100,000,000 bytes is too small"):
        cache_sizes(100_000_000)
