"""Combining: what cross, union, join and group make of leaves, in which order."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.model.combining import Cut, combine
from jupyter_datalake.model.pipelines import (
    CronInput,
    CrossInput,
    GroupInput,
    JoinInput,
    RepoInput,
    UnionInput,
)


def leaf(name, **words):
    return RepoInput(name, name, "/(*)", **words)


A, B, C = (leaf(name, on="$1", by="$1") for name in "abc")
OUTER = leaf("a", on="$1", is_outer=True)
CLOCK = CronInput("tick", "@daily")


def cut_of(**texts):
    """Cut the leaf of each name into one piece per word."""

    def cut(leaf):
        for text in texts.get(leaf.name, "").split():
            on = (text[0],) if getattr(leaf, "on", "") else ()
            by = (text[0],) if getattr(leaf, "by", "") else ()
            yield Cut((f"{leaf.name}{text}",), on, by, getattr(leaf, "is_outer", False))

    return cut


def combined(given, **texts):
    return ["+".join(one.pieces) for one in combine(given, cut_of(**texts))]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, [""]),
        (A, ["a1", "a2", "a3"]),
        (CrossInput((A, C)), ["a1+c2", "a1+c9", "a2+c2", "a2+c9", "a3+c2", "a3+c9"]),
        (CrossInput((A, leaf("empty"))), []),
        (UnionInput((C, A, leaf("empty"))), ["c2", "c9", "a1", "a2", "a3"]),
        (UnionInput((CrossInput((CLOCK, C)), B)), ["tick7+c2", "tick7+c9", "b2x", "b2y", "b3"]),
        (JoinInput((A, B)), ["a2+b2x", "a2+b2y", "a3+b3"]),
        (JoinInput((B, A)), ["b2x+a2", "b2y+a2", "b3+a3"]),
        (JoinInput((A, C)), ["a2+c2"]),
        (JoinInput((OUTER, B)), ["a1", "a2+b2x", "a2+b2y", "a3+b3"]),
        (JoinInput((B, OUTER)), ["a1", "b2x+a2", "b2y+a2", "b3+a3"]),
        (JoinInput((OUTER, leaf("c", on="$1", is_outer=True))), ["a1", "a2+c2", "a3", "c9"]),
        (JoinInput((OUTER, B, C)), ["a1", "a2+b2x+c2", "a2+b2y+c2", "a3+b3"]),
        (JoinInput((JoinInput((A, B)), C)), ["a2+b2x+c2", "a2+b2y+c2"]),
        (JoinInput((UnionInput((A, C)), B)), ["a2+b2x", "a2+b2y", "c2+b2x", "c2+b2y", "a3+b3"]),
        (CrossInput((JoinInput((A, C)), CLOCK)), ["a2+c2+tick7"]),
        (JoinInput((CrossInput((A, CLOCK)), C)), ["a2+tick7+c2"]),
        (GroupInput((A, B)), ["a1", "a2+b2x+b2y", "a3+b3"]),
        (GroupInput((B,)), ["b2x+b2y", "b3"]),
        (GroupInput((CrossInput((B, CLOCK)),)), ["b2x+tick7+b2y", "b3+tick7"]),
        (
            GroupInput((JoinInput((leaf("a", on="$1"), leaf("b", on="$1"))),)),
            ["a2+b2x+b2y", "a3+b3"],
        ),
        (JoinInput((GroupInput((B,)), C)), ["b2x+b2y+c2"]),
        (UnionInput((GroupInput((B,)), C)), ["b2x+b2y", "b3", "c2", "c9"]),
    ],
)
def test_combinations_are_what_the_table_says_in_this_order(given, expected):
    assert combined(given, a="1 2 3", b="2x 2y 3", c="2 9", tick="7") == expected


def test_a_first_input_is_never_held():
    taken = []

    def cut(leaf):
        for number in range(1000):
            if leaf.name == "a":
                taken.append(number)
            yield Cut((number,))

    datums = combine(CrossInput((A, UnionInput((B, C)))), cut)
    assert next(datums).pieces == (0, 0)
    assert len(taken) == 1
    datums = combine(UnionInput((A, B)), cut)
    assert next(datums).pieces == (0,)
    assert len(taken) == 2


_keys = st.lists(st.sampled_from("1234"), max_size=6)


@given(_keys, _keys, st.booleans(), st.booleans())
def test_a_join_is_a_cross_of_which_the_unequal_is_taken_away(first, second, outer1, outer2):
    given = JoinInput((leaf("a", on="$1", is_outer=outer1), leaf("b", on="$1", is_outer=outer2)))
    named1 = [f"{key}.{number}" for number, key in enumerate(first)]
    named2 = [f"{key}.{number}" for number, key in enumerate(second)]
    expected = [f"a{one}+b{two}" for one, two in product(named1, named2) if one[0] == two[0]]
    expected += [f"a{one}" for one in named1 if outer1 and one[0] not in second]
    expected += [f"b{two}" for two in named2 if outer2 and two[0] not in first]
    found = combined(given, a=" ".join(named1), b=" ".join(named2))
    assert sorted(found) == sorted(expected)
    assert [one[1] for one in found] == sorted(one[1] for one in found)


@given(_keys, _keys)
def test_a_group_holds_each_piece_exactly_once(first, second):
    named = {
        "a": " ".join(f"{key}.{number}" for number, key in enumerate(first)),
        "b": " ".join(f"{key}.{number}" for number, key in enumerate(second)),
    }
    found = combined(GroupInput((A, B)), **named)
    assert len(found) == len({*first, *second})
    assert sorted(piece for one in found for piece in one.split("+") if piece) == sorted(
        f"{name}{text}" for name, texts in named.items() for text in texts.split()
    )
