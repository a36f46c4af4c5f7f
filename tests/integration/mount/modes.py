"""The same files by three ways: folders that programs see, and the drive over REST.

Every way answers in the same words, so that one test can be held against all of them.
"""

import errno
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlencode

from tests.integration.mount.conftest import wait_until

TOKEN = "of-a-test"  # of a server that lives for one test module

WORDS = {
    errno.ENOENT: "missing",
    errno.EEXIST: "exists",
    errno.EROFS: "read-only",
    errno.EACCES: "read-only",
    errno.EINVAL: "invalid",
    errno.ENAMETOOLONG: "invalid",
    errno.ENOTDIR: "invalid",
    errno.EISDIR: "invalid",
    errno.ENOTEMPTY: "not empty",
    errno.EIO: "damaged",
}
"""What an errno means, in the words of the tests."""

KINDS = {
    "path-not-found": "missing",
    "repo-not-found": "missing",
    "ref-not-found": "missing",
    "path-exists": "exists",
    "read-only": "read-only",
    "not-allowed": "read-only",
    "invalid-path": "invalid",
    "corrupt-blob": "damaged",
    "corrupt-pack": "damaged",
}
"""What a kind of error means, in the same words."""


class RefusedError(Exception):
    """An act was refused; the argument says why, in a word."""


@contextmanager
def _told():
    try:
        yield
    except OSError as error:
        raise RefusedError(WORDS[error.errno]) from error


class FolderFiles:
    """Files below a mount point, as programs of this kernel see them."""

    def __init__(self, point):
        self.point = Path(point)

    def names(self, path=""):
        with _told():
            return sorted(os.listdir(self.point / path))

    def read(self, path, start=None, end=None):
        with _told(), open(self.point / path, "rb") as file:
            if start is None:
                return file.read()
            return os.pread(file.fileno(), end - start, start)

    def write(self, path, data):
        with _told(), open(self.point / path, "wb") as file:
            file.write(data)

    def append(self, path, data):
        with _told(), open(self.point / path, "ab") as file:
            file.write(data)

    def patch(self, path, offset, data):
        with _told(), open(self.point / path, "r+b") as file:
            os.pwrite(file.fileno(), data, offset)

    def make_folder(self, path):
        with _told():
            os.mkdir(self.point / path)

    def rename(self, old, new, *, replace=False):
        del replace  # rename(2) always does
        with _told():
            os.rename(self.point / old, self.point / new)

    def delete(self, path):
        place = self.point / path
        with _told():
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink()

    def kind(self, path):
        with _told():
            return "folder" if (self.point / path).stat().st_mode & 0o040000 else "file"


class DriveFiles:
    """Files of the drive, over a server's REST interface."""

    def __init__(self, url):
        self._url = url

    def names(self, path=""):
        found, after = [], ""
        while after is not None:
            page = self._json("GET", "files", path=path, after=after, limit=3)
            found += [one["name"] for one in page["results"]]
            after = page["next"]
        return sorted(found)

    def read(self, path, start=None, end=None):
        headers = {} if start is None else {"Range": f"bytes={start}-{end - 1}"}
        return self._ask("GET", "content", headers=headers, path=path)

    def write(self, path, data):
        self._ask("PUT", "content", data=data, path=path)

    def append(self, path, data):
        self._ask("PUT", "content", data=data, path=path, offset=-1)

    def patch(self, path, offset, data):
        self._ask("PUT", "content", data=data, path=path, offset=offset)

    def make_folder(self, path):
        self._ask("POST", "folders", data=json.dumps({"path": path}).encode())

    def rename(self, old, new, *, replace=False):
        body = {"path": old, "new_path": new, "replace": replace}
        self._ask("POST", "renames", data=json.dumps(body).encode())

    def delete(self, path):
        self._ask("DELETE", "file", path=path)

    def kind(self, path):
        return self._json("GET", "file", path=path)["kind"]

    def _json(self, method, what, **query):
        return json.loads(self._ask(method, what, **query))

    def _ask(self, method, what, *, data=None, headers=None, **query):
        address = f"{self._url}datalake/drive/{what}?{urlencode(query, errors='surrogateescape')}"
        request = urllib.request.Request(address, data, method=method, headers=headers or {})
        request.add_header("Authorization", f"token {TOKEN}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise RefusedError(KINDS[json.loads(error.read())["kind"]]) from error
        except HTTPException as error:
            raise RefusedError("damaged") from error  # broken off in the middle


class LocalDriveFiles:
    """Files of a drive that no server serves, in this process."""

    def __init__(self, lake, point):
        self._lake = lake
        self._point = point

    def read(self, path):
        return self._lake.drive.read(path, at=self._point)

    def write(self, path, data):
        self._lake.drive.put(path, data, at=self._point)


@contextmanager
def jupyter_server(lake_url, point, folder):
    """Serve a lake for as long as the block runs; give the server's URL."""
    runtime = folder / "runtime"
    runtime.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyter_server", "--allow-root", f"--port={port}"),
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.open_browser=False",
        "--ServerApp.jpserver_extensions={'jupyter_datalake': True}",
        f"--ServerApp.root_dir={folder}",
        f"--IdentityProvider.token={TOKEN}",
        f"--DatalakeExtension.lake_url={lake_url}",
        f"--DatalakeExtension.mountpoint={point}",
        "--DatalakeExtension.start_controller=False",
    ]
    environ = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_CONFIG_DIR": str(folder)}
    with open(folder / "server.log", "wb") as log:
        server = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        told = runtime / f"jpserver-{server.pid}.json"
        wait_until(lambda: told.stat().st_size > 0 or server.poll() is not None, within_s=60)
        assert server.poll() is None, (folder / "server.log").read_text()
        url = json.loads(told.read_text())["url"]
        wait_until(lambda: urllib.request.urlopen(f"{url}api", timeout=60).status == 200, 60)
        yield url
    finally:
        server.terminate()
        server.wait(60)
