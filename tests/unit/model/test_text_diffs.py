"""Text diffs: a patch that makes the new text of the old one, found at a bounded cost."""

import shutil
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.model.text_diffs import (
    NO_NEWLINE,
    Newline,
    diff_lines,
    hunks_of,
    newline_of,
    split_lines,
)


def patched(old, hunks):
    """Apply hunks to lines, as `patch` does; each context and removed line is checked."""
    found, position = [], 0
    for hunk in hunks:
        begin = hunk.old_start - (hunk.old_count > 0)
        found += old[position:begin]
        assert len(found) == hunk.new_start - (hunk.new_count > 0)
        position, made = begin, 0
        lines = list(hunk.lines)
        for number, line in enumerate(lines):
            if line == NO_NEWLINE:
                continue
            ends = number + 1 == len(lines) or lines[number + 1] != NO_NEWLINE
            raw = line[1:].encode("utf-8", "surrogateescape") + (b"\n" if ends else b"")
            if line[0] in " -":
                assert old[position] == raw
                position += 1
            if line[0] in " +":
                found.append(raw)
                made += 1
        assert (position - begin, made) == (hunk.old_count, hunk.new_count)
    return found + old[position:]


texts = st.lists(
    st.sampled_from([b"a", b"b", b"c", b"", b"\xff", b"x\r", b"\xc3\xa4"]), max_size=30
).map(b"\n".join)


@given(texts, texts)
def test_a_patch_makes_the_new_text(old, new):
    before, after = split_lines(old), split_lines(new)
    blocks = diff_lines(before, after)
    assert (blocks == []) == (old == new)
    assert all(one[1] < other[0] or one[3] < other[2] for one, other in pairwise(blocks))
    assert patched(before, list(hunks_of(before, after, blocks))) == after


@given(st.lists(st.integers(0, 99), max_size=60), st.lists(st.integers(0, 99), max_size=60))
def test_what_is_between_the_stretches_is_equal(old, new):
    i = j = 0
    for i1, i2, j1, j2 in [*diff_lines(old, new), (len(old), 0, len(new), 0)]:
        assert old[i:i1] == new[j:j1]
        i, j = i2, j2


@pytest.mark.skipif(shutil.which("patch") is None, reason="needs the program 'patch'")
def test_the_program_patch_takes_it(tmp_path):
    old = b"".join(b"line %d\n" % n for n in range(100)) + b"end"
    new = old.replace(b"line 3\n", b"").replace(b"line 50\n", b"line 50\nmore\n") + b" and more\n"
    before, after = split_lines(old), split_lines(new)
    (tmp_path / "file").write_bytes(old)
    text = ["--- file", "+++ file"]
    for hunk in hunks_of(before, after, diff_lines(before, after)):
        text += [hunk.heading(), *hunk.lines]
    subprocess.run(
        ["patch", "-s", "file"], input="\n".join(text) + "\n", text=True, check=True, cwd=tmp_path
    )
    assert (tmp_path / "file").read_bytes() == new


def test_one_edit_among_many_lines_is_one_stretch():
    old = [b"%d\n" % n for n in range(60_000)]
    new = [*old[:1000], b"new\n", *old[1001:50_000], *old[50_010:]]
    assert diff_lines(old, new) == [(1000, 1001, 1000, 1001), (50_000, 50_010, 50_000, 50_000)]


def test_texts_without_a_line_of_their_own_are_not_searched_to_the_end():
    # What makes a longest match quadratic: few different lines, all of them everywhere.
    old, new = [b"a\n", b"b\n"] * 20_000, [b"b\n", b"b\n", b"a\n"] * 20_000
    blocks = diff_lines(old, new)
    assert patched(old, list(hunks_of(old, new, blocks))) == new


def test_equal_lines_that_moved_far_keep_their_neighbours():
    old = [b"%d\n" % n for n in range(40)]
    assert diff_lines(old, [*old[20:], *old[:20]]) in (
        [(0, 20, 0, 0), (40, 40, 20, 40)],
        [(0, 0, 0, 20), (20, 40, 40, 40)],
    )


def test_newlines_are_told():
    assert newline_of([]) is Newline.NONE
    assert newline_of([b"a\n", b"b"]) is Newline.LF
    assert newline_of([b"a\r\n"]) is Newline.CRLF
    assert newline_of([b"a\r\n", b"a\n"]) is Newline.MIXED
