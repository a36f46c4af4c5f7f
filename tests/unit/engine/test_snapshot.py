"""Snapshots: what one tree holds, answered from the few nodes that matter."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_datalake.errors import InvalidInputError, PathNotFoundError
from jupyter_datalake.model import manifests
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.paths import ROOT, RepoPath, parent_of, path_bytes
from jupyter_datalake.testing.lake_machine import TreeModel
from jupyter_datalake.testing.strategies import repo_paths


@pytest.fixture(scope="module")
def lake():
    from jupyter_datalake.lake.lake import Lake

    with Lake.create("memory:") as made:
        made.repos.create("raw")
        yield made


def tree_of(lake, entries):
    """The snapshot of a commit that holds these files and folders and nothing else."""
    with lake.sessions.create("raw") as session:
        session.delete("/")
        for path, content in entries.items():
            if content is None:
                session.make_folder(path)
            else:
                session.put(path, content)
        staged = session.diff()
        tree = session._session.tree
        if staged:
            session.commit("tree")
        del tree
        session.delete_session()
    return lake.core.snapshot(lake.commits.get("raw"))


entries = st.dictionaries(
    repo_paths(max_depth=3), st.one_of(st.none(), st.binary(max_size=80)), max_size=12
)


def consistent(found):
    """The entries that can be together in one tree."""
    model = TreeModel({})
    for path, content in found.items():
        if path in model.folders or any(
            "/".join(path.split("/")[:count]) in model.files for count in range(1, 9)
        ):
            continue
        if content is None:
            model.make_folder(path)
        else:
            model.put(path, content)
    return model


@settings(max_examples=25)
@given(entries)
def test_everything_is_where_it_was_put(lake, found):
    model = consistent(found)
    tree = tree_of(lake, model.entries())
    for path, content in model.files.items():
        info = tree.get(path)
        assert (info.kind, info.size_bytes, info.path) == (FileKind.FILE, len(content), path)
        assert tree.read(path) == content
        assert tree.look(path)[0] is FileKind.FILE
        with tree.open(path) as file:
            assert file.read() == content
    for path in model.folders:
        below = [one for one in model.files if one.startswith(f"{path}/")]
        info = tree.get(path)
        assert info.kind is FileKind.FOLDER
        assert info.size_bytes == sum(len(model.files[one]) for one in below)
        assert tree.look(path)[0] is FileKind.FOLDER
    for folder in {ROOT, *model.folders}:
        children = {path for path in (*model.files, *model.folders) if parent_of(path) == folder}
        listed = [info.path for info in tree.list(folder)]
        assert listed == sorted(children, key=path_bytes)
        assert [name for name, _, _ in tree.scan(folder)] == [
            info.name for info in tree.list(folder)
        ]
        for position, info in enumerate(tree.list(folder)):
            assert [one.path for one in tree.list(folder, after=info.name)] == listed[
                position + 1 :
            ]
    for path in ("not/there", "not", "\udcff"):
        if path not in model.files and path not in model.folders:
            assert tree.find(path) is None
            assert tree.look(path) is None
            with pytest.raises(PathNotFoundError):
                tree.get(path)


def test_listing_a_folder_costs_its_children_not_what_is_below_them(lake, monkeypatch):
    monkeypatch.setattr(manifests, "NODE_TARGET", 8)
    monkeypatch.setattr(manifests, "NODE_MAX", 64)
    with lake.sessions.create("raw") as session:
        for folder in range(5):
            for number in range(400):
                session.put(f"wide/{folder}/{number:04}", b"x")
        session.commit("wide")
    tree = lake.core.snapshot(lake.commits.get("raw"))
    loads = []
    real = lake.core.nodes.load
    monkeypatch.setattr(
        type(lake.core.nodes), "load", lambda self, digest: loads.append(digest) or real(digest)
    )
    assert [info.name for info in tree.list(RepoPath("wide"))] == ["0", "1", "2", "3", "4"]
    assert len(loads) < 60
    loads.clear()
    assert tree.measure(RepoPath("wide/3")) == (400, 400)
    assert len(loads) < 30


def test_content_digests_are_of_what_a_program_sees(lake):
    tree = tree_of(lake, {"one/a": b"1", "one/b/c": b"2", "two/a": b"1", "two/b/c": b"2"})
    assert tree.content_digest("one") == tree.content_digest("two")
    changed = tree_of(lake, {"one/a": b"1", "one/b/c": b"2", "two/a": b"1", "two/b/d": b"2"})
    assert changed.content_digest("one") == tree.content_digest("one")
    assert changed.content_digest("two") != tree.content_digest("two")
    assert tree.content_digest("one/a") == tree.content_digest("two/a")
    assert tree.content_digest("one/a") != tree.content_digest("one/b/c")


def test_the_root_counts_as_empty_only_while_it_is(lake):
    assert tree_of(lake, {}).find(ROOT).file_count == 0
    assert tree_of(lake, {"a": b""}).find(ROOT).file_count == 1
    assert tree_of(lake, {"a": None}).find(ROOT).file_count == 1


def test_files_have_no_children(lake):
    tree = tree_of(lake, {"a": b"1"})
    for call in (lambda: list(tree.list("a")), lambda: tree.read(ROOT)):
        with pytest.raises(InvalidInputError):
            call()
    assert tree.find("a/b") is None
    assert next(tree.iter_files("a")).path == "a"
