"""One JSON form for every value."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from pathlib import Path

import pytest

from jupyter_datalake.model.commits import Author, CommitDraft, Origin, Provenance
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.jsonable import as_json


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@dataclass(frozen=True, slots=True)
class Thing:
    name: str
    parts: tuple[int, ...]
    _hidden: int = 0

    @property
    def count(self):
        return len(self.parts)

    @property
    def _secret(self):
        return "x"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (1, 1),
        (1.5, 1.5),
        ("a", "a"),
        (b"\x01\xff", "01ff"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        ((1, (2,)), [1, [2]]),
        ({"b", "a"}, ["a", "b"]),
        (frozenset({2, 1}), [1, 2]),
        ({Colour.RED: 1, b"\x01": 2, 3: None}, {"red": 1, "01": 2, "3": None}),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "2026-01-31T12:00:00Z"),
        (
            datetime(2026, 1, 31, 14, 0, 0, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-01-31T12:00:00.000005Z",
        ),
        (datetime(2026, 1, 31, 12), "2026-01-31T12:00:00Z"),  # noqa: DTZ001  # the subject
        (Thing("x", (1, 2)), {"name": "x", "parts": [1, 2], "_hidden": 0, "count": 2}),
    ],
)
def test_values_have_the_form_that_the_table_says(value, expected):
    assert as_json(value) == expected
    json.dumps(as_json(value))


@pytest.mark.parametrize("value", [object(), Path("x"), 1j, Thing])
def test_other_types_are_a_programming_error(value):
    with pytest.raises(TypeError):
        as_json(value)


def test_a_commit_is_json_with_its_time():
    commit, _ = CommitDraft(
        repo="raw",
        branch="main",
        root=digest_of(b""),
        parents=(),
        author=Author("Ada"),
        time_ns=1_769_860_800_000_000_000,
        message="m",
        global_id="0" * 32,
        provenance=Provenance(Origin.REPO),
    ).seal()
    found = json.loads(json.dumps(as_json(commit)))
    assert found["id"] == commit.id
    assert found["root"] == commit.root.hex()
    assert found["created_at"] == "2026-01-31T12:00:00Z"
    assert found["provenance"]["origin"] == "repo"
