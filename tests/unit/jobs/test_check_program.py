"""The program that calls people's own functions over an output."""

import json
import subprocess
import sys

import pytest

from jupyter_datalake.jobs import check_program

SOURCE = """
from helper import LIMIT


def good(folder):
    assert sorted(one.name for one in folder.iterdir()) == ["a.txt"]


def true(folder):
    return True


def says(folder):
    return f"{(folder / 'a.txt').read_text()} is more than {LIMIT}"


def lists(folder):
    return (f"line {n}" for n in range(30))


def false(folder):
    return False


def asserts(folder):
    assert 1 == 2, "one is\\nnot two"


def raises(folder):
    return {}["key"]


def leaves(folder):
    raise SystemExit(3)


def long(folder):
    return "x" * 5000
"""


@pytest.fixture
def ask(tmp_path):
    """Call functions in a process; return what each said."""
    (tmp_path / "checks.py").write_text(SOURCE)
    (tmp_path / "helper.py").write_text("LIMIT = 3")
    output = tmp_path / "output"
    output.mkdir()
    (output / "a.txt").write_text("5")

    def do(*functions):
        tasks = [
            {
                "where": f"checks.py::{name}",
                "file": "checks.py",
                "function": name,
                "folder": str(output),
            }
            for name in functions
        ]
        (tmp_path / "tasks.json").write_text(json.dumps(tasks))
        done = subprocess.run(
            [sys.executable, check_program.__file__, "tasks.json", "results.json"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads((tmp_path / "results.json").read_text()), done.stdout

    return do


def test_what_functions_return_or_raise_is_what_they_find(ask):
    functions = ["good", "true", "says", "false", "asserts", "raises", "leaves", "missing"]
    said, printed = ask(*functions)
    assert said == [
        [],
        [],
        ["5 is more than 3"],
        ["it is not as expected"],
        ["one is not two"],
        ["KeyError: 'key'"],
        ["SystemExit: 3"],
        ["AttributeError: module '_check_checks' has no attribute 'missing'"],
    ]
    assert "checks.py::says: 5 is more than 3" in printed


def test_long_answers_are_cut(ask):
    (many, long), _ = ask("lists", "long")
    assert many == [*(f"line {n}" for n in range(20)), "… and 10 more"]
    assert long == ["x" * 500]
