"""Working files that are made in advance: empty, of now, and never seen by anybody."""

import os
import time

import pytest

from jupyter_datalake.engine.working_files import WorkingFiles


@pytest.fixture
def files(tmp_path):
    return WorkingFiles(tmp_path / "data")


def names(tmp_path):
    return {int(name) for name in os.listdir(tmp_path / "data")}


def test_prepared_files_are_used_up_before_others_are_made(files, tmp_path):
    files.prepare(3)
    assert files.spare_count == 3
    prepared = names(tmp_path)
    used = {files.new().number for _ in range(3)}
    assert used == prepared
    assert files.new().number not in prepared
    assert files.spare_count == 0


def test_a_prepared_file_has_the_time_of_its_use(files):
    files.prepare(1)
    os.utime(files._spare[0].path, (1, 1))
    before = time.time_ns() - 10**9
    assert files.new().path.stat().st_mtime_ns > before


def test_preparing_goes_only_as_far_as_is_wanted(files, tmp_path):
    files.prepare(3)
    files.prepare(2)
    assert len(names(tmp_path)) == 3


def test_what_is_left_is_removed_and_its_numbers_do_not_come_back(files, tmp_path):
    files.prepare(3)
    kept = files.new()
    files.remove_spare()
    assert names(tmp_path) == {kept.number}
    assert files.new().number > 3


def test_nothing_is_prepared_after_the_end(files, tmp_path):
    files.prepare(2)
    files.close()
    files.prepare(2)
    files.close()
    assert names(tmp_path) == set()


def test_what_a_kill_left_prepared_is_swept(tmp_path):
    WorkingFiles(tmp_path / "data").prepare(4)
    again = WorkingFiles(tmp_path / "data")
    again.remove_strangers()
    assert names(tmp_path) == set()
    assert again.new().number > 4
