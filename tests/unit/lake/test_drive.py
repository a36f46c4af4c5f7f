"""The drive: mounts that have no folder, by the same paths."""

import io
import os

import pytest

from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    MountError,
    NotFoundError,
    PathNotFoundError,
    PermissionDeniedError,
    StateError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.mounts import MountMode, MountState
from jupyter_datalake.mount import doctor


@pytest.fixture
def lake(tmp_path):
    with Lake.create(str(tmp_path / "lake")) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/data/a.csv", "id\n1\n")
        yield lake


@pytest.fixture
def point(tmp_path, monkeypatch):
    """Where the folder would be; every verb means it."""
    point = str(tmp_path / "shown")
    monkeypatch.setenv("DATALAKE_MOUNTPOINT", point)
    return point


@pytest.fixture
def drive(lake, point):
    """The drive, with `raw` mounted in it."""
    lake.mounts.create("raw", mode="drive")
    return lake.drive


def names(files):
    return [file.name for file in files]


def test_a_drive_makes_no_folder(lake, drive, point):
    (mounted,) = lake.mounts.list_mountpoints()
    assert (mounted.mode, mounted.state) == (MountMode.DRIVE, MountState.READY)
    assert not os.path.lexists(point)


def test_its_root_shows_what_is_mounted_and_projects_once(lake, drive):
    lake.repos.create("demo/sales")
    lake.repos.create("demo/costs")
    for repo in ("demo/sales", "demo/costs"):
        lake.mounts.create(repo)
    lake.mounts.create("raw", "main~0")
    assert names(drive.list()) == ["demo", "raw", "raw@main~0"]
    assert names(drive.list("/", after="demo", limit=1)) == ["raw"]
    assert names(drive.list("demo")) == ["costs", "sales"]
    assert not drive.get("demo").is_writable
    assert drive.get("demo/sales").is_writable
    assert drive.list("demo/sales") == []


def test_any_ref_is_found_by_name_and_not_listed(lake, drive):
    drive.put("raw/data/a.csv", "staged")
    assert drive.read("raw@main/data/a.csv") == b"id\n1\n"
    assert drive.read("raw@main~0/data/a.csv") == b"id\n1\n"
    assert names(drive.list()) == ["raw"]
    with pytest.raises(NotFoundError):
        drive.list("raw@nothing")
    with pytest.raises(NotFoundError):
        drive.list("nothing@main")


def test_what_is_written_is_in_the_session_and_nowhere_else(lake, drive):
    file = drive.put("raw/data/b.csv", "id\n2\n")
    assert (file.path, file.size_bytes, file.is_writable) == ("raw/data/b.csv", 5, True)
    assert [one.path for one in lake.sessions.diff(file.session_id)] == ["data/b.csv"]
    with pytest.raises(PathNotFoundError):
        lake.files.read("raw@main/data/b.csv")
    lake.sessions.commit(file.session_id, "More")
    assert lake.files.read("raw@main/data/b.csv") == b"id\n2\n"
    assert lake.sessions.diff(file.session_id) == []


def test_a_clean_session_shows_the_head_of_its_branch(lake, drive):
    lake.files.put("raw@main/new", "new")
    assert drive.read("raw/new") == b"new"
    drive.put("raw/mine", "mine")
    lake.files.put("raw@main/new", "newer")
    assert drive.read("raw/new") == b"new"


def test_a_file_is_written_at_an_offset_and_at_its_end(lake, drive):
    big = bytes(range(256)) * 4000
    drive.put("raw/x", big)
    drive.put("raw/x", b"####", offset=500_000)
    drive.put("raw/x", io.BytesIO(b"end"), offset=-1)
    wanted = big[:500_000] + b"####" + big[500_004:] + b"end"
    assert drive.read("raw/x") == wanted
    drive.put("raw/holes", b"x", offset=10)
    assert drive.read("raw/holes") == bytes(10) + b"x"
    lake.sessions.commit(drive.get("raw").session_id, "Patched")
    assert lake.files.read("raw@main/x") == wanted


def test_a_session_in_hand_is_written_to_likewise(lake):
    with lake.sessions.create("raw") as session:
        session.write("data/a.csv", b"2\n")
        session.write("data/a.csv", io.BytesIO(b"ID"), offset=0)
        session.write("log", b"one")
        for path in ("data", "data/a.csv/x"):
            with pytest.raises(InvalidInputError):
                session.write(path, b"x")
        session.commit("Written")
    assert lake.files.read("raw@main/data/a.csv") == b"ID\n1\n2\n"
    assert lake.files.read("raw@main/log") == b"one"


def test_a_write_that_fails_leaves_what_was_there(lake, drive):
    class Broken(io.BytesIO):
        def read(self, *_):
            raise OSError(5, "it broke")

    for path in ("raw/data/a.csv", "raw/new"):
        for offset in (None, 0):
            with pytest.raises(OSError, match=r"it broke|cannot be used"):
                drive.put(path, Broken(), offset=offset)
    assert drive.read("raw/data/a.csv") == b"id\n1\n"
    assert lake.sessions.diff(drive.get("raw").session_id) == []
    drive.put("raw/new", b"new", offset=0)
    assert drive.read("raw/new") == b"new"


