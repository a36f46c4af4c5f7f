"""The embedded warehouse: queries out, rows in, exactly once."""

import subprocess
import sys
import threading

import duckdb
import pyarrow as pa
import pytest

from jupyter_datalake.errors import ErrorKind, InvalidInputError, StorageError
from jupyter_datalake.model.warehouse import EgressMode, EgressSpec
from jupyter_datalake.warehouse.base import MANIFEST_TABLE, EgressSource
from jupyter_datalake.warehouse.duckdb import DuckdbWarehouse


@pytest.fixture
def warehouse(tmp_path):
    return DuckdbWarehouse(tmp_path / "w.duckdb", wait_s=1)


def rows(**columns):
    table = pa.table(columns)
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


def write(warehouse, reader, mode=EgressMode.APPEND, commit="c1", table="T", key=()):
    spec = EgressSpec("w", table, mode, tuple(key))
    return warehouse.egress(reader, spec, EgressSource(commit, "g", "r"))


def read(warehouse, sql):
    with warehouse.query(sql) as reader:
        return reader.read_all().to_pylist()


def test_append_keeps_what_is_there(warehouse):
    write(warehouse, rows(id=[1, 2]), commit="c1")
    write(warehouse, rows(id=[2, 3]), commit="c2")
    assert [row["id"] for row in read(warehouse, 'SELECT id FROM "T" ORDER BY id')] == [1, 2, 2, 3]


def test_replace_swaps_the_whole_table_and_its_columns(warehouse):
    write(warehouse, rows(id=[1, 2]), EgressMode.REPLACE, "c1")
    write(warehouse, rows(id=[9], name=["x"]), EgressMode.REPLACE, "c2")
    assert read(warehouse, 'SELECT * FROM "T"') == [{"id": 9, "name": "x"}]


def test_merge_replaces_rows_of_equal_keys_and_adds_the_others(warehouse):
    write(warehouse, rows(id=[1, 2], v=["a", "b"]), EgressMode.MERGE, "c1", key=["id"])
    write(warehouse, rows(id=[2, 3], v=["B", "C"]), EgressMode.MERGE, "c2", key=["id"])
    assert read(warehouse, 'SELECT v FROM "T" ORDER BY id') == [
        {"v": "a"},
        {"v": "B"},
        {"v": "C"},
    ]


def test_a_null_key_meets_a_null_key(warehouse):
    write(warehouse, rows(id=[None, 1], v=[1, 2]), EgressMode.MERGE, "c1", key=["id"])
    write(
        warehouse, rows(id=pa.array([None], pa.int64()), v=[9]), EgressMode.MERGE, "c2", key=["id"]
    )
    assert read(warehouse, 'SELECT v FROM "T" ORDER BY v') == [{"v": 2}, {"v": 9}]


@pytest.mark.parametrize("mode", list(EgressMode))
def test_a_commit_is_written_once(warehouse, mode):
    first = write(warehouse, rows(id=[1, 2]), mode, "c1", key=["id"])
    again = write(warehouse, rows(id=[1, 2]), mode, "c1", key=["id"])
    assert (first.row_count, first.was_done_before) == (2, False)
    assert (again.row_count, again.was_done_before) == (2, True)
    assert len(read(warehouse, 'SELECT * FROM "T"')) == 2


def test_the_manifest_says_which_commit_wrote_what(warehouse):
    write(warehouse, rows(id=[1, 2]), commit="c1")
    (row,) = read(warehouse, f"SELECT commit_id, global_id, repo, row_count FROM {MANIFEST_TABLE}")
    assert row == {"commit_id": "c1", "global_id": "g", "repo": "r", "row_count": 2}


def test_rows_that_do_not_fit_leave_table_and_manifest_as_they_were(warehouse):
    write(warehouse, rows(id=[1]), commit="c1")
    with pytest.raises(InvalidInputError, match="does not take the rows") as caught:
        write(warehouse, rows(other=[2]), commit="c2")
    assert caught.value.kind is ErrorKind.EGRESS_FAILED
    assert read(warehouse, 'SELECT * FROM "T"') == [{"id": 1}]
    assert len(read(warehouse, f"SELECT * FROM {MANIFEST_TABLE}")) == 1


