"""`lake.files.preview` and `describe`: any file at any commit, bounded and harmless."""

import gzip
import io
import json
import math
import os
import pickle
import threading
import zipfile
from datetime import date

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from jupyter_datalake.errors import InvalidInputError, PathNotFoundError, StateError
from jupyter_datalake.model.previews import PreviewKind
from jupyter_datalake.warehouse import column_statistics


@pytest.fixture
def lake(memory_lake):
    memory_lake.repos.create("raw")
    return memory_lake


@pytest.fixture
def put(lake):
    """Put a file and return its address."""

    def do(name, content):
        content = content.encode() if isinstance(content, str) else content
        lake.files.put(f"raw@main/{name}", io.BytesIO(content))
        return f"raw@main/{name}"

    return do


@pytest.fixture
def look(lake, put):
    return lambda name, content, **page: lake.files.preview(put(name, content), **page)


def parquet(table, **options):
    buffer = io.BytesIO()
    pq.write_table(pa.table(table), buffer, **options)
    return buffer.getvalue()


def numbers(count):
    return "id,square\n" + "".join(f"{n},{n * n}\n" for n in range(count))


# --- tables --------------------------------------------------------------------------------------


def test_a_page_of_a_csv_file_is_read_where_it_lies(look):
    found = look("n.csv", numbers(10_000), offset=9_998, limit=10)
    assert found.kind is PreviewKind.TABLE
    assert [column.name for column in found.page.columns] == ["id", "square"]
    assert [column.type for column in found.page.columns] == ["int64", "int64"]
    assert found.page.rows == (("9998", "99960004"), ("9999", "99980001"))
    assert (found.page.total, found.page.has_more) == (10_000, False)


def test_pages_are_of_the_commit_that_the_first_one_names(lake, put):
    address = put("n.csv", numbers(3))
    first = lake.files.preview(address)
    put("n.csv", numbers(5))
    again = lake.files.preview(f"raw@{first.commit_id}/n.csv")
    assert (again.page.total, lake.files.preview(address).page.total) == (3, 5)


def test_quotes_null_and_short_rows_are_told_apart(look):
    content = 'a;b;c\n"x;\ny";;z\nonly\n1;2;3;4\n'
    assert look("q.csv", content).page.rows == (
        ("x;\ny", None, "z"),
        ("only", None, None),
        ("1", "2", "3"),
    )


@pytest.mark.parametrize("name", ["n.csv.gz", "wide.csv"])
def test_compressed_and_utf16_tables_are_read_too(look, name):
    text = numbers(2000)
    content = gzip.compress(text.encode()) if name.endswith("gz") else text.encode("utf-16")
    found = look(name, content, offset=1500, limit=1)
    assert found.page.rows == (("1500", "2250000"),)


def test_a_csv_file_of_ten_thousand_columns_is_shown_in_part(look):
    line = ",".join(f"c{n}" for n in range(10_000)) + "\n"
    found = look("wide.csv", line * 300, limit=1000)
    assert (found.page.column_count, len(found.page.columns)) == (10_000, 1000)
    assert 0 < len(found.page.rows) <= 100
    assert found.page.has_more


def test_parquet_is_read_by_its_groups_of_rows(look):
    content = parquet(
        {"n": list(range(1000)), "s": [f"v{n}" for n in range(1000)]}, row_group_size=64
    )
    found = look("n.parquet", content, offset=126, limit=4)
    assert found.page.rows == tuple((str(n), f"v{n}") for n in range(126, 130))
    assert (found.page.total, found.page.has_more) == (1000, True)
    assert look("n2.parquet", content, offset=5000).page.rows == ()


