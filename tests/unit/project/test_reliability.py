"""Every row of bad luck is in docs/reliability.md or docs/mount.md, with a test of its name."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

SECTIONS = {
    "Storage": ("E", 16),
    "S3": ("S", 9),
    "Database": ("P", 5),
    "Names": ("B", 10),
    "Terminal": ("C", 8),
    "Pipelines": ("N", 19),
    "Concurrency": ("D", 9),
    "Bad luck": ("F", 22),
}
"""Heading, letter of its rows, and how many there are."""

_ROW = re.compile(r"^\| ([A-Z]\d+) \| ([^|]+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`([\w/.]+\.py)::(\w+)`")


def rows_of(heading, text):
    """Return the rows of a section: id, and the tests that it cites."""
    _, _, rest = text.partition(f"\n### {heading}\n")
    section = re.split(r"^#", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return {row: _TEST.findall(tests) for row, _, tests in _ROW.findall(section)}


def is_named_after(row, test):
    return f"_{row.lower()}_" in test


@pytest.fixture(scope="module")
def text():
    return "\n".join((ROOT / "docs" / name).read_text() for name in ("reliability.md", "mount.md"))


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_row_is_there_and_cites_a_test_of_its_name(text, heading):
    letter, count = SECTIONS[heading]
    rows = rows_of(heading, text)
    assert list(rows) == [f"{letter}{number}" for number in range(1, count + 1)]
    nameless = {
        row
        for row, tests in rows.items()
        if not any(is_named_after(row, name) for _, name in tests)
    }
    assert nameless == set()


def test_every_test_that_has_the_name_of_a_row_is_of_a_row_that_there_is(text):
    known = {row for heading in SECTIONS for row in rows_of(heading, text)}
    letters = "".join(letter.lower() for letter, _ in SECTIONS.values())
    found = {
        match.upper()
        for path in (ROOT / "tests").glob("**/test_*.py")
        for name in re.findall(r"def test_(\w+)", path.read_text())
        for match in re.findall(rf"(?:^|_)([{letters}]\d+)(?=_)", name)
    }
    assert found - known == set()
    assert len(found) > 30


def test_a_row_without_a_test_would_be_found():
    text = (
        "\n### Names\n| B1 | empty | `tests/a.py::test_b1_x` |\n| B2 | twins | none |\n## Other\n"
    )
    assert rows_of("Names", text) == {"B1": [("tests/a.py", "test_b1_x")], "B2": []}
    assert is_named_after("B1", "test_b1_x")
    assert not is_named_after("B1", "test_b10_x")
