"""Notebooks as datums, in real kernels."""

import json
import sys
import time

import nbformat
import pytest

from jupyter_datalake.errors import ErrorKind, JobFailedError
from jupyter_datalake.jobs.papermill_engine import run_notebook
from jupyter_datalake.jobs.workspace import CappedLog

pytestmark = pytest.mark.kernel

UPPER = [
    'raw = "../lake/raw"\nout = "out"\nsuffix = "!"',
    "from pathlib import Path\n"
    "for file in sorted(Path(raw).iterdir()):\n"
    "    text = file.read_text().upper() + suffix\n"
    "    (Path(out) / file.name).write_text(text)\n"
    "    print(file.name, text)",
]


def put(runner, **files):
    for name, text in files.items():
        runner.lake.files.put(f"raw@main/{name}", text)


def executed(runner, pipeline, datum=0):
    data = runner.lake.jobs.get_notebook(runner.job(pipeline).id, datum)
    return nbformat.reads(data.decode(), as_version=4)


def failure(runner, cells, **options):
    """Run a notebook that is expected to fail; return its job and log."""
    put(runner, a="one")
    runner.notebook("bad", cells, ("raw", "/"), **options)
    runner.run()
    job = runner.job("bad")
    assert str(job.state) == "failed"
    assert runner.files("bad@main") == {}
    return job, runner.lake.jobs.logs(job.id)[0].text


def test_the_notebook_runs_unedited_and_its_executed_copy_and_log_are_kept(runner):
    put(runner, a="one", b="two")
    runner.notebook("upper", UPPER, ("raw", "/*"), parameters={"suffix": "?"})
    runner.run()
    assert runner.files("upper@main") == {"a": "ONE?", "b": "TWO?"}
    for datum, text in ((0, "a ONE?\n"), (1, "b TWO?\n")):
        cells = executed(runner, "upper", datum).cells
        injected = next(c for c in cells if "injected-parameters" in c.metadata.get("tags", []))
        assert 'raw = "pfs/raw"' in injected.source
        assert 'suffix = "?"' in injected.source
        assert cells[-1].outputs[0].text == text
        assert cells[-1].metadata.papermill.duration >= 0
        assert text in runner.lake.jobs.logs(runner.job("upper").id, datum=datum)[0].text


def test_editing_a_comment_runs_nothing_and_editing_code_runs_everything(runner):
    put(runner, a="one", b="two")
    runner.notebook("upper", UPPER, ("raw", "/*"))
    runner.run()
    commented = [UPPER[0] + "  # loud", "# read them all\n" + UPPER[1]]
    pipeline = runner.notebook("upper", commented, ("raw", "/*"))
    runner.run()
    assert pipeline.version == 2
    assert set(runner.datums("upper").values()) == {("skipped", "unchanged")}
    assert runner.states() == {"upper": ("success", "unchanged")}
    runner.notebook("upper", [UPPER[0], UPPER[1].replace("upper", "lower")], ("raw", "/*"))
    runner.run()
    assert set(runner.datums("upper").values()) == {("success", "code changed")}
    assert runner.files("upper@main") == {"a": "one!", "b": "two!"}


def test_editing_a_helper_module_runs_what_uses_it(runner):
    put(runner, a="one")
    (runner.folder / "helper.py").write_text("def change(text):\n    return text * 2\n")
    cells = [UPPER[0], "from helper import change\n" + UPPER[1].replace(".upper()", "") + "\n"]
    cells[1] = cells[1].replace("file.read_text()", "change(file.read_text())")
    runner.notebook("twice", cells, ("raw", "/*"), files=["helper.py"])
    runner.run()
    assert runner.files("twice@main") == {"a": "oneone!"}
    (runner.folder / "helper.py").write_text("def change(text):\n    return text * 3\n")
    runner.notebook("twice", cells, ("raw", "/*"), files=["helper.py"])
    runner.run()
    assert runner.datums("twice") == {"raw:/a": ("success", "code changed")}
    assert runner.files("twice@main") == {"a": "oneoneone!"}


