"""What S3 does wrong, row by row of the list of faults (S1 to S9), and the state afterwards."""

import itertools
import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_datalake.config import parse_s3_url
from jupyter_datalake.engine import blobs
from jupyter_datalake.errors import (
    AlreadyExistsError,
    CorruptDataError,
    ErrorKind,
    NotFoundError,
    StorageError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.storage import retrying, s3_client
from jupyter_datalake.storage.s3 import SINGLE_PUT_BYTES, S3ObjectStore, probe
from jupyter_datalake.storage.s3_parts import PART_BYTES
from jupyter_datalake.testing.s3_proxy import Fault, S3FaultProxy

_numbers = itertools.count()
BUCKET = "faults"
FAST = {"connect_timeout_s": 2, "read_timeout_s": 20, "attempts": 8}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch, s3_environment):
    """Try again at once: what is tested is what is done, not how long it is waited."""

    def patience(attempts, seconds):
        return retrying.Patience(attempts, seconds, sleep=lambda pause: None)

    monkeypatch.setattr(s3_client, "Patience", patience)


@pytest.fixture
def proxy(moto):
    moto.client.create_bucket(Bucket=BUCKET)
    with S3FaultProxy(moto) as proxy:
        yield proxy


@pytest.fixture
def prefix():
    return f"lake-{next(_numbers)}"


@pytest.fixture
def make_store(proxy, prefix, tmp_path):
    made = []

    def make(**options):
        location = parse_s3_url(proxy.server.url(BUCKET, prefix, **FAST | options))
        made.append(S3ObjectStore(location, spool_folder=tmp_path))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def store(make_store):
    return make_store()


@pytest.fixture
def lake(proxy, prefix):
    with Lake.create(proxy.server.url(BUCKET, prefix, **FAST)) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/first.txt", "the first")
        proxy.clear()
        yield lake


def stored(moto, prefix, name):
    """Return what is really there."""
    return moto.client.get_object(Bucket=BUCKET, Key=f"{prefix}/{name}")["Body"].read()


def keys(moto, prefix=""):
    listed = moto.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return {one["Key"] for one in listed.get("Contents", ())}


def unfinished(moto):
    return moto.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])


def upload(store, name, data):
    with store.upload() as growing:
        growing.write(data)
        growing.finish(name)


LARGE = os.urandom(SINGLE_PUT_BYTES + PART_BYTES // 2)  # three parts


# --- S1: 503, 500, resets, timeouts ----------------------------------------------------------


def test_s1_with_every_fifth_request_failing_a_lake_holds_what_was_committed(lake, proxy, tmp_path):
    for number in range(20):
        path = tmp_path / "in" / f"{number % 3}" / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(40_000 * number))
    (tmp_path / "in/large").write_bytes(LARGE)
    faults = [
        Fault("status", chance=0.05, status=503, code="SlowDown"),
        Fault("status", chance=0.05, status=500, code="InternalError"),
        Fault("reset", chance=0.05),
        Fault("lost", chance=0.05),
    ]
    proxy.add(*faults)
    lake.files.put_tree("raw@main/", tmp_path / "in")
    lake.files.export("raw@main/", tmp_path / "out")
    assert sum(fault.happened for fault in faults) > 0
    proxy.clear()
    for path in (tmp_path / "in").rglob("*.bin"):
        assert (tmp_path / "out" / path.relative_to(tmp_path / "in")).read_bytes() == (
            path.read_bytes()
        )
    assert lake.maintenance.verify().is_clean


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503, code="SlowDown"),
        Fault("status", status=500, code="InternalError"),
        Fault("reset"),
    ],
    ids=["503", "500", "reset"],
)
def test_s1_a_store_that_fails_for_ever_is_given_up_and_the_branch_stays(lake, proxy, fault):
    before = lake.refs.get("raw", "main").commit_id
    proxy.add(fault)
    with pytest.raises(StorageError) as caught:
        lake.files.put("raw@main/second.txt", os.urandom(200_000))
    assert caught.value.retryable
    assert "8 attempts" in caught.value.message
    proxy.clear()
    assert lake.refs.get("raw", "main").commit_id == before
    lake.files.put("raw@main/second.txt", b"now it works")
    assert lake.files.read("raw@main/second.txt") == b"now it works"
    assert lake.maintenance.verify().is_clean


