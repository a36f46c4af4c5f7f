"""Tables held against what is expected of them."""

import io
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_datalake.model.expectations import Expectation, Range
from jupyter_datalake.warehouse.expectations import violations_of
from jupyter_datalake.warehouse.table_files import TableSource


def parquet(**columns):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


GOOD = {
    "id": [1, 2, 3],
    "amount": [0.5, 1.0, None],
    "day": [datetime(2026, 1, d) for d in (1, 2, 3)],  # noqa: DTZ001  # as most tables have it
}
CSV = b'id,amount,name\n1,10,a\n2,,b\n3,x,"a"\n'


def check(tmp_path, *files, **expected):
    sources = [TableSource(name, partial(io.BytesIO, data)) for name, data in files]
    return violations_of(Expectation(**expected), sources, tmp_path)


def test_a_table_that_is_as_expected_has_no_violation(tmp_path):
    assert (
        check(
            tmp_path,
            ("/a.parquet", parquet(**GOOD)),
            columns={"id": "int64", "amount": ""},
            min_rows=3,
            max_rows=3,
            not_null=("id",),
            unique=("id", "day"),
            ranges={
                "id": Range(1, 3),
                "amount": Range(minimum=0),
                "day": Range("2026-01-01", "2026-01-04"),
            },
        )
        == []
    )


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        ({"columns": {"x": ""}}, "/a.parquet has no column 'x'; its columns are id int64,"),
        ({"columns": {"id": "string"}}, "/a.parquet: column 'id' is int64, not string"),
        ({"min_rows": 4}, "there are 3 rows, and at least 4 are expected"),
        ({"max_rows": 2}, "there are 3 rows, and at most 2 are expected"),
        ({"not_null": ("amount",)}, "column 'amount' is NULL in 1 row"),
        ({"ranges": {"id": Range(2, 9)}}, "column 'id' is outside of 2 … 9 in 1 row, such as 1"),
        ({"ranges": {"amount": Range(maximum=0.7)}}, "outside of … 0.7 in 1 row, such as 1.0"),
        ({"ranges": {"day": Range("2026-01-02")}}, "column 'day' is outside of '2026-01-02' …"),
        ({"ranges": {"none": Range(1)}}, "has no column 'none'"),
    ],
)
def test_what_is_not_as_expected_is_told_with_the_column_and_how_many(tmp_path, expected, line):
    (found,) = check(tmp_path, ("/a.parquet", parquet(**GOOD)), **expected)
    assert line in found


def test_rows_are_counted_and_compared_over_all_files(tmp_path):
    files = [(f"/{name}.parquet", parquet(id=[1, 2])) for name in "ab"]
    assert check(tmp_path, *files, min_rows=4, max_rows=4) == []
    assert check(tmp_path, *files, unique=("id",)) == ["4 rows share their 'id' with others"]


def test_a_file_with_other_columns_is_named(tmp_path):
    files = [("/a.parquet", parquet(id=[1])), ("/b.parquet", parquet(key=[1]))]
    (found,) = check(tmp_path, *files, min_rows=1)
    assert found == "/b.parquet has the columns key int64, and /a.parquet has id int64"


def test_numbers_in_a_csv_file_are_compared_as_numbers_and_what_is_none_is_outside(tmp_path):
    (found,) = check(tmp_path, ("/a.csv", CSV), ranges={"amount": Range(9, 20)})
    assert found == "column 'amount' is outside of 9 … 20 in 1 row, such as 'x'"
    assert check(tmp_path, ("/a.csv", CSV), not_null=("amount",)) == [
        "column 'amount' is NULL in 1 row"
    ]


@pytest.mark.parametrize("name", ['"; DROP TABLE held; --', "a b", "c0", "select"])
def test_names_of_columns_are_never_sql(tmp_path, name):
    data = parquet(**{name: [1, None, 5]})
    found = check(
        tmp_path, ("/a.parquet", data), not_null=(name,), unique=(name,), ranges={name: Range(1, 4)}
    )
    assert len(found) == 2
    assert all(repr(name) in line for line in found)


def test_a_file_that_is_missing_is_told_unless_it_is_optional(tmp_path):
    assert check(tmp_path, files="/x") == ["no file of the output matches /x"]
    assert check(tmp_path, files="/x", is_optional=True) == []


def test_what_is_no_table_is_told_only_where_rows_are_asked_about(tmp_path):
    assert check(tmp_path, ("/a.png", b"x")) == []
    (found,) = check(tmp_path, ("/a.png", b"x"), min_rows=1)
    assert "/a.png: neither Parquet nor CSV" in found
    (found,) = check(tmp_path, ("/a.parquet", b"x"), min_rows=1)
    assert "/a.parquet" in found


def test_nothing_is_left_behind(tmp_path):
    check(tmp_path / "work", ("/a.parquet", parquet(**GOOD)), min_rows=1)
    assert list((tmp_path / "work").iterdir()) == []
