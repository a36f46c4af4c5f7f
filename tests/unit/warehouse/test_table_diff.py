"""Table diffs: exact about values, honest about keys, bounded in memory."""

import io
import math
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.model.table_diffs import ColumnChangeKind
from jupyter_datalake.warehouse import table_diff
from jupyter_datalake.warehouse.table_diff import diff_tables
from jupyter_datalake.warehouse.table_files import TableSource


def source(table, label="t"):
    if isinstance(table, bytes):
        return TableSource(f"{label}.csv", lambda: io.BytesIO(table))
    if isinstance(table, str):
        return source(table.encode(), label)
    buffer = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), buffer)
    return TableSource(f"{label}.parquet", lambda: io.BytesIO(buffer.getvalue()))


@pytest.fixture(scope="module")
def diff(tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")

    def do(old, new, key=None, offset=0, limit=100):
        found = diff_tables(
            source(old, "old"),
            source(new, "new"),
            key=key,
            offset=offset,
            limit=limit,
            work_folder=folder,
        )
        assert list(folder.iterdir()) == []
        return found

    return do


def rows_of(found):
    return [(str(row.kind), row.key, row.old, row.new) for row in found.rows]


def test_rows_are_told_apart_by_their_key(diff):
    found = diff(
        "id,name,n\n1,ada,1\n2,bob,2\n3,cy,3\n", "id,name,n\n3,cy,4\n1,ada,1\n4,di,5\n", ["id"]
    )
    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert (found.old_rows, found.new_rows, found.changes_by_column) == (3, 3, {"n": 1})
    assert rows_of(found) == [
        ("removed", {"id": "2"}, {"name": "bob", "n": "2"}, None),
        ("changed", {"id": "3"}, {"n": "3"}, {"n": "4"}),
        ("added", {"id": "4"}, None, {"name": "di", "n": "5"}),
    ]
    assert not found.is_equal


def test_a_key_is_guessed_by_the_rule(diff):
    # what is called a key, in order of columns; each value there, and there once
    named = diff("n,user_id,id\n1,a,7\n2,a,8\n", "n,user_id,id\n1,b,7\n2,a,8\n")
    assert (named.key, named.key_is_guessed) == (("id",), True)
    assert diff("code,x\na,1\nb,1\n", "code,x\na,1\nb,2\n").key == ("code",)
    for table in ("code,x\na,1\na,2\n", "code,x\n,1\nb,2\n"):
        assert diff(table, table).key == ()
    assert diff({"x": [1.5, 2.5]}, {"x": [1.5, 2.5]}).key == ()
    assert diff("id,x\n1,1\n", "id,x\n1,2\n", []).key == ()
    given = diff("id,x\n1,1\n", "id,x\n1,2\n", ["x"])
    assert (given.key, given.key_is_guessed) == (("x",), False)


def test_without_a_key_rows_are_counted(diff):
    found = diff("x,y\na,1\na,1\na,1\nb,1\n", "y,x\n1,a\n2,c\n2,c\n1,b\n", [])
    assert (found.removed, found.added, found.changed) == (2, 2, 0)
    assert [(str(row.kind), row.old or row.new, row.count) for row in found.rows] == [
        ("added", {"x": "c", "y": "2"}, 2),
        ("removed", {"x": "a", "y": "1"}, 2),
    ]


def test_rows_of_one_key_are_compared_as_a_whole(diff):
    found = diff("id,x\n1,a\n1,b\n2,c\n,n\n,n\n3,z\n", "id,x\n1,b\n1,d\n2,d\n,n\n3,z\n", ["id"])
    assert found.duplicate_keys == 2
    assert (found.added, found.removed, found.changed) == (1, 2, 1)
    assert sorted(map(str, rows_of(found))) == sorted(
        map(
            str,
            [
                ("removed", {"id": "1"}, {"x": "a"}, None),
                ("added", {"id": "1"}, None, {"x": "d"}),
                ("changed", {"id": "2"}, {"x": "c"}, {"x": "d"}),
                ("removed", {"id": None}, {"x": "n"}, None),
            ],
        )
    )


def test_columns_that_came_went_changed_and_moved(diff):
    found = diff(
        {"id": [1, 2], "a": [1, 2], "gone": ["x", "y"], "b": [1.0, 2.0]},
        {"b": [1.0, 2.0], "id": [1, 2], "a": [1.0, 2.5], "new": [None, True]},
        ["id"],
    )
    assert [(one.name, one.kind, one.old, one.new) for one in found.columns] == [
        ("a", ColumnChangeKind.RETYPED, "int64", "double"),
        ("gone", ColumnChangeKind.REMOVED, "string", None),
        ("new", ColumnChangeKind.ADDED, None, "bool"),
        ("b", ColumnChangeKind.MOVED, "4", "1"),
    ]
    assert rows_of(found) == [("changed", {"id": 2}, {"a": 2}, {"a": 2.5})]
    assert diff({"id": [1], "a": [1]}, {"a": [1], "id": [1]}, ["id"]).changed == 0


def test_nothing_and_an_empty_text_differ(diff):
    found = diff('id,x\n1,\n2,""\n3,\n', 'id,x\n1,""\n2,""\n3,\n', ["id"])
    assert rows_of(found) == [("changed", {"id": "1"}, {"x": None}, {"x": ""})]
    assert diff("id,x\n1,NULL\n", "id,x\n1,null\n", ["id"]).changed == 1


@pytest.mark.parametrize(
    ("old", "new", "is_equal"),
    [
        ([math.nan, None], [math.nan, None], True),
        ([math.nan], [None], False),
        ([0.1], [0.1 + 1e-18], True),
        ([0.1], [0.1 + 1e-16], False),
        ([math.inf], [-math.inf], False),
        ([Decimal("1.10")], [Decimal("1.10")], True),
        ([Decimal("12345678901234567890.12")], [Decimal("12345678901234567890.13")], False),
        (
            pa.array([1 << 60], pa.timestamp("ns")),
            pa.array([(1 << 60) + 1], pa.timestamp("ns")),
            False,
        ),
        (
            pa.array([1 << 60], pa.timestamp("ns", "UTC")),
            pa.array([(1 << 60) + 1], pa.timestamp("ns", "UTC")),
            False,
        ),
        (pa.array([1], pa.duration("ns")), pa.array([2], pa.duration("ns")), False),
        (pa.array([1], pa.time64("ns")), pa.array([2], pa.time64("ns")), False),
        (pa.array([2**64 - 1], pa.uint64()), pa.array([2**64 - 2], pa.uint64()), False),
        (
            pa.array([Decimal(10) ** 60], pa.decimal256(70, 3)),
            pa.array([Decimal("1" + "0" * 60 + ".001")], pa.decimal256(70, 3)),
            False,
        ),
        ([[1, None]], [[1, None]], True),
        ([[1, None]], [[1]], False),
        ([{"a": [1, 2]}], [{"a": [1, 3]}], False),
        (
            pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())),
            pa.array([[("k", 2)]], pa.map_(pa.string(), pa.int64())),
            False,
        ),
        ([b"\x00\xff"], [b"\x00\xfe"], False),
        (["e\u0301"], ["\u00e9"], False),
        (["a"], ["a "], False),
        ([True, None], [True, None], True),
        (pa.array(["a"]).dictionary_encode(), pa.array(["b"]).dictionary_encode(), False),
    ],
)
def test_values_are_compared_exactly(diff, old, new, is_equal):
    for key in (["id"], []):
        tables = [pa.table({"id": range(len(one)), "x": one}) for one in (old, new)]
        found = diff(*tables, key)
        assert found.is_equal is is_equal
        assert found.changed + found.added == (not is_equal)