def test_s1_a_server_that_says_nothing_costs_one_timeout_and_no_data(
    make_store, proxy, moto, prefix
):
    store = make_store(read_timeout_s=0.3)
    proxy.add(Fault("hang", method="PUT", times=1), Fault("hang", method="GET", times=1))
    upload(store, "packs/x", b"abc")
    assert store.read("packs/x", 0, 3) == b"abc"
    assert stored(moto, prefix, "packs/x") == b"abc"
    assert proxy.count("PUT") == 2


def test_s1_a_black_hole_is_given_up_after_the_attempts_that_were_asked_for(
    make_store, proxy, moto
):
    store = make_store(read_timeout_s=0.2, attempts=3)
    proxy.add(Fault("hang"))
    with pytest.raises(StorageError) as caught:
        upload(store, "packs/x", b"abc")
    assert caught.value.retryable
    assert "ReadTimeout" in caught.value.message
    assert proxy.count("PUT") == 3


def test_s1_a_server_that_is_not_there_is_an_error_that_may_be_retried(s3_environment, tmp_path):
    url = "s3://faults/x?endpoint_url=http://127.0.0.1:9&region=us-east-1&attempts=2"
    store = S3ObjectStore(parse_s3_url(url), spool_folder=tmp_path)
    with pytest.raises(StorageError) as caught:
        store.read("lake.json", 0, 10)
    assert caught.value.retryable
    assert caught.value.kind is ErrorKind.STORAGE_UNAVAILABLE


# --- S2: lost answers ------------------------------------------------------------------------


@pytest.mark.parametrize("answers", ["lost", "reset"])
def test_s2_a_create_whose_answer_was_lost_is_known_as_our_own(store, proxy, moto, prefix, answers):
    proxy.add(Fault(answers, method="PUT", times=2))
    assert store.create("lake.json", b"mine") is True
    assert store.create("lake.json", b"mine") is False  # the same bytes, and not the same call
    assert stored(moto, prefix, "lake.json") == b"mine"


def test_s2_a_create_that_came_second_is_not_taken_for_ours_though_its_answer_was_lost(
    store, proxy, moto, prefix
):
    moto.client.put_object(Bucket=BUCKET, Key=f"{prefix}/lake.json", Body=b"same bytes")
    proxy.add(Fault("lost", method="PUT", times=1))
    assert store.create("lake.json", b"same bytes") is False
    assert stored(moto, prefix, "lake.json") == b"same bytes"


@pytest.mark.parametrize("size", [1000, len(LARGE)], ids=["single", "parts"])
def test_s2_an_upload_whose_every_answer_is_lost_once_is_one_whole_object(
    store, proxy, moto, prefix, size
):
    for method, path in (
        ("PUT", "partNumber=1"),
        ("PUT", "partNumber=3"),
        ("PUT", "packs/x$"),
        ("POST", "uploads"),
        ("POST", "uploadId"),
        ("HEAD", ""),
    ):
        proxy.add(Fault("lost", method=method, path=path, times=1))
    upload(store, "packs/x", LARGE[:size])
    assert stored(moto, prefix, "packs/x") == LARGE[:size]
    assert store.read("packs/x", 0, size) == LARGE[:size]


def test_s2_a_delete_whose_answer_was_lost_is_done(store, proxy, moto, prefix):
    upload(store, "packs/x", b"abc")
    proxy.add(Fault("lost", method="DELETE", times=1))
    store.delete("packs/x")
    assert keys(moto, prefix) == set()


def test_s2_a_commit_whose_answers_were_lost_is_one_commit(lake, proxy):
    before = [commit.id for commit in lake.commits.list("raw")]
    proxy.add(Fault("lost", method="PUT|POST|HEAD", times=6))
    made = lake.files.put("raw@main/second.bin", LARGE)
    assert [commit.id for commit in lake.commits.list("raw")] == [made.id, *before]
    assert lake.files.read("raw@main/second.bin") == LARGE
    assert lake.maintenance.verify().unknown_packs == 0


# --- S3: half-stored writes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "path"),
    [(1000, "packs/x$"), (len(LARGE), "partNumber=2"), (len(LARGE), "partNumber=3")],
    ids=["single", "part", "last part"],
)
def test_s3_a_half_stored_write_answered_200_is_noticed_and_written_anew(
    store, proxy, moto, prefix, size, path
):
    proxy.add(Fault("half", method="PUT", path=path, times=1))
    upload(store, "packs/x", LARGE[:size])
    assert stored(moto, prefix, "packs/x") == LARGE[:size]


