"""Environment locks."""

import json
import sys

import pytest

from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.jobs.environments import (
    differences,
    lock_bytes,
    lock_digest,
    lock_environment,
)


def test_a_lock_names_interpreter_platform_and_packages_but_not_ourselves():
    lock = lock_environment(None)
    assert lock["python"] == ".".join(str(part) for part in sys.version_info[:3])
    assert "sqlalchemy" in lock["packages"]
    assert "jupyter-datalake" not in lock["packages"]


def test_equal_locks_have_equal_digests_however_they_were_made():
    lock = lock_environment("python3")
    again = json.loads(lock_bytes(lock))
    shuffled = dict(reversed(again.items()))
    assert lock_digest(lock_bytes(lock)) == lock_digest(lock_bytes(shuffled))


def test_another_version_is_another_digest_and_is_told():
    lock = lock_environment(None)
    other = {**lock, "packages": {**lock["packages"], "sqlalchemy": "0.0.1", "new": "1"}}
    assert lock_digest(lock_bytes(lock)) != lock_digest(lock_bytes(other))
    told = differences(other, lock)
    assert f"sqlalchemy was 0.0.1, is {lock['packages']['sqlalchemy']}" in told
    assert "new was 1, is absent" in told
    assert differences(lock, lock) == []


def test_an_unknown_kernel_is_refused_by_name():
    with pytest.raises(NotFoundError, match="no Jupyter kernel 'cobol'"):
        lock_environment("cobol")
