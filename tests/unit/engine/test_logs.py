"""The log of a path in trees of several levels, against comparing each commit plainly."""

import random
from itertools import pairwise

import pytest

from jupyter_datalake.engine import logs
from jupyter_datalake.engine.commits import CommitRequest, commit_tree, head_of
from jupyter_datalake.engine.logs import LogWish, iter_log
from jupyter_datalake.engine.nodes import NodeWriter
from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.entries import inline_file
from jupyter_datalake.model.manifests import Edit, Node, edit_manifest
from jupyter_datalake.model.paths import RepoPath, path_key
from jupyter_datalake.model.ways import step_from

FOLDERS, FILES, COMMITS = 60, 100, 60


def place(folder, number):
    return RepoPath(f"{folder:03d}/deep/{number:03d}")


def commit_edits(lake, edits):
    core, head = lake.core, head_of(lake.core, "raw", "main")
    with core.writer() as writer:
        nodes = NodeWriter(core.nodes, writer)
        root = edit_manifest(nodes, head.root, edits)
        request = CommitRequest("raw", "main", "edit", Author("test"))
        return commit_tree(core, writer, nodes, head, root, request).commit


def edit_at(path, text):
    entry = None if text is None else inline_file(text, mode=0o644, mtime_ns=0)
    return Edit(path_key(path), entry and entry.encode(), len(text or b""))


@pytest.mark.parametrize("seed", range(4))
def test_the_log_of_a_path_in_a_large_tree_is_what_comparing_each_commit_says(
    memory_lake, seed, monkeypatch
):
    numbers, lake = random.Random(seed), memory_lake
    lake.repos.create("raw")
    every = [place(folder, number) for folder in range(FOLDERS) for number in range(FILES)]
    commits = [commit_edits(lake, [edit_at(path, path.encode() * 9) for path in every])]
    wished = [every[0], every[1234], every[-1], "007", "007/deep", "", "nothing", "~behind"]
    for number in range(COMMITS):
        near = [path for path in wished if path in every and numbers.random() < 0.2]
        far = numbers.sample(every, numbers.choice([1, 1, 1, 40]))
        far += numbers.sample(every[1200:1260], numbers.choice([0, 1]))  # near one that is wished
        texts = [None if numbers.random() < 0.3 else b"%d" % number for _ in range(99)]
        paths = sorted({*near, *far}, key=path_key)
        edits = [edit_at(*pair) for pair in zip(paths, texts, strict=False)]
        made = commit_edits(lake, edits)
        if made.id != commits[-1].id:
            commits.append(made)
    assert lake.core.nodes.load(commits[0].root).level >= 1
    compared = []
    diff = logs.diff_manifests
    monkeypatch.setattr(logs, "diff_manifests", lambda *args: compared.append(1) or diff(*args))
    for path in map(RepoPath, wished):
        compared.clear()
        found = {one.id for one in iter_log(lake.core, commits[-1].id, LogWish(path))}
        trees = [lake.core.snapshot(one) for one in commits]
        plain = {
            new.commit_id
            for old, new in pairwise(trees)
            if next(old.differences(new, path), None) is not None
        }
        first = {commits[0].id} if trees[0].look(path) is not None else set()
        assert found == plain | first
        if path in every:
            assert not compared


@pytest.mark.parametrize(
    "data",
    [b"\xc1", b"\x95\x01\x07", b"\x95\xa1x\x91\xc4\x01a", b"\x95\x01\x91\xc4\x01a\x90\x90\x07"],
)
def test_damaged_nodes_are_told(data):
    with pytest.raises(CorruptDataError):
        step_from(data, b"", None)
    assert step_from(Node(0, []).encode(), b"", None).is_exact
