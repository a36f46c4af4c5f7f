"""The terminal, row by row of docs/reliability.md: what goes wrong around a command."""

import json
import os
import random
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from jupyter_datalake.cli.main import cli
from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.testing.invariants import check_lake
from tests.faults.conftest import wait_until

DATALAKE = [sys.executable, "-m", "jupyter_datalake.cli.main"]


INTERRUPTED = {130, -signal.SIGINT}
"""What shells show as 130. Python ends by the signal itself when it arrived while a string was
being executed, as it is where a dataclass is made."""


def end(process, number):
    """Send a signal, and once more if it went under, as people do; return the exit code.

    Python drops an exception in a destructor, also the one that Ctrl-C is.
    """
    process.send_signal(number)
    try:
        return process.wait(20)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        return process.wait(60)


@pytest.mark.parametrize(
    ("number", "codes"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, {-signal.SIGTERM})]
)
def test_c1_an_interrupted_put_commits_nothing_and_leaves_the_lake_free(lake, number, codes):
    put = subprocess.Popen(
        [*DATALAKE, "--lake", lake.url, "files", "put", "raw@main/x", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with put:
        put.stdin.write(b"x" * 3_000_000)  # more than a pipe holds: most of it was read
        put.stdin.flush()
        assert end(put, number) in codes
        assert b"Traceback" not in put.stderr.read()
    assert lake.files.list("raw@main") == []
    assert lake.sessions.list() == []
    lake.files.put("raw@main/x", "the next one")
    check_lake(lake)


def test_c1_a_waiting_command_can_be_interrupted(lake, tmp_path):
    spec = {"pipeline": "p", "command": ["true"], "input": {"repo": {"name": "raw", "glob": "/"}}}
    lake.files.put("raw@main/x", "1")
    lake.pipelines.create(spec, folder=tmp_path)
    (job,) = lake.jobs.list()
    wait = subprocess.Popen(
        [*DATALAKE, "--lake", lake.url, "jobs", "wait", job.global_id],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with wait:
        wait_until(lambda: "metadata.sqlite" in open_files(wait.pid), "the command to wait")
        assert end(wait, signal.SIGINT) in INTERRUPTED
        assert b"Traceback" not in wait.stderr.read()
    assert str(lake.jobs.get(job.id).state) == "waiting"


def open_files(pid):
    import psutil

    return " ".join(one.path for one in psutil.Process(pid).open_files())


@pytest.mark.parametrize(
    ("number", "codes"), [(signal.SIGINT, INTERRUPTED), (signal.SIGTERM, {-signal.SIGTERM})]
)
def test_c1_a_command_whose_reader_does_not_read_can_be_interrupted(lake, number, codes):
    lake.files.put("raw@main/x", b"x" * 3_000_000)  # more than a pipe holds
    with subprocess.Popen(
        [*DATALAKE, "--lake", lake.url, "files", "read", "raw@main/x"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as read:
        assert read.stdout.read(1) == b"x"
        assert end(read, number) in codes
        assert b"Traceback" not in read.stderr.read()
    assert lake.files.read("raw@main/x") == b"x" * 3_000_000
    check_lake(lake)


@pytest.fixture
def command(lake, tmp_path):
    """Run a command in a process of its own; return its code, output and errors."""

    def do(*arguments, url=lake.url, **named):
        done = subprocess.run(
            [*DATALAKE, *(["--lake", url] if url else []), *map(str, arguments)],
            check=False,
            **{"capture_output": True, "text": True, "cwd": tmp_path, **named},
        )
        assert "Traceback" not in (done.stderr or "")
        return done

    return do


def one_line(done, code, *words):
    """Check that a command failed with a code and one line on standard error."""
    (line,) = done.stderr.splitlines()
    assert done.returncode == code, done
    assert line.startswith("error: ")
    for word in words:
        assert word in line


BARE = {"PATH": os.environ["PATH"], "PYTHONPATH": os.environ.get("PYTHONPATH", "")}


def test_c2_a_command_works_without_home_locale_terminal_and_standard_input(lake, command):
    lake.files.put("raw@main/caf\u00e9", "x")
    for locale in ({}, {"LANG": "C"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "nowhere"}):
        done = command("files", "list", "raw@main", env=BARE | locale, stdin=subprocess.DEVNULL)
        assert (done.returncode, done.stderr) == (0, "")
        assert "caf" in done.stdout
    done = command("repos", "delete", "raw", stdin=subprocess.DEVNULL)
    assert done.returncode not in {0, 1}
    assert [repo.name for repo in lake.repos.list()] == ["raw"]


def in_folder_that_is_gone(tmp_path):
    """Return what makes a child begin in a folder that is deleted."""
    gone = tmp_path / "gone"

    def begin():
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()

    return begin


def test_c2_a_command_in_a_folder_that_is_gone_works_or_says_so(lake, command, tmp_path):
    lake.files.put("raw@main/x", "x")
    begin = in_folder_that_is_gone(tmp_path)
    done = command("files", "read", "raw@main/x", preexec_fn=begin)
    assert (done.returncode, done.stdout, done.stderr) == (0, "x", "")
    for arguments in (["repos", "list"], ["init"]):
        done = command(*arguments, url="lake", preexec_fn=begin)
        one_line(done, 2, "'lake' is relative to the current folder, which is gone")
    done = command("files", "export", "raw@main", "out", preexec_fn=begin)
    assert done.returncode not in {0, -signal.SIGSEGV}
    one_line(done, done.returncode)


def test_c2_a_command_in_a_folder_that_cannot_be_written_works_or_says_so(lake, command):
    lake.files.put("raw@main/x", "x")
    assert command("files", "read", "raw@main/x", cwd="/proc").stdout == "x"
    done = command("files", "export", "raw@main", "out", cwd="/proc")
    one_line(done, done.returncode, "out")
    assert done.returncode != 0
    assert lake.files.read("raw@main/x") == b"x"


def test_c2_a_full_disk_behind_standard_output_is_one_line(lake, command):
    with open("/dev/full", "w") as full:
        done = command("repos", "list", stdout=full, capture_output=False, stderr=subprocess.PIPE)
    one_line(done, 1, "No space left on device")


@pytest.mark.parametrize(
    ("arguments", "names", "advises"),
    [
        (["repos", "list", "--nope"], "--nope", "repos list --help"),
        (["nope"], "nope", "--help"),
        (["repos", "get"], "NAME", "repos get --help"),
        (["repos", "list", "--limit", "many"], "many", "repos list --help"),
    ],
)
def test_c3_what_is_no_command_is_one_line_and_json_where_that_was_asked_for(
    command, arguments, names, advises
):
    one_line(command(*arguments), 2, names, advises)
    done = command(*arguments, "--json")
    error = json.loads(done.stderr)
    assert (done.returncode, error["kind"], done.stdout) == (2, "invalid-request", "")
    assert names in error["message"]


def test_c4_no_option_takes_a_secret_itself(lake):
    """What is typed stands in the history of the shell, and for everybody in `ps`."""

    def walk(node, path=()):
        yield path, node
        if isinstance(node, click.Group):
            context = click.Context(node)
            for name in node.list_commands(context):
                yield from walk(node.get_command(context, name), (*path, name))

    found = {
        (*path, option)
        for path, node in walk(cli)
        for one in node.params
        for option in (*one.opts, one.name)
        if re.search(r"pass|secret|token|credential|access.?key", option)
    }
    assert found == set()


SECRET = "hunter2-4711"


def test_c4_a_secret_that_was_typed_all_the_same_is_repeated_nowhere(lake, command, tmp_path):
    key = "ab" * 32
    for arguments in (
        ["init", tmp_path / "new", "--database", f"postgresql://u:{SECRET}@127.0.0.1:1/x"],
        ["init", tmp_path / "new", "--encrypt", key],
        ["warehouse", "create", "w", f"duckdb://u:{SECRET}@host/x"],
        ["remotes", "create", "r", f"s3://u:{SECRET}@bucket/prefix"],
        ["remotes", "create", "r", f"ftp://u:{SECRET}@host/lake"],
    ):
        for more in ([], ["--json"]):
            done = command(*arguments, *more)
            assert done.returncode != 0, arguments
            assert SECRET not in done.stdout + done.stderr
            assert key not in done.stdout + done.stderr
    assert not list((tmp_path / "new").rglob("lake.json"))
    assert (lake.warehouse.list(), lake.remotes.list()) == ([], [])
    for path in Path(lake.url).rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def test_c5_of_an_odd_tree_everything_that_is_no_file_is_named_and_the_rest_taken(
    lake, command, tmp_path
):
    tree = tmp_path / "tree"
    (tree / "below").mkdir(parents=True)
    (tree / "below" / "x").write_text("1")
    (tree / "loop").symlink_to(".")
    (tree / "nowhere").symlink_to("/no/such/file")
    os.mkfifo(tree / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tree / "socket"))
    skipped = {"pipe", "socket"}
    try:
        os.mknod(tree / "device", stat.S_IFCHR | 0o600, os.makedev(1, 5))
        skipped.add("device")
    except PermissionError:
        assert os.geteuid() != 0 or not (tree / "device").exists()
    done = command("files", "put", "raw@main", tree, timeout=60)
    assert done.returncode == 0
    assert {Path(line.split(":")[1]).name for line in done.stderr.splitlines()} == skipped
    found = {one.path: str(one.kind) for one in lake.files.glob("raw@main", "/**")}
    assert found == {"below/x": "file", "loop": "symlink", "nowhere": "symlink"}
    check_lake(lake)


def test_c5_a_file_that_grows_while_it_is_read_is_taken_as_it_was_at_some_moment(
    lake, command, tmp_path
):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "still").write_text("1")
    stop = threading.Event()

    def grow():
        with open(tree / "log", "ab", buffering=0) as file:
            while not stop.is_set() and file.tell() < 200_000_000:
                file.write(b"line\n" * 2000)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        done = command("files", "put", "raw@main", tree, timeout=120)
    finally:
        stop.set()
        writer.join()
    assert done.returncode == 0, done.stderr
    names = [one.path for one in lake.files.list("raw@main")]
    taken = lake.files.read("raw@main/log") if "log" in names else b""
    assert "still" in names
    assert taken == b"line\n" * (len(taken) // 5) + b"line\n"[: len(taken) % 5]
    assert taken or "log" in done.stderr  # taken, or left out by name
    check_lake(lake)


def test_c6_nothing_is_exported_over_what_is_there_or_into_the_lake(lake, command, tmp_path):
    lake.files.put("raw@main/d/x", "new")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").write_text("mine")
    before = sorted(Path(lake.url).rglob("*"))
    for address, target in (
        ("raw@main/d/x", tmp_path / "file"),
        ("raw@main/d", tmp_path / "folder"),
        ("raw@main", f"{lake.url}/objects/out"),
        ("raw@main", lake.url),
    ):
        one_line(command("files", "export", address, target), 14)
    assert (tmp_path / "file").read_text() == "mine"
    assert os.listdir(tmp_path / "folder") == ["x"]
    assert (tmp_path / "folder" / "x").read_text() == "mine"
    assert sorted(Path(lake.url).rglob("*")) == before
    check_lake(lake)


@pytest.mark.disk_mib(8)
def test_c6_an_export_that_does_not_fit_leaves_nothing(lake, command, small_disk):
    lake.files.put("raw@main/d/small", "1")
    lake.files.put("raw@main/d/x", random.Random(1).randbytes(20_000_000))
    out = small_disk.folder / "out"
    for address in ("raw@main/d", "raw@main/d/x"):
        done = command("files", "export", address, out)
        one_line(done, 20, "No space left on device", "Free some space")
        assert os.listdir(small_disk.folder) == []
    assert command("files", "export", "raw@main/d/small", out).returncode == 0
    assert out.read_text() == "1"


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who can become others")
NOBODY = 65534


@needs_root
def test_c7_root_writes_nothing_into_the_lake_of_somebody_else(lake, command):
    lake.files.put("raw@main/x", "mine")
    lake.close()
    for path in [Path(lake.url), *Path(lake.url).rglob("*")]:
        os.chown(path, NOBODY, NOBODY)
    before = {path: path.stat().st_mtime_ns for path in Path(lake.url).rglob("*")}
    for arguments in (["files", "put", "raw@main/y", "-"], ["repos", "list"]):
        done = command(*arguments, input="y")
        one_line(done, 12, "belongs to the user", "sudo -u")
    assert {path: path.stat().st_mtime_ns for path in Path(lake.url).rglob("*")} == before
    assert {path.stat().st_uid for path in Path(lake.url).rglob("*")} == {NOBODY}


@needs_root
def test_c7_another_user_is_told_that_the_lake_is_not_theirs(lake):
    """Its folder is for its owner alone, so they do not even see what is in it."""
    lake.files.put("raw@main/x", "mine")
    lake.close()
    assert stat.S_IMODE(os.stat(lake.url).st_mode) == 0o700
    before = {path: path.stat().st_mtime_ns for path in Path(lake.url).rglob("*")}
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:  # everything that opening needs was imported by the fixture
        try:
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
            Lake.open(lake.url)
            os.write(write, b"opened")
        except DatalakeError as error:
            os.write(write, f"{type(error).__name__} {error}".encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    os.close(write)
    with open(read) as said:
        told = said.read()
    assert told.startswith("StorageError ")
    assert "Permission denied" in told
    assert {path: path.stat().st_mtime_ns for path in Path(lake.url).rglob("*")} == before
