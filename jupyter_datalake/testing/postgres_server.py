"""A Postgres server for tests: on loopback, for this process, gone with it.

Usage::

    with PostgresServer() as server:
        store = open_postgres(server.url("some_schema"), wait_s=30)

Needs the server's programs (Debian: the package ``postgresql``), which may be run by any user but
root; root starts them as the user ``postgres``.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from sqlalchemy.engine import make_url

_PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt/postgresql")
_PATIENCE_S = 60

# The shell stops the server when its standard input closes: with this process, however it ends.
_KEEPER = '"$@" & server=$!; read -r _; kill -INT "$server"; wait "$server"'


def find_programs() -> Path | None:
    """Return the folder of the newest server's programs, or None where there are none."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = [folder for place in _PLACES for folder in Path(place).glob("**/bin/initdb")]
    return max(found, key=_version_of).parent if found else None


def _version_of(program: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in program.parts if part.isdecimal())


def why_no_postgres() -> str | None:
    """Return what keeps this machine from running a server, or None."""
    if find_programs() is None:
        return "needs Postgres: install the package postgresql"
    if os.geteuid() == 0 and _owner() is None:
        return "needs the user 'postgres': root must not run a Postgres server"
    return None


def _owner() -> pwd.struct_passwd | None:
    """Return the user that a server of root's runs as."""
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


class PostgresServer:
    """A server with an empty cluster of its own, on a free port of the loopback interface.

    Parameters
    ----------
    is_durable
        Whether a commit waits for the disk, as it does in earnest; costs time.
    settings
        More of ``postgresql.conf``, by name.
    """

    def __init__(self, *, is_durable: bool = False, **settings: str) -> None:
        programs = find_programs()
        assert programs is not None, why_no_postgres()
        self._programs = programs
        self._folder = Path(tempfile.mkdtemp(prefix="datalake-postgres-", dir="/tmp"))
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            owner = _owner()
            assert owner is not None, why_no_postgres()
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._as = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        self._settings = {
            "fsync": "on" if is_durable else "off",
            "synchronous_commit": "on" if is_durable else "off",
            "full_page_writes": "on" if is_durable else "off",
            "max_connections": "200",
            "shared_buffers": "32MB",
            **settings,
        }
        self.port = _free_port()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._run("initdb", "-D", self._data, "-U", "ada", "-A", "trust", "-E", "UTF8", "-N")

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def url(self, schema: str | None = None, *, port: int | None = None, user: str = "ada") -> str:
        """Return the URL of a schema; of a new one when None.

        Parameters
        ----------
        port
            Of something that passes on to this server, such as a `TcpProxy`.
        """
        name = schema or f"lake_{secrets.token_hex(6)}"
        return f"postgresql://{user}@127.0.0.1:{port or self.port}/postgres?schema={name}"

    def copy_of(self, url: str) -> str:
        """Return the URL of a new database that holds what an other one does; nobody may use that.

        Many times faster than to make the schema of a lake again.
        """
        place = make_url(url)
        name = f"copy_{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE {name} TEMPLATE "{place.database}"'.encode())
        return place.set(database=name).render_as_string(hide_password=False)

    def new_database(self) -> str:
        """Make an empty database and return the URL of a schema in it."""
        name = f"new_{secrets.token_hex(6)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url("lake").replace("/postgres?", f"/{name}?")

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection of one's own, which commits every statement."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="ada", dbname="postgres", autocommit=True
        )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [
            str(self._programs / "postgres"),
            "-D",
            self._data,
            f"--port={self.port}",
            "--listen_addresses=127.0.0.1",
            f"--unix_socket_directories={self._folder}",
            *settings,
        ]
        with open(self._folder / "server.log", "ab") as log:
            self._keeper = subprocess.Popen(
                ["sh", "-c", _KEEPER, "sh", *command],  # noqa: S607
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd="/",
                **self._as,
            )
        _wait_until(self._answers, f"the Postgres server to start; see {self._folder}/server.log")

    def stop(self) -> None:
        """Stop the server as an administrator does: at once, after a checkpoint."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server as a crash does; the next start recovers from its log."""
        self._end(signal.SIGQUIT)

    def restart(self) -> None:
        """Stop and start the server; every connection is lost."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop the server and remove everything it has written."""
        if self._keeper is not None:
            self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        keeper, self._keeper = self._keeper, None
        assert keeper is not None, "the server does not run"
        assert keeper.stdin is not None
        os.kill(int((self._folder / "data/postmaster.pid").read_text().split()[0]), number)
        keeper.stdin.close()
        keeper.wait(_PATIENCE_S)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            assert self._keeper is not None
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            **self._as,
        )
        assert done.returncode == 0, done.stderr

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
