"""Lakes in S3 whose processes are killed, by the harness that `make crash` runs for longer."""

import pytest

from jupyter_datalake.testing.crash_verbs import VERBS
from jupyter_datalake.testing.crashing import POINTS, Plan, crash, table
from jupyter_datalake.testing.s3_grounds import s3_ground

CHOSEN = ("files.put_tree", "sessions.commit", "maintenance.gc", "init")


@pytest.mark.parametrize(
    ("with_postgres", "first_step"), [(False, 2), (True, 5)], ids=["sqlite", "postgres"]
)
def test_e8_no_verb_killed_around_a_request_or_a_commit_loses_anything_or_does_half(
    request, s3, s3_environment, with_postgres, first_step
):
    postgres = request.getfixturevalue("postgres_server") if with_postgres else None
    plan = Plan(seed=7, stride=3, first_step=first_step, only=POINTS)
    with s3_ground(s3, postgres) as ground:
        verbs = [verb for verb in VERBS if verb.name in CHOSEN]
        summary = crash(len(verbs), plan, verbs=verbs, ground=ground)
    assert [loss for tally in summary.values() for loss in tally.losses] == []
    assert sum(tally.kills for tally in summary.values()) >= 2, table(summary)
    kinds = {kind for tally in summary.values() for kind in tally.kinds}
    assert any(kind.split()[-1] in {"put_object", "upload_part"} for kind in kinds), kinds


def test_a_disk_that_fails_is_not_asked_for_where_there_is_none(s3, s3_environment):
    with s3_ground(s3) as ground, pytest.raises(ValueError, match="one of lakes on a local disk"):
        crash(1, Plan(mode="full"), ground=ground)
    assert "crash" not in [one["Name"] for one in s3.client.list_buckets()["Buckets"]]