def test_a_stream_that_breaks_half_way_writes_nothing(warehouse):
    schema = pa.schema([("id", pa.int64())])

    def batches():
        yield pa.record_batch({"id": [1]}, schema)
        raise ValueError("the source is gone")

    with pytest.raises(Exception, match="the source is gone"):
        write(warehouse, pa.RecordBatchReader.from_batches(schema, batches()))
    assert warehouse.list_tables() == []


def test_a_repeated_merge_key_is_refused_and_nothing_is_written(warehouse):
    with pytest.raises(InvalidInputError, match="repeat a value of id"):
        write(warehouse, rows(id=[1, 1]), EgressMode.MERGE, key=["id"])
    assert warehouse.list_tables() == []


@pytest.mark.parametrize("name", ['we"ird', "select", "Ü", "a b", "'; DROP TABLE T; --"])
def test_names_are_quoted_wherever_they_go(warehouse, name):
    write(warehouse, rows(**{name: [1]}), EgressMode.MERGE, table=name, key=[name])
    assert [info.name for info in warehouse.list_tables()] == [name]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT * FROM nowhere", "nowhere does not exist"),
        ("DROP TABLE x", "not a SELECT"),
        ("CREATE TABLE x AS SELECT 1", "not a SELECT"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("", "0 statements"),
        ("SELECT 1 AS a, 2 AS a", "two columns are named 'a'"),
        ("SELEC", "syntax error"),
        ("SELECT error('boom') AS y", "boom"),
        ("SELECT 1 // (i - 9999) AS y FROM range(10000) AS t(i)", "Division by zero"),
    ],
)
def test_a_bad_query_is_refused_in_one_line(warehouse, sql, why):
    warehouse.execute("CREATE TABLE x (a INT)")
    with pytest.raises(InvalidInputError, match=why) as caught:
        read(warehouse, sql)
    assert caught.value.kind is ErrorKind.INVALID_QUERY
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named_and_not_made_by_reading(warehouse, tmp_path):
    with pytest.raises(StorageError, match=r"w\.duckdb does not exist"):
        read(warehouse, "SELECT 1")
    assert not (tmp_path / "w.duckdb").exists()
    assert warehouse.list_tables() == []


def test_readers_and_writers_of_one_file_take_turns(tmp_path):
    patient = DuckdbWarehouse(tmp_path / "w.duckdb", wait_s=30)
    patient.execute("CREATE TABLE n (i INT)")

    def work(number):
        for step in range(5):
            patient.execute(f"INSERT INTO n VALUES ({number * 10 + step})")
            read(patient, "SELECT count(*) AS c FROM n")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(patient, "SELECT count(*) AS c FROM n") == [{"c": 20}]


def test_no_progress_bar_is_printed_among_the_output_of_a_program(tmp_path):
    code = (
        "from pathlib import Path; from jupyter_datalake.warehouse import duckdb, scratch;"
        f" place = Path({str(tmp_path)!r});"
        " one = duckdb.DuckdbWarehouse(place / 'w')._connect(0, read_only=False);"
        " setting = \"SELECT current_setting('enable_progress_bar')\";"
        " print([c.execute(setting).fetchone() for c in (one, scratch._connect(place, False))])"
    )  # by -c, which DuckDB takes for a person at a terminal
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[(False,), (False,)]\n"


def test_a_file_that_a_program_keeps_open_is_told_after_a_bounded_wait(warehouse, tmp_path):
    warehouse.execute("CREATE TABLE n (i INT)")
    code = (
        f"import duckdb, sys; c = duckdb.connect({str(tmp_path / 'w.duckdb')!r});"
        " print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StorageError, match="stayed busy") as caught:
            read(warehouse, "SELECT * FROM n")
        assert caught.value.retryable
        other.stdin.close()
        other.wait()
    assert read(warehouse, "SELECT * FROM n") == []


def test_tables_are_listed_with_columns_and_counts_but_not_our_own(warehouse):
    write(warehouse, rows(id=[1, 2]))
    warehouse.execute("CREATE SCHEMA s; CREATE TABLE s.t (a INT, b VARCHAR)")
    listed = {info.name: (list(info.columns), info.row_count) for info in warehouse.list_tables()}
    assert listed == {"T": (["id"], 2), "s.t": (["a", "b"], 0)}


def test_the_engine_is_the_version_we_test():
    assert int(duckdb.__version__.split(".")[0]) >= 2
