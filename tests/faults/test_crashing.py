"""Every verb killed at some of its steps, by the harness that `make crash` runs for longer."""

import re
from dataclasses import replace

import pytest

from jupyter_datalake.testing.crash_verbs import VERBS
from jupyter_datalake.testing.crashing import Plan, crash, table

NOT_KILLED = {
    "files.import_s3": "needs an S3 server; its commit is that of the other imports",
    "files.share": "writes an object for a link, and nothing of the lake",
    "maintenance.heal": "begins with a damaged lake, which the harness takes for a loss",
    "maintenance.restore": "the backup is put where no lake is; tests/faults/test_backups.py",
    "maintenance.set_quota": "one row",
    "maintenance.set_auto_gc": "one row",
    "maintenance.cancel_gc": "one row",
    "maintenance.rotate_key": "needs an encrypted lake; one conditional write of one object",
    "repos.set_limit": "one row",
    "retention.delete": "one row",
    "sessions.drop_draft": "one transaction; the harness does not look at drafts",
    "remotes.create": "one row",
    "remotes.delete": "one row",
}
"""Verbs that change something and are not in the table of verbs, with the reason."""

READS = re.compile(
    r"(get|list|look|count|find|read|preview|describe|open|glob|diff|verify|search|export|check|begin"
    r"|log|drafts)(_|$)"
)


def losses(summary):
    return [loss for tally in summary.values() for loss in tally.losses]


def test_every_verb_that_changes_a_lake_is_killed_or_it_is_said_why_not(memory_lake):
    killed = {verb.name.partition(" ")[0] for verb in VERBS}
    verbs = {
        f"{noun}.{verb}"
        for noun in (
            "repos",
            "refs",
            "commits",
            "files",
            "sessions",
            "drive",
            "remotes",
            "retention",
            "maintenance",
        )
        for verb in dir(getattr(memory_lake, noun))
        if not verb.startswith("_") and not READS.match(verb)
    }
    assert verbs - killed - NOT_KILLED.keys() == set()
    assert NOT_KILLED.keys() - verbs == set()


def test_e8_no_verb_killed_at_a_step_loses_anything_or_does_half():
    summary = crash(len(VERBS), Plan(seed=7, stride=13, first_step=11))
    assert losses(summary) == []
    assert sum(tally.kills for tally in summary.values()) > len(VERBS) / 3
    assert sum(tally.runs > 0 for tally in summary.values()) > 0.8 * len(VERBS)


def test_e8_no_verb_killed_at_any_moment_loses_anything_or_does_half():
    verbs = VERBS[::4]
    summary = crash(3 * len(verbs), Plan(seed=7, mode="moments"), verbs=verbs)
    assert losses(summary) == []
    assert sum(tally.kills for tally in summary.values()) > 2


def test_the_harness_notices_a_verb_that_does_half(tmp_path):
    put = next(verb for verb in VERBS if verb.name == "files.put")

    def twice(site, repo, branch, path, *source):
        site.lake.files.put(f"{repo}@{branch}/half", b"half")
        return put.act(site, repo, branch, path, *source)

    verbs = [replace(put, act=twice)]
    summary = crash(4, Plan(first_step=60, stride=9), verbs=verbs, folder=tmp_path)
    assert losses(summary), table(summary)
    assert "not as before" in losses(summary)[0]


def test_the_harness_notices_a_commit_that_was_acknowledged_and_is_not_there(tmp_path):
    put = next(verb for verb in VERBS if verb.name == "files.put")
    verbs = [replace(put, act=lambda *_: "f" * 64)]
    summary = crash(1, verbs=verbs, folder=tmp_path)
    assert "was acknowledged and is no head" in losses(summary)[0]


@pytest.mark.parametrize(("mode", "verbs"), [("full", VERBS[::2]), ("broken", VERBS[1::2])])
def test_e5_e6_a_disk_full_or_failing_from_a_step_on_is_told_and_nothing_is_lost(mode, verbs):
    summary = crash(len(verbs), Plan(seed=7, mode=mode, stride=11, first_step=3), verbs=verbs)
    assert losses(summary) == []
    assert sum(tally.kills for tally in summary.values()) > len(verbs) / 3
