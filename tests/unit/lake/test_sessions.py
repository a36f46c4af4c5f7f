"""Sessions by Python: what is asked for, what is shown, and what goes when one is deleted."""

import os
import shutil

import pytest

from jupyter_datalake.engine.session import sessions_folder
from jupyter_datalake.errors import (
    InvalidInputError,
    NotFoundError,
    PathNotFoundError,
    StateError,
)
from jupyter_datalake.lake.lake import Lake


@pytest.fixture
def lake(tmp_path):
    with Lake.create(str(tmp_path / "lake")) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/a.txt", "a")
        yield lake


@pytest.fixture
def drafted(lake):
    """The id of a session with something staged, and a draft of it."""
    with lake.sessions.create("raw") as work:
        work.put("new", "1")
    lake.sessions.save(work.id)
    return work.id


def test_a_session_is_begun_on_an_address_of_a_branch(lake):
    lake.refs.create_branch("raw", "dev")
    for asked, branch in [("raw", "main"), ("raw@main", "main"), ("raw@dev", "dev")]:
        with lake.sessions.create(asked) as work:
            assert (work.info.repo, work.info.branch) == ("raw", branch)
    for asked in [("raw@main/a.txt",), ("raw@dev", "other")]:
        with pytest.raises(InvalidInputError, match="whole branch"):
            lake.sessions.create(*asked)
    assert lake.sessions.list() == []


def test_a_draft_is_dropped_by_hand_and_its_session_stays(lake, drafted):
    lake.sessions.drop_draft(drafted)
    assert lake.sessions.drafts() == []
    assert [one.path for one in lake.sessions.diff(drafted)] == ["new"]
    with pytest.raises(NotFoundError, match="no draft"):
        lake.sessions.drop_draft(drafted)
    lake.sessions.save(drafted)
    assert len(lake.sessions.drafts()) == 1


def test_a_session_and_its_draft_go_in_one_transaction(lake, drafted, monkeypatch):
    begun = []
    real = lake.core.metadata.write
    monkeypatch.setattr(lake.core.metadata, "write", lambda: begun.append(1) or real())
    lake.sessions.delete(drafted)
    assert (len(begun), lake.sessions.list(), lake.sessions.drafts()) == (1, [], [])


def test_a_draft_is_kept_where_that_is_asked_for_or_the_folder_was_lost(lake, drafted):
    lake.sessions.delete(drafted, keep_draft=True)
    (draft,) = lake.sessions.drafts()
    assert not draft.has_session
    again = lake.sessions.recover(drafted).id
    lake.sessions.save(again)
    shutil.rmtree(sessions_folder(lake.core) / again)
    with lake.sessions.open(again) as work:
        assert not work.has_changes
        work.delete_session()  # as a mount tidies up
    assert [one.session_id for one in lake.sessions.drafts()] == [again]


def test_a_time_alone_is_neither_shown_nor_committed(lake, tmp_path):
    source = tmp_path / "a.txt"
    source.write_text("a")
    os.utime(source, ns=(1, 1))
    source.chmod(lake.files.get("raw@main/a.txt").mode)
    with lake.sessions.create("raw") as work:
        work.put("a.txt", source)
        assert work.find("a.txt").mtime_ns == 1
        assert work.diff() == []
        with pytest.raises(StateError, match="Nothing is staged"):
            work.commit("Touch")
        source.chmod(0o600)
        work.put("a.txt", source)
        assert [one.path for one in work.diff()] == ["a.txt"]
        work.commit("Change the mode")
    assert lake.files.get("raw@main/a.txt").mode == 0o600


def changed(lake, session_id, path="/", **options):
    found = lake.sessions.list_changed(session_id, path, **options)
    return [(one.name, str(one.kind), one.count, one.is_conflict) for one in found]


