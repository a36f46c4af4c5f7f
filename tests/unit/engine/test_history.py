"""Ref expressions: what each means, and what is said of those that mean nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import fsspec
import pytest

from jupyter_datalake.errors import ErrorKind, InvalidInputError, NotFoundError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.addresses import parse_address
from jupyter_datalake.model.commits import Author
from jupyter_datalake.testing.clocks import ManualClock


def grow(lake, clock):
    """Three commits an hour apart, the last of them a merge of two lines."""
    lake.repos.create("raw")
    clock.advance(3600)
    lake.files.put("raw@main/a", "1")
    lake.refs.create_branch("raw", "dev")
    clock.advance(3600)
    lake.files.put("raw@main/a", "2")
    lake.files.put("raw@dev/b", "dev")
    clock.advance(3600)
    lake.commits.merge("raw", "dev")
    return lake


@pytest.fixture
def lake(memory_lake, lake_clock):
    return grow(memory_lake, lake_clock)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The same in a folder, to be looked at and not changed."""
    clock = ManualClock()
    url = str(tmp_path_factory.mktemp("lake") / "lake")
    with Lake.create(url, author=Author("Ada"), clock=clock) as lake:
        yield grow(lake, clock)


def message(lake, ref):
    return lake.commits.get("raw", ref).message


def time_of(lake, ref):
    """When a branch came to be at a commit."""
    at = lake.commits.get("raw", ref).id
    return next(move.at for move in lake.refs.list_moves("raw") if move.new_commit_id == at)


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("main", "Merge dev into main"),
        ("main^", "Put a"),
        ("main^1", "Put a"),
        ("main^2", "Put b"),
        ("main~2", "Put a"),
        ("main~3", "Create the repo"),
        ("main^^^", "Create the repo"),
        ("main^2~1", "Put a"),
        ("main^2^~1", "Create the repo"),
        ("main@{0}", "Merge dev into main"),
        ("main@{2}", "Put a"),
        ("main@{3}", "Create the repo"),
        ("main@{1}^", "Put a"),
        ("dev@{1}", "Put a"),
    ],
)
def test_expressions_lead_along_parents_and_back_in_the_reflog(stored, ref, expected):
    assert message(stored, ref) == expected
    # … in addresses, and in URLs as other programs take them, too.
    place = parse_address(f"raw@{ref}/a")
    assert (place.ref, place.path) == (ref, "a")
    if expected == "Put a":
        with fsspec.open(f"lake://raw@{ref}/a", "rb", lake_url=stored.url) as file:
            assert file.read() == stored.files.read(place)


def test_a_time_means_the_head_of_then_in_every_zone(lake):
    made = time_of(lake, "main^")
    for zone in (UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))):
        text = made.astimezone(zone).isoformat()
        assert lake.commits.get("raw", f"main@{text}").id == lake.commits.get("raw", "main^").id
    naive = made.replace(tzinfo=None)
    assert message(lake, f"main@{naive.isoformat()}~1") == "Put a"
    before = naive - timedelta(minutes=1)
    assert lake.commits.get("raw", f"main@{before.isoformat()}").id == (
        lake.commits.get("raw", "main~2").id
    )
    assert parse_address(f"raw@main@{before.isoformat()}Z/a").ref.startswith("main@")
    assert lake.files.read(f"raw@main@{before.isoformat()}Z/a") == b"1"


def test_a_time_follows_resets_and_finds_what_was_deleted(lake, lake_clock):
    there = time_of(lake, "main").isoformat().replace("+00:00", "Z")
    lake_clock.advance(60)
    lake.refs.reset("raw", "main", "main~3")
    lake.refs.delete_branch("raw", "dev")
    assert message(lake, f"main@{there}") == "Merge dev into main"
    assert message(lake, "main@{1}") == "Merge dev into main"
    assert message(lake, f"dev@{there}") == "Put b"
    assert message(lake, "dev@{1}") == "Put b"
    now = datetime.fromtimestamp(lake_clock() / 1e9, UTC).isoformat().replace("+00:00", "Z")
    for ref, why in ((f"dev@{now}", "did not exist"), ("dev@{0}", "did not exist")):
        with pytest.raises(NotFoundError, match=why):
            lake.commits.get("raw", ref)


@pytest.mark.parametrize(
    ("ref", "why"),
    [
        ("main~99", "goes back beyond the first commit"),
        ("main~3^", "goes back beyond the first commit"),
        ("main^3", "asks for parent 3"),
        ("main@1999-01-01", "before main was created"),
        ("main@{99}", "goes back beyond the first move"),
        ("nowhere", "is no branch, tag or commit"),
        ("nowhere@2030-01-01", "names no branch or tag"),
        ("HEAD", "a lake has no HEAD"),
        ("HEAD~1", "a lake has no HEAD"),
        ("ORIG_HEAD", "a lake has no HEAD"),
        ("0000", "is no branch, tag or commit"),
    ],
)
def test_what_means_nothing_is_named_with_the_reason(stored, ref, why):
    with pytest.raises(NotFoundError, match=why) as caught:
        stored.commits.get("raw", ref)
    assert caught.value.kind is ErrorKind.REF_NOT_FOUND
    assert f"raw@{ref}" in str(caught.value)


@pytest.mark.parametrize(
    "ref",
    ["", "^", "main^0", "main~", "main~x", "main@", "main@yesterday", "main@{}", "main@{-1}",
     "main@{1", "main{1}", "main@{1}@{2}", "main@{1000000000000}", "main~1000000000000", "a b",
     "main@2026-13-01", "main@2026-01-31T25:00"],
)  # fmt: skip
def test_what_does_not_parse_is_refused(stored, ref):
    with pytest.raises(InvalidInputError) as caught:
        stored.commits.get("raw", ref)
    assert caught.value.kind is ErrorKind.INVALID_REF


@pytest.mark.parametrize("name", ["HEAD", "head", "ORIG_HEAD", "FETCH_HEAD", "a^", "a~1", "a@b"])
def test_names_that_read_like_expressions_are_refused(lake, name):
    for create in (lake.refs.create_branch, lake.refs.create_tag):
        with pytest.raises(InvalidInputError):
            create("raw", name)
    assert [ref.name for ref in lake.refs.list("raw")] == ["dev", "main"]


def test_an_ambiguous_beginning_lists_what_it_could_mean(lake):
    commit = lake.commits.get("raw")
    with lake.core.metadata.write() as tx:
        repo = tx.repos.get("raw")
        tx.commits.add(repo.id, replace(commit, id="beef" + "0" * 60))
        tx.commits.add(repo.id, replace(commit, id="beef" + "1" * 60))
    with pytest.raises(InvalidInputError) as caught:
        lake.commits.get("raw", "beef")
    assert caught.value.context["candidates"] == ["beef" + "0" * 60, "beef" + "1" * 60]
    assert "beef00000000, beef11111111" in str(caught.value)
    assert lake.commits.get("raw", "beef1").id.startswith("beef1")
    # A branch of that name is what people mean who made one.
    lake.refs.create_branch("raw", "beef", at="main~3")
    assert message(lake, "beef") == "Create the repo"
