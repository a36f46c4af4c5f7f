"""What a notebook costs: papermill as it is, beside the same papermill over forked kernels.

``python tests/benchmarks/notebooks.py`` prints the figures as JSON; `run` returns them. One
notebook after the other, in one living process, so the figures are those of one core. Processor
time is that of this process and of all that it starts.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import nbformat
import psutil
from papermill.execute import execute_notebook

from jupyter_datalake.jobs.forked_notebooks import Zygote
from jupyter_datalake.jobs.papermill_engine import FORKED

TARGET = 20
NOTEBOOKS = {
    "trivial": ["x = 1", "print(x)", "x + 1"],
    "pandas and scikit-learn": [
        "x = 1",
        "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import Ridge",
        "frame = pd.DataFrame({'a': np.arange(100.0), 'b': np.arange(100.0) * x})",
        "Ridge().fit(frame[['a']], frame['b']).score(frame[['a']], frame['b'])",
    ],
}


def run(*, rounds: int = 7) -> dict[str, object]:
    """Return seconds and processor seconds of each notebook, both ways, and their ratios."""
    figures: dict[str, object] = {
        "benchmark": "notebooks",
        "papermill": version("papermill"),
        "ipykernel": version("ipykernel"),
        "rounds": rounds,
        "target": f"{TARGET} times papermill",
    }
    zygote = Zygote()
    try:
        with tempfile.TemporaryDirectory(prefix="datalake-bench-") as folder:
            for name, cells in NOTEBOOKS.items():
                figures |= _measured(
                    name, _written(Path(folder) / "given.ipynb", cells), zygote, rounds
                )
    finally:
        zygote.close()
    return figures


def _written(place: Path, cells: list[str]) -> Path:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in cells],
        metadata={"kernelspec": {"name": "python3", "language": "python", "display_name": ""}},
    )
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, place)
    return place


def _measured(name: str, given: Path, zygote: Zygote, rounds: int) -> dict[str, object]:
    executed = given.with_name("executed.ipynb")

    def execute(**options: object) -> None:
        execute_notebook(
            str(given),
            str(executed),
            parameters={"x": 2},
            cwd=str(given.parent),
            progress_bar=False,
            **options,
        )

    plain = _costs(execute, rounds)
    forked = _costs(lambda: execute(engine_name=FORKED, zygote=zygote), rounds)
    return {
        name: {
            "papermill: s": plain[0],
            "papermill: cpu s": plain[1],
            "forked: s": forked[0],
            "forked: cpu s": forked[1],
            "times as fast": round(plain[0] / forked[0], 1),
            "times less cpu": round(plain[1] / forked[1], 1),
        }
    }


def _costs(act: Callable[[], None], rounds: int) -> tuple[float, float]:
    """Return the median of seconds and the mean of processor seconds; one round warms up."""
    act()
    taken = []
    before = _processor_s()  # once: to look at all processes takes longer than a short notebook
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    spent = (_processor_s() - before) / rounds
    return round(statistics.median(taken), 3), round(spent, 3)


def _processor_s() -> float:
    """Return what this process and its children have used, those that are gone included."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    total = 0.0
    for one in family:
        try:
            total += sum(one.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    os.environ.setdefault("JUPYTER_PLATFORM_DIRS", "1")
    json.dump(run(), sys.stdout, indent=2)
    print()
