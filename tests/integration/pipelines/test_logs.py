"""Logs: followed while they grow, read from where one was, and searched through."""

import itertools

import pytest

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.logs import place_of_line
from tests.integration.pipelines.conftest import wait_until


def talk(runner, name="p", glob="/*"):
    runner.command(name, 'for f in pfs/raw/*; do echo "seen $(cat $f)"; done', ("raw", glob))


def found(lake, text, **options):
    return [
        (line.job_number, line.position, line.text)
        for line in lake.jobs.search_logs(text, **options)
    ]


def test_lines_are_told_while_the_datum_runs(shared, leader, tmp_path):
    gate = tmp_path / "gate"
    wait = f'echo before; while [ ! -e "{gate}" ]; do sleep 0.02; done; echo after'
    shared.put(a="one")
    shared.command("p", wait, ("raw", "/*"))
    job = wait_until(lambda: shared.lake.jobs.list(pipeline="p"), "a job")[0]
    lines = shared.lake.jobs.follow_logs(job.id, poll_s=0.02)
    told = [*itertools.takewhile(lambda line: line.text != "before", lines)]
    assert str(shared.lake.jobs.get(job.id).state) == "running"
    log = shared.lake.jobs.logs(job.id, datum=0)[0]
    assert log.text.endswith("before\n")
    gate.touch()
    rest = [*lines]
    assert [one.text for one in rest if not one.text.startswith("[")] == ["after"]
    assert [line.line for line in (*told, *rest)] == [1, 3, 4]
    later = shared.lake.jobs.logs(job.id, datum=0, offset=log.end)[0]
    assert later.begin == log.end
    assert later.text.splitlines()[0] == "after"


def test_every_datum_that_ran_is_told_once_and_no_skipped_one(runner):
    talk(runner)
    runner.put(a="text of a", b="text of b", c="text of c")
    runner.run()
    runner.put(d="text of d")
    runner.run()
    newest, *_, oldest = runner.lake.jobs.list(pipeline="p")
    told = [one.text for one in runner.lake.jobs.follow_logs(oldest.id) if "seen" in one.text]
    assert told == [f"seen text of {name}" for name in "abc"]
    assert next(one.label for one in runner.lake.jobs.follow_logs(newest.id)) == "raw:/d"


def test_a_text_is_found_in_the_newest_job_first(runner):
    talk(runner)
    talk(runner, "q")
    runner.put(a="one error")
    runner.run()
    runner.put(a="an ERROR too", b="nothing")
    runner.run()
    lake = runner.lake
    (new_p, old_p), (new_q, old_q) = (
        [job.number for job in lake.jobs.list(pipeline=name) if job.datum_total] for name in "pq"
    )
    assert found(lake, "error", pipeline="p") == [(old_p, 0, "seen one error")]
    everywhere = found(lake, "error", pipeline="p", ignores_case=True)
    assert everywhere == [(new_p, 0, "seen an ERROR too"), (old_p, 0, "seen one error")]
    assert found(lake, "^seen (one|an)", pipeline="p", is_regex=True) == everywhere
    assert {number for number, *_ in found(lake, "ERROR")} == {new_p, new_q}
    assert {number for number, *_ in found(lake, "one error")} == {old_p, old_q}
    assert found(lake, "seen", pipeline="p", label="raw:/b") == [(new_p, 1, "seen nothing")]
    newest = lake.jobs.list(pipeline="p")[0]
    assert found(lake, "seen", job_id=newest.id, datum=1) == [(new_p, 1, "seen nothing")]


def test_a_search_goes_on_behind_any_line(runner):
    runner.command("p", "seq 1 30 | sed s/^/line/", ("raw", "/*"))
    runner.put(a="one")
    runner.run()
    runner.put(b="two")
    runner.run()
    everything = [*runner.lake.jobs.search_logs("line")]
    assert len(everything) == 60
    for index in (0, 29, 30, 59):
        place = str(place_of_line(everything[index]))
        rest = [*runner.lake.jobs.search_logs("line", after=place)]
        assert rest == everything[index + 1 :]


def test_of_an_endless_line_the_part_around_the_match_is_shown(runner):
    runner.command("p", "head -c 100000 /dev/zero | tr '\\0' x; echo HERE; echo", ("raw", "/*"))
    runner.put(a="one")
    runner.run()
    (line,) = runner.lake.jobs.search_logs("HERE")
    assert len(line.text) < 5000
    assert line.text.startswith("…x")
    assert line.text.endswith("xHERE")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"text": ""}, "no text to look for"),
        ({"text": "(", "is_regex": True}, "'\\(' is no regular expression: missing"),
        ({"text": "x", "datum": 1}, "Datum 1 is a place in one job"),
        ({"text": "x", "after": "12"}, "'12' is no place in the logs"),
    ],
)
def test_what_cannot_be_searched_for_is_named(runner, options, complaint):
    with pytest.raises(InvalidInputError, match=complaint):
        runner.lake.jobs.search_logs(**options)
