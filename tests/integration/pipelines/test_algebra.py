"""Combined inputs, from files to what programs see and write."""

import json

import pytest


def fill(runner, repo, *paths):
    if repo not in {one.name for one in runner.lake.repos.list()}:
        runner.lake.repos.create(repo)
    with runner.lake.sessions.create(repo) as session:
        for path in paths:
            session.put(path, f"{repo}/{path}")
        session.commit("fill")


def reads(repo, glob, **more):
    return {"repo": {"name": repo, "glob": glob, **more}}


def test_a_group_has_its_files_in_one_folder_per_input_and_runs_alone_when_one_changes(runner):
    fill(runner, "raw", "2025-a", "2025-b", "2026-a")
    fill(runner, "rates", "2025/x", "2025/y", "2027/x")
    runner.command(
        "years",
        "find pfs -type f | sort > list; mv list pfs/out/$(md5sum < list | cut -c1-4)",
        input={"group": [reads("raw", "/(*)-*", by="$1"), reads("rates", "/(*)", by="$1")]},
    )
    runner.run()
    assert runner.states() == {"years": ("success", "committed")}
    assert list(runner.datums("years")) == [
        "raw:/2025-a × raw:/2025-b × rates:/2025",
        "raw:/2026-a",
        "rates:/2027",
    ]
    assert sorted(runner.files("years@main").values()) == [
        "pfs/rates/2025/x\npfs/rates/2025/y\npfs/raw/2025-a\npfs/raw/2025-b\n",
        "pfs/rates/2027/x\n",
        "pfs/raw/2026-a\n",
    ]
    fill(runner, "raw", "2026-b")
    runner.run()
    assert runner.datums("years") == {
        "raw:/2025-a × raw:/2025-b × rates:/2025": ("skipped", "unchanged"),
        "raw:/2026-a × raw:/2026-b": ("success", "new"),
        "rates:/2027": ("skipped", "unchanged"),
    }


def test_a_notebook_is_told_none_for_what_an_outer_join_has_nothing_of(runner):
    fill(runner, "raw", "a.txt", "b.txt")
    fill(runner, "rates", "b")
    runner.notebook(
        "joined",
        [
            'raw = "elsewhere"\nrates = "elsewhere"\nout = "out"',
            "import json, os\n"
            "found = [raw and sorted(os.listdir(raw)), rates and sorted(os.listdir(rates))]\n"
            "open(f'{out}/{found[0][0]}', 'w').write(json.dumps(found))",
        ],
        input={
            "join": [
                reads("raw", "/(*).txt", on="$1", outer=True),
                reads("rates", "/(*)", on="$1"),
            ]
        },
    )
    runner.run()
    found = {path: json.loads(text) for path, text in runner.files("joined@main").items()}
    assert found == {"a.txt": [["a.txt"], None], "b.txt": [["b.txt"], ["b"]]}


def test_alternatives_of_one_name_are_told_apart_in_jobs_and_provenance(runner):
    fill(runner, "raw", "a")
    fill(runner, "more", "b")
    runner.command(
        "either",
        'cp pfs/x/* pfs/out/; echo "$x_COMMIT" > "pfs/out/of-$(ls pfs/x)"',
        input={"union": [reads("raw", "/*", **{"as": "x"}), reads("more", "/*", **{"as": "x"})]},
    )
    runner.run()
    heads = {repo: runner.lake.commits.get(repo).id for repo in ("raw", "more")}
    assert runner.files("either@main") == {
        "a": "raw/a",
        "b": "more/b",
        "of-a": f"{heads['raw']}\n",
        "of-b": f"{heads['more']}\n",
    }
    assert runner.job("either").inputs == {"x": heads["raw"], "x.2": heads["more"]}
    made = runner.lake.commits.get("either").provenance
    assert [(one.name, one.repo) for one in made.inputs] == [("x", "raw"), ("x.2", "more")]

    fill(runner, "more", "c")
    runner.run()
    assert runner.datums("either")["more:/c"] == ("success", "new")
    assert runner.lake.commits.get("either").provenance.inputs[1].commit_id == (
        runner.lake.commits.get("more").id
    )


@pytest.mark.everywhere
def test_a_batch_is_a_list_of_paths_to_a_notebook(runner):
    fill(runner, "raw", *(f"{number:02}.txt" for number in range(6)))
    fill(runner, "rates", "x")
    runner.notebook(
        "batched",
        [
            "raw = ['elsewhere']\nrates = []\nout = 'out'",
            "import json, os\n"
            "for one, rate in zip(raw, rates, strict=True):\n"
            "    text = open(one).read() + open(rate).read()\n"
            "    open(f'{out}/{os.path.basename(one)}', 'w').write(text)\n"
            "assert json.load(open(os.environ['DATALAKE_BATCH'])) == {'raw': raw, 'rates': rates}\n"
            "assert sorted(os.listdir('pfs/raw')) == [os.path.basename(one) for one in raw]",
        ],
        input={"cross": [reads("raw", "/*"), reads("rates", "/*")]},
        datums={"tries": 1, "batch": 4},
    )
    runner.run()
    sizes = [len(datum.inputs) for datum in runner.lake.jobs.list_datums(runner.job("batched").id)]
    assert len(sizes) >= 2
    assert sum(sizes) == 2 * 6
    assert runner.files("batched@main") == {
        f"{number:02}.txt": f"raw/{number:02}.txtrates/x" for number in range(6)
    }


def test_a_trigger_runs_what_it_held_back_and_what_is_downstream_in_a_change_of_their_own(runner):
    runner.command("upper", "cp pfs/raw/* pfs/out/", ("raw", "/*"))
    waiting = {"name": "upper", "glob": "/", "trigger": {"commits": 2}}
    runner.command("sum", "ls pfs/upper > pfs/out/names", input={"repo": waiting})
    runner.command("after", "cp pfs/sum/names pfs/out/", ("sum", "/"))
    fill(runner, "raw", "a")
    runner.run()
    assert set(runner.states()) == {"upper"}
    (wait,) = runner.lake.pipelines.waits("sum")
    assert (wait.repo, wait.commits, wait.is_met) == ("upper", 1, False)
    fill(runner, "raw", "b")
    runner.run()
    assert runner.states()["sum"] == ("success", "committed")
    assert runner.files("after@main") == {"names": "a\nb\n"}
    later = runner.lake.commits.get("sum").global_id
    assert later != runner.lake.commits.get("upper").global_id
    assert runner.lake.commits.get("after").global_id == later
    assert runner.lake.pipelines.waits("sum")[0].commits == 0
