"""What kernels, and the programs they start, open through a mount is known afterwards."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.mount.conftest import NOTEBOOK, commit, session_of, wait_until

pytestmark = pytest.mark.fuse


def opened(lake, **wanted):
    return {
        (one.path, str(one.kind), one.observer.notebook, one.observer.cell)
        for one in lake.lineage.observed(**wanted)
    }


@pytest.mark.kernel
def test_opens_are_those_of_a_notebook_and_its_cell(notebook, lake, point):
    lake.files.put("raw@main/a.csv", "a")
    lake.files.put("raw@main/b.csv", "b")
    raw = Path(lake.mounts.create("raw", at=point).path)
    session = session_of(lake)
    base = lake.commits.get("raw", "main").id
    notebook("setup", "%load_ext jupyter_datalake")
    notebook("read-a", f"for _ in range(3): open({str(raw / 'a.csv')!r}).read()")
    notebook("read-b", f"import subprocess; subprocess.run(['cat', {str(raw / 'b.csv')!r}])")
    notebook("write", f"open({str(raw / 'c.csv')!r}, 'w').write('c')")
    notebook("leave", "%unload_ext jupyter_datalake")
    notebook("unknown", f"open({str(raw / 'a.csv')!r}).read()")
    subprocess.run(["cat", raw / "b.csv"], check=True, capture_output=True)
    lake.mounts.stop(point)

    assert opened(lake, notebook=NOTEBOOK) == {
        ("a.csv", "read", NOTEBOOK, "read-a"),
        ("b.csv", "read", NOTEBOOK, "read-b"),
        ("c.csv", "write", NOTEBOOK, "write"),
        ("a.csv", "read", NOTEBOOK, None),
    }
    assert ("b.csv", "read", None, None) in opened(lake)
    found = {
        (one.path, one.observer.cell, one.observer.notebook): one
        for one in lake.lineage.observed("raw", session=session)
    }
    read = found["a.csv", "read-a", NOTEBOOK]
    assert (read.opens, read.commit_id, read.session_id) == (3, base, session)
    assert read.observer.kernel_id
    assert "ipykernel" in read.observer.command
    assert found["b.csv", "read-b", NOTEBOOK].observer.command.startswith("cat ")
    assert found["b.csv", "read-b", NOTEBOOK].observer.kernel_id == read.observer.kernel_id


def test_what_is_opened_is_recorded_while_the_mount_goes_on(lake, raw):
    (raw / "x").write_text("1")
    wait_until(lambda: opened(lake) == {("x", "write", None, None)})
    commit(lake)
    assert (raw / "x").read_text() == "1"
    wait_until(lambda: ("x", "read", None, None) in opened(lake))
    read = next(one for one in lake.lineage.observed("raw") if one.kind == "read")
    assert read.commit_id == lake.commits.get("raw", "main").id
    assert read.observer.pid == os.getpid()
    with pytest.raises(LookupError):
        lake.lineage.observed("nowhere")
