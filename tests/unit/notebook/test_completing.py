"""Addresses are completed part by part, from what the lake has."""

import pytest

from jupyter_datalake.notebook.completing import MOST, addresses_for


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("r", ["raw@"]),
        ("lake://r", ["lake://raw@"]),
        ("raw@", ["raw@main/", "raw@v2/"]),
        ("raw@m", ["raw@main/"]),
        ("raw@main/", ["raw@main/note.txt", "raw@main/table.csv"]),
        ("raw@main~1/t", ["raw@main~1/table.csv"]),
        ("lake://raw@v2/no", ["lake://raw@v2/note.txt"]),
        ("x", []),
        ("nowhere@", []),
        ("raw@nope/", []),
        ("raw@main/note.txt/", []),
        ("@@@/", []),
    ],
)
def test_an_address_is_completed_up_to_its_next_part(lake, typed, offered):
    assert sorted(addresses_for(lake, typed)) == offered


def test_folders_end_with_a_slash_and_many_names_are_not_all_offered(lake):
    with lake.transaction("Many") as tx:
        for number in range(MOST + 50):
            tx.put(f"raw@main/many/{number:04}.txt", "x")
    assert addresses_for(lake, "raw@main/m") == ["raw@main/many/"]
    assert len(addresses_for(lake, "raw@main/many/")) == MOST
    assert len(addresses_for(lake, "raw@main/many/024")) == 10


def completed(shell, cell, cursor=None):
    return shell.Completer.completions(cell, len(cell) if cursor is None else cursor)


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
@pytest.mark.parametrize(
    ("cell", "offered"),
    [
        ('lake.files.read("raw@ma', "raw@main/"),
        ("pd.read_csv('lake://raw@main/ta", "lake://raw@main/table.csv"),
        ("%datalake files list raw@v", "raw@v2/"),
        ("%%sql\nFROM 'raw@main/no", "raw@main/note.txt"),
    ],
)
def test_the_kernel_s_completer_offers_them(shell, cell, offered):
    found = [one for one in completed(shell, cell) if offered.endswith(one.text)]
    assert found
    assert (cell[: found[0].start] + found[0].text).endswith(offered)


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
def test_code_is_completed_as_ever(shell):
    shell.user_ns["rawness"] = 1
    assert {one.text for one in completed(shell, "rawn")} == {"rawness"}