def test_what_is_staged_is_folded_into_the_children_of_a_folder(lake):
    for path in ("data/a.csv", "data/b.csv", "data/deep/c.csv", "gone/d.csv", "still.txt"):
        lake.files.put(f"raw@main/{path}", "1")
    with lake.sessions.create("raw") as work:
        work.put("data/b.csv", "2")
        work.put("data/deep/c.csv", "2")
        work.put("data/deep/new/e.csv", "2")
        work.put("data-of-others/f.csv", "2")
        work.delete("gone")
        work.put("a.txt", "a")  # what it held before
    assert changed(lake, work.id) == [
        ("data", "modified", 3, False),
        ("data-of-others", "added", 1, False),
        ("gone", "removed", 1, False),
    ]
    assert changed(lake, work.id, "data") == [
        ("b.csv", "modified", 1, False),
        ("deep", "modified", 2, False),
    ]
    assert changed(lake, work.id, "data/deep") == [
        ("c.csv", "modified", 1, False),
        ("new", "added", 1, False),
    ]
    assert changed(lake, work.id, "nothing/there") == []
    page = changed(lake, work.id, limit=1)
    assert page + changed(lake, work.id, after=page[0][0], limit=5) == changed(lake, work.id)


def test_what_others_changed_since_is_a_conflict_at_its_path_and_above_it(lake):
    lake.files.put("raw@main/data/a.csv", "1")
    with lake.sessions.create("raw") as work:
        work.put("data/a.csv", "ours")
        work.put("data/b.csv", "ours")
        work.put("data/same.csv", "both")
        work.put("name", "a file with us")
        lake.files.put("raw@main/data/a.csv", "theirs")
        lake.files.put("raw@main/data/same.csv", "both")
        lake.files.put("raw@main/data/c.csv", "theirs")
        lake.files.put("raw@main/name/inside", "a folder with them")
    assert changed(lake, work.id) == [("data", "modified", 3, True), ("name", "added", 1, True)]
    assert changed(lake, work.id, "data") == [
        ("a.csv", "modified", 1, True),
        ("b.csv", "added", 1, False),
        ("same.csv", "added", 1, False),
    ]


def test_a_staged_table_is_compared_by_its_rows(lake):
    lake.files.put("raw@main/t.csv", "id,plan\n1,a\n2,b\n")
    with lake.sessions.create("raw") as work:
        work.put("t.csv", "id,plan\n1,a\n2,c\n3,d\n")
        work.put("new.csv", "id\n1\n")
    found = lake.sessions.diff_table(work.id, "t.csv")
    assert (found.key, found.added, found.changed, found.removed) == (("id",), 1, 1, 0)
    assert lake.sessions.diff_table(work.id, "t.csv", key=[], limit=1).has_more
    with pytest.raises(PathNotFoundError, match=r"new\.csv"):
        lake.sessions.diff_table(work.id, "new.csv")


def test_the_bytes_of_a_session_are_what_is_staged_and_else_what_is_committed(lake):
    with lake.sessions.create("raw") as work:
        work.put("b.bin", b"\x00\xff")
        work.make_folder("folder")
    assert lake.sessions.read(work.id, "b.bin") == b"\x00\xff"
    assert lake.sessions.read(work.id, "a.txt") == b"a"
    with pytest.raises(PathNotFoundError, match="nothing"):
        lake.sessions.read(work.id, "nothing")
    with pytest.raises(InvalidInputError, match="folder"):
        lake.sessions.read(work.id, "folder")


def test_no_symlink_of_a_mounted_session_is_followed(lake, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("of somebody else")
    mount = lake.mounts.create("raw", at=str(tmp_path / "shown"), mode="checkout")
    folder = tmp_path / "shown" / "raw"
    (folder / "link").symlink_to(secret)
    (folder / "above").symlink_to(tmp_path)
    (folder / "plain").write_text("ours")
    assert lake.sessions.read(mount.session_id, "plain") == b"ours"
    for path in ("link", "above/secret.txt"):
        with pytest.raises(InvalidInputError, match="not followed"):
            lake.sessions.read(mount.session_id, path)
    with pytest.raises(PathNotFoundError):
        lake.sessions.read(mount.session_id, "nothing")


def test_a_verb_waits_for_others_who_have_the_session_for_a_moment(lake, monkeypatch):
    """As between the panel, which asks what changed, and an upload that stages its next part."""
    session = lake.sessions.create("raw")
    session.put("new", "1")
    monkeypatch.setattr("jupyter_datalake.engine.session.time.sleep", lambda _: session.close())
    (change,) = lake.sessions.diff(session.id)
    assert change.path == "new"
