"""The public names: all of them there, none of them by accident."""

import importlib
import pkgutil

import pytest

import jupyter_datalake

MODULES = [
    found.name
    for found in pkgutil.walk_packages(jupyter_datalake.__path__, "jupyter_datalake.")
    if ".migrations" not in found.name and not found.name.endswith("._version")
]

OPTIONAL = ("pyfuse3", "trio")


@pytest.mark.parametrize("name", jupyter_datalake.__all__)
def test_every_public_name_can_be_imported(name):
    assert getattr(jupyter_datalake, name) is not None
    assert name in dir(jupyter_datalake)


def test_public_names_come_from_the_module_that_defines_them():
    for name in jupyter_datalake.__all__:
        value = getattr(jupyter_datalake, name)
        if isinstance(value, type):
            home = importlib.import_module(value.__module__)
            assert getattr(home, name) is value
            assert value.__doc__


def test_names_are_listed_for_type_checkers_as_for_the_interpreter():
    import ast
    import inspect

    tree = ast.parse(inspect.getsource(jupyter_datalake))
    guarded = next(
        node
        for node in tree.body
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
    )
    shown = {alias.name for node in guarded.body for alias in node.names}
    assert shown | {"__version__"} == set(jupyter_datalake.__all__)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="Lakes"):
        jupyter_datalake.Lakes  # noqa: B018  # looking is the act


@pytest.mark.parametrize("name", MODULES)
def test_every_module_can_be_imported_and_says_what_it_is(name):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        if error.name in OPTIONAL:
            pytest.skip(f"needs {error.name}, which is not installed")
        raise
    assert module.__doc__, "the first line of a module is its one responsibility"