def test_s3_a_half_stored_create_is_noticed_and_mended(store, proxy, moto, prefix):
    proxy.add(Fault("half", method="PUT", times=1))
    assert store.create("lake.json", b"0123456789") is True
    assert stored(moto, prefix, "lake.json") == b"0123456789"


def test_s3_a_store_that_keeps_halves_for_ever_moves_no_ref(lake, proxy):
    before = lake.refs.get("raw", "main").commit_id
    proxy.add(Fault("half", method="PUT"))
    with pytest.raises(StorageError) as caught:
        lake.files.put("raw@main/second.txt", os.urandom(300_000))
    assert "not with the" in caught.value.message
    proxy.clear()
    assert lake.refs.get("raw", "main").commit_id == before
    assert lake.maintenance.verify().is_clean


def test_s3_bits_that_flip_on_their_way_to_the_store_are_noticed(store, proxy, moto, prefix):
    proxy.add(Fault("flip", method="PUT", times=1))
    upload(store, "packs/x", b"0123456789" * 100)
    assert stored(moto, prefix, "packs/x") == b"0123456789" * 100


def test_s3_a_damaged_pack_of_our_name_is_not_relied_on(store, moto, prefix):
    moto.client.put_object(Bucket=BUCKET, Key=f"{prefix}/packs/x", Body=LARGE[:100])
    for size in (1000, len(LARGE)):
        with pytest.raises(CorruptDataError) as caught:
            upload(store, "packs/x", LARGE[:size])
        assert caught.value.kind is ErrorKind.CORRUPT_OBJECT
    assert stored(moto, prefix, "packs/x") == LARGE[:100]


# --- S4: truncated, flipped, empty reads -----------------------------------------------------


@pytest.mark.parametrize("kind", ["truncate", "short", "empty", "reset", "lost"])
def test_s4_a_read_that_breaks_off_is_taken_up_again(store, proxy, kind):
    upload(store, "packs/x", LARGE)
    proxy.add(Fault(kind, method="GET", times=3))
    assert store.read("packs/x", 5, len(LARGE)) == LARGE[5:]
    proxy.add(Fault(kind, method="GET", times=2))
    assert store.read("packs/x", 1000, 3_000_000) == LARGE[1000:3_001_000]


def test_s4_a_read_that_makes_progress_is_not_given_up(store, proxy):
    upload(store, "packs/x", LARGE)
    proxy.add(Fault("truncate", method="GET", times=15))  # more than there are attempts
    assert store.read("packs/x", 0, PART_BYTES) == LARGE[:PART_BYTES]


def test_s4_a_bit_that_flipped_once_is_read_again_and_not_kept_in_the_cache(lake, proxy):
    data = os.urandom(500_000)
    lake.files.put("raw@main/second.bin", data)
    with Lake.open(lake.url) as other:
        proxy.add(Fault("flip", method="GET", path="packs/", times=1))
        assert other.files.read("raw@main/second.bin") == data
        assert proxy.count("GET", "packs/") >= 2
    with Lake.open(lake.url) as again:
        assert again.files.read("raw@main/second.bin") == data


def test_s4_bits_that_flip_for_ever_are_a_named_error_until_they_stop(lake, proxy):
    data = os.urandom(500_000)
    lake.files.put("raw@main/second.bin", data)
    with Lake.open(lake.url) as other:
        proxy.add(Fault("flip", method="GET", path="packs/"))
        with pytest.raises(CorruptDataError) as caught:
            other.files.read("raw@main/second.bin")
        assert caught.value.kind in {ErrorKind.CORRUPT_BLOB, ErrorKind.CORRUPT_OBJECT}
        assert caught.value.context["blob"]
        proxy.clear()
        assert other.files.read("raw@main/second.bin") == data
        assert other.maintenance.verify().is_clean


# --- S5: keys that are missing for a moment --------------------------------------------------


def test_s5_a_key_that_is_missing_for_a_moment_is_looked_for_again(store, proxy):
    upload(store, "packs/x", b"abc")
    missing = {"status": 404, "code": "NoSuchKey"}
    proxy.add(Fault("status", method="GET|HEAD", times=3, **missing))
    assert store.read("packs/x", 0, 3) == b"abc"
    proxy.add(Fault("status", method="GET|HEAD", times=3, **missing))
    assert store.info("packs/x").size_bytes == 3


def test_s5_what_was_just_written_is_waited_for(store, proxy):
    proxy.add(Fault("status", method="HEAD", times=6, status=404, code="NoSuchKey"))
    upload(store, "packs/x", b"abc")
    assert store.read("packs/x", 0, 3) == b"abc"


