"""From a warehouse through pipelines back into it: each row once, whoever dies in between."""

import signal

import pytest

from jupyter_datalake.warehouse.duckdb import DuckdbWarehouse
from tests.integration.pipelines.conftest import wait_until

CHURN = """
import pyarrow.compute as pc, pyarrow.parquet as pq
members = pq.read_table("pfs/members/data.parquet")
pq.write_table(
    members.append_column("risk", pc.less(members["months"], 12)), "pfs/out/risk.parquet"
)
"""


class Story:
    """Tables → `members` (ingest, on a clock) → `risk` (a command) → table RISK."""

    def __init__(self, runner, folder, mode="append"):
        self.runner = runner
        self.lake = runner.lake
        self.warehouse = DuckdbWarehouse(folder / "shop.duckdb")
        self.warehouse.execute("CREATE TABLE member (id INTEGER, months INTEGER)")
        self.warehouse.execute("INSERT INTO member VALUES (1, 3), (2, 40)")
        self.lake.warehouse.create("shop", f"duckdb://{folder}/shop.duckdb")
        runner.publish(
            {
                "pipeline": "members",
                "input": {"cron": {"name": "tick", "schedule": "@every 24h"}},
                "ingest": {"connection": "shop", "query": "SELECT * FROM member ORDER BY id"},
            }
        )
        (runner.folder / "churn.py").write_text(CHURN)
        self.egress = {"connection": "shop", "table": "RISK", "mode": mode}
        if mode == "merge":
            self.egress["key"] = ["id"]
        self.publish_risk()

    def publish_risk(self, **options):
        leaf = {"repo": {"name": "members", "glob": "/*"}}
        spec = {"pipeline": "risk", "command": ["python", "churn.py"], "files": ["churn.py"]}
        spec |= {"input": leaf, "egress": self.egress, **options}
        self.runner.publish({key: value for key, value in spec.items() if value is not None})

    def tick(self):
        return self.lake.pipelines.run("members")

    def run(self):
        self.runner.run(workers=1)

    def table(self, sql='SELECT * FROM "RISK" ORDER BY id'):
        with self.warehouse.query(sql) as rows:
            return [tuple(row.values()) for row in rows.read_all().to_pylist()]


@pytest.fixture
def story(runner, tmp_path):
    return Story(runner, tmp_path, mode="merge")


def test_a_tick_brings_rows_in_and_their_predictions_out_under_one_global_id(story):
    global_id = story.tick()
    story.run()
    assert story.runner.states(global_id) == {
        "members": ("success", "committed"),
        "risk": ("success", "committed"),
    }
    assert story.table() == [(1, 3, True), (2, 40, False)]
    assert story.runner.job("risk").rows_written == 2
    assert {story.lake.commits.get(repo).global_id for repo in ("members", "risk")} == {global_id}
    (done,) = story.table("SELECT commit_id, global_id FROM _datalake_egress")
    assert done == (story.lake.commits.get("risk").id, global_id)


def test_unchanged_rows_are_cut_off_and_changed_ones_run_through(story):
    story.tick()
    story.run()
    heads = [story.lake.commits.get(repo).id for repo in ("members", "risk")]
    again = story.tick()
    story.run()
    assert story.runner.states(again) == {
        "members": ("success", "unchanged"),
        "risk": ("success", "cut-off"),
    }
    assert [story.lake.commits.get(repo).id for repo in ("members", "risk")] == heads
    assert story.table("SELECT count(*) FROM _datalake_egress") == [(1,)]
    story.warehouse.execute("INSERT INTO member VALUES (3, 11)")
    changed = story.tick()
    story.run()
    assert set(story.runner.states(changed).values()) == {("success", "committed")}
    assert story.table() == [(1, 3, True), (2, 40, False), (3, 11, True)]
    assert story.table("SELECT count(*) FROM _datalake_egress") == [(2,)]


