"""Paths: what is refused, what is kept byte for byte, and the order of keys."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError, ErrorKind, InvalidInputError
from jupyter_datalake.model.paths import (
    ROOT,
    check_name,
    comes_behind,
    folder_range,
    is_within,
    join_path,
    name_of,
    parent_of,
    parse_path,
    path_bytes,
    path_from_bytes,
    path_from_key,
    path_key,
)
from jupyter_datalake.testing.strategies import HOSTILE_NAMES, repo_paths, twin_paths


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", ""),
        ("/", ""),
        ("///", ""),
        ("a", "a"),
        ("/a//b/", "a/b"),
        ("a/b", "a/b"),
        (" a ", " a "),
        ("...", "..."),
        ("..a/a..", "..a/a.."),
    ],
)
def test_slashes_are_normalised_and_nothing_else(text, path):
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text",
    [
        ".",
        "..",
        "a/..",
        "../a",
        "a/../b",
        "a/./b",
        "/..",
        "a\0b",
        "\0",
        "x" * 256,
        "é" * 128,
        "\udcff" * 256,
        "/".join(["x" * 100] * 41),
        "\ud800",
        "a/\udfff",
    ],
)
def test_hostile_paths_are_refused_by_name(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_path(text)
    assert caught.value.kind is ErrorKind.INVALID_PATH
    json.dumps(caught.value.as_dict()).encode()  # can be shown anywhere
    assert len(caught.value.message) < 600


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_odd_names_are_kept_byte_for_byte(name):
    path = parse_path(f"folder/{name}")
    assert path == f"folder/{name}"
    assert path_from_key(path_key(path)) == path
    assert json.loads(json.dumps(path)) == path
    assert os.fsencode(path) == path_bytes(path)


def test_name_of_255_bytes_is_the_longest():
    assert parse_path("x" * 255) == "x" * 255
    assert parse_path("é" * 127 + "x") == "é" * 127 + "x"


def test_deep_paths_are_fine_up_to_4095_bytes():
    assert len(parse_path("/".join(["x" * 63] * 64))) == 4095


@given(twin_paths())
def test_twins_stay_two(twins):
    one, other = map(parse_path, twins)
    assert one != other
    assert path_key(one) != path_key(other)


def test_surrogates_that_spell_a_character_are_that_character():
    # The bytes of é, each escaped on its own, as a client of another language may send them.
    spelled = parse_path("caf\udcc3\udca9")
    assert spelled == "café"
    assert path_key(spelled) == path_key(parse_path("café"))


@given(repo_paths())
def test_every_path_survives_the_kernel_the_manifest_and_json(path):
    assert parse_path(path) == path
    assert path_from_bytes(path_bytes(path)) == path
    assert path_from_key(path_key(path)) == path
    assert parse_path(json.loads(json.dumps(path))) == path


@given(st.lists(repo_paths(max_depth=3), max_size=20, unique=True))
def test_a_folder_is_one_contiguous_range_of_keys(paths):
    ordered = sorted(paths, key=path_key)
    for folder in {parent_of(path) for path in paths}:
        inside = [is_within(path, folder) and path != folder for path in ordered]
        start, end = folder_range(folder)
        in_range = [
            start <= path_key(path) and (end is None or path_key(path) < end) for path in ordered
        ]
        assert in_range == inside
        first, last = inside.index(True), len(inside) - inside[::-1].index(True)
        assert all(inside[first:last])


@given(st.lists(repo_paths(max_depth=1), unique=True))
def test_keys_of_siblings_are_in_the_byte_order_of_their_names(names):
    assert sorted(names, key=path_key) == sorted(names, key=path_bytes)


def test_key_with_a_slash_in_a_name_is_damage():
    with pytest.raises(CorruptDataError):
        path_from_key(b"a/../../etc/passwd")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0", "x" * 256, "\ud800"])
def test_names_of_one_component_are_checked(name):
    with pytest.raises(InvalidInputError):
        check_name(name)


@given(repo_paths())
def test_parent_and_name_join_to_the_path(path):
    assert join_path(parent_of(path), name_of(path)) == path
    assert is_within(path, parent_of(path))
    assert is_within(path, path)
    assert is_within(path, ROOT)


def test_a_longer_sibling_is_not_within():
    assert not is_within(parse_path("ab"), parse_path("a"))
    assert not is_within(parse_path("a"), parse_path("a/b"))


@given(st.lists(repo_paths(), unique=True))
def test_pages_behind_the_last_path_of_the_one_before_have_every_path_once(paths):
    ordered = sorted((one for one in paths if one), key=path_key)
    for number, path in enumerate(ordered):
        assert [one for one in ordered if comes_behind(one, path)] == ordered[number + 1 :]
    assert [one for one in ordered if comes_behind(one, ROOT)] == ordered
