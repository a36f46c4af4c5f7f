"""Pushing and pulling: the same commits under the same ids, and only what is missing moves."""

import json
import random
import shutil

import pytest
from click.testing import CliRunner

from jupyter_datalake.cli.main import cli
from jupyter_datalake.config import LakeConfig
from jupyter_datalake.engine import replication
from jupyter_datalake.engine.replication import Replicator
from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    CorruptDataError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    StorageError,
)
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Author, InputCommit, Origin, Provenance
from jupyter_datalake.model.remotes import RefOutcome, Selection, parse_selection
from jupyter_datalake.testing.faults import FaultyObjectStore, with_objects
from jupyter_datalake.testing.invariants import check_lake, contents_of, history_of

LARGE = random.Random(5).randbytes(3_000_000)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Two lakes as the tests begin with, made once: a copied folder is a lake."""
    folder = tmp_path_factory.mktemp("template")
    author = Author("Ada Lovelace", "ada@example.org")
    Lake.create(str(folder / "other"), author=author).close()
    with Lake.create(str(folder / "lake"), author=author) as lake:
        lake.repos.create("raw", description="as it came")
        with lake.sessions.create("raw") as session:
            session.put("large", LARGE)
            session.put("tiny", b"tiny")
            session.make_folder("empty")
            for number in range(300):
                session.put(f"many/{number:03}", b"%d" % number * 40)
            session.commit("Fill", metadata={"source": "test"})
    return folder


@pytest.fixture
def other(template, lake_clock, lake_author, tmp_path):
    shutil.copytree(template / "other", tmp_path / "other")
    with Lake.open(str(tmp_path / "other"), author=lake_author, clock=lake_clock) as opened:
        yield opened


@pytest.fixture
def lake(template, lake_clock, lake_author, tmp_path, other):
    shutil.copytree(template / "lake", tmp_path / "lake")
    with Lake.open(str(tmp_path / "lake"), author=lake_author, clock=lake_clock) as opened:
        opened.remotes.create("origin", other.url)
        yield opened


def push(lake, *selections, **options):
    return lake.remotes.push("origin", selections, **options)


def outcomes(report):
    return {f"{one.repo}@{one.name}": str(one.outcome) for one in report.refs}


def assert_equal_lakes(lake, other):
    for repo in other.repos.list(include_code=True):
        refs = {ref.name: ref.commit_id for ref in other.refs.list(repo.name)}
        assert refs == {ref.name: ref.commit_id for ref in lake.refs.list(repo.name)}
        for ref in refs:
            assert lake.commits.get(repo.name, ref) == other.commits.get(repo.name, ref)
            assert history_of(lake, repo.name, ref) == history_of(other, repo.name, ref)
            assert contents_of(lake, repo.name, ref) == contents_of(other, repo.name, ref)
    check_lake(other)


# --- what arrives ---------------------------------------------------------------------------------


def test_a_push_brings_everything_under_the_same_ids(lake, other):
    lake.refs.create_tag("raw", "v1", message="as it was sold")
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/more", "more")
    lake.repos.create("second")
    report = push(lake)
    assert outcomes(report) == dict.fromkeys(
        ["raw@dev", "raw@main", "raw@v1", "second@main"], "created"
    )
    assert report.repos == ["raw", "second"]
    assert other.repos.get("raw").description == "as it came"
    assert other.refs.get("raw", "v1").message == "as it was sold"
    assert other.commits.get("raw").metadata == {"source": "test"}
    assert_equal_lakes(lake, other)


def test_a_pull_is_a_push_the_other_way_round(lake, other):
    other.repos.create("there")
    other.files.put("there@main/x", LARGE)
    report = lake.remotes.pull("origin", ["there"])
    assert outcomes(report) == {"there@main": "created"}
    assert contents_of(lake, "there") == {"x": LARGE}
    assert [one.name for one in lake.repos.list()] == ["raw", "there"]
    check_lake(lake)


def test_a_second_push_copies_nothing_and_changes_nothing(lake, other):
    push(lake)
    objects = {one.name for one in other.core.objects.list("")}
    moves = other.refs.list_moves("raw")
    report = push(lake)
    assert (report.commits, report.blobs, report.bytes_copied) == (0, 0, 0)
    assert outcomes(report) == {"raw@main": "current"}
    assert {one.name for one in other.core.objects.list("")} == objects
    assert other.refs.list_moves("raw") == moves


def test_only_what_changed_moves(lake, other):
    first = push(lake).bytes_copied
    assert first > len(LARGE)
    lake.files.put("raw@main/large", LARGE[:1_500_000] + b"inserted" + LARGE[1_500_000:])
    report = push(lake)
    assert report.commits == 1
    # One chunk, the chunk list, the nodes above the file, the commit: not the file.
    assert report.bytes_copied < 2 * 1024 * 1024
    assert report.blobs < 12
    lake.files.put("raw@main/many/007", b"changed" * 20)
    report = push(lake)
    assert report.blobs <= 5
    assert report.bytes_copied < 40_000
    assert_equal_lakes(lake, other)


def test_content_that_the_other_side_has_elsewhere_does_not_move(lake, other):
    other.repos.create("elsewhere")
    other.files.put("elsewhere@main/copy", LARGE)
    report = push(lake, "raw")
    assert report.bytes_copied < len(LARGE) / 10
    assert report.blobs_shared > 5
    assert contents_of(other, "raw") == contents_of(lake, "raw")


def test_a_moved_folder_moves_no_contents(lake, other):
    push(lake)
    lake.files.copy("raw@main/many", "raw@main/again")
    report = push(lake)
    assert report.bytes_copied < 60_000
    assert_equal_lakes(lake, other)


def test_only_what_was_named_is_brought(lake, other):
    lake.repos.create("second")
    lake.refs.create_branch("raw", "dev")
    report = push(lake, "raw@dev")
    assert outcomes(report) == {"raw@dev": "created"}
    assert [one.name for one in other.repos.list()] == ["raw"]
    # Every repo has a main branch: the empty commit that it began with.
    main = other.commits.get("raw", "main")
    assert main.parents == ()
    assert outcomes(push(lake, "raw@main")) == {"raw@main": "moved"}
    assert_equal_lakes(lake, other)


def test_merges_arrive_with_both_parents(lake, other):
    lake.refs.create_branch("raw", "dev")
    lake.files.put("raw@dev/from-dev", "dev")
    lake.files.put("raw@main/from-main", "main")
    lake.commits.merge("raw", "dev")
    push(lake, "raw@main")
    assert len(other.commits.get("raw").parents) == 2
    assert lake.commits.get("raw") == other.commits.get("raw")
    assert contents_of(lake, "raw") == contents_of(other, "raw")
    assert other.maintenance.verify().is_clean


def test_long_histories_come_in_batches_that_are_each_complete(lake, other, monkeypatch):
    monkeypatch.setattr(replication, "_COMMITS_PER_BATCH", 4)
    monkeypatch.setattr(replication, "_CHAIN", 3)
    for number in range(15):
        lake.files.put("raw@main/n", f"{number}")
    seen = []
    report = lake.remotes.push("origin", on_progress=lambda report: seen.append(report.commits))
    assert report.commits == 17
    assert seen == [4, 8, 12, 16, 17]
    assert_equal_lakes(lake, other)


def test_between_plain_and_encrypted_lakes(lake, tmp_path, lake_author, lake_clock):
    key = f"file:{tmp_path}/key"
    config = LakeConfig(str(tmp_path / "sealed"), key=key)
    with Lake.create(config, author=lake_author, clock=lake_clock) as sealed:
        lake.remotes.create("sealed", sealed.url, key=key)
        lake.remotes.push("sealed")
        assert_equal_lakes(lake, sealed)
        sealed.files.put("raw@main/back", "back")
    assert outcomes(lake.remotes.pull("sealed")) == {"raw@main": "moved"}
    assert lake.files.read("raw@main/back") == b"back"


# --- what is refused ------------------------------------------------------------------------------


def test_commits_of_the_other_side_are_not_left_behind(lake, other):
    push(lake)
    other.files.put("raw@main/theirs", "theirs")
    lake.files.put("raw@main/ours", "ours")
    lake.refs.create_branch("raw", "dev")
    before = history_of(other, "raw")
    with pytest.raises(ConflictError) as caught:
        push(lake)
    assert caught.value.kind is ErrorKind.BRANCH_MOVED
    assert caught.value.context["refs"] == ["raw@main"]
    assert history_of(other, "raw") == before
    assert history_of(other, "raw", "dev") == history_of(lake, "raw", "dev")  # the rest was done
    check_lake(other)


def test_force_moves_the_branch_and_the_reflog_keeps_what_was_there(lake, other):
    push(lake)
    theirs = other.files.put("raw@main/theirs", "theirs")
    ours = lake.files.put("raw@main/ours", "ours")
    assert outcomes(push(lake, force=True)) == {"raw@main": "forced"}
    move = other.refs.list_moves("raw", limit=1)[0]
    assert (move.old_commit_id, move.new_commit_id) == (theirs.id, ours.id)
    assert "forced" in move.reason
    assert contents_of(other, "raw", theirs.id)["theirs"] == b"theirs"
    assert_equal_lakes(lake, other)


def test_a_side_that_is_ahead_stays_ahead(lake, other):
    push(lake)
    ahead = other.files.put("raw@main/theirs", "theirs")
    assert outcomes(push(lake)) == {"raw@main": "current"}
    assert other.commits.get("raw").id == ahead.id
    assert outcomes(lake.remotes.pull("origin")) == {"raw@main": "moved"}
    assert lake.commits.get("raw").id == ahead.id


def test_repos_of_one_name_that_have_nothing_in_common_are_not_mixed(lake, other):
    mine = other.repos.create("raw")
    with pytest.raises(ConflictError, match="that are not here"):
        push(lake)
    assert mine.name == "raw"
    assert contents_of(other, "raw") == {}
    check_lake(other)


def test_a_tag_stays_where_it_is_unless_forced(lake, other):
    lake.refs.create_tag("raw", "v1")
    push(lake)
    lake.refs.delete_tag("raw", "v1")
    lake.files.put("raw@main/x", "x")
    lake.refs.create_tag("raw", "v1")
    old = other.refs.get("raw", "v1").commit_id
    with pytest.raises(ConflictError, match="tag is at"):
        push(lake)
    assert other.refs.get("raw", "v1").commit_id == old
    assert outcomes(push(lake, force=True))["raw@v1"] == "forced"
    assert_equal_lakes(lake, other)


def test_a_branch_and_a_tag_of_one_name_are_not_mixed_even_by_force(lake, other):
    push(lake)
    lake.refs.create_branch("raw", "x")
    other.refs.create_tag("raw", "x")
    for force in (False, True):
        with pytest.raises(ConflictError, match="it is a tag there"):
            push(lake, force=force)
    check_lake(other)


def test_the_output_of_a_pipeline_there_is_left_to_it(lake, other, tmp_path):
    lake.repos.create("made")
    other.repos.create("source")
    other.pipelines.create(
        {
            "pipeline": "made",
            "command": ["true"],
            "input": {"repo": {"name": "source", "glob": "/"}},
        },
        folder=tmp_path,
    )
    with pytest.raises(ConflictError, match="pipeline made"):
        push(lake, "made")
    check_lake(other)


def test_a_branch_that_moves_during_the_push_is_not_overwritten(lake, other):
    push(lake)
    lake.files.put("raw@main/ours", "ours")
    theirs = []

    def meanwhile(report):
        theirs.append(other.files.put("raw@main/theirs", "theirs"))

    with pytest.raises(ConflictError):
        lake.remotes.push("origin", on_progress=meanwhile)
    assert other.commits.get("raw").id == theirs[0].id
    check_lake(other)


# --- interruptions and damage ---------------------------------------------------------------------


def push_failing_at(number, lake):
    """Push to a new lake whose store fails from one write on, and again when it works."""
    only = [Selection("small", None)]
    with Lake.create("memory:", author=lake.author) as target:
        faulty = FaultyObjectStore(target.core.objects)
        faulty.faults.fail_writes_from = number
        failing = with_objects(target.core, faulty)
        outcome = "done"
        try:
            Replicator(lake.core, failing, author=lake.author, reason="test").run(only)
        except StorageError:
            outcome = "failed"
            if target.repos.list():
                check_lake(target)
        Replicator(lake.core, target.core, author=lake.author, reason="test").run(only)
        assert_equal_lakes(lake, target)
    return outcome


def test_a_push_cut_short_at_any_write_is_resumed_and_nothing_names_a_half(lake, monkeypatch):
    monkeypatch.setattr(replication, "_COMMITS_PER_BATCH", 2)
    lake.repos.create("small")
    lake.files.put("small@main/x", b"content" * 200)
    outcomes = []
    for number in range(1, 60):
        outcomes.append(push_failing_at(number, lake))
        if outcomes[-1] == "done":
            break
    assert outcomes.count("failed") > 2
    assert outcomes[-1] == "done"


def test_a_repo_that_the_other_side_deleted_is_not_mixed_with_what_it_keeps_of_it(lake, other):
    push(lake)
    other.repos.delete("raw")
    with pytest.raises(ConflictError, match="deleted repo 'raw'"):
        push(lake)
    assert other.repos.list() == []


def test_what_arrived_before_an_interruption_is_not_copied_again(lake, other, monkeypatch):
    monkeypatch.setattr(replication, "_COMMITS_PER_BATCH", 1)
    whole = {"raw": sum(one.size_bytes for one in lake.core.objects.list("packs/"))}

    def interrupt(report):
        if report.bytes_copied > len(LARGE):
            raise KeyboardInterrupt

    lake.files.put("raw@main/last", "last")
    with pytest.raises(KeyboardInterrupt):
        lake.remotes.push("origin", on_progress=interrupt)
    report = push(lake)
    assert report.bytes_copied < whole["raw"] / 10
    assert_equal_lakes(lake, other)


def damage(lake, digest):
    place = lake.core.blobs.place(digest)
    name = f"packs/{place.pack[:2]}/{place.pack}.pack"
    data = bytearray(lake.core.objects.read(name, 0, 1 << 30))
    data[place.record.offset + 3] ^= 1
    lake.core.objects.delete(name)
    lake.core.objects.create(name, bytes(data))


def test_damage_is_not_replicated(lake, other):
    push(lake)
    lake.files.put("raw@main/new", b"new content" * 1000)
    entry = lake.core.snapshot(lake.commits.get("raw")).entry("new")
    damage(lake, entry.content)
    before = other.commits.get("raw")
    with pytest.raises(CorruptDataError) as caught:
        push(lake)
    assert caught.value.context["blob"] == entry.content.hex()
    assert other.commits.get("raw") == before
    check_lake(other)


def test_a_commit_row_that_was_forged_is_not_replicated(lake, other):
    with lake.core.metadata.write() as tx:
        tx._connection.exec_driver_sql("UPDATE commits SET message = 'forged'")
    with pytest.raises(CorruptDataError, match="not what its id says"):
        push(lake)
    assert other.repos.list() == []


# --- what commits were made from ------------------------------------------------------------------


def make_from(lake, repo, source, at):
    """Commit to `repo` in the name of a job that read `source`."""
    commit = lake.commits.get(source, at)
    made_from = Provenance(
        Origin.JOB,
        pipeline=repo,
        pipeline_version=1,
        job_id="1" * 32,
        inputs=(InputCommit("in", source, "main", commit.id),),
    )
    from jupyter_datalake.engine.commits import CommitRequest, commit_changes
    from jupyter_datalake.model.entries import inline_file

    entry = inline_file(b"made", mode=0o644, mtime_ns=1)
    head = lake.commits.get(repo)
    return commit_changes(
        lake.core,
        lake.core.writer(),
        head,
        {"made": entry},
        CommitRequest(
            repo=repo,
            branch="main",
            author=lake.author,
            message="made",
            provenance=made_from,
        ),
    ).commit


def test_inputs_come_along_when_they_are_asked_for(lake, other):
    lake.repos.create("made")
    read = lake.commits.get("raw")
    commit = make_from(lake, "made", "raw", "main")
    lake.files.put("raw@main/later", "later")
    assert outcomes(push(lake, "made")) == {"made@main": "created"}
    assert [one.name for one in other.repos.list()] == ["made"]
    report = push(lake, "made", with_inputs=True)
    assert outcomes(report) == {"made@main": "current", "raw@main": "created"}
    assert other.commits.get("raw").id == read.id  # as it was read, not as it is
    assert other.commits.get("made").provenance == commit.provenance
    assert other.lineage.get("made").upstream[0].commit_id == read.id
    check_lake(other)


def test_an_input_whose_branch_went_elsewhere_is_kept_by_a_tag(lake, other):
    lake.repos.create("made")
    make_from(lake, "made", "raw", "main")
    read = lake.commits.get("raw").id
    other.repos.create("raw")
    report = push(lake, "made", with_inputs=True)
    assert outcomes(report) == {"made@main": "created", f"raw@input-{read[:12]}": "created"}
    assert contents_of(other, "raw") == {}
    assert contents_of(other, "raw", f"input-{read[:12]}") == contents_of(lake, "raw")


def test_global_ids_are_the_same_on_both_sides(lake, other):
    commit = lake.files.put("raw@main/x", "x")
    push(lake)
    with lake.core.metadata.read() as tx:
        here = tx.lineage.get(commit.global_id)
    with other.core.metadata.read() as tx:
        assert tx.lineage.get(commit.global_id) == here


def test_followers_of_the_other_lake_are_told(lake, other):
    before = other.events.last_number()
    push(lake)
    kinds = [str(one.kind) for one in other.events.list(after=before)]
    assert kinds == ["repo.created", "ref.moved"]
    (ended,) = [one for one in lake.events.list(after=0) if one.details.get("act") == "push"]
    assert ended.details["outcome"] == "success"


# --- remotes by name ------------------------------------------------------------------------------


def test_remotes_are_kept_without_secrets(lake):
    with pytest.raises(InvalidInputError) as caught:
        lake.remotes.create("bad", "s3://user:hunter2@bucket/lake")
    assert "hunter2" not in str(caught.value)
    assert [one.name for one in lake.remotes.list()] == ["origin"]


def test_names_urls_and_keys_are_checked(lake, other):
    for name, url, options in (
        ("", other.url, {}),
        ("a b", other.url, {}),
        ("-rf", other.url, {}),
        ("fine", "memory:", {}),
        ("fine", lake.url, {}),
        ("fine", "http://host/lake", {}),
        ("fine", other.url, {"key": "00" * 32}),
    ):
        with pytest.raises(InvalidInputError):
            lake.remotes.create(name, url, **options)
    with pytest.raises(AlreadyExistsError):
        lake.remotes.create("origin", other.url)
    assert [one.name for one in lake.remotes.list()] == ["origin"]
    lake.remotes.delete("origin")
    assert lake.remotes.list() == []
    with pytest.raises(NotFoundError) as caught:
        lake.remotes.push("origin")
    assert caught.value.kind is ErrorKind.REMOTE_NOT_FOUND


def test_a_remote_that_is_not_there_says_which(lake, tmp_path):
    lake.remotes.create("gone", str(tmp_path / "nowhere"))
    with pytest.raises(NotFoundError, match="'gone'") as caught:
        lake.remotes.push("gone")
    assert caught.value.kind is ErrorKind.LAKE_NOT_FOUND


def test_what_is_not_there_is_not_pushed(lake, other):
    for selection in ("nothing", "raw@nothing"):
        with pytest.raises(NotFoundError):
            push(lake, selection)
    for selection in ("", "@main", "raw@", "raw@main^"):
        with pytest.raises(InvalidInputError):
            push(lake, selection)
    assert other.repos.list() == []


def test_selections_are_repos_or_refs():
    assert parse_selection("team/raw@v1.0") == Selection("team/raw", "v1.0")
    assert RefOutcome("current") is RefOutcome.CURRENT


def test_the_command_line_pushes_and_pulls(lake, other):
    def run(*words, code=0):
        done = CliRunner().invoke(cli, ["--lake", lake.url, *words])
        assert done.exit_code == code or done.exception, done.output
        return done

    assert other.url in run("remotes", "list").output
    output = run("push", "origin", "raw@main").output
    assert "created" in output
    assert "copied" in output
    other.files.put("raw@main/theirs", "theirs")
    report = json.loads(run("pull", "origin", "--json").output)
    assert [one["outcome"] for one in report["refs"]] == ["moved"]
    assert lake.files.read("raw@main/theirs") == b"theirs"
    other.files.put("raw@main/theirs", "more")
    lake.files.put("raw@main/ours", "ours")
    assert isinstance(run("push", "origin").exception, ConflictError)
    assert "forced" in run("remotes", "push", "origin", "--force").output
    run("remotes", "delete", "origin")
    assert "No remotes" in run("remotes", "list").output