def test_the_clock_ticks_by_itself_when_its_day_is_over(story, lake_clock):
    story.run()
    assert story.lake.jobs.list() == []
    lake_clock.advance(25 * 3600)
    story.run()
    assert story.runner.states()["risk"] == ("success", "committed")
    assert story.table() == [(1, 3, True), (2, 40, False)]


def test_a_query_that_the_warehouse_refuses_fails_its_job_in_one_line_and_commits_nothing(story):
    story.warehouse.execute("ALTER TABLE member RENAME TO customer")
    global_id = story.tick()
    story.run()
    job = story.runner.job("members")
    assert str(job.state) == "failed"
    assert "member" in job.message
    assert "\n" not in job.message
    assert story.runner.states(global_id)["risk"] == ("cancelled", None)
    assert story.lake.commits.get("members").file_count == 0


def test_rows_that_the_table_refused_are_written_when_the_job_is_run_again(story):
    story.warehouse.execute('CREATE TABLE "RISK" (id INTEGER, something_else TEXT)')
    story.tick()
    story.run()
    job = story.runner.job("risk")
    assert str(job.state) == "failed"
    assert "Table 'RISK' does not take the rows" in job.message
    head = story.lake.commits.get("risk")
    assert head.file_count == 1  # the output is kept; only its rows are missing
    story.warehouse.execute('DROP TABLE "RISK"')
    story.lake.jobs.rerun(job.id)
    story.run()
    assert story.runner.states()["risk"] == ("success", "unchanged")
    assert story.runner.job("risk").rows_written == 2
    assert story.table() == [(1, 3, True), (2, 40, False)]
    story.lake.jobs.rerun(job.id)
    story.run()
    assert story.runner.job("risk").rows_written == 0
    assert story.table("SELECT count(*) FROM _datalake_egress") == [(1,)]
    assert story.lake.commits.get("risk").id == head.id


def test_an_egress_that_is_added_later_writes_what_is_there_already(runner, tmp_path):
    story = Story(runner, tmp_path)
    story.publish_risk(egress=None)
    story.tick()
    story.run()
    story.publish_risk()
    story.run()
    assert runner.states()["risk"] == ("success", "unchanged")
    assert story.table() == [(1, 3, True), (2, 40, False)]


def test_an_egress_of_a_pipeline_that_has_made_nothing_writes_nothing(runner, tmp_path):
    story = Story(runner, tmp_path)
    story.publish_risk(command=["true"])
    story.tick()
    story.run()
    assert runner.states()["risk"] == ("success", "unchanged")
    assert [table.name for table in story.warehouse.list_tables()] == ["member"]


@pytest.mark.parametrize("die", ["before egress", "after egress"])
def test_a_job_lost_between_its_commit_and_its_rows_is_resumed_and_writes_them_once(
    shared, start, tmp_path, die
):
    story = Story(shared, tmp_path)  # appending: a row written twice would show
    shared.command("after", "cp pfs/risk/* pfs/out/", ("risk", "/"))
    first = start(die=die)
    global_id = story.tick()
    assert first.process.wait(60) == -signal.SIGKILL
    job = shared.job("risk")
    assert str(job.state) == "egressing"
    head = story.lake.commits.get("risk")
    assert job.output_commit_id == head.id
    second = start()
    wait_until(lambda: shared.job("after").state.is_terminal, "the jobs to end")
    assert second.end() == 0
    assert set(shared.states(global_id).values()) == {("success", "committed")}
    job = shared.job("risk")
    assert (job.attempt, job.rows_written, job.output_commit_id) == (2, 2, head.id)
    assert story.table() == [(1, 3, True), (2, 40, False)]
    assert story.table("SELECT count(*) FROM _datalake_egress") == [(1,)]
    assert story.lake.commits.get("risk").id == head.id
    (datum,) = story.lake.jobs.list_datums(job.id)
    assert (str(datum.state), datum.tries) == ("success", 1)