def test_s5_a_key_that_stays_missing_is_named_and_never_an_empty_file(lake, proxy):
    data = os.urandom(300_000)
    lake.files.put("raw@main/second.bin", data)
    with Lake.open(lake.url) as other:
        missing = Fault("status", method="GET", path="packs/", status=404, code="NoSuchKey")
        proxy.add(missing)
        with pytest.raises(CorruptDataError) as caught:
            other.files.read("raw@main/second.bin")
        assert caught.value.kind is ErrorKind.OBJECT_NOT_FOUND
        with pytest.raises(NotFoundError) as caught_too:
            other.core.objects.read(f"packs/aa/{'a' * 64}.pack", 0, 10)
        assert "aaaa" in caught_too.value.message
        proxy.clear()
        assert other.files.read("raw@main/second.bin") == data


# --- S6: credentials and clocks --------------------------------------------------------------


def test_s6_a_token_that_expired_is_looked_up_anew_once(store, proxy, moto, prefix):
    proxy.add(Fault("status", status=400, code="ExpiredToken", times=1))
    upload(store, "packs/x", b"abc")
    assert stored(moto, prefix, "packs/x") == b"abc"


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "ExpiredToken", "expired"),
        (403, "RequestTimeTooSkewed", "clock"),
        (403, "InvalidAccessKeyId", "does not accept the credentials"),
        (403, "SignatureDoesNotMatch", "does not accept the credentials"),
        (400, "AuthorizationHeaderMalformed", "another region"),
    ],
)
def test_s6_what_has_to_be_renewed_is_said_and_no_secret(lake, proxy, status, code, words):
    before = lake.refs.get("raw", "main").commit_id
    proxy.add(Fault("status", status=status, code=code, date_offset_s=-1000))
    with pytest.raises(StorageError) as caught:
        lake.files.put("raw@main/second.txt", os.urandom(100_000))
    text = str(caught.value.as_dict())
    assert words in caught.value.message
    assert caught.value.hint
    assert not caught.value.retryable
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in text
    assert os.environ["AWS_ACCESS_KEY_ID"] not in text
    if "clock" in words:
        assert re.search(r"which is 1\d{3} s ahead$", caught.value.message)
    assert len(proxy.requests) <= 2
    proxy.clear()
    assert lake.refs.get("raw", "main").commit_id == before
    lake.files.put("raw@main/second.txt", "after that")
    assert lake.files.read("raw@main/second.txt") == b"after that"


def test_s6_a_server_that_redirects_for_ever_is_an_error(store, proxy):
    proxy.add(Fault("status", status=301, code="PermanentRedirect"))
    with pytest.raises(StorageError) as caught:
        store.read("packs/x", 0, 3)
    assert "another region" in caught.value.message


def test_s6_without_credentials_nothing_is_tried(monkeypatch, proxy, prefix):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StorageError) as caught:
        Lake.open(proxy.server.url(BUCKET, prefix))
    assert caught.value.kind is ErrorKind.STORAGE_DENIED
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    assert proxy.requests == []


# --- S7: two writers -------------------------------------------------------------------------


def test_s7_of_writers_whose_answers_get_lost_exactly_one_is_told_that_it_won(
    make_store, proxy, moto, prefix
):
    stores = [make_store() for _ in range(4)]
    proxy.add(Fault("lost", method="PUT", chance=0.4))
    for turn in range(5):
        barrier = threading.Barrier(len(stores))

        def create(number, barrier=barrier, turn=turn):
            barrier.wait(30)
            return stores[number].create(f"race/{turn}", b"%d" % number)

        with ThreadPoolExecutor(len(stores)) as pool:
            outcomes = list(pool.map(create, range(len(stores))))
        assert outcomes.count(True) == 1
        assert stored(moto, prefix, f"race/{turn}") == b"%d" % outcomes.index(True)


def test_s7_of_two_who_make_one_lake_one_is_told_that_it_is_there(
    proxy, prefix, tmp_path, monkeypatch
):
    url = proxy.server.url(BUCKET, prefix, **FAST)
    winners = []
    create = S3ObjectStore.create

    def overtaken(store, name, data):
        if name == "lake.json" and not winners:
            winners.append(None)  # the other one comes while we are about to write
            with Lake.create(url) as other:
                winners[0] = other.core.lake_id
        return create(store, name, data)

    monkeypatch.setattr(S3ObjectStore, "create", overtaken)
    with pytest.raises(AlreadyExistsError):
        Lake.create(url)
    with Lake.open(url) as lake:
        assert [lake.core.lake_id] == winners
    assert [one.name for one in (tmp_path / "state").iterdir()] == winners


