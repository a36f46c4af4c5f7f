"""Errors: the tree, the table, and that nothing of an error is lost on the way."""

import copy
import errno
import json
import pickle
import subprocess
import sys

import pytest

from jupyter_datalake import errors
from jupyter_datalake.errors import (
    CATEGORIES,
    CorruptDataError,
    DatalakeError,
    ErrorKind,
    InternalError,
    InvalidInputError,
    NotFoundError,
    PathNotFoundError,
    PermissionDeniedError,
    StorageError,
    category_of,
    errno_of,
    http_status_of,
)

CLASSES = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, DatalakeError)
]
OS_CLASSES = [found for found in CLASSES if issubclass(found, OSError)]


def raise_one(cls):
    raise cls("It broke")


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_has_a_category_of_its_own_branch(cls):
    error = cls("x")
    category = category_of(error)
    assert isinstance(error, category.error)
    if cls not in {DatalakeError, InternalError}:
        assert category.error is not DatalakeError
    assert category.http_status in range(400, 600)
    assert category.exit_code in range(1, 126)
    assert category.exit_code not in {130}
    assert errno_of(error) in errno.errorcode


def test_categories_are_ordered_from_special_to_general():
    seen = []
    for category in CATEGORIES:
        assert not any(issubclass(category.error, earlier) for earlier in seen)
        seen.append(category.error)
    assert seen[-1] is DatalakeError


@pytest.mark.parametrize("cls", CLASSES)
def test_pickling_keeps_everything(cls):
    error = cls("It broke", kind=ErrorKind.IN_USE, hint="Mend it", retryable=True, repo="raw")
    for found in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(found) is cls
        assert found.as_dict() == error.as_dict()
        assert (found.message, found.hint) == ("It broke", "Mend it")
        assert found.kind is ErrorKind.IN_USE
        assert found.context == {"repo": "raw"}
        assert str(found) == "It broke. Mend it."
        assert getattr(found, "errno", None) == getattr(error, "errno", None)
    assert error.context == {"repo": "raw"}


def test_errors_cross_processes():
    program = (
        "import pickle, sys; from jupyter_datalake.errors import PathNotFoundError;"
        "error = PathNotFoundError('gone', retryable=True, paths=['a', 'b']);"
        "sys.stdout.buffer.write(pickle.dumps(error))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    error = pickle.loads(done.stdout)
    assert isinstance(error, PathNotFoundError)
    assert error.context == {"paths": ["a", "b"]}
    assert error.retryable
    assert error.errno == errno.ENOENT


@pytest.mark.parametrize("cls", OS_CLASSES)
def test_errors_that_are_os_errors_carry_an_errno(cls):
    error = cls("x")
    assert error.errno == errno_of(error)
    assert isinstance(error.errno, int)


def test_ordinary_except_clauses_work():
    for ours, builtin in (
        (NotFoundError, LookupError),
        (PathNotFoundError, FileNotFoundError),
        (errors.AlreadyExistsError, FileExistsError),
        (InvalidInputError, ValueError),
        (PermissionDeniedError, PermissionError),
        (StorageError, OSError),
        (errors.MissingDependencyError, ImportError),
    ):
        with pytest.raises(builtin):
            raise_one(ours)


@pytest.mark.parametrize(
    ("error", "number", "status"),
    [
        (StorageError("x", kind=ErrorKind.STORAGE_FULL), errno.ENOSPC, 507),
        (StorageError("x"), errno.EIO, 502),
        (StorageError("x", retryable=True), errno.EIO, 503),
        (StorageError("x", kind=ErrorKind.STORAGE_FULL, retryable=True), errno.ENOSPC, 503),
        (PermissionDeniedError("x"), errno.EROFS, 403),
        (PermissionDeniedError("x", kind=ErrorKind.NOT_ALLOWED), errno.EACCES, 403),
        (PathNotFoundError("x"), errno.ENOENT, 404),
        (CorruptDataError("x"), errno.EIO, 500),
    ],
)
def test_numbers_for_the_outside_follow_the_kind(error, number, status):
    assert errno_of(error) == number
    assert http_status_of(error) == status


def test_kinds_are_unique_and_spelled_alike():
    assert len({str(kind) for kind in ErrorKind}) == len(ErrorKind)
    for kind in ErrorKind:
        assert str(kind) == kind.name.lower().replace("_", "-")


def test_kinds_that_were_released_are_still_there():
    # Append only: users match on them. Add to this list, never take from it.
    released = {
        "lake-not-found", "repo-not-found", "ref-not-found", "commit-not-found", "path-not-found",
        "session-not-found", "mount-not-found", "pipeline-not-found", "job-not-found",
        "datum-not-found", "connection-not-found", "global-id-not-found", "blob-not-found",
        "object-not-found", "lake-exists", "repo-exists", "ref-exists", "path-exists",
        "mount-exists", "pipeline-exists", "connection-exists", "branch-moved", "paths-conflict",
        "outputs-collide", "lease-held", "session-busy", "in-use", "invalid-name", "invalid-ref",
        "session-elsewhere",
        "invalid-path", "invalid-address", "invalid-url", "invalid-spec", "invalid-glob",
        "invalid-cron", "invalid-notebook", "invalid-query", "invalid-request", "pipeline-cycle",
        "read-only", "not-allowed", "session-closed", "nothing-to-commit", "wrong-state",
        "storage-unavailable", "storage-full", "database-busy", "database-unavailable",
        "warehouse-unavailable", "corrupt-blob", "corrupt-pack", "corrupt-journal",
        "corrupt-object", "format-too-new", "format-unknown", "job-failed", "job-cancelled",
        "job-lost", "datum-failed", "datum-timeout", "kernel-died", "egress-failed",
        "fuse-unavailable", "mount-failed", "mount-stale", "missing-dependency", "internal",
        "executor-unavailable", "kernel-not-found",
    }  # fmt: skip
    assert released <= {str(kind) for kind in ErrorKind}


@pytest.mark.parametrize("cls", CLASSES)
def test_every_class_says_when_it_is_raised(cls):
    assert cls.__doc__
    assert isinstance(cls.default_kind, ErrorKind)


def test_the_one_error_shape_is_json():
    error = errors.ConflictError("Two paths changed", hint="Look", paths=["a"])
    assert json.loads(json.dumps(error.as_dict())) == {
        "kind": "branch-moved",
        "message": "Two paths changed. Look.",
        "retryable": False,
        "details": {"paths": ["a"]},
    }


def test_the_tree_in_the_docstring_is_the_tree():
    for cls in CLASSES:
        assert cls.__name__ in errors.__doc__
