"""The quota: what a lake may store, asked for where packs are registered."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine.blobs import BlobWriter
from jupyter_datalake.errors import ConflictError, DatalakeError, ErrorKind, StateError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.metadata.refs import Refs
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of

MIB = 1024 * 1024
NOW = GcPolicy(grace_s=0, reader_s=0)


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    yield memory_lake
    check_lake(memory_lake)


def stored(lake):
    return lake.maintenance.get_status().stored_bytes


def objects_of(lake):
    return {info.name for info in lake.core.objects.list("packs/")}


def test_what_would_store_more_than_the_quota_is_refused_and_stays_staged(lake):
    kept = os.urandom(MIB)
    lake.files.put("raw@main/kept", kept)
    quota = stored(lake) + MIB // 2
    lake.maintenance.set_quota(quota)
    assert lake.maintenance.get_status().quota_bytes == quota
    before = objects_of(lake)
    with lake.sessions.create("raw") as session:
        session.put("small", os.urandom(50_000))
        with pytest.raises(StateError, match=f"may store {quota:,} bytes") as caught:
            session.put("large", os.urandom(MIB))
        assert caught.value.kind is ErrorKind.OVER_LIMIT
        assert "set-quota" in caught.value.hint
        assert caught.value.context["quota_bytes"] == quota
        assert [change.path for change in session.diff()] == ["small"]
        session.commit("what there is room for")
        assert len(objects_of(lake) - before) == 2, "nothing of what was refused was stored"
        lake.maintenance.set_quota(None)
        session.put("large", kept[:1] + os.urandom(MIB))
        session.commit("no quota")
    assert set(contents_of(lake, "raw")) == {"kept", "small", "large"}
    assert lake.maintenance.get_status().quota_bytes is None


def test_in_a_lake_that_is_full_names_can_change_and_gc_makes_room(lake):
    lake.files.put("raw@main/old", os.urandom(MIB))
    lake.files.put("raw@main/kept", os.urandom(20_000))
    lake.maintenance.set_quota(stored(lake) - 1)
    with pytest.raises(StateError):
        lake.files.put("raw@main/new", os.urandom(20_000))
    lake.files.rename("raw@main/kept", "moved")
    lake.files.delete("raw@main/old")
    lake.commits.squash("raw", "main~4")
    lake.maintenance.gc(GcPolicy(undo_s=0, grace_s=0, reader_s=0))
    assert stored(lake) < MIB
    lake.files.put("raw@main/new", os.urandom(20_000))
    assert set(contents_of(lake, "raw")) == {"moved", "new"}


def test_names_may_not_go_above_the_quota_without_bounds(lake, monkeypatch):
    lake.files.put("raw@main/a", b"1")
    monkeypatch.setattr("jupyter_datalake.engine.blobs._RESERVED_BYTES", 0)
    lake.maintenance.set_quota(1)
    with pytest.raises(StateError, match="may store 1 bytes"):
        lake.files.delete("raw@main/a")
    assert set(contents_of(lake, "raw")) == {"a"}


def test_writers_at_the_same_moment_do_not_get_more_than_the_quota(tmp_path):
    with Lake.create(LakeConfig(str(tmp_path / "lake"))) as lake:
        names = [f"r{number}" for number in range(8)]
        for name in names:
            lake.repos.create(name)
        lake.maintenance.set_quota(stored(lake) + 3 * MIB + MIB // 2)

        def put(name):
            try:
                lake.files.put(f"{name}@main/x", os.urandom(MIB))
            except StateError as error:
                return error.kind
            return None

        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(put, names))
        assert set(outcomes) == {None, ErrorKind.OVER_LIMIT}
        fitted = outcomes.count(None)
        assert 1 <= fitted <= 3
        assert sum(len(contents_of(lake, name)) for name in names) == fitted
        check_lake(lake)


def refuse_in_the_transaction(lake, monkeypatch):
    """What somebody else stored meanwhile is seen only there."""
    lake.maintenance.set_quota(0)
    monkeypatch.setattr(BlobWriter, "_is_welcome", lambda *pack: True)
    with pytest.raises(StateError):
        lake.files.put("raw@main/x", os.urandom(MIB))


def refuse_by_limit(lake, monkeypatch):
    lake.repos.set_limit("raw", 10)
    with pytest.raises(StateError):
        lake.files.put("raw@main/x", os.urandom(MIB))


def refuse_after_a_lost_race(lake, monkeypatch):
    real = Refs.move

    def racing(self, *names, **moves):
        monkeypatch.setattr(Refs, "move", real)
        raise ConflictError("moved", kind=ErrorKind.BRANCH_MOVED)

    def conflicts(*arguments):
        raise ConflictError("both", kind=ErrorKind.PATHS_CONFLICT)

    monkeypatch.setattr(Refs, "move", racing)
    monkeypatch.setattr("jupyter_datalake.engine.importing._edits", conflicting(conflicts))
    with pytest.raises(ConflictError, match="both"):
        lake.files.put("raw@main/x", os.urandom(MIB))


def conflicting(second):
    """Return what makes edits as ever the first time, and then does something else."""
    from jupyter_datalake.engine.importing import _edits

    acts = [second, _edits]

    def made(*arguments):
        return acts.pop()(*arguments)

    return made


@pytest.mark.parametrize(
    "refuse", [refuse_in_the_transaction, refuse_by_limit, refuse_after_a_lost_race]
)
def test_what_a_refused_commit_stored_is_garbage_and_does_not_stop_gc(lake, monkeypatch, refuse):
    before = stored(lake)
    with monkeypatch.context() as patch:
        refuse(lake, patch)
    lake.maintenance.set_quota(None)
    lake.repos.set_limit("raw", None)
    assert len(history_of(lake, "raw")) == 1
    assert stored(lake) > before + MIB
    check_lake(lake)
    report = lake.maintenance.gc(NOW)
    assert report.unknown_packs == 0
    assert stored(lake) == before
    lake.files.put("raw@main/x", b"1")
    assert contents_of(lake, "raw") == {"x": b"1"}


def test_a_quota_is_a_number_of_bytes(lake):
    for wrong in (-1, 2**63):
        with pytest.raises(DatalakeError, match="A quota of"):
            lake.maintenance.set_quota(wrong)
    lake.maintenance.set_quota(0)
    assert lake.maintenance.get_status().quota_bytes == 0
    lake.maintenance.set_quota(None)
