"""Magics run verbs in the kernel: they print what commands print, and fail in one line."""

import io

import pytest

from jupyter_datalake.errors import InvalidInputError, NotFoundError, StateError
from jupyter_datalake.lake import cells


def test_a_command_prints_what_it_prints_in_a_shell(run, capsys):
    assert run("%datalake repos list") is None
    assert capsys.readouterr().out.splitlines()[1].startswith("raw")


def test_a_command_that_writes_bytes_prints_them_as_text(run, lake, capsys):
    lake.files.put("raw@main/ü.txt", "größer\n")
    run("%datalake files read raw@main/ü.txt")
    assert capsys.readouterr().out == "größer\n"


def test_status_says_mode_changes_and_controller(run, capsys):
    run("%datalake status")
    shown = capsys.readouterr().out
    assert "none: pipelines do not run" in shown
    assert "Nothing is mounted" in shown


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        ("repos get nowhere", NotFoundError, "no repo 'nowhere'"),
        ("repos gett raw", InvalidInputError, "No such command 'gett'"),
        ("repos list 'open", InvalidInputError, "No closing quotation"),
        ("files list raw@nope", NotFoundError, "datalake refs list raw"),
        ("session", InvalidInputError, "%datalake session REPO"),
        ("repos delete raw", StateError, "--yes"),
    ],
)
def test_a_command_that_fails_ends_the_cell_with_one_line(
    run, capsys, monkeypatch, line, error, says
):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(error) as raised:
        run(f"%datalake {line}")
    assert says in str(raised.value)
    shown = capsys.readouterr()
    assert f"{error.__name__}: " in shown.out + shown.err
    assert "Traceback" not in shown.out + shown.err


def test_loading_twice_and_unloading_leaves_nothing(run, shell):
    from jupyter_datalake.notebook import extension

    extension.load(shell)
    assert len(cells._registered) == 1
    extension.unload(shell)
    assert "datalake" not in shell.magics_manager.magics["line"]
    assert {"asof", "sql"} & set(shell.magics_manager.magics["cell"]) == set()
    assert cells.running() is None
