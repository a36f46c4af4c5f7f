"""`MetadataSuite`: the contract of `metadata.store.MetadataStore` as tests.

Usage, in a test module::

    class TestMyDatabase(MetadataSuite):
        @pytest.fixture
        def store(self, clock, tmp_path):
            store = open_my_database(tmp_path / "db", clock=clock)
            yield store
            store.close()

        def again(self, store):     # a second connection to the same database, or `store` itself
            ...

The engine relies on what is here and on nothing else of a database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from jupyter_datalake.errors import (
    AlreadyExistsError,
    ConflictError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
    StateError,
)
from jupyter_datalake.metadata.base import time_of
from jupyter_datalake.metadata.datums import DatumDraft, DatumEnd
from jupyter_datalake.metadata.jobs import JobDraft
from jupyter_datalake.metadata.lineage import OBSERVED_NS
from jupyter_datalake.metadata.notifications import NotificationDraft
from jupyter_datalake.metadata.repos import RepoRow
from jupyter_datalake.metadata.store import MetadataStore, Transaction
from jupyter_datalake.model.commit_filters import CommitFilter
from jupyter_datalake.model.commits import (
    Author,
    Commit,
    CommitDraft,
    InputCommit,
    Origin,
    Provenance,
    reseal,
)
from jupyter_datalake.model.datums import DatumInput, DatumResult, DatumState, place_of
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.gc import GcPolicy
from jupyter_datalake.model.ids import CommitId, Digest, GlobalId, digest_of
from jupyter_datalake.model.jobs import Job, JobState, Trigger, TriggerKind
from jupyter_datalake.model.lineage import AccessKind, GlobalOrigin, Observation, Observer, SeenBy
from jupyter_datalake.model.mounts import MountMode, MountState
from jupyter_datalake.model.notifications import InJupyter, NotificationState, Occasion
from jupyter_datalake.model.packs import BlobKind, BlobRecord, Codec
from jupyter_datalake.model.paths import RepoPath
from jupyter_datalake.model.pipelines import (
    CommandCode,
    CronInput,
    PipelineSpec,
    PipelineState,
    RepoInput,
)
from jupyter_datalake.model.refs import RefKind
from jupyter_datalake.model.repos import Repo, RepoKind
from jupyter_datalake.model.schedules import CatchUp
from jupyter_datalake.testing.clocks import ManualClock

T = TypeVar("T")

_THREADS = 8
_ADA = Author("Ada", "ada@example.org")
_BY_HAND = Provenance(Origin.SESSION)


class MetadataSuite:
    """Subclass it with a `store` fixture and `again`; every test then runs."""

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Return the clock of the store; times that rows carry are its times."""
        return ManualClock()

    @pytest.fixture
    def store(self, clock: ManualClock) -> MetadataStore:
        """Return a store over an empty database, with the clock above."""
        raise NotImplementedError

    def again(self, store: MetadataStore) -> MetadataStore:
        """Return a second store over the same database, or `store` where there can be none."""
        return store

    @pytest.fixture
    def repo(self, store: MetadataStore) -> RepoRow:
        """Return the repo ``raw`` with the branch ``main`` at an empty commit."""
        return make_repo(store, "raw")

    # --- transactions ----------------------------------------------------------------------------

    def test_what_a_write_transaction_wrote_is_there_for_all(self, store: MetadataStore) -> None:
        """Also through another connection."""
        make_repo(store, "raw")
        with self.again(store).read() as tx:
            assert tx.repos.get("raw").repo.name == "raw"

    def test_a_write_transaction_that_raises_changes_nothing(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Neither in the table that failed nor in those before it."""

        def fail_half_way() -> None:
            with store.write() as tx:
                tx.events.append(EventKind.REPO_CREATED, "raw")
                tx.repos.describe(repo.id, "changed")
                tx.settings.set_once("key", "value")
                raise ZeroDivisionError

        with store.read() as tx:
            before = tx.events.last_number()
        with pytest.raises(ZeroDivisionError):
            fail_half_way()
        with store.read() as tx:
            assert tx.events.last_number() == before
            assert tx.repos.get("raw").repo.description == ""
            assert tx.settings.get("key") is None

    def test_the_store_works_on_after_a_rollback(self, store: MetadataStore, repo: RepoRow) -> None:
        """No lock stays behind, on this connection or another."""
        for _ in range(3):
            with pytest.raises(AlreadyExistsError):
                make_repo(store, "raw")
        with self.again(store).write() as tx:
            tx.repos.describe(repo.id, "still writable")

    def test_a_read_transaction_sees_one_state(self, store: MetadataStore, repo: RepoRow) -> None:
        """What others commit meanwhile is not seen until the next one."""
        other = self.again(store)
        if other is store:
            pytest.skip("this database has one connection, and transactions take turns")
        with store.read() as tx:
            assert tx.repos.get("raw").repo.description == ""
            with other.write() as writing:
                writing.repos.describe(repo.id, "changed")
            assert tx.repos.get("raw").repo.description == ""
        with store.read() as tx:
            assert tx.repos.get("raw").repo.description == "changed"

    def test_readers_never_see_half_a_transaction(self, store: MetadataStore) -> None:
        """Two rows that are always written together are always read together."""
        stop = threading.Event()
        failures: list[str] = []

        def look() -> None:
            found = self.again(store)
            while not stop.is_set():
                with found.read() as tx:
                    one, other = tx.events.cursor("one"), tx.events.cursor("other")
                if one != other:
                    failures.append(f"{one} is not {other}")

        readers = [threading.Thread(target=look) for _ in range(2)]
        for reader in readers:
            reader.start()
        for number in range(1, 40):
            with store.write() as tx:
                tx.events.set_cursor("one", number)
                tx.events.set_cursor("other", number)
        stop.set()
        for reader in readers:
            reader.join(timeout=30)
        assert failures == []

    def test_rows_of_one_transaction_carry_one_time(
        self, store: MetadataStore, clock: ManualClock
    ) -> None:
        """The time is the clock's, when the transaction began."""
        clock.advance(3600)
        with store.write() as tx:
            for _ in range(3):
                tx.events.append(EventKind.REPO_CREATED, "x")
            began_ns = tx.now_ns
        with store.read() as tx:
            times = {event.at for event in tx.events.list(0, limit=10)}
        assert len(times) == 1
        assert abs(times.pop() - clock.now) < timedelta(seconds=1)
        assert began_ns <= clock()

    # --- repos and refs --------------------------------------------------------------------------

    def test_a_repo_name_is_given_once(self, store: MetadataStore, repo: RepoRow) -> None:
        """The second caller is told; the first repo stays."""
        with pytest.raises(AlreadyExistsError) as caught:
            make_repo(store, "raw")
        assert caught.value.kind is ErrorKind.REPO_EXISTS
        with store.read() as tx:
            assert tx.repos.get("raw").id == repo.id

    def test_repos_are_listed_by_name_in_pages(self, store: MetadataStore) -> None:
        """Wildcards of the database in a prefix are plain characters."""
        for name in ("b", "a", "a_x", "abx", "team/a"):
            make_repo(store, name)
        kinds = frozenset(RepoKind)
        with store.read() as tx:
            names = [row.repo.name for row in tx.repos.list(limit=3, kinds=kinds)]
            rest = [row.repo.name for row in tx.repos.list(after=names[-1], limit=9, kinds=kinds)]
            assert names + rest == ["a", "a_x", "abx", "b", "team/a"]
            found = [row.repo.name for row in tx.repos.list(prefix="a_", limit=9, kinds=kinds)]
            assert found == ["a_x"]
            assert tx.repos.list(limit=9, kinds=frozenset({RepoKind.CODE})) == []

    def test_a_deleted_repo_is_gone_and_its_key_is_not_used_again(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """With its refs, reflog and commits; what it shares with others stays."""
        other = make_repo(store, "other")
        with store.write() as tx:
            tx.repos.delete(repo)
        with store.read() as tx:
            assert tx.repos.find("raw") is None
            assert tx.refs.get(tx.repos.get("other"), "main").name == "main"
        fresh = make_repo(store, "raw")
        assert fresh.id not in {repo.id, other.id}
        with store.read() as tx:
            assert len(tx.refs.moves(fresh, name=None, before=None, limit=9)) == 1

    def test_a_ref_moves_only_from_where_it_is_expected(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """A refused move changes neither the ref nor the reflog."""
        first = head_of(store, repo)
        second = add_commit(store, repo, first)
        third = add_commit(store, repo, first, message="third")
        with store.write() as tx:
            move(tx, repo, first.id, second.id)
        with pytest.raises(ConflictError) as caught, store.write() as tx:
            move(tx, repo, first.id, third.id)
        assert caught.value.kind is ErrorKind.BRANCH_MOVED
        assert caught.value.context["actual"] == second.id
        assert caught.value.context["expected"] == first.id
        with store.read() as tx:
            assert tx.refs.get(repo, "main").commit_id == second.id
            assert len(tx.refs.moves(repo, name="main", before=None, limit=9)) == 2

    def test_moves_under_contention_are_one_line(self, store: MetadataStore, repo: RepoRow) -> None:
        """Of many threads at once nobody's move is lost, and nobody's is told a lie."""
        rounds = 5

        def commit_until_done(worker: int) -> int:
            lost = 0
            mine = self.again(store)
            for turn in range(rounds):
                while True:
                    head = head_of(mine, repo)
                    commit = add_commit(mine, repo, head, message=f"{worker} {turn}")
                    try:
                        with mine.write() as tx:
                            move(tx, repo, head.id, commit.id)
                        break
                    except ConflictError:
                        lost += 1
            return lost

        at_once(commit_until_done)
        with store.read() as tx:
            head = tx.refs.get(repo, "main").commit_id
            line = tx.commits.first_parents(head, limit=1000)
            messages = [tx.commits.get(one).message for one in line]
            assert len(tx.refs.moves(repo, name="main", before=None, limit=1000)) == len(line)
        expected = {f"{worker} {turn}" for worker in range(_THREADS) for turn in range(rounds)}
        assert sorted(messages[:-1]) == sorted(expected)

    def test_tags_do_not_move_and_missing_refs_are_missing(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """A tag is not a branch of the same name, for moving or for asking by kind."""
        first = head_of(store, repo)
        second = add_commit(store, repo, first)
        with store.write() as tx:
            tx.refs.create(repo, "v1", RefKind.TAG, first.id, by="ada", reason="")
        for name in ("v1", "nothing"):
            with pytest.raises(NotFoundError), store.write() as tx:
                tx.refs.move(repo, name, expected=first.id, new=second.id, by="ada", reason="x")
        with store.read() as tx:
            assert tx.refs.get(repo, "v1").commit_id == first.id
            assert [one.name for one in tx.refs.list(repo, limit=9)] == ["main", "v1"]
            assert [one.name for one in tx.refs.list(repo, kind=RefKind.TAG, limit=9)] == ["v1"]
            with pytest.raises(NotFoundError):
                tx.refs.get(repo, "v1", RefKind.BRANCH)

    def test_branches_and_tags_share_their_names(self, store: MetadataStore, repo: RepoRow) -> None:
        """So an expression means one thing."""
        head = head_of(store, repo)
        with pytest.raises(AlreadyExistsError) as caught, store.write() as tx:
            tx.refs.create(repo, "main", RefKind.TAG, head.id, by="ada", reason="")
        assert caught.value.kind is ErrorKind.REF_EXISTS

    def test_the_reflog_says_where_a_ref_was_at_any_time(
        self, store: MetadataStore, repo: RepoRow, clock: ManualClock
    ) -> None:
        """Before it was made, after each move, and after it was deleted and made again."""
        first = head_of(store, repo)
        second = add_commit(store, repo, first)
        moments = [clock()]
        with store.write() as tx:
            tx.refs.create(repo, "dev", RefKind.BRANCH, first.id, by="ada", reason="make")
        moments.append(clock())
        with store.write() as tx:
            move(tx, repo, first.id, second.id, name="dev")
        moments.append(clock())
        with store.write() as tx:
            tx.refs.delete(repo, tx.refs.get(repo, "dev"), by="ada", reason="drop")
        moments.append(clock())
        with store.write() as tx:
            tx.refs.create(repo, "dev", RefKind.TAG, first.id, by="bob", reason="again")
        moments.append(clock())
        with store.read() as tx:
            found = [tx.refs.head_at(repo, "dev", moment) for moment in moments]
            assert found == [None, first.id, second.id, None, first.id]
            lines = tx.refs.moves(repo, name="dev", before=None, limit=9)
            assert [(line.kind, line.reason) for _, line in lines] == [
                (RefKind.TAG, "again"),
                (RefKind.BRANCH, "drop"),
                (RefKind.BRANCH, "m"),
                (RefKind.BRANCH, "make"),
            ]
            older = tx.refs.moves(repo, name="dev", before=lines[1][0], limit=9)
            assert older == lines[2:]

    def test_a_renamed_ref_keeps_what_it_is_and_the_reflog_tells_both_names(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """And a deleted one leaves behind what it said."""
        head = head_of(store, repo)
        with store.write() as tx:
            tag = tx.refs.create(
                repo, "v1", RefKind.TAG, head.id, by="ada", reason="", message="as sold"
            )
            assert (tag.message, tag.created_by) == ("as sold", "ada")
        with pytest.raises(AlreadyExistsError), store.write() as tx:
            tx.refs.rename(repo, tag, "main", by="bob", reason="r")
        with store.write() as tx:
            renamed = tx.refs.rename(repo, tag, "v2", by="bob", reason="r")
            assert (renamed.message, renamed.created_by) == ("as sold", "ada")
        with store.read() as tx:
            assert [one.name for one in tx.refs.list(repo, limit=9)] == ["main", "v2"]
            old, _ = tx.refs.last_move(repo, "v1")
            new, _ = tx.refs.last_move(repo, "v2")
            assert (old.renamed_to, old.new_commit_id) == ("v2", None)
            assert (new.renamed_from, new.old_commit_id) == ("v1", None)
            assert new.number > old.number
        with store.write() as tx:
            tx.refs.delete(repo, renamed, by="bob", reason="d")
        with store.read() as tx:
            gone, details = tx.refs.last_move(repo, "v2")
            assert gone.old_commit_id == head.id
            assert details == {"message": "as sold", "created_by": "ada"}
            assert tx.refs.nth_move(repo, "v2", 1) == new
            assert tx.refs.nth_move(repo, "v2", 2) is None
            assert tx.refs.first_move(repo, "v2") == new
            with pytest.raises(NotFoundError):
                tx.refs.last_move(repo, "v3")

    # --- commits ---------------------------------------------------------------------------------

    def test_ancestors_come_nearest_first_and_each_once(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Along all parents, as many as are asked for."""
        first = head_of(store, repo)
        left = add_commit(store, repo, first, message="left")
        right = add_commit(store, repo, first, message="right")
        merge, _ = replace(draft(repo, left, message="merge"), parents=(left.id, right.id)).seal()
        with store.write() as tx:
            tx.commits.add(repo.id, merge)
        with store.read() as tx:
            found = tx.commits.ancestors(merge.id, limit=9)
            assert found[0] == (merge.id, 1, (left.id, right.id))
            assert found[-1] == (first.id, 1, ())
            assert {one[0] for one in found[1:3]} == {left.id, right.id}
            assert len(found) == 4
            assert [one[0] for one in tx.commits.ancestors(merge.id, limit=1)] == [merge.id]
            assert tx.commits.ancestors(CommitId("0" * 64), limit=9) == []

    def test_commits_are_searched_by_every_fact_and_in_pages(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """With values longer than an index takes, and signs that LIKE would take for its own."""
        first = head_of(store, repo)
        facts = {"run": "7", "note": "x" * 5000}
        one = add_commit(store, repo, first, message="50%_Done", metadata=facts)
        two = add_commit(store, repo, one, message="done", metadata={"run": "8"})
        other = head_of(store, make_repo(store, "team/sales"))

        def search(repos: str | None = None, **wish: Any) -> list[CommitId]:
            found: list[CommitId] = []
            while True:
                after = found[-1] if found else None
                with store.read() as tx:
                    page = tx.commits.search(
                        CommitFilter(**wish), repos=repos, after=after, limit=1
                    )
                if not page:
                    return found
                found += [commit.id for commit in page]

        everything = sorted([first.id, one.id, two.id, other.id], reverse=True)
        assert search() == everything
        assert search(text="DONE") == sorted([one.id, two.id], reverse=True)
        assert search(text="0%_d") == [one.id]
        assert search(text="0_d") == []
        assert search(author="EXAMPLE.org", metadata={"run": None}, text="d") == search(text="done")
        assert search(metadata=facts) == [one.id]
        assert search(metadata={"note": "x" * 4999}) == []
        assert search(repos="team/*") == search(repos="t?am/sale?") == [other.id]
        assert search(repos="%") == search(repos="___") == []
        assert search(since_ns=1, until_ns=1, global_id="00") == everything
        assert search(since_ns=2) == search(until_ns=0) == search(global_id="1") == []

    def test_a_commit_comes_back_as_it_was_sealed(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Every value, so that its id can be checked against its row."""
        head = head_of(store, repo)
        commit = add_commit(
            store,
            repo,
            head,
            message="line one\nzwei \u00e9\U0001f4a5",
            metadata={"key": "v\u00e4lue"},
            provenance=Provenance(
                Origin.JOB,
                "p",
                3,
                "job",
                InputCommit(".code", "p.code", "main", head.id),
                (InputCommit("in", "raw", "main", head.id),),
                {"a": [1, 2.5, None, {"b": True}], "big": 2**62, "tiny": 1e-300},
                "00" * 32,
            ),
        )
        with self.again(store).read() as tx:
            found = tx.commits.get(commit.id)
        assert found == commit
        assert reseal(found)[0].id == commit.id

    def test_writing_a_commit_twice_is_one_commit(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """A lost answer is repeated without harm."""
        head = head_of(store, repo)
        commit, _ = draft(repo, head).seal()
        for _ in range(2):
            with store.write() as tx:
                tx.commits.add(repo.id, commit)
        with store.read() as tx:
            assert tx.commits.get(commit.id) == commit
            assert tx.commits.first_parents(commit.id, limit=9) == [commit.id, head.id]

    def test_prefixes_find_one_commit_or_say_that_there_are_several(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Within one repo; other repos' commits are not looked at."""
        head = head_of(store, repo)
        ids = [head.id]
        ids += [add_commit(store, repo, head, message=f"{number}").id for number in range(40)]
        other = make_repo(store, "other")
        with store.read() as tx:
            for commit_id in ids:
                assert tx.commits.resolve_prefix(repo, commit_id) == commit_id
                assert tx.commits.resolve_prefix(repo, commit_id[:20]) == commit_id
                assert tx.commits.resolve_prefix(other, commit_id[:20]) is None
            for prefix in {commit_id[:1] for commit_id in ids}:
                matching = [one for one in ids if one.startswith(prefix)]
                if len(matching) == 1:
                    assert tx.commits.resolve_prefix(repo, prefix) == matching[0]
                else:
                    with pytest.raises(InvalidInputError) as caught:
                        tx.commits.resolve_prefix(repo, prefix)
                    assert caught.value.kind is ErrorKind.INVALID_REF

    def test_first_parents_are_walked_by_count_not_by_time(
        self, store: MetadataStore, repo: RepoRow, clock: ManualClock
    ) -> None:
        """A clock that was set back does not reorder history."""
        line = [head_of(store, repo)]
        for number in range(6):
            clock.advance(-3600)
            line.append(add_commit(store, repo, line[-1], message=f"{number}"))
        ids = [commit.id for commit in reversed(line)]
        with store.read() as tx:
            assert tx.commits.first_parents(ids[0], limit=99) == ids
            assert tx.commits.first_parents(ids[0], limit=2) == ids[:2]
            assert tx.commits.first_parents(ids[0], limit=2, skip=3) == ids[3:5]
            assert tx.commits.first_parents(ids[0], limit=1, skip=6) == ids[6:]
            assert tx.commits.first_parents(ids[0], limit=1, skip=7) == []
            assert tx.commits.parent(ids[0], 0) == ids[1]
            assert tx.commits.parent(ids[0], 1) is None
            assert tx.commits.parent(ids[-1], 0) is None

    def test_many_commits_are_fetched_at_once(self, store: MetadataStore, repo: RepoRow) -> None:
        """More than one statement can name; missing ones are left out."""
        head = head_of(store, repo)
        commits = [draft(repo, head, message=f"{number}").seal()[0] for number in range(1200)]
        with store.write() as tx:
            for commit in commits:
                tx.commits.add(repo.id, commit)
        ids = [commit.id for commit in commits]
        with store.read() as tx:
            found = tx.commits.get_many([*ids, CommitId("0" * 64)])
            assert found == {commit.id: commit for commit in commits}
            listed, after = [], ""
            while page := tx.commits.iter_ids(repo, after=after, limit=500):
                listed += page
                after = page[-1]
        assert listed == sorted([*ids, head.id])

    def test_lineage_is_walked_both_ways_nearest_first(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Over declared inputs and code; each commit once, however many ways lead to it."""
        raw = head_of(store, repo)
        code = add_commit(store, repo, raw, message="code")

        def made_from(name: str, *inputs: Commit) -> Commit:
            row = make_repo(store, name)
            return add_commit(
                store,
                row,
                head_of(store, row),
                provenance=Provenance(
                    Origin.JOB,
                    name,
                    code=InputCommit(".code", "raw", "main", code.id),
                    inputs=tuple(
                        InputCommit(f"in{number}", "raw", "main", one.id)
                        for number, one in enumerate(inputs)
                    ),
                ),
            )

        left = made_from("left", raw)
        right = made_from("right", raw)
        both = made_from("both", left, right)
        with store.read() as tx:
            up = [
                (step.repo, step.depth) for step in tx.lineage.walk(both.id, upstream=True, limit=9)
            ]
            down = [
                (step.repo, step.depth) for step in tx.lineage.walk(raw.id, upstream=False, limit=9)
            ]
            few = tx.lineage.walk(both.id, upstream=True, limit=2)
        assert up == [("left", 1), ("raw", 1), ("right", 1), ("raw", 2)]
        assert down == [("left", 1), ("right", 1), ("both", 2)]
        assert len(few) == 2

    def test_global_ids_are_recorded_once_and_found_by_prefix(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """The first record stays; a prefix of several is no answer."""
        one, two = GlobalId("ab" + "0" * 30), GlobalId("ac" + "0" * 30)
        with store.write() as tx:
            tx.lineage.begin(one, GlobalOrigin.COMMIT, "raw", "ada")
            tx.lineage.begin(one, GlobalOrigin.TICK, "other", "bob")
            with pytest.raises(NotFoundError):
                tx.lineage.get("")  # though there is only one
        with store.write() as tx:
            tx.lineage.begin(two, GlobalOrigin.PIPELINE, "p", "ada")
        with store.read() as tx:
            assert tx.lineage.get("ab").subject == "raw"
            assert tx.lineage.get(two).origin is GlobalOrigin.PIPELINE
            for prefix in ("a", "ff"):
                with pytest.raises(NotFoundError):
                    tx.lineage.get(prefix)
            assert [record.id for record in tx.lineage.list(limit=9)] == [two, one]

    def test_what_was_opened_is_counted_and_dropped_when_it_is_old(
        self, store: MetadataStore, clock: ManualClock
    ) -> None:
        """Rows of one key are one; a name is any bytes; who opened nothing any more is dropped."""
        who = Observer("0" * 32, "host", 1, "cat")
        path = RepoPath(b"caf\xe9".decode("utf-8", "surrogateescape"))
        commit_id = CommitId("a" * 64)
        began = clock()

        def seen(observer: Observer, at_ns: int) -> Observation:
            return Observation(
                observer, "raw", commit_id, path, AccessKind.READ, None, 2, at_ns, at_ns
            )

        with store.write() as tx:
            tx.lineage.observe([seen(who, began)])
        with store.write() as tx:
            tx.lineage.observe([seen(who, began + 5)])
        with store.read() as tx:
            (found,) = tx.lineage.list_observed(repo="raw", limit=9)
            assert tx.lineage.list_observed(repo="other", limit=9) == []
        assert (found.opens, found.first_ns, found.last_ns) == (4, began, began + 5)
        assert (found.path, found.observer) == (path, who)
        with store.write() as tx:
            tx.lineage.observe([replace(seen(who, began), seen_by=SeenBy.READER)])
        with store.read() as tx:
            by_means = {one.seen_by: one.opens for one in tx.lineage.list_observed(limit=9)}
        assert by_means == {SeenBy.MOUNT: 4, SeenBy.READER: 2}
        datum = Observer("2" * 32, "host", 0, "datum 3", job_id="9" * 32, datum=3)
        with store.write() as tx:
            tx.lineage.observe([replace(seen(datum, began), seen_by=SeenBy.LAZY)])
        with store.read() as tx:
            (one,) = tx.lineage.list_observed(job_id="9" * 32, datum=3, limit=9)
            assert (one.observer, one.seen_by) == (datum, SeenBy.LAZY)
            assert tx.lineage.list_observed(job_id="9" * 32, datum=4, limit=9) == []
            assert tx.lineage.list_observed(job_id="8" * 32, limit=9) == []
            assert tx.lineage.observed_flows_of_jobs(limit=9) == []  # the job is none of this lake
        clock.advance(OBSERVED_NS / 1e9 + 1)
        later = Observer("1" * 32, "host", 2, "less")
        with store.write() as tx:
            tx.lineage.observe([seen(later, clock())])
        with store.read() as tx:
            assert [one.observer for one in tx.lineage.list_observed(limit=9)] == [later]
            assert tx.lineage.observed_flows(limit=9) == []  # no notebook is known
        with store.write() as tx:
            tx.lineage.observe([seen(who, clock())])  # it was dropped, and may come again
        cells = [
            Observer(str(cell) * 32, "host", 1, "k", "k", "n.ipynb", str(cell)) for cell in "23"
        ]
        now = clock()
        with store.write() as tx:
            tx.lineage.observe([seen(cell, now) for cell in cells])
        with store.read() as tx:
            assert tx.lineage.observed_flows(limit=9) == [("n.ipynb", "raw", AccessKind.READ)]
            assert tx.lineage.observed_flows(until_ns=now - 1, limit=9) == []

    # --- blobs -----------------------------------------------------------------------------------

    def test_the_first_place_of_a_blob_stays(self, store: MetadataStore) -> None:
        """Two writers may store one blob; readers are led to one of them, always the same."""
        with store.write() as tx:
            tx.blobs.add_pack("a" * 64, 100, [record(b"x", 60), record(b"y", 160)])
        with store.write() as tx:
            tx.blobs.add_pack("b" * 64, 200, [record(b"x", 999), record(b"z", 60)])
        with store.read() as tx:
            places = tx.blobs.locate([digest_of(b"x"), digest_of(b"z"), digest_of(b"none")])
            assert places[digest_of(b"x")] == ("a" * 64, record(b"x", 60))
            assert places[digest_of(b"z")] == ("b" * 64, record(b"z", 60))
            assert len(places) == 2
            assert tx.blobs.totals() == (2, 3, 300)

    def test_registering_a_pack_twice_changes_nothing(self, store: MetadataStore) -> None:
        """The transaction that did it first may have lost its answer."""
        for _ in range(2):
            with store.write() as tx:
                tx.blobs.add_pack("a" * 64, 100, [record(b"x", 60)])
        with store.read() as tx:
            assert tx.blobs.totals() == (1, 1, 100)
            assert [pack.name for pack in tx.blobs.packs(limit=9)] == ["a" * 64]

    def test_the_sum_of_all_packs_is_kept(self, store: MetadataStore) -> None:
        """Registered once or twice, retired, forgotten, or counted anew."""

        def sums() -> tuple[int, int | None, int]:
            with store.read() as tx:
                return *tx.blobs.room(), tx.blobs.totals()[2]

        assert sums() == (0, None, 0)
        for name, size, is_new in (("a", 100, True), ("b", 200, True), ("a", 100, False)):
            with store.write() as tx:
                records = [record(name.encode(), 60)]
                assert tx.blobs.add_pack(name * 64, size, records) is is_new
                tx.blobs.set_quota(size)
        assert sums() == (300, 100, 300)
        with store.write() as tx:
            tx.blobs.set_quota(None)
            tx.blobs.set_quota(2**62)
            assert tx.gc.retire_stranger("c" * 64, 50)
            assert not tx.gc.retire_stranger("c" * 64, 50)
        assert sums() == (350, 2**62, 350)
        with store.write() as tx:
            (pack,) = tx.gc.retired_packs(tx.now_ns, 9)
            tx.gc.forget_pack(pack.id)
            tx.gc.forget_pack(pack.id)
            tx.blobs.set_quota(None)
        assert sums() == (300, None, 300)
        with store.write() as tx:
            tx.blobs.recount_stored()
        assert sums() == (300, None, 300)

    def test_what_tells_whether_gc_would_find_something(
        self, store: MetadataStore, clock: ManualClock
    ) -> None:
        """Counts since the last run that ended."""
        policy = GcPolicy()
        with store.read() as tx:
            nothing = tx.gc.garbage(policy)
        assert (nothing.since_ns, nothing.has_new, nothing.small_packs) == (None, False, 0)
        with store.write() as tx:
            tx.blobs.add_pack("a" * 64, 100, [record(b"x", 60)])
            tx.blobs.add_pack("b" * 64, policy.small_pack_bytes, [record(b"y", 60)])
            stored_ns = tx.now_ns
        clock.advance(60)
        with store.write() as tx:
            tx.gc.begin_run("killed")
            run = tx.gc.begin_run("ends")
            began_ns = tx.now_ns
            found = tx.gc.garbage(policy)
            assert (found.since_ns, found.small_packs, found.is_waiting) == (stored_ns, 1, False)
            tx.gc.note_progress(run, {"condemned_blobs": 1})
            tx.gc.finish_run(run, {"condemned_blobs": 1})
            tx.gc.set_auto(3600)
        with store.read() as tx:
            found = tx.gc.garbage(policy)
        assert (found.since_ns, found.has_new, found.is_waiting) == (began_ns, False, True)
        assert (found.every_s, found.removed_commits, found.ended_undos) == (3600, 0, 0)

    def test_thousands_of_blobs_are_looked_up_at_once(self, store: MetadataStore) -> None:
        """More than one statement can name."""
        records = [record(b"%d" % number, 60 + number) for number in range(3000)]
        with store.write() as tx:
            tx.blobs.add_pack("a" * 64, 100, records)
        digests = [one.digest for one in records]
        with store.read() as tx:
            assert tx.blobs.known([*digests, digest_of(b"none")]) == set(digests)
            assert tx.blobs.sizes(digests) == {one.digest: one.raw_size for one in records}
            found = tx.blobs.locate(digests)
        assert [found[one.digest].record for one in records] == records

    # --- notifications ---------------------------------------------------------------------------

    def test_a_notification_is_claimed_by_one_and_ends_once(
        self, store: MetadataStore, clock: ManualClock
    ) -> None:
        """Also where another controller takes over while it is being sent."""
        with store.write() as tx:
            tx.notifications.add([_told("1"), _told("2", delay_ns=10**9)])
            assert tx.notifications.due(9) == [full("1")]
            (sent,) = tx.notifications.claim([full("1"), full("2")], "c1", 10**9)
            assert (sent.notification.tries, sent.channel) == (1, InJupyter())
            assert tx.notifications.due(9) == []
            assert tx.notifications.release("c1") == 0
            assert tx.notifications.release("c2") == 1
        with self.again(store).write() as tx:
            assert tx.notifications.due(9) == [full("1")]
            (again,) = tx.notifications.claim([full("1")], "c2", 10**9)
            assert not tx.notifications.end(sent.notification, NotificationState.FAILED, "late")
            assert tx.notifications.end(again.notification, NotificationState.SENT)
            assert not tx.notifications.end(again.notification, NotificationState.FAILED)
        with store.read() as tx:
            found = tx.notifications.get("1")
            assert (found.state, found.tries, found.message) == (NotificationState.SENT, 2, "")
            assert [one.id for one in tx.notifications.list(limit=9)] == [full("2"), full("1")]
        clock.advance(2)
        with store.write() as tx:
            assert tx.notifications.due(9) == [full("2")]
            assert tx.notifications.prune(tx.now_ns) == 1
            assert [one.id for one in tx.notifications.list(limit=9)] == [full("2")]

    def test_what_is_armed_is_due_in_its_time_unless_it_is_disarmed(
        self, store: MetadataStore, clock: ManualClock
    ) -> None:
        """Neither is in the list until then."""
        with store.write() as tx:
            for short in ("1", "2"):
                armed = _told(short, delay_ns=10**9)._replace(state=NotificationState.ARMED)
                tx.notifications.add([armed._replace(job_id=full(f"d{short}"))])
            tx.notifications.disarm(full("d1"))
            assert tx.notifications.list(limit=9) == []
        clock.advance(2)
        with store.write() as tx:
            assert tx.notifications.due(9) == [full("2")]
            (claimed,) = tx.notifications.claim([full("2")], "c", 10**9)
            assert claimed.is_armed
            tx.notifications.tell(full("2"), {"title": "now", "text": "more"})
            assert tx.notifications.get("2").title == "now"

    # --- leases ----------------------------------------------------------------------------------

    def test_a_lease_has_one_holder(self, store: MetadataStore, clock: ManualClock) -> None:
        """Others wait until it runs out or is given up; the holder may renew."""
        with store.write() as tx:
            first = tx.leases.acquire("controller", "one", 10)
            assert tx.leases.acquire("controller", "two", 10) is None
            assert tx.leases.holder("controller") == "one"
        clock.advance(9)
        with store.write() as tx:
            assert tx.leases.acquire("controller", "one", 10) == first
        clock.advance(9)
        with store.write() as tx:
            assert tx.leases.acquire("controller", "two", 10) is None
        clock.advance(2)
        with store.write() as tx:
            assert tx.leases.holder("controller") is None
            assert tx.leases.acquire("controller", "two", 10) is not None
            assert tx.leases.holder("controller") == "two"

    def test_fences_grow_with_every_new_holder(
        self, store: MetadataStore, clock: ManualClock
    ) -> None:
        """So what an old holder does late is known to be old, also after giving up."""
        fences: list[int] = []
        for owner in ("one", "two", "one", "three"):
            with store.write() as tx:
                fences.append(tx.leases.acquire("x", owner, 10) or 0)
            if owner == "two":
                with store.write() as tx:
                    tx.leases.release("x", "two")
            else:
                clock.advance(11)
        assert fences == sorted(set(fences))

    def test_giving_up_anothers_lease_does_nothing(self, store: MetadataStore) -> None:
        """Nor does giving up what nobody holds."""
        with store.write() as tx:
            tx.leases.acquire("x", "one", 10)
            tx.leases.release("x", "two")
            tx.leases.release("nothing", "two")
            assert tx.leases.holder("x") == "one"

    def test_leases_of_a_kind_are_listed_and_those_that_ended_forgotten(
        self, store: MetadataStore, clock: ManualClock
    ) -> None:
        """By the beginning of their names, in which no letter stands for others."""
        with store.write() as tx:
            tx.leases.acquire("kind_a:1", "one", 10)
            tx.leases.acquire("kind_a:2", "two", 100)
            tx.leases.acquire("kindxa:3", "three", 10)
        with store.read() as tx:
            assert tx.leases.held("kind_a:") == ["kind_a:1", "kind_a:2"]
        clock.advance(20)
        with store.write() as tx:
            assert tx.leases.held("kind_a:") == ["kind_a:2"]
            assert tx.leases.forget_ended("kind_a:") == ["kind_a:1"]
            assert tx.leases.forget_ended("kind_a:") == []
            assert tx.leases.forget_ended("kindx") == ["kindxa:3"]
            assert tx.leases.holder("kind_a:2") == "two"

    def test_of_many_who_want_a_lease_at_once_one_gets_it(self, store: MetadataStore) -> None:
        """Threads with connections of their own."""

        def want(worker: int) -> int | None:
            with self.again(store).write() as tx:
                return tx.leases.acquire("x", f"worker {worker}", 60)

        fences = at_once(want)
        assert [fence for fence in fences if fence is not None] == [1]

    # --- events ----------------------------------------------------------------------------------

    def test_events_are_numbered_in_order_and_followed_from_a_number(
        self, store: MetadataStore
    ) -> None:
        """A follower that resumes misses nothing and sees nothing twice."""
        for number in range(5):
            with store.write() as tx:
                tx.events.append(EventKind.REF_MOVED, f"repo{number}", ref="main", count=number)
        with store.read() as tx:
            everything = tx.events.list(0, limit=99)
            numbers = [event.number for event in everything]
            assert numbers == sorted(set(numbers))
            assert tx.events.last_number() == numbers[-1]
            assert [event.details["count"] for event in everything] == [0, 1, 2, 3, 4]
            assert tx.events.list(numbers[2], limit=99) == everything[3:]
            assert tx.events.list(0, limit=2) == everything[:2]
            assert tx.events.list(numbers[-1], limit=9) == []

    def test_events_can_be_followed_by_kind(self, store: MetadataStore) -> None:
        """Others are left out, and do not use up the limit."""
        with store.write() as tx:
            for number in range(6):
                kind = EventKind.JOB_CHANGED if number % 3 == 0 else EventKind.REF_MOVED
                tx.events.append(kind, f"{number}")
        with store.read() as tx:
            found = tx.events.list(0, kinds=frozenset({EventKind.JOB_CHANGED}), limit=2)
        assert [event.subject for event in found] == ["0", "3"]

    def test_a_rolled_back_event_is_no_event(self, store: MetadataStore) -> None:
        """Its number may be missing, but is never somebody else's later."""

        def fail() -> None:
            with store.write() as tx:
                tx.events.append(EventKind.REF_MOVED, "gone")
                raise ZeroDivisionError

        with store.write() as tx:
            tx.events.append(EventKind.REF_MOVED, "before")
        with pytest.raises(ZeroDivisionError):
            fail()
        with store.write() as tx:
            tx.events.append(EventKind.REF_MOVED, "after")
        with store.read() as tx:
            assert [event.subject for event in tx.events.list(0, limit=9)] == ["before", "after"]

    def test_numbers_become_visible_in_order(self, store: MetadataStore) -> None:
        """A follower that saw number n never meets a smaller one later."""
        stop = threading.Event()
        seen: list[int] = []

        def follow() -> None:
            mine = self.again(store)
            while not stop.is_set() or mine_has_more(mine, seen):
                with mine.read() as tx:
                    seen.extend(
                        event.number for event in tx.events.list(seen[-1] if seen else 0, limit=7)
                    )

        follower = threading.Thread(target=follow)
        follower.start()

        def append(worker: int) -> None:
            mine = self.again(store)
            for number in range(10):
                with mine.write() as tx:
                    tx.events.append(EventKind.REF_MOVED, f"{worker} {number}")

        at_once(append)
        stop.set()
        follower.join(timeout=60)
        with store.read() as tx:
            assert seen == [event.number for event in tx.events.list(0, limit=1000)]
        assert len(seen) == 10 * _THREADS

    def test_cursors_are_kept_by_name(self, store: MetadataStore) -> None:
        """In the transaction that acts on the events, or not at all."""
        with store.write() as tx:
            assert tx.events.cursor("controller") == 0
            tx.events.set_cursor("controller", 7)
            tx.events.set_cursor("panel", 3)
        with store.read() as tx:
            assert (tx.events.cursor("controller"), tx.events.cursor("panel")) == (7, 3)

    # --- pipelines and jobs ----------------------------------------------------------------------

    def test_a_pipelines_versions_are_kept(self, store: MetadataStore, repo: RepoRow) -> None:
        """The newest is current; jobs can still be run on an older one."""
        code = head_of(store, repo).id
        with store.write() as tx:
            row = tx.pipelines.create(spec("p", description="one"), code, "ada")
            newer = tx.pipelines.update(row, spec("p", description="two"), code, "bob")
            assert newer.pipeline.version == 2
        with store.read() as tx:
            assert tx.pipelines.get("p").pipeline.spec.description == "two"
            assert tx.pipelines.version(row.id, 1)[0].description == "one"
            with pytest.raises(NotFoundError):
                tx.pipelines.get("q")
        with pytest.raises(AlreadyExistsError), store.write() as tx:
            tx.pipelines.create(spec("p"), code, "ada")

    def test_who_reads_a_repo_is_known(self, store: MetadataStore, repo: RepoRow) -> None:
        """And follows the current version."""
        code = head_of(store, repo).id
        with store.write() as tx:
            row = tx.pipelines.create(spec("p", reads="raw"), code, "ada")
            assert [(edge.pipeline, edge.repo) for edge in tx.pipelines.edges()] == [("p", "raw")]
            tx.pipelines.update(row, spec("p", reads="other"), code, "ada")
            assert [(edge.pipeline, edge.repo) for edge in tx.pipelines.edges()] == [("p", "other")]
            tx.pipelines.delete(row.id)
            assert list(tx.pipelines.edges()) == []

    def test_clocks_are_due_once_and_not_while_paused(
        self, store: MetadataStore, repo: RepoRow, clock: ManualClock
    ) -> None:
        """One tick makes up for all that were missed."""
        code = head_of(store, repo).id
        clocked = PipelineSpec("p", CronInput("tick", "@every 60s"), CommandCode(("true",)))
        with store.write() as tx:
            row = tx.pipelines.create(clocked, code, "ada")
            assert list(tx.pipelines.due_clocks(tx.now_ns)) == []
        clock.advance(60 * 60)
        with store.write() as tx:
            (due,) = tx.pipelines.due_clocks(tx.now_ns)
            assert (due.pipeline_id, due.name, due.schedule.text) == (row.id, "tick", "@every 60s")
            tx.pipelines.set_state(row.id, PipelineState.PAUSED)
            assert list(tx.pipelines.due_clocks(tx.now_ns)) == []
            tx.pipelines.set_state(row.id, PipelineState.ACTIVE)
            tx.pipelines.set_clock(due, due.due + timedelta(hours=1), due.due)
            assert list(tx.pipelines.due_clocks(tx.now_ns)) == []
            assert time_of(tx.pipelines.next_tick_ns(row.id) or 0) == due.due + timedelta(hours=1)
            assert time_of(tx.pipelines.last_tick_ns(row.id) or 0) == due.due

    def test_a_tick_by_hand_sets_the_clock_from_now_unless_it_is_due_anyway(
        self, store: MetadataStore, repo: RepoRow, clock: ManualClock
    ) -> None:
        """What is due belongs to the controller."""
        code = head_of(store, repo).id
        clocked = PipelineSpec("p", CronInput("tick", "@every 60s"), CommandCode(("true",)))
        with store.write() as tx:
            row = tx.pipelines.create(clocked, code, "ada")
        clock.advance(30)
        with store.write() as tx:
            tx.pipelines.tick(row.id)
            following = tx.pipelines.next_tick_ns(row.id) or 0
            assert abs(following - tx.now_ns - 60_000_000_000) < 1_000_000
        clock.advance(90)
        with store.write() as tx:
            tx.pipelines.tick(row.id)
            assert tx.pipelines.next_tick_ns(row.id) == following
            assert tx.pipelines.last_tick_ns(row.id) == tx.now_ns

    def test_a_clock_that_was_not_changed_keeps_its_time_and_its_zone_is_part_of_it(
        self, store: MetadataStore, repo: RepoRow, clock: ManualClock
    ) -> None:
        """Editing a query must not postpone a clock; another zone is another clock."""
        code = head_of(store, repo).id
        command = CommandCode(("true",))
        there = CronInput("tick", "0 6 * * *", "Asia/Tokyo")
        with store.write() as tx:
            row = tx.pipelines.create(PipelineSpec("p", there, command), code, "ada")
            before = tx.pipelines.next_tick_ns(row.id)
            assert time_of(before or 0).hour == 21
        clock.advance(3600)
        with store.write() as tx:
            later = replace(there, catch_up=CatchUp.ALL)
            row = tx.pipelines.update(row, PipelineSpec("p", later, command), code, "ada")
            assert tx.pipelines.next_tick_ns(row.id) == before
            here = replace(there, zone="Europe/Berlin")
            row = tx.pipelines.update(row, PipelineSpec("p", here, command), code, "ada")
            assert time_of(tx.pipelines.next_tick_ns(row.id) or 0).hour == 5

    def test_clocks_set_by_a_clock_that_ran_ahead_are_found(
        self, store: MetadataStore, repo: RepoRow, clock: ManualClock
    ) -> None:
        """Else they would stand until that time has come."""
        code = head_of(store, repo).id
        clocked = PipelineSpec("p", CronInput("tick", "@every 60s"), CommandCode(("true",)))
        with store.write() as tx:
            row = tx.pipelines.create(clocked, code, "ada")
            assert list(tx.pipelines.stranded_clocks(tx.now_ns)) == []
        clock.advance(-3600)
        with store.write() as tx:
            assert [one.pipeline_id for one in tx.pipelines.stranded_clocks(tx.now_ns)] == [row.id]

    def test_one_change_gives_one_job_per_pipeline(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """The second controller that sees the event makes none."""
        pipelines = make_pipelines(store, repo, "p", "q")
        with store.write() as tx:
            assert tx.jobs.add(job_draft(pipelines["p"], "f1", "d1"), []) is True
            assert tx.jobs.add(job_draft(pipelines["p"], "f1", "d2"), []) is False
            assert tx.jobs.add(job_draft(pipelines["q"], "f1", "d3"), []) is True
            assert tx.jobs.add(job_draft(pipelines["p"], "f2", "d4"), []) is True
        with store.read() as tx:
            assert [job.id for job in tx.jobs.list(limit=9)] == [full("d4"), full("d3"), full("d1")]
            assert {name: job.id for name, job in tx.jobs.latest_of_each().items()} == {
                "p": full("d4"),
                "q": full("d3"),
            }
            assert [job.id for job in tx.jobs.list(pipeline="p", limit=1)] == [full("d4")]
            assert tx.jobs.count_live() == 3

    def test_which_pipelines_jobs_opened_files_is_known_by_name(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Once for each repo and kind, from the first on."""
        pipelines = make_pipelines(store, repo, "p")
        with store.write() as tx:
            tx.jobs.add(job_draft(pipelines["p"], "f1", "d1"), [])
            now = tx.now_ns
            for datum in (0, 1):
                who = Observer(str(datum) * 32, "host", 7, "python", job_id=full("d1"), datum=datum)
                seen = Observation(
                    who,
                    "raw",
                    CommitId("a" * 64),
                    RepoPath("a"),
                    AccessKind.READ,
                    None,
                    1,
                    now,
                    now,
                )
                tx.lineage.observe([seen, replace(seen, kind=AccessKind.WRITE, repo="notes")])
        with store.read() as tx:
            assert tx.lineage.observed_flows_of_jobs(limit=9) == [
                ("p", "notes", AccessKind.WRITE),
                ("p", "raw", AccessKind.READ),
            ]
            assert tx.lineage.observed_flows_of_jobs(until_ns=now - 1, limit=9) == []

    def test_of_many_controllers_at_once_one_makes_the_job(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Threads with connections of their own."""
        pipelines = make_pipelines(store, repo, "p")

        def make(worker: int) -> bool:
            with self.again(store).write() as tx:
                return tx.jobs.add(job_draft(pipelines["p"], "f1", f"d{worker}"), [])

        assert at_once(make).count(True) == 1
        with store.read() as tx:
            assert len(tx.jobs.list(limit=9)) == 1

    def test_jobs_move_as_the_table_says(
        self, store: MetadataStore, repo: RepoRow, clock: ManualClock
    ) -> None:
        """Times and owners follow the state; what is not allowed changes nothing."""
        pipelines = make_pipelines(store, repo, "p")
        with store.write() as tx:
            tx.jobs.add(job_draft(pipelines["p"], "f1", "d1"), [])
        clock.advance(1)
        with store.write() as tx:
            tx.jobs.move(
                tx.jobs.get(full("d1")), JobState.RUNNING, owner=None, lease_until_ns=clock() + 10
            )
        running = job_of(store, "d1")
        assert running.state is JobState.RUNNING
        assert running.started_at is not None
        with pytest.raises(StateError), store.write() as tx:
            tx.jobs.move(running, JobState.WAITING)
        clock.advance(1)
        with store.write() as tx:
            tx.jobs.move(running, JobState.SUCCESS, message="done")
        done = job_of(store, "d1")
        assert (done.state, done.message, done.owner) == (JobState.SUCCESS, "done", None)
        assert done.duration_s is not None
        assert 0.9 < done.duration_s < 1.1
        with pytest.raises(StateError), store.write() as tx:
            tx.jobs.move(done, JobState.RUNNING)
        assert job_of(store, "d1") == done

    @pytest.mark.parametrize("new", [JobState.SUCCESS, JobState.CANCELLED])
    def test_a_job_that_somebody_else_moved_is_not_moved(
        self, store: MetadataStore, repo: RepoRow, new: JobState
    ) -> None:
        """Also where the move would be allowed from where the job is now."""
        pipelines = make_pipelines(store, repo, "p")
        with store.write() as tx:
            tx.jobs.add(job_draft(pipelines["p"], "f1", "d1"), [])
        known = job_of(store, "d1")
        with store.write() as tx:
            tx.jobs.move(known, JobState.RUNNING)
        with pytest.raises(StateError) as caught, store.write() as tx:
            tx.jobs.move(known, new)
        assert caught.value.kind is ErrorKind.WRONG_STATE
        assert job_of(store, "d1").state is JobState.RUNNING

    def test_ready_jobs_are_those_that_nothing_holds_back(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Neither a job upstream that has not ended, nor an earlier one of the same pipeline."""
        pipelines = make_pipelines(store, repo, "a", "b", "c")
        with store.write() as tx:
            tx.jobs.add(job_draft(pipelines["a"], "f1", "a1"), [])
            tx.jobs.add(job_draft(pipelines["b"], "f1", "b1"), [full("a1")])
            tx.jobs.add(job_draft(pipelines["c"], "f1", "c1"), [full("a1"), full("b1")])
            tx.jobs.add(job_draft(pipelines["a"], "f2", "a2"), [])
        assert ready(store) == ["a1"]
        finish(store, "a1", JobState.RUNNING)
        assert ready(store) == []
        finish(store, "a1", JobState.LOST)
        assert ready(store) == []
        finish(store, "a1", JobState.WAITING)
        assert ready(store) == ["a1"]
        finish(store, "a1", JobState.RUNNING, JobState.EGRESSING)
        assert ready(store) == []
        finish(store, "a1", JobState.SUCCESS)
        assert ready(store) == ["b1", "a2"]
        finish(store, "b1", JobState.FAILED)
        assert ready(store) == ["c1", "a2"]
        assert ready(store, limit=1) == ["c1"]
        with store.read() as tx:
            upstream = {job.id for job in tx.jobs.upstream_of(full("c1"))}
        assert upstream == {full("a1"), full("b1")}

    def test_jobs_whose_lease_ran_out_are_lost_and_taken_up_once_more(
        self, store: MetadataStore, repo: RepoRow, clock: ManualClock
    ) -> None:
        """The late owner is told when it tries to go on."""
        pipelines = make_pipelines(store, repo, "p")
        with store.write() as tx:
            tx.jobs.add(job_draft(pipelines["p"], "f1", "d1"), [])
            tx.jobs.move(tx.jobs.get(full("d1")), JobState.RUNNING)
            tx.jobs.update(full("d1"), owner="one", lease_until_ns=tx.now_ns + 10_000_000_000)
        with store.read() as tx:
            assert list(tx.jobs.lost()) == []
        clock.advance(5)
        with store.write() as tx:
            assert tx.jobs.renew(full("d1"), "one", 10) is True
            assert tx.jobs.renew(full("d1"), "two", 10) is False
        clock.advance(11)
        with store.write() as tx:
            assert [job.id for job in tx.jobs.lost()] == [full("d1")]
            late = tx.jobs.get(full("d1"))
            tx.jobs.move(late, JobState.LOST)
        with store.write() as tx:
            assert tx.jobs.renew(full("d1"), "one", 10) is False
        with pytest.raises(StateError), store.write() as tx:
            tx.jobs.move(late, JobState.SUCCESS)
        with store.write() as tx:
            tx.jobs.move(tx.jobs.get(full("d1")), JobState.WAITING)
        again = job_of(store, "d1")
        assert (again.state, again.attempt, again.owner) == (JobState.WAITING, 2, None)

    def test_jobs_are_found_by_the_beginning_of_their_id(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """One, or nothing; never the wrong one."""
        pipelines = make_pipelines(store, repo, "p")
        with store.write() as tx:
            tx.jobs.add(job_draft(pipelines["p"], "f1", "ab1"), [])
        with store.read() as tx:
            assert tx.jobs.get("ab1").id == full("ab1")
            assert tx.jobs.find("") is None
        with store.write() as tx:
            tx.jobs.add(job_draft(pipelines["p"], "f2", "ab2"), [])
        with store.read() as tx:
            assert tx.jobs.find("ab") is None
            assert tx.jobs.get("ab2").id == full("ab2")
            with pytest.raises(NotFoundError):
                tx.jobs.get("ff")

    def test_jobs_that_are_to_be_cancelled_are_told(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Among those that are asked about."""
        pipelines = make_pipelines(store, repo, "p")
        with store.write() as tx:
            for name in ("e1", "e2", "e3"):
                tx.jobs.add(job_draft(pipelines["p"], f"f{name}", name), [])
            for name in ("e1", "e2"):
                tx.jobs.update(full(name), cancel_requested=True)
        with store.read() as tx:
            assert tx.jobs.to_be_cancelled([full("e2"), full("e3")]) == [full("e2")]
            assert list(tx.jobs.to_be_cancelled([])) == []

    # --- datums ----------------------------------------------------------------------------------

    def test_datums_move_as_the_table_says(self, store: MetadataStore, repo: RepoRow) -> None:
        """Tries are counted; a datum somebody else moved is not moved, nor any with it."""
        plan_datums(store, repo, count=3)
        job = full("d1")
        with store.write() as tx:
            tx.datums.start(job, [0])
            tx.datums.end(job, [datum_end(0, DatumState.QUEUED)])
            tx.datums.start(job, [0])
            tx.datums.end(job, [datum_end(0, DatumState.SUCCESS, digest_of(b"out"))])
        with store.read() as tx:
            done = tx.datums.get(job, 0)
            assert (done.state, done.tries) == (DatumState.SUCCESS, 2)
            assert done.finished_at is not None
            assert done.output_root == digest_of(b"out")
        for positions in ([0], [1, 0], [9]):
            with pytest.raises(StateError), store.write() as tx:
                tx.datums.start(job, positions)
        with store.write() as tx:
            tx.datums.start(job, [2])
        for end in (
            datum_end(0, DatumState.SUCCESS),
            datum_end(1, DatumState.SUCCESS),
            datum_end(2, DatumState.SKIPPED),
        ):
            with pytest.raises(StateError), store.write() as tx:
                tx.datums.end(job, [end])
        counts = job_of(store, "d1").datum_counts
        assert counts == {DatumState.SUCCESS: 1, DatumState.QUEUED: 1, DatumState.RUNNING: 1}

    def test_many_datums_move_at_once(self, store: MetadataStore, repo: RepoRow) -> None:
        """More of them than a statement takes values."""
        count = 2500
        plan_datums(store, repo, count=count)
        job = full("d1")
        with store.write() as tx:
            tx.datums.start(job, range(count))
            tx.datums.end(job, [datum_end(one, DatumState.FAILED) for one in range(0, count, 2)])
        counts = job_of(store, "d1").datum_counts
        assert counts == {DatumState.FAILED: count // 2, DatumState.RUNNING: count // 2}

    def test_datums_are_found_by_where_they_were_cut_from(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Whatever was there then."""
        plan_datums(store, repo, count=3)
        moved = (DatumInput("in", "raw", None, RepoPath("f1"), digest_of(b"other")),)
        elsewhere = (DatumInput("in", "raw", None, RepoPath("f9"), digest_of(b"x")),)
        with store.read() as tx:
            found = tx.datums.at_places(full("d1"), [place_of(moved), place_of(elsewhere)])
            assert [one.position for one in found] == [1]
            assert tx.datums.at_places(full("d2"), [place_of(moved)]) == []

    def test_datums_are_listed_in_pages_and_by_state(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """In the order of their positions."""
        plan_datums(store, repo, count=10)
        job = full("d1")
        with store.write() as tx:
            tx.datums.start(job, [4])
        with store.read() as tx:
            assert [one.position for one in tx.datums.list(job, limit=4)] == [0, 1, 2, 3]
            assert [one.position for one in tx.datums.list(job, after=7, limit=4)] == [8, 9]
            found = tx.datums.list(job, states=[DatumState.RUNNING], limit=9)
            assert [one.position for one in found] == [4]
            assert tx.datums.count(job) == 10
            with pytest.raises(NotFoundError):
                tx.datums.get(job, 10)
        with store.write() as tx:
            tx.datums.requeue_running(job)
            assert tx.datums.get(job, 4).state is DatumState.QUEUED

    def test_results_are_remembered_by_key_and_stand_in_for_datums(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """A newer result of the same key takes the older one's place."""
        pipelines = plan_datums(store, repo, count=2)
        job = full("d1")
        key = digest_of(b"0")
        results = [
            DatumResult(key, job, number, digest_of(b"%d" % number), digest_of(b"log"))
            for number in range(2)
        ]
        with store.write() as tx:
            for result in results:
                tx.datums.remember(pipelines["p"], [result])
            assert tx.datums.known([key, digest_of(b"none")]) == {key: results[1]}
            tx.datums.clear(job)
            tx.datums.add(job, [DatumDraft(0, key, (), "unchanged", results[1])])
        with store.read() as tx:
            skipped = tx.datums.get(job, 0)
            assert skipped.state is DatumState.SKIPPED
            assert skipped.output_root == digest_of(b"1")
            assert tx.datums.count(job) == 1

    def test_deleting_a_pipeline_takes_its_jobs_and_results_along(
        self, store: MetadataStore, repo: RepoRow
    ) -> None:
        """Others' jobs that waited for them are free."""
        pipelines = plan_datums(store, repo, count=2)
        more = make_pipelines(store, repo, "q")
        with store.write() as tx:
            tx.jobs.add(job_draft(more["q"], "f1", "d2"), [full("d1")])
            key = digest_of(b"0")
            tx.datums.remember(
                pipelines["p"], [DatumResult(key, full("d1"), 0, digest_of(b""), digest_of(b""))]
            )
            tx.pipelines.delete(pipelines["p"])
            assert tx.datums.known([key]) == {}
        assert ready(store) == ["d2"]
        with store.read() as tx:
            assert tx.datums.count(full("d1")) == 0

    # --- sessions, mounts, connections, settings -------------------------------------------------

    def test_sessions_remember_their_base(self, store: MetadataStore, repo: RepoRow) -> None:
        """Until they are deleted."""
        head = head_of(store, repo)
        newer = add_commit(store, repo, head)
        with store.write() as tx:
            tx.sessions.create(full("e1"), repo, "main", head.id, "ada")
            tx.sessions.create(full("e2"), repo, "dev", head.id, "bob")
            tx.sessions.rebase(full("e1"), newer.id)
        with store.read() as tx:
            assert tx.sessions.get(full("e1")).base_commit_id == newer.id
            assert {one.id for one in tx.sessions.list(repo)} == {full("e1"), full("e2")}
        with store.write() as tx:
            tx.sessions.delete(full("e1"))
            with pytest.raises(NotFoundError):
                tx.sessions.get(full("e1"))
            assert [one.id for one in tx.sessions.list()] == [full("e2")]

    def test_mounts_are_kept_by_place(self, store: MetadataStore, repo: RepoRow) -> None:
        """A place is taken once; forgetting the mount point forgets what it shows."""
        with store.write() as tx:
            for state in (MountState.STARTING, MountState.READY):
                tx.mounts.set_point(
                    "/lake", mode=MountMode.FUSE, state=state, message="", pid=7, host="here"
                )
            tx.mounts.add("/lake", "raw", repo, "main", session_id=None, by="ada")
        with pytest.raises(AlreadyExistsError), store.write() as tx:
            tx.mounts.add("/lake", "raw", repo, "main", session_id=None, by="bob")
        with store.write() as tx:
            point = tx.mounts.find_point("/lake")
            assert point is not None
            assert (point.state, point.pid) == (MountState.READY, 7)
            assert tx.mounts.get("/lake", "raw").path == "/lake/raw"
            assert not tx.mounts.get("/lake", "raw").is_writable
            tx.mounts.delete_point("/lake")
            assert (tx.mounts.list(), tx.mounts.list_points()) == ([], [])
            with pytest.raises(NotFoundError):
                tx.mounts.get("/lake", "raw")

    def test_settings_are_written_once(self, store: MetadataStore) -> None:
        """The first value stays: the lake's id is one of them."""
        for value in ("first", "second"):
            with store.write() as tx:
                tx.settings.set_once("lake_id", value)
        with self.again(store).read() as tx:
            assert tx.settings.get("lake_id") == "first"
            assert tx.settings.get("nothing") is None

    @pytest.mark.parametrize("text", ["'; drop table repos; --", "%", "_", "\\", "a\0b", "\u202e"])
    def test_hostile_text_is_only_text(
        self, store: MetadataStore, repo: RepoRow, text: str
    ) -> None:
        """Values are bound, never pasted into a statement."""
        with store.write() as tx:
            tx.repos.describe(repo.id, text)
            tx.events.append(EventKind.REPO_CREATED, text, text=text)
            tx.leases.acquire(text, text, 10)
        with store.read() as tx:
            assert tx.repos.get("raw").repo.description == text
            assert tx.events.list(0, limit=99)[-1].details == {"text": text}
            assert tx.leases.holder(text) == text
            assert tx.repos.find(text) is None


# --- making rows ---------------------------------------------------------------------------------


def draft(
    row: RepoRow,
    parent: Commit | None,
    *,
    message: str = "m",
    metadata: dict[str, str] | None = None,
    provenance: Provenance = _BY_HAND,
) -> CommitDraft:
    """Return a commit to be sealed, on a parent or on none."""
    return CommitDraft(
        repo=row.repo.name,
        branch="main",
        root=digest_of(b"root"),
        parents=() if parent is None else (parent.id,),
        author=_ADA,
        time_ns=1,
        message=message,
        global_id=GlobalId("0" * 32),
        provenance=provenance,
        metadata=metadata or {},
        file_count=3,
        size_bytes=2**40,
    )


def add_commit(
    store: MetadataStore,
    row: RepoRow,
    parent: Commit,
    *,
    message: str = "m",
    metadata: dict[str, str] | None = None,
    provenance: Provenance = _BY_HAND,
) -> Commit:
    """Insert a commit without moving a branch."""
    commit, _ = draft(row, parent, message=message, metadata=metadata, provenance=provenance).seal()
    with store.write() as tx:
        tx.commits.add(row.id, commit)
    return commit


def make_repo(store: MetadataStore, name: str) -> RepoRow:
    """Insert a repo whose branch main is at a first commit."""
    with store.write() as tx:
        repo = Repo(name, RepoKind.USER, "", ManualClock().now, "ada")
        row = RepoRow(tx.repos.create(repo), repo)
        commit, _ = draft(row, None, message=f"first of {name}").seal()
        tx.commits.add(row.id, commit)
        tx.refs.create(row, "main", RefKind.BRANCH, commit.id, by="ada", reason="first")
        return row


def head_of(store: MetadataStore, row: RepoRow) -> Commit:
    """Return the head of main."""
    with store.read() as tx:
        return tx.commits.get(tx.refs.get(row, "main").commit_id)


def move(
    tx: Transaction, row: RepoRow, expected: CommitId, new: CommitId, *, name: str = "main"
) -> None:
    """Move a branch by compare-and-swap."""
    tx.refs.move(row, name, expected=expected, new=new, by="ada", reason="m")


def record(data: bytes, offset: int) -> BlobRecord:
    """Return where a blob might be."""
    return BlobRecord(digest_of(data), BlobKind.CHUNK, Codec.RAW, offset, len(data), len(data))


def spec(name: str, *, description: str = "", reads: str = "raw") -> PipelineSpec:
    """Return a small pipeline that reads one repo."""
    code = CommandCode(("true",))
    return PipelineSpec(name, RepoInput("given", reads, "/*"), code, description=description)


def make_pipelines(store: MetadataStore, row: RepoRow, *names: str) -> dict[str, int]:
    """Insert pipelines and return their keys by name."""
    code = head_of(store, row).id
    with store.write() as tx:
        return {name: tx.pipelines.create(spec(name), code, "ada").id for name in names}


def full(short: str) -> str:
    """Return an id of the usual length that begins with `short`, as hex digits."""
    return short.ljust(32, "0")


def job_draft(pipeline_id: int, global_id: str, job_id: str) -> JobDraft:
    """Return a job to be created."""
    trigger = Trigger(TriggerKind.COMMIT, "raw@main", 1)
    return JobDraft(full(job_id), pipeline_id, 1, GlobalId(full(global_id)), trigger, {})


def job_of(store: MetadataStore, short: str) -> Job:
    """Return a job as it is now."""
    with store.read() as tx:
        return tx.jobs.get(full(short))


def _told(short: str, *, delay_ns: int = 0) -> NotificationDraft:
    return NotificationDraft(
        full(short), "p", None, (Occasion.TEST,), InJupyter(), {"title": "t"}, delay_ns=delay_ns
    )


def ready(store: MetadataStore, limit: int = 9) -> list[str]:
    """Return the short ids of the jobs that may start."""
    with store.read() as tx:
        return [job.id.rstrip("0") for job in tx.jobs.ready(limit)]


def finish(store: MetadataStore, short: str, *states: JobState) -> None:
    """Take a job through states, each in a transaction of its own."""
    for state in states:
        with store.write() as tx:
            tx.jobs.move(tx.jobs.get(full(short)), state)


def plan_datums(store: MetadataStore, row: RepoRow, *, count: int) -> dict[str, int]:
    """Insert a pipeline p with a job j1 that has `count` queued datums; return pipeline keys."""
    pipelines = make_pipelines(store, row, "p")
    head = head_of(store, row).id
    with store.write() as tx:
        tx.jobs.add(job_draft(pipelines["p"], "f1", "d1"), [])
        tx.datums.add(
            full("d1"),
            [
                DatumDraft(
                    number,
                    digest_of(b"%d" % number),
                    (DatumInput("in", "raw", head, RepoPath(f"f{number}"), digest_of(b"x")),),
                    "new",
                    None,
                )
                for number in range(count)
            ],
        )
    return pipelines


def datum_end(position: int, state: DatumState, output: Digest | None = None) -> DatumEnd:
    """Return how a try ended."""
    return DatumEnd(position, state, 0, 0, output, None, "")


def mine_has_more(store: MetadataStore, seen: list[int]) -> bool:
    """Tell whether there are events that have not been seen."""
    with store.read() as tx:
        return tx.events.last_number() > (seen[-1] if seen else 0)


def at_once(act: Callable[[int], T]) -> list[T]:
    """Call `act` with 0 … in as many threads at the same moment; return what they return."""
    barrier = threading.Barrier(_THREADS)

    def run(number: int) -> T:
        barrier.wait(timeout=30)
        return act(number)

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(run, range(_THREADS)))
