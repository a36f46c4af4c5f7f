"""Globs: a table of what matches what, and patterns that were made to hurt."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.globs import (
    check_references,
    expand_references,
    parse_glob,
    quote_glob,
)
from jupyter_datalake.model.paths import ROOT, RepoPath, parent_of, path_key
from jupyter_datalake.testing.strategies import repo_paths


class FakeTree:
    """A tree of the given files; folders follow from them. Counts what is listed."""

    def __init__(self, files):
        self.infos = {}
        for path in files:
            self._add(RepoPath(path), FileKind.FILE)
            above = parent_of(RepoPath(path))
            while above:
                self._add(above, FileKind.FOLDER)
                above = parent_of(above)
        self.listed = []

    def _add(self, path, kind):
        self.infos[path] = FileInfo(path, kind, 0, 0o644, 0, None)

    def list(self, path):
        self.listed.append(path)
        children = [one for one in self.infos if parent_of(one) == path]
        return [self.infos[one] for one in sorted(children, key=path_key)]

    def find(self, path):
        if path == ROOT:
            count = len(self.infos)
            return FileInfo(ROOT, FileKind.FOLDER, 0, 0o755, 0, None, file_count=count)
        return self.infos.get(path)


FILES = [
    "a.csv",
    "b.csv",
    "c.parquet",
    "data/2025/x.csv",
    "data/2026/x.csv",
    "data/2026/y.parquet",
    "data/readme",
    "deep/a/b/c/z.csv",
    "deep/a/z.csv",
    "odd/*",
    "odd/[x]",
    "odd/{a,b}",
    "odd/back\\slash",
]


def matches(pattern, files=FILES):
    return [info.path for info in parse_glob(pattern).matches_in(FakeTree(files))]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/", [""]),
        ("/*", ["a.csv", "b.csv", "c.parquet", "data", "deep", "odd"]),
        ("/*.csv", ["a.csv", "b.csv"]),
        ("/?.csv", ["a.csv", "b.csv"]),
        ("/a.csv", ["a.csv"]),
        ("/data", ["data"]),
        ("/data/", ["data"]),
        ("//data//2026", ["data/2026"]),
        ("/missing", []),
        ("/a.csv/x", []),
        ("/[ab].csv", ["a.csv", "b.csv"]),
        ("/[!a].csv", ["b.csv"]),
        ("/[a-b].csv", ["a.csv", "b.csv"]),
        ("/*.{csv,parquet}", ["a.csv", "b.csv", "c.parquet"]),
        ("/{a,b}.csv", ["a.csv", "b.csv"]),
        ("/{a.csv,data}", ["a.csv", "data"]),
        ("/*.{c{sv,xx},parquet}", ["a.csv", "b.csv", "c.parquet"]),
        ("/a{,x}.csv", ["a.csv"]),
        ("/data/*", ["data/2025", "data/2026", "data/readme"]),
        ("/data/*/x.csv", ["data/2025/x.csv", "data/2026/x.csv"]),
        ("/data/202[56]/*.csv", ["data/2025/x.csv", "data/2026/x.csv"]),
        ("/*/2026/*", ["data/2026/x.csv", "data/2026/y.parquet"]),
        ("/**", sorted(FILES, key=path_key)),
        ("/deep/**", ["deep/a/b/c/z.csv", "deep/a/z.csv"]),
        (
            "/**/*.csv",
            [
                "a.csv",
                "b.csv",
                "data/2025/x.csv",
                "data/2026/x.csv",
                "deep/a/b/c/z.csv",
                "deep/a/z.csv",
            ],
        ),
        ("/**/2026/*.csv", ["data/2026/x.csv"]),
        ("/deep/**/c/*.csv", ["deep/a/b/c/z.csv"]),
        ("/d*/**/x.csv", ["data/2025/x.csv", "data/2026/x.csv"]),
        (r"/odd/\*", ["odd/*"]),
        (r"/odd/\[x\]", ["odd/[x]"]),
        (r"/odd/[[]x]", ["odd/[x]"]),
        (r"/odd/\{a,b\}", ["odd/{a,b}"]),
        (r"/odd/back\\slash", ["odd/back\\slash"]),
    ],
)
def test_globs_match_what_the_table_says(pattern, expected):
    assert matches(pattern) == expected


@pytest.mark.parametrize(
    ("pattern", "names", "expected"),
    [
        ("/[]a]", ["]", "a", "b"], ["]", "a"]),
        ("/[!]a]", ["]", "a", "b"], ["b"]),
        ("/[a-]", ["-", "a", "b"], ["-", "a"]),
        ("/[-a]", ["-", "a", "b"], ["-", "a"]),
        ("/[^a]", ["^", "a", "b"], ["^", "a"]),
        ("/[&&~|]", ["&", "|", "~", "a"], ["&", "|", "~"]),
        ("/[\\]", ["\\", "a"], ["\\"]),
        ("/a,b", ["a,b", "a"], ["a,b"]),
        ("/a}", ["a", "a}"], ["a}"]),
        ("/*a*b*", ["ab", "ba", "xaxbx", "b"], ["ab", "xaxbx"]),
        ("/*{ab,a}*bc", ["abc", "abbc", "bc"], ["abbc", "abc"]),
        ("/*x", ["ax\nbx", "\nx", "x"], ["\nx", "ax\nbx", "x"]),
        ("/?", ["\udc80", "é", "ab"], ["é", "\udc80"]),
        ("/.*", [".x", "x"], [".x"]),
        ("/*", [".x", "x"], [".x", "x"]),
    ],
)
def test_patterns_of_one_component(pattern, names, expected):
    assert sorted(matches(pattern, names)) == sorted(expected)


@pytest.mark.parametrize(
    ("pattern", "column"),
    [
        ("", 1),
        ("data", 1),
        ("/a/../b", 4),
        ("/.", 2),
        ("/a**", 3),
        ("/**/x/**", 7),
        ("/[abc", 2),
        ("/x[]", 3),
        ("/x[!]", 3),
        ("/[z-a]", 2),
        ("/ab{c,d", 4),
        ("/{a,{b}", 2),
        ("/abc\\", 5),
        ("/x(a", 3),
        ("/xa)", 4),
        ("/({a)}", 5),
        ("/(a/b)", 2),
        ("/(**", 3),
        ("/(a**)", 4),
        ("/(**)/x/**", 9),
        ("/" + "(" * 30, 22),
        ("/" + "{a,b}" * 12, 2),
        ("/" + "{" * 5000, 22),
    ],
)
def test_bad_globs_are_refused_with_the_column(pattern, column):
    with pytest.raises(InvalidInputError) as caught:
        parse_glob(pattern)
    assert caught.value.kind is ErrorKind.INVALID_GLOB
    assert caught.value.context["column"] == column


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("/(*).csv", "a.csv", ("a",)),
        ("/(*)-(*).csv", "a-b.csv", ("a", "b")),
        ("/(*)-(*).csv", "a-b-c.csv", ("a-b", "c")),
        ("/(*)/(*).csv", "2026/x.csv", ("2026", "x")),
        ("/((*)-(?))x", "ab-cx", ("ab-c", "ab", "c")),
        ("/(20[0-9][0-9])*", "2026-01", ("2026",)),
        ("/({a,b})*", "bz", ("b",)),
        ("/{(a),(b)}*", "bz", ("", "b")),
        ("/(abc).csv", "abc.csv", ("abc",)),
        ("/(**)/x", "a/b/x", ("a/b",)),
        ("/(**)/(*).csv", "y.csv", ("", "y")),
        ("/d/(**)", "d/a/b", ("a/b",)),
        ("/(**)/q/(*)", "a/b/q/z", ("a/b", "z")),
        ("/()x", "x", ("",)),
        (r"/a\(1\)", "a(1)", ()),
    ],
)
def test_parentheses_capture_what_they_enclose(pattern, path, expected):
    assert matches(pattern, [path]) == [path]
    glob = parse_glob(pattern)
    assert glob.capture_count == len(expected)
    assert glob.captures(RepoPath(path)) == expected


@given(st.text("ab*?(){},-", max_size=9), st.text("ab-", min_size=1, max_size=6))
def test_captures_change_nothing_about_what_matches(text, name):
    try:
        glob = parse_glob(f"/{text}")
    except InvalidInputError:
        return
    plain = parse_glob("/" + text.replace("(", "").replace(")", "")) if "**" not in text else glob
    if "**" in plain.text and plain is not glob:
        return
    assert bool(matches(glob.text, [name])) == bool(matches(plain.text, [name]))
    if matches(glob.text, [name]):
        captured = glob.captures(RepoPath(name))
        assert len(captured) == glob.capture_count
        assert all(one in name for one in captured)


def test_a_glob_matches_what_a_folder_of_that_name_holds():
    glob = parse_glob("/tmp/*")
    assert glob.matches_or_holds(RepoPath("tmp/a"))
    assert glob.matches_or_holds(RepoPath("tmp/a/b"))
    assert not glob.matches_or_holds(RepoPath("tmp"))
    assert parse_glob("/").matches_or_holds(RepoPath("x"))


@pytest.mark.parametrize(
    ("template", "count", "word"),
    [("$2", 1, "$1"), ("$0", 1, "names $0"), ("x", 2, "names no capture"), ("$1", 0, "nothing")],
)
def test_a_template_names_captures_that_are_there(template, count, word):
    with pytest.raises(InvalidInputError, match=re.escape(word)) as caught:
        check_references(template, count, "/x")
    assert caught.value.kind is ErrorKind.INVALID_GLOB


def test_templates_are_expanded_literally():
    check_references("$1-${2}x$1", 2, "/x")
    assert expand_references("$1-${2}x$1", ("$2", "\\1")) == "$2-\\1x$2"


@given(repo_paths())
def test_a_quoted_path_matches_itself_and_nothing_else(path):
    others = [path + "x", "x" + path]
    assert matches(quote_glob(path), [path]) == [path]
    assert matches(quote_glob(path), [one for one in others if one != path]) == []


@given(st.text("ab*?[]{}(),!\\-/", max_size=15))
def test_any_text_is_a_glob_or_refused(text):
    try:
        glob = parse_glob(f"/{text}")
    except InvalidInputError:
        return
    assert list(glob.matches_in(FakeTree(["a", "ab/b", "a/b/ab"]))) is not None
    assert glob.text == f"/{text}"


def naive(pattern, name):
    """The meaning of ``*`` and ``?``, written down as slowly as can be."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return naive(pattern[1:], name) or (bool(name) and naive(pattern, name[1:]))
    return bool(name) and pattern[0] in {"?", name[0]} and naive(pattern[1:], name[1:])


