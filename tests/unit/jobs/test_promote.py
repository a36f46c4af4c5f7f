"""Promotion: what a notebook tells about its pipeline."""

import dataclasses

import nbformat
import pytest

from jupyter_datalake.jobs.notebooks import parse_notebook
from jupyter_datalake.jobs.promote import draft_pipeline, keep_published
from jupyter_datalake.jobs.proposals import ObservedFile, PlaceRole, PlaceSource
from jupyter_datalake.model.lineage import AccessKind
from jupyter_datalake.model.pipeline_specs import parse_spec

MOUNT = "/home/ada/lake"


class Files(dict):
    """The files beside a notebook, by path."""

    def is_file(self, path):
        return path in self

    def read(self, path):
        return self[path].encode()

    def modules_below(self, folder):
        return sorted(one for one in self if one.startswith(f"{folder}/") and one.endswith(".py"))


def draft(
    *sources,
    path="/home/ada/work/upper.ipynb",
    repos=("raw", "clean", "team/sales"),
    beside=(),
    mountpoint=MOUNT,
    tagged=True,
    kernel=None,
    observed=(),
    is_kept=lambda _: False,
):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    if tagged:
        cells[0].metadata["tags"] = ["parameters"]
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel}} if kernel else {}
    node = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    parsed = parse_notebook(nbformat.writes(node).encode(), "upper.ipynb")
    return draft_pipeline(
        parsed,
        path,
        mountpoint=mountpoint,
        repos=set(repos),
        beside=Files(dict.fromkeys(beside, "") if not isinstance(beside, dict) else beside),
        observed=observed,
        is_kept=is_kept,
    )


def read(repo, *paths, branch="main"):
    return [ObservedFile(AccessKind.READ, repo, branch, path) for path in paths]


def wrote(repo, *paths, branch="main"):
    return [ObservedFile(AccessKind.WRITE, repo, branch, path) for path in paths]


def test_a_mounted_path_in_the_parameters_cell_is_an_input():
    found = draft('raw = "../lake/raw"\nout = "../lake/upper"\nn = 3  # how many')
    assert found.spec == {
        "pipeline": "upper",
        "input": {"repo": {"name": "raw", "branch": "main", "glob": "/"}},
        "notebook": "upper.ipynb",
        "parameters": {"n": 3},
    }
    assert [one.name for one in found.parameters] == ["n"]
    assert found.notes == ()


def test_the_draft_of_the_common_case_is_a_whole_spec():
    spec = parse_spec(draft('raw = "/home/ada/lake/raw"\nout = "out"').spec)
    assert spec.name == "upper"


def test_the_output_repo_names_the_pipeline():
    assert draft('raw = "../lake/raw"\nout = "../lake/shouting"').spec["pipeline"] == "shouting"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/w/Upper Case!.ipynb", "upper-case"),
        ("/w/ÄÖÜ.ipynb", "pipeline"),
        ("/w/01_load.ipynb", "01_load"),
        ("/w/" + "x" * 100 + ".ipynb", "x" * 63),
    ],
)
def test_without_an_output_repo_the_file_name_does(path, name):
    assert draft('out = "out"', path=path).spec["pipeline"] == name


def test_a_variable_of_another_name_is_kept():
    found = draft('customers = "../lake/raw"\nout = "out"')
    assert found.spec["input"]["repo"]["as"] == "customers"


def test_a_path_below_the_repo_becomes_a_glob_that_matches_just_that():
    found = draft('raw = "../lake/raw/20[24]/x"\nout = "out"')
    assert found.spec["input"]["repo"]["glob"] == r"/20\[24\]/x"
    assert found.spec["input"]["repo"]["give"] == "match"


def test_a_pinned_ref_becomes_the_branch():
    found = draft('raw = "../lake/raw@dev/x"\nout = "out"')
    assert found.spec["input"]["repo"]["branch"] == "dev"


def test_a_lake_url_is_an_input():
    found = draft('raw = "lake://raw@main/x.csv"\nout = "out"')
    place = {"name": "raw", "branch": "main", "glob": "/x.csv", "give": "match"}
    assert found.spec["input"]["repo"] == place


def test_several_inputs_are_crossed():
    found = draft('raw = "../lake/raw"\nclean = "../lake/clean"\nout = "out"')
    assert [one["repo"]["name"] for one in found.spec["input"]["cross"]] == ["raw", "clean"]


