"""Notebooks that are promoted run unedited."""

import pytest
from click.testing import CliRunner

from jupyter_datalake.cli.main import cli
from jupyter_datalake.pipelines.templating import Source


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


# Cells as people write them, none with a cell of parameters unless it says so; the lake is mounted
# at ../lake. What each leaves in its output repo.
EVERYDAY = {
    "f-strings": (
        [
            "import pandas as pd\nLAKE = '../lake'\nyear = 2026",
            "frame = pd.read_csv(f'{LAKE}/raw/sales-{year}.csv')",
            "frame.assign(double=frame.amount * 2).to_csv('out/double.csv', index=False)",
        ],
        {"double.csv": "amount,double\n1,2\n2,4\n"},
    ),
    "pathlib": (
        [
            "from pathlib import Path\nRAW = Path('..') / 'lake' / 'raw'\nOUT = Path('results')",
            "OUT.mkdir(exist_ok=True)\nnames = sorted(one.name for one in RAW.glob('*.csv'))",
            "(OUT / 'names.txt').write_text(' '.join(names))",
        ],
        {"results/names.txt": "sales-2025.csv sales-2026.csv"},
    ),
    "another-repo": (
        [
            "import shutil\nshutil.copy('../lake/raw/sales-2025.csv', '../lake/mine/old.csv')",
        ],
        {"old.csv": "amount\n7\n"},
    ),
    "plots": (
        [
            "import os\nos.makedirs('plots', exist_ok=True)\nnumber = 3",
            "data = open('../lake/raw/sales-2026.csv').read()",
            "with open(f'plots/figure-{number}.png', 'wb') as f:\n    f.write(data.encode())",
        ],
        {"plots/figure-3.png": "amount\n1\n2\n"},
    ),
    "training": (
        [
            "import json, pickle\nclass Model(dict):\n    pass",
            "lines = open('../lake/raw/sales-2026.csv').read().split()[1:]",
            "json.dump(len(lines), open('model.json', 'w'))",
        ],
        {"model.json": "2"},
    ),
    "package": (
        [
            "from features.text import shout\nimport tools",
            "words = tools.read('../lake/raw/sales-2025.csv')",
            "open('out/words.txt', 'w').write(shout(words))",
        ],
        {"words.txt": "AMOUNT\n7\n!"},
    ),
    "run-magic": (
        [
            "%run settings.py",
            "with open('../lake/raw/sales-2025.csv') as f, open('../report.txt', 'w') as g:\n"
            "    g.write(prefix + f.read())",
        ],
        {"report.txt": "> amount\n7\n"},
    ),
    "file-beside": (
        [
            "import json\nnames = json.load(open('conf/names.json'))",
            "word = open('../lake/raw/sales-2025.csv').read(6)",
            "open('out/first.txt', 'w').write(names[0] + word)",
        ],
        {"first.txt": "adaamount"},
    ),
    "annotated": (
        [
            "raw: str = '../lake/raw'\nout: str = 'out'\nfactor: int = 3  # how much\n"
            "names: list[str] = ['a', 'b']",
            "text = ' '.join(name * factor for name in names)",
            "open(f'{out}/{len(open(raw + \"/sales-2025.csv\").read())}.txt', 'w').write(text)",
        ],
        {"9.txt": "aaa bbb"},
    ),
    "addresses": (
        [
            "import fsspec, pandas as pd",
            "sales = pd.read_csv('lake://raw@main/sales-2026.csv')",
            "with fsspec.open('lake://raw@main/sales-2025.csv', 'rt') as file:\n"
            "    old = file.read()",
            "names = fsspec.filesystem('lake').ls('raw@main', detail=False)",
            "sales.assign(twice=sales.amount * 2).to_csv('lake://addresses@main/twice.csv')",
            "with fsspec.open('lake://addresses@main/deep/names', 'wt') as file:\n"
            "    file.write(old + ' '.join(names))",
        ],
        {
            "twice.csv": ",amount,twice\n0,1,2\n1,2,4\n",
            "deep/names": "amount\n7\nraw@main/sales-2025.csv raw@main/sales-2026.csv",
        },
    ),
    "several-folders-up": (
        [
            "import os\nfrom os.path import join\nbase = os.path.join('..', '..', 'data')",
            "open('out/n.txt', 'w').write(str(len(os.listdir('../lake/raw'))))",
            "os.makedirs('../../elsewhere/deep', exist_ok=True)",
            "open('../../elsewhere/deep/x.txt', 'w').write('x')",
        ],
        {"n.txt": "2", "elsewhere/deep/x.txt": "x"},
    ),
}
BESIDE = {
    "features/__init__.py": "",
    "features/text.py": "from .marks import MARK\nshout = lambda text: text.upper() + MARK\n",
    "features/marks.py": "MARK = '!'\n",
    "tools.py": "import deep\n\n\ndef read(path):\n    return deep.read(path)\n",
    "deep.py": "import pathlib\nread = lambda path: pathlib.Path(path).read_text()\n",
    "settings.py": "prefix = '> '\n",
    "conf/names.json": '["ada"]',
}


@pytest.fixture
def promoted(runner):
    """Return the drafts of all the notebooks, published and run."""
    runner.put(**{"sales-2025.csv": "amount\n7\n", "sales-2026.csv": "amount\n1\n2\n"})
    runner.lake.repos.create("mine")
    runner.lake.files.put("mine@main/by-hand.txt", "mine")
    for name, text in BESIDE.items():
        place = runner.folder / name
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)
    for name, (cells, _) in EVERYDAY.items():
        tags = ["parameters"] if name == "annotated" else []
        runner.write_notebook(f"{name}.ipynb", cells, tags)
    drafts = {
        name: runner.lake.pipelines.promote(
            f"{name}.ipynb", root=runner.folder, mountpoint="../lake"
        )
        for name in EVERYDAY
    }
    runner.lake.pipelines.apply_all([Source(one.spec, runner.folder) for one in drafts.values()])
    runner.run()
    return drafts


def test_an_address_that_is_no_input_fails_the_datum_and_says_what_to_do(runner):
    runner.put(a="1")
    runner.lake.repos.create("other")
    runner.lake.files.put("other@main/x.csv", "x")
    code = ["import pandas as pd", "pd.read_csv('lake://other@main/x.csv')"]
    runner.write_notebook("p.ipynb", code)
    given = {"repo": {"name": "raw", "glob": "/"}}
    spec = {"pipeline": "p", "input": given, "notebook": "p.ipynb", "datums": {"tries": 1}}
    runner.lake.pipelines.create(spec, folder=runner.folder)
    runner.run()
    (datum,) = runner.lake.jobs.list_datums(runner.job("p").id)
    said = "other@main/x.csv is no input of the pipeline 'p', which reads raw@main"
    assert said in str(datum.message)


def test_everyday_notebooks_run_as_they_are(runner, promoted):
    messages = {name: runner.job(name).message for name in EVERYDAY}
    assert runner.states() == dict.fromkeys(EVERYDAY, ("success", "committed")), messages
    found = {name: runner.files(f"{name}@main") for name in EVERYDAY}
    assert found == {name: files for name, (_, files) in EVERYDAY.items()}
    for name, draft in promoted.items():
        assert [note for note in draft.notes if "holds files of people" not in note] == [], name
