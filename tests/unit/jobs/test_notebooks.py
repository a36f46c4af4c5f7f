"""Notebooks as code: parameters cells, and what counts as a change."""

import json

import nbformat
import pytest

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.jobs.notebooks import (
    check_parameters,
    module_digest,
    notebook_digest,
    parse_notebook,
)


def notebook(*sources, tags=(), outputs=(), markdown=None, metadata=None):
    """Return the bytes of a notebook; `tags` are those of its first cell."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    if cells:
        cells[0].metadata["tags"] = list(tags)
        cells[0].outputs = list(outputs)
    if markdown:
        cells.insert(0, nbformat.v4.new_markdown_cell(markdown))
    node = nbformat.v4.new_notebook(cells=cells, metadata=metadata or {})
    return nbformat.writes(node).encode()


def digest(*sources, **options):
    return notebook_digest(parse_notebook(notebook(*sources, **options), "n.ipynb"))


def parameters(source):
    found = parse_notebook(notebook(source, tags=["parameters"]), "n.ipynb").parameters
    return [(one.name, one.type, one.default, one.help) for one in found]


def test_parameters_are_typed_by_their_values():
    source = (
        "n = 3\nrate = 0.5\nname = 'x'\nfast = True\nparts = [1]\nmap = {'a': 1}\npair = (1, 2)"
    )
    assert [(name, kind) for name, kind, _, _ in parameters(source)] == [
        ("n", "int"),
        ("rate", "float"),
        ("name", "str"),
        ("fast", "bool"),
        ("parts", "list"),
        ("map", "dict"),
        ("pair", "list"),
    ]


def test_an_annotation_wins_over_the_value():
    assert parameters("rate: float = 1\nwhere: str | None = None") == [
        ("rate", "float", 1, ""),
        ("where", "unknown", None, ""),
    ]


def test_the_comment_behind_an_assignment_is_its_help():
    assert parameters("n = 3  # how many of them") == [("n", "int", 3, "how many of them")]


def test_a_value_that_must_be_computed_has_no_default():
    assert parameters("today = date.today()") == [("today", "unknown", None, "")]


def test_statements_that_are_no_assignments_are_passed_over():
    assert parameters("import os\nprint(1)\na = b = 2\nx.y = 1\nn = 1") == [("n", "int", 1, "")]


def test_a_cell_that_does_not_parse_has_no_parameters():
    assert parameters("n = = 3") == []


def test_a_notebook_without_the_tag_has_no_parameters():
    parsed = parse_notebook(notebook("n = 3"), "n.ipynb")
    assert parsed.parameters_cell is None
    assert parsed.parameters == ()


def test_n5_two_tagged_cells_are_refused():
    node = nbformat.reads(notebook("a = 1", "b = 2", tags=["parameters"]).decode(), as_version=4)
    node.cells[1].metadata["tags"] = ["parameters"]
    with pytest.raises(InvalidInputError, match="2 cells tagged 'parameters'"):
        parse_notebook(nbformat.writes(node).encode(), "n.ipynb")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"null",
        b"\xff\xfe",
        json.dumps({"cells": 3, "nbformat": 4}).encode(),
        json.dumps({"cells": [], "metadata": {}, "nbformat": 99, "nbformat_minor": 0}).encode(),
    ],
)
def test_n15_what_is_no_notebook_is_refused_in_one_line(data):
    with pytest.raises(InvalidInputError) as caught:
        parse_notebook(data, "bad.ipynb")
    assert caught.value.kind is ErrorKind.INVALID_NOTEBOOK
    assert "bad.ipynb" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_older_notebook_format_is_read():
    old = nbformat.v3.new_notebook(
        worksheets=[nbformat.v3.new_worksheet(cells=[nbformat.v3.new_code_cell("n = 1")])]
    )
    parsed = parse_notebook(json.dumps(old).encode(), "old.ipynb")
    assert parsed.cells == ("n = 1",)


def test_outputs_markdown_comments_and_layout_are_no_change():
    plain = digest("n = 1\nprint(n + 1)", tags=["parameters"])
    output = nbformat.v4.new_output("stream", text="2\n")
    assert plain == digest("n = 1\nprint(n + 1)", tags=["parameters"], outputs=[output])
    assert plain == digest("n = 1\nprint(n + 1)", tags=["parameters"], markdown="# Title")
    assert plain == digest("n = 1  # one\n\n\nprint( n+1 )", tags=["parameters"])


def test_code_its_order_and_the_parameters_cell_are_changes():
    plain = digest("n = 1", "print(n)", tags=["parameters"])
    assert plain != digest("n = 2", "print(n)", tags=["parameters"])
    assert plain != digest("print(n)", "n = 1", tags=["parameters"])
    assert plain != digest("n = 1", "print(n)")


def test_cells_that_only_ipython_understands_are_compared_as_text():
    assert digest("%time x = 1") == digest("\n%time x = 1  \n")
    assert digest("%time x = 1") != digest("%time x = 2")


def test_other_languages_are_compared_as_text():
    r = {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}
    assert digest("x <- 1 # a", metadata=r) != digest("x <- 1 # b", metadata=r)


def test_a_helper_module_changes_with_its_code_only():
    assert module_digest(b"x = 1  # a\n", "h.py") == module_digest(b"x=1", "h.py")
    assert module_digest(b"x = 1", "h.py") != module_digest(b"x = 2", "h.py")
    assert module_digest(b"x = = 1", "h.py") != module_digest(b"x = = 2", "h.py")
    assert module_digest(b"x = 1", "h.txt") != module_digest(b"x=1", "h.txt")


def test_n5_a_value_of_the_wrong_type_is_refused_by_name():
    parsed = parse_notebook(notebook("n = 3", tags=["parameters"]), "n.ipynb")
    with pytest.raises(InvalidInputError, match=r"'n' of n\.ipynb must be int, not 'three'"):
        check_parameters(parsed, {"n": "three"}, "n.ipynb")
    with pytest.raises(InvalidInputError):
        check_parameters(parsed, {"n": True}, "n.ipynb")


def test_an_integer_is_a_float_too():
    parsed = parse_notebook(notebook("rate = 0.5", tags=["parameters"]), "n.ipynb")
    assert check_parameters(parsed, {"rate": 1}, "n.ipynb") == []


def test_an_unknown_parameter_is_a_warning():
    parsed = parse_notebook(notebook("n = 3", tags=["parameters"]), "n.ipynb")
    assert check_parameters(parsed, {"m": 1}, "n.ipynb") == [
        "n.ipynb has no parameter 'm'; it is set all the same"
    ]


def test_a_missing_parameters_cell_is_a_warning():
    (warning,) = check_parameters(parse_notebook(notebook("1"), "n.ipynb"), {}, "n.ipynb")
    assert "no cell tagged 'parameters'" in warning