def test_a_project_and_a_folder_are_told_apart_by_the_repos_that_exist():
    assert draft('s = "../lake/team/sales/x"\nout = "out"').spec["input"]["repo"] == {
        "name": "team/sales",
        "branch": "main",
        "glob": "/x",
        "as": "s",
        "give": "match",
    }
    assert draft('r = "../lake/raw/sub"\nout = "out"').spec["input"]["repo"]["name"] == "raw"


def test_modules_beside_the_notebook_are_its_files():
    found = draft(
        'raw = "../lake/raw"\nout = "out"',
        "import helper, os\nfrom other.part import x\n%time import third\n!ls",
        beside={"helper.py", "other.py", "third.py", "unused.py"},
    )
    assert found.spec["files"] == ["helper.py", "other.py"]


def test_a_path_in_the_middle_of_the_code_is_shown_there_or_noted():
    found = draft('raw = "../lake/raw"\nout = "out"', 'open("../lake/clean/x.csv")')
    assert found.spec["input"]["cross"][1] == {
        "repo": {"name": "clean", "branch": "main", "glob": "/x.csv"}
    }
    assert found.spec["paths"] == {"../lake/clean": "clean"}
    assert [(one.repo, one.cells, one.shown_at) for one in found.places] == [
        ("raw", (1,), None),
        ("clean", (2,), "../lake/clean"),
    ]


def test_an_absolute_path_is_told_with_what_to_write_in_its_place():
    found = draft('raw = "../lake/raw"\nout = "out"', "open('/home/ada/lake/clean/x.csv')")
    assert found.notes == (
        "The absolute path /home/ada/lake/clean/x.csv in cell 2 is not there in a job: write"
        " ../lake/clean/x.csv or lake://clean@main/x.csv, which a job shows, or put it into the"
        " parameters cell",
    )
    assert "paths" not in found.spec
    assert "cross" not in found.spec["input"]


def test_an_address_in_the_middle_of_the_code_is_an_input_and_needs_no_path():
    found = draft(
        "import pandas as pd",
        "a = pd.read_csv('lake://raw@main/2026/a.csv')",
        "a.to_csv('lake://clean@main/b.csv')",
        mountpoint=None,
        tagged=False,
    )
    assert found.spec == {
        "pipeline": "clean",
        "input": {"repo": {"name": "raw", "branch": "main", "glob": "/2026/a.csv"}},
        "notebook": "upper.ipynb",
    }
    assert found.notes == ()
    assert [(one.repo, one.shown_at) for one in found.places] == [
        ("raw", "lake://raw@main"),
        ("clean", "lake://clean@main"),
    ]


def test_an_address_that_the_pipeline_does_not_write_to_is_told():
    code = "df.to_csv('lake://clean@main/b.csv')"
    found = draft("import pandas", code, is_kept=lambda repo: repo == "clean", tagged=False)
    assert found.spec["pipeline"] == "upper"
    assert any("write to lake://upper@main" in note for note in found.notes)
    assert any(
        "no repo 'new'" in note for note in draft("x = 1", "open('lake://new@main/b')").notes
    )


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("SELECT * FROM 'raw@main/2026/a.csv'", ["2026/a.csv"]),
        ("select 1 from 'lake://raw@main/a.csv' join 'raw@main/b.csv' using (id)", [""]),
        ("FROM read_csv(['raw@main/in/a.csv', 'raw@main/in/b.csv'], sep = ';')", ["in"]),
        ("FROM (SELECT * FROM\n-- the newest\n'raw@main/in/*.parquet')", ["in"]),
        ("FROM 'raw@main/it''s.csv'", ["it's.csv"]),
        ("SELECT * FROM people WHERE mail = 'ada@main/raw' -- from 'raw@main/x'", []),
        ("SELECT 'from ''raw@main/x''' /* from 'raw@main/x' */ FROM 's3://raw@main/x'", []),
    ],
)
def test_files_that_a_query_reads_are_inputs(query, read):
    found = draft("x = 1", f"%%sql people\n{query}")
    assert [(one.repo, one.path) for one in found.places] == [("raw", path) for path in read]
    assert all(one.cells == (2,) and one.shown_at == "lake://raw@main" for one in found.places)
    assert not any("no repo" in note for note in found.notes)


