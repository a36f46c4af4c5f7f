"""The wire between a mount and those who command it."""

import json
import os
import socket
import threading
from datetime import UTC, datetime

import pytest
import trio

from jupyter_datalake import errors
from jupyter_datalake.errors import ConflictError, ErrorKind, InvalidInputError, MountError
from jupyter_datalake.model.changes import change_of
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.model.mounts import MountMode, Mountpoint, MountState
from jupyter_datalake.mount import control
from jupyter_datalake.mount.commands import CommandServer
from jupyter_datalake.mount.control import MountClient
from tests.unit.mount.conftest import POINT


def test_changes_cross_the_wire_unharmed():
    old = FileInfo("a/\udcff é", FileKind.FILE, 5, 0o644, 7, digest_of(b"x"))
    new = FileInfo("a/\udcff é", FileKind.SYMLINK, 1, 0o777, 9, None, target="\udcfe")
    for change in (change_of(old.path, old, new), change_of(old.path, None, new)):
        line = json.dumps(control.change_as_json(change)).encode()
        assert control.change_from_json(json.loads(line)) == change


def test_errors_cross_the_wire_unharmed():
    error = ConflictError(
        "No", kind=ErrorKind.PATHS_CONFLICT, hint="Look", retryable=True, paths=["a\udcff"]
    )
    again = control.error_from_json(json.loads(json.dumps(control.error_as_json(error))))
    assert type(again) is ConflictError
    assert again.as_dict() == error.as_dict()
    for category in errors.CATEGORIES:
        raw = control.error_as_json(category.error("x"))
        assert type(control.error_from_json(raw)) is category.error


def test_a_socket_can_lie_deep(tmp_path):
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        with control.reachable_path(folder / "s") as address:
            server.bind(address)
            server.listen()
        with control.reachable_path(folder / "s") as address:
            client.connect(address)


@pytest.mark.parametrize(
    "pid", [None, os.getpid(), 1, 2**22 - 1], ids=["none", "this", "init", "nobody"]
)
def test_only_a_supervisor_counts_as_alive(pid):
    host, now = socket.gethostname(), datetime.now(UTC)
    point = Mountpoint("/x", MountMode.FUSE, MountState.READY, "", pid, host, now)
    assert not control.is_alive(point)


@pytest.fixture
def served(run, lake):
    """Call a function in another thread while the commands of a mount point are served."""

    def served(ask):
        async def test(mounted):
            path = control.socket_path(lake.core, POINT)
            path.parent.mkdir(parents=True, exist_ok=True)
            stopped = trio.Event()
            server = CommandServer(mounted.shown, stopped.set)
            async with trio.open_nursery() as nursery:
                await nursery.start(server.serve, path)
                assert os.stat(path).st_mode & 0o777 == 0o600
                client = MountClient(lake.core, POINT, patience_s=0.1)
                await trio.to_thread.run_sync(ask, mounted, client)
                nursery.cancel_scope.cancel()
            assert not path.exists()
            return stopped.is_set()

        run(test)

    return served


def test_every_command_is_answered(served, lake):
    def ask(mounted, client):
        session = mounted.view().session
        trio.from_thread.run(mounted.write, "raw/é", b"1")
        account = client.ping()
        assert account["pid"] == os.getpid()
        assert account["memory_bytes"] > 1_000_000
        assert account["mounts"]["raw"]["is_writable"]
        client.refresh()
        assert [change.path for change in client.diff(session.id, "", "", 10)] == ["é"]
        commit_id = client.commit(session.id, "Naïve", Author("Ada", "a@b"), {"k": "v"})
        assert lake.commits.get("raw", commit_id).metadata == {"k": "v"}
        trio.from_thread.run(mounted.write, "raw/é", b"2")
        client.discard(session.id, ["é"])
        assert client.diff(session.id, "", "", 10) == []
        client.stop()

    served(ask)


def test_errors_arrive_as_what_they_are(served):
    def ask(mounted, client):
        with pytest.raises(errors.NotFoundError) as missing:
            client.diff("0" * 32, "", "", 1)
        assert missing.value.kind is ErrorKind.SESSION_NOT_FOUND
        with pytest.raises(InvalidInputError):
            client._call("explode")

    served(ask)


@pytest.mark.logs("A command failed")
def test_a_bug_in_a_command_is_told_and_the_server_goes_on(served):
    def ask(mounted, client):
        with pytest.raises(errors.InternalError):
            client._call("diff", nonsense=1)
        client.ping()

    served(ask)


def test_a_client_that_goes_away_harms_nobody(served, lake):
    def ask(mounted, client):
        with socket.socket(socket.AF_UNIX) as connection:
            with control.reachable_path(control.socket_path(lake.core, POINT)) as address:
                connection.connect(address)
            connection.sendall(b'{"verb": "ping", ')
        client.ping()

    served(ask)


def test_nobody_there_is_a_mount_that_does_not_answer(lake):
    control.socket_path(lake.core, POINT).parent.mkdir(parents=True)
    with pytest.raises(MountError) as refused:
        MountClient(lake.core, POINT, patience_s=0.05).ping()
    assert refused.value.kind is ErrorKind.MOUNT_STALE
    assert refused.value.retryable


def test_a_daemon_that_dies_over_a_commit_is_not_asked_twice(lake):
    path = control.socket_path(lake.core, POINT)
    path.parent.mkdir(parents=True)
    asked = []
    with socket.socket(socket.AF_UNIX) as server:
        with control.reachable_path(path) as address:
            server.bind(address)
        server.listen()

        def die_over_each():
            for _ in range(3):
                connection, _ = server.accept()
                asked.append(json.loads(connection.makefile("rb").readline())["verb"])
                connection.close()

        thread = threading.Thread(target=die_over_each)
        thread.start()
        client = MountClient(lake.core, POINT, patience_s=0.1)
        with pytest.raises(MountError):
            client.commit("s", "m", Author("Ada"), {})
        with pytest.raises(MountError):
            client.ping()
        thread.join()
    assert asked == ["commit", "ping", "ping"]
