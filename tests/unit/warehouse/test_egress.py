"""Files of a commit become rows."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.warehouse.egress import read_rows


def opener(files):
    return lambda path: io.BytesIO(files[path])


def parquet(**columns):
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


def read(files):
    return read_rows(list(files), opener(files)).read_all()


def test_files_are_read_as_one_table_in_order():
    files = {"a.parquet": parquet(id=[1, 2]), "b.parquet": parquet(id=[3])}
    assert read(files).column("id").to_pylist() == [1, 2, 3]


def test_columns_in_another_order_are_the_same_columns():
    files = {"a.parquet": parquet(id=[1], v=["x"]), "b.parquet": parquet(v=["y"], id=[2])}
    assert read(files).to_pylist() == [{"id": 1, "v": "x"}, {"id": 2, "v": "y"}]


def test_csv_is_read_too():
    assert read({"a.csv": b"id,v\n1,x\n2,y\n"}).to_pylist()[1] == {"id": 2, "v": "y"}


def test_a_file_with_other_columns_is_named_with_the_difference():
    files = {"a.parquet": parquet(id=[1]), "b.parquet": parquet(id=[1], extra=[2])}
    with pytest.raises(InvalidInputError, match=r"b\.parquet has other columns .*: extra"):
        read(files)


def test_a_file_with_another_type_is_named():
    files = {"a.parquet": parquet(id=[1]), "b.parquet": parquet(id=["one"])}
    with pytest.raises(InvalidInputError, match=r"b\.parquet has other types"):
        read(files)


def test_the_index_that_pandas_notes_is_no_column():
    table = pa.table({"id": [1]}).replace_schema_metadata({"pandas": "{}"})
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    assert read({"a.parquet": buffer.getvalue()}).schema.metadata is None
