"""Checkpoints of mounted files are not changes of a repo."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from jupyter_server.services.contents.checkpoints import Checkpoints
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from jupyter_datalake.server.checkpoints import divert


@pytest.fixture
def manager(tmp_path: Path) -> AsyncLargeFileManager:
    root = tmp_path / "root"
    for folder in ("lake/repo/deep", "lakeside"):
        (root / folder).mkdir(parents=True)
        (root / folder / "a.csv").write_text("first")
    manager = AsyncLargeFileManager(root_dir=str(root), delete_to_trash=False)
    divert(manager.checkpoints, "lake", tmp_path / "kept")
    return manager


def test_a_mounted_file_is_checkpointed_and_restored_elsewhere(
    manager: AsyncLargeFileManager, tmp_path: Path
) -> None:
    async def checkpoint_and_restore() -> None:
        made = await manager.create_checkpoint("lake/repo/deep/a.csv")
        (tmp_path / "root/lake/repo/deep/a.csv").write_text("second")
        await manager.restore_checkpoint(made["id"], "lake/repo/deep/a.csv")

    asyncio.run(checkpoint_and_restore())

    folder = tmp_path / "root/lake/repo/deep"
    assert [one.name for one in folder.iterdir()] == ["a.csv"]
    assert (folder / "a.csv").read_text() == "first"


def test_a_checkpoint_follows_a_file_that_is_renamed_and_goes_with_it(
    manager: AsyncLargeFileManager, tmp_path: Path
) -> None:
    async def rename_and_delete() -> None:
        await manager.create_checkpoint("lake/repo/deep/a.csv")
        await manager.rename("lake/repo/deep/a.csv", "lake/repo/b.csv")
        assert len(await manager.list_checkpoints("lake/repo/b.csv")) == 1
        await manager.delete("lake/repo/b.csv")

    asyncio.run(rename_and_delete())

    assert not [one for one in (tmp_path / "kept").rglob("*") if one.is_file()]


def test_files_outside_the_mount_point_keep_theirs_beside_them(
    manager: AsyncLargeFileManager, tmp_path: Path
) -> None:
    asyncio.run(manager.create_checkpoint("lakeside/a.csv"))

    assert (tmp_path / "root/lakeside/.ipynb_checkpoints/a-checkpoint.csv").exists()


def test_checkpoints_that_are_no_files_are_left_alone(tmp_path: Path) -> None:
    checkpoints = Checkpoints()
    divert(checkpoints, "lake", tmp_path)
    assert "checkpoint_path" not in vars(checkpoints)
