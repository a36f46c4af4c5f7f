"""Commits: an id is the digest of everything a commit says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.model.commits import (
    Author,
    CommitDraft,
    InputCommit,
    Origin,
    Provenance,
    decode_commit,
    provenance_as_dict,
    provenance_from_dict,
    reseal,
)
from jupyter_datalake.model.encoding import pack_canonical, unpack_canonical
from jupyter_datalake.model.ids import digest_of

ID = "ab" * 32

inputs = st.builds(InputCommit, st.just("in"), st.just("raw"), st.just("main"), st.just(ID))
provenances = st.builds(
    Provenance,
    st.sampled_from(Origin),
    st.one_of(st.none(), st.just("p")),
    st.one_of(st.none(), st.integers(1, 9)),
    st.one_of(st.none(), st.just("job")),
    st.one_of(st.none(), inputs),
    st.lists(inputs, max_size=2).map(tuple),
    st.dictionaries(st.text(max_size=3), st.integers(0, 9), max_size=2),
    st.one_of(st.none(), st.just("00")),
)
drafts = st.builds(
    CommitDraft,
    repo=st.just("raw"),
    branch=st.just("main"),
    root=st.binary(min_size=32, max_size=32),
    parents=st.lists(st.just(ID), max_size=2).map(tuple),
    author=st.builds(Author, st.text(max_size=5), st.one_of(st.none(), st.text(max_size=5))),
    time_ns=st.integers(0, 2**62),
    message=st.text(max_size=20),
    global_id=st.just("0" * 32),
    provenance=provenances,
    metadata=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
    file_count=st.integers(0, 2**40),
    size_bytes=st.integers(0, 2**60),
)


@given(drafts)
def test_commits_come_back_from_their_bytes(draft):
    commit, data = draft.seal()
    assert decode_commit(data) == commit
    assert commit.id == digest_of(data).hex()
    assert reseal(commit) == (commit, data)


@given(drafts)
def test_every_value_is_part_of_the_id(draft):
    commit, _ = draft.seal()
    for change in (
        {"repo": "other"},
        {"branch": "dev"},
        {"root": b"\x01" * 32 if draft.root != b"\x01" * 32 else b"\x02" * 32},
        {"parents": (*draft.parents, "cd" * 32)},
        {"author": Author("somebody else")},
        {"time_ns": draft.time_ns + 1},
        {"message": draft.message + "."},
        {"metadata": {**draft.metadata, "more": "x"}},
        {"file_count": draft.file_count + 1},
        {"size_bytes": draft.size_bytes + 1},
    ):
        assert reseal(replace(commit, **change))[0].id != commit.id


@given(provenances)
def test_provenance_comes_back_from_its_stored_form(provenance):
    assert provenance_from_dict(provenance_as_dict(provenance)) == provenance


def test_bytes_of_a_commit_are_fixed_for_ever():
    commit, data = CommitDraft(
        repo="raw",
        branch="main",
        root=digest_of(b""),
        parents=(),
        author=Author("Ada"),
        time_ns=1,
        message="m",
        global_id="0" * 32,
        provenance=Provenance(Origin.REPO),
    ).seal()
    assert commit.id == "b6360a2df6240a13420babe54f21ee43649226eaac925ec2e6334f66b2d2a686"
    assert unpack_canonical(data, "x")[:3] == [1, "raw", "main"]


def changed(position, value):
    draft = CommitDraft(
        repo="raw",
        branch="main",
        root=digest_of(b""),
        parents=(ID,),
        author=Author("Ada"),
        time_ns=1,
        message="m",
        global_id="0" * 32,
        provenance=Provenance(Origin.REPO),
        metadata={"a": "b"},
    )
    parts = unpack_canonical(draft.seal()[1], "x")
    parts[position] = value
    return pack_canonical(parts)


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 2),
        (0, "1"),
        (1, 5),
        (2, None),
        (3, b"short"),
        (3, "x" * 32),
        (4, ["ab"]),
        (4, [b"short"]),
        (4, 7),
        (5, []),
        (5, ["a", "b", "c"]),
        (6, "now"),
        (6, 2**63),
        (7, b"raw"),
        (9, {"a": 1}),
        (9, []),
        (10, {}),
        (10, {"origin": "nobody"}),
        (10, {"origin": "job", "inputs": [{"name": "x"}]}),
        (11, "many"),
        (12, None),
    ],
)
def test_commits_of_another_shape_are_damage(position, value):
    with pytest.raises(CorruptDataError):
        decode_commit(changed(position, value))


@given(st.binary(max_size=80))
def test_any_bytes_are_a_commit_or_damage(data):
    with pytest.raises(CorruptDataError):
        decode_commit(data)


def test_authors_read_as_in_a_letter():
    assert str(Author("Ada")) == "Ada"
    assert str(Author("Ada", "ada@example.org")) == "Ada <ada@example.org>"