def test_an_instant_equals_itself_in_another_zone(diff):
    moment = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    zone = timezone(timedelta(hours=2))
    old = pa.table({"id": [1], "t": pa.array([moment], pa.timestamp("us", "UTC"))})
    new = pa.table(
        {"id": [1], "t": pa.array([moment.astimezone(zone)], pa.timestamp("us", "+02:00"))}
    )
    found = diff(old, new, ["id"])
    assert (found.changed, [str(one.kind) for one in found.columns]) == (0, ["retyped"])
    later = pa.table({"id": [1], "t": pa.array([moment + timedelta(hours=2)], pa.timestamp("us"))})
    assert diff(old, later, ["id"]).changed == 1


def test_columns_whose_type_changed_are_compared_by_value(diff):
    def types(old, new):
        found = diff({"id": [1, 2], "x": old}, {"id": [1, 2], "x": new}, ["id"])
        whole = diff({"id": [1, 2], "x": old}, {"id": [1, 2], "x": new}, [])
        assert whole.added == whole.removed == found.changed
        return [row.key["id"] for row in found.rows]

    assert types(pa.array([1, 2], pa.int8()), pa.array([1, 3], pa.uint64())) == [2]
    assert types([1, 2], [1.0, 2.5]) == [2]
    assert types([1, 2], ["1", "02"]) == [2]
    assert types([Decimal("1.5"), Decimal("2.5")], [Decimal("1.500"), Decimal("2.501")]) == [2]


def test_columns_of_one_name_are_told_apart(diff):
    found = diff("id,x,x\n1,a,b\n", "id,x,x\n1,a,c\n", ["id"])
    assert rows_of(found) == [("changed", {"id": "1"}, {"x#2": "b"}, {"x#2": "c"})]
    tables = [pa.table([[1], ["a"], [last]], names=["id", "X", "X"]) for last in ("b", "c")]
    assert diff(*tables, ["id"]).changes_by_column == {"X#2": 1}
    assert diff("id,x\n1,a\n", "ID,x\n1,a\n", []).columns[0].name == "id"


