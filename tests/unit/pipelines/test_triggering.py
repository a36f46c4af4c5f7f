"""What a change costs to plan: as much as it reaches, whatever else there is."""

import pytest

from jupyter_datalake.engine.core import new_id
from jupyter_datalake.metadata import pipelines as pipeline_rows
from jupyter_datalake.metadata.jobs import JobDraft
from jupyter_datalake.metadata.store import Transaction
from jupyter_datalake.model.ids import GlobalId
from jupyter_datalake.model.jobs import Trigger, TriggerKind
from jupyter_datalake.model.pipelines import CommandCode, PipelineSpec, RepoInput
from jupyter_datalake.pipelines.triggering import Started, plan_jobs

COUNT = 40


@pytest.fixture
def lake(memory_lake):
    """A chain of pipelines behind raw, and as many that read another repo."""
    for name in ("raw", "other"):
        memory_lake.repos.create(name)
    for number in range(COUNT):
        memory_lake.repos.create(f"chain{number}")
        memory_lake.repos.create(f"leaf{number}")
    code = memory_lake.commits.get("raw").id
    command = CommandCode(("true",))
    with memory_lake.core.metadata.write() as tx:
        for number in range(COUNT):
            source = f"chain{number - 1}" if number else "raw"
            for name, repo in ((f"chain{number}", source), (f"leaf{number}", "other")):
                given = RepoInput("given", repo, "/")
                tx.pipelines.create(PipelineSpec(name, given, command), code, "ada")
    return memory_lake


@pytest.fixture
def parsed(monkeypatch):
    """The specs that were read from the database."""
    found = []
    real = pipeline_rows.parse_stored_spec

    def noted(raw):
        found.append(raw["pipeline"])
        return real(raw)

    monkeypatch.setattr(pipeline_rows, "parse_stored_spec", noted)
    return found


def plan(tx: Transaction, name):
    trigger = Trigger(TriggerKind.RERUN, name, tx.now_ns)
    return plan_jobs(tx, [Started(tx.pipelines.get(name), trigger)], GlobalId(new_id()))


def test_a_change_that_reaches_one_of_many_pipelines_reads_the_spec_of_that_one(lake, parsed):
    with lake.core.metadata.write() as tx:
        assert len(plan(tx, "leaf7")) == 1
    assert set(parsed) == {"leaf7"}


def test_a_change_goes_down_a_long_chain_in_order_and_each_waits_for_the_one_before(lake):
    with lake.core.metadata.write() as tx:
        made = plan(tx, "chain0")
        assert [tx.jobs.get(one).pipeline for one in made] == [f"chain{n}" for n in range(COUNT)]
        assert [one.id for one in tx.jobs.ready(COUNT)] == made[:1]
        assert [one.id for one in tx.jobs.upstream_of(made[-1])] == [made[-2]]


def test_the_newest_job_of_each_pipeline_is_found_among_many(lake):
    newest = {}
    with lake.core.metadata.write() as tx:
        rows = [tx.pipelines.get(name) for name in ("leaf1", "leaf2", "leaf3")]
        for number in range(30):
            row = rows[number % 3 if number < 15 else 0]
            trigger = Trigger(TriggerKind.RERUN, row.pipeline.name, tx.now_ns)
            draft = JobDraft(new_id(), row.id, 1, GlobalId(new_id()), trigger, {})
            assert tx.jobs.add(draft, [])
            newest[row.pipeline.name] = draft.id
        found = tx.jobs.latest_of_each()
    assert {name: job.id for name, job in found.items()} == newest
