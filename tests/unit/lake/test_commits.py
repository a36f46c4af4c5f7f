"""`lake.commits`: merging, reverting and picking, and finding commits again."""

import os
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_datalake.engine import logs
from jupyter_datalake.engine.nodes import NodeCache
from jupyter_datalake.errors import (
    ConflictError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.merging import ClashKind, FastForward, MergeOutcome
from jupyter_datalake.model.paths import is_within
from jupyter_datalake.model.repos import RepoKind
from jupyter_datalake.testing.clocks import ManualClock
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    yield memory_lake
    check_lake(memory_lake)


def put(lake, branch, **files):
    """Commit some files to a branch; None removes one."""
    with lake.sessions.create("raw", branch) as session:
        for path, content in files.items():
            if content is None:
                session.delete(path)
            else:
                session.put(path, content)
        return session.commit(f"Change {', '.join(files)}")


@pytest.fixture
def parted(lake):
    """Two branches that went their ways, and meet on the file `both`."""
    put(lake, "main", base="0", both="0")
    lake.refs.create_branch("raw", "dev")
    put(lake, "main", ours="1", both="main")
    put(lake, "dev", theirs="2", both="dev")
    return lake


def tree(lake, branch="main"):
    return {
        path: (found or b"").decode() for path, found in contents_of(lake, "raw", branch).items()
    }


def moved_events(lake):
    events = lake.events.list(limit=1000)
    return [event for event in events if event.kind is EventKind.REF_MOVED]


def test_a_merge_joins_both_sides_and_has_two_parents(lake):
    put(lake, "main", base="0", gone="0")
    lake.refs.create_branch("raw", "dev")
    ours = put(lake, "main", ours="1")
    theirs = put(lake, "dev", theirs="2", gone=None)
    report = lake.commits.merge("raw", "dev")
    assert report.outcome is MergeOutcome.MERGED
    assert report.commit.parents == (ours.id, theirs.id)
    assert report.commit.message == "Merge dev into main"
    assert (report.ours_commit_id, report.theirs_commit_id) == (ours.id, theirs.id)
    assert report.base_commit_id == lake.commits.get("raw", "main~2").id
    assert tree(lake) == {"base": "0", "ours": "1", "theirs": "2"}
    assert tree(lake, "dev") == {"base": "0", "theirs": "2"}
    assert lake.commits.get("raw", "main^2").id == theirs.id
    assert moved_events(lake)[-1].details["commit"] == report.commit.id
    again = lake.commits.merge("raw", "dev")
    assert (again.outcome, again.commit.id) == (MergeOutcome.UP_TO_DATE, report.commit.id)
    # What came from the merge is no difference when the other side merges back.
    back = lake.commits.merge("raw", "main", into="dev")
    assert (back.outcome, back.commit.id) == (MergeOutcome.FAST_FORWARD, report.commit.id)


def test_a_merge_that_meets_is_refused_and_lists_the_paths(parted):
    before = {ref.name: ref.commit_id for ref in parted.refs.list("raw")}
    with pytest.raises(ConflictError) as caught:
        parted.commits.merge("raw", "dev")
    assert caught.value.kind is ErrorKind.PATHS_CONFLICT
    assert caught.value.context["paths"] == ["both"]
    assert caught.value.context["count"] == 1
    assert caught.value.context["conflicts"][0]["kind"] == "both-modified"
    assert {ref.name: ref.commit_id for ref in parted.refs.list("raw")} == before
    assert tree(parted) == {"base": "0", "ours": "1", "both": "main"}


@pytest.mark.parametrize(
    ("choices", "both"),
    [
        ({"both": "ours"}, "main"),
        ({"both": "theirs"}, "dev"),
        ({"/": "theirs"}, "dev"),
        ({"b*": "theirs"}, "dev"),
        ({"/x/**": "ours", "/**": "theirs"}, "dev"),
        ({"both": "raw@main~1/base"}, "0"),
        ({"other": "ours", "both": "theirs", "/**": "ours"}, "dev"),
    ],
)
def test_what_meets_becomes_what_is_chosen(parted, choices, both):
    report = parted.commits.merge("raw", "dev", choices=choices, message="chosen")
    assert report.commit.message == "chosen"
    assert tree(parted) == {"base": "0", "ours": "1", "theirs": "2", "both": both}


@pytest.mark.parametrize(
    ("choices", "error"),
    [
        ({"both": "mine"}, InvalidInputError),
        ({"[": "ours"}, InvalidInputError),
        ({"both": "raw@main/nowhere"}, NotFoundError),
        ({"both": "raw@nowhere/base"}, NotFoundError),
        ({"elsewhere": "ours"}, ConflictError),
    ],
)
def test_a_choice_that_means_nothing_changes_nothing(parted, choices, error):
    before = history_of(parted, "raw")
    with pytest.raises(error):
        parted.commits.merge("raw", "dev", choices=choices)
    assert history_of(parted, "raw") == before


def test_a_dry_run_says_what_would_change_and_changes_nothing(parted):
    before = parted.maintenance.get_status()
    report = parted.commits.merge("raw", "dev", dry_run=True)
    assert (report.outcome, report.commit) == (MergeOutcome.CONFLICTS, None)
    assert [(one.kind, one.path) for one in report.changes] == [("added", "theirs")]
    (conflict,) = report.conflicts
    assert (conflict.path, conflict.kind) == ("both", ClashKind.BOTH_MODIFIED)
    assert conflict.base.digest not in {conflict.ours.digest, conflict.theirs.digest}
    chosen = parted.commits.merge("raw", "dev", choices={"both": "theirs"}, dry_run=True)
    assert (chosen.outcome, chosen.conflicts) == (MergeOutcome.MERGED, ())
    assert [one.path for one in chosen.changes] == ["both", "theirs"]
    short = parted.commits.merge("raw", "dev", choices={"/": "theirs"}, dry_run=True, limit=1)
    assert ([one.path for one in short.changes], short.has_more) == (["both"], True)
    assert parted.maintenance.get_status() == before


def test_a_dry_run_reads_no_more_than_the_smaller_side_and_what_it_lists(lake, monkeypatch):
    names = [f"d{number // 100:02}/{number % 100:02}" for number in range(5000)]
    put(lake, "main", **dict.fromkeys(names, "0"))
    lake.refs.create_branch("raw", "dev")
    put(lake, "dev", **dict.fromkeys(names, "1"))
    put(lake, "main", **{"d25/00": "2", "mine": "2"})
    loads = []
    load = NodeCache.load
    monkeypatch.setattr(
        NodeCache, "load", lambda self, digest: loads.append(digest) or load(self, digest)
    )
    report = lake.commits.merge("raw", "dev", dry_run=True, limit=3)
    assert ([one.path for one in report.changes], report.has_more) == (names[:3], True)
    assert [(one.path, one.kind) for one in report.conflicts] == [
        ("d25/00", ClashKind.BOTH_MODIFIED)
    ]
    few = len(loads)
    loads.clear()
    whole = lake.commits.merge("raw", "dev", dry_run=True)
    assert [one.path for one in whole.changes] == [name for name in names if name != "d25/00"]
    assert whole.conflicts == report.conflicts
    assert few < len(loads) / 3


@pytest.mark.parametrize("renames", [False, True])
def test_files_whose_time_alone_differs_are_not_listed(lake, tmp_path, renames):
    for name in ("content", "mode", "time", "time-and-mode"):
        (tmp_path / name).write_text("same")
        (tmp_path / name).chmod(0o644)
    lake.files.put_tree("raw@main/", tmp_path)
    lake.refs.create_branch("raw", "old")
    lake.files.delete("raw@main/time")  # what is there already keeps its time
    (tmp_path / "content").write_text("other")
    for name in ("mode", "time-and-mode"):
        (tmp_path / name).chmod(0o755)
    for name in ("time", "time-and-mode"):
        os.utime(tmp_path / name, (1, 1))
    lake.files.put_tree("raw@main/", tmp_path)
    assert lake.files.get("raw@main/time").mtime_ns == 10**9
    changes = lake.commits.diff("raw", "old", renames=renames)
    assert [one.path for one in changes] == ["content", "mode", "time-and-mode"]
    behind = lake.commits.diff("raw", "old", after="mode", renames=renames)
    assert [one.path for one in behind] == ["time-and-mode"]
    planned = lake.commits.merge("raw", "main", into="old", dry_run=True)
    assert planned.outcome is MergeOutcome.FAST_FORWARD
    assert [one.path for one in planned.changes] == ["content", "mode", "time-and-mode"]


def test_a_branch_with_nothing_of_its_own_moves_on_unless_told_otherwise(lake):
    put(lake, "main", a="0")
    lake.refs.create_branch("raw", "dev")
    theirs = put(lake, "dev", b="1")
    planned = lake.commits.merge("raw", "dev", dry_run=True)
    assert planned.outcome is MergeOutcome.FAST_FORWARD
    assert [one.path for one in planned.changes] == ["b"]
    lake.refs.create_branch("raw", "joined")
    never = lake.commits.merge("raw", "dev", into="joined", fast_forward="never")
    assert never.outcome is MergeOutcome.MERGED
    assert never.commit.parents == (lake.commits.get("raw").id, theirs.id)
    report = lake.commits.merge("raw", "dev", fast_forward=FastForward.ONLY)
    assert (report.outcome, report.commit.id) == (MergeOutcome.FAST_FORWARD, theirs.id)
    assert lake.commits.get("raw").id == theirs.id
    assert lake.refs.list_moves("raw", name="main")[0].reason.startswith("fast-forward")
    event = moved_events(lake)[-1]
    assert event.details["commit"] == theirs.id
    assert event.details["global_id"] != theirs.global_id
    assert lake.lineage.get_global(event.details["global_id"]).record.subject == "raw"


def test_a_branch_that_parted_does_not_move_on(parted):
    before = history_of(parted, "raw")
    with pytest.raises(ConflictError) as caught:
        parted.commits.merge("raw", "dev", fast_forward="only")
    assert caught.value.kind is ErrorKind.BRANCHES_DIVERGED
    assert history_of(parted, "raw") == before


def test_lines_that_crossed_are_merged_from_the_newer_of_their_common_ancestors(lake):
    put(lake, "main", a="0", b="0")
    lake.refs.create_branch("raw", "dev")
    one = put(lake, "main", a="main")
    other = put(lake, "dev", b="dev")
    lake.commits.merge("raw", other.id)
    lake.commits.merge("raw", one.id, into="dev")
    assert tree(lake) == tree(lake, "dev") == {"a": "main", "b": "dev"}
    put(lake, "main", c="1")
    put(lake, "dev", d="2")
    report = lake.commits.merge("raw", "dev")
    assert report.base_commit_id == other.id
    assert tree(lake) == {"a": "main", "b": "dev", "c": "1", "d": "2"}


def test_a_merge_is_made_anew_when_the_branch_moves_meanwhile(parted, monkeypatch):
    from jupyter_datalake.engine import merging

    made = []
    original = merging.commit_tree

    def commit_tree(*arguments, **named):
        if len(made) < 2:
            made.append(put(parted, "main", **{f"late{len(made)}": "1"}))
        return original(*arguments, **named)

    monkeypatch.setattr(merging, "commit_tree", commit_tree)
    report = parted.commits.merge("raw", "dev", choices={"/": "theirs"})
    assert report.commit.parents[0] == made[-1].id
    assert tree(parted).keys() == {"base", "both", "late0", "late1", "ours", "theirs"}


def test_the_verbs_refuse_what_people_must_not_write_to(parted):
    parted.refs.create_tag("raw", "v1", at="dev")
    for verb in (parted.commits.revert, parted.commits.cherry_pick):
        with pytest.raises(PermissionDeniedError):
            verb("raw", "dev", branch="v1")
    with pytest.raises(PermissionDeniedError):
        parted.commits.merge("raw", "dev", into="v1")
    with pytest.raises(NotFoundError):
        parted.commits.merge("raw", "dev", into="nowhere")
    with parted.core.metadata.write() as tx:
        tx.repos.set_kind(tx.repos.get("raw").id, RepoKind.OUTPUT)
    with pytest.raises(PermissionDeniedError) as caught:
        parted.commits.merge("raw", "dev", choices={"/": "ours"})
    assert caught.value.kind is ErrorKind.NOT_ALLOWED
    assert tree(parted) == {"base": "0", "ours": "1", "both": "main"}


def test_a_revert_takes_one_commit_back_and_leaves_what_came_later(lake):
    put(lake, "main", a="0", b="0")
    wrong = put(lake, "main", a="wrong", new="wrong")
    put(lake, "main", b="later")
    report = lake.commits.revert("raw", wrong.id)
    assert tree(lake) == {"a": "0", "b": "later"}
    assert report.commit.metadata == {"reverts": wrong.id}
    assert report.commit.message.startswith("Revert “Change a, new”")
    again = lake.commits.revert("raw", wrong.id)
    assert (again.outcome, again.commit.id) == (MergeOutcome.UP_TO_DATE, report.commit.id)
    lake.commits.revert("raw", report.commit.id)
    assert tree(lake) == {"a": "wrong", "b": "later", "new": "wrong"}


def test_a_revert_of_what_was_changed_again_is_a_conflict(lake):
    put(lake, "main", a="0")
    wrong = put(lake, "main", a="1")
    put(lake, "main", a="2")
    with pytest.raises(ConflictError) as caught:
        lake.commits.revert("raw", wrong.id)
    assert caught.value.context["paths"] == ["a"]
    assert tree(lake) == {"a": "2"}
    lake.commits.revert("raw", wrong.id, choices={"a": "theirs"})
    assert tree(lake) == {"a": "0"}


def test_a_merge_is_reverted_relative_to_the_parent_that_is_named(parted):
    merge = parted.commits.merge("raw", "dev", choices={"both": "theirs"}).commit
    for parent, error in ((None, "merge of 2"), (3, "no parent 3")):
        with pytest.raises(InvalidInputError, match=error):
            parted.commits.revert("raw", merge.id, parent=parent)
    parted.commits.revert("raw", merge.id, parent=1)
    assert tree(parted) == {"base": "0", "ours": "1", "both": "main"}


def test_the_first_commit_is_not_reverted(lake):
    with pytest.raises(InvalidInputError, match="first commit"):
        lake.commits.revert("raw", "main")
    assert len(history_of(lake, "raw")) == 1


def test_a_picked_commit_brings_its_own_change_and_nothing_else(parted):
    fix = put(parted, "dev", fix="1")
    put(parted, "dev", more="2")
    report = parted.as_user(Author("Bea")).commits.cherry_pick("raw", fix.id)
    assert tree(parted) == {"base": "0", "ours": "1", "both": "main", "fix": "1"}
    assert report.commit.message == fix.message
    assert report.commit.author.name == "Bea"
    assert report.commit.metadata == {"picked-from": fix.id}
    assert len(report.commit.parents) == 1
    planned = parted.commits.cherry_pick("raw", "dev~2", dry_run=True)
    assert [one.path for one in planned.conflicts] == ["both"]


# --- the log and the search ----------------------------------------------------------------------


def messages(commits):
    return [commit.message for commit in commits]


def pages(ask, limit):
    """Everything that comes in pages of a size."""
    found, after = [], None
    while page := ask(after=after, limit=limit):
        found += page
        after = page[-1].id
    return found


def looked(look, limit, looks):
    """Everything that comes in pages for which so many commits are looked at."""
    page = look(limit=limit, looks=looks)
    found = [*page.results]
    while page.next is not None:
        page = look(limit=limit, looks=looks, after=page.next)
        assert len(page.results) <= limit
        found += page.results
    return found


PATHS = ["a", "b", "d/a", "d/b", "d/e/a"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["main", "dev"]),
            st.sampled_from(["put", "put", "put", "delete", "merge"]),
            st.sampled_from(PATHS),
            st.integers(0, 2),
        ),
        max_size=14,
    ),
    st.sampled_from([*PATHS, "d", "d/e", "/", "nowhere"]),
    st.booleans(),
    st.sampled_from([1, 3, 256]),
)
@settings(max_examples=25)
def test_the_log_of_a_path_is_what_comparing_every_commit_says(acts, path, first_parent, batch):
    with Lake.create("memory:", clock=ManualClock()) as lake, pytest.MonkeyPatch.context() as patch:
        patch.setattr(logs, "_BATCH", batch)
        lake.repos.create("raw")
        lake.refs.create_branch("raw", "dev")
        for branch, act, place, number in acts:
            if act == "merge":
                other = "dev" if branch == "main" else "main"
                lake.commits.merge("raw", other, into=branch, choices={"/": "ours"})
            elif act == "put":
                lake.files.put(f"raw@{branch}/{place}", f"{number}")
            elif place in contents_of(lake, "raw", branch):
                lake.files.delete(f"raw@{branch}/{place}")

        def at(commit_id):
            found = contents_of(lake, "raw", commit_id)
            place = path.strip("/")
            return {one: content for one, content in found.items() if is_within(one, place)}

        walked = lake.commits.list("raw", first_parent=first_parent)
        assert len({one.id for one in walked}) == len(walked)
        expected = []
        for commit in walked:
            parents = commit.parents[:1] if first_parent else commit.parents
            before = [at(parent) for parent in parents] or [{}]
            if all(one != at(commit.id) for one in before):
                expected.append(commit.id)
        for limit in (2, 100):
            ask = partial(lake.commits.list, "raw", path=path, first_parent=first_parent)
            assert [one.id for one in pages(ask, limit)] == expected
            for looks in (1, 3, 500):
                look = partial(lake.commits.look, "raw", path=path, first_parent=first_parent)
                assert [one.id for one in looked(look, limit, looks)] == expected


