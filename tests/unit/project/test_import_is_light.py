"""`import jupyter_datalake` is what every Jupyter server pays when it starts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

HEAVY = {
    "IPython", "alembic", "blake3", "boto3", "dask", "duckdb", "fsspec", "hypothesis", "ipywidgets",
    "jsonschema",
    "jupyter_client", "jupyter_server", "msgpack", "nbformat", "numpy", "pandas", "papermill",
    "pyarrow", "pyfuse3", "pytest", "sqlalchemy", "sqlite3", "tornado", "trio", "yaml", "zstandard",
}  # fmt: skip


def loaded_by(program):
    listing = f"{program}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", listing], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import jupyter_datalake") & HEAVY == set()


@pytest.mark.parametrize(
    "program",
    [
        "import jupyter_datalake.errors, jupyter_datalake.config, jupyter_datalake.environment",
        "import jupyter_datalake; jupyter_datalake.DatalakeError; jupyter_datalake.ErrorKind",
        "import jupyter_datalake; dir(jupyter_datalake); repr(jupyter_datalake)",
        "import jupyter_datalake.testing.fixtures",
    ],
)
def test_looking_at_names_and_errors_loads_nothing_heavy(program):
    heavy = HEAVY - {"pytest"} if "fixtures" in program else HEAVY
    assert loaded_by(program) & heavy == set()


def test_opening_a_lake_loads_neither_the_web_nor_notebooks_nor_warehouses():
    loaded = loaded_by(
        "import jupyter_datalake as dl\n"
        "with dl.Lake.create('memory:') as lake:\n"
        "    lake.repos.create('raw')\n"
        "    lake.files.put('raw@main/x', 'hello')\n"
        "    assert lake.files.read('raw@main/x') == b'hello'"
    )
    assert loaded & {
        "tornado", "jupyter_server", "papermill", "nbformat", "duckdb", "pandas", "pyarrow",
        "pyfuse3", "trio", "boto3", "dask",
    } == set()  # fmt: skip


def test_commands_load_nothing_of_warehouses_and_notebooks_before_they_need_it():
    modules = [
        f"jupyter_datalake.cli.{file.stem}"
        for file in sorted((ROOT / "jupyter_datalake" / "cli").glob("*.py"))
        if file.stem not in {"__init__", "controller"}  # which runs jobs
    ]
    assert "jupyter_datalake.cli.jobs" in modules
    loaded = loaded_by(f"import {', '.join(modules)}")
    assert loaded & {"duckdb", "pandas", "pyarrow", "papermill", "nbformat", "pyfuse3"} == set()
