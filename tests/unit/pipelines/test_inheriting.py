"""Jobs that go on from an earlier one: what they look at, and that their output is no other."""

import random

import pytest

from jupyter_datalake.errors import NotFoundError, StateError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.datums import DatumState
from jupyter_datalake.model.gc import GcPolicy
from tests.unit.pipelines.inline import Bench, upper


@pytest.fixture
def bench(memory_lake, tmp_path):
    return Bench(memory_lake, tmp_path / "bench")


def test_only_what_has_changed_is_looked_at(bench):
    bench.commit(**{f"f{number:03}": f"text {number}" for number in range(50)})
    bench.publish()
    assert len(bench.run()) == 50
    bench.commit(f001="other", f002=None, g="new")
    assert bench.run() == [["f001"], ["g"]]
    assert bench.rows() == 2
    assert bench.job.datum_total == 50
    assert bench.job.datum_counts == {DatumState.SUCCESS: 2, DatumState.SKIPPED: 48}
    assert len(bench.output()) == 50
    assert bench.output()["f001"] == "OTHER"
    assert bench.output()["f003"] == "TEXT 3"
    assert "f002" not in bench.output()


def test_nothing_is_looked_at_when_an_input_becomes_lazy(bench):
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    lazy = {"repo": {"name": "raw", "glob": "/*", "lazy": True}}
    bench.publish(input=lazy)
    assert bench.run() == []
    assert bench.rows() == 0
    bench.commit(a="three")
    assert bench.run() == [["a"]]
    assert bench.output() == {"a": "THREE", "b": "TWO"}


def test_what_was_inherited_is_listed_behind_what_was_looked_at(bench):
    bench.commit(**{f"f{number}": f"text {number}" for number in range(9)})
    bench.publish()
    bench.run()
    bench.commit(f4="other")
    bench.run()
    job, jobs = bench.job, bench.lake.jobs
    datums = jobs.list_datums(job.id)
    assert [one.label for one in datums] == [
        f"raw:/f{number}" for number in (4, 0, 1, 2, 3, 5, 6, 7, 8)
    ]
    assert [str(one.state) for one in datums] == ["success"] + ["skipped"] * 8
    assert {one.inputs[0].commit_id for one in datums} == {job.inputs["raw"]}
    assert jobs.list_datums(job.id, states=[DatumState.SUCCESS]) == datums[:1]
    paged, after = [], -1
    while page := jobs.list_datums(job.id, after=after, limit=2):
        paged += page
        after = page[-1].position
    assert paged == datums
    assert jobs.logs(job.id, datum=datums[3].position)[0].text == "ran ['f2']"
    with pytest.raises(NotFoundError, match="has no datum 99"):
        jobs.logs(job.id, datum=99)


def test_the_maker_of_an_inherited_file_is_found(bench):
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    bench.commit(b="three")
    bench.run()
    makers = bench.lake.lineage.get("p@main/a").makers
    assert [one.label for one in makers] == ["raw:/a"]
    uses = bench.lake.lineage.get("raw@main/a").uses
    assert [(one.repo, one.name, one.path) for one in uses] == [("p", "raw", "a")]
    assert uses[0].commit_id == bench.lake.commits.get("p").id
    assert bench.lake.lineage.get("raw@main").uses == ()


@pytest.mark.parametrize(
    "change",
    [
        {"command": ["false"]},
        {"parameters": {"x": 1}},
        {"input": {"repo": {"name": "raw", "glob": "/**"}}},
    ],
    ids=["code", "parameters", "input"],
)
def test_another_version_looks_at_everything(bench, change):
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    bench.publish(**change)
    bench.run()
    assert bench.rows() == 2
    bench.commit(b="three")
    assert bench.run() == [["b"]]
    assert bench.rows() == 1


def test_what_changes_no_result_is_gone_on_from(bench):
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    bench.publish(description="other words")
    assert bench.run() == []
    assert bench.rows() == 0
    assert str(bench.job.outcome) == "unchanged"


