"""What a kernel reads without FUSE, by the library and in a checkout, is known afterwards."""

from pathlib import Path

import pytest

from tests.integration.mount.conftest import NOTEBOOK, session_of, wait_until


def opened(lake):
    return {
        (one.path, str(one.kind), str(one.seen_by), one.observer.cell)
        for one in lake.lineage.observed(notebook=NOTEBOOK)
    }


@pytest.mark.kernel
@pytest.mark.usefixtures("checkouts")
def test_reads_of_a_notebook_are_those_of_its_cells(lake, point, monkeypatch, request):
    monkeypatch.setenv("DATALAKE_URL", lake.url)
    notebook = request.getfixturevalue("notebook")  # its kernel has the variable
    lake.files.put("raw@main/a.csv", "x\n1\n")
    lake.files.put("raw@main/b.csv", "x\n2\n")
    raw = Path(lake.mounts.create("raw", at=point).path)
    head = lake.commits.get("raw", "main").id
    notebook("setup", "%load_ext jupyter_datalake")
    notebook("open", "import jupyter_datalake as dl; lake = dl.Lake.open()")
    notebook("reader", "for _ in range(3): lake.files.read('raw@main/a.csv')")
    notebook("fsspec", "import pandas as pd; pd.read_csv('lake://raw@main/b.csv')")
    notebook("put", "lake.files.put('raw@main/c.csv', 'c')")
    notebook("kernel", f"import pandas as pd; pd.read_csv({str(raw / 'b.csv')!r})")
    notebook("write", f"open({str(raw / 'd.csv')!r}, 'w').write('d')")
    expected = {
        ("a.csv", "read", "reader", "reader"),
        ("b.csv", "read", "reader", "fsspec"),
        ("c.csv", "write", "reader", "put"),
        ("b.csv", "read", "kernel", "kernel"),
        ("d.csv", "write", "kernel", "write"),
    }
    notebook("own", f"import os; os.environ['DATALAKE_MOUNTPOINT'] = {point!r}")
    notebook("magic", "folder = %datalake session raw\nassert folder.joinpath('a.csv').exists()")
    shown = [f"{raw}", f"{raw}@main+analysis"]
    wait_until(lambda: [one.path for one in lake.mounts.list()] == shown)
    wait_until(lambda: expected <= opened(lake))
    assert opened(lake) == expected
    found = {(one.path, str(one.seen_by)): one for one in lake.lineage.observed("raw")}
    assert (found["a.csv", "reader"].opens, found["a.csv", "reader"].session_id) == (3, None)
    assert found["d.csv", "kernel"].session_id == session_of(lake)
    assert {one.commit_id for key, one in found.items() if key[0] in "a.csv b.csv"} == {head}
    assert found["a.csv", "reader"].observer.kernel_id