def test_a_query_of_a_warehouse_reads_no_files():
    cell = "%%sql --connection snow\nSELECT * FROM 'raw@main/a.csv'"
    assert draft("x = 1", cell).places == ()


def test_what_is_missing_is_noted():
    assert any("no cell tagged" in note for note in draft("x = 1", tagged=False).notes)
    assert any("no parameter 'out'" in note for note in draft('raw = "../lake/raw"').notes)
    assert any("choose the inputs" in note for note in draft('out = "out"').notes)
    assert any("no repo 'new'" in note for note in draft('new = "../lake/new"').notes)


def test_a_path_outside_the_mount_is_a_plain_parameter():
    found = draft('where = "/etc/passwd"\nalso = "../lake-secret/raw"\nout = "out"')
    assert "input" not in found.spec
    assert found.spec["parameters"] == {"where": "/etc/passwd", "also": "../lake-secret/raw"}


def test_without_a_mount_only_urls_are_found():
    found = draft('a = "../lake/raw"\nraw = "lake://raw@main"\nout = "out"', mountpoint=None)
    assert found.spec["input"]["repo"]["name"] == "raw"


def test_another_kernel_is_kept():
    assert draft('out = "out"', kernel="ir").spec["environment"] == {"kernel": "ir"}


def published(**document):
    return parse_spec({"pipeline": "upper", "notebook": "upper.ipynb", **document})


def test_a_newer_notebook_keeps_what_only_the_published_spec_says():
    spec = published(
        description="shout",
        input={
            "cross": [
                {"repo": {"name": "raw", "glob": "/*.csv"}},
                {"cron": {"name": "tick", "schedule": "@daily"}},
            ]
        },
        parameters={"size": 7, "gone": 1},
        files=["words.txt"],
        datums={"tries": 1},
        egress={"connection": "w", "table": "UPPER", "mode": "append"},
    )
    found = keep_published(
        draft(
            'raw = "../lake/raw"\nsize = 3\nnew = "x"\nout = "../lake/upper"',
            "import helper",
            beside={"helper.py"},
        ),
        spec,
    )
    again = parse_spec(found.spec)
    assert again == dataclasses.replace(
        spec, parameters={"size": 7, "new": "x"}, files=("words.txt", "helper.py")
    )
    assert {one.name: one.default for one in found.parameters} == {"size": 7, "new": "x"}


def test_inputs_follow_the_notebook_and_those_that_stay_keep_their_glob():
    spec = published(
        input={
            "cross": [
                {"repo": {"name": "raw", "glob": "/*.csv"}},
                {"repo": {"name": "team/sales", "glob": "/"}},
                {"cron": {"name": "tick", "schedule": "@daily"}},
            ]
        }
    )
    source = 'raw = "../lake/raw"\nclean = "../lake/clean"\nout = "../lake/upper"'
    assert keep_published(draft(source), spec).spec["input"] == {
        "cross": [
            {"repo": {"name": "raw", "branch": "main", "glob": "/*.csv"}},
            {"repo": {"name": "clean", "branch": "main", "glob": "/"}},
            {"cron": {"name": "tick", "schedule": "@daily"}},
        ]
    }
    none = keep_published(draft('out = "../lake/upper"'), published())
    assert "input" not in none.spec


def test_a_pipeline_that_runs_something_else_is_told_and_not_kept():
    other = parse_spec({"pipeline": "upper", "command": ["true"], "description": "not this"})
    found = keep_published(draft('raw = "../lake/raw"\nout = "../lake/upper"'), other)
    assert "description" not in found.spec
    assert any("runs something else" in note for note in found.notes)


# --- what was seen --------------------------------------------------------------------------------

MENTIONED, OBSERVED = PlaceSource.MENTIONED, PlaceSource.OBSERVED


def test_a_place_that_is_mentioned_and_observed_is_one_and_says_both():
    found = draft(
        'raw = "../lake/raw/2026"\nout = "../lake/upper"',
        observed=[*read("raw", "2026/a.csv"), *wrote("upper", "x.csv")],
        repos=("raw", "upper"),
    )
    assert [(one.role, one.repo, one.path, one.sources) for one in found.places] == [
        (PlaceRole.INPUT, "raw", "2026", (MENTIONED, OBSERVED)),
        (PlaceRole.OUTPUT, "upper", "", (MENTIONED, OBSERVED)),
    ]
    place = {"name": "raw", "branch": "main", "glob": "/2026", "give": "match"}
    assert found.spec["input"]["repo"] == place
    assert found.notes == ()


