"""Importing what is below a prefix of a bucket: in one commit, in order, and once."""

import os
from threading import Event
from urllib.parse import urlsplit

import psutil
import pytest

from jupyter_datalake.engine import importing_objects
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ErrorKind,
    InvalidInputError,
    PathNotFoundError,
    StorageError,
)
from jupyter_datalake.lake.opening import open_source
from jupyter_datalake.storage import s3_source
from jupyter_datalake.storage.s3_parts import PART_BYTES
from jupyter_datalake.testing.s3_proxy import Fault, S3FaultProxy

BUCKET = "source"


@pytest.fixture
def source(moto, s3_environment):
    """A bucket, seen through a proxy that counts; empty at the beginning."""
    moto.client.create_bucket(Bucket=BUCKET)
    with S3FaultProxy(moto) as proxy:
        yield proxy
    listed = moto.client.list_objects_v2(Bucket=BUCKET)
    for one in listed.get("Contents", ()):
        moto.client.delete_object(Bucket=BUCKET, Key=one["Key"])


@pytest.fixture
def put(moto):
    def put(**objects):
        for key, data in objects.items():
            moto.client.put_object(Bucket=BUCKET, Key=key, Body=data)

    return put


@pytest.fixture
def lake(local_lake):
    local_lake.repos.create("raw")
    return local_lake


def content(lake, address="raw@main/"):
    found = {info.path: info for info in lake.files.glob(address, "/**")}
    return {
        path: lake.files.read(f"raw@main/{path}")
        for path, info in found.items()
        if info.kind == "file"
    }


def reads(proxy):
    """Return how many objects were read, in whatever pieces."""
    return len({path for method, path in proxy.requests if method == "GET" and "?" not in path})


def test_objects_become_files_of_one_commit(lake, source, put):
    large = os.urandom(2 * PART_BYTES + 12345)
    put(**{"in/a.txt": b"a", "in/b/c.bin": large, "in/b-d": b"", "in/ä ö": b"u", "other/x": b"x"})
    commit, skipped = lake.files.import_s3("raw@main/data", source.server.url(BUCKET, "in"))
    assert skipped == []
    assert content(lake) == {
        "data/a.txt": b"a",
        "data/b/c.bin": large,
        "data/b-d": b"",
        "data/ä ö": b"u",
    }
    assert commit.message == "Import s3://source/in"
    assert lake.commits.list("raw")[0].id == commit.id
    assert len(lake.commits.list("raw")) == 2
    assert lake.maintenance.verify().is_clean


def test_a_second_import_reads_nothing_and_makes_no_commit(lake, source, put):
    put(**{f"in/{number}/{number * 7 % 5}": b"%d" % number for number in range(30)})
    url = source.server.url(BUCKET, "in")
    first, _ = lake.files.import_s3("raw@main/", url)
    assert reads(source) == 30
    source.clear()
    again, skipped = lake.files.import_s3("raw@main/", url)
    assert again.id == first.id
    assert skipped == []
    assert reads(source) == 0
    assert len(source.requests) == 1


def test_only_what_changed_is_read_and_what_is_gone_from_the_bucket_stays(lake, source, put, moto):
    put(**{f"in/{name}": name.encode() for name in "abcdef"})
    url = source.server.url(BUCKET, "in")
    lake.files.import_s3("raw@main/", url)
    source.clear()
    put(**{"in/c": b"changed", "in/new": b"new"})
    moto.client.delete_object(Bucket=BUCKET, Key="in/a")
    lake.files.import_s3("raw@main/", url)
    assert reads(source) == 2
    expected = {name: name.encode() for name in "abdef"} | {"c": b"changed", "new": b"new"}
    assert content(lake) == expected


def test_what_the_branch_lost_is_read_again(lake, source, put):
    put(**{"in/a": b"a" * 500, "in/b": b"b" * 500})
    url = source.server.url(BUCKET, "in")
    lake.files.import_s3("raw@main/", url)
    lake.files.delete("raw@main/a")
    lake.files.put("raw@main/b", b"mine")
    source.clear()
    lake.files.import_s3("raw@main/", url)
    assert reads(source) == 2
    assert content(lake) == {"a": b"a" * 500, "b": b"b" * 500}


def test_without_the_cache_everything_is_read(lake, source, put):
    put(**{"in/a": b"a", "in/b": b"b"})
    url = source.server.url(BUCKET, "in")
    first, _ = lake.files.import_s3("raw@main/", url)
    source.clear()
    again, _ = lake.files.import_s3("raw@main/", url, use_cache=False)
    assert reads(source) == 2
    assert again.id == first.id


