"""Ref expressions: the whole grammar, and what looks like it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.refs import MAX_STEPS, Step, parse_ref_expression

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(moment):
    return (moment - EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "base", "as_of", "steps"),
    [
        ("main", "main", None, ()),
        ("v1.0", "v1.0", None, ()),
        ("3f2a9c", "3f2a9c", None, ()),
        ("main^", "main", None, (Step(0, 1),)),
        ("main^2", "main", None, (Step(1, 1),)),
        ("main^^", "main", None, (Step(0, 1), Step(0, 1))),
        ("main~3", "main", None, (Step(0, 3),)),
        ("main~0", "main", None, (Step(0, 0),)),
        ("main~3^2~1", "main", None, (Step(0, 3), Step(1, 1), Step(0, 1))),
        ("main@2026-01-31", "main", "2026-01-31T00:00+00:00", ()),
        ("main@2026-01-31T12:00Z", "main", "2026-01-31T12:00+00:00", ()),
        ("main@2026-01-31T12:00+02:00", "main", "2026-01-31T10:00+00:00", ()),
        ("main@2026-01-31~1", "main", "2026-01-31T00:00+00:00", (Step(0, 1),)),
        (f"main~{MAX_STEPS}", "main", None, (Step(0, MAX_STEPS),)),
    ],
)
def test_expressions_mean_what_the_grammar_says(text, base, as_of, steps):
    parsed = parse_ref_expression(text)
    assert parsed.text == text
    assert parsed.base == base
    assert parsed.steps == steps
    if as_of is None:
        assert parsed.as_of_ns is None
    else:
        assert parsed.as_of_ns // 1000 == microseconds(datetime.fromisoformat(as_of))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "^",
        "~1",
        "@2026-01-31",
        "main~",
        "main^0",
        "main~x",
        "main ~1",
        "main@",
        "main@yesterday",
        "main@2026-13-01",
        "main@2026-01-31@2026-01-31",
        "a b",
        "a/b",
        "main\n",
        f"main~{MAX_STEPS + 1}",
        "main~" + "9" * 5000,
        "main^" + "9" * 5000,
        "main~\u0663",
    ],
)
def test_everything_else_is_refused_with_its_text(text):
    with pytest.raises(InvalidInputError) as caught:
        parse_ref_expression(text)
    assert caught.value.kind is ErrorKind.INVALID_REF
    assert caught.value.context["ref"] == text


@given(st.integers(0, 8 * 10**15))
def test_a_time_copied_from_a_listing_includes_what_happened_then(since_1970):
    moment = EPOCH + timedelta(microseconds=since_1970)
    begins_ns = microseconds(moment) * 1000
    as_of_ns = parse_ref_expression(f"main@{moment.isoformat()}").as_of_ns
    assert begins_ns + 999 == as_of_ns


@given(st.text(max_size=30))
def test_any_text_parses_or_is_refused(text):
    try:
        parsed = parse_ref_expression(text)
    except InvalidInputError:
        return
    assert parsed.base
    assert text.startswith(parsed.base)