def test_all_that_led_to_a_merge_is_listed_once_in_order_of_time(parted):
    parted.commits.merge("raw", "dev", choices={"/": "ours"})
    line = parted.commits.list("raw")
    everything = pages(partial(parted.commits.list, "raw", first_parent=False), 2)
    assert len(everything) == len(line) + 1
    times = [one.time_ns for one in everything]
    assert times == sorted(times, reverse=True)
    assert {one.id for one in line} < {one.id for one in everything}


def test_commits_are_counted_that_lead_to_one_place_and_not_to_another(parted):
    own = parted.commits.count("raw", beyond="dev")
    theirs = parted.commits.count("raw", "dev", beyond="main")
    assert (own, theirs) == (1, 1)
    merged = parted.commits.merge("raw", "dev", choices={"/": "ours"}).commit
    assert parted.commits.count("raw", merged.id, beyond=merged.parents[0]) == theirs + 1
    assert parted.commits.count("raw", "dev", beyond="main") == 0
    whole = len(parted.commits.list("raw", first_parent=False))
    assert parted.commits.count("raw", beyond=parted.commits.list("raw")[-1].id) == whole - 1
    assert parted.commits.count("raw", beyond=parted.commits.list("raw")[-1].id, limit=1) == 1


def test_the_log_follows_a_path_to_the_names_it_had(lake):
    put(lake, "main", **{"d/a": "one\n" * 50, "other": "x"})
    lake.files.put("raw@main/d/a", "one\n" * 50 + "two\n")
    lake.files.rename("raw@main/d/a", "e/b")
    lake.files.put("raw@main/other", "y")
    lake.files.put("raw@main/e/b", "three")
    lake.files.rename("raw@main/e", "f")
    assert len(lake.commits.list("raw", path="f/b")) == 1
    ask = partial(lake.commits.list, "raw", path="f/b", follow=True)
    assert messages(pages(ask, 2)) == [
        "Rename e to f",
        "Put e/b",
        "Rename d/a to e/b",
        "Put d/a",
        "Change d/a, other",
    ]
    with pytest.raises(InvalidInputError):
        lake.commits.list("raw", follow=True)


