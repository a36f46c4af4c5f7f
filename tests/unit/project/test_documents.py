"""The documents keep their word: links lead somewhere, and tests they cite exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_TEST = re.compile(r"`([\w/.]+\.py)::(\w+)`")
_PATH = re.compile(r"`((?:tests|docs|jupyter_datalake|scripts|src|examples|binder)/[\w/.-]+)`")


def ids(path):
    return str(path.relative_to(ROOT))


def text_of(document):
    return document.read_text()


def test_there_are_documents():
    assert {ids(one) for one in DOCUMENTS} >= {"README.md", "ARCHITECTURE.md", "docs/checked.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_links_lead_somewhere(document):
    links = [one for one in _LINK.findall(text_of(document)) if "://" not in one]
    assert [one for one in links if not (document.parent / one).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_paths_that_are_named_exist(document):
    assert [one for one in _PATH.findall(text_of(document)) if not (ROOT / one).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=ids)
def test_tests_that_are_cited_exist(document):
    missing = [
        f"{path}::{name}"
        for path, name in _TEST.findall(text_of(document))
        if not re.search(rf"def {name}\b", (ROOT / path).read_text())
    ]
    assert missing == []


def test_a_test_that_does_not_exist_would_be_found():
    assert _TEST.findall("see `tests/unit/a.py::test_x`, `b.py`") == [("tests/unit/a.py", "test_x")]


def test_pictures_are_shown_somewhere_and_small():
    pictures = sorted((ROOT / "docs" / "images").glob("*.png"))
    shown = {Path(link).name for one in DOCUMENTS for link in _LINK.findall(text_of(one))}
    assert [one.name for one in pictures if one.name not in shown] == []
    assert sum(one.stat().st_size for one in pictures) <= 2_000_000, "make tour"
