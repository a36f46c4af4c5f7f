"""Datums: the key is everything that a result depends on, and nothing else."""

import json
from dataclasses import replace

import pytest
from hypothesis import given

from jupyter_datalake.model.datums import DatumInput, datum_key, label_of, parse_datum_input
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.testing.strategies import repo_paths

ONE = DatumInput("raw", "team/raw", "ab" * 32, "data/x.csv", digest_of(b"1"), 5)
BASE = {
    "pipeline": "p",
    "inputs": (ONE,),
    "code": digest_of(b"code"),
    "parameters": {"a": 1, "b": [1, 2]},
    "environment": digest_of(b"lock"),
}


@pytest.mark.parametrize(
    "change",
    [
        {"pipeline": "q"},
        {"inputs": ()},
        {"inputs": (ONE, ONE)},
        {"inputs": (replace(ONE, name="other"),)},
        {"inputs": (replace(ONE, path="data/y.csv"),)},
        {"inputs": (replace(ONE, digest=digest_of(b"2")),)},
        {"code": digest_of(b"other")},
        {"parameters": {"a": 2, "b": [1, 2]}},
        {"parameters": {"a": 1, "b": [2, 1]}},
        {"parameters": {"a": "1", "b": [1, 2]}},
        {"environment": digest_of(b"other")},
    ],
)
def test_the_key_changes_with_what_the_result_depends_on(change):
    assert datum_key(**{**BASE, **change}) != datum_key(**BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": (replace(ONE, commit_id="cd" * 32),)},
        {"inputs": (replace(ONE, repo="elsewhere"),)},
        {"inputs": (replace(ONE, size_bytes=99),)},
        {"parameters": {"b": [1, 2], "a": 1}},
    ],
)
def test_the_key_does_not_change_with_what_a_program_cannot_see(change):
    assert datum_key(**{**BASE, **change}) == datum_key(**BASE)


@given(repo_paths())
def test_inputs_of_any_name_have_a_key_a_stored_form_and_a_label(path):
    one = replace(ONE, path=path)
    assert len(datum_key(**{**BASE, "inputs": (one,)})) == 32
    assert parse_datum_input(json.loads(json.dumps(one.as_dict()))) == one
    assert label_of([one]).encode()


def test_labels_read_like_the_cross_they_come_from():
    tick = DatumInput("tick", None, None, "2026-01-31T00:00:00Z", digest_of(b""))
    assert label_of([ONE, tick]) == "team/raw:/data/x.csv × tick:2026-01-31T00:00:00Z"
    assert label_of([]) == "no input"
    assert label_of([replace(ONE, path="\udcff")]) == "team/raw:/\\udcff"
