"""Cutting inputs of a real lake: what a datum holds, in which order, and what is looked at."""

from dataclasses import replace

import pytest

from jupyter_datalake.engine.snapshot import Snapshot, content_digest_of
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.datums import label_of, parts_of
from jupyter_datalake.model.paths import ROOT


@pytest.fixture
def lake(memory_lake):
    for repo in ("sales", "rates", "more"):
        memory_lake.repos.create(repo)
    return memory_lake


def fill(lake, repo, *paths):
    with lake.sessions.create(repo) as session:
        for path in paths:
            session.put(path, path)
        session.commit("fill")


def reads(repo, glob, **more):
    return {"repo": {"name": repo, "glob": glob, **more}}


def spec_of(given):
    return {"pipeline": "p", "command": ["true"], "input": given}


def labels(lake, given, **options):
    page = {key: options.pop(key) for key in ("after", "limit") if key in options}
    datums, _ = lake.pipelines.preview({**spec_of(given), **options}, **page)
    return [label_of(datum) for datum in datums]


SALES = ("2025-de.csv", "2025-fr.csv", "2026-de.csv", "readme")


def test_a_join_pairs_files_by_what_their_names_capture(lake):
    fill(lake, "sales", *SALES)
    fill(lake, "rates", "de/rate", "es/rate")
    joined = {
        "join": [
            reads("sales", "/*-(*).csv", on="$1"),
            reads("rates", "/(*)/rate", on="$1", outer=True),
        ]
    }
    assert labels(lake, joined) == [
        "sales:/2025-de.csv × rates:/de/rate",
        "sales:/2026-de.csv × rates:/de/rate",
        "rates:/es/rate",
    ]


def test_a_group_holds_the_matches_of_all_its_inputs(lake):
    fill(lake, "sales", *SALES)
    fill(lake, "rates", "2025", "2027")
    grouped = {"group": [reads("sales", "/(*)-*.csv", by="$1"), reads("rates", "/(*)", by="$1")]}
    assert labels(lake, grouped) == [
        "sales:/2025-de.csv × sales:/2025-fr.csv × rates:/2025",
        "sales:/2026-de.csv",
        "rates:/2027",
    ]


def test_alternatives_of_one_name_read_their_own_repo(lake):
    fill(lake, "sales", "a")
    fill(lake, "more", "b")
    either = {"union": [reads("sales", "/*", **{"as": "x"}), reads("more", "/*", **{"as": "x"})]}
    datums, _ = lake.pipelines.preview(spec_of(either))
    assert [(one.name, one.repo, one.path) for (one,) in datums] == [
        ("x", "sales", "a"),
        ("x", "more", "b"),
    ]
    assert [one.key for (one,) in datums] == ["", "x.2"]
    heads = [lake.commits.get(repo).id for repo in ("sales", "more")]
    assert [one.commit_id for (one,) in datums] == heads


def test_equal_files_of_two_alternatives_are_two_datums_with_results_of_their_own(lake):
    fill(lake, "sales", "a")
    fill(lake, "more", "a")
    either = {"union": [reads("sales", "/*", **{"as": "x"}), reads("more", "/*", **{"as": "x"})]}
    lake.pipelines.create(spec_of(either))
    planned = lake.pipelines.plan("p")
    assert [one.label for one in planned] == ["sales:/a", "more:/a"]
    assert planned[0].key != planned[1].key


def test_globs_behind_the_first_take_away(lake):
    fill(lake, "sales", "a.csv", "b.csv", "tmp/c.csv", "old/tmp/d.csv", "x.txt")
    left = reads("sales", ["/**/*.csv", "!/tmp", "!/b*"])
    assert labels(lake, left) == ["sales:/a.csv", "sales:/old/tmp/d.csv"]
    assert labels(lake, reads("sales", ["/*", "!/tmp/c.csv", "!/*.*"])) == [
        "sales:/old",
        "sales:/tmp",
    ]
    assert labels(lake, reads("sales", ["/", "!/"])) == []


def test_escaped_parentheses_are_names_and_plain_ones_capture(lake):
    fill(lake, "sales", "a (1).csv", "a 1.csv")
    assert labels(lake, reads("sales", r"/a \(*\).csv")) == ["sales:/a (1).csv"]
    assert labels(lake, reads("sales", "/a (*).csv")) == ["sales:/a (1).csv", "sales:/a 1.csv"]


def test_a_join_of_non_matching_inputs_is_no_datum_and_no_error(lake):
    fill(lake, "sales", "a.csv")
    joined = {"join": [reads("sales", "/(*).csv", on="$1"), reads("rates", "/(*)", on="$1")]}
    assert labels(lake, joined) == []


def test_pages_of_a_preview_make_up_the_whole(lake):
    fill(lake, "sales", *(f"{number:02}" for number in range(7)))
    fill(lake, "rates", "x", "y")
    crossed = {"cross": [reads("sales", "/*"), reads("rates", "/*")]}
    whole = labels(lake, crossed)
    assert len(whole) == 14
    pages, after = [], -1
    while True:
        datums, has_more = lake.pipelines.preview(spec_of(crossed), after=after, limit=5)
        pages += [label_of(datum) for datum in datums]
        after += len(datums)
        if not has_more:
            break
    assert pages == whole
    assert labels(lake, crossed, after=100) == []