def test_a_file_that_is_replaced_keeps_its_permissions(lake, drive, tmp_path):
    script = tmp_path / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    lake.files.put("raw@main/run.sh", script)
    assert drive.put("raw/run.sh", "#!/bin/bash\n").mode == 0o755


def test_a_page_of_a_folder_has_what_is_staged_in_its_place(drive):
    for name in ("a", "c", "e"):
        drive.put(f"raw/data/{name}", name)
    drive.delete("raw/data/a.csv")
    assert names(drive.list("raw/data")) == ["a", "c", "e"]
    assert names(drive.list("raw/data", after="a", limit=1)) == ["c"]
    assert names(drive.list("raw/data", after="c")) == ["e"]
    assert names(drive.list("raw/data", after="e")) == []


def test_pages_of_a_large_folder_are_as_one_list(lake, drive, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        (folder / f"é{number}").write_text("x")
    lake.files.put_tree("raw@main/many", folder)
    drive.put("raw/many/é15b", "staged")
    pages, after = [], ""
    while page := drive.list("raw/many", after=after, limit=70):
        pages += names(page)
        after = page[-1].name
    assert pages == names(drive.list("raw/many")) == sorted([*os.listdir(folder), "é15b"])


def test_moves_stay_within_a_mount_and_replace_when_told(lake, drive):
    drive.rename("raw/data", "raw/moved")
    assert drive.read("raw/moved/a.csv") == b"id\n1\n"
    drive.put("raw/other", "other")
    with pytest.raises(AlreadyExistsError):
        drive.rename("raw/other", "raw/moved/a.csv")
    drive.rename("raw/other", "raw/moved/a.csv", replace=True)
    assert drive.read("raw/moved/a.csv") == b"other"
    lake.repos.create("two")
    lake.mounts.create("two")
    with pytest.raises(InvalidInputError, match="no commit spans both"):
        drive.rename("raw/moved", "two/moved")
    with pytest.raises(PermissionDeniedError):
        drive.rename("raw", "three")


def test_copies_come_from_commits_sessions_and_other_mounts(lake, drive):
    lake.repos.create("two")
    lake.mounts.create("two")
    drive.put("raw/data/staged", "staged")
    drive.put("raw/data/written", b"written", offset=0)
    drive.copy("raw/data", "two/data")
    drive.copy("raw/data", "raw/again")
    drive.copy("raw@main/data/a.csv", "two/committed.csv")
    for folder in ("two/data", "raw/again"):
        assert {one.name: drive.read(one.path) for one in drive.list(folder)} == {
            "a.csv": b"id\n1\n",
            "staged": b"staged",
            "written": b"written",
        }
    assert drive.read("two/committed.csv") == b"id\n1\n"
    with pytest.raises(AlreadyExistsError):
        drive.copy("raw/data/staged", "two/data/staged")
    with pytest.raises(InvalidInputError):
        drive.copy("raw/data", "raw/data/below")
    lake.sessions.commit(drive.get("two").session_id, "Copied")
    assert lake.files.read("two@main/data/written") == b"written"


def test_what_is_no_file_of_a_branch_cannot_be_written_to(lake, drive):
    lake.refs.create_tag("raw", "v1")
    lake.mounts.create("raw", "v1")
    for path in ("raw@v1/x", "raw@main/x", "raw@main~0/x"):
        with pytest.raises(PermissionDeniedError) as refused:
            drive.put(path, "x")
        assert refused.value.kind is ErrorKind.READ_ONLY
    for path in ("raw", "/"):
        with pytest.raises(PermissionDeniedError):
            drive.delete(path)
    with pytest.raises(PathNotFoundError):
        drive.put("nothing/x", "x")
    assert lake.sessions.diff(drive.get("raw").session_id) == []


@pytest.mark.parametrize("path", ["raw/../x", "raw/\0", "raw/" + "x" * 256, "raw/data/a.csv/x"])
def test_paths_that_no_file_can_have_are_refused(lake, drive, path):
    with pytest.raises((InvalidInputError, PathNotFoundError)):
        drive.put(path, "x")
    assert lake.sessions.diff(drive.get("raw").session_id) == []


def test_folders_have_to_be_there_and_files_are_not_folders(lake, drive):
    for act in (
        lambda: drive.put("raw/missing/x", "x"),
        lambda: drive.put("raw/missing/x", b"x", offset=0),
        lambda: drive.make_folder("raw/missing/d"),
        lambda: drive.rename("raw/data/a.csv", "raw/missing/x"),
        lambda: drive.copy("raw/data", "raw/missing/data"),
        lambda: drive.read("raw/missing"),
        lambda: drive.delete("raw/missing"),
    ):
        with pytest.raises(PathNotFoundError):
            act()
    for act in (
        lambda: drive.put("raw/data", "x"),
        lambda: drive.put("raw/data", b"x", offset=0),
        lambda: drive.put("raw/data/a.csv", b"x", offset=2**50 + 1),
        lambda: drive.read("raw/data"),
        lambda: drive.list("raw/data/a.csv"),
        lambda: drive.open("/"),
    ):
        with pytest.raises(InvalidInputError):
            act()
    with pytest.raises(AlreadyExistsError):
        drive.make_folder("raw/data")
    assert lake.sessions.diff(drive.get("raw").session_id) == []


def test_a_symlink_is_shown_and_not_followed(lake, drive, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    folder = tmp_path / "linked"
    folder.mkdir()
    (folder / "link").symlink_to(secret)
    lake.files.put_tree("raw@main/", folder)
    assert drive.get("raw/link").target == str(secret)
    for act in (
        lambda: drive.read("raw/link"),
        lambda: drive.put("raw/link", "x"),
        lambda: drive.put("raw/link", b"x", offset=0),
    ):
        with pytest.raises(InvalidInputError):
            act()
    assert secret.read_text() == "secret"


def test_a_verb_waits_for_a_request_that_has_the_session(lake, drive, monkeypatch):
    """As between the panel, which asks what changed, and a file that is saved meanwhile."""
    session_id = drive.get("raw").session_id
    with drive.open("raw/data/a.csv") as file:
        drive.put("raw/data/a.csv", "new")
        assert file.read() == b"id\n1\n"
    monkeypatch.setattr("jupyter_datalake.lake.sessions.DRIVE_PATIENCE_S", 0.0)
    monkeypatch.setattr("jupyter_datalake.lake.drive.DRIVE_PATIENCE_S", 0.0)
    with lake.sessions.open(session_id):
        for act in (lambda: drive.list("raw"), lambda: lake.sessions.diff(session_id)):
            with pytest.raises(ConflictError) as busy:
                act()
            assert busy.value.kind is ErrorKind.SESSION_BUSY
    assert names(drive.list("raw")) == ["data"]


def test_a_mounted_session_is_not_deleted_under_the_drive(lake, drive):
    session_id = drive.put("raw/x", "x").session_id
    with pytest.raises(ConflictError):
        lake.sessions.delete(session_id)
    assert drive.read("raw/x") == b"x"
    lake.mounts.delete("raw")
    lake.sessions.delete(session_id)


def test_a_drive_that_is_stopped_shows_nothing_until_it_is_started(lake, drive):
    drive.put("raw/x", "x")
    lake.mounts.stop()
    assert drive.list() == []
    with pytest.raises(PathNotFoundError):
        drive.read("raw/x")
    lake.mounts.start()
    assert drive.read("raw/x") == b"x"


def test_a_mode_is_asked_for_once_per_mount_point(lake, drive, point):
    lake.repos.create("two")
    with pytest.raises(InvalidInputError, match="shown by drive, not by checkout"):
        lake.mounts.create("two", mode=MountMode.CHECKOUT)
    with pytest.raises(InvalidInputError, match="fuse, checkout, drive"):
        lake.mounts.create("two", mode="floppy")
    assert names(drive.list()) == ["raw"]
    assert lake.mounts.create("two", mode="drive").mountpoint == point


def test_a_checkout_is_made_where_one_is_asked_for(lake, point):
    mount = lake.mounts.create("raw", mode="checkout")
    assert os.listdir(mount.path) == ["data"]
    with pytest.raises(StateError, match="are folders"):
        lake.drive.list("raw")
    assert names(lake.drive.list("raw@main/data")) == ["a.csv"]
    assert lake.drive.list() == []


def test_fuse_is_refused_where_it_is_asked_for_and_impossible(lake, point, monkeypatch):
    monkeypatch.setattr(doctor, "DEVICE", "/dev/nothing-like-fuse")
    with pytest.raises(MountError, match="/dev/nothing-like-fuse is missing") as refused:
        lake.mounts.create("raw", mode="fuse")
    assert refused.value.kind is ErrorKind.FUSE_UNAVAILABLE
    assert lake.mounts.list() == []


def test_a_drive_is_chosen_where_no_folder_can_be_made(lake, point, monkeypatch):
    """Root may write anywhere, so what the system says of the folder above is made up."""
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    (mode, folder, *_) = (one for one in lake.mounts.doctor() if one.name in {"mode", "folder"})
    assert mode.found.startswith(f"new mounts are drives, because {point} cannot be made")
    assert folder.verdict is doctor.Verdict.FAIL
    lake.mounts.create("raw")
    (known,) = lake.mounts.list_mountpoints()
    assert known.mode is MountMode.DRIVE
    assert f"{point} cannot be made" in known.message
    assert lake.drive.read("raw/data/a.csv") == b"id\n1\n"
    assert any("shows a drive" in one.found for one in lake.mounts.doctor())
