"""Reopening datums: a folder to mend in by hand what failed, and publishing what was mended."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager

from jupyter_datalake.errors import AlreadyExistsError, PathNotFoundError, StateError
from jupyter_datalake.jobs.environment_cache import FOLDER, EnvironmentCache
from jupyter_datalake.jobs.environment_kernels import KERNELS_FOLDER
from jupyter_datalake.jobs.papermill_engine import execute_notebook
from jupyter_datalake.jobs.reopening import sweep_kernels
from tests.wheels import HAS_UV, offline_uv, write_ipykernel, write_tiny

CELLS = [
    'raw = "raw"\nout = "out"\nscale = 2',
    'import pathlib\ntext = pathlib.Path(raw, "a").read_text()',
    "from helper import factor",
    'value = int(text) * scale * factor\nprint("value", value)',
    'pathlib.Path(out, "result").write_text(str(value))',
]


@pytest.fixture
def failed(runner):
    """A pipeline whose fourth cell fails, for the input is no number."""
    (runner.folder / "helper.py").write_text("factor = 10\n")
    runner.put(a="twelve")
    runner.notebook("p", CELLS, ("raw", "/"), files=["helper.py"], datums={"tries": 1})
    runner.run()
    assert str(runner.job("p").state) == "failed"
    return runner


def reopened(runner, tmp_path, name="fix", **options):
    return runner.lake.jobs.reopen(runner.job("p").id, folder=tmp_path / name, **options)


def read(folder, notebook="n.ipynb"):
    return nbformat.read(folder / notebook, as_version=4)


def test_the_folder_is_what_the_datum_saw_with_the_notebook_as_far_as_it_came(failed, tmp_path):
    found = reopened(failed, tmp_path)
    folder = tmp_path / "fix"
    assert (folder / "pfs/raw/a").read_text() == "twelve"
    assert (folder / "helper.py").read_text() == "factor = 10\n"
    assert [*(folder / "pfs/out").iterdir()] == []
    node = read(folder)
    assert len(node.cells) == len(CELLS) + 1  # and the parameters of the job
    cell = node.cells[found.failed_cell]
    assert cell.source == CELLS[3]
    assert cell.outputs[-1].ename == "ValueError"
    assert 'raw = "pfs/raw"' in node.cells[1].source
    assert (found.notebook, found.pipeline, found.pipeline_version) == ("n.ipynb", "p", 1)


def test_the_folder_can_be_gone_on_with_and_what_was_mended_becomes_the_next_version(
    failed, tmp_path
):
    found = reopened(failed, tmp_path)
    folder = tmp_path / "fix"
    node = read(folder)
    node.cells[found.failed_cell].source = CELLS[3].replace("int(text)", "len(text)")
    nbformat.write(node, folder / "n.ipynb")
    (folder / "helper.py").write_text("factor = 100\n")
    execute_notebook(
        str(folder / "n.ipynb"), str(folder / "n.ipynb"), cwd=str(folder), progress_bar=False
    )
    assert (folder / "pfs/out/result").read_text() == "1200"
    published = failed.lake.jobs.publish_fix(folder)
    assert published.version == 2
    code = nbformat.reads(failed.lake.files.read("p.code@main/n.ipynb").decode(), as_version=4)
    assert [cell.source for cell in code.cells] == [
        *CELLS[:3],
        CELLS[3].replace("int(text)", "len(text)"),
        CELLS[4],
    ]
    assert all(not cell.outputs and cell.execution_count is None for cell in code.cells)
    assert "papermill" not in code.metadata
    failed.run()
    assert failed.files("p@main") == {"result": "1200"}


def test_what_mends_nothing_is_not_published(failed, tmp_path):
    reopened(failed, tmp_path)
    with pytest.raises(StateError, match="does what version 1 of 'p' does"):
        failed.lake.jobs.publish_fix(tmp_path / "fix")
    assert failed.lake.pipelines.get("p").version == 1


def test_a_fix_of_an_old_version_does_not_undo_a_newer_one(failed, tmp_path):
    reopened(failed, tmp_path)
    (tmp_path / "fix/helper.py").write_text("factor = 1\n")
    (failed.folder / "helper.py").write_text("factor = 7\n")
    failed.notebook("p", CELLS, ("raw", "/"), files=["helper.py"], datums={"tries": 1})
    with pytest.raises(StateError, match=r"'p' is at version 2 by now.* from version 1"):
        failed.lake.jobs.publish_fix(tmp_path / "fix")
    assert failed.lake.files.read("p.code@main/helper.py") == b"factor = 7\n"


def test_a_datum_that_was_skipped_is_reopened_with_what_its_result_was_made_by(runner, tmp_path):
    runner.put(a="1", b="2")
    cells = [*CELLS[:1], 'import os\nprint("saw", os.listdir(raw))']
    runner.notebook("p", cells, ("raw", "/*"))
    runner.run()
    runner.put(b="3")
    runner.run()
    datums = runner.lake.jobs.list_datums(runner.job("p").id)
    (skipped,) = [one.position for one in datums if str(one.state) == "skipped"]
    found = runner.lake.jobs.reopen(runner.job("p").id, skipped, folder=tmp_path / "old")
    assert found.failed_cell is None
    assert [one.name for one in (tmp_path / "old/pfs/raw").iterdir()] == ["a"]
    assert "saw ['a']" in read(tmp_path / "old").cells[-1].outputs[0].text


def test_a_notebook_that_never_began_is_reopened_with_the_parameters_of_the_job(
    failed, tmp_path, monkeypatch
):
    monkeypatch.setattr("jupyter_datalake.lake.jobs.read_artifact", lambda *_: None)
    reopened(failed, tmp_path)
    sources = [cell.source for cell in read(tmp_path / "fix").cells]
    assert sources[0] == CELLS[0]
    assert 'raw = "pfs/raw"' in sources[1]
    assert sources[2:] == CELLS[1:]


def test_a_command_is_run_again_by_a_script(runner, tmp_path):
    runner.put(a="one")
    script = 'echo "$PARAM_word $DATALAKE_PIPELINE" > "$out/said"; cat "$raw/a" >> "$out/said"'
    runner.command("p", script, ("raw", "/*"), parameters={"word": "it's"})
    runner.run()
    found = reopened(runner, tmp_path)
    assert found.notebook is None
    subprocess.run([tmp_path / "fix/datum.sh"], check=True)
    assert (tmp_path / "fix/pfs/out/said").read_text() == "it's p\none"


def test_nothing_is_written_over_and_nothing_half_left(failed, tmp_path):
    (tmp_path / "fix").mkdir()
    (tmp_path / "fix/mine").write_text("mine")
    with pytest.raises(AlreadyExistsError, match=r"There is something at '.*fix' already"):
        reopened(failed, tmp_path)
    assert [one.name for one in (tmp_path / "fix").iterdir()] == ["mine"]
    assert {one.name for one in tmp_path.iterdir() if one.name.startswith(".")} == set()


def test_a_folder_that_is_none_of_a_datum_is_not_published(failed, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(PathNotFoundError, match="is no folder of a reopened datum"):
        failed.lake.jobs.publish_fix(tmp_path / "other")
    found = reopened(failed, tmp_path)
    record = json.loads((tmp_path / "fix/.datalake-datum.json").read_text())
    assert record["job_id"] == found.job_id


# --- environments and mounts ---------------------------------------------------------------------


@pytest.fixture
def own(runner, tmp_path, monkeypatch):
    """A pipeline with packages of its own, whose last cell fails."""
    if not HAS_UV:
        pytest.skip("needs uv, which scripts/setup.sh installs")
    write_tiny(tmp_path / "wheels", "1.0")
    write_ipykernel(tmp_path / "wheels")
    for name, value in offline_uv(tmp_path, tmp_path / "wheels").items():
        monkeypatch.setenv(name, value)
    runner.put(a="1")
    cells = [CELLS[0], "import tiny\nprint(tiny.VALUE)", "1 / 0"]
    runner.notebook(
        "p", cells, ("raw", "/"), environment={"requirements": ["tiny"]}, datums={"tries": 1}
    )
    runner.run(workers=1)
    assert "ZeroDivisionError" in runner.job("p").message
    return runner


def kernels_of(runner):
    """Return a manager that finds what a Jupyter server with the extension does."""
    folder = runner.lake.core.work_folder / KERNELS_FOLDER
    manager = KernelSpecManager()
    manager.kernel_dirs = [*manager.kernel_dirs, str(folder)]
    return manager


def run_in(manager, node, source):
    """Run code in the kernel that a notebook names; return what it printed."""
    kernel = KernelManager(kernel_name=node.metadata.kernelspec.name, kernel_spec_manager=manager)
    kernel.start_kernel()
    client = kernel.client()
    client.start_channels()
    printed = []

    def keep(message):
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    try:
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive(source, timeout=60, output_hook=keep)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(printed).split(), is_held(manager, node)
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)


def is_held(manager, node):
    """Tell whether the environment of a kernel cannot be removed, for somebody uses it."""
    spec = manager.get_kernel_spec(node.metadata.kernelspec.name)
    wanted = json.loads(Path(spec.resource_dir, "environment.json").read_text())
    with open(Path(spec.argv[3], f"{wanted['name']}.lock"), "ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


SAY = "import os, sys, tiny\nprint(tiny.VALUE, sys.prefix == os.environ['VIRTUAL_ENV'])"


def test_a_notebook_with_packages_of_its_own_opens_with_a_kernel_that_has_them(own, tmp_path):
    reopened(own, tmp_path)
    node, manager = read(tmp_path / "fix"), kernels_of(own)
    assert run_in(manager, node, SAY) == (["1.0", "True"], True)
    assert not is_held(manager, node)
    # Somebody needed the room: it is built once more.
    EnvironmentCache(own.lake.core.work_folder / FOLDER, {}, limit_bytes=0).clean()
    assert run_in(manager, node, SAY) == (["1.0", "True"], True)


def test_its_kernel_goes_with_the_last_of_its_folders_and_is_not_published(own, tmp_path):
    reopened(own, tmp_path, "one")
    reopened(own, tmp_path, "two")
    node, manager = read(tmp_path / "two"), kernels_of(own)
    name = node.metadata.kernelspec.name
    assert name in manager.find_kernel_specs()
    shutil.rmtree(tmp_path / "one")
    sweep_kernels(own.lake.core)
    assert name in manager.find_kernel_specs()
    node.cells[-1].source = "1"
    nbformat.write(node, tmp_path / "two" / "n.ipynb")
    assert own.lake.jobs.publish_fix(tmp_path / "two").version == 2
    code = nbformat.reads(own.lake.files.read("p.code@main/n.ipynb").decode(), as_version=4)
    assert not code.metadata.get("kernelspec", {}).get("name", "").startswith("datalake-")
    assert "datalake_kernelspec" not in code.metadata
    own.run(workers=1)
    assert str(own.job("p").state) == "success"
    shutil.rmtree(tmp_path / "two")
    sweep_kernels(own.lake.core)
    assert name not in manager.find_kernel_specs()


def test_the_script_of_a_command_finds_the_programs_of_its_environment(own, tmp_path):
    environment = {"requirements": ["tiny"]}
    own.command("c", 'say-tiny > "$out/said"; false', ("raw", "/"), environment=environment)
    own.run(workers=1)
    own.lake.jobs.reopen(own.job("c").id, folder=tmp_path / "c")
    subprocess.run([tmp_path / "c" / "datum.sh"], check=False)
    assert (tmp_path / "c/pfs/out/said").read_text() == "tiny 1.0\n"


@pytest.mark.fuse
def test_lazy_inputs_are_links_into_a_mount_where_there_is_one(runner, tmp_path):
    runner.put(a="1", b="2")
    for name, glob in (("all", "/"), ("each", "/*")):
        given = {"repo": {"name": "raw", "glob": glob, "lazy": True}}
        spec = {"pipeline": name, "command": ["true"], "input": given}
        runner.lake.pipelines.apply(spec, folder=runner.folder)
    runner.run()
    jobs = runner.lake.jobs
    jobs.reopen(runner.job("all").id, folder=tmp_path / "copied")
    assert not (tmp_path / "copied/pfs/raw").is_symlink()
    runner.lake.mounts.create("raw", at=str(tmp_path / "shown"))
    try:
        jobs.reopen(runner.job("all").id, folder=tmp_path / "all")
        jobs.reopen(runner.job("each").id, 1, folder=tmp_path / "each")
        runner.put(a="changed", b="changed")
        whole = tmp_path / "all/pfs/raw"
        assert str(whole.resolve()).startswith(str(tmp_path / "shown/raw@"))
        assert {one.name: one.read_text() for one in whole.iterdir()} == {"a": "1", "b": "2"}
        one = tmp_path / "each/pfs/raw"
        assert [(found.name, found.read_text()) for found in one.iterdir()] == [("b", "2")]
        with pytest.raises(OSError, match=r"Read-only|Permission"):
            (whole / "a").write_text("mended")
    finally:
        runner.lake.mounts.stop(str(tmp_path / "shown"))


def test_paths_that_go_up_are_shown_as_the_job_showed_them(runner, tmp_path):
    runner.put(a="12")
    code = [
        "text = open('../data/raw/a').read()",
        "open('../../results/twice', 'w').write(text * 2)",
        "raise ValueError(text)",
    ]
    runner.write_notebook("p.ipynb", code)
    spec = {
        "pipeline": "p",
        "input": {"repo": {"name": "raw", "glob": "/"}},
        "notebook": "p.ipynb",
        "paths": {"../data/raw": "raw", "../../results": "out/results/"},
        "datums": {"tries": 1},
    }
    runner.lake.pipelines.create(spec, folder=runner.folder)
    runner.run()
    found = reopened(runner, tmp_path)
    working = Path(found.folder)
    assert working == tmp_path / "fix/above/run"
    assert sorted(one.name for one in (tmp_path / "fix").iterdir()) == ["above", "results"]
    assert (working / "../data/raw/a").read_text() == "12"
    (working / "../../results/twice").write_text("1212")
    assert (working / "pfs/out/results/twice").read_text() == "1212"
    assert {one.name for one in tmp_path.iterdir()} == {"lake", "work", "fix"}
    node = read(working, "p.ipynb")
    assert node.cells[found.failed_cell].source == code[2]
    node.cells[found.failed_cell].source = "pass"
    nbformat.write(node, working / "p.ipynb")
    runner.lake.jobs.publish_fix(working)
    runner.run()
    assert runner.files("p@main") == {"results/twice": "1212"}


def test_a_script_of_a_command_finds_inputs_by_their_addresses(runner, tmp_path):
    runner.put(a="one")
    code = (
        "import fsspec;"
        "text = fsspec.open('lake://raw@main/a', 'rt').open().read();"
        "fsspec.open('lake://c@main/b', 'wt').open().write(text)"
    )
    given = {"repo": {"name": "raw", "glob": "/"}}
    spec = {"pipeline": "c", "command": [sys.executable, "-c", code], "input": given}
    runner.lake.pipelines.create(spec, folder=runner.folder)
    runner.run()
    assert runner.files("c@main") == {"b": "one"}
    runner.lake.jobs.reopen(runner.job("c").id, folder=tmp_path / "c")
    environment = {**os.environ, "DATALAKE_URL": runner.lake.url}  # as in a terminal of JupyterLab
    subprocess.run([tmp_path / "c/datum.sh"], check=True, env=environment)
    assert (tmp_path / "c/pfs/out/b").read_text() == "one"


ADDRESSED = """import fsspec
text = fsspec.open("lake://raw@main/a", "rt").open().read()
with fsspec.open("lake://p@main/b", "wt") as file:
    file.write(text)
