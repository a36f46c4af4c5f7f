"""What becomes of datums that fail: tried again, left out, or recovered."""

import pytest

from jupyter_datalake.errors import InvalidInputError

PICKY = """
if grep -q bad pfs/raw/*; then
  echo "no good"
  echo half > pfs/out/half
  exit 3
fi
cp pfs/raw/* pfs/out/
"""


def picky(runner, **policy):
    limits = {"tries": 1, "timeout": "60s", **policy}
    runner.command("p", PICKY, ("raw", "/*"), datums=limits)


def test_a_datum_that_is_left_out_lets_the_job_succeed_and_is_tried_again(runner):
    runner.put(a="one", b="bad", c="three")
    picky(runner, on_error="skip")
    runner.run()
    job = runner.job("p")
    assert (str(job.state), str(job.outcome)) == ("success", "committed")
    assert "1 of 3 datums failed; raw:/b" in job.message
    assert runner.files("p@main") == {"a": "one", "c": "three"}
    assert runner.datums("p")["raw:/b"] == ("recovered", "new")
    assert "no good" in runner.lake.jobs.logs(job.id, datum=1)[0].text
    runner.put(d="four")
    runner.run()
    assert runner.files("p@main") == {"a": "one", "c": "three", "d": "four"}
    assert runner.datums("p")["raw:/b"] == ("recovered", "failed before")
    runner.put(b="two")
    runner.run()
    assert runner.job("p").message == ""
    assert runner.files("p@main") == {"a": "one", "b": "two", "c": "three", "d": "four"}
    runner.put(b="bad")
    runner.run()
    assert runner.files("p@main") == {"a": "one", "c": "three", "d": "four"}


@pytest.mark.everywhere
def test_a_recovery_sees_the_inputs_and_why_and_makes_the_output(runner):
    runner.put(a="one", b="bad")
    recovery = 'echo "$DATALAKE_ERROR" > pfs/out/$(cd pfs/raw; echo *).error; ls pfs/out'
    picky(runner, tries=2, backoff="10ms", on_error={"recover": ["sh", "-eu", "-c", recovery]})
    runner.run()
    job = runner.job("p")
    assert str(job.state) == "success"
    files = runner.files("p@main")
    assert set(files) == {"a", "b.error"}
    assert "ended with code 3" in files["b.error"]
    datum = next(one for one in runner.lake.jobs.list_datums(job.id) if one.label == "raw:/b")
    assert (str(datum.state), datum.tries) == ("recovered", 3)
    log = runner.lake.jobs.logs(job.id, datum=datum.position)[0].text
    assert "no good" in log
    assert "its recovery runs" in log


def test_a_recovery_that_fails_fails_the_datum(runner):
    runner.put(a="bad")
    picky(runner, on_error={"recover": ["sh", "-c", "exit 7"]})
    runner.run()
    job = runner.job("p")
    assert str(job.state) == "failed"
    assert "ended with code 7" in job.message
    assert runner.files("p@main") == {}


def test_a_datum_that_took_too_long_is_recovered_too(runner):
    runner.put(a="one")
    runner.command(
        "p",
        "sleep 1000",
        ("raw", "/*"),
        datums={
            "tries": 1,
            "timeout": "1s",
            "on_error": {"recover": ["sh", "-c", "echo late > pfs/out/late"]},
        },
    )
    runner.run()
    assert runner.files("p@main") == {"late": "late\n"}


def test_a_datum_that_fails_twice_and_then_works_has_three_tries(runner):
    runner.put(a="one")
    count = runner.folder / "count"
    script = f'echo x >> {count}; test "$(wc -l < {count})" = 3; cp pfs/raw/* pfs/out/'
    runner.command("p", script, ("raw", "/*"), datums={"tries": 3, "backoff": "5ms"})
    runner.run()
    (datum,) = runner.lake.jobs.list_datums(runner.job("p").id)
    assert (str(datum.state), datum.tries) == ("success", 3)


def test_a_job_that_takes_too_long_is_stopped_and_its_good_datums_are_kept(runner):
    runner.put(a="0", b="1000")
    script = "sleep $(cat pfs/raw/*); cp pfs/raw/* pfs/out/"
    runner.command("p", script, ("raw", "/*"), timeout="4s")
    runner.run()
    job = runner.job("p")
    assert str(job.state) == "failed"
    assert "The job was stopped after its 4 s" in job.message
    runner.put(b="0")
    runner.run()
    assert runner.files("p@main") == {"a": "0", "b": "0"}
    assert runner.datums("p")["raw:/a"] == ("skipped", "unchanged")


@pytest.mark.parametrize("value", ["ignore", {"recover": []}, {"retry": ["x"]}, 3])
def test_what_on_error_does_not_know_is_refused_with_what_it_knows(runner, value):
    with pytest.raises(InvalidInputError, match="on_error"):
        picky(runner, on_error=value)