def test_what_was_read_without_being_mentioned_is_an_input_and_told():
    found = draft(
        'raw = "../lake/raw"\nout = "out"',
        observed=[*read("raw", "a.csv"), *read("team/sales", "q [1].csv", branch="dev")],
    )
    assert found.spec["input"]["cross"][1] == {
        "repo": {"name": "team/sales", "branch": "dev", "glob": r"/q \[1\].csv"}
    }
    place = found.places[1]
    assert (place.sources, place.files, place.each, place.variable) == ((OBSERVED,), 1, None, None)
    assert found.spec["paths"] == {"../lake/team/sales@dev": "sales"}
    unmounted = draft("x = 1", observed=read("raw", "a.csv"), mountpoint=None)
    assert any("seen to read raw@main/a.csv" in note for note in unmounted.notes)
    parse_spec(found.spec)


def test_many_files_of_one_folder_are_the_folder_and_a_glob_for_each():
    paths = [f"2026/{month:02}.csv" for month in range(1, 13)]
    found = draft('out = "out"', observed=read("raw", *paths, "2026/01.csv"))
    (place,) = found.places
    assert (place.path, place.files, place.each) == ("2026", 12, "/2026/*.csv")
    assert found.spec["input"]["repo"]["glob"] == "/2026"
    assert any("write glob: /2026/*.csv" in note for note in found.notes)


def test_files_of_several_folders_and_endings_are_the_folder_above_them():
    (place,) = draft('out = "out"', observed=read("raw", "a/b/1.csv", "a/c/2.csv")).places
    assert (place.path, place.each) == ("a", None)
    (place,) = draft('out = "out"', observed=read("raw", "1.csv", "2.json")).places
    assert (place.path, place.each) == ("", "/*")


def test_what_the_notebook_wrote_itself_and_unknown_repos_are_no_inputs():
    found = draft(
        'raw = "../lake/raw"\nout = "out"',
        observed=[*wrote("clean", "t.csv"), *read("clean", "t.csv"), *read("gone", "x")],
    )
    assert [(one.role, one.repo) for one in found.places] == [
        (PlaceRole.INPUT, "raw"),
        (PlaceRole.OUTPUT, "clean"),
    ]
    assert found.spec["input"]["repo"]["name"] == "raw"
    assert found.spec["pipeline"] == "clean"
    assert found.spec["paths"] == {"../lake/clean": "out"}


def test_two_places_of_one_repo_are_both_shown_and_one_input():
    found = draft('raw = "../lake/raw/a"\nout = "out"', observed=read("raw", "a/1", "b/2"))
    assert [(one.path, one.sources) for one in found.places] == [
        ("a", (MENTIONED, OBSERVED)),
        ("b/2", (OBSERVED,)),
    ]
    first, second = (one["repo"] for one in found.spec["input"]["cross"])
    assert (first["glob"], second["glob"], second["as"]) == ("/a", "/b/2", "raw_2")
    assert found.spec["paths"] == {"../lake/raw": "raw_2"}
    parse_spec(found.spec)


# --- what the code says of files -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "glob"),
    [
        ('pd.read_csv("../lake/raw/a.csv")', "/a.csv"),
        ('year = 2026\npd.read_csv(f"../lake/raw/sales/{year}.csv")', "/sales"),
        ('LAKE = "../lake"\npd.read_csv(f"{LAKE}/raw/a.csv")', "/a.csv"),
        ('LAKE = Path("..") / "lake"\nfor one in (LAKE / "raw").glob("*.csv"): ...', "/"),
        ('pd.read_csv(os.path.join("..", "lake", "raw", "a", name))', "/a"),
        ('open("../lake/raw/a/x"); open("../lake/raw/a/y")', "/a"),
        ('glob.glob("../lake/raw/a/*.csv")', "/a"),
        ('"../lake/raw/{}.csv".format(1)', "/"),
        ('%matplotlib inline\np = "../lake/" + "raw/a.csv"\npd.read_csv(p)', "/a.csv"),
    ],
)
def test_paths_are_followed_through_the_code(code, glob):
    found = draft(code, tagged=False)
    parse_spec(found.spec)
    assert found.spec["input"] == {"repo": {"name": "raw", "branch": "main", "glob": glob}}
    assert found.spec["paths"] == {"../lake/raw": "raw"}


