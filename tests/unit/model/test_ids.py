"""Names of repos, refs and inputs; prefixes of ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.ids import (
    check_input_name,
    check_ref_name,
    check_repo_name,
    commit_id_of,
    digest_of,
    is_id_prefix,
    short_id,
)


@pytest.mark.parametrize("name", ["raw", "a", "0", "team/raw", "a-b_c.d", "x" * 63, "con", "out"])
def test_repo_names_of_the_grammar_pass(name):
    assert check_repo_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/",
        "/raw",
        "raw/",
        "a/b/c",
        "a//b",
        "Raw",
        "raw\n",
        "raw ",
        "-rf",
        "--help",
        ".hidden",
        "_x",
        "raw.",
        "a./b",
        "x" * 64,
        "é",
        "a\0",
        "a@b",
        "a^1",
        "'; drop table repos; --",
        "../etc",
    ],
)
def test_other_repo_names_are_refused(name):
    with pytest.raises(InvalidInputError) as caught:
        check_repo_name(name)
    assert caught.value.kind is ErrorKind.INVALID_NAME
    assert caught.value.context["name"] == name


@pytest.mark.parametrize("name", ["main", "v1.0", "_x", "2026-01", "cafe", "A" * 100, "deadbeeX"])
def test_ref_names_of_the_grammar_pass(name):
    assert check_ref_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "HEAD",
        "deadbeef",
        "0" * 32,
        "a" * 40,
        "f" * 64,
        "a@{1}",
        "a^1",
        "master~2",
        "-rf",
        "--help",
        ".x",
        "a/b",
        "a b",
        "a\n",
        "é",
        "x" * 101,
        "..",
    ],
)
def test_ref_names_that_read_like_something_else_are_refused(name):
    with pytest.raises(InvalidInputError) as caught:
        check_ref_name(name)
    assert caught.value.kind is ErrorKind.INVALID_NAME
    assert caught.value.context["name"] == name


@pytest.mark.parametrize("name", ["raw", "_1", "x" * 63, "Class"])
def test_input_names_are_python_variables(name):
    assert check_input_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "out", "pfs", "1a", "a-b", "a b", "é", "class", "None", "a\n"]
)
def test_names_that_a_notebook_cannot_assign_are_refused(name):
    with pytest.raises(InvalidInputError) as caught:
        check_input_name(name)
    assert "'as:'" in str(caught.value)


def test_commit_ids_are_the_hex_of_digests():
    digest = digest_of(b"abc")
    assert digest.hex() == "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    assert commit_id_of(digest) == digest.hex()
    assert short_id(commit_id_of(digest)) == "6437b3ac3846"


@given(st.text("0123456789abcdefABCDEF \n", max_size=70))
def test_id_prefixes_are_4_to_64_lower_case_hex_digits(text):
    assert is_id_prefix(text) == (
        4 <= len(text) <= 64 and all(one in "0123456789abcdef" for one in text)
    )
