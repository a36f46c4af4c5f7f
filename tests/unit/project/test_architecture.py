"""The layers hold: import-linter's contracts, read from pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_contract_on_imports_is_kept():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports; exit(lint_imports(no_cache=True))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_its_layer():
    import tomllib

    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    layers = configuration["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {room.strip() for layer in layers for room in layer.split("|")}
    # The test kit may use everything and the version nothing; the rest has a place.
    exempt = {"__init__", "_version", "testing"}
    rooms = {
        path.stem
        for path in (ROOT / "jupyter_datalake").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - exempt == named


def test_faults_and_invariants_can_be_used_without_pytest_or_hypothesis():
    program = """
import sys
import jupyter_datalake.testing, jupyter_datalake.testing.clocks
import jupyter_datalake.testing.faults, jupyter_datalake.testing.invariants
assert not {"pytest", "hypothesis"} & set(sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
