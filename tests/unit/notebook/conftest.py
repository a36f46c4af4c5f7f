"""An IPython shell in this process, with the extension, and a lake with some history."""

import atexit

import pytest
from IPython.core.interactiveshell import InteractiveShell

from jupyter_datalake.lake.filesystem import LakeFileSystem
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.notebook import extension


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """Three versions of a note and of a table; the second one is tagged."""
    monkeypatch.setenv("DATALAKE_OBSERVE", "0")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Lake.create(str(tmp_path / "lake")) as lake:
        monkeypatch.setenv("DATALAKE_URL", lake.url)
        lake.repos.create("raw")
        for version in (1, 2, 3):
            with lake.transaction(f"Version {version}") as tx:
                tx.put("raw@main/note.txt", f"note {version}\n")
                tx.put("raw@main/table.csv", f"a,b\n{version},x\n")
            if version == 2:
                lake.refs.create_tag("raw", "v2", at="main")
        yield lake
        for filesystem in LakeFileSystem._cache.values():
            filesystem.lake.close()
        LakeFileSystem.clear_instance_cache()


@pytest.fixture
def shell(lake, tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    shell.history_manager.enabled = False
    extension.load(shell)
    yield shell
    extension.unload(shell)
    shell.reset()
    shell.atexit_operations()
    atexit.unregister(shell.atexit_operations)
    InteractiveShell.clear_instance()


@pytest.fixture
def run(shell):
    """Run a cell and return its value; what it raises is raised."""

    def do(cell):
        result = shell.run_cell(cell, store_history=False)
        result.raise_error()
        return result.result

    return do
