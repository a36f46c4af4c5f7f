"""E14: two contents of one digest, which nobody has for BLAKE3, so the hash is made to err."""

import random
import shutil

import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine import blobs
from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of

FIRST, SHORTER, EQUALLY_LONG = (
    random.Random(seed).randbytes(n) for seed, n in enumerate((3000, 2000, 3000))
)


@pytest.fixture
def weak_hash(monkeypatch):
    """Let the contents above have one digest."""
    twins = {SHORTER, EQUALLY_LONG}
    monkeypatch.setattr(
        blobs, "digest_of", lambda data: digest_of(FIRST if bytes(data) in twins else data)
    )


@pytest.fixture(params=[False, True], ids=["by size", "byte by byte"])
def compares(request):
    return request.param


@pytest.fixture
def lake(tmp_path, lake_author, compares):
    config = LakeConfig(str(tmp_path / "lake"), compare_duplicates=compares)
    with Lake.create(config, author=lake_author) as made:
        made.repos.create("raw")
        made.files.put("raw@main/first", FIRST)
        yield made


def assert_refused(lake, act):
    before = history_of(lake, "raw")
    objects = {one.name for one in lake.core.objects.list("")}
    with pytest.raises(CorruptDataError, match="Two contents have the digest") as found:
        act()
    assert found.value.kind is ErrorKind.DIGEST_COLLISION
    assert found.value.context["blob"] == digest_of(FIRST).hex()
    assert history_of(lake, "raw") == before
    assert contents_of(lake, "raw") == {"first": FIRST}
    assert {one.name for one in lake.core.objects.list("")} == objects


@pytest.mark.usefixtures("weak_hash")
def test_e14_a_content_of_another_size_under_a_known_digest_is_refused(lake):
    assert_refused(lake, lambda: lake.files.put("raw@main/second", SHORTER))
    lake.files.put("raw@main/again", FIRST)  # an honest duplicate is none the worse
    assert contents_of(lake, "raw") == {"first": FIRST, "again": FIRST}
    check_lake(lake)


@pytest.mark.usefixtures("weak_hash")
def test_e14_two_new_contents_of_one_digest_are_refused_within_one_commit(lake, tmp_path):
    lake.repos.create("other")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_bytes(SHORTER)
    (tree / "b").write_bytes(EQUALLY_LONG)
    assert_refused(lake, lambda: lake.files.put_tree("raw@main/", tree))
    with lake.sessions.create("raw") as session:
        session.put("kept", b"k" * 5000)
        with pytest.raises(CorruptDataError, match="Two contents"):
            session.put("second", SHORTER)
        session.commit("what could be staged")
    assert contents_of(lake, "raw") == {"first": FIRST, "kept": b"k" * 5000}
    check_lake(lake)


@pytest.mark.usefixtures("weak_hash")
@pytest.mark.parametrize("compares", [True], indirect=True)
def test_e14_a_content_of_the_same_size_is_refused_where_duplicates_are_compared(lake):
    assert_refused(lake, lambda: lake.files.put("raw@main/second", EQUALLY_LONG))
    lake.files.put("raw@main/again", FIRST)
    assert contents_of(lake, "raw") == {"first": FIRST, "again": FIRST}
    check_lake(lake)


@pytest.mark.parametrize("compares", [True], indirect=True)
def test_e14_comparing_reads_what_is_left_out_and_writes_nothing_more(lake, tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    chance = random.Random(7)
    for number in range(40):
        (tree / str(number)).write_bytes(chance.randbytes(60_000))
    lake.files.put_tree("raw@main/once", tree)
    stored = lake.maintenance.get_status().stored_bytes
    copy = shutil.copytree(
        tree, tmp_path / "copy"
    )  # nothing that is known of the tree holds for it
    lake.files.put_tree("raw@main/twice", copy, message="the same again")
    grown = lake.maintenance.get_status().stored_bytes - stored
    assert grown < 40_000  # names and no contents
    found = contents_of(lake, "raw")
    assert all(found[f"twice/{number}"] == found[f"once/{number}"] for number in range(40))
    check_lake(lake)
