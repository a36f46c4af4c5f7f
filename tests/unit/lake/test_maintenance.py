"""What is stored stays: no verb rewrites or deletes a stored object."""

from pathlib import Path

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.faults import FaultyObjectStore, with_objects
from jupyter_datalake.testing.invariants import check_lake, contents_of


def stored(lake):
    """Return path to bytes of every object in the store's folder."""
    folder = Path(lake.url) / "objects"
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture
def watched(local_lake):
    """The lake over a store that counts its calls."""
    objects = FaultyObjectStore(local_lake.core.objects)
    return Lake(with_objects(local_lake.core, objects), local_lake.author), objects.faults


def test_no_verb_deletes_or_rewrites_what_is_stored_so_every_commit_stays_readable(
    watched, tmp_path
):
    lake, faults = watched
    lake.repos.create("raw")
    kept = [lake.files.put("raw@main/x", f"{number}" * 50_000) for number in range(3)]
    before = stored(lake)
    lake.files.delete("raw@main/x")
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/y", "only on dev")
    lake.refs.delete_branch("raw", "dev")
    with lake.sessions.create("raw") as session:
        session.put("staged", "never committed")
        session.discard()
    with lake.sessions.create("raw") as session:
        session.put("staged", "never committed")
        session.delete_session()
    lake.repos.create("other")
    lake.files.copy(f"raw@{kept[0].id}/x", "other@main/x")
    lake.pipelines.create({"pipeline": "p", "command": ["true"]}, folder=tmp_path)
    for job in lake.jobs.list():
        lake.jobs.cancel(job.id)
    lake.pipelines.delete("p")
    lake.repos.delete("other")
    lake.maintenance.verify()
    assert "delete" not in faults.calls
    after = stored(lake)
    assert {name: after.get(name) for name in before} == before
    for number, commit in enumerate(kept):
        assert contents_of(lake, "raw", commit.id) == {"x": f"{number}".encode() * 50_000}
    check_lake(lake)