@pytest.mark.parametrize("status", [409, 412])
def test_s7_both_answers_to_a_lost_race_are_understood(store, proxy, moto, prefix, status):
    moto.client.put_object(Bucket=BUCKET, Key=f"{prefix}/lake.json", Body=b"theirs")
    code = "ConditionalRequestConflict" if status == 409 else "PreconditionFailed"
    proxy.add(Fault("status", method="PUT", status=status, code=code))
    assert store.create("lake.json", b"ours") is False
    assert stored(moto, prefix, "lake.json") == b"theirs"


def test_s7_a_conflict_before_anybody_won_is_tried_again(store, proxy, moto, prefix):
    fault = Fault("status", method="PUT", status=409, code="ConditionalRequestConflict", times=2)
    proxy.add(fault)
    assert store.create("lake.json", b"ours") is True
    assert stored(moto, prefix, "lake.json") == b"ours"


def test_s7_a_store_that_ignores_conditions_is_refused_for_new_lakes(proxy, moto, prefix, tmp_path):
    proxy.add(Fault("unconditional", method="PUT"))
    with pytest.raises(StorageError) as caught:
        Lake.create(proxy.server.url(BUCKET, prefix))
    assert caught.value.kind is ErrorKind.STORAGE_UNSUITABLE
    assert "If-None-Match" in caught.value.message
    assert keys(moto, prefix) == set()
    assert not list((tmp_path / "state").glob("*/metadata.sqlite"))


# --- S8: other people's buckets --------------------------------------------------------------


def test_s8_only_what_is_below_the_own_prefix_is_touched(lake, proxy, moto, prefix):
    theirs = {
        f"{prefix}.old/packs/x": b"1",
        f"{prefix}": b"2",
        f"{prefix}/a folder/": b"",
        f"{prefix}/packs/not a name": b"3",
        "lake.json": b"4",
    }
    for key, data in theirs.items():
        moto.client.put_object(Bucket=BUCKET, Key=key, Body=data)
    lake.files.put("raw@main/second.txt", os.urandom(100_000))
    assert lake.maintenance.verify().is_clean
    lake.core.objects.sweep_uploads(older_than_s=0)
    for key, data in theirs.items():
        assert moto.client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == data
    for method, path in proxy.requests:
        is_listing = method == "GET" and "prefix=" in path
        assert is_listing or f"/{BUCKET}/{prefix}/" in path, (method, path)


def test_s8_a_versioned_bucket_keeps_old_versions_and_harms_nothing(store, moto, prefix):
    versioning = {"Status": "Enabled"}
    moto.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versioning)
    try:
        upload(store, "packs/x", b"abc")
        store.delete("packs/x")
        with pytest.raises(NotFoundError):
            store.read("packs/x", 0, 3)
        assert store.create("packs/x", b"new") is True
        assert store.read("packs/x", 0, 3) == b"new"
        assert [one.name for one in store.list("")] == ["packs/x"]
    finally:
        versioning = {"Status": "Suspended"}
        moto.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versioning)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "list-type=2"), ("PUT", ""), ("GET|HEAD", "probe/"), ("DELETE", "")],
    ids=["list", "put", "get", "delete"],
)
def test_s8_a_missing_right_is_named_when_the_lake_is_made(proxy, prefix, moto, method, path):
    proxy.add(Fault("status", method=method, path=path, status=403, code="AccessDenied"))
    with pytest.raises(StorageError) as caught:
        Lake.create(proxy.server.url(BUCKET, prefix))
    assert caught.value.kind is ErrorKind.STORAGE_DENIED
    assert "s3:ListBucket" in caught.value.hint
    assert f"{prefix}/lake.json" not in keys(moto, prefix)


def test_s8_a_full_bucket_is_told_apart_and_what_was_staged_stays(lake, proxy):
    with lake.sessions.create("raw") as work:
        work.put("second.txt", b"staged")
        proxy.add(Fault("status", method="PUT|POST", status=403, code="QuotaExceeded"))
        with pytest.raises(StorageError) as caught:
            work.commit("does not fit")
        assert caught.value.kind is ErrorKind.STORAGE_FULL
        proxy.clear()
        work.commit("fits now")
    assert lake.files.read("raw@main/second.txt") == b"staged"


# --- S9: unfinished uploads ------------------------------------------------------------------


