"""Text diffs of stored files read what can differ, and know what is no text."""

import io
import random

import pytest

from jupyter_datalake.engine.text_diff import Nothing, OpenFile, diff_texts
from jupyter_datalake.errors import InvalidInputError
from jupyter_datalake.lake.lake import Lake


@pytest.fixture(scope="module")
def lake():
    with Lake.create("memory:") as made:
        made.repos.create("raw")
        yield made


def diff(lake, old, new, **options):
    lake.files.put("raw@main/old", old)
    lake.files.put("raw@main/new", new)
    return lake.files.diff_text("raw@main/old", "raw@main/new", **options)


def test_lines_come_with_their_neighbours_and_numbers(lake):
    old = "".join(f"{n}\n" for n in range(1, 21))
    found = diff(lake, old, old.replace("10\n", "ten\n").replace("20\n", ""))
    assert list(found.unified("a", "b")) == [
        "--- a",
        "+++ b",
        *["@@ -7,7 +7,7 @@", " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13"],
        *["@@ -17,4 +17,3 @@", " 17", " 18", " 19", "-20"],
    ]
    assert (found.added, found.removed, found.is_equal) == (1, 2, False)
    first = diff(lake, old, old.replace("10\n", "ten\n").replace("20\n", ""), limit=1)
    assert (first.hunks, first.has_more, first.removed) == (found.hunks[:1], True, 2)
    assert lake.files.diff_text("raw@main/old", "raw@main/new", offset=1).hunks == found.hunks[1:]


def test_equal_files_and_empty_ones(lake):
    same = diff(lake, "a\n", "a\n")
    assert (same.is_equal, same.hunks) == (True, ())
    assert diff(lake, "", "").is_equal
    assert [hunk.heading() for hunk in diff(lake, "", "a\n").hunks] == ["@@ -0,0 +1,1 @@"]
    assert diff(lake, "a\n", "").hunks[0].lines == ("-a",)
    assert diff(lake, "a", "a\n").hunks[0].lines == ("-a", "\\ No newline at end of file", "+a")


@pytest.mark.parametrize(
    ("old", "new", "encodings", "changed"),
    [
        ("ä\n".encode(), "ö\n".encode(), ("utf-8", "utf-8"), 1),
        ("ä\n".encode("utf-8-sig"), "ö\n".encode("utf-8-sig"), ("utf-8-sig", "utf-8-sig"), 1),
        ("ä\n".encode(), "ä\n".encode("utf-8-sig"), ("utf-8", "utf-8-sig"), 0),
        ("ä\nb\n".encode("utf-16"), "ä\nc\n".encode("utf-16"), ("utf-16", "utf-16"), 1),
        ("ä\n".encode("utf-16"), "ä\n".encode(), ("utf-16", "utf-8"), 0),
        ("ä\n".encode("latin-1"), "ö\n".encode("latin-1"), ("unknown-8bit", "unknown-8bit"), 1),
        (b"a\n" * 9000 + b"\xe4\n", b"a\n" * 9000 + b"\xe5\n", ("unknown-8bit", "unknown-8bit"), 1),
    ],
)
def test_encodings_are_told_and_do_not_make_lines_differ(lake, old, new, encodings, changed):
    found = diff(lake, old, new)
    assert (found.old_encoding, found.new_encoding) == encodings
    assert (found.added, found.removed, found.is_equal) == (changed, changed, False)


def test_what_is_no_text_is_told(lake):
    for old, new in ((b"a\0b", b"a"), (b"a\n", b"a\n" * 9000 + b"\0")):
        found = diff(lake, old, new)
        assert (found.is_binary, found.hunks, found.is_equal) == (True, (), False)
    assert diff(lake, b"a\0", b"a\0").is_equal


def test_line_ends_are_kept_and_told(lake):
    found = diff(lake, "a\r\nb\r\n", "a\nb\r\n")
    assert found.hunks[0].lines == ("-a\r", "+a", " b\r")
    assert (str(found.old_newline), str(found.new_newline)) == ("crlf", "mixed")


def test_chunks_that_both_have_are_not_compared(lake, monkeypatch):
    lines = random.Random(3)
    old = "".join(f"{n} {lines.random()}\n" for n in range(200_000)).encode()
    new = old.replace(b"\n100000 ", b"\nedited\n100000 ")
    lake.files.put("raw@main/old", old)
    lake.files.put("raw@main/new", new)
    read = []
    content = type(lake.core.snapshot(lake.commits.get("raw")).content("old"))
    real = content.read
    monkeypatch.setattr(
        content,
        "read",
        lambda self, start, length: read.append((start, length)) or real(self, start, length),
    )
    found = lake.files.diff_text("raw@main/old", "raw@main/new")
    assert [hunk.heading() for hunk in found.hunks] == ["@@ -99998,6 +99998,7 @@"]
    # The half before the edit is read once, to count its lines; what comes after it is not.
    assert max(start + length for start, length in read) < len(old) * 0.8
    assert sum(length for _, length in read) < len(old)
    assert len(old) > 4_000_000


def test_a_file_on_disk_is_compared_by_blocks():
    old = b"".join(b"%d\n" % n for n in range(300_000))
    new = old.replace(b"\n150000\n", b"\n")
    found = diff_texts(OpenFile(io.BytesIO(old)), OpenFile(io.BytesIO(new)))
    assert [hunk.heading() for hunk in found.hunks] == ["@@ -149998,7 +149998,6 @@"]
    assert diff_texts(Nothing(), OpenFile(io.BytesIO(b"a\n"))).added == 1


def test_more_than_the_limit_is_refused_with_its_size():
    old, new = OpenFile(io.BytesIO(b"a\n" * 500)), OpenFile(io.BytesIO(b"b\n" * 501))
    with pytest.raises(InvalidInputError, match="differ over 1000 bytes; 999 are compared"):
        diff_texts(old, new, limit_bytes=999)


def test_staged_files_are_compared_with_their_base(lake):
    lake.files.put("raw@main/s", "one\ntwo\n")
    lake.files.put("raw@main/t", "gone\n")
    with lake.sessions.create("raw") as session:
        session.put("s", "one\n2\n")
        session.put("fresh", "hello\n")
        session.delete("t")
        identity = session.id
    assert lake.sessions.diff_text(identity, "s").hunks[0].lines == (" one", "-two", "+2")
    assert lake.sessions.diff_text(identity, "fresh").hunks[0].lines == ("+hello",)
    assert lake.sessions.diff_text(identity, "t").hunks[0].lines == ("-gone",)
    with pytest.raises(FileNotFoundError):
        lake.sessions.diff_text(identity, "nothing")
    lake.sessions.delete(identity)
