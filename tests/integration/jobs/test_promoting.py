"""Notebooks that are promoted run unedited."""

from click.testing import CliRunner

from jupyter_datalake.cli.main import cli


def test_notebooks_promoted_together_run_as_they_are(runner):
    """One reads a file of a repo and writes to the disk; the other reads that by its path."""
    runner.put(**{"sales.csv": "1\n2\n3\n"})
    runner.write_notebook(
        "total.ipynb",
        [
            'sales = "lake://raw@main/sales.csv"\nout = "data/total"\nfactor = 2',
            "total = factor * sum(map(int, open(sales)))",
            'open(f"{out}/total.txt", "w").write(str(total))',
        ],
    )
    runner.write_notebook(
        "report.ipynb",
        [
            'number = "data/total/total.txt"\nout = "data/report"',
            "text = open(number).read()",
            'open(f"{out}/report.md", "w").write(f"The total is {text}")',
        ],
    )
    notebooks = [str(runner.folder / name) for name in ("report.ipynb", "total.ipynb")]
    url = ["--lake", runner.lake.url]
    done = CliRunner().invoke(cli, [*url, "pipelines", "promote", "--write", *notebooks])
    assert done.exit_code == 0, done.output
    assert [line.rpartition("/")[2] for line in done.output.splitlines()] == [
        "total.yaml",
        "report.yaml",
    ]
    again = CliRunner().invoke(cli, [*url, "pipelines", "promote", "--write", *notebooks])
    assert "already: move it away first" in again.output
    runner.lake.pipelines.apply_all(runner.folder)
    runner.run()
    assert runner.files("report@main") == {"report.md": "The total is 12"}