@pytest.mark.parametrize(
    ("code", "paths"),
    [
        ('df.to_csv("../lake/clean/x.csv")', {"../lake/clean": "out"}),
        ('OUT = Path("../lake/clean")\nOUT.mkdir()\n(OUT / "x").write_text("y")',
         {"../lake/clean": "out"}),
        ('plt.savefig("plots/a.png")', {"plots": "out/plots/"}),
        ('plt.savefig("a.png")', {"a.png": "out/a.png"}),
        ('os.makedirs("models", exist_ok=True)\njoblib.dump(model, f"models/{name}.joblib")',
         {"models": "out/models/"}),
        ('fig.savefig(f"plots/{name}.png")', {"plots": "out/plots/"}),
        ('with open("../reports/all.txt", mode="w") as f: ...', {"../reports": "out/reports/"}),
        ('open("/tmp/x", "w"); print("a/b.c"); x.split(".")', None),
        ('open("out/x", "w"); open("out/deep/y", "w")', {"out": "out"}),
        ('df.to_sql("table", engine); df.to_dict("records"); pd.to_datetime("2026")', None),
    ],
)  # fmt: skip
def test_what_is_written_becomes_the_output(code, paths):
    found = draft(code, tagged=False)
    parse_spec(found.spec)
    assert found.spec.get("paths") == paths
    assert found.spec["pipeline"] == ("clean" if "clean" in code else "upper")


def test_files_whose_names_cannot_be_told_are_noted():
    found = draft('plt.savefig(f"plot-{name}.png")', tagged=False)
    assert "paths" not in found.spec
    assert any("names cannot be told" in note for note in found.notes)


def test_a_repo_in_which_people_keep_files_is_not_replaced():
    found = draft(
        'df.to_csv("../lake/clean/x.csv")', tagged=False, is_kept=lambda one: one == "clean"
    )
    assert found.spec["pipeline"] == "upper"
    assert any("'clean' holds files of people" in note for note in found.notes)
    both = draft('raw = "../lake/raw"\nout = "../lake/clean"', is_kept=lambda _: True)
    assert both.spec["pipeline"] == "clean"


def test_packages_scripts_notebooks_and_what_they_need_are_helpers():
    found = draft(
        "from features.text import words\nimport tools",
        "%run -i setup.ipynb\n!python scripts/fetch.py --all",
        'settings = json.load(open("conf/settings.json"))',
        tagged=False,
        beside={
            "features/__init__.py": "",
            "features/text.py": "from . import more",
            "features/more.py": "import deep",
            "tools.py": "import pandas, deep",
            "deep.py": "import tools",
            "unused.py": "",
            "setup.ipynb": nbformat.writes(
                nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import base")])
            ),
            "base.py": "",
            "scripts/fetch.py": "import near",
            "scripts/near.py": "",
            "conf/settings.json": "{}",
        },
    )
    assert found.spec["files"] == [
        *("base.py", "deep.py", "features/__init__.py", "features/more.py", "features/text.py"),
        *("scripts/fetch.py", "scripts/near.py", "setup.ipynb", "tools.py"),
        "conf/settings.json",
    ]


def test_cells_are_counted_as_people_count_them():
    markdown = nbformat.v4.new_markdown_cell("# Title")
    code = nbformat.v4.new_code_cell('open("../lake/raw/a.csv")')
    node = nbformat.v4.new_notebook(cells=[markdown, code])
    parsed = parse_notebook(nbformat.writes(node).encode(), "x.ipynb")
    seen = [ObservedFile(AccessKind.READ, "clean", "main", "b", code.id)]
    found = draft_pipeline(
        parsed,
        "/home/ada/work/x.ipynb",
        mountpoint=MOUNT,
        repos={"raw", "clean"},
        beside=Files(),
        observed=seen,
    )
    assert [(one.repo, one.cells) for one in found.places] == [("raw", (2,)), ("clean", (2,))]
