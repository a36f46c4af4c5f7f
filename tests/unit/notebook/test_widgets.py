"""Widgets show a lake's state, follow it, and act on it; no front end is needed for that."""

import pytest

from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.notebook import widgets
from tests.unit.pipelines.inline import Bench


def test_a_difference_is_paths_and_the_lines_of_the_chosen_one(lake):
    shown = widgets.diff("raw", "main~2", "main", lake=lake)
    assert [one.path for one in shown.changes] == ["note.txt", "table.csv"]
    head, paths, more, text = shown.children
    assert "2 changes" in head.value
    assert more.layout.display == "none"
    paths.index = 1
    assert "-1,x" in text.value
    assert "+3,x" in text.value


def test_many_changes_come_page_by_page(lake):
    with lake.transaction("Many") as tx:
        for number in range(150):
            tx.put(f"raw@main/{number:03}<b>.txt", "x")
    shown = widgets.diff("raw", "main~1", lake=lake)
    more = shown.children[2]
    assert len(shown.changes) == 100
    more.click()
    assert len(shown.changes) == 150
    assert more.layout.display == "none"
    shown.children[1].index = 0
    assert "000&lt;b&gt;.txt was added: 1 bytes" in shown.children[3].value


def test_a_commit_is_its_facts_and_its_changes(lake):
    shown = widgets.commit("raw", "v2", lake=lake)
    facts, changes = shown.children
    assert "Version 2" in facts.value
    assert [one.path for one in changes.changes] == ["note.txt", "table.csv"]
    assert len(widgets.commit("raw", "main~3", lake=lake).children) == 1


def test_lineage_is_a_picture(lake):
    assert "<svg" in widgets.lineage(lake=lake).value


def test_what_is_not_there_is_an_error_of_ours(lake):
    with pytest.raises(NotFoundError):
        widgets.job("0123", lake=lake)
    with pytest.raises(NotFoundError):
        widgets.diff("raw", "nope", lake=lake)


@pytest.fixture
def bench(local_lake, tmp_path):
    bench = Bench(local_lake, tmp_path / "bench")
    bench.commit(a="first")
    bench.publish()
    bench.run()
    return bench


def waiting(bench, **files):
    """Commit, and return the job that will run over it."""
    bench.commit(**files)
    return bench.lake.jobs.list(global_id=bench.lake.pipelines.run("p"))[0]


def test_a_job_is_followed_until_it_has_ended(bench):
    job = waiting(bench, a="one", b="two", c="<i>bad</i>")
    shown = widgets.job(job.id[:12], lake=bench.lake)
    head, bar, cancel, lines = shown.children
    assert "waiting" in head.value
    assert not cancel.disabled
    bench.run()
    assert shown.wait(60)
    assert (bar.value, bar.max, bar.bar_style, bar.description) == (3, 3, "success", "3/3")
    assert "committed" in head.value
    assert "ran [" in lines.value
    assert cancel.disabled
    shown.close()


def test_a_job_that_failed_says_why_and_is_followed_no_more(bench):
    bench.commit(a="bad")
    bench.run()
    shown = widgets.job(bench.job.id, lake=bench.lake)
    assert shown.wait(0)
    assert "a bad input" in shown.children[0].value
    assert shown.children[1].bar_style == "danger"


def test_the_button_cancels(bench):
    shown = widgets.job(waiting(bench, a="one").id, lake=bench.lake)
    shown.children[2].click()
    assert shown.wait(60)
    assert shown.job.state == "cancelled"
    assert shown.children[1].bar_style == "warning"
    shown.children[2].click()
    assert "has ended" in shown.children[3].value


def test_a_widget_that_is_closed_follows_no_more(bench):
    shown = widgets.job(waiting(bench, a="one").id, lake=bench.lake)
    shown.close()
    assert shown.wait(60)
    assert not shown.job.state.is_terminal