@given(st.text("ab*?", min_size=1, max_size=8), st.text("ab", min_size=1, max_size=8))
def test_stars_mean_what_the_definition_says(pattern, name):
    if "**" in pattern:
        return
    assert parse_glob(f"/{pattern}").components[0].matches(name) == naive(pattern, name)


@pytest.mark.parametrize(
    "pattern", ["/" + "*a" * 60 + "*b", "/" + "{a,aa}" * 9 + "*b", "/" + "(*a)" * 60 + "*b"]
)
def test_patterns_made_to_hang_do_not(pattern):
    component = parse_glob(pattern).components[0]
    begin = time.perf_counter()
    assert not component.matches("a" * 255)
    assert time.perf_counter() - begin < 1


def test_captures_made_to_hang_do_not():
    component = parse_glob("/" + "(*)a" * 40 + "(*)b").components[0]
    assert component.capture("a" * 250) == {}
    found = component.capture("a" * 200 + "b")
    assert len(found) == 41
    assert found[1] == "a" * 160


def test_only_folders_that_can_match_are_listed():
    tree = FakeTree(FILES)
    assert [one.path for one in parse_glob("/data/2026/*.csv").matches_in(tree)] == [
        "data/2026/x.csv"
    ]
    assert tree.listed == ["data/2026"]


def test_quoted_names_are_looked_up_not_searched_for():
    tree = FakeTree(FILES)
    assert [one.path for one in parse_glob(quote_glob("odd/[x]")).matches_in(tree)] == ["odd/[x]"]
    assert tree.listed == []


def test_the_whole_repo_is_no_datum_while_it_is_empty():
    assert matches("/", []) == []