def test_a_page_of_a_preview_looks_into_nothing_but_its_own_datums(lake, monkeypatch):
    fill(lake, "sales", *(f"{number:03}/x" for number in range(200)))
    looked = []
    inner = Snapshot.content_digest

    def counted(tree, path):
        looked.append(path)
        return inner(tree, path)

    monkeypatch.setattr(Snapshot, "content_digest", counted)
    assert labels(lake, reads("sales", "/*"), after=149, limit=2) == [
        "sales:/150",
        "sales:/151",
    ]
    assert looked == ["150", "151"]


def test_an_input_that_is_none_is_one_datum_without_inputs(lake):
    assert labels(lake, "none") == ["no input"]


def test_a_spec_that_cannot_be_combined_is_refused_with_its_place(lake):
    with pytest.raises(InvalidInputError, match=r"input\.join\[1\] has nothing to compare"):
        labels(lake, {"join": [reads("sales", "/(*)", on="$1"), reads("rates", "/*")]})


def test_on_needs_no_quotes_in_a_yaml_file(lake, tmp_path):
    fill(lake, "sales", *SALES)
    fill(lake, "rates", "de")
    (tmp_path / "p.yaml").write_text(
        """
        pipeline: p
        command: ["true"]
        input:
          join:
            - repo: {name: sales, glob: "/*-(*).csv", on: $1}
            - repo: {name: rates, glob: "/(*)", on: "$1", outer: yes}
        """
    )
    datums, _ = lake.pipelines.preview(tmp_path / "p.yaml")
    assert [len(datum) for datum in datums] == [2, 2]


def test_a_union_runs_when_one_of_its_repos_holds_data_and_a_cross_when_all_do(lake):
    fill(lake, "sales", "a")
    parts = [reads("sales", "/*"), reads("more", "/*")]
    for name, kind in (("either", "union"), ("both", "cross")):
        lake.pipelines.create({"pipeline": name, "command": ["true"], "input": {kind: parts}})
    assert len(lake.jobs.list(pipeline="either")) == 1
    assert lake.jobs.list(pipeline="both") == []


def test_a_batch_is_one_datum_that_is_named_by_its_ends(lake):
    fill(lake, "sales", *(f"{number:02}" for number in range(30)))
    batches, _ = lake.pipelines.preview({**spec_of(reads("sales", "/*")), "datums": {"batch": 8}})
    assert [one.path for batch in batches for one in batch] == [f"{n:02}" for n in range(30)]
    assert all([one.part for one in batch] == list(range(len(batch))) for batch in batches)
    assert {len(batch) for batch in batches[:-1]} <= {4, 5, 6, 7, 8}
    first = batches[0]
    assert label_of(first) == f"sales:/00 … sales:/{first[-1].path} ({len(first)} datums)"


def test_a_batch_of_a_cross_keeps_what_belongs_together(lake):
    fill(lake, "sales", "a", "b")
    fill(lake, "rates", "x")
    crossed = {"cross": [reads("sales", "/*"), reads("rates", "/*")]}
    ((*batch,),) = lake.pipelines.preview({**spec_of(crossed), "datums": {"batch": 9}})[0]
    assert [(one.part, one.path) for one in batch] == [(0, "a"), (0, "x"), (1, "b"), (1, "x")]
    parts = parts_of(tuple(batch))
    assert [label_of(replace(one, part=None) for one in part) for part in parts] == [
        "sales:/a × rates:/x",
        "sales:/b × rates:/x",
    ]


def test_only_names_count_where_files_come_empty(lake):
    fill(lake, "sales", "a/x", "b")
    names = reads("sales", "/*", empty_files=True)

    def digests(given):
        datums, _ = lake.pipelines.preview(spec_of(given))
        return [(one.digest, one.size_bytes) for (one,) in datums]

    before = digests(names)
    assert before != digests(reads("sales", "/*"))
    assert [size for _, size in before] == [0, 0]
    lake.files.put("sales@main/a/x", "other content")
    assert digests(names) == before
    lake.files.put("sales@main/a/y", "")
    assert digests(names)[0] != before[0]
    assert digests(names)[1] == before[1]


def test_a_large_group_is_named_by_its_ends(lake):
    fill(lake, "sales", *(f"x{number:02}" for number in range(11)))
    (label,) = labels(lake, {"group": [reads("sales", "/(x)*", by="$1")]})
    assert label == "sales:/x00 × … × sales:/x10 (11 inputs)"


def test_a_file_has_the_digest_of_its_content_whether_listed_or_looked_up(lake, tmp_path):
    (tmp_path / "a").write_text("a")
    (tmp_path / "a").chmod(0o755)
    (tmp_path / "big").write_text("x" * 300_000)
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "b").write_text("b")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("a")
    lake.files.put_tree("sales@main", tmp_path)
    tree = lake.core.snapshot(lake.commits.get("sales"))
    listed = list(tree.list(ROOT))
    assert [one.name for one in listed] == ["a", "big", "d", "empty", "link"]
    for info in listed:
        found = content_digest_of(info)
        assert found == (None if info.name == "d" else tree.content_digest(info.path))
