"""Links to files of a lake in S3: whoever has one may download one file for some time."""

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine import sharing
from jupyter_datalake.errors import ErrorKind, InvalidInputError, StateError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.clocks import ManualClock

BUCKET = "links"
DATA = bytes(range(256)) * 5000


@pytest.fixture
def clock():
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def lake(s3, s3_environment, request, clock):
    s3.client.create_bucket(Bucket=BUCKET)
    with Lake.create(s3.url(BUCKET, request.node.name), clock=clock) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/a ü/table.csv", DATA)
        yield lake


def shared(lake):
    return [one.name for one in lake.core.objects.list("shared/")]


def test_a_link_downloads_the_file_under_its_name_and_nothing_else(lake):
    link = lake.files.share("raw@main/a ü/table.csv", expires_s=60)
    with urllib.request.urlopen(link.url) as answer:
        assert answer.read() == DATA
        assert "table.csv" in answer.headers["Content-Disposition"]
        assert answer.headers["Content-Type"] == "application/octet-stream"
    assert link.size_bytes == len(DATA)
    assert link.expires_at - datetime.now(UTC) < timedelta(seconds=120)
    assert "X-Amz-Expires=60" in link.url
    assert "AWS4-HMAC-SHA256" in link.url


def test_a_link_that_was_changed_opens_nothing(lake, ceph):
    link = lake.files.share("raw@main/a ü/table.csv", expires_s=60)
    (name,) = shared(lake)
    for wrong in (
        link.url.replace(name.rpartition("/")[2], "x"),
        link.url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"),
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(wrong)
        assert caught.value.code in {400, 403}
        caught.value.close()


def test_a_file_that_is_shared_again_is_there_once(lake):
    for expires_s in (60, 3600):
        lake.files.share("raw@main/a ü/table.csv", expires_s=expires_s)
    lake.files.copy("raw@main/a ü/table.csv", "raw@main/copy.csv")
    lake.files.share("raw@main/copy.csv")
    assert len(shared(lake)) == 1


def test_what_no_link_can_lead_to_any_more_is_removed(lake, clock):
    lake.files.share("raw@main/a ü/table.csv")
    first = shared(lake)
    lake.files.put("raw@main/other.csv", b"another content" * 100)
    clock.advance(14 * 24 * 3600)
    lake.files.share("raw@main/other.csv")
    assert set(first) < set(shared(lake))
    clock.advance(2 * 24 * 3600)
    lake.files.share("raw@main/other.csv")
    assert not set(first) & set(shared(lake))
    assert lake.files.read("raw@main/a ü/table.csv") == DATA
    assert lake.maintenance.verify().is_clean


@pytest.mark.parametrize("expires_s", [0, -1, 7 * 24 * 3600 + 1])
def test_a_link_lasts_a_second_to_a_week(lake, expires_s):
    with pytest.raises(InvalidInputError) as caught:
        lake.files.share("raw@main/a ü/table.csv", expires_s=expires_s)
    assert str(expires_s) in caught.value.message
    assert shared(lake) == []


def test_a_folder_has_no_link(lake):
    with pytest.raises(InvalidInputError):
        lake.files.share("raw@main/a ü")
    assert shared(lake) == []


def test_a_lake_in_a_folder_says_what_to_do_instead(local_lake):
    local_lake.repos.create("raw")
    local_lake.files.put("raw@main/x", b"1")
    with pytest.raises(StateError) as caught:
        local_lake.files.share("raw@main/x")
    assert caught.value.kind is ErrorKind.STORAGE_UNSUITABLE
    assert "Jupyter server" in caught.value.hint


def test_an_encrypted_lake_hands_out_no_plain_file(s3, s3_environment, tmp_path):
    s3.client.create_bucket(Bucket=BUCKET)
    config = LakeConfig(s3.url(BUCKET, "encrypted"), key=f"file:{tmp_path / 'key'}")
    with Lake.create(config) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/x", b"secret" * 100)
        assert lake.files.read("raw@main/x") == b"secret" * 100
        with pytest.raises(StateError):
            lake.files.share("raw@main/x")
    listed = s3.client.list_objects_v2(Bucket=BUCKET, Prefix="encrypted/")["Contents"]
    assert not [one["Key"] for one in listed if "shared/" in one["Key"]]
    assert sharing.SHARED_FOLDER == "shared"
