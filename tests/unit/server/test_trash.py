"""Mounted files are deleted at once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError

from jupyter_datalake.server.trash import bypass


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that passes for a mount point, and one beside it."""
    lake = tmp_path / "lake"
    for folder in (lake / "repo/deep", tmp_path / "beside"):
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("1")
    monkeypatch.setattr(os.path, "ismount", lambda path: path == str(lake))
    lake.chmod(0o555)
    yield lake
    lake.chmod(0o755)


@pytest.fixture
def manager(lake: Path) -> AsyncLargeFileManager:
    manager = AsyncLargeFileManager(root_dir=str(lake.parent), delete_to_trash=False)
    bypass(manager, "lake", str(lake))
    return manager


def test_files_and_folders_go(manager: AsyncLargeFileManager, lake: Path) -> None:
    asyncio.run(manager.delete_file("lake/repo/deep/a.csv"))
    assert not (lake / "repo/deep/a.csv").exists()

    (lake / "repo/deep/b.csv").write_text("2")
    asyncio.run(manager.delete_file("/lake/repo/deep/"))
    assert list((lake / "repo").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("lake/repo", 403, "repo cannot be deleted here: it is mounted"),
        ("lake/repo/gone.csv", 404, "does not exist: gone.csv"),
    ],
)
def test_what_cannot_be_deleted_stays(
    manager: AsyncLargeFileManager, lake: Path, path: str, status: int, said: str
) -> None:
    with pytest.raises(HTTPError) as refused:
        asyncio.run(manager.delete_file(path))
    assert refused.value.status_code == status
    assert said in str(refused.value.log_message)
    assert (lake / "repo/deep/a.csv").exists()


def test_other_files_go_where_they_went(manager: AsyncLargeFileManager, lake: Path) -> None:
    with pytest.raises(HTTPError) as refused:
        asyncio.run(manager.delete_file("beside"))  # not empty, and no trash in this test
    assert refused.value.status_code == 400
    asyncio.run(manager.delete_file("beside/a.csv"))
    assert not (lake.parent / "beside/a.csv").exists()


def test_managers_of_other_things_are_left_alone(lake: Path) -> None:
    manager = object()
    bypass(manager, "lake", str(lake))
    assert not hasattr(manager, "delete_file")
