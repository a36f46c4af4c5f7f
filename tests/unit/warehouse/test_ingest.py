"""Rows become files that depend on the rows alone."""

from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.warehouse import IngestSpec, TableFormat
from jupyter_datalake.warehouse import ingest
from jupyter_datalake.warehouse.ingest import partition_folder, write_rows


def reader(table, batch_rows=None):
    return pa.RecordBatchReader.from_batches(
        table.schema, table.to_batches(max_chunksize=batch_rows)
    )


def spec(**options):
    return IngestSpec("w", "q", **options)


def test_rows_become_one_parquet_file_with_their_types(tmp_path):
    table = pa.table(
        {
            "n": pa.array([1, None], pa.int32()),
            "amount": pa.array([Decimal("1.10"), None], pa.decimal128(38, 2)),
            "at": pa.array([datetime(2024, 1, 1, tzinfo=UTC), None], pa.timestamp("ns", "UTC")),
            "text": ["", None],
        }
    )
    report = write_rows(reader(table), spec(output="/d/x.parquet"), tmp_path)
    assert report.files == ("d/x.parquet",)
    assert report.row_count == 2
    assert pq.read_table(tmp_path / "d/x.parquet").equals(table)


def test_equal_rows_give_equal_bytes_whatever_the_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest, "BATCH_ROWS", 1000)
    table = pa.table({"n": list(range(5500)), "k": [f"k{i % 3}" for i in range(5500)]})
    written = []
    for name, batch_rows in (("a", 7), ("b", 4096)):
        report = write_rows(reader(table, batch_rows), spec(partition_by="k"), tmp_path / name)
        written.append({file: (tmp_path / name / file).read_bytes() for file in report.files})
    assert written[0] == written[1]
    assert sorted(written[0]) == [f"k{i}/data.parquet" for i in range(3)]


def test_a_view_type_is_stored_as_a_plain_one(tmp_path):
    table = pa.table({"s": pa.array(["x"], pa.string_view())})
    write_rows(reader(table), spec(), tmp_path)
    assert pq.read_schema(tmp_path / "data.parquet").field("s").type == pa.string()


def test_csv_keeps_null_and_empty_text_apart(tmp_path):
    table = pa.table({"n": [1, 2, 3], "s": ["", None, 'a,b\n"c"']})
    write_rows(reader(table), spec(output="/x.csv", format=TableFormat.CSV), tmp_path)
    options = pacsv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    parse = pacsv.ParseOptions(newlines_in_values=True)
    back = pacsv.read_csv(tmp_path / "x.csv", convert_options=options, parse_options=parse)
    assert back.column("s").to_pylist() == ["", None, 'a,b\n"c"']


def test_an_empty_answer_is_a_file_with_columns_and_no_rows(tmp_path):
    table = pa.table({"n": pa.array([], pa.int64())})
    report = write_rows(reader(table), spec(), tmp_path)
    assert report.row_count == 0
    assert pq.read_table(tmp_path / "data.parquet").schema.names == ["n"]


def test_an_empty_answer_has_no_partitions(tmp_path):
    table = pa.table({"k": pa.array([], pa.string())})
    assert write_rows(reader(table), spec(partition_by="k"), tmp_path).files == ()


@pytest.mark.parametrize(
    ("value", "folder"),
    [
        (None, "_null"),
        ("", "_empty"),
        ("_null", "%5Fnull"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("One year", "One year"),
        ("a\0b", "a%00b"),
        ("100%", "100%25"),
        (2024, "2024"),
    ],
)
def test_a_value_becomes_a_folder_that_leads_nowhere_else(value, folder):
    assert partition_folder(value) == folder


def test_an_unknown_partition_column_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(InvalidInputError, match="no column 'k' to partition by; it returns n"):
        write_rows(reader(pa.table({"n": [1]})), spec(partition_by="k"), tmp_path)


def test_too_many_partitions_are_a_mistake(tmp_path, monkeypatch):
    monkeypatch.setattr(ingest, "MAX_PARTITIONS", 3)
    with pytest.raises(InvalidInputError, match="more than 3 values"):
        write_rows(reader(pa.table({"k": list(range(9))})), spec(partition_by="k"), tmp_path)
