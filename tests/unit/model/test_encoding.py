"""Canonical bytes: one value, one spelling."""

from datetime import date

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import CorruptDataError, ErrorKind, InvalidInputError
from jupyter_datalake.model.encoding import pack_canonical, unpack_canonical

values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False),
        st.text(max_size=8),
        st.binary(max_size=8),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_values_come_back(value):
    assert unpack_canonical(pack_canonical(value), "x") == value


def reversed_maps(value):
    if isinstance(value, dict):
        return {key: reversed_maps(value[key]) for key in reversed(value)}
    return [reversed_maps(one) for one in value] if isinstance(value, list) else value


@given(values)
def test_the_order_of_a_map_does_not_show(value):
    assert pack_canonical(reversed_maps(value)) == pack_canonical(value)


def test_tuples_are_lists_at_any_depth():
    assert pack_canonical(({"a": (1, (2,))},)) == pack_canonical([{"a": [1, [2]]}])


@pytest.mark.parametrize(
    "value",
    [
        2**64,
        -(2**63) - 1,
        "\ud800",
        date(2026, 1, 31),
        {1: 2},
        {1: 1, "a": 2},
        {None: 1},
        {1, 2},
        1j,
    ],
)
def test_what_has_no_canonical_bytes_is_refused(value):
    for nested in (value, [value], {"a": value}):
        with pytest.raises(InvalidInputError):
            pack_canonical(nested)


def test_endless_values_are_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(InvalidInputError):
        pack_canonical(endless)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x92\x01",
        b"\x01\x02",
        b"\xa1\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x81\x90\x01",
        b"\x91" * 100_000,
        msgpack.packb([1])[:-1],
    ],
)
def test_other_bytes_are_damage_and_cost_nothing(data):
    with pytest.raises(CorruptDataError) as caught:
        unpack_canonical(data, "the thing")
    assert caught.value.kind is ErrorKind.CORRUPT_OBJECT
    assert caught.value.context["object"] == "the thing"


@given(st.binary(max_size=40))
def test_any_bytes_are_a_value_or_damage(data):
    try:
        value = unpack_canonical(data, "x")
    except CorruptDataError:
        return
    assert value is None or len(data) > 0
