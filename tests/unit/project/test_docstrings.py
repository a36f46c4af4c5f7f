"""Docstrings do not promise what is not there."""

import ast
import builtins
import re
from pathlib import Path

import pytest

from jupyter_datalake import errors

PACKAGE = Path(errors.__file__).parent
SOURCES = [path for path in sorted(PACKAGE.rglob("*.py")) if "migrations" not in path.parts]


def documented(path):
    """Yield name, docstring and argument names of every function and class of a file."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            text = ast.get_docstring(node)
            if text:
                yield node, text


def entries(text, heading):
    """Return the names under a numpydoc heading: the lines without indentation."""
    lines = iter(text.splitlines())
    for line in lines:
        if line == heading and set(next(lines, "")) == {"-"}:
            break
    names = []
    for line in lines:
        if re.fullmatch(r"-{3,}", line):
            return names[:-1]  # the line in front of a rule is the next heading
        if line.startswith(">>>"):
            break
        if line and not line[0].isspace():
            names += [name.strip() for name in line.split(",")]
    return names


def test_entries_are_read_as_numpydoc_writes_them():
    text = """Do it.

    Parameters
    ----------
    one, two
        What.

    Raises
    ------
    ValueError
        When.
    LookupError
        Where.
    """
    text = "\n".join(line[4:] if line.startswith("    ") else line for line in text.splitlines())
    assert entries(text, "Parameters") == ["one", "two"]
    assert entries(text, "Raises") == ["ValueError", "LookupError"]
    assert entries(text, "Returns") == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_under_raises_are_exceptions_that_exist(path):
    for node, text in documented(path):
        for name in entries(text, "Raises"):
            found = getattr(errors, name, None) or getattr(builtins, name, None)
            assert isinstance(found, type), f"{path.name}: {node.name} raises {name}?"
            assert issubclass(found, BaseException)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_names_under_parameters_are_parameters(path):
    for node, text in documented(path):
        listed = {
            name.partition(":")[0].strip().lstrip("*") for name in entries(text, "Parameters")
        }
        function = node
        if isinstance(node, ast.ClassDef):
            inits = [one for one in node.body if getattr(one, "name", "") == "__init__"]
            if not inits:
                continue  # a dataclass: its fields are documented where they stand
            function = inits[0]
        arguments = function.args
        known = {
            one.arg
            for one in [
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                *filter(None, [arguments.vararg, arguments.kwarg]),
            ]
        }
        assert listed <= known, f"{path.name}: {node.name} has no {listed - known}"
