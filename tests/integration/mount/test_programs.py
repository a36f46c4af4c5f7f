"""Programs that ask much of a file system, working in a mounted repo."""

import os
import shutil
import sqlite3
import subprocess
import sys

import pytest

from tests.integration.mount.conftest import commit, diff

pytestmark = pytest.mark.fuse


def run(*command, cwd=None):
    done = subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("journal", ["delete", "truncate", "persist", "wal"])
def test_an_sqlite_database_lives_in_it(lake, raw, journal):
    with sqlite3.connect(raw / "data.db") as database:
        assert database.execute(f"pragma journal_mode={journal}").fetchone() == (journal,)
        database.execute("create table t (n integer primary key, text)")
        for start in range(0, 1_000, 100):
            with database:
                database.executemany(
                    "insert into t values (?, ?)",
                    [(n, "x" * (n % 300)) for n in range(start, start + 100)],
                )
        with database:
            database.execute("delete from t where n % 3 = 0")
        database.execute("delete from t")
        database.rollback()
        assert database.execute("select count(*) from t").fetchone() == (666,)
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)
    database.close()
    commit(lake)
    copy = raw.parent.parent / "copy.db"
    copy.write_bytes(lake.files.read("raw@main/data.db"))
    with sqlite3.connect(copy) as database:
        assert database.execute("select sum(n) from t").fetchone() == (332_667,)
    database.close()


def test_a_git_repository_lives_in_it(lake, raw):
    git = raw / "project"
    git.mkdir()
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    run("git", "init", "-q", ".", cwd=git)
    for number in range(30):
        (git / f"file-{number}.txt").write_text(f"{number}\n" * 200)
    run("git", "add", ".", cwd=git)
    run("git", *who, "commit", "-qm", "First", cwd=git)
    run("git", "checkout", "-q", "-b", "other", cwd=git)
    (git / "file-1.txt").write_text("changed\n")
    run("git", *who, "commit", "-qam", "Second", cwd=git)
    run("git", "gc", "-q", cwd=git)
    run("git", "fsck", "--full", "--strict", cwd=git)
    assert run("git", "status", "--porcelain", cwd=git) == ""
    run("git", "clone", "-q", git, raw / "clone")
    assert (raw / "clone" / "file-1.txt").read_text() == "changed\n"
    commit(lake)
    run("git", "fsck", "--full", cwd=git)
    assert run("git", "status", "--porcelain", cwd=git) == ""
    assert run("git", "log", "--format=%s", cwd=git).split() == ["Second", "First"]


def test_archives_are_packed_and_unpacked_in_it(raw, tmp_path):
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    for number in range(50):
        (source / "deep" / f"{number}").write_bytes(os.urandom(number * 100))
    (source / "link").symlink_to("deep/1")
    (source / "deep" / "er" / "script").write_text("#!/bin/sh\n")
    (source / "deep" / "er" / "script").chmod(0o755)
    run("tar", "-cf", raw / "all.tar", "-C", source, ".")
    (raw / "tar").mkdir()
    run("tar", "-xpf", raw / "all.tar", "-C", raw / "tar")
    run("cp", "-a", source, raw / "cp")
    for name in ("tar", "cp"):
        run("diff", "-r", source, raw / name)
        for found in (source / "deep").rglob("*"):
            copy = raw / name / found.relative_to(source)
            assert copy.stat().st_mode == found.stat().st_mode
            assert copy.stat().st_mtime_ns // 10**9 == found.stat().st_mtime_ns // 10**9


@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync, which is not installed")
def test_rsync_copies_into_it_and_finds_nothing_to_do_the_second_time(raw, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for number in range(20):
        (source / f"{number}").write_bytes(os.urandom(1_000))
    run("rsync", "-a", f"{source}/", raw / "copy")
    again = run("rsync", "-ai", f"{source}/", raw / "copy")
    assert not [line for line in again.splitlines() if line.startswith(">f")]
    assert {path.name for path in (raw / "copy").iterdir()} == {str(one) for one in range(20)}


def test_python_packages_are_imported_and_compiled_in_it(lake, raw):
    (raw / "package").mkdir()
    (raw / "package" / "__init__.py").write_text("from package.part import answer\n")
    (raw / "package" / "part.py").write_text("answer = 42\n")
    for _ in range(2):
        assert run(sys.executable, "-c", "import package; print(package.answer)", cwd=raw) == "42\n"
    assert any(path.endswith(".pyc") for path in diff(lake))


def test_a_tree_is_removed_whole(raw):
    for number in range(200):
        folder = raw / "tree" / f"{number % 10}" / f"{number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}").write_text("x")
    run("rm", "-r", raw / "tree")
    assert os.listdir(raw) == []


def test_sorting_and_editing_tools_replace_files_in_place(raw):
    (raw / "x").write_text("b\na\nc\n")
    run("sed", "-i", "s/a/z/", raw / "x")
    run("sort", "-o", raw / "x", raw / "x")
    assert (raw / "x").read_text() == "b\nc\nz\n"
    run("truncate", "-s", "+2", raw / "x")
    run("dd", "if=/dev/zero", f"of={raw / 'y'}", "bs=64k", "count=16", "conv=fsync")
    assert (raw / "y").stat().st_size == 16 * 65_536