def test_an_error_names_the_cell_and_keeps_the_notebook_as_far_as_it_came(runner):
    job, log = failure(runner, ["x = 1", "print('before')", "1 / 0", "print('never')"])
    assert "n.ipynb, cell 3 (In [4]): " in job.message  # the third of those that people wrote
    assert "cell 3 (In [4]) failed" in log
    assert "ZeroDivisionError: division by zero" in job.message
    assert "before\n" in log
    assert "ZeroDivisionError" in log
    assert "\x1b" not in log
    sources = [cell.source for cell in executed(runner, "bad").cells]
    assert "1 / 0" in sources


def test_a_syntax_error_is_told_like_any_other(runner):
    job, _ = failure(runner, ["x = 1", "x = = 2"])
    assert "SyntaxError" in job.message


def test_n6_a_kernel_that_dies_is_told_as_such_and_others_go_on(runner):
    put(runner, a="one", b="two")
    cells = [
        'raw = ""\nout = ""',
        "import os, pathlib\n"
        "(name,) = os.listdir(raw)\n"
        "(pathlib.Path(out) / name).write_text('x')\n"
        "if name == 'a': os._exit(1)",
    ]
    runner.notebook("dies", cells, ("raw", "/*"))
    runner.run()
    job = runner.job("dies")
    assert "the kernel died in cell 2" in job.message
    assert {state for state, _ in runner.datums("dies").values()} == {"failed", "success"}
    assert runner.files("dies@main") == {}


FAILING_STARTS = """
import pathlib, sys
starts = pathlib.Path({starts!r})
starts.write_text(starts.read_text() + "x")
if len(starts.read_text()) <= {failures}:
    sys.exit("no memory")
from ipykernel.kernelapp import launch_new_instance
launch_new_instance(argv=["-f", sys.argv[1]])
"""


def start_badly(folder, monkeypatch, failures):
    """Run a notebook by a kernel whose first starts fail; return its log."""
    starts = folder / "starts"
    starts.write_text("")
    program = folder / "kernel.py"
    program.write_text(FAILING_STARTS.format(starts=str(starts), failures=failures))
    spec = folder / "share/kernels/failing/kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, str(program), "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "f", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(folder / "share"))
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('ran')")])
    nbformat.write(made, folder / "n.ipynb")
    with CappedLog(folder / "log") as log:
        try:
            run_notebook(
                folder / "n.ipynb",
                folder / "executed.ipynb",
                parameters={},
                kernel="failing",
                language="python",
                folder=folder,
                environment={},
                log=log,
            )
        finally:
            assert len(starts.read_text()) == min(failures + 1, 2)
    return (folder / "log").read_text()


def test_a_kernel_that_does_not_start_is_started_once_more(tmp_path, monkeypatch):
    log = start_badly(tmp_path, monkeypatch, failures=1)
    assert "the kernel died before its first cell" in log
    assert "ran" in log


def test_a_kernel_that_never_starts_is_told_as_such(tmp_path, monkeypatch):
    with pytest.raises(JobFailedError, match="the kernel died before its first cell") as caught:
        start_badly(tmp_path, monkeypatch, failures=2)
    assert caught.value.kind is ErrorKind.KERNEL_DIED


def test_n6_sys_exit_is_a_failure_with_its_cell(runner):
    job, _ = failure(runner, ["x = 1", "import sys; sys.exit(3)"])
    assert "SystemExit" in job.message


def test_n5_without_a_parameters_cell_the_values_come_first_and_the_log_says_so(runner):
    put(runner, a="one")
    cells = ["import os\nopen(f'{out}/x', 'w').write(','.join(os.listdir(raw)))"]
    runner.notebook("bare", cells, ("raw", "/"), tags=())
    runner.run()
    assert runner.files("bare@main") == {"x": "a"}
    log = runner.lake.jobs.logs(runner.job("bare").id)[0].text
    assert "no cell tagged 'parameters'" in log