def test_csv_is_read_as_it_is_written(diff):
    same = 'id;text\n1;a,b\n2;"x\ny; ""z"""\n'
    assert diff(same, same.replace("\n1;", "\r\n1;"), ["id"]).is_equal
    assert diff(same, "\ufeff" + same, ["id"]).is_equal
    assert diff(same, same.encode("utf-16"), ["id"]).is_equal
    assert diff(
        same, same.replace(";", ",").replace("a,b", '"a,b"').replace("y,", "y;"), ["id"]
    ).is_equal
    assert diff("x\n1\n\n", "x\n1\n", []).removed == 1
    assert diff("", "", []).is_equal
    assert diff("", "x\n1\n", []).added == 1
    assert diff("x\n", "x\n1\n", []).added == 1


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (b"id,x\n1,2\n3\n", "Expected 2 columns, got 1"),
        (b"id,x\n1,\xff\n", "UTF8"),
        (b'id,"x\n', "cannot be read as a table"),
        (",".join(f"c{n}" for n in range(3000)).encode(), "3000 columns"),
    ],
)
def test_what_is_no_table_is_told_with_its_name(diff, table, says):
    for pair in ((table, b"id,x\n1,2\n"), (b"id,x\n1,2\n", table)):
        with pytest.raises(InvalidInputError, match=says) as caught:
            diff(*pair)
        assert ("old.csv", "new.csv")[pair.index(table)] in str(caught.value)


def test_a_column_that_is_not_there_is_told_with_those_that_are(diff):
    with pytest.raises(InvalidInputError, match=r"new\.csv has no column 'id'.*columns are x, y"):
        diff("id,x\n1,2\n", "x,y\n1,2\n", ["id"])


def test_pages_join_to_the_whole(diff):
    old, new = {"id": list(range(20))}, {"id": list(range(5, 40, 2))}
    whole = diff(old, new, ["id"])
    pages, offset = [], 0
    while True:
        page = diff(old, new, ["id"], offset, 4)
        pages += page.rows
        offset += 4
        if not page.has_more:
            break
    assert tuple(pages) == whole.rows
    assert [row.key["id"] for row in pages] == sorted(row.key["id"] for row in pages)


def test_a_page_is_a_frame(diff):
    found = diff("id,n,m\n1,1,a\n2,2,b\n", "id,n,m\n1,5,a\n3,3,c\n", ["id"])
    frame = found.frame()
    assert list(frame["change"]) == ["changed", "removed", "added"]
    assert frame[("n", "old")].tolist() == ["1", "2", None]
    assert frame[("n", "new")].tolist() == ["5", None, "3"]
    assert diff("id\n1\n", "id\n1\n", ["id"]).frame().empty


@pytest.mark.parametrize("key", [["id"], ["id", "x"], [], None])
def test_large_tables_are_compared_in_parts(diff, monkeypatch, key):
    old = pa.table(
        {"id": list(range(3000)), "x": [math.nan if n % 7 else n * 1.5 for n in range(3000)]}
    )
    new = pa.table({"id": [*range(5, 3000), 7, 4000], "x": [0.5, *old["x"].to_pylist()[6:], 1, 2]})
    whole = diff(old, new, key)
    monkeypatch.setattr(table_diff, "PART_BYTES", 4096)
    assert str(diff(old, new, key)) == str(whole)
    assert whole.added
    assert whole.removed


cells = st.sampled_from([None, 0, 1, 2]) | st.none()
tables = st.lists(st.tuples(st.integers(0, 4), cells, st.sampled_from(["", "a", None])), max_size=8)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables, tables, st.booleans())
def test_a_table_diff_is_what_pandas_finds_by_looking_at_every_row(diff, old, new, keyed):
    frames = [
        pd.DataFrame(rows, columns=["id", "n", "t"]).astype(
            {"id": "int64", "n": "Int64", "t": "object"}
        )
        for rows in (old, new)
    ]
    schema = pa.schema([("id", pa.int64()), ("n", pa.int64()), ("t", pa.string())])
    found = diff(
        *(pa.Table.from_pandas(one, schema, preserve_index=False) for one in frames),
        ["id"] if keyed else [],
    )
    counted = [Counter(id_ for id_, *_ in rows) for rows in (old, new)]
    single = {key for key in counted[0] | counted[1] if max(one[key] for one in counted) == 1}
    if not keyed:
        single = set()
    before = {row[0]: row for row in old if row[0] in single}
    after = {row[0]: row for row in new if row[0] in single}
    rest = [Counter(row for row in rows if row[0] not in single) for rows in (old, new)]
    assert found.added == len(after.keys() - before.keys()) + (rest[1] - rest[0]).total()
    assert found.removed == len(before.keys() - after.keys()) + (rest[0] - rest[1]).total()
    both = before.keys() & after.keys()
    assert found.changed == sum(before[key] != after[key] for key in both)
    assert found.changes_by_column == {
        name: count
        for place, name in ((1, "n"), (2, "t"))
        if (count := sum(before[key][place] != after[key][place] for key in both))
    }
    merged = frames[0].merge(frames[1], how="outer", indicator=True) if not keyed else None
    if merged is not None and max([*rest[0].values(), *rest[1].values()], default=1) == 1:
        assert found.removed == (merged["_merge"] == "left_only").sum()
        assert found.added == (merged["_merge"] == "right_only").sum()