def test_keys_that_cannot_be_paths_are_named_and_left_out(lake, source, put):
    put(
        **{
            "in/good": b"1",
            "in/folder/": b"",
            "in/a//b": b"2",
            "in/../up": b"3",
            "in/" + "x" * 300: b"4",
            "in/file": b"5",
            "in/file/below": b"6",
            "in/file-2": b"7",
        }
    )
    _, skipped = lake.files.import_s3("raw@main/", source.server.url(BUCKET, "in"))
    assert content(lake) == {"good": b"1", "file": b"5", "file-2": b"7"}
    assert len(skipped) == 4
    for key in ("in/a//b", "in/../up", "in/xxx", "in/file/below"):
        assert sum(line.startswith(key) for line in skipped) == 1


def test_order_is_that_of_manifests_also_when_it_is_sorted_on_disk(lake, source, put, monkeypatch):
    monkeypatch.setattr(importing_objects, "_RUN", 4)
    keys = [f"in/{a}{b}{c}" for a in "ab" for b in ("/", "-", ".", "0") for c in "xy"]
    put(**{key: key.encode() for key in keys})
    lake.files.import_s3("raw@main/", source.server.url(BUCKET, "in"))
    assert content(lake) == {key[3:]: key.encode() for key in keys}
    assert lake.maintenance.verify().is_clean


def test_one_object_can_be_imported_by_its_key(lake, source, put):
    put(**{"in/a.txt": b"a", "in/a.txt.old": b"old"})
    lake.files.import_s3("raw@main/x", source.server.url(BUCKET, "in/a.txt"))
    assert content(lake) == {"x/a.txt": b"a"}


def test_an_empty_place_is_an_error_and_no_commit(lake, source):
    before = lake.commits.list("raw")
    with pytest.raises(PathNotFoundError) as caught:
        lake.files.import_s3("raw@main/", source.server.url(BUCKET, "nothing/here"))
    assert "s3://source/nothing/here" in caught.value.message
    assert lake.commits.list("raw") == before


def test_a_place_that_is_no_s3_url_is_refused(lake):
    with pytest.raises(InvalidInputError) as caught:
        lake.files.import_s3("raw@main/", "https://example.org/x")
    assert caught.value.kind is ErrorKind.INVALID_URL


def test_an_object_that_changes_while_it_is_imported_ends_the_import(lake, source, put):
    put(**{"in/a": b"a" * 1000})
    before = lake.commits.list("raw")
    url = source.server.url(BUCKET, "in")

    def change(path, size):
        if path == "0":
            put(**{"in/38": b"changed", "in/39": b"changed"})

    put(**{f"in/{number}": b"first" for number in range(40)})
    with pytest.raises(StorageError) as caught:
        lake.files.import_s3("raw@main/", url, on_object=change)
    assert caught.value.retryable
    assert lake.commits.list("raw") == before
    lake.files.import_s3("raw@main/", url)
    assert content(lake)["39"] == b"changed"


def test_an_object_that_goes_away_meanwhile_is_named_and_left_out(lake, source, put):
    put(**{"in/a": b"a", "in/b": b"b"})
    source.add(Fault("status", path="in/a$", status=404, code="NoSuchKey"))
    _, skipped = lake.files.import_s3("raw@main/", source.server.url(BUCKET, "in"))
    assert skipped == ["in/a: it went away while it was imported"]
    assert content(lake) == {"b": b"b"}


def test_a_body_that_breaks_off_is_taken_up_again(lake, source, put):
    data = os.urandom(3 * PART_BYTES)
    put(**{"in/a": data})
    source.add(Fault("truncate", method="GET", path="in/a$", times=3))
    lake.files.import_s3("raw@main/", source.server.url(BUCKET, "in"))
    assert content(lake) == {"a": data}


def test_a_folder_where_a_file_should_be_is_a_conflict_and_nothing_changes(lake, source, put):
    lake.files.put("raw@main/a/below", b"there")
    put(**{"in/a": b"a"})
    with pytest.raises(AlreadyExistsError):
        lake.files.import_s3("raw@main/", source.server.url(BUCKET, "in"))
    assert content(lake) == {"a/below": b"there"}


def test_a_read_that_ends_behind_the_close_leaves_no_connection_open(source, put, monkeypatch):
    put(**{"in/a": b"a"})
    begun, may_go_on = Event(), Event()

    class Late(s3_source.RangeReading):
        def run(self, subject):
            begun.set()
            assert may_go_on.wait(30)
            return super().run(subject)

    opened = open_source(source.server.url(BUCKET, "in"))
    (item,) = opened.list()
    monkeypatch.setattr(s3_source, "RangeReading", Late)
    stream = opened.open(item)
    assert begun.wait(30)
    opened.close()
    may_go_on.set()
    assert stream.read(9) == b"a"
    port = urlsplit(source.server.endpoint_url).port
    ours = psutil.Process().net_connections("tcp")
    assert not [one for one in ours if one.raddr and one.raddr.port == port]
