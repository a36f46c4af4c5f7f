"""S3 servers for tests: moto, which is fast and forgiving, and Ceph's gateway, which is neither.

Both run in processes of their own on this machine, keep what they hold in memory, and are gone
when their block ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

ACCESS_KEY = "testkey"
SECRET_KEY = "test-only-secret"  # noqa: S105  # opens nothing but a server of a test
REGION = "us-east-1"

CEPH_PROGRAMS = ("ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph", "monmaptool")
"""Debian: radosgw, ceph-mon, ceph-osd and what they bring along."""

_READY_S = 90.0
_POLL_S = 0.1

_MOTO = """
import sys, threading
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


@dataclass(frozen=True)
class S3Server:
    """A server that runs, and how tests reach past the code under test."""

    endpoint_url: str
    collect: Callable[[], None] = lambda: None
    """Frees what deleted objects took, for whoever writes gigabytes: Ceph keeps it for hours."""

    def url(self, bucket: str, prefix: str = "", **options: object) -> str:
        """Return the URL of a place in a bucket."""
        given = {"endpoint_url": self.endpoint_url, "region": REGION, **options}
        query = "&".join(f"{name}={quote(str(value), safe=':/')}" for name, value in given.items())
        return f"s3://{bucket}/{prefix}?{query}"

    @cached_property
    def client(self) -> Any:
        """A plain boto3 client with the rights of the tests."""
        import boto3  # noqa: PLC0415  # this module is imported where it may be missing
        from botocore.config import Config  # noqa: PLC0415

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name=REGION,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                max_pool_connections=16,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def environment(self) -> dict[str, str]:
        """Return the variables by which boto3 finds the credentials, and nobody else's."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


@contextmanager
def moto_server() -> Iterator[S3Server]:
    """Run moto. It checks neither signatures nor checksums."""
    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("moto did not start: is moto[s3] with flask installed?")
        yield S3Server(f"http://127.0.0.1:{int(line)}")
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(timeout=_READY_S)


def missing_ceph() -> str | None:
    """Return why Ceph cannot be run here, or None."""
    missing = [name for name in CEPH_PROGRAMS if shutil.which(name) is None]
    return f"needs Ceph: {missing[0]} is not installed" if missing else None


@contextmanager
def ceph_server(folder: Path) -> Iterator[S3Server]:
    """Run one monitor, one store in memory and the S3 gateway; ready after about 15 seconds.

    Parameters
    ----------
    folder
        An empty folder for what they write; with a short path, since sockets lie in it.
    """
    cluster = _Cluster(folder)
    try:
        cluster.start()
        yield S3Server(f"http://127.0.0.1:{cluster.port}", cluster.collect)
    finally:
        cluster.stop()


_CONFIGURATION = """
[global]
fsid = {fsid}
keyring = {folder}/keyring
mon_host = [v2:127.0.0.1:{ports[0]}/0,v1:127.0.0.1:{ports[1]}/0]
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
run_dir = {folder}
admin_socket = {folder}/$name.asok
log_file = {folder}/$name.log
pid_file = {folder}/$name.pid
crash_dir = {folder}
auth_allow_insecure_global_id_reclaim = false
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_crit = 1
mon_max_pg_per_osd = 1000
[mon.a]
mon_data = {folder}/mon
host = localhost
[osd]
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_data = {folder}/osd
osd_max_object_name_len = 256
osd_max_object_namespace_len = 64
[client.rgw.a]
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw_data = {folder}/rgw
rgw_dynamic_resharding = false
debug_rgw = 0
"""


class _Cluster:
    """The daemons of one Ceph cluster, all on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = _free_ports(3)
        self.port = self._ports[2]

    def start(self) -> None:
        folder = self._folder
        for name in ("mon", "osd", "rgw"):
            (folder / name).mkdir()
        fsid = Path("/proc/sys/kernel/random/uuid").read_text().strip()
        (folder / "ceph.conf").write_text(
            _CONFIGURATION.format(fsid=fsid, folder=folder, ports=self._ports, port=self.port)
        )
        self._make_keys()
        addresses = f"[v2:127.0.0.1:{self._ports[0]},v1:127.0.0.1:{self._ports[1]}]"
        map_file = str(folder / "monmap")
        self._run("monmaptool", "--create", "--addv", "a", addresses, "--fsid", fsid, map_file)
        keyring = str(folder / "keyring")
        self._run("ceph-mon", "-i", "a", "--mkfs", "--monmap", map_file, "--keyring", keyring)
        self._run("ceph-mon", "-i", "a")
        osd = Path("/proc/sys/kernel/random/uuid").read_text().strip()
        self._run("ceph", "osd", "new", osd)
        self._run("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._run("ceph-osd", "-i", "0")
        self._wait(lambda: "1 up" in self._run("ceph", "osd", "stat"))
        self._run(
            *("radosgw-admin", "-n", "client.rgw.a", "user", "create", "--uid", "test"),
            *("--display-name", "test", "--access-key", ACCESS_KEY, "--secret", SECRET_KEY),
        )
        self._run("radosgw", "-n", "client.rgw.a")
        self._wait(self._answers)

    def stop(self) -> None:
        for file in self._folder.glob("*.pid"):
            try:
                os.kill(int(file.read_text()), signal.SIGKILL)
            except (ValueError, ProcessLookupError):
                continue  # it ended by itself

    def collect(self) -> None:
        """Free what deleted objects took."""
        self._run("radosgw-admin", "-n", "client.rgw.a", "gc", "process", "--include-all")

    def _make_keys(self) -> None:
        keyring = str(self._folder / "keyring")
        rights = {
            "mon.": ["mon", "allow *"],
            "client.admin": ["mon", "allow *", "osd", "allow *"],
            "osd.0": ["mon", "allow profile osd", "osd", "allow *"],
            "client.rgw.a": ["mon", "allow rw", "osd", "allow rwx"],
        }
        for number, (name, granted) in enumerate(rights.items()):
            create = [] if number else ["--create-keyring"]
            caps = [
                part
                for what, right in zip(granted[::2], granted[1::2], strict=True)
                for part in ("--cap", what, right)
            ]
            self._run("ceph-authtool", *create, keyring, "--gen-key", "-n", name, *caps)

    def _answers(self) -> bool:
        try:
            with closing(urllib.request.urlopen(f"http://127.0.0.1:{self.port}/")):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False

    def _wait(self, is_so: Any) -> None:
        deadline = time.monotonic() + _READY_S
        while not is_so():
            if time.monotonic() > deadline:
                raise RuntimeError(f"Ceph did not start; its logs are in {self._folder}")
            time.sleep(_POLL_S)

    def _run(self, *command: str) -> str:
        environment = {**os.environ, "CEPH_CONF": str(self._folder / "ceph.conf")}
        done = subprocess.run(
            command, env=environment, check=False, capture_output=True, text=True, timeout=_READY_S
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stderr.strip()[-500:]}")
        return done.stdout


def _free_ports(count: int) -> Sequence[int]:
    """Return ports that nobody listens on at this moment."""
    holders = [socket.socket() for _ in range(count)]
    try:
        for one in holders:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in holders]
    finally:
        for one in holders:
            one.close()
