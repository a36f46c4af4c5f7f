"""Addresses: repo, ref and path in one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.addresses import Address, parse_address
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.testing.strategies import repo_paths


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("raw", ("raw", "main", "")),
        ("raw/", ("raw", "main", "")),
        ("team/raw", ("team/raw", "main", "")),
        ("raw@v1", ("raw", "v1", "")),
        ("raw@v1/", ("raw", "v1", "")),
        ("raw@main~2/data/x.csv", ("raw", "main~2", "data/x.csv")),
        ("team/raw@main//a//b/", ("team/raw", "main", "a/b")),
        ("raw@main@2026-01-31T12:00Z/x", ("raw", "main@2026-01-31T12:00Z", "x")),
        ("raw@main/a@b", ("raw", "main", "a@b")),
        ("lake://raw@main/x", ("raw", "main", "x")),
        ("lake://raw", ("raw", "main", "")),
    ],
)
def test_addresses_are_read_from_left_to_right(text, expected):
    found = parse_address(text)
    assert (found.repo, found.ref, found.path) == expected


@pytest.mark.parametrize(
    "text",
    ["", "@", "@main", "raw@", "raw@/x", "a/b/c", "raw/data/x.csv", "Raw@main", "raw@main/../x"],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InvalidInputError):
        parse_address(text)


@given(
    st.sampled_from(["raw", "team/raw", "a.b"]),
    st.sampled_from(["main", "v1^", "main~3", "main@2026-01-31T12:00Z", "cafe1234"]),
    st.one_of(st.just(RepoPath("")), repo_paths()),
)
def test_an_address_is_read_back_as_it_was_written(repo, ref, path):
    address = Address(repo, ref, path)
    assert parse_address(str(address)) == address
    assert parse_address(address.url) == address