def test_s9_unfinished_uploads_of_the_own_prefix_are_aborted(store, moto, prefix):
    ours, theirs = f"{prefix}/packs/x", f"{prefix}-other/packs/x"
    for key in (ours, theirs):
        moto.client.create_multipart_upload(Bucket=BUCKET, Key=key)
    assert store.sweep_uploads(older_than_s=3600) == 1  # moto says of each that it is old
    left = {one["Key"] for one in unfinished(moto)}
    assert theirs in left
    assert ours not in left


def test_s9_uploads_that_may_still_be_finished_are_left_alone(ceph, tmp_path, prefix):
    ceph.client.create_bucket(Bucket=BUCKET)
    store = S3ObjectStore(parse_s3_url(ceph.url(BUCKET, prefix)), spool_folder=tmp_path)
    ceph.client.create_multipart_upload(Bucket=BUCKET, Key=f"{prefix}/packs/x")
    assert store.sweep_uploads(older_than_s=3600) == 0
    assert [one["Key"] for one in unfinished(ceph)] == [f"{prefix}/packs/x"]
    assert store.sweep_uploads(older_than_s=-3600) == 1
    assert unfinished(ceph) == []
    store.close()


def test_s9_what_a_killed_probe_left_is_removed_once_it_is_old(store, moto, prefix):
    names = (f"{prefix}/probe/left", f"{prefix}/packs/kept", f"{prefix}-other/probe/theirs")
    for key in names:
        moto.client.put_object(Bucket=BUCKET, Key=key, Body=b"first")
    assert store.sweep_uploads(older_than_s=3600) == 0
    assert keys(moto, prefix) == set(names)
    assert store.sweep_uploads(older_than_s=-3600) == 1
    assert keys(moto, prefix) == set(names[1:])


def test_s9_an_upload_that_fails_takes_its_parts_back(store, proxy, moto, prefix):
    proxy.add(Fault("status", method="PUT", path="partNumber=2", status=403, code="AccessDenied"))
    with pytest.raises(StorageError):
        upload(store, "packs/x", LARGE)
    assert not [one for one in unfinished(moto) if one["Key"].startswith(prefix)]
    assert keys(moto, prefix) == set()


# --- uploads in the background ---------------------------------------------------------------


def test_a_pack_that_cannot_be_sent_while_the_next_is_filled_fails_the_commit(
    lake, proxy, moto, prefix, monkeypatch
):
    monkeypatch.setattr(blobs, "PACK_TARGET_BYTES", SINGLE_PUT_BYTES + 1)
    before = lake.refs.get("raw", "main").commit_id
    there = keys(moto, prefix)
    data = os.urandom(4 * SINGLE_PUT_BYTES)
    fault = Fault("status", method="PUT", path="partNumber=2", times=1, status=403, code="Denied")
    proxy.add(fault)
    with pytest.raises(StorageError) as caught:
        lake.files.put("raw@main/large", data)
    assert caught.value.kind is ErrorKind.STORAGE_DENIED
    assert fault.happened == 1
    assert lake.refs.get("raw", "main").commit_id == before
    assert not [one for one in unfinished(moto) if one["Key"].startswith(prefix)]
    assert lake.maintenance.verify().is_clean
    proxy.clear()
    lake.files.put("raw@main/large", data)
    assert lake.files.read("raw@main/large") == data
    assert keys(moto, prefix) > there


@pytest.mark.parametrize("room", [0, PART_BYTES, 8 * PART_BYTES], ids=["disk", "both", "memory"])
def test_uploads_at_the_same_time_stay_within_their_memory(proxy, moto, prefix, tmp_path, room):
    location = parse_s3_url(proxy.server.url(BUCKET, prefix, **FAST))
    store = S3ObjectStore(location, spool_folder=tmp_path, memory_bytes=room)
    data = [os.urandom(len(LARGE)) for _ in range(2)]
    with store.upload() as first, store.upload() as second:
        for start in range(0, len(LARGE), 1 << 20):
            first.write(data[0][start : start + (1 << 20)])
            second.write(data[1][start : start + (1 << 20)])
            assert store.memory.held_bytes <= room
        second.finish("packs/second")
        first.finish("packs/first")
    assert stored(moto, prefix, "packs/first") == data[0]
    assert stored(moto, prefix, "packs/second") == data[1]
    store.close()


def test_the_probe_leaves_nothing_behind(store, moto, prefix):
    probe(store)
    assert keys(moto, prefix) == set()
