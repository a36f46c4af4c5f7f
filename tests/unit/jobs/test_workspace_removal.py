"""Removing the folders of datums: everything in them, and nothing beside them."""

import os

from jupyter_datalake.jobs.workspace import Workspace


def test_all_goes_and_no_link_is_followed(tmp_path):
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "kept").write_text("kept")
    folder = tmp_path / "datum"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "file").write_text("x")
    (folder / "a" / "link").symlink_to(beside)
    (folder / "nowhere").symlink_to("gone")
    os.mkfifo(folder / "pipe")
    os.mkdir(os.fsencode(folder) + b"/\xff")
    Workspace(folder).remove()
    assert os.listdir(tmp_path) == ["beside"]
    assert (beside / "kept").read_text() == "kept"


def test_a_link_in_place_of_the_folder_is_left_with_what_it_leads_to(tmp_path):
    beside = tmp_path / "beside"
    beside.mkdir()
    (tmp_path / "datum").symlink_to(beside)
    Workspace(tmp_path / "datum").remove()
    assert sorted(os.listdir(tmp_path)) == ["beside", "datum"]


def test_what_is_not_there_is_no_error(tmp_path):
    Workspace(tmp_path / "gone").remove()
    Workspace(tmp_path / "gone" / "too").remove()
    assert os.listdir(tmp_path) == []
