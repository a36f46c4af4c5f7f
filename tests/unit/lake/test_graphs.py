"""The lineage graph: what there was at a time, what was seen, and what belongs together."""

import threading
from datetime import timedelta

import pytest

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.lineage import AccessKind, EdgeBasis, Observation, Observer
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.testing.clocks import EPOCH, ManualClock
from tests.unit.pipelines.inline import FunctionExecutor, run_all, upper

HOUR = 3600


@pytest.fixture
def lake_clock():
    return ManualClock()


@pytest.fixture
def lake(lake_clock):
    with Lake.create("memory:", clock=lake_clock) as lake:
        yield lake


def publish(lake, name, source, **more):
    lake.pipelines.apply(
        {
            "pipeline": name,
            "input": {"repo": {"name": source, "glob": "/*"}},
            "command": ["true"],
            **more,
        }
    )


def look(lake, **when):
    graph = lake.lineage.graph(**when)
    return {node.id: node for node in graph.nodes}, {
        (edge.source, edge.target): edge.basis for edge in graph.edges
    }


def test_the_graph_of_a_moment_has_what_there_was_with_the_states_of_then(
    lake, lake_clock, tmp_path
):
    lake.repos.create("raw")
    first = lake.files.put("raw@main/a", "a", message="a")
    lake_clock.advance(HOUR)
    publish(lake, "p", "raw")
    lake_clock.advance(HOUR)
    run_all(lake, FunctionExecutor(lake.core, upper, tmp_path), threading.Event())
    second = lake.files.put("raw@main/b", "b", message="b")
    lake.repos.create("other")
    lake_clock.advance(HOUR)
    publish(lake, "p", "other", group="etl/daily")

    def after(hours):
        return {"at": EPOCH + timedelta(hours=hours)}

    nodes, edges = look(lake, **after(0.5))
    assert set(nodes) == {"repo:raw"}
    assert nodes["repo:raw"].details["commit_id"] == first.id
    nodes, edges = look(lake, **after(1.5))
    assert (nodes["pipeline:p"].state, nodes["pipeline:p"].details["version"]) == ("waiting", 1)
    assert ("repo:raw", "pipeline:p") in edges
    nodes, edges = look(lake, at="2000-01-01")
    assert (nodes, edges) == ({}, {})
    nodes, edges = look(lake)
    assert nodes["pipeline:p"].details["group"] == "etl/daily"
    assert nodes["repo:raw"].details == {"kind": "user", "commit_id": second.id, "files": 2}
    assert ("repo:raw", "pipeline:p") not in edges
    assert ("repo:other", "pipeline:p") in edges
    now, _ = look(lake, **after(3))
    assert now["repo:raw"] == nodes["repo:raw"]
    before_it_ended, _ = look(lake, **after(1.9))
    assert "repo:other" not in before_it_ended
    with pytest.raises(InvalidInputError, match="not both"):
        lake.lineage.graph("abcd", at="2000-01-01")
    with pytest.raises(InvalidInputError, match="'noon' is not a time"):
        lake.lineage.graph(at="noon")


def test_notebooks_that_were_seen_to_open_files_stand_in_the_graph_and_are_told_apart(
    lake, lake_clock
):
    for name in ("raw", "report"):
        lake.repos.create(name)
    now = lake_clock()
    observer = Observer("0" * 32, "host", 1, "ipykernel", "k", "study.ipynb")
    seen = [
        Observation(observer, repo, CommitId("a" * 64), RepoPath("f"), kind, None, 1, now, now)
        for repo, kind in (
            ("raw", AccessKind.READ),
            ("report", AccessKind.WRITE),
            ("gone", AccessKind.READ),
        )
    ]
    with lake.core.metadata.write() as tx:
        tx.lineage.observe([*seen])
    _, edges = look(lake)
    assert edges == {
        ("repo:raw", "notebook:study.ipynb"): EdgeBasis.OBSERVED,
        ("notebook:study.ipynb", "repo:report"): EdgeBasis.OBSERVED,
    }


def test_changes_are_paged_by_time(lake, lake_clock):
    lake.repos.create("raw")
    for name in "abc":
        lake.files.put(f"raw@main/{name}", name, message=name)
        lake_clock.advance(HOUR)
    every = lake.lineage.list()
    page = lake.lineage.list(limit=2)
    rest = lake.lineage.list(before=page[-1].created_at)
    assert [*page, *rest] == [*every]
