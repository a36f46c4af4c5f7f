"""Python source as trees."""

import ast
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_datalake.jobs.python_source import parse_python


def test_source_is_a_tree():
    tree = parse_python(b"x = 1", "helper.py")
    assert ast.unparse(tree) == "x = 1"


def test_what_is_no_python_is_refused_with_its_name():
    with pytest.raises(SyntaxError) as info:
        parse_python("%matplotlib inline", "cell")
    assert info.value.filename == "cell"


def test_threads_that_parse_at_once_do_not_disturb_each_other():
    source = "\n".join(
        f"value_{number} = [{number}, {{'a': ({number},)}}]" for number in range(200)
    )
    with ThreadPoolExecutor(8) as threads:
        trees = [*threads.map(parse_python, [source] * 64)]
    assert {ast.dump(tree) for tree in trees} == {ast.dump(ast.parse(source))}
