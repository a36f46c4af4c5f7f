"""Warehouse values: names of connections."""

import pytest

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.warehouse import check_connection_name


@pytest.mark.parametrize("name", ["dwh", "A-b_1", "x" * 63])
def test_connection_names_of_the_grammar_pass(name):
    assert check_connection_name(name) == name


@pytest.mark.parametrize("name", ["", "1a", "-x", "a.b", "a b", "a\n", "é", "x" * 64, "'; drop"])
def test_other_connection_names_are_refused(name):
    with pytest.raises(InvalidInputError) as caught:
        check_connection_name(name)
    assert caught.value.kind is ErrorKind.INVALID_NAME
