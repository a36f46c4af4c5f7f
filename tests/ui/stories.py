"""Lakes for the browser tests, made with the Python library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jupyter_datalake import Lake

ROOT = Path(__file__).resolve().parents[2]


def customers(root: Path, url: Path) -> None:
    """Make one repo with two commits, and a notebook that can be promoted."""
    lake = Lake.create(str(url))
    lake.repos.create("customers", description="who buys from us")
    lake.repos.create("calendar", description="days on which nobody buys")
    table = "customers@main/customers.csv"
    lake.files.put(table, "id,name\n1,Ada\n", message="First customer")
    lake.files.put(table, "id,name\n1,Ada\n2,Grace\n3,Edsger\n", message="Two more customers")
    lake.files.put("customers@main/notes/readme.txt", "hello\n", message="Say hello")
    lake.close()
    nbformat.write(_counting(), root / "count.ipynb")


def churn(root: Path, url: Path) -> None:
    """Run the churn story to its end, twice."""
    import sys

    sys.path.insert(0, str(ROOT / "scripts"))
    import demo

    demo.DEMO, demo.LAKE, demo.ROOT = url.parent, url, root
    demo.WAREHOUSE = url.parent / "warehouse.duckdb"
    lake = demo.open_lake()
    demo.publish(lake)
    demo.first_run(lake)
    demo.second_run(lake)
    lake.close()


def _counting() -> nbformat.NotebookNode:
    """Return a notebook that counts the lines of files."""
    return new_notebook(
        cells=[
            new_markdown_cell("# Count"),
            new_code_cell(
                'customers = "lake/customers"  # CSV files\n'
                "factor = 2  # what counts are multiplied by\n"
                "verbose = True  # whether to print\n"
                'out = "out/counts"',
                metadata={"tags": ["parameters"]},
            ),
            new_code_cell(
                "from pathlib import Path\n"
                "Path(out).mkdir(parents=True, exist_ok=True)\n"
                'for path in sorted(Path(customers).rglob("*.csv")):\n'
                "    lines = len(path.read_text().splitlines()) - 1\n"
                "    if verbose:\n"
                '        print(f"{path.name}: {lines * factor}")\n'
                '    Path(out, path.name).write_text(f"lines\\n{lines * factor}\\n")'
            ),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )


STORIES: dict[str, Callable[[Path, Path], None]] = {"customers": customers, "churn": churn}
