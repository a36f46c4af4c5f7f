"""Running the command line in this process."""

import json
import sys

import pytest

from jupyter_datalake.cli.main import main
from jupyter_datalake.lake.lake import Lake


class Result:
    """How a command ended."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def url(tmp_path, monkeypatch):
    """The lake that commands use; not made yet."""
    folder = str(tmp_path / "lake")
    monkeypatch.setenv("DATALAKE_URL", folder)
    monkeypatch.setenv("DATALAKE_USER", "ada")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def run(url, capfd, monkeypatch):
    """Run a command: ``run("repos", "list", code=0)``; the exit code is checked."""

    def do(*arguments, code=0, stdin=None):
        monkeypatch.setattr(sys, "argv", ["datalake", *[str(one) for one in arguments]])
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(SystemExit) as leaving:
            main()
        captured = capfd.readouterr()
        result = Result(leaving.value.code, captured.out, captured.err)
        assert result.code == code, captured
        return result

    return do


@pytest.fixture
def lake(run):
    """A new lake with a repo `raw`, opened beside the commands."""
    run("init")
    run("repos", "create", "raw", "--description", "as delivered")
    with Lake.open() as opened:
        yield opened