def test_every_value_of_parquet_has_a_text(look):
    table = {
        "time": pa.array([1, None], pa.timestamp("ns", tz="UTC")),
        "bytes": pa.array([b"\xff\x00", None]),
        "nested": pa.array([{"a": [1, None]}, None]),
        "half": pa.array([1.5, math.nan], pa.float16()),
        "kind": pa.array(["x", None]).dictionary_encode(),
        "nothing": pa.nulls(2),
        "long": pa.array(["y" * 5000, None]),
    }
    found = look("all.parquet", parquet(table))
    first = dict(
        zip([column.name for column in found.page.columns], found.page.rows[0], strict=True)
    )
    assert first["bytes"] == "ff00"
    assert json.loads(first["nested"]) == {"a": [1, None]}
    assert first["kind"] == "x"
    assert len(first["long"]) == 501
    assert found.page.is_cut
    assert found.page.rows[1][3] == "nan"


def test_arrow_files_and_json_lines_are_tables(look):
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(pa.table({"n": list(range(500))}), buffer, chunksize=100)
    assert look("n.feather", buffer.getvalue(), offset=199, limit=2).page.rows == (
        ("199",),
        ("200",),
    )
    lines = '{"a": 1, "b": "x"}\nbroken\n[1]\n\n{"c": {"d": null}, "a": 2.5}\n'
    found = look("l.jsonl", lines)
    assert [(one.name, one.type) for one in found.page.columns] == [
        ("a", "double"),
        ("b", "string"),
        ("value", "string"),
        ("c", "string"),
    ]
    assert found.page.rows == (
        ("1", "x", None, None),
        (None, None, "broken", None),
        (None, None, "[1]", None),
        (None, None, None, None),
        ("2.5", None, None, '{"d": null}'),
    )


def test_keys_that_come_late_in_json_lines_are_not_lost(look):
    lines = '{"a": 1}\n' * 1500 + '{"late": 2}\n'
    found = look("late.jsonl", lines, offset=1500)
    assert [one.name for one in found.page.columns] == ["a", "…"]
    assert found.page.rows == ((None, '{"late": 2}'),)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"PAR1" + os.urandom(200) + b"PAR1"),
        ("b.parquet", b""),
        ("c.parquet", parquet({"n": [1, 2, 3]})[:-20]),
        ("d.arrow", b"ARROW1\0\0" + b"\xff" * 64),
        ("e.csv.gz", b"not gzip"),
    ],
)
def test_a_broken_table_is_told_by_its_name(look, name, content):
    with pytest.raises(InvalidInputError, match="cannot be read as a table") as caught:
        look(name, content)
    assert name in caught.value.message


def test_invalid_text_in_a_table_is_shown_as_such(look):
    assert look("bad.csv", b"a,b\n\xff\xfe\x00,<b>x</b>\n").page.rows == (
        ("\ufffd\ufffd\0", "<b>x</b>"),
    )


# --- texts and all else --------------------------------------------------------------------------


def test_lines_of_a_text_are_paged(look):
    found = look("t.txt", "".join(f"line {n}\r\n" for n in range(5000)), offset=4998)
    assert found.kind is PreviewKind.TEXT
    assert found.page.lines == ("line 4998", "line 4999")
    assert found.page.total == 5000


def test_a_huge_line_is_cut(look):
    found = look("t.txt", "x" * 3_000_000)
    assert len(found.page.lines[0]) == 10_001
    assert found.page.is_cut


def test_an_empty_file_is_empty_whatever_its_ending(look):
    assert look("t.txt", b"").page.total == 0
    csv = look("t.csv", b"")
    assert (csv.kind, csv.page.columns, csv.page.rows, csv.page.total) == (
        PreviewKind.TABLE,
        (),
        (),
        0,
    )
    assert look("t.json", b"").page.lines == ()
    assert look("t.jsonl", b"").page.rows == ()
    assert look("t.png", b"").kind is PreviewKind.TEXT


def test_json_is_indented_where_it_is_json(look):
    assert look("j.json", '{"a":[1]}').page.lines == ("{", '  "a": [', "    1", "  ]", "}")
    assert look("k.json", "{nonsense").page.lines == ("{nonsense",)
    assert look("deep.json", "[" * 100_000).kind is PreviewKind.JSON