def test_the_log_is_narrowed_by_author_message_and_time(lake, lake_clock):
    start = lake.commits.get("raw").created_at
    lake_clock.advance(3600)
    lake.as_user(Author("Bea", "bea@example.org")).files.put("raw@main/a", "1", message="Fix Up")
    lake_clock.advance(3600)
    lake.files.put("raw@main/a", "2", message="clean up")
    assert messages(lake.commits.list("raw", text="FIX")) == ["Fix Up"]
    assert messages(lake.commits.list("raw", text="up", author="BEA@")) == ["Fix Up"]
    assert messages(lake.commits.list("raw", author="ada")) == ["clean up", "Create the repo"]
    hour = start + timedelta(minutes=30)
    assert messages(lake.commits.list("raw", since=hour)) == ["clean up", "Fix Up"]
    assert messages(lake.commits.list("raw", until=hour.isoformat())) == ["Create the repo"]
    exact = lake.commits.get("raw", "main^").created_at
    assert messages(lake.commits.list("raw", since=exact, until=exact)) == ["Fix Up"]
    with pytest.raises(InvalidInputError, match="not a time"):
        lake.commits.list("raw", since="yesterday")


@pytest.fixture
def searched(lake, lake_clock):
    """Commits of two repos, some with metadata."""
    lake.repos.create("team/sales")
    for repo, facts in (("raw", {"run": "7", "note": "x" * 5000}), ("team/sales", {"run": "8"})):
        lake_clock.advance(3600)
        with lake.sessions.create(repo) as session:
            session.put("a", "1")
            session.commit(f"100%_done in {repo}", metadata=facts)
    lake.as_user(Author("Bea")).files.put("raw@main/b", "2")
    return lake


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"text": "DONE"}, ["100%_done in team/sales", "100%_done in raw"]),
        ({"text": "0%_d", "repos": "raw"}, ["100%_done in raw"]),
        ({"text": "0_d"}, []),
        ({"text": "%"}, ["100%_done in team/sales", "100%_done in raw"]),
        ({"author": "bea"}, ["Put b"]),
        ({"author": "@example.org", "text": "done", "repos": "raw"}, ["100%_done in raw"]),
        ({"metadata": {"run": None}}, ["100%_done in team/sales", "100%_done in raw"]),
        ({"metadata": {"run": "7"}}, ["100%_done in raw"]),
        ({"metadata": {"run": "7", "note": "x" * 5000}}, ["100%_done in raw"]),
        ({"metadata": {"run": "7", "note": "x" * 4999}}, []),
        ({"metadata": {"other": None}}, []),
        ({"repos": "team/*", "text": "e"}, ["100%_done in team/sales", "Create the repo"]),
        ({"repos": "r?w", "author": "bea"}, ["Put b"]),
        ({"repos": "_aw"}, []),
        ({"global_id": "nothing"}, []),
        ({"until": "1970-01-02"}, []),
    ],
)  # fmt: skip
def test_commits_are_found_by_what_is_known_of_them(searched, wish, expected):
    assert messages(searched.commits.search(**wish)) == expected
    assert messages(pages(partial(searched.commits.search, **wish), 1)) == expected


def test_a_search_finds_what_no_branch_leads_to_and_nothing_of_a_repo_that_is_gone(searched):
    searched.refs.reset("raw", "main", "main~2")
    (found,) = searched.commits.search(metadata={"run": "7"})
    assert found.message == "100%_done in raw"
    assert searched.commits.search(global_id=found.global_id[:9]) == [found]
    assert len(searched.commits.search()) == 5
    searched.repos.delete("team/sales")
    assert searched.commits.search(metadata={"run": "8"}) == []
    assert len(searched.commits.search()) == 3
    with pytest.raises(NotFoundError):
        searched.commits.search(after="0" * 64)
