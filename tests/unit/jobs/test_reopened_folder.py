"""What the folder of a reopened datum says to kernels in it."""

import json

import pytest

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.jobs.reopened_folder import RECORD, SHOWN, shown_to_kernel
from jupyter_datalake.model.shown_branches import ShownBranch, parse_shown_branches, shown_as_text


@pytest.fixture
def folder(tmp_path):
    shown = shown_as_text(
        [ShownBranch("raw", "main", "c1", "pfs/raw"), ShownBranch("p", "main", "", "pfs/out")]
    )
    (tmp_path / RECORD).write_text(json.dumps({"job_id": "j", SHOWN: shown}))
    return tmp_path


def folders(shown):
    return [one.folder for one in parse_shown_branches(shown)]


@pytest.mark.parametrize("notebook", ["n.ipynb", "deep/below/n.ipynb"])
def test_a_kernel_is_shown_the_folders_of_its_datum(folder, notebook):
    shown = shown_to_kernel({"JPY_SESSION_NAME": str(folder / notebook)})
    assert folders(shown) == [str(folder / "pfs/raw"), str(folder / "pfs/out")]


def test_a_folder_that_was_moved_shows_its_own(folder, tmp_path):
    moved = folder.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    shown = shown_to_kernel({"JPY_SESSION_NAME": str(moved / "n.ipynb")})
    assert folders(shown)[0] == str(moved / "pfs/raw")


def test_a_lake_that_the_code_names_is_not_hidden(folder):
    notebook = str(folder / "n.ipynb")
    assert shown_to_kernel({"JPY_SESSION_NAME": notebook, "DATALAKE_URL": "/named"}) is None


def test_other_processes_and_other_folders_are_shown_nothing(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "n.ipynb"
    assert shown_to_kernel({}) is None
    assert shown_to_kernel({"JPY_SESSION_NAME": str(elsewhere)}) is None
    (folder / RECORD).write_text(json.dumps({"job_id": "made by an earlier version"}))
    assert shown_to_kernel({"JPY_SESSION_NAME": str(folder / "n.ipynb")}) is None


@pytest.mark.parametrize("damage", ["{", "[]", '{"shown": "x"}', '{"shown": "[[1]]"}'])
def test_a_damaged_record_does_not_lead_to_the_lake(folder, damage):
    (folder / RECORD).write_text(damage)
    with pytest.raises(InvalidInputError, match="is damaged"):
        shown_to_kernel({"JPY_SESSION_NAME": str(folder / "n.ipynb")})
