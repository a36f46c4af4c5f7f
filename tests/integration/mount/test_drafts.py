"""What is staged is kept in the lake too, and comes back when the folder it lies in is lost."""

import os
import shutil
from pathlib import Path

import pytest

from jupyter_datalake.engine.session import sessions_folder
from jupyter_datalake.errors import ConflictError
from tests.integration.mount.conftest import commit, diff, session_of

pytestmark = pytest.mark.fuse

LARGE = bytes(range(256)) * 4_000
CHANGES = {
    "changed": "modified",
    "removed": "removed",
    "moved/x": "removed",
    "here/x": "added",
    "new/large": "added",
    "link": "added",
}


@pytest.fixture(params=["fuse", "checkout"])
def staged(request, lake, point):
    """`raw`, mounted either way, with every kind of change staged; returns its folder."""
    if request.param == "checkout":
        request.getfixturevalue("checkouts")
    for name in ("changed", "removed", "moved/x", "same"):
        lake.files.put(f"raw@main/{name}", name)
    raw = Path(lake.mounts.create("raw", at=point).path)
    (raw / "changed").write_text("staged")
    (raw / "removed").unlink()
    os.rename(raw / "moved", raw / "here")
    (raw / "new").mkdir()
    (raw / "new" / "large").write_bytes(LARGE)
    (raw / "link").symlink_to("new/large")
    return raw


def lose(lake, point, raw):
    """Lose the disk that what is staged lies on, as far as sessions go."""
    lake.mounts.stop(point)
    shutil.rmtree(sessions_folder(lake.core))
    if raw.exists():
        shutil.rmtree(raw)
        (lake.core.work_folder / "mounts" / "checkouts").rename(lake.core.work_folder / "lost")
    lake.mounts.start(point)


def test_a_draft_outlives_what_is_staged(staged, lake, point):
    saved = lake.sessions.save(session_of(lake))
    assert (saved.repo, saved.branch, saved.changes) == ("raw", "main", len(CHANGES))
    assert diff(lake) == CHANGES
    lose(lake, point, staged)
    assert diff(lake) == {}
    assert (staged / "changed").read_text() == "changed"

    lake.mounts.delete("raw")
    (draft,) = lake.sessions.drafts("raw")
    assert not draft.has_session
    recovered = lake.sessions.recover(draft.session_id)
    assert lake.sessions.drafts() == []
    mounted = lake.mounts.create("raw", at=point)
    assert mounted.session_id == recovered.id
    assert diff(lake) == CHANGES
    assert (staged / "new" / "large").read_bytes() == LARGE
    commit(lake)
    assert lake.files.read("raw@main/changed") == b"staged"
    assert lake.files.read("raw@main/here/x") == b"moved/x"


def test_what_others_changed_since_a_draft_conflicts(staged, lake, point):
    lake.sessions.save(session_of(lake))
    lake.files.put("raw@main/changed", "theirs")
    recovered = lake.sessions.recover(session_of(lake))
    with pytest.raises(ConflictError) as refused:
        lake.sessions.commit(recovered.id, "Mine")
    assert "changed" in str(refused.value)
    assert lake.files.read("raw@main/changed") == b"theirs"
    assert diff(lake) == CHANGES
    assert len(lake.sessions.diff(recovered.id)) == len(CHANGES)
