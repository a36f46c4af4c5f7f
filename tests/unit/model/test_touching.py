"""Touching: what is touched on neither side of a change is the same on both."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.model.combining import Cut, combine
from jupyter_datalake.model.pipelines import (
    CrossInput,
    GroupInput,
    JoinInput,
    RepoInput,
    UnionInput,
    iter_leaves,
)
from jupyter_datalake.model.touching import touched

NAMES = "abcdefghijkl"


@st.composite
def inputs(draw):
    """Draw inputs of any shape that can be followed, whose leaves have names of their own."""
    left = list(NAMES)

    def leaf(**words):
        return RepoInput(left.pop(0), "raw", "/(*)", **words)

    def side(word, depth):
        """Draw what is told by one text."""
        kinds = ["leaf", "leaf", "union", "join" if word == "on" else "group"]
        kind = draw(st.sampled_from(kinds)) if depth else "leaf"
        if kind == "leaf":
            return leaf(**{word: "$1"}, is_outer=word == "on" and draw(st.booleans()))
        made = {"union": UnionInput, "join": JoinInput, "group": GroupInput}[kind]
        return made((side(word, depth - 1), side(word, depth - 1)))

    def node(depth):
        kinds = ["leaf", "union", "cross", "join", "group"]
        kind = draw(st.sampled_from(kinds)) if depth else "leaf"
        if kind == "leaf":
            return leaf()
        if kind in {"join", "group"}:
            word = "on" if kind == "join" else draw(st.sampled_from(["by", "on"]))
            if word == "on" and kind == "group":
                return GroupInput((JoinInput((side("on", depth - 1), side("on", depth - 1))),))
            made = JoinInput if kind == "join" else GroupInput
            return made((side(word, depth - 1), side(word, depth - 1)))
        made = UnionInput if kind == "union" else CrossInput
        return made(tuple(node(depth - 1) for _ in range(draw(st.integers(2, 3)))))

    return node(2)


TREE = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from("xyz"), st.sampled_from("12")),
    st.integers(0, 1),
    max_size=30,
)
"""What each leaf has: text and number to content."""


class Sides:
    """One of two trees; a piece is leaf, text, number and content."""

    def __init__(self, here, there):
        self._here, self._there = here, there

    def _cuts(self, leaf, keys):
        for key in sorted(keys):
            if key in self._here and key[0] == leaf.name:
                on, by = (key[1],) if leaf.on else (), (key[1],) if leaf.by else ()
                yield Cut(((*key, self._here[key]),), on, by, leaf.is_outer)

    def _differing(self):
        return [
            key
            for key in {**self._here, **self._there}
            if self._here.get(key) != self._there.get(key)
        ]

    def cut(self, leaf):
        return self._cuts(leaf, self._here)

    def changed(self, leaf):
        return self._cuts(leaf, self._differing())

    def compared(self, leaf, texts):
        return self._cuts(leaf, [key for key in self._here if key[1] in texts])

    def touched_texts(self, given):
        names = {leaf.name for leaf in iter_leaves(given)}
        return sorted({key[1] for key in self._differing() if key[0] in names})


def mark(cut):
    return tuple(piece[:3] for piece in cut.pieces)


@given(inputs(), TREE, TREE)
def test_datums_that_are_not_touched_are_equal_on_both_sides(given, old, changes):
    new = {**old, **changes}
    new = {key: content for key, content in new.items() if content or key not in changes}
    untouched = []
    for here, there in ((old, new), (new, old)):
        side = Sides(here, there)
        every = Counter(combine(given, side.cut))
        found = Counter(touched(given, side, mark))
        assert found <= every
        untouched.append(every - found)
    assert untouched[0] == untouched[1]


@given(inputs(), TREE)
def test_nothing_is_touched_when_nothing_changes(given, tree):
    assert not list(touched(given, Sides(tree, tree), mark))


def test_a_cross_is_gone_through_in_the_order_of_all():
    given = CrossInput(tuple(RepoInput(name, "raw", "/(*)") for name in "abc"))
    old = {(name, "x", number): 0 for name in "abc" for number in "12"}
    side = Sides({**old, ("b", "x", "1"): 1, ("c", "x", "2"): 1}, old)
    every = [mark(cut) for cut in combine(given, side.cut)]
    found = [mark(cut) for cut in touched(given, side, mark)]
    assert len(found) == 6
    assert found == [one for one in every if one in found]
