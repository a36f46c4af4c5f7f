"""Two runs beside each other, and the cells of one."""

import json

import pytest

from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.lake.executed_cells import cells_of
from jupyter_datalake.model.executed_cells import ERROR_MARK, PARAMETERS_MARK, CellState
from tests.unit.pipelines.inline import Bench


@pytest.fixture
def bench(local_lake, tmp_path):
    bench = Bench(local_lake, tmp_path / "bench")
    bench.commit(a="one", b="two")
    bench.publish(parameters={"size": 1, "kept": "x"})
    bench.run()
    return bench


def values(found):
    return {(str(one.aspect), one.name): one for one in found.values}


def test_two_runs_differ_in_what_was_given_to_them_and_what_came_of_it(bench):
    first = bench.job
    bench.publish(parameters={"size": 2, "kept": "x", "new": [1]})
    bench.run()
    bench.commit(a="ONE more", c="three")
    bench.run()
    second = bench.job
    found = bench.lake.jobs.compare(first.id[:12], second.id[:12])
    assert (found.old, found.new) == (first, second)
    by_name = values(found)
    size = by_name["parameters", "size"]
    assert (size.old, size.new, size.is_equal) == (1, 2, False)
    assert by_name["parameters", "kept"].is_equal
    assert (by_name["parameters", "new"].old, by_name["parameters", "new"].new) == (None, [1])
    assert not by_name["inputs", "raw"].is_equal
    assert by_name["inputs", "raw"].new == second.inputs["raw"]
    assert (by_name["code", "version"].old, by_name["code", "version"].new) == (1, 2)
    assert (by_name["output", "files"].old, by_name["output", "files"].new) == (2, 3)
    assert by_name["time", "seconds"].new == second.duration_s
    assert [(one.path, str(one.kind)) for one in found.output_changes] == [
        ("a", "modified"),
        ("c", "added"),
    ]
    assert not found.has_more
    assert "<td>differs</td>" in found._repr_html_()


def test_metrics_are_the_numbers_of_files_that_are_named_for_them(bench):
    def run(auc, **more):
        bench.commit(
            **{
                "metrics.json": json.dumps({"auc": auc}),
                "sub/test_metrics.json": json.dumps({"train": {"loss": 3}}),
                "other.json": json.dumps({"x": 1}),
                "broken_metrics.json": "{",
                **more,
            }
        )
        bench.run()
        return bench.job

    first, second = run(0.75), run(0.8, **{"late_metrics.json": "7"})
    found = values(bench.lake.jobs.compare(first.id, second.id))
    metrics = {
        name: (one.old, one.new) for (aspect, name), one in found.items() if aspect == "metrics"
    }
    assert metrics == {  # what runs here copies in capitals
        "sub/test_metrics.json: TRAIN.LOSS": (3, 3),
        "metrics.json: AUC": (0.75, 0.8),
        "late_metrics.json": (None, 7),
    }


def test_a_run_is_like_itself_and_one_that_never_ran_has_no_output(bench):
    done = bench.job
    assert all(one.is_equal for one in bench.lake.jobs.compare(done.id, done.id).values)
    waiting = bench.lake.jobs.list(global_id=bench.lake.pipelines.run("p"))[0]
    found = bench.lake.jobs.compare(done.id, waiting.id)
    assert values(found)["output", "commit"].new is None
    assert found.output_changes == ()
    with pytest.raises(NotFoundError, match="job"):
        bench.lake.jobs.compare(done.id, "0000")


def test_more_changes_than_a_hundred_are_cut(bench):
    first = bench.job
    bench.commit(**{f"f{n}": "x" for n in range(120)})
    bench.run()
    found = bench.lake.jobs.compare(first.id, bench.job.id)
    assert len(found.output_changes) == 100
    assert found.has_more


def cell(status, source="x = 1", kind="code", **more):
    return {
        "cell_type": kind,
        "source": source,
        "metadata": {"papermill": {"status": status, "duration": more.pop("seconds", None)}},
        "outputs": more.pop("outputs", []),
        **more,
    }


def test_cells_of_a_notebook_say_how_far_it_is():
    error = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "\x1b[31mno number\x1b[0m",
        "traceback": ["\x1b[31mTraceback\x1b[0m", "line 2"],
    }
    data = json.dumps(
        {
            "cells": [
                cell("completed", ["\n", "  first = 1\n", "more"], seconds=0.5),
                cell("completed", "# heading", kind="markdown"),
                cell("failed", "int('x')", outputs=[error]),
                cell("running", ""),
                cell("pending"),
                {"cell_type": "code", "metadata": {}, "source": "y", "outputs": []},
            ]
        }
    ).encode()
    cells = [*cells_of(data)]
    assert [one.index for one in cells] == [0, 2, 3, 4, 5]
    assert [one.state for one in cells] == [
        CellState.DONE,
        CellState.FAILED,
        CellState.RUNNING,
        CellState.WAITING,
        CellState.WAITING,
    ]
    assert (cells[0].title, cells[0].seconds) == ("first = 1", 0.5)
    assert cells[1].error == "ValueError: no number"
    assert cells[1].traceback == "Traceback\nline 2"


def test_the_marks_of_papermill_are_not_counted():
    mark = {"cell_type": "markdown", "metadata": {"tags": [ERROR_MARK]}, "source": "failed below"}
    data = json.dumps(
        {"cells": [mark, cell("completed", "one"), mark, cell("failed", "two")]}
    ).encode()
    assert [(one.index, one.title) for one in cells_of(data)] == [(0, "one"), (1, "two")]


def test_cells_are_counted_without_the_one_that_sets_the_parameters():
    given = cell("completed", "# Parameters")
    given["metadata"]["tags"] = [PARAMETERS_MARK]
    data = json.dumps(
        {"cells": [cell("completed", "size = 1"), given, cell("failed", "two")]}
    ).encode()
    found = [(one.index, one.title) for one in cells_of(data)]
    assert found == [(0, "size = 1"), (None, "# Parameters"), (1, "two")]


@pytest.mark.parametrize("data", [b"", b'{"cells": [', b"[]", b'{"cells": null}', b"\xff"])
def test_what_is_cut_short_has_no_cells(data):
    assert [*cells_of(data)] == []


def test_a_command_has_no_cells(bench):
    assert bench.lake.jobs.list_cells(bench.job.id) == []
