"""Notebooks in forked kernels: what they leave is what a kernel of their own leaves."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import nullcontext, suppress
from pathlib import Path
from unittest.mock import patch

import nbformat
import psutil
import pytest
from jupyter_client.kernelspec import KernelSpec

from jupyter_datalake.errors import ErrorKind, JobFailedError
from jupyter_datalake.jobs import forked_notebooks
from jupyter_datalake.jobs.forked_notebooks import Zygote, can_be_forked, imported_modules
from jupyter_datalake.jobs.papermill_engine import run_notebook
from jupyter_datalake.jobs.workspace import CappedLog

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only"),
]


@pytest.fixture(scope="module")
def zygote():
    made = Zygote()
    yield made
    made.close()


@pytest.fixture
def run(tmp_path, zygote):
    """Run cells, forked unless told otherwise; return the executed notebook."""

    def run(*cells, zygote=zygote, environment=None, files=None, **parameters):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        (tmp_path / "run").mkdir()
        for name, content in (files or {}).items():
            (tmp_path / "run" / name).write_text(content)
        with (
            patch.dict(os.environ),
            suppress(JobFailedError) if any(map(may_fail, cells)) else nullcontext(),
        ):
            # With it, ipykernel does not look at what is written to descriptors.
            del os.environ["PYTEST_CURRENT_TEST"]
            execute(cells, zygote, environment or {}, parameters)
        return nbformat.read(tmp_path / "executed.ipynb", 4)

    def execute(cells, zygote, environment, parameters):
        given = nbformat.v4.new_notebook(
            cells=[one if isinstance(one, dict) else cell(one) for one in cells],
            metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": ""}},
        )
        nbformat.write(given, tmp_path / "given.ipynb")
        with CappedLog(tmp_path / "log.txt") as log:
            run_notebook(
                tmp_path / "given.ipynb",
                tmp_path / "executed.ipynb",
                parameters=parameters,
                kernel="python3",
                language="python",
                folder=tmp_path / "run",
                environment=environment,
                log=log,
                zygote=zygote,
            )

    return run


def cell(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


def may_fail(one):
    """papermill runs on behind a cell that may fail, and fails the notebook in the end."""
    return not isinstance(one, str)


def fails(source):
    return cell(source, "raises-exception")


ODD = [
    "import os, sys, time, warnings, logging\nprint('out'); 1 + 1",
    "print('a', flush=True); print('b', file=sys.stderr, flush=True); print('c', end='')",
    "sys.stdout.write('no newline')",
    "from IPython.display import HTML, Image, JSON, Markdown, SVG, clear_output, display\n"
    "display(HTML('<b>x</b>'), Markdown('*x*'), JSON({'a': [1]}), 2, metadata={'m': 1})",
    "SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')",
    "handle = display('first', display_id='d'); display('between')",
    "handle.update('second')",
    "print('gone'); clear_output(); print('stays'); clear_output(wait=True); display('last')",
    "display({'text/plain': 'raw', 'application/x-own+json': {'a': 1}}, raw=True)",
    "class Odd:\n    def __repr__(self):\n        return 'odd'\n"
    "    def _repr_html_(self):\n        raise ValueError('no html')",
    fails("Odd()"),
    "class Broken:\n    def __repr__(self):\n        raise ValueError('no repr')\n",
    fails("Broken()"),
    fails("def f(x):\n    return 1 / x\n\nf(0)"),
    fails("try:\n    f(0)\nexcept ZeroDivisionError as error:\n    raise KeyError('k') from error"),
    fails("raise ExceptionGroup('several', [ValueError(1), TypeError('t')])"),
    fails("for x in range(3:\n    pass"),
    fails("unknown_name"),
    fails("raise KeyboardInterrupt"),
    fails("sys.exit(3)"),
    fails("input('name? ')"),
    fails("import getpass; getpass.getpass()"),
    fails("%no_such_magic"),
    fails("%%bash\necho out; echo err >&2; exit 3"),
    "!echo shell $((1 + 2))",
    "lines = !printf 'a\\nb\\n'\nlines",
    "%%capture kept\nprint('hidden')\n1",
    "kept.stdout",
    "%env A_VARIABLE=1\n",
    "%pwd",
    "%%writefile helper.py\ndef helped():\n    return 'helped'",
    "import helper; helper.helped()",
    "%run helper.py\nhelped()",
    "%%html\n<i>x</i>",
    "%%javascript\nelement.append('x')",
    "print?",
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.title('t')",
    "plt.show()\nplt.figure().gca().bar([1], [2])",
    "import plotly.graph_objects as go\ngo.Figure(go.Scatter(y=[1, 2])).show()",
    "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})",
    "import numpy as np\nnp.arange(3)",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
    "done = []\nasync def later():\n    await asyncio.sleep(0.01)\n    done.append(1)\n"
    "task = asyncio.create_task(later())",
    "await task\ndone",
    fails("asyncio.run(asyncio.sleep(0))"),
    fails("await asyncio.wait_for(asyncio.sleep(9), 0.01)"),
    "In[2], _, __, Out[1], len(In)",
    "%history -n 1",
    "get_ipython().execution_count, type(get_ipython()).__name__, __name__",
    "import inspect; print(inspect.getsource(f))",
    "import pickle\nclass Kept: pass\ntype(pickle.loads(pickle.dumps(Kept()))).__name__",
    "from concurrent.futures import ProcessPoolExecutor\nimport multiprocessing\n"
    "def double(x): return 2 * x\n"
    "with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context('fork')) as pool:\n"
    "    print(list(pool.map(double, [1, 2, 3])))",
    "import threading\nthread = threading.Thread(target=print, args=('from a thread',))\n"
    "thread.start(); thread.join()",
    "import subprocess\nprint('before')\nsubprocess.run(['sh', '-c', 'echo from a program'])\n"
    "os.system('echo from a shell >&2')",
    "os.write(1, b'past Python\\n')",
    "pid = os.fork()\nif not pid:\n    print('from a fork', flush=True)\n    os._exit(0)\n"
    "os.waitpid(pid, 0)[1]",
    "print('a'); display('b'); print('c', file=sys.stderr); print('d')\n'e'",
    "warnings.warn('mind this')",
    "logging.getLogger('x').warning('logged')",
    "[os.environ.get(name) for name in ('TERM', 'PAGER', 'MPLBACKEND', 'FORCE_COLOR')]",
    "os.getcwd(), sys.path[0], sys.stdout.encoding, sys.stdout.isatty(), sys.stdin.read()",
    "import signal; signal.getsignal(signal.SIGINT).__name__",
    "'é' * 3, '\\udcff'.encode('utf-8', 'surrogateescape'), b'\\x00'",
    "print('x' * 300_000)",
    "float('nan'), {1: 2}, ...",
    "import datetime; display({'application/json': {'at': 'x', 'n': 1.5}}, raw=True)",
    "import ipywidgets\nslider = ipywidgets.IntSlider(3)\nslider",
    "out = ipywidgets.Output()\nwith out:\n    print('into a widget')\nout",
    "",
    "# only a comment",
    "1;",
]


def test_outputs_are_those_of_a_kernel_of_their_own(run):
    plain = comparable(run(*ODD, zygote=None, answer=42))
    forked = comparable(run(*ODD, answer=42))
    for source, expected, found in zip(["", *map(text_of, ODD)], plain, forked, strict=True):
        assert found == expected, source


def whole_streams(outputs):
    """Join what was printed in one go and sent in pieces, as it is when a moment passes."""
    joined = []
    for one in outputs:
        if joined and one.get("name") and one.get("name") == joined[-1].get("name"):
            joined[-1]["text"] += one["text"]
        else:
            joined.append(dict(one))
    return joined


def test_what_programs_print_is_there_and_in_the_cell_that_ran_them(run):
    cell = "import subprocess\nfor _ in range(5):\n    subprocess.run(['echo', str(number)])"
    cells = [f"number = {number}\n{cell}" for number in range(20)]
    executed = run(*cells).cells
    assert [printed(one) for one in executed] == [f"{number}\n" * 5 for number in range(20)]


def test_lines_that_threads_print_at_once_stay_whole_and_in_the_order_of_each(run):
    (cell,) = run(
        "import threading\n"
        "def tell(name):\n"
        "    for number in range(200):\n"
        "        print(f'{name} {number}\\n', end='', flush=number % 3 == 0)\n"
        "threads = [threading.Thread(target=tell, args=(name,)) for name in 'abcd']\n"
        "for one in threads: one.start()\n"
        "for one in threads: one.join()"
    ).cells
    lines = [line.split() for line in printed(cell).splitlines()]
    for name in "abcd":
        assert [int(number) for one, number in lines if one == name] == [*range(200)]


def printed(cell):
    return "".join(one.text for one in cell.outputs if one.output_type == "stream")


def text_of(one):
    return one["source"] if isinstance(one, dict) else one


def comparable(notebook):
    """Return outputs and counts of all cells, without what no two runs share."""
    found = []
    for one in (one for one in notebook.cells if one.cell_type == "code"):
        outputs = whole_streams(one.get("outputs"))
        text = json.dumps([one.get("execution_count"), outputs], sort_keys=True)
        text = re.sub(r"0x[0-9a-f]{6,}", "0x", text)
        text = re.sub(r"ipykernel_\d+/\d+\.py", "ipykernel/cell.py", text)
        text = re.sub(r"IPY_MODEL_[0-9a-f]{32}|\"model_id\": \"[0-9a-f]{32}\"", "model", text)
        text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "id", text)
        found.append(json.loads(text))
    return found


def test_the_state_of_widgets_is_kept(run):
    executed = run("import ipywidgets\nipywidgets.IntSlider(3, description='kept')")
    state = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    descriptions = [one["state"].get("description") for one in state.values()]
    assert "kept" in descriptions


def result_of(notebook, number=-1):
    codes = [one for one in notebook.cells if one.cell_type == "code"]
    return "".join(
        output.get("text") or output["data"]["text/plain"] for output in codes[number].outputs
    )


def test_each_notebook_has_a_process_environment_and_folder_of_its_own(run):
    source = "import os, sys, random\nprint(os.getpid(), random.random())\nsys.leftover = 1"
    pids = {tuple(result_of(run(source)).split()) for _ in range(3)}
    assert len({pid for pid, _ in pids}) == 3
    assert len({chance for _, chance in pids}) == 3
    source = "import sys, os\nprint(hasattr(sys, 'leftover'), os.environ.get('OWN'), os.getcwd())"
    found = result_of(run(source, environment={"OWN": "yes"}))
    assert found.split()[:2] == ["False", "yes"]
    assert Path(found.split()[2]).name == "run"
    assert result_of(run(source)).split()[:2] == ["False", "None"]


def test_what_a_notebook_leaves_running_is_ended(run):
    left = result_of(
        run(
            "import subprocess, sys, os\n"
            "plain = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
            "gone = subprocess.Popen([sys.executable, '-c', 'import os, time\\n"
            "if os.fork(): os._exit(0)\\nos.setsid()\\nif os.fork(): os._exit(0)\\n"
            'open("pid", "w").write(str(os.getpid()))\\ntime.sleep(600)\'])\n'
            "gone.wait()\n"
            "while not os.path.exists('pid') or not open('pid').read(): pass\n"
            "print(plain.pid, open('pid').read())"
        )
    )
    assert not any(psutil.pid_exists(int(pid)) for pid in left.split())


def test_what_every_notebook_is_given_is_no_warning_in_its_log(run, tmp_path):
    run(cell("n = 1", "parameters"), "n", n=2, raw="pfs/raw", out="pfs/out")
    assert "raw" not in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize(
    ("source", "how"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "in cell 2"),
        ("import os; os._exit(0)", "in cell 2"),
        ("import ctypes; ctypes.string_at(0)", "in cell 2"),
    ],
)
def test_a_kernel_that_dies_is_told_and_the_next_one_lives(run, source, how):
    with pytest.raises(JobFailedError, match=f"the kernel died {how}") as failed:
        run("1", source, "2")
    assert failed.value.kind is ErrorKind.KERNEL_DIED
    assert result_of(run("1 + 1")) == "2"


@pytest.mark.logs("kernels is replaced: no kernel could be forked: the process .* is gone")
def test_a_zygote_that_was_killed_is_replaced(run, zygote):
    run("1")
    killed = zygote.process_id
    os.kill(killed, signal.SIGKILL)
    assert result_of(run("1 + 1")) == "2"
    assert zygote.process_id != killed


@pytest.mark.logs("kernels is replaced: no kernel could be forked: the process .* is gone")
def test_a_zygote_that_is_killed_takes_its_kernel_along(run):
    with pytest.raises(JobFailedError, match="the kernel died in cell 1"):
        run("import os, signal, time\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(600)")
    assert result_of(run("1 + 1")) == "2"


def test_a_zygote_and_its_kernel_end_with_who_started_them(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "from jupyter_datalake.jobs.forked_notebooks import Zygote, birth_in\n"
        "import os, pathlib, signal\n"
        "zygote = Zygote()\n"
        "connection = zygote.fork(birth_in(pathlib.Path.cwd(), []))\n"
        "print(zygote.process_id, zygote.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    said = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    for pid in map(int, said.stdout.split()):
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait(timeout=30)


@pytest.mark.logs("kernels is replaced: no kernel could be forked: a library .* started threads")
def test_a_library_that_starts_threads_when_it_is_imported_is_left_to_the_notebook(
    run, tmp_path, monkeypatch
):
    (tmp_path / "threaded.py").write_text(
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(forked_notebooks, "PRELOADED", frozenset({"threaded", "json"}))
    own = Zygote()
    try:
        source = "import threaded, threading\nprint(len(threading.enumerate()) > 1)"
        assert result_of(run("import threaded", source, zygote=own)) == "True\n"
        assert result_of(run("1 + 1", zygote=own)) == "2"
    finally:
        own.close()


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("numpy.py", "import numpy; print(numpy.OWN)", "own"),
        ("matplotlibrc", "import matplotlib; print(matplotlib.rcParams['lines.linewidth'])", "7.0"),
    ],
)
def test_files_beside_the_notebook_come_before_what_was_imported(run, name, source, expected):
    run("import numpy, matplotlib")
    content = {"numpy.py": "OWN = 'own'\n", "matplotlibrc": "lines.linewidth: 7\n"}[name]
    assert result_of(run(source, files={name: content})).strip() == expected


def test_what_is_imported_at_the_top_of_cells_is_known():
    cells = [
        "import pandas as pd, os\nfrom sklearn.linear_model import Ridge",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\n!echo import numpy",
        "def f():\n    import scipy\nfrom . import numpy\nimport pandas\nfrom plotly import (\n x)",
    ]
    assert imported_modules(cells) == ("pandas", "sklearn.linear_model", "matplotlib.pyplot")


@pytest.mark.parametrize(
    ("argv", "env", "expected"),
    [
        (["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"], {}, True),
        ([sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], {}, True),
        (
            [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            {"A": "1"},
            False,
        ),
        ([sys.executable, "-m", "ipykernel", "-f", "{connection_file}", "--pylab"], {}, False),
        (
            ["/usr/bin/another/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            {},
            False,
        ),
        (["R", "--slave", "-e", "IRkernel::main()"], {}, False),
        ([], {}, False),
    ],
)
def test_only_a_plain_kernel_of_this_interpreter_is_forked(argv, env, expected):
    assert can_be_forked(KernelSpec(argv=argv, env=env, language="python")) is expected


def test_papermill_knows_the_engine_by_its_name(tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[cell("import os, psutil\npsutil.Process(os.getppid()).cmdline()[-2]")],
        metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": ""}},
    )
    nbformat.write(notebook, tmp_path / "given.ipynb")
    command = [
        sys.executable,
        "-m",
        "papermill",
        "--engine",
        "datalake",
        "given.ipynb",
        "out.ipynb",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert "zygote" in result_of(nbformat.read(tmp_path / "out.ipynb", 4))
