"""What a checkout holds in memory does not grow with its files; caches of nodes are warm."""

import gc
import tracemalloc

import pytest

from jupyter_datalake.engine.session import Session
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.mounts import MountMode
from jupyter_datalake.mount import checkout
from jupyter_datalake.mount.control import mount_holding
from jupyter_datalake.mount.scanning import Difference, LocalFile

FEW, MANY = 4_000, 12_000
BOUND_BYTES = 50 * (MANY - FEW)
"""Less than a path for each of the files that there are more."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake with two repos of many small files and a link in each folder."""
    place = tmp_path_factory.mktemp("memory")
    with Lake.create(str(place / "lake")) as lake:
        for name, count in (("few", FEW), ("many", MANY)):
            for number in range(count):
                above = place / name / str(number // 100)
                if number % 100 == 0:
                    above.mkdir(parents=True)
                    (above / "link").symlink_to("0")
                (above / str(number)).write_text(str(number))
            lake.repos.create(name)
            lake.files.put_tree(f"{name}@main", place / name)
            lake.refs.create_tag(name, "v1")
        yield lake


def most(act):
    """Return the most bytes that are held while something is done a second time."""
    act()
    gc.collect()
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def check(few, many):
    assert most(many) - most(few) < BOUND_BYTES


@pytest.fixture
def acts(lake, tmp_path):
    """Make an act of each of both repos, mounted, of a function of its session and its folder."""
    mounts = {
        name: lake.mounts.create(name, at=str(tmp_path / "shown"), mode=MountMode.CHECKOUT)
        for name in ("few", "many")
    }

    def of(what):
        return [lambda mount=mount: what(mount.session_id, mount) for mount in mounts.values()]

    yield of
    for name in mounts:
        lake.mounts.delete(name, at=str(tmp_path / "shown"), discard=True)


def test_looking_at_its_changes(lake, acts):
    check(*acts(lambda session, _: lake.sessions.diff(session)))


def test_marking_what_changed(lake, acts):
    check(*acts(lambda session, _: lake.sessions.list_changed(session)))


def test_looking_whether_it_changed(lake, acts):
    check(*acts(lambda session, _: mount_holding(lake.core, session).fingerprint()))


def test_discarding_one_file(lake, acts):
    check(*acts(lambda session, _: lake.sessions.discard(session, ["1/101"])))


@pytest.mark.parametrize("ref", ["main", "v1"])
def test_mounting_and_unmounting(lake, tmp_path, ref):
    def act(name):
        mount = lake.mounts.create(name, ref, at=str(tmp_path / "shown"), mode=MountMode.CHECKOUT)
        lake.mounts.delete(mount.name, at=str(tmp_path / "shown"))

    check(lambda: act("few"), lambda: act("many"))


@pytest.mark.parametrize("verb", ["save", "commit", "unmount"])
def test_staging_many_changes_holds_a_portion_of_them(lake, tmp_path, monkeypatch, verb):
    point, portion, count, held = str(tmp_path / "shown"), 50, 1_000, []
    monkeypatch.setattr(checkout, "PORTION", portion)
    put_files = Session.put_files

    def counted(session, files):
        put_files(session, files)
        held.append(sum(isinstance(one, (Difference, LocalFile)) for one in gc.get_objects()))

    monkeypatch.setattr(Session, "put_files", counted)
    mount = lake.mounts.create("few", at=point, mode=MountMode.CHECKOUT)
    for number in range(count):
        (tmp_path / "shown" / "few" / str(number // 100) / str(number)).write_text(verb)
    if verb == "save":
        lake.sessions.save(mount.session_id)
    elif verb == "commit":
        lake.sessions.commit(mount.session_id, "Change many")
    if verb != "unmount":
        lake.mounts.delete("few", at=point, discard=True)
    else:
        lake.mounts.delete("few", at=point)
        lake.mounts.create("few", at=point, mode=MountMode.CHECKOUT)
        assert len(lake.sessions.diff(mount.session_id)) == count
        lake.mounts.delete("few", at=point, discard=True)
    assert len(held) == count // portion
    assert 0 < max(held) < 3 * portion