print("wrote", text)"""


@pytest.fixture
def addressed(runner, tmp_path):
    """A folder of a datum whose notebook reads and writes by address; its branch has gone on."""
    runner.put(a="as the job read it")
    runner.notebook("p", ["x = 1", ADDRESSED], ("raw", "/"))
    runner.run()
    assert runner.files("p@main") == {"b": "as the job read it"}
    reopened(runner, tmp_path)
    runner.put(a="newer")
    return runner, tmp_path / "fix"


def printed(folder, lake_url, *cells):
    """Run cells in the kernel that a Jupyter server starts for it; return what they print."""
    manager = KernelManager(kernel_name="python3")
    environment = {
        **os.environ,
        "DATALAKE_URL": lake_url,  # of the server
        "JPY_SESSION_NAME": str(folder / "n.ipynb"),
    }
    manager.start_kernel(cwd=str(folder), env=environment)
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        found = []

        def take(message):
            content = message["content"]
            found.append(content.get("text") or content.get("evalue") or "")

        for cell in cells:
            client.execute_interactive(cell, output_hook=take, timeout=60)
        return "".join(found)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_the_kernel_of_a_notebook_finds_what_the_job_found_by_the_same_addresses(addressed):
    runner, folder = addressed
    said = printed(folder, runner.lake.url, ADDRESSED)
    assert said == "wrote as the job read it\n"
    assert (folder / "pfs/out/b").read_text() == "as the job read it"
    assert runner.files("p@main") == {"b": "as the job read it"}


def test_the_kernel_of_a_notebook_has_no_lake_but_the_one_that_its_code_names(addressed):
    runner, folder = addressed
    opens = "from jupyter_datalake import Lake\nprint(Lake.open().files.read('raw@main/a'))"
    assert "no lake but its inputs: lake://raw@main/…" in printed(folder, runner.lake.url, opens)
    names = f"import os\nos.environ['DATALAKE_URL'] = {runner.lake.url + '/'!r}\n"
    assert printed(folder, runner.lake.url, names + opens) == "b'newer'\n"


def test_a_notebook_elsewhere_has_the_lake_of_its_server(addressed, tmp_path):
    runner, _ = addressed
    shown = "import fsspec\nprint(fsspec.open('lake://raw@main/a', 'rt').open().read())"
    assert printed(tmp_path, runner.lake.url, shown) == "newer\n"