def test_reasons_are_told_of_datums_that_the_last_job_did_not_look_at(bench):
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    bench.commit(b="three")
    bench.run()
    bench.commit(a="four", c="five")
    bench.run()
    reasons = {one.label: one.reason for one in bench.lake.jobs.list_datums(bench.job.id)}
    assert reasons == {"raw:/a": "input changed", "raw:/c": "new", "raw:/b": "unchanged"}
    bench.publish(command=["false"])
    bench.run()
    reasons = {one.label: one.reason for one in bench.lake.jobs.list_datums(bench.job.id)}
    assert set(reasons.values()) == {"code changed"}


def test_a_failed_job_is_not_gone_on_from_and_its_good_datums_are_kept(bench):
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    bench.commit(a="fine", b="bad", c="new")
    assert len(bench.run()) == 3
    assert str(bench.job.state) == "failed"
    bench.commit(b="good")
    assert bench.run() == [["b"]]
    assert bench.output() == {"a": "FINE", "b": "GOOD", "c": "NEW"}
    assert bench.job.datum_counts == {DatumState.SUCCESS: 1, DatumState.SKIPPED: 2}


def test_a_failed_job_is_resumed_over_its_inputs_and_only_what_failed_runs(bench):
    bench.commit(a="fine", b="bad")
    bench.publish()
    bench.run()
    failed = bench.job
    assert str(failed.state) == "failed"
    (resumed,) = bench.lake.jobs.list(global_id=bench.lake.jobs.resume(failed.id))
    assert resumed.heads == failed.heads
    assert bench.run() == [["b"]]
    bench.commit(b="good")
    bench.run()
    with pytest.raises(StateError, match=r"success.*nothing of it is left.*jobs rerun"):
        bench.lake.jobs.resume(bench.job.id)
    (waiting,) = bench.lake.jobs.list(global_id=bench.lake.pipelines.run("p"))
    with pytest.raises(StateError, match="Wait for its end"):
        bench.lake.jobs.resume(waiting.id)


def test_reprocessing_looks_at_everything(bench):
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    bench.lake.pipelines.run("p", reprocess=True)
    assert bench.run() == [["a"], ["b"]]
    assert bench.rows() == 2


def test_two_datums_that_write_one_path_are_named_also_if_one_is_inherited(memory_lake, tmp_path):
    def by_content(inputs, out):
        for path, text in inputs.items():
            (out / text).write_text(path)

    bench = Bench(memory_lake, tmp_path / "bench", by_content)
    bench.commit(a="x", b="y")
    bench.publish()
    bench.run()
    bench.commit(b="x")
    bench.run()
    assert "raw:/a and raw:/b both wrote 'x'" in bench.job.message
    assert bench.output() == {"x": "a", "y": "b"}


def test_what_inherited_datums_left_outlives_gc(bench):
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    for number in range(3):
        bench.commit(b=f"text {number}")
        bench.run()
    at_once = GcPolicy(undo_s=0, grace_s=0, reader_s=0, unknown_s=0, results_s=0)
    for _ in range(3):
        bench.lake.maintenance.gc(at_once)
    first = bench.lake.jobs.list_datums(bench.job.id)[1]
    assert bench.lake.jobs.logs(bench.job.id, datum=first.position)[0].text == "ran ['a']"
    with bench.lake.core.metadata.read() as tx:
        assert len(tx.datums.known([first.key])) == 1
    bench.commit(b=None)
    assert bench.run() == []
    assert bench.output() == {"a": "ONE"}
    assert bench.lake.maintenance.verify().is_clean


