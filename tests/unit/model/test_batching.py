"""Batches: their sizes, and how little of them changes when a name comes or goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.model.batching import batches
from jupyter_datalake.model.ids import digest_of


def batched(names, size):
    return list(batches(names, size, lambda name: digest_of(name.encode())))


def named(numbers):
    return [f"{number:05}" for number in numbers]


@given(st.integers(0, 200), st.integers(1, 30))
def test_batches_hold_every_datum_once_in_order_and_none_too_many(count, size):
    names = named(range(count))
    made = batched(names, size)
    assert [name for batch in made for name in batch] == names
    assert all(len(batch) <= size for batch in made)
    assert all(2 * len(batch) >= size for batch in made[:-1])


def test_no_more_than_a_batch_is_taken_ahead():
    taken = []

    def source():
        for name in named(range(1000)):
            taken.append(name)
            yield name

    next(batches(source(), 10, lambda name: digest_of(name.encode())))
    assert len(taken) == 10


@pytest.mark.parametrize("size", [2, 3, 10, 100])
def test_what_is_appended_changes_the_last_batch_only(size):
    before = batched(named(range(3000)), size)
    after = batched(named(range(3007)), size)
    assert after[: len(before) - 1] == before[:-1]


@pytest.mark.parametrize("size", [4, 10, 100])
def test_a_name_that_comes_or_goes_changes_a_few_batches(size):
    names = named(range(0, 10_000, 2))
    before = set(batched(names, size))
    changed = []
    for at in range(500, 4500, 100):
        other = [*names[:at], f"{2 * at - 1:05}", *names[at:]]
        fewer = [*names[:at], *names[at + 1 :]]
        changed += [len(set(batched(one, size)) - before) for one in (other, fewer)]
    assert min(changed) >= 1
    assert sum(changed) / len(changed) < 2
    assert max(changed) < 10