def test_n4_a_parameter_is_a_value_and_never_code(runner):
    put(runner, a="one")
    evil = '"); import os; os.system("touch /tmp/pwned"); ("\n__import__("os")'
    cells = ['out = ""\ntext = ""', "open(f'{out}/x', 'w').write(text)"]
    runner.notebook("evil", cells, ("raw", "/"), parameters={"text": evil})
    runner.run()
    assert runner.files("evil@main") == {"x": evil}


def test_n15_a_notebook_that_asks_for_input_fails_instead_of_waiting(runner):
    job, _ = failure(runner, ["x = 1", "input('your name?')"])
    assert "StdinNotImplementedError" in job.message


def test_a_notebook_without_end_is_stopped_with_its_kernel_and_its_log_kept(runner):
    cells = ["x = 1", "import os, time\nprint('pid', os.getpid(), flush=True)\ntime.sleep(1000)"]
    job, log = failure(runner, cells, datums={"tries": 1, "timeout": "8s"})
    assert "stopped after its 8 s" in job.message
    pid = int(log.split("pid ")[1].split()[0])
    for _ in range(50):
        try:
            with open(f"/proc/{pid}/stat") as file:
                state = file.read().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            break
        if state == "Z":
            break
        time.sleep(0.1)
    else:
        pytest.fail(f"kernel {pid} is still alive")


def test_n15_a_notebook_in_a_kernel_that_is_not_there_is_refused_when_it_is_published(runner):
    put(runner, a="one")
    with pytest.raises(Exception, match="no Jupyter kernel 'cobol'"):
        runner.notebook("p", UPPER, ("raw", "/"), environment={"kernel": "cobol"})
    assert runner.lake.pipelines.list() == []


def test_what_is_displayed_is_kept_in_the_executed_notebook(runner):
    put(runner, a="one")
    cells = [
        'out = ""',
        "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
        "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'))",
    ]
    runner.notebook("shown", cells, ("raw", "/"))
    runner.run()
    outputs = [out for cell in executed(runner, "shown").cells for out in cell.get("outputs", [])]
    assert "text/html" in outputs[0].data
    assert outputs[1].data["text/html"] == "<b>x</b>"


def test_the_environment_lock_is_published_with_the_code(runner):
    put(runner, a="one")
    runner.notebook("upper", UPPER, ("raw", "/"))
    lock = json.loads(runner.lake.files.read("upper.code@main/environment.lock.json"))
    assert lock["kernel"] == "python3"
    assert lock["packages"]["papermill"]
    assert "pipeline: upper" in runner.lake.files.read("upper.code@main/pipeline.yaml").decode()


FLOODS = {
    "one line of 300 MiB": "print('x' * (300 << 20))",
    "a result of 100 MiB": "'x' * (100 << 20)",
    "lines without end": "for _ in range(3000):\n    print('x' * (1 << 16))",
    "11,000 displays": "for number in range(11_000):\n    display(number)",
}


@pytest.mark.parametrize(
    ("flood", "fork"),
    [*((flood, True) for flood in FLOODS.values()), (FLOODS["a result of 100 MiB"], False)],
    ids=[*FLOODS, "started kernel"],
)
def test_n8_a_flood_of_output_is_cut_with_a_notice_and_the_notebook_goes_on(runner, flood, fork):
    put(runner, a="one")
    cells = ["raw = out = ''", flood, "open(out + '/done', 'w').write('yes')"]
    runner.notebook("floods", cells, ("raw", "/"), environment={"fork": fork})
    runner.run()
    job = runner.job("floods")
    assert (str(job.state), job.message) == ("success", "")
    assert runner.files("floods@main") == {"done": "yes"}
    data = runner.lake.jobs.get_notebook(job.id)
    assert len(data) < 100 << 20
    assert b"the outputs end here" in data or b"MiB was left out" in data
