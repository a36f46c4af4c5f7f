"""What can go wrong, and what it means to each caller.

The tree, in the order of the classes below::

    DatalakeError                       .kind .message .hint .retryable .context
    ├── NotFoundError         (LookupError)
    │   └── PathNotFoundError (FileNotFoundError)
    ├── AlreadyExistsError    (FileExistsError)
    ├── ConflictError
    ├── InvalidInputError     (ValueError)
    ├── PermissionDeniedError (PermissionError)
    ├── StateError
    ├── StorageError          (OSError)
    ├── CorruptDataError
    ├── FormatError
    ├── JobError
    │   ├── JobFailedError
    │   ├── JobCancelledError
    │   └── JobLostError
    ├── MountError
    ├── MissingDependencyError (ImportError)
    └── InternalError

A *class* says what a caller would do about it; a *kind* says what exactly happened. Kinds are
append-only: users match on them. `CATEGORIES` is the one table that turns a class into an HTTP
status, an exit code and an errno; the server, the command line and the mount read it.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar


class ErrorKind(StrEnum):
    """Stable codes, one for each thing that can happen. Never renamed, never removed."""

    LAKE_NOT_FOUND = "lake-not-found"
    REPO_NOT_FOUND = "repo-not-found"
    REF_NOT_FOUND = "ref-not-found"
    COMMIT_NOT_FOUND = "commit-not-found"
    PATH_NOT_FOUND = "path-not-found"
    SESSION_NOT_FOUND = "session-not-found"
    MOUNT_NOT_FOUND = "mount-not-found"
    PIPELINE_NOT_FOUND = "pipeline-not-found"
    JOB_NOT_FOUND = "job-not-found"
    DATUM_NOT_FOUND = "datum-not-found"
    KERNEL_NOT_FOUND = "kernel-not-found"
    TRIAL_NOT_FOUND = "trial-not-found"
    CONNECTION_NOT_FOUND = "connection-not-found"
    GLOBAL_ID_NOT_FOUND = "global-id-not-found"
    REMOTE_NOT_FOUND = "remote-not-found"
    GROUP_NOT_FOUND = "group-not-found"
    LIMIT_NOT_FOUND = "limit-not-found"
    POLICY_NOT_FOUND = "policy-not-found"
    NOTIFICATION_NOT_FOUND = "notification-not-found"
    BLOB_NOT_FOUND = "blob-not-found"
    OBJECT_NOT_FOUND = "object-not-found"

    LAKE_EXISTS = "lake-exists"
    REPO_EXISTS = "repo-exists"
    REF_EXISTS = "ref-exists"
    PATH_EXISTS = "path-exists"
    MOUNT_EXISTS = "mount-exists"
    PIPELINE_EXISTS = "pipeline-exists"
    CONNECTION_EXISTS = "connection-exists"
    REMOTE_EXISTS = "remote-exists"

    BRANCH_MOVED = "branch-moved"
    PATHS_CONFLICT = "paths-conflict"
    BRANCHES_DIVERGED = "branches-diverged"
    OUTPUTS_COLLIDE = "outputs-collide"
    LEASE_HELD = "lease-held"
    SESSION_BUSY = "session-busy"
    SESSION_ELSEWHERE = "session-elsewhere"
    IN_USE = "in-use"
    CONTENT_COLLECTED = "content-collected"

    INVALID_NAME = "invalid-name"
    INVALID_REF = "invalid-ref"
    INVALID_PATH = "invalid-path"
    INVALID_ADDRESS = "invalid-address"
    INVALID_URL = "invalid-url"
    INVALID_SPEC = "invalid-spec"
    INVALID_GLOB = "invalid-glob"
    INVALID_CRON = "invalid-cron"
    INVALID_NOTEBOOK = "invalid-notebook"
    INVALID_QUERY = "invalid-query"
    INVALID_REQUEST = "invalid-request"
    PIPELINE_CYCLE = "pipeline-cycle"

    READ_ONLY = "read-only"
    NOT_ALLOWED = "not-allowed"
    KEY_MISSING = "key-missing"
    KEY_WRONG = "key-wrong"

    SESSION_CLOSED = "session-closed"
    NOTHING_TO_COMMIT = "nothing-to-commit"
    WRONG_STATE = "wrong-state"
    OVER_LIMIT = "over-limit"

    STORAGE_UNAVAILABLE = "storage-unavailable"
    STORAGE_FULL = "storage-full"
    STORAGE_DENIED = "storage-denied"
    STORAGE_FAILED = "storage-failed"
    STORAGE_UNSUITABLE = "storage-unsuitable"
    DATABASE_BUSY = "database-busy"
    DATABASE_UNAVAILABLE = "database-unavailable"
    WAREHOUSE_UNAVAILABLE = "warehouse-unavailable"
    EXECUTOR_UNAVAILABLE = "executor-unavailable"

    CORRUPT_BLOB = "corrupt-blob"
    CORRUPT_PACK = "corrupt-pack"
    CORRUPT_JOURNAL = "corrupt-journal"
    CORRUPT_OBJECT = "corrupt-object"
    DIGEST_COLLISION = "digest-collision"
    FORMAT_TOO_NEW = "format-too-new"
    FORMAT_UNKNOWN = "format-unknown"

    JOB_FAILED = "job-failed"
    JOB_CANCELLED = "job-cancelled"
    JOB_LOST = "job-lost"
    JOB_TIMEOUT = "job-timeout"
    DATUM_FAILED = "datum-failed"
    DATUM_TIMEOUT = "datum-timeout"
    DATUM_LIMIT = "datum-limit"
    KERNEL_DIED = "kernel-died"
    EXPECTATION_FAILED = "expectation-failed"
    EGRESS_FAILED = "egress-failed"
    ENVIRONMENT_FAILED = "environment-failed"

    FUSE_UNAVAILABLE = "fuse-unavailable"
    MOUNT_FAILED = "mount-failed"
    MOUNT_STALE = "mount-stale"

    MISSING_DEPENDENCY = "missing-dependency"
    INTERNAL = "internal"


class DatalakeError(Exception):
    """The root: ``except DatalakeError`` catches everything this package raises on purpose.

    Parameters
    ----------
    message
        One sentence that names the thing and its value, without a final full stop.
    kind
        What exactly happened; the class's own kind when left out.
    hint
        The next step for the reader, as a sentence without a final full stop.
    retryable
        Whether the same call may succeed later with nothing changed by the caller.
    context
        Values worth handling by a program (``repo="raw"``, ``paths=[…]``); plain JSON types.
    """

    default_kind: ClassVar[ErrorKind] = ErrorKind.INTERNAL

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind | None = None,
        hint: str | None = None,
        retryable: bool = False,
        **context: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind or self.default_kind
        self.hint = hint
        self.retryable = retryable
        self.context = context
        if OSError in type(self).__mro__:
            # `except OSError as e: e.errno` must work for callers who know only the built-in class.
            object.__setattr__(self, "errno", errno_of(self))

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}." if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would call the class with `args` only and lose every keyword.
        state = {
            "kind": self.kind,
            "hint": self.hint,
            "retryable": self.retryable,
            "context": self.context,
        }
        return (_rebuild, (type(self), self.message, state))

    def as_dict(self) -> dict[str, Any]:
        """Return the one error shape of the REST interface and of ``--json``."""
        return {
            "kind": str(self.kind),
            "message": str(self),
            "retryable": self.retryable,
            "details": self.context,
        }


def _rebuild(cls: type[DatalakeError], message: str, state: dict[str, Any]) -> DatalakeError:
    context = state.pop("context")
    return cls(message, **state, **context)


class NotFoundError(DatalakeError, LookupError):
    """No repo, ref, commit, job … of this name; the caller should look at a list."""

    default_kind = ErrorKind.REPO_NOT_FOUND


class PathNotFoundError(NotFoundError, FileNotFoundError):
    """The commit exists but holds no such path."""

    default_kind = ErrorKind.PATH_NOT_FOUND


class AlreadyExistsError(DatalakeError, FileExistsError):
    """The name is taken; the caller should choose another or use what is there."""

    default_kind = ErrorKind.REPO_EXISTS


class ConflictError(DatalakeError):
    """Somebody else changed the same thing; the caller should look again and decide."""

    default_kind = ErrorKind.BRANCH_MOVED


class InvalidInputError(DatalakeError, ValueError):
    """A name, path, expression, spec or request breaks its grammar."""

    default_kind = ErrorKind.INVALID_REQUEST


class PermissionDeniedError(DatalakeError, PermissionError):
    """The thing is read-only or not for this caller."""

    default_kind = ErrorKind.READ_ONLY


class StateError(DatalakeError):
    """The call is right but not now: the session is closed, the job has ended."""

    default_kind = ErrorKind.WRONG_STATE


class StorageError(DatalakeError, OSError):
    """A store, database, warehouse or cluster cannot be reached or is full; see `retryable`."""

    default_kind = ErrorKind.STORAGE_UNAVAILABLE


class CorruptDataError(DatalakeError):
    """Bytes are not what their digest promises; `context` names the object."""

    default_kind = ErrorKind.CORRUPT_BLOB


class FormatError(DatalakeError):
    """The lake was written by a newer or unknown format."""

    default_kind = ErrorKind.FORMAT_UNKNOWN


class JobError(DatalakeError):
    """A job did not produce its output commit."""

    default_kind = ErrorKind.JOB_FAILED


class JobFailedError(JobError):
    """The job ran and failed; its datums and logs say why."""

    default_kind = ErrorKind.JOB_FAILED


class JobCancelledError(JobError):
    """The job was stopped by somebody, or by a failure upstream."""

    default_kind = ErrorKind.JOB_CANCELLED


class JobLostError(JobError):
    """The process that ran the job vanished; the job can be tried again."""

    default_kind = ErrorKind.JOB_LOST


class MountError(DatalakeError):
    """A folder cannot be mounted, or its mount died."""

    default_kind = ErrorKind.MOUNT_FAILED


class MissingDependencyError(DatalakeError, ImportError):
    """An optional package is not installed; the hint holds the command that installs it."""

    default_kind = ErrorKind.MISSING_DEPENDENCY


class InternalError(DatalakeError):
    """A bug in this package; please report it with the log."""

    default_kind = ErrorKind.INTERNAL


@dataclass(frozen=True, slots=True)
class Category:
    """What one branch of the tree means outside Python."""

    error: type[DatalakeError]
    http_status: int
    exit_code: int
    errno: int
    meaning: str


# Most specific first: `category_of` takes the first row the error is an instance of.
CATEGORIES: tuple[Category, ...] = (
    Category(NotFoundError, 404, 10, errno.ENOENT, "no such thing"),
    Category(AlreadyExistsError, 409, 14, errno.EEXIST, "the name is taken"),
    Category(ConflictError, 409, 11, errno.EBUSY, "somebody else changed it"),
    Category(InvalidInputError, 400, 2, errno.EINVAL, "the input breaks its grammar"),
    Category(PermissionDeniedError, 403, 12, errno.EROFS, "read-only or not yours"),
    Category(StateError, 409, 15, errno.EBADF, "not possible in this state"),
    Category(StorageError, 503, 20, errno.EIO, "a store cannot be reached or is full"),
    Category(CorruptDataError, 500, 21, errno.EIO, "stored bytes are damaged"),
    Category(FormatError, 500, 21, errno.EIO, "the format is newer or unknown"),
    Category(JobError, 409, 30, errno.EIO, "a job failed, was cancelled or was lost"),
    Category(MountError, 501, 31, errno.ENOTSUP, "mounting is not possible here"),
    Category(MissingDependencyError, 501, 31, errno.ENOTSUP, "an optional package is missing"),
    Category(DatalakeError, 500, 1, errno.EIO, "a bug; please report it"),
)

EXIT_INTERRUPTED = 130
"""Exit code of a command stopped by Ctrl-C, as shells expect."""


def category_of(error: DatalakeError) -> Category:
    """Return the row of `CATEGORIES` that applies to `error`."""
    for category in CATEGORIES:
        if isinstance(error, category.error):
            return category
    return CATEGORIES[-1]


def errno_of(error: DatalakeError) -> int:
    """Return the errno a file system call should fail with; a full or failed disk says so."""
    if error.kind is ErrorKind.STORAGE_FULL:
        return errno.ENOSPC
    if error.kind is ErrorKind.STORAGE_FAILED:
        return errno.EROFS
    if error.kind is ErrorKind.NOT_ALLOWED:
        return errno.EACCES
    return category_of(error).errno


def http_status_of(error: DatalakeError) -> int:
    """Return the HTTP status of an error response; a store that will not recover is a 502."""
    if isinstance(error, StorageError) and not error.retryable:
        return 507 if error.kind is ErrorKind.STORAGE_FULL else 502
    return category_of(error).http_status
