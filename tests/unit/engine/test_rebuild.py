"""Rebuilding: a lake whose database is lost comes back from its packs."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine.blobs import register_packs
from jupyter_datalake.engine.commits import BY_HAND, CommitRequest, commit_changes, head_of
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    CorruptDataError,
    ErrorKind,
    NotFoundError,
    StorageError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.lake.maintenance import Maintenance, rebuild_lake
from jupyter_datalake.lake.opening import rebuilding
from jupyter_datalake.model.commits import Origin
from jupyter_datalake.model.packs import BlobKind
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.testing.invariants import contents_of, history_of


def lose_database(lake):
    lake.close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{lake.url}/metadata.sqlite{suffix}").unlink(missing_ok=True)


def packs(lake):
    return sorted(Path(lake.url, "objects", "packs").rglob("*.pack"))


def everything(lake):
    """Contents of every branch, and the ids of their commits."""
    return {
        (repo.name, ref.name): (
            contents_of(lake, repo.name, ref.name),
            history_of(lake, repo.name, ref.name),
        )
        for repo in lake.repos.list(include_code=True)
        for ref in lake.refs.list(repo.name)
    }


@pytest.fixture
def filled(local_lake):
    lake = local_lake
    for repo in ("raw", "team/other"):
        lake.repos.create(repo)
        lake.files.put(f"{repo}@main/small", "tiny")
        lake.files.put(f"{repo}@main/data/large", os.urandom(3_000_000))
        lake.refs.create_branch(repo, "dev")
        lake.files.put(f"{repo}@dev/only-dev", "x" * 1000)
        lake.files.delete(f"{repo}@main/small")
        with lake.sessions.create(repo) as session:
            session.make_folder("empty/folder")
            session.commit("Make a folder")
    return lake


def test_all_branches_come_back_with_their_history(filled):
    before = everything(filled)
    lose_database(filled)
    report = rebuild_lake(filled.url)
    assert sorted(report.branches) == [
        "raw@dev",
        "raw@main",
        "team/other@dev",
        "team/other@main",
    ]
    assert report.repos == ["raw", "team/other"]
    assert (report.beside, report.damaged) == ([], [])
    assert any("tags" in one for one in report.lost)
    with Lake.open(filled.url) as lake:
        assert everything(lake) == before
        assert lake.maintenance.verify().is_clean
        assert lake.core.lake_id == filled.core.lake_id
        lake.files.put("raw@main/new", "writable again")


def test_a_lake_that_has_its_database_is_not_touched(filled):
    before = everything(filled)
    filled.close()
    with pytest.raises(AlreadyExistsError) as caught:
        Maintenance.rebuild(filled.url)
    assert "metadata.sqlite" in caught.value.hint
    with Lake.open(filled.url) as lake:
        assert everything(lake) == before


def test_where_there_is_no_lake_nothing_is_made(tmp_path):
    for url in (str(tmp_path / "nothing"), "memory:"):
        with pytest.raises(NotFoundError) as caught:
            rebuild_lake(url)
        assert caught.value.kind is ErrorKind.LAKE_NOT_FOUND
    assert list(tmp_path.iterdir()) == []


def test_a_lake_without_database_says_how_to_rebuild_it(filled):
    lose_database(filled)
    with pytest.raises(StorageError) as caught:
        Lake.open(filled.url)
    assert caught.value.kind is ErrorKind.DATABASE_UNAVAILABLE
    assert "maintenance rebuild" in caught.value.hint
    assert not Path(filled.url, "metadata.sqlite").exists()


def test_an_emptied_database_counts_as_lost(filled):
    before = everything(filled)
    lose_database(filled)
    Path(filled.url, "metadata.sqlite").touch()
    with pytest.raises(StorageError):
        Lake.open(filled.url)
    rebuild_lake(filled.url)
    with Lake.open(filled.url) as lake:
        assert everything(lake) == before


@pytest.mark.parametrize("damage", ["index", "trailer", "header", "cut"])
def test_packs_with_a_damaged_frame_are_read_record_by_record(filled, damage):
    before = everything(filled)
    lose_database(filled)
    for pack in packs(filled):
        pack.chmod(0o600)
        data = bytearray(pack.read_bytes())
        if damage == "index":
            data[-60] ^= 1
        elif damage == "trailer":
            data[-1] ^= 1
        elif damage == "header":
            data[0] ^= 1
        else:
            del data[-70:]
        pack.write_bytes(data)
    report = rebuild_lake(filled.url)
    assert len(report.damaged) == len(packs(filled))
    with Lake.open(filled.url) as lake:
        assert everything(lake) == before


def test_a_damaged_record_header_hides_only_its_own_blob(filled):
    lake = filled
    large = lake.files.get("raw@main/data/large")
    content = lake.core.snapshot(lake.commits.get("raw")).content(RepoPath("data/large"))
    spans = list(content._covering(0, large.size_bytes))
    pack, record = lake.core.blobs.place(spans[2].digest)
    lose_database(lake)
    path = next(one for one in packs(lake) if one.stem == pack)
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[record.offset - 44] ^= 0xFF  # the magic of this record
    data[-1] ^= 1  # and the index cannot help
    path.write_bytes(data)
    rebuild_lake(lake.url)
    with Lake.open(lake.url) as lake:
        with lake.files.open("raw@main/data/large") as file:
            file.seek(spans[3].offset)
            assert len(file.read(1000)) == 1000
            file.seek(spans[2].offset)
            with pytest.raises(CorruptDataError):
                file.read(1000)
        assert lake.files.read("raw@dev/only-dev") == b"x" * 1000


def test_a_missing_pack_costs_what_was_in_it_and_no_more(filled):
    before = everything(filled)
    victim = packs(filled)[0]
    lose_database(filled)
    victim.unlink()
    report = rebuild_lake(filled.url)
    assert report.packs == len(packs(filled))
    with Lake.open(filled.url) as lake:
        readable = {key: found[0] for key, found in before.items() if _is_readable(lake, *key)}
        for (repo, branch), contents in readable.items():
            if history_of(lake, repo, branch) == before[repo, branch][1]:
                assert contents_of(lake, repo, branch) == contents


def _is_readable(lake, repo, branch):
    try:
        contents_of(lake, repo, branch)
    except (CorruptDataError, NotFoundError):
        return False
    return True


def test_branches_come_back_by_parent_links_not_by_time(local_lake, lake_clock):
    lake = local_lake
    lake.repos.create("raw")
    for number in range(5):
        lake_clock.advance(-86400)
        lake.files.put("raw@main/n", f"{number}")
    before = everything(lake)
    lose_database(lake)
    rebuild_lake(lake.url)
    with Lake.open(lake.url) as found:
        assert everything(found) == before
        assert found.files.read("raw@main/n") == b"4"


def seal_unpublished(lake, message, *, global_id=None):
    """Leave the pack of a commit that never moved the branch, as a lost race or a kill does."""
    core = lake.core
    head = head_of(core, "raw", "main")
    with lake.sessions.create("raw") as session:
        session.put("other", message * 100)
        entry = session._session.tree.get(RepoPath("other")).entry
        session.delete_session()
    request = CommitRequest("raw", "main", message, lake.author, BY_HAND, global_id)

    def lose(tx, commit):
        raise ZeroDivisionError

    with core.writer() as writer, pytest.raises(ZeroDivisionError):
        commit_changes(core, writer, head, {RepoPath("other"): entry}, request, lose)
    return head


def test_a_commit_that_lost_a_race_gets_a_name_beside_the_branch(local_lake):
    lake = local_lake
    lake.repos.create("raw")
    lake.files.put("raw@main/a", "a" * 100)
    seal_unpublished(lake, "never published")
    lake.files.put("raw@main/b", "b" * 100)
    lake.files.put("raw@main/c", "c" * 100)
    before = everything(lake)
    lose_database(lake)
    report = rebuild_lake(lake.url)
    assert len(report.beside) == 1
    assert report.beside[0].startswith("raw@main-")
    with Lake.open(lake.url) as found:
        after = everything(found)
        beside = after.pop(("raw", report.beside[0].partition("@")[2]))
        assert after == before
        assert beside[0].keys() == {"a", "other"}
    assert "Beside its branch" in str(report)


def test_an_attempt_that_was_repeated_gets_no_name(local_lake):
    lake = local_lake
    lake.repos.create("raw")
    lake.files.put("raw@main/a", "a" * 100)
    seal_unpublished(lake, "first attempt", global_id="e" * 32)
    lake.files.put("raw@main/b", "b" * 100)
    with lake.sessions.create("raw") as session:
        session.put("other", "first attempt" * 100)
        session._session.commit("first attempt", lake.author, global_id="e" * 32)
    before = everything(lake)
    lose_database(lake)
    report = rebuild_lake(lake.url)
    assert report.beside == []
    with Lake.open(lake.url) as found:
        assert everything(found) == before


def test_kinds_follow_from_what_made_the_commits(local_lake):
    lake = local_lake
    kinds = {"code.code": (RepoKind.CODE, Origin.CODE), "out": (RepoKind.OUTPUT, Origin.JOB)}
    for name, (_, origin) in kinds.items():
        lake.repos.create(name)
        head = head_of(lake.core, name, "main")
        with lake.core.writer() as writer:
            entry = lake.sessions.create(name)._session
            entry.put(RepoPath("x"), b"x")
            changes = {RepoPath("x"): entry.tree.get(RepoPath("x")).entry}
            entry.destroy()
            request = CommitRequest(
                name, "main", "made", lake.author, replace(BY_HAND, origin=origin)
            )
            commit_changes(lake.core, writer, head, changes, request)
    lake.repos.create("mine")
    lose_database(lake)
    rebuild_lake(lake.url)
    with Lake.open(lake.url) as found:
        for name, (kind, _) in kinds.items():
            assert found.repos.get(name).kind is kind
        assert found.repos.get("mine").kind is RepoKind.USER


def test_staged_changes_come_back_with_their_session(local_lake):
    lake = local_lake
    lake.repos.create("raw")
    lake.files.put("raw@main/a", "a")
    session = lake.sessions.create("raw")
    session.put("staged", "s" * 1000)
    session.close()
    lose_database(lake)
    report = rebuild_lake(lake.url)
    assert report.sessions == [session.id]
    with Lake.open(lake.url) as found:
        with found.sessions.open(session.id) as again:
            assert [change.path for change in again.diff()] == ["staged"]
            again.commit("Go on")
        assert found.files.read("raw@main/staged") == b"s" * 1000


def test_a_rebuild_that_fails_leaves_the_lake_as_it_was(filled):
    before = everything(filled)
    lose_database(filled)

    def interrupt():
        with rebuilding(LakeConfig(filled.url)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert not list(Path(filled.url).glob("metadata.sqlite*"))
    rebuild_lake(filled.url)
    with Lake.open(filled.url) as lake:
        assert everything(lake) == before


def test_a_rebuild_that_was_killed_can_be_run_again(filled):
    before = everything(filled)
    lose_database(filled)
    program = (
        "import os, sys; from jupyter_datalake.lake.maintenance import rebuild_lake;"
        "rebuild_lake(sys.argv[1], on_progress=lambda report: report.packs < 3 or os._exit(9))"
    )
    done = subprocess.run([sys.executable, "-c", program, filled.url], check=False)
    assert done.returncode == 9
    with pytest.raises(StorageError):
        Lake.open(filled.url)
    rebuild_lake(filled.url)
    assert not list(Path(filled.url).glob("*.rebuilt*"))
    with Lake.open(filled.url) as lake:
        assert everything(lake) == before


def test_two_rebuilds_at_once_are_one(filled):
    lose_database(filled)
    with rebuilding(LakeConfig(filled.url)), pytest.raises(ConflictError):
        rebuild_lake(filled.url)
    with Lake.open(filled.url) as lake:
        assert lake.repos.list() == []  # what the outer one was left with


def test_foreign_files_among_the_packs_are_named_and_left(filled):
    before = everything(filled)
    stray = Path(filled.url, "objects", "packs", "readme.txt")
    stray.write_text("not a pack")
    wrong = Path(filled.url, "objects", "packs", "00", "0" * 64 + ".pack")
    wrong.parent.mkdir(exist_ok=True)
    shutil.copy(packs(filled)[-1], wrong)
    lose_database(filled)
    report = rebuild_lake(filled.url)
    assert any("readme.txt" in one for one in report.damaged)
    assert any("0" * 64 in one for one in report.damaged)
    assert stray.exists()
    with Lake.open(filled.url) as lake:
        assert everything(lake) == before


def test_commits_that_no_database_could_hold_are_named(local_lake):
    lake = local_lake
    lake.repos.create("raw")
    with lake.core.writer() as writer:
        writer.add(BlobKind.COMMIT, b"no commit at all")
        sealed = writer.seal()
        with lake.core.metadata.write() as tx:
            register_packs(tx, sealed)
    lose_database(lake)
    report = rebuild_lake(lake.url)
    assert len(report.damaged) == 1
    assert report.damaged[0].startswith("commit ")
    assert report.branches == ["raw@main"]
