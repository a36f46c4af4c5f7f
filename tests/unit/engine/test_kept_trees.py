"""Trees that stay in memory: written out as from the lake, and read once."""

import pytest

from jupyter_datalake.engine import kept_trees
from jupyter_datalake.engine.kept_trees import KeptTree
from jupyter_datalake.model.paths import ROOT


@pytest.fixture
def tree(local_lake, tmp_path):
    local_lake.repos.create("code")
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "run.sh").write_text("#!/bin/sh\n" * 100)
    (source / "run.sh").chmod(0o755)
    (source / "deep" / "same").write_text("#!/bin/sh\n" * 100)
    (source / "deep" / "link").symlink_to("same")
    (source / "none").mkdir()
    local_lake.files.put_tree("code@main/", source)
    core = local_lake.core
    return core, core.snapshot(local_lake.commits.get("code"))


def everything(folder):
    return {
        str(one.relative_to(folder)): (one.lstat().st_mode, one.is_file() and one.read_bytes())
        for one in folder.rglob("*")
    }


def test_it_is_written_as_it_is_and_read_once(tree, tmp_path, monkeypatch):
    core, snapshot = tree
    snapshot.export_into(ROOT, tmp_path / "expected")
    kept = KeptTree(core, snapshot)
    kept.export_into(ROOT, tmp_path / "0")
    monkeypatch.setattr(core.blobs, "get_many", None)
    kept.export_into(ROOT, tmp_path / "1")
    for name in ("0", "1"):
        assert everything(tmp_path / name) == everything(tmp_path / "expected")
    assert [path for path, _ in kept.iter_entries("deep")] == ["deep/link", "deep/same"]


def test_a_large_tree_is_not_kept(tree, tmp_path, monkeypatch):
    core, snapshot = tree
    monkeypatch.setattr(kept_trees, "_MOST_BYTES", 1000)
    kept = KeptTree(core, snapshot)
    kept.export_into(ROOT, tmp_path / "0")
    assert kept._entries is None
    assert kept._contents == {}
    snapshot.export_into(ROOT, tmp_path / "expected")
    assert everything(tmp_path / "0") == everything(tmp_path / "expected")
