"""Usage: what was measured before is gone on from, and always tells what measuring anew does."""

import json
import os
from random import Random

import pytest

from jupyter_datalake.engine import usage_cache
from jupyter_datalake.engine.blobs import BlobReader
from jupyter_datalake.engine.usage import measure_usage
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.testing.invariants import check_lake
from jupyter_datalake.testing.strategies import content_of

AT_ONCE = GcPolicy(undo_s=0, grace_s=0, reader_s=0, results_s=0)
MEMORY = 4 * 1024 * 1024


@pytest.fixture
def lake(local_lake):
    local_lake.repos.create("raw")
    return local_lake


def agrees(lake):
    """Measure by what is known, and look that measuring anew tells the same."""
    found = lake.maintenance.get_usage()
    assert found == measure_usage(lake.core, memory_bytes=MEMORY, use_cache=False)
    return found


def nodes_read(lake, monkeypatch):
    """Measure, and tell how many blobs had to be read for that."""
    read = []
    with monkeypatch.context() as patch:
        real = BlobReader.get
        patch.setattr(
            BlobReader,
            "get",
            lambda self, digest, **how: read.append(digest) or real(self, digest, **how),
        )
        lake.maintenance.get_usage()
    return len(read)


ACTS = [
    lambda lake, chance, repo: lake.files.put(
        f"{repo}@main/{chance.choice('abc')}",
        content_of(chance.choice([10, 3000, 300_000]), chance.randrange(4), "noise"),
    ),
    lambda lake, chance, repo: lake.files.put(
        f"{repo}@main/d/{chance.randrange(9)}", chance.randbytes(500)
    ),
    lambda lake, chance, repo: lake.files.copy(
        "raw@main/kept", f"{repo}@main/kept{chance.random()}"
    ),
    lambda lake, chance, repo: lake.repos.create(f"r{chance.random()}"),
    lambda lake, chance, repo: lake.repos.delete(repo, force=True) if repo != "raw" else None,
    lambda lake, chance, repo: lake.maintenance.gc(AT_ONCE),
    lambda lake, chance, repo: (
        lake.commits.squash("raw", "main~2") if len(lake.commits.list("raw")) > 2 else None
    ),
]


@pytest.mark.parametrize("seed", range(3))
def test_going_on_tells_what_measuring_anew_does_whatever_was_done_between(lake, seed, monkeypatch):
    monkeypatch.setattr(usage_cache, "_MAX_RUNS", 3)
    chance = Random(seed)
    lake.files.put("raw@main/kept", content_of(100_000, 9, "noise"))
    for _ in range(25):
        repo = chance.choice([one.name for one in lake.repos.list()])
        chance.choice(ACTS)(lake, chance, repo)
        agrees(lake)
    check_lake(lake)


def test_measuring_again_reads_what_is_new(lake, tmp_path, monkeypatch):
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(3000):
        (folder / f"{number}").write_bytes(b"%d" % number * 40)
    lake.files.put_tree("raw@main/", folder)
    first = nodes_read(lake, monkeypatch)
    assert first > 20
    assert nodes_read(lake, monkeypatch) == 0
    lake.files.put("raw@main/1500", "other")
    assert 0 < nodes_read(lake, monkeypatch) <= 4
    agrees(lake)
    lake.repos.create("other")
    lake.files.copy("raw@main/", "other@main/all/")
    agrees(lake)


def state_file(lake):
    return lake.core.work_folder / "usage" / "state.json"


def truncate(lake):
    name = max(json.loads(state_file(lake).read_text())["sizes"].items(), key=lambda one: one[1])[0]
    os.truncate(state_file(lake).with_name(name), 32)


@pytest.mark.parametrize(
    "damage",
    [
        truncate,
        lambda lake: state_file(lake).write_text("{"),
        lambda lake: state_file(lake).write_text('{"version": 1}'),
        lambda lake: state_file(lake).unlink(),
        lambda lake: [one.unlink() for one in state_file(lake).parent.iterdir()],
    ],
)
def test_what_is_wrong_with_the_cache_is_measured_anew(lake, damage):
    lake.files.put("raw@main/a", content_of(100_000, 1, "noise"))
    agrees(lake)
    damage(lake)
    lake.files.put("raw@main/b", content_of(50_000, 2, "noise"))
    agrees(lake)
    agrees(lake)


def test_two_who_measure_at_once_do_not_disturb_each_other(lake):
    lake.files.put("raw@main/a", content_of(100_000, 1, "noise"))
    with usage_cache.usage_cache(lake.core) as mine:
        assert mine is not None
        with usage_cache.usage_cache(lake.core) as theirs:
            assert theirs is None
        agrees(lake)
        assert not state_file(lake).exists()
    agrees(lake)
    assert state_file(lake).exists()
    names = set(json.loads(state_file(lake).read_text())["sizes"])
    assert {one.name for one in state_file(lake).parent.iterdir()} == names | {"state.json", "lock"}


def test_healing_and_a_place_that_takes_no_files_cost_a_measurement_only(lake):
    lake.files.put("raw@main/a", content_of(100_000, 1, "noise"))
    agrees(lake)
    lake.maintenance.heal()
    assert not state_file(lake).exists()
    (lake.core.work_folder / "usage").write_bytes(b"not a folder")
    agrees(lake)
    assert (lake.core.work_folder / "usage").is_file()