@pytest.mark.parametrize(
    ("name", "content", "kind", "media_type"),
    [
        ("p.png", b"\x89PNG\r\n\x1a\n\0", PreviewKind.IMAGE, "image/png"),
        ("wrong.txt", b"\xff\xd8\xff\xe0\0", PreviewKind.IMAGE, "image/jpeg"),
        ("v.svg", b"<svg/>", PreviewKind.IMAGE, "image/svg+xml"),
        ("a.wav", b"RIFF\0\0\0\0WAVE", PreviewKind.AUDIO, "audio/wav"),
        ("n.ipynb", b"{}", PreviewKind.NOTEBOOK, "application/x-ipynb+json"),
        ("fake.png", b"<script>alert(1)</script>", PreviewKind.TEXT, "text/plain"),
        ("u.log", "\ufeffé".encode("utf-16"), PreviewKind.TEXT, "text/plain"),
        ("x.bin", b"\0\1\2", PreviewKind.BINARY, "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_say(look, name, content, kind, media_type):
    found = look(name, content)
    assert (found.kind, found.media_type) == (kind, media_type)


class Trap:
    """A pickle of it makes a file when it is loaded."""

    def __reduce__(self):
        return os.mkdir, ("unpickled",)


def test_a_pickle_is_read_and_never_loaded(look, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    facts = {fact.name: fact.value for fact in look("model.pkl", pickle.dumps(Trap())).facts}
    assert "not loaded" in facts["Format"]
    assert "mkdir" in facts["Names"]
    assert list(tmp_path.iterdir()) == []


def test_models_tell_what_they_are(look):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model/data.pkl", pickle.dumps(Trap()))
    facts = {fact.name: fact.value for fact in look("m.pt", buffer.getvalue()).facts}
    assert facts["Format"].startswith("PyTorch")
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).encode()
    content = len(header).to_bytes(8, "little") + header + b"\0" * 24
    facts = {fact.name: fact.value for fact in look("m.safetensors", content).facts}
    assert (facts["Format"], facts["w"]) == ("Safetensors", "F32 2×3")
    broken = {fact.name for fact in look("b.pt", b"PK\x05\x06" + b"\xff" * 40).facts}
    assert "Format" in broken


def test_a_folder_or_nothing_is_refused_by_name(lake, put):
    put("deep/x.txt", "1")
    with pytest.raises(InvalidInputError, match="raw@main/deep is a folder"):
        lake.files.preview("raw@main/deep")
    with pytest.raises(PathNotFoundError):
        lake.files.preview("raw@main/none")


# --- statistics ----------------------------------------------------------------------------------


def described(lake, address, **options):
    found = lake.files.describe(address, **options)
    return found, {column.name: column for column in found.columns}


def test_columns_of_a_csv_file_are_described_by_what_they_look_like(lake, put):
    rows = "".join(f"{n},{'x' if n % 4 else 'y'},2020-01-{n % 28 + 1:02}\n" for n in range(1000))
    found, columns = described(lake, put("n.csv", f"n,c,day\n{rows},,\n"))
    assert (found.rows, found.is_partial) == (1001, False)
    n = columns["n"]
    assert (n.count, n.nulls, n.strange, n.min, n.max) == (1000, 1, 0, "0", "999")
    assert n.mean == pytest.approx(499.5)
    assert float(n.quantiles["0.5"]) == pytest.approx(499.5, abs=15)
    assert len(n.bins) == 20
    assert sum(one.count for one in n.bins) == 1000
    assert {one.count for one in n.bins} <= {49, 50, 51}
    assert [(one.value, one.count) for one in columns["c"].top] == [("x", 750), ("y", 250)]
    assert columns["c"].bins == ()
    assert columns["day"].min.startswith("2020-01-01")
    assert columns["day"].bins[0].low.startswith("2020-01-01")


def test_values_of_another_type_are_counted_apart(lake, put):
    # What comes behind the first MiB may be anything.
    rows = "1,x\n" * 400_000 + "many,x\n1.5,x\n"
    _, columns = described(lake, put("n.csv", f"n,c\n{rows}"))
    assert (columns["n"].count, columns["n"].strange, columns["n"].max) == (400_000, 2, "1")


def test_numbers_that_are_none_and_extremes_do_no_harm(lake, put):
    table = {
        "odd": pa.array([math.nan, math.inf, -math.inf, 1.0, None]),
        "far": pa.array([-1.7e308, 1.7e308, 0.0, 0.0, 1.0]),
        "big": pa.array([2**64 - 1, 0, 1, 2, 3], pa.uint64()),
        "same": pa.array([7] * 5),
        "none": pa.nulls(5, pa.float64()),
        "flag": [True, False, True, None, True],
        "list": [[1], [1], [2], None, []],
        "at": pa.array([0, 1, 2, 3, None], pa.timestamp("us", tz="UTC")),
    }
    _, columns = described(lake, put("odd.parquet", parquet(table)))
    assert columns["odd"].count == 4
    assert [one.count for one in columns["odd"].bins] == [1]
    assert sum(one.count for one in columns["far"].bins) in {0, 5}
    assert columns["big"].max == str(2**64 - 1)
    assert [(one.low, one.count) for one in columns["same"].bins] == [("7", 5)]
    assert (columns["none"].min, columns["none"].bins, columns["none"].nulls) == (None, (), 5)
    assert [(one.value, one.count) for one in columns["flag"].top] == [("true", 3), ("false", 1)]
    assert columns["list"].top[0].count == 2
    assert sum(one.count for one in columns["at"].bins) == 4


def test_json_lines_and_arrow_are_described_too(lake, put):
    _, columns = described(lake, put("l.jsonl", '{"a": 1}\n{"a": 3}\n{"a": "x"}\n' * 10))
    assert columns["a"].count == 30
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(pa.table({"t": [date(2020, 1, 1), date(2021, 1, 1)]}), buffer)
    _, columns = described(lake, put("t.feather", buffer.getvalue()))
    assert columns["t"].max.startswith("2021-01-01")


def test_only_the_columns_that_are_asked_for_are_described(lake, put):
    address = put("n.csv", "a,a,select\n1,2,3\n")
    found, columns = described(lake, address, columns=["select", "a#2"])
    assert (list(columns), found.column_count) == (["select", "a#2"], 3)
    with pytest.raises(InvalidInputError, match="no column 'zz'"):
        lake.files.describe(address, columns=["zz"])


def test_of_a_long_table_the_beginning_is_described_and_said_so(lake, put, monkeypatch):
    monkeypatch.setattr(column_statistics, "MAX_ROWS", 1000)
    found, columns = described(lake, put("n.csv", numbers(60_000)))
    assert (found.rows, found.is_partial, columns["id"].max) == (1000, True, "999")


def test_describing_leaves_nothing_behind_and_stops_when_told(lake, put):
    address = put("n.csv", numbers(50_000))
    lake.files.describe(address)
    stop = threading.Event()
    stop.set()
    with pytest.raises(StateError, match="stopped"):
        lake.files.describe(address, stop=stop)
    with pytest.raises(StateError, match="stopped"):
        lake.files.preview(address, stop=stop)
    assert list((lake.core.work_folder / "diffs").iterdir()) == []


def test_a_table_without_rows_or_columns_is_described_as_such(lake, put):
    found, columns = described(lake, put("n.csv", "a,b\n"))
    assert (found.rows, columns["a"].count, columns["a"].bins) == (0, 0, ())
    assert described(lake, put("e.csv", ""))[0].columns == ()
    with pytest.raises(InvalidInputError, match="no ending"):
        lake.files.describe(put("t.txt", "x"))
