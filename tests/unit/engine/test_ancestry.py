"""The graph of commits: walks and common ancestors are those of a drawing of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from jupyter_datalake.engine import ancestry
from jupyter_datalake.engine.ancestry import Ancestry
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author, CommitDraft, Origin, Provenance
from jupyter_datalake.model.ids import GlobalId


@pytest.fixture(scope="module")
def lake():
    """One for all examples: an equal drawing is the same commits."""
    with Lake.create("memory:") as lake:
        lake.repos.create("raw")
        yield lake


def drawn(core, shape):
    """Commits of a graph: for each its parents, as numbers of earlier ones, and its time."""
    made = []
    with core.metadata.write() as tx:
        repo = tx.repos.get("raw")
        for number, (parents, time_ns) in enumerate(shape):
            commit, _ = CommitDraft(
                repo="raw",
                branch="main",
                root=b"\0" * 32,
                parents=tuple(made[one] for one in dict.fromkeys(parents)),
                author=Author("somebody"),
                time_ns=time_ns,
                message=f"commit {number}",
                global_id=GlobalId("0" * 32),
                provenance=Provenance(Origin.SESSION),
            ).seal()
            tx.commits.add(repo.id, commit)
            made.append(commit.id)
    return made


@st.composite
def graphs(draw):
    shape = []
    for number in range(draw(st.integers(2, 14))):
        older = st.lists(st.integers(max(0, number - 4), number - 1), max_size=3)
        parents = draw(older) if number else []
        time_ns = number if draw(st.integers(0, 3)) else draw(st.integers(0, 20))  # clocks jump
        shape.append((parents, time_ns))
    return shape


def all_before(shape, number):
    found = {number}
    for parent in shape[number][0]:
        found |= all_before(shape, parent)
    return found


@given(graphs(), st.data(), st.sampled_from([1, 3, 256]))
def test_common_ancestors_are_those_of_the_drawing_whatever_the_clocks_said(
    lake, shape, data, batch
):
    number = st.integers(0, len(shape) - 1)
    one, other = data.draw(number), data.draw(number)
    ids = drawn(lake.core, shape)
    common = all_before(shape, one) & all_before(shape, other)
    best = {
        found
        for found in common
        if not any(found in all_before(shape, than) for than in common - {found})
    }
    with pytest.MonkeyPatch.context() as patch, lake.core.metadata.read() as tx:
        patch.setattr(ancestry, "_BATCH", batch)
        found = Ancestry(tx).merge_bases(ids[one], ids[other])
        back = Ancestry(tx).merge_bases(ids[other], ids[one])
        walked = list(Ancestry(tx).walk(ids[one]))
        is_older = Ancestry(tx).is_ancestor(ids[other], ids[one])
    assert set(found) == {ids[number] for number in best}
    assert found == back
    keys = [(shape[ids.index(base)][1], base) for base in found]
    assert keys == sorted(keys, reverse=True)
    assert len(walked) == len(set(walked))
    assert set(walked) == {ids[number] for number in all_before(shape, one)}
    assert is_older == (other in all_before(shape, one))


def test_a_parent_that_is_not_there_any_more_ends_the_walk(lake):
    first, second, third = drawn(lake.core, [([], 100), ([0], 101), ([1], 102)])
    with lake.core.metadata.write() as tx:
        tx._connection.execute(text("DELETE FROM commits WHERE id = :id"), {"id": first})
    with lake.core.metadata.read() as tx:
        assert list(Ancestry(tx).walk(third)) == [third, second]
        assert Ancestry(tx).merge_bases(third, second) == [second]


@given(graphs(), st.data())
def test_commits_that_one_lacks_are_counted(lake, shape, data):
    forward = [(parents, number) for number, (parents, _) in enumerate(shape)]
    commits = drawn(lake.core, forward)
    one, other = (data.draw(st.integers(0, len(shape) - 1)) for _ in range(2))
    lacking = len(all_before(forward, other) - all_before(forward, one))
    with lake.core.metadata.read() as tx:
        count = Ancestry(tx).count_beyond
        assert count(commits[one], commits[other], limit=100) == lacking
        assert count(commits[one], commits[other], limit=2) == min(lacking, 2)
