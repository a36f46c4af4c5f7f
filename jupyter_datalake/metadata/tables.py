"""The schema. Every column's meaning, sentinel and invariant stands beside it.

Times are integer nanoseconds since 1970 in UTC (``…_ns``). Digests are 32 raw bytes; commit ids,
being names that people type, are hex text. The only rows that change after they were written are
`repos`, `refs`, `sessions`, `drafts`, `mounts`, `mountpoints`, `pipelines`, `cron_inputs`,
`trigger_alarms`, `jobs`, `datums`, `accesses`, `leases`, `cursors`, `epochs`, `collections` and
`retention`, always inside a write transaction and by compare-and-swap where two writers can meet;
besides, repacking moves the places in `blobs`. A change here needs a migration in
`migrations/versions`; a test compares both.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy import Text as AnyText
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

_NUL, _ESCAPE = "\0", "\ufdd0"


class _Escaped(TypeDecorator[str]):
    """Text of any characters. Postgres has no NUL, so there it is kept as two others."""

    impl: type[TypeEngine[Any]] = AnyText
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name != "postgresql":
            return value
        return value.replace(_ESCAPE, _ESCAPE * 2).replace(_NUL, f"{_ESCAPE}0")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name != "postgresql" or _ESCAPE not in value:
            return value
        parts = str(value).split(_ESCAPE * 2)
        return _ESCAPE.join(part.replace(f"{_ESCAPE}0", _NUL) for part in parts)


class _EscapedName(_Escaped):
    """The same, of limited length."""

    impl = String
    cache_ok = True


Text = _Escaped()
_Name = _EscapedName(200)
_CommitId = String(64)
_Id = String(32)

# SQLite gives a 64-bit key only to a column declared exactly INTEGER.
_Key = BigInteger().with_variant(Integer, "sqlite")

lake = Table(
    "lake",
    metadata,
    # 'lake_id' (32 hex digits, equal to the one in the object store) and 'format' (store format).
    Column("key", _Name, primary_key=True),
    Column("value", Text, nullable=False),
)

repos = Table(
    "repos",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("name", _Name, nullable=False, unique=True),
    Column("kind", _Name, nullable=False),  # model.repos.RepoKind
    Column("description", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    # When it was deleted: it has a name that nobody can type until gc removes it, or `restore`
    # gives the old one back. Null: it is there.
    Column("deleted_ns", BigInteger),
    # The most that the tree of one commit may hold; null: no limit.
    Column("limit_bytes", BigInteger),
    sqlite_autoincrement=True,  # an id is never used again: old commits may still name it
)

refs = Table(
    "refs",
    metadata,
    Column("repo_id", _Key, ForeignKey("repos.id"), primary_key=True),
    # Branches and tags share one name space, so an expression has one meaning.
    Column("name", _Name, primary_key=True),
    Column("kind", _Name, nullable=False),  # model.refs.RefKind
    Column("commit_id", _CommitId, ForeignKey("commits.id"), nullable=False, index=True),
    Column("updated_ns", BigInteger, nullable=False),
    Column("message", Text),  # of a tag that says what it marks
    Column("created_by", Text),  # null: made before this was kept
)

ref_moves = Table(
    "ref_moves",
    metadata,
    # The reflog: one row per creation, move and deletion, never changed.
    Column("id", _Key, primary_key=True),
    Column("repo_id", _Key, ForeignKey("repos.id"), nullable=False),
    Column("name", _Name, nullable=False),
    Column("kind", _Name, nullable=False),
    # Indexed, because gc asks of each commit whether a move can still be undone to it.
    Column("old_commit_id", _CommitId, index=True),  # null: the ref was created
    Column("new_commit_id", _CommitId, index=True),  # null: the ref was deleted
    Column("at_ns", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    # What undoing it needs besides: 'renamed_to' or 'renamed_from' (the other name of a rename,
    # which is two rows), 'message' and 'created_by' (of a ref that was deleted).
    Column("details", JSON),
    Index("ix_ref_moves_ref", "repo_id", "name", "at_ns"),
    sqlite_autoincrement=True,
)

commits = Table(
    "commits",
    metadata,
    # Digest of the canonical bytes, which these columns can rebuild: `verify` does.
    Column("id", _CommitId, primary_key=True),
    Column("repo_id", _Key, ForeignKey("repos.id"), nullable=False, index=True),
    # The repo's name when the commit was made; part of the canonical bytes.
    Column("repo", _Name, nullable=False),
    Column("branch", _Name, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("author_name", Text, nullable=False),
    Column("author_email", Text),
    Column("time_ns", BigInteger, nullable=False),
    Column("message", Text, nullable=False),
    Column("global_id", _Id, nullable=False, index=True),
    Column("metadata", JSON, nullable=False),
    Column("provenance", JSON, nullable=False),
    Column("file_count", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Index("ix_commits_time", "time_ns", "id"),
)

commit_facts = Table(
    "commit_facts",
    metadata,
    # The metadata of commits as metadata.facts digests it: what `commits.search` looks up.
    Column("fact", LargeBinary(32), primary_key=True),
    Column(
        "commit_id",
        _CommitId,
        ForeignKey("commits.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    sqlite_with_rowid=False,
)

commit_parents = Table(
    "commit_parents",
    metadata,
    Column("commit_id", _CommitId, ForeignKey("commits.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    # Not a foreign key: history may be squashed away behind a commit that names it.
    Column("parent_id", _CommitId, nullable=False, index=True),
)

commit_inputs = Table(
    "commit_inputs",
    metadata,
    # Provenance as edges, so both directions are one indexed look-up; the code is named '.code'.
    Column("commit_id", _CommitId, ForeignKey("commits.id"), primary_key=True),
    Column("name", _Name, primary_key=True),
    Column("input_commit_id", _CommitId, nullable=False, index=True),
)

removed_commits = Table(
    "removed_commits",
    metadata,
    # Commits that are gone although later ones name them as parents: what history ends with.
    Column("id", _CommitId, primary_key=True),
    Column("repo_id", _Key, ForeignKey("repos.id"), nullable=False, index=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

retention = Table(
    "retention",
    metadata,
    # How much of a branch's history is kept; a commit stays while one of the reasons holds.
    Column("repo_id", _Key, ForeignKey("repos.id"), primary_key=True),
    Column("branch", _Name, primary_key=True),  # empty: every branch without a row of its own
    Column("keep_last", Integer),  # commits, counted from the head
    Column("keep_for_s", BigInteger),  # age
    Column("keep_tagged", Boolean, nullable=False),
    Column("keep_inputs", Boolean, nullable=False),  # what other commits were made from
    Column("updated_ns", BigInteger, nullable=False),
    Column("updated_by", Text, nullable=False),
)

global_ids = Table(
    "global_ids",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("created_ns", BigInteger, nullable=False, index=True),
    Column("created_by", Text, nullable=False),
    Column("origin", _Name, nullable=False),  # model.lineage.GlobalOrigin
    Column("subject", Text, nullable=False),  # the repo or pipeline it began with
)

packs = Table(
    "packs",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("blob_count", Integer, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    # Since when no blob lies in it; the object is deleted a while later, for readers that looked
    # a place up before. A retired pack never comes back.
    Column("retired_ns", BigInteger),
    # It holds a commit that was removed, which a rebuild would bring back: to be written anew,
    # however much of it is in use.
    Column("rewrite", Boolean, nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)

blobs = Table(
    "blobs",
    metadata,
    # Where a digest's bytes are. When two writers store one blob, the first row stays and the
    # second pack's copy is garbage for repacking, unless the first was condemned.
    Column("digest", LargeBinary(32), primary_key=True),
    Column("pack_id", _Key, ForeignKey("packs.id"), nullable=False, index=True),
    Column("kind", Integer, nullable=False),  # model.packs.BlobKind
    Column("codec", Integer, nullable=False),  # model.packs.Codec
    Column("offset", BigInteger, nullable=False),
    Column("stored_size", Integer, nullable=False),
    Column("raw_size", Integer, nullable=False),
    # The collection that found no use for it; writers store it anew, readers do not care. Null:
    # writers may count on it.
    Column("condemned", BigInteger),
    sqlite_with_rowid=False,  # one B-tree instead of two: half the writes of a large commit
)

drafts = Table(
    "drafts",
    metadata,
    # The session may be gone: the draft is what is left of it.
    Column("session_id", _Id, primary_key=True),
    Column("repo_id", _Key, ForeignKey("repos.id"), nullable=False, index=True),
    Column("branch", _Name, nullable=False),
    Column("base_commit_id", _CommitId, nullable=False),
    Column("root", LargeBinary(32), nullable=False),  # manifest; pinned by 'draft:<session>'
    Column("changes", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("saved_ns", BigInteger, nullable=False),
)

pins = Table(
    "pins",
    metadata,
    # Content that is in use and that no commit names yet.
    Column("id", _Key, primary_key=True),
    # 'session:<id>', gone with the session's commit or discard, 'draft:<id>', with the draft of a
    # session, or 'job:<id>', with the job.
    Column("owner", _Name, nullable=False, index=True),
    # Records of 33 bytes: what the blob is (model.packs.BlobKind), and its digest.
    Column("roots", LargeBinary, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

epochs = Table(
    "epochs",
    metadata,
    # 'collection' grows whenever something that a writer may count on stops being sure. 'stored' is
    # the sum of the sizes in `packs`, kept by every statement that adds or removes one. 'quota' is
    # the most that it may be; no row: no quota. 'auto_gc' is how many seconds lie between two runs
    # of gc by itself at least; 0: none; no row: a day.
    Column("name", _Name, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

strangers = Table(
    "strangers",
    metadata,
    # Packs in the store that no row of `packs` knows, and since when gc has seen them.
    Column("name", String(64), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("seen_ns", BigInteger, nullable=False),
)

collections = Table(
    "collections",
    metadata,
    # The journal of gc: one row per run.
    Column("id", _Key, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("condemned_ns", BigInteger),  # when it condemned something last
    Column("finished_ns", BigInteger),  # null while it runs, and for ever when it was killed
    Column("report", JSON),
    sqlite_autoincrement=True,  # blobs name the run that condemned them
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("repo_id", _Key, ForeignKey("repos.id"), nullable=False, index=True),
    Column("branch", _Name, nullable=False),
    # What the staged changes are relative to; moves on commit and rebase.
    Column("base_commit_id", _CommitId, nullable=False),
    Column("owner", Text, nullable=False),
    # Where what is staged lies: "host:folder"; null for one made before this was recorded.
    Column("place", Text),
    # What tells it from others of its branch, and the notebook it is for; null for the usual one.
    Column("name", _Name),
    Column("notebook", Text),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
)

mountpoints = Table(
    "mountpoints",
    metadata,
    # One folder that shows repos, and the process that serves it.
    Column("path", Text, primary_key=True),
    Column("mode", _Name, nullable=False),  # model.mounts.MountMode
    Column("state", _Name, nullable=False),  # model.mounts.MountState
    Column("message", Text, nullable=False),
    Column("pid", Integer),  # of the supervisor; null when nothing serves it
    Column("host", Text, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
)

mounts = Table(
    "mounts",
    metadata,
    Column("mountpoint", Text, ForeignKey("mountpoints.path"), primary_key=True),
    # Name of the folder below the mount point: the repo, or repo@ref for a pinned view.
    Column("name", _Name, primary_key=True),
    Column("repo_id", _Key, ForeignKey("repos.id"), nullable=False),
    Column("ref", _Name, nullable=False),
    # The session that takes the writes; null for a read-only view.
    Column("session_id", _Id, ForeignKey("sessions.id")),
    # The commit that a view stays at; null for what follows its branch, and for sessions.
    Column("commit_id", _CommitId),
    Column("created_ns", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)

pipelines = Table(
    "pipelines",
    metadata,
    Column("id", _Key, primary_key=True),
    Column("name", _Name, nullable=False, unique=True),
    Column("state", _Name, nullable=False),  # model.pipelines.PipelineState
    Column("version", Integer, nullable=False),  # of `pipeline_versions`; grows by one
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    sqlite_autoincrement=True,
)

pipeline_versions = Table(
    "pipeline_versions",
    metadata,
    Column("pipeline_id", _Key, ForeignKey("pipelines.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("spec", JSON, nullable=False),  # as model.pipelines.spec_as_dict gives it
    Column("code_commit_id", _CommitId, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)

pipeline_inputs = Table(
    "pipeline_inputs",
    metadata,
    # The repos that the current version reads: "who is downstream of this branch?" by index.
    Column("pipeline_id", _Key, ForeignKey("pipelines.id"), primary_key=True),
    Column("name", _Name, primary_key=True),
    Column("repo", _Name, nullable=False),
    Column("branch", _Name, nullable=False),
    Index("ix_pipeline_inputs_branch", "repo", "branch"),
)

cron_inputs = Table(
    "cron_inputs",
    metadata,
    Column("pipeline_id", _Key, ForeignKey("pipelines.id"), primary_key=True),
    Column("name", _Name, primary_key=True),
    Column("spec", Text, nullable=False),
    # The next tick; moved in the transaction that creates the tick's job, so none fires twice.
    Column("next_ns", BigInteger, nullable=False, index=True),
    Column("last_ns", BigInteger),
)

trigger_alarms = Table(
    "trigger_alarms",
    metadata,
    # When to look whether the schedule of an input's trigger has ticked over what came in.
    Column("pipeline_id", _Key, ForeignKey("pipelines.id"), primary_key=True),
    Column("name", _Name, primary_key=True),  # of `pipeline_inputs`
    Column("next_ns", BigInteger, nullable=False, index=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", _Id, primary_key=True),
    # Order of creation, which is the order in which one pipeline's jobs run.
    Column("number", _Key, nullable=False, unique=True),
    Column("pipeline_id", _Key, ForeignKey("pipelines.id"), nullable=False),
    Column("pipeline_version", Integer, nullable=False),
    Column("state", _Name, nullable=False, index=True),  # model.jobs.JobState
    Column("outcome", _Name),  # model.jobs.Outcome; null until it ended in success
    Column("global_id", _Id, nullable=False, index=True),
    Column("trigger", JSON, nullable=False),  # what set it off, for explain
    Column("heads", JSON, nullable=False),  # input name -> commit at creation
    Column("inputs", JSON, nullable=False),  # input name -> commit it ran on; empty until it runs
    Column("output_commit_id", _CommitId),
    Column("rows_written", BigInteger),  # by egress; null without one
    Column("message", Text, nullable=False),  # why it failed, was cancelled or was cut off
    Column("created_ns", BigInteger, nullable=False),
    Column("started_ns", BigInteger),
    Column("finished_ns", BigInteger),
    Column("attempt", Integer, nullable=False),  # grows when a lost job is taken up again
    Column("owner", Text),  # the controller that runs it
    Column("lease_until_ns", BigInteger),  # behind this the job counts as lost
    Column("cancel_requested", Boolean, nullable=False),
    Column("datum_total", Integer, nullable=False),
    # Datums that were not looked at, because nothing they depend on has changed since an earlier
    # job: they have no rows in `datums`, and are in the manifest `datums_root` only.
    Column("inherited", Integer, nullable=False, server_default="0"),
    Column("datums_root", LargeBinary(32)),  # manifest of all its datums; null: they have rows
    Column("joined_root", LargeBinary(32)),  # what their outputs gave; null: unfit to go on from
    UniqueConstraint("pipeline_id", "global_id"),  # one change gives one job per pipeline
    Index("ix_jobs_pipeline", "pipeline_id", "number"),  # the newest of each, however many
)

job_waits = Table(
    "job_waits",
    metadata,
    # The job may start when the other one has ended.
    Column("job_id", _Id, ForeignKey("jobs.id"), primary_key=True),
    Column("on_job_id", _Id, ForeignKey("jobs.id"), primary_key=True, index=True),
)

datums = Table(
    "datums",
    metadata,
    Column("job_id", _Id, ForeignKey("jobs.id"), primary_key=True),
    # Below 0: a step of the job, which is no datum; see model.datums.STEP_POSITIONS.
    Column("position", Integer, primary_key=True),
    Column("key", LargeBinary(32), nullable=False, index=True),
    Column("place", LargeBinary(16)),  # model.datums.place_of; null in rows of old lakes
    Column("state", _Name, nullable=False),  # model.datums.DatumState
    Column("label", Text, nullable=False),  # the paths it was cut from, for people
    Column("reason", Text, nullable=False),  # why it runs or not: pipelines.explaining.Reason
    Column("inputs", JSON, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("started_ns", BigInteger),
    Column("finished_ns", BigInteger),
    Column("output_root", LargeBinary(32)),  # manifest of what it wrote; null until success
    Column("artifacts_root", LargeBinary(32)),  # executed notebook and log; null until it ended
    Column("message", Text, nullable=False),
    Index("ix_datums_state", "job_id", "state"),
    Index("ix_datums_place", "job_id", "place"),
)

datum_results = Table(
    "datum_results",
    metadata,
    # The memory of the datum engine: a key found here is not run again.
    Column("key", LargeBinary(32), primary_key=True),
    Column("pipeline_id", _Key, ForeignKey("pipelines.id"), nullable=False, index=True),
    Column("job_id", _Id, nullable=False),
    Column("position", Integer, nullable=False),
    Column("output_root", LargeBinary(32), nullable=False),
    Column("artifacts_root", LargeBinary(32), nullable=False),
    Column("finished_ns", BigInteger, nullable=False),
    # Whether the manifest `datums_root` of the pipeline's newest successful job names it.
    Column("current", Boolean, nullable=False, server_default=false()),
)

leases = Table(
    "leases",
    metadata,
    Column("name", _Name, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until_ns", BigInteger, nullable=False),
    # Grows whenever the owner changes: what an old owner does late carries an old number.
    Column("fence", BigInteger, nullable=False),
)

# Processes that were seen to open something; one for each cell, where that is known.
observers = Table(
    "observers",
    metadata,
    Column("id", _Id, primary_key=True),  # hash of what makes it this one
    Column("host", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("command", Text, nullable=False),
    # The Jupyter kernel that it is, or that started it, and the notebook and cell of that.
    Column("kernel_id", Text),
    Column("notebook", Text),
    Column("cell", Text),
    # The job and position of the datum that it is, of lazy inputs; there is no process then.
    Column("job_id", _Id, index=True),
    Column("datum", BigInteger),
)

# What they opened, counted; rows nobody added to for a while are removed.
accesses = Table(
    "accesses",
    metadata,
    Column("key", LargeBinary(16), primary_key=True),  # hash of `metadata.lineage._access`
    Column("observer_id", _Id, ForeignKey("observers.id"), nullable=False, index=True),
    Column("repo", _Name, nullable=False),
    # What was shown, or what the session was based on.
    Column("commit_id", _CommitId, nullable=False),
    Column("path", LargeBinary, nullable=False),  # its bytes, which need not be text
    Column("kind", _Name, nullable=False),  # model.lineage.AccessKind
    # The session that was opened, which may be gone; null for a read-only view.
    Column("session_id", _Id),
    Column("opens", BigInteger, nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False, index=True),
    Column("seen_by", _Name, nullable=False, server_default="mount"),  # model.lineage.SeenBy
)

events = Table(
    "events",
    metadata,
    Column("number", _Key, primary_key=True),
    Column("at_ns", BigInteger, nullable=False),
    Column("kind", _Name, nullable=False),  # model.events.EventKind
    Column("subject", Text, nullable=False),
    Column("details", JSON, nullable=False),
    sqlite_autoincrement=True,  # numbers are never used again, so a follower cannot miss one
)

cursors = Table(
    "cursors",
    metadata,
    # How far a durable follower has read; moved in the transaction that acts on the events.
    Column("name", _Name, primary_key=True),
    Column("number", BigInteger, nullable=False),
)

notifications = Table(
    "notifications",
    metadata,
    # The outbox: written in the transaction of what is told, sent by the controller that leads.
    Column("number", _Key, primary_key=True),
    Column("id", _Id, nullable=False, unique=True),  # equal in all tries, for receivers
    Column("pipeline", _Name, nullable=False),
    Column("job_id", _Id, index=True),  # null for what is of no job; the job may be gone
    Column("occasions", JSON, nullable=False),  # of model.notifications.Occasion
    Column("channel", JSON, nullable=False),  # as model.notifications.channel_as_dict gives it
    Column("facts", JSON, nullable=False),  # what is told
    Column("state", _Name, nullable=False),  # model.notifications.NotificationState
    Column("tries", Integer, nullable=False),
    Column("message", Text, nullable=False),  # why the last try failed
    Column("created_ns", BigInteger, nullable=False),
    # When it is to be tried; while it is being sent, when it counts as not sent.
    Column("next_ns", BigInteger),
    Column("owner", Text),  # the controller that is sending it
    Column("finished_ns", BigInteger),
    Index("ix_notifications_next", "state", "next_ns"),
    sqlite_autoincrement=True,
)

remotes = Table(
    "remotes",
    metadata,
    # Other lakes. URLs never hold a secret, and a key is only where it is to be found.
    Column("name", _Name, primary_key=True),
    Column("url", Text, nullable=False),
    Column("key", Text),  # as config.LakeConfig.key; null: the environment's
    Column("created_ns", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)

connections = Table(
    "connections",
    metadata,
    # Warehouse connections. Options never hold a secret.
    Column("name", _Name, primary_key=True),
    Column("engine", _Name, nullable=False),
    Column("options", JSON, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
)

write_keys = Table(
    "write_keys",
    metadata,
    # One row per write transaction of the last day: the time it began and random digits. Where
    # the answer to COMMIT is lost, the row says whether it was made.
    Column("key", _Id, primary_key=True),
    sqlite_with_rowid=False,
)
