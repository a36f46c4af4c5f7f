"""A lake is named by a URL, a path, or the environment."""

import pytest

from jupyter_datalake.errors import NotFoundError
from jupyter_datalake.lake.lake import Lake


def test_a_path_names_a_lake_as_its_text_does(tmp_path):
    folder = tmp_path / "lake"
    with Lake.create(folder) as lake:
        lake.repos.create("raw")
        assert lake.url == str(folder)
    for same in (folder, str(folder), folder.as_uri()):
        with Lake.open(same) as lake:
            assert [repo.name for repo in lake.repos.list()] == ["raw"]


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_a_name_it_is_the_lake_of_the_environment(tmp_path, monkeypatch, nothing):
    monkeypatch.setenv("DATALAKE_URL", str(tmp_path / "lake"))
    with pytest.raises(NotFoundError, match=str(tmp_path / "lake")):
        Lake.open(nothing)
    Lake.create(nothing).close()
    with Lake.open(nothing) as lake:
        assert lake.url == str(tmp_path / "lake")
