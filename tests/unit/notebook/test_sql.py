"""`%%sql` asks about lake files, frames of the notebook and warehouses."""

import pandas as pd
import pytest

from jupyter_datalake.errors import InvalidInputError, NotFoundError
from jupyter_datalake.notebook.sql import answer
from jupyter_datalake.warehouse.duckdb import DuckdbWarehouse


def test_files_are_named_by_their_addresses(run):
    frame = run("%%sql\nSELECT a, b FROM 'raw@main/table.csv'")
    assert isinstance(frame, pd.DataFrame)
    assert frame.to_dict("list") == {"a": [3], "b": ["x"]}


@pytest.mark.parametrize(
    "query",
    [
        "SELECT a FROM 'raw@main~2/table.csv' UNION SELECT a FROM 'raw@v2/table.csv' ORDER BY a",
        "SELECT a FROM read_csv(['raw@main~2/table.csv', 'raw@v2/table.csv']) ORDER BY a",
        "SELECT one.a FROM -- both\n 'raw@main~2/table.csv' one UNION ALL"
        " SELECT a FROM 'lake://raw@v2/table.csv' ORDER BY a",
        "select t.a from (values (1), (2)) as t(a) join 'raw@v2/tab*.csv' u on u.b != 'raw@v2/x'"
        " order by all",
    ],
)
def test_every_place_where_a_table_stands_takes_addresses(run, query):
    assert run(f"%%sql\n{query}")["a"].tolist() == [1, 2]


def test_a_text_that_is_no_table_stays_what_it_is(run, shell):
    run("%%sql frame\nSELECT 'raw@no/a.csv' AS t, 'it''s' AS u WHERE t = 'raw@no/a.csv'")
    frame = shell.user_ns["frame"]
    assert frame.to_dict("list") == {"t": ["raw@no/a.csv"], "u": ["it's"]}


def test_frames_of_the_notebook_are_tables_and_answers_get_names(run, shell):
    shell.user_ns["prices"] = pd.DataFrame({"a": [3, 4], "price": [10, 20]})
    shell.user_ns["secret"] = "no table"
    assert run("%%sql joined\nSELECT price FROM prices JOIN 'raw@main/table.csv' USING (a)") is None
    assert shell.user_ns["joined"]["price"].tolist() == [10]
    with pytest.raises(InvalidInputError, match="secret does not exist"):
        run("%%sql\nFROM secret")


def test_the_past_is_asked_in_a_cell_as_of_it(run):
    assert run("%%asof main~1\n%%sql\nFROM 'raw@main/table.csv'")["a"].tolist() == [2]


def test_a_warehouse_is_asked_by_its_connection(run, lake, tmp_path):
    path = tmp_path / "shop.duckdb"
    DuckdbWarehouse(path).execute("CREATE TABLE sales AS SELECT 7 AS amount")
    lake.warehouse.create("shop", f"duckdb://{path}")
    assert run("%%sql --connection shop\nSELECT * FROM sales")["amount"].tolist() == [7]
    with pytest.raises(NotFoundError, match="no warehouse connection 'nope'"):
        run("%%sql --connection nope\nSELECT 1")


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("%%sql\nSELECT * FRM x", "syntax error"),
        ("%%sql\nSELECT 1; SELECT 2", "2 statements"),
        ("%%sql\nCREATE TABLE x AS SELECT 1", "not a SELECT"),
        ("%%sql\nFROM 'raw@main/nope.csv'", "nope.csv"),
        ("%%sql\nFROM 'raw@nope/table.csv'", "raw@nope is no branch"),
        ("%%sql\nFROM read_csv('lake://nowhere@main/*.csv')", "no repo 'nowhere'"),
        ("%%sql a-b\nSELECT 1", "cannot be a variable's name"),
        ("%%sql --conection x\nSELECT 1", "unrecognized arguments"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run, capsys, cell, says):
    with pytest.raises((InvalidInputError, NotFoundError)) as raised:
        run(cell)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err


def test_an_answer_that_is_too_large_is_refused(lake):
    with pytest.raises(InvalidInputError, match=r"larger than 1,000,000 bytes.*LIMIT"):
        answer("SELECT * FROM range(100000000)", {}, most_bytes=1_000_000)
