"""Calls on files, on a mount and on an ordinary folder: every answer and every change is compared.

This takes some of the cases of `tests/suites/posix.py`; ``make test-mount`` takes all.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.mount.conftest import commit

pytestmark = pytest.mark.fuse

WALK = Path(__file__).parents[2] / "suites" / "posix.py"
EVERY = 13
"""Which part of the cases: one that no table in them has as its length."""


@pytest.fixture
def mounted(lake, point, monkeypatch):
    if os.getuid() == 0:
        monkeypatch.setenv("DATALAKE_ALLOW_OTHER", "1")
    return Path(lake.mounts.create("raw", at=point).path)


def walked(mounted, tmp_path, *options, between=None):
    """Walk; return what came of it."""
    ordinary, summary = tmp_path / "ordinary", tmp_path / "summary"
    ordinary.mkdir()
    command = [sys.executable, WALK, mounted, ordinary, "--summary", summary, *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as walking:
        if between is not None:
            assert walking.stdout.readline() == "prepared\n"
            between()
        walking.communicate("\n", timeout=120)
    return json.loads(summary.read_text())


def test_calls_answer_and_change_what_they_do_in_an_ordinary_folder(lake, mounted, tmp_path):
    found = walked(mounted, tmp_path, "--every", str(EVERY))
    assert found["different"] == []
    assert found["same"] > (400 if os.getuid() == 0 else 200)
    assert lake.maintenance.verify().is_clean


def test_calls_on_what_is_committed_do_so_too(lake, mounted, tmp_path):
    found = walked(
        *(mounted, tmp_path, "--every", str(EVERY), "--committed"), between=lambda: commit(lake)
    )
    assert found["different"] == []
    assert found["same"] > 200
    assert lake.maintenance.verify().is_clean
