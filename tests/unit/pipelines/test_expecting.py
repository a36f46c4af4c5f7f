"""Outputs that are not what their pipeline expects."""

import pytest

from jupyter_datalake.errors import InvalidInputError, PathNotFoundError
from jupyter_datalake.model.jobs import JobState
from tests.unit.pipelines.inline import Bench

ROWS = {"files": "/*.csv", "rows": {"min": 2}, "unique": ["id"]}


def copy(inputs, out):
    for path, text in inputs.items():
        (out / path).write_text(text)


@pytest.fixture
def bench(local_lake, tmp_path):
    return Bench(local_lake, tmp_path / "bench", copy)


def commit(bench, text):
    with bench.lake.sessions.create("raw") as session:
        session.put("t.csv", text)
        session.commit("rows")
        session.delete_session()


def test_what_is_not_as_expected_is_kept_apart_and_the_job_fails(bench):
    bench.publish(expectations=[ROWS])
    commit(bench, "id\n1\n2\n")
    bench.run()
    assert str(bench.job.outcome) == "committed"
    commit(bench, "id\n1\n1\n1\n")
    bench.run()
    job = bench.job
    assert job.state is JobState.FAILED
    assert "The output is not as expected: 3 rows share their 'id'" in job.message
    assert "p@quarantine" in job.message
    assert bench.output() == {"t.csv": "id\n1\n2\n"}
    assert bench.lake.files.read("p@quarantine/t.csv") == b"id\n1\n1\n1\n"
    kept = bench.lake.commits.get("p", "quarantine")
    assert kept.provenance.job_id == job.id
    assert kept.message.startswith("Not as expected: 3 rows")
    commit(bench, "id\n1\n")
    bench.run()
    assert "there is 1 row" in bench.job.message
    commit(bench, "id\n5\n6\n")
    bench.run()
    assert (bench.job.state, bench.job.message) == (JobState.SUCCESS, "")
    assert bench.output() == {"t.csv": "id\n5\n6\n"}


def test_what_only_warns_is_committed_with_a_note(bench):
    bench.publish(expectations=[{**ROWS, "on_violation": "warn"}])
    commit(bench, "id\n1\n")
    bench.run()
    assert bench.job.state is JobState.SUCCESS
    assert bench.job.message.startswith("Not as expected: there is 1 row")
    assert bench.output() == {"t.csv": "id\n1\n"}


def test_what_is_downstream_of_a_quarantine_does_not_run(bench):
    bench.publish(expectations=[ROWS])
    below = {"pipeline": "q", "command": ["true"], "input": {"repo": {"name": "p", "glob": "/*"}}}
    bench.lake.pipelines.apply(below, folder=bench.folder)
    commit(bench, "id\n1\n")
    bench.run()
    (job,) = bench.lake.jobs.list(pipeline="q")
    assert (job.state, job.message) == (JobState.CANCELLED, "upstream: p failed")


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"rows": {"min": 3, "max": 2}}, r"expectations\[0\].rows goes from 3 to 2"),
        ({"ranges": {"a": {}}}, r"expectations\[0\].ranges.a needs min, max or both"),
        ({"ranges": {"a": {"min": 1, "max": "x"}}}, "a number and a text"),
        ({"ranges": {"a": {"min": [1]}}}, "where a number or text belongs"),
        ({"columns": 3}, r"expectations\[0\].columns has the value 3"),
        ({"files": "x"}, r"expectations\[0\].files has the value 'x'"),
        ({"rows": {"min": -1}}, "at least 0"),
        ({"on_violation": "cry"}, "known are fail, warn"),
        ({"nulls": []}, "unknown key 'nulls'"),
    ],
)
def test_expectations_that_say_nothing_are_refused_with_their_place(bench, given, place):
    with pytest.raises(InvalidInputError, match=place):
        bench.publish(expectations=[given])


# --- functions of the pipeline's own -------------------------------------------------------------


def checks(bench, *functions, source="def one(folder): ...\ndef two(folder): ...\n"):
    (bench.folder / "checks.py").write_text(source)
    bench.publish(
        expectations=[{"python": f"checks.py::{name}", **more} for name, more in functions]
    )


def test_what_a_function_says_keeps_an_output_from_being_committed(bench):
    checks(bench, ("one", {}), ("two", {"on_violation": "warn"}))
    bench.executor.said = [[], []]
    commit(bench, "id\n1\n")
    bench.run()
    assert bench.job.state is JobState.SUCCESS
    assert [name for name, _ in bench.executor.steps] == ["checks"]
    bench.executor.said = [["the sum is 5"], ["it is old", "and short"]]
    commit(bench, "id\n5\n")
    bench.run()
    assert bench.job.state is JobState.FAILED
    assert "not as expected: checks.py::one: the sum is 5" in bench.job.message
    assert bench.lake.files.read("p@quarantine/t.csv") == b"id\n5\n"
    assert bench.output() == {"t.csv": "id\n1\n"}
    bench.executor.said = [[], ["it is old", "and short"]]
    commit(bench, "id\n6\n")
    bench.run()
    assert bench.job.state is JobState.SUCCESS
    noted = "Not as expected: checks.py::two: it is old; checks.py::two: and short"
    assert bench.job.message == noted
    assert bench.output() == {"t.csv": "id\n6\n"}


def test_a_function_that_gave_no_answer_has_not_said_that_all_is_well(bench):
    def die(task):
        raise ValueError("it took more than its memory")

    checks(bench, ("one", {}))
    bench.executor.on_step = die
    commit(bench, "id\n1\n")
    bench.run()
    assert bench.job.state is JobState.FAILED
    why = "checks.py::one: could not be asked: it took more than its memory"
    assert why in bench.job.message
    assert bench.output() == {}


def test_functions_are_published_with_the_code_and_must_be_there(bench):
    (bench.folder / "checks.py").unlink(missing_ok=True)
    with pytest.raises(PathNotFoundError, match=r"needs the file '.*checks.py'"):
        bench.publish(expectations=[{"python": "checks.py::one"}])
    with pytest.raises(InvalidInputError, match=r"\[0\].python: 'checks.py' has no function 'six'"):
        checks(bench, ("six", {}))
    with pytest.raises(
        InvalidInputError, match=r"expectations\[0\].python: 'checks.py' is no Python"
    ):
        checks(bench, ("one", {}), source="def one(")
    checks(bench, ("one", {"files": "/*.csv"}))
    (kept,) = bench.lake.pipelines.get("p").spec.expectations
    assert (kept.python, kept.files) == ("checks.py::one", "/*.csv")
    assert bench.lake.files.read("p.code@main/checks.py").startswith(b"def one")


@pytest.mark.parametrize("text", ["checks.py", "checks::one", "checks.py::one()", "../x.py::one"])
def test_what_is_no_function_is_refused(bench, text):
    with pytest.raises(InvalidInputError, match=r"expectations\[0\].python"):
        bench.publish(expectations=[{"python": text}])