@pytest.mark.logs("looks at all datums again")
def test_where_an_earlier_result_is_gone_all_is_looked_at_again(local_lake, tmp_path):
    bench = Bench(local_lake, tmp_path / "bench", upper)
    bench.commit(a="one", b="two", c="three")
    bench.publish()
    bench.run()
    keys = [one.key for one in bench.lake.jobs.list_datums(bench.job.id)]
    bench.commit(c="four")
    bench.run()
    with bench.lake.core.metadata.write() as tx:
        tx.datums.use(keys, current=False)
    at_once = GcPolicy(undo_s=0, grace_s=0, reader_s=0, unknown_s=0, results_s=0)
    for _ in range(3):
        bench.lake.maintenance.gc(at_once)
    bench.commit(b=None)
    with Lake.open(bench.lake.url) as fresh:  # with nothing in its caches
        bench.use(fresh)
        assert bench.run() == [["a"]]
        assert str(bench.job.state) == "success"
        assert bench.output() == {"a": "ONE", "c": "FOUR"}
        bench.commit(d="five")
        assert bench.run() == [["d"]]
        assert bench.rows() == 1


def test_names_without_content_are_no_change_when_the_content_is(memory_lake, tmp_path):
    def name_only(inputs, out):
        for path in inputs:
            (out / path).write_text(path)

    bench = Bench(memory_lake, tmp_path / "bench", name_only, empty_files=True)
    bench.commit(a="one", b="two")
    bench.publish()
    bench.run()
    bench.commit(a="three", c="new")
    assert bench.run() == [["c"]]
    assert bench.output() == {"a": "a", "b": "b", "c": "c"}


def test_batches_that_hold_what_they_held_are_not_looked_at(bench):
    bench.commit(a="one", b="two", c="three")
    bench.publish(datums={"tries": 1, "batch": 2})
    bench.run()
    assert bench.rows() == bench.job.datum_total
    bench.commit(d="four")
    bench.run()
    assert bench.rows() == 1 < bench.job.datum_total
    assert bench.output() == {"a": "ONE", "b": "TWO", "c": "THREE", "d": "FOUR"}


def nested(inputs, out):
    """Write an empty folder for some inputs, and files into the same folders for others."""
    for path, text in inputs.items():
        place = out / f"d{len(text) % 3}"
        place.mkdir(exist_ok=True)
        if text.startswith("f"):
            (place / path.replace("/", "-")).write_text(text)


@pytest.mark.parametrize("program", [upper, nested], ids=["files", "folders"])
@pytest.mark.parametrize(
    "glob", ["/*", "/*/*", ["/**", "!/b/**"], "/"], ids=["top", "second", "any", "whole"]
)
def test_what_many_jobs_made_is_what_one_would_make(memory_lake, tmp_path, program, glob):
    """Seeded random changes, some of which fail a job; the tree is that of a pipeline made anew."""
    source = random.Random(f"{glob} {program.__name__}")
    bench = Bench(memory_lake, tmp_path / "bench", program, glob)
    bench.commit(a__x="f")
    bench.publish()
    bench.run()
    places = [f"{folder}__{name}" for folder in "abcdefgh" for name in "xy"]
    held = {"a__x": "f"}
    inherited = 0
    for _ in range(15):
        changes = {}
        for place in source.sample(places, source.randint(1, 4)):
            if place in held and source.random() < 0.4:
                changes[place] = None
            else:
                changes[place] = source.choice(["f", "ff", "fff", "g", "gg", "bad"])
        held = {place: text for place, text in (held | changes).items() if text is not None}
        bench.commit(**changes)
        bench.run()
        inherited += bench.job.datum_total - bench.rows()
    bench.commit(**{place: "f" for place, text in held.items() if text == "bad"}, last="f")
    bench.run()
    assert (str(bench.job.state), bench.job.message) == ("success", "")
    assert inherited or glob == "/"
    by_edits, files = bench.root(), bench.output()
    bench.lake.pipelines.run("p", reprocess=True)
    bench.run()
    assert bench.output() == files
    assert bench.root() == by_edits
    assert str(bench.job.outcome) == "unchanged"


def test_short_datums_are_handed_over_in_bundles_that_grow(bench):
    bench.commit(**{f"f{number:03}": f"text {number}" for number in range(300)})
    bench.publish()
    assert len(bench.run()) == 300
    sizes = bench.executor.bundles
    assert sizes[0] == 1
    assert 1 < max(sizes) <= 64
    assert sum(sizes) == 300
