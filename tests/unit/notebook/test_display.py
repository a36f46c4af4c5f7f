"""What cells show of values: facts, and never markup of whoever named things."""

import re

import pytest

from jupyter_datalake.model.drawing import MAX_NODES, drawing_of
from jupyter_datalake.model.html import MAX_TEXT, table_html, text_html
from jupyter_datalake.model.lineage import LineageEdge, LineageGraph, LineageNode, NodeKind

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>\x1b[31m\n"


def test_a_commit_a_repo_and_a_lake_are_tables(lake):
    commit = lake.commits.get("raw", "v2")
    assert "<caption>Commit raw@" in commit._repr_html_()
    assert "<td>Version 2</td>" in commit._repr_html_()
    assert commit.id in commit._repr_html_()
    assert "<td>2 files, " in lake.repos.get("raw")._repr_html_()
    assert "<td>raw</td>" in lake._repr_html_()
    assert lake.url in lake._repr_html_()


def test_what_people_wrote_is_text(lake):
    with lake.transaction(EVIL.strip(), metadata={"k<": EVIL}) as tx:
        tx.put("raw@main/x", "x")
    lake.repos.create("evil", description=EVIL)
    shown = (
        lake.commits.get("raw", "main")._repr_html_()
        + lake.repos.get("evil")._repr_html_()
        + lake._repr_html_()
        + drawing_of({"a": (EVIL, EVIL)}, [], EVIL)
        + table_html(EVIL, [EVIL], [[EVIL]])
    )
    tags = {
        "table", "caption", "tbody", "thead", "tr", "th", "td", "svg", "g", "title", "rect", "text",
    }  # fmt: skip
    assert set(re.findall(r"</?([a-zA-Z]+)", shown)) <= tags
    assert "\x1b" not in shown


def test_a_long_value_is_cut():
    assert text_html("x" * 10_000) == "x" * (MAX_TEXT - 1) + "…"


@pytest.mark.parametrize("count", [0, 1, 3, MAX_NODES + 5])
def test_lineage_is_drawn_from_left_to_right(count):
    nodes = tuple(LineageNode(f"repo:{n}", NodeKind.REPO, f"r{n}") for n in range(count))
    edges = tuple(LineageEdge(f"repo:{n}", f"repo:{n + 1}") for n in range(count - 1))
    svg = LineageGraph(nodes, edges)._repr_html_()
    places = [int(x) for x in re.findall(r'<rect x="(\d+)"', svg)]
    assert places == sorted(places)
    assert len(set(places)) == len(places) == min(count, MAX_NODES)
    assert ("5 more" in svg) == (count > MAX_NODES)


def test_a_cycle_is_drawn_too():
    assert (
        drawing_of({"a": ("a", ""), "b": ("b", "")}, [("a", "b"), ("b", "a")], "t").count("<rect")
        == 2
    )
