"""How fast bytes come to S3 and back, beside plain boto3 with the same bytes in the same run.

``python tests/benchmarks/s3.py`` prints the figures; `run` returns them. The server is Ceph's
gateway where it is installed, else moto; it runs on this machine and shares its processors with us.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path

import boto3
from boto3.s3.transfer import TransferConfig

from jupyter_datalake.config import LakeConfig, parse_s3_url
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.storage.s3 import S3ObjectStore
from jupyter_datalake.testing.s3_servers import (
    REGION,
    S3Server,
    ceph_server,
    missing_ceph,
    moto_server,
)

MEBIBYTE = 1 << 20
BUCKET = "benchmark"
PACK_BYTES = 64 * MEBIBYTE
PIECE_BYTES = 300_000
"""About a chunk: what the lake hands to an upload, and asks for when it reads."""
TARGET = 0.8

Act = Callable[[int], None]


def run(*, size_bytes: int = 4 * PACK_BYTES, rounds: int = 5) -> dict[str, object]:
    """Return medians of `rounds` rounds, and their ratios to those of plain boto3.

    Three ways of the same random bytes: plain ``upload_file`` and ``download_file``; packs
    through our store, as large and as many as the lake would make; a file through a lake, cut,
    hashed, committed, and read with empty caches. boto3's client is made before, and the lake
    opened, once for each act.
    Rounds alternate, so that what else the machine does meets all, and in each another one comes
    first: a server's memory is cheaper to the first who fills it. The server's processor time is
    not in `cpu_s_per_gib`, but its processors are ours.
    """
    with tempfile.TemporaryDirectory(prefix="s3-") as folder, _server(Path(folder)) as server:
        bench = _Bench(server, Path(folder), size_bytes)
        acts: dict[str, Act] = {
            "boto3 upload": bench.boto3_upload,
            "store upload": bench.store_upload,
            "lake put": bench.lake_put,
            "boto3 download": bench.boto3_download,
            "store download": bench.store_download,
            "lake read": bench.lake_read,
        }
        taken: dict[str, list[float]] = {name: [] for name in acts}
        spent: dict[str, list[float]] = {name: [] for name in acts}
        with ExitStack() as stack:
            stack.enter_context(bench)
            for number in range(rounds + 1):
                bench.prepare(number)
                for name, act in _in_turn(acts, number):
                    began, used = time.perf_counter(), time.process_time()
                    act(number)
                    if number:  # the first round warms up
                        taken[name].append(time.perf_counter() - began)
                        spent[name].append(time.process_time() - used)
                bench.tidy(number)
    speeds = {
        name: round(size_bytes / MEBIBYTE / statistics.median(seconds), 1)
        for name, seconds in taken.items()
    }
    ratios = {
        f"{ours} / boto3 {plain}": round(speeds[ours] / speeds[f"boto3 {plain}"], 2)
        for ours, plain in (
            ("store upload", "upload"),
            ("store download", "download"),
            ("lake put", "upload"),
            ("lake read", "download"),
        )
    }
    return {
        "benchmark": "s3",
        "server": "moto" if missing_ceph() else "ceph radosgw",
        "boto3": version("boto3"),
        "size_bytes": size_bytes,
        "rounds": rounds,
        "mib_per_s": speeds,
        "cpu_s_per_gib": {
            name: round(statistics.median(seconds) * 1024 * MEBIBYTE / size_bytes, 2)
            for name, seconds in spent.items()
        },
        "ratios": ratios,
        "target": TARGET,
    }


def _in_turn(acts: dict[str, Act], number: int) -> list[tuple[str, Act]]:
    """Return first all that write and then all that read, each time beginning with another one."""
    named = list(acts.items())
    half = len(named) // 2
    first = number % half
    return [
        one for group in (named[:half], named[half:]) for one in (*group[first:], *group[:first])
    ]


@contextmanager
def _server(folder: Path) -> Iterator[S3Server]:
    before = dict(os.environ)
    with moto_server() if missing_ceph() else ceph_server(_made(folder / "c")) as server:
        os.environ.update(server.environment())
        os.environ["DATALAKE_STATE_FOLDER"] = str(folder / "state")
        server.client.create_bucket(Bucket=BUCKET)
        try:
            yield server
        finally:
            os.environ.clear()
            os.environ.update(before)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


class _Bench:
    """The acts that are measured; each round has names of its own."""

    def __init__(self, server: S3Server, folder: Path, size_bytes: int) -> None:
        self._server = server
        self._folder = folder
        self._size = size_bytes
        # Plain boto3: its own checksums, sizes of parts and number of threads.
        self._client = boto3.client("s3", endpoint_url=server.endpoint_url, region_name=REGION)
        self._config = TransferConfig(preferred_transfer_client="classic")
        self._file = folder / "in"
        self._store = S3ObjectStore(
            parse_s3_url(server.url(BUCKET, "store")), spool_folder=folder / "spool"
        )

        self._open: dict[str, Lake] = {}

    def __enter__(self) -> _Bench:
        with self._file.open("wb") as file:
            for _ in range(self._size // MEBIBYTE):
                file.write(os.urandom(MEBIBYTE))
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def boto3_upload(self, number: int) -> None:
        self._client.upload_file(str(self._file), BUCKET, f"plain/{number}", Config=self._config)

    def boto3_download(self, number: int) -> None:
        target = self._folder / "out"
        self._client.download_file(BUCKET, f"plain/{number}", str(target), Config=self._config)
        assert target.stat().st_size == self._size
        target.unlink()

    def store_upload(self, number: int) -> None:
        with self._file.open("rb") as file:
            for pack in range(self._size // PACK_BYTES):
                with self._store.upload() as upload:
                    left = PACK_BYTES
                    while left:
                        piece = file.read(min(PIECE_BYTES, left))
                        upload.write(piece)
                        left -= len(piece)
                    upload.finish(f"packs/{number}-{pack}")

    def store_download(self, number: int) -> None:
        with (self._folder / "out").open("wb") as file:
            for pack in range(self._size // PACK_BYTES):
                file.write(self._store.read(f"packs/{number}-{pack}", 0, PACK_BYTES))
        assert (self._folder / "out").stat().st_size == self._size
        (self._folder / "out").unlink()

    def prepare(self, number: int) -> None:
        """Make the lake of a round, and open it twice: who reads has not just written."""
        with Lake.create(self._lake(number)) as lake:
            lake.repos.create("raw")
        self._open = {act: Lake.open(self._lake(number)) for act in ("put", "read")}

    def lake_put(self, number: int) -> None:
        self._open["put"].files.put("raw@main/x", self._file)

    def lake_read(self, number: int) -> None:
        self._open["read"].files.export("raw@main/x", self._folder / "out")
        assert (self._folder / "out").stat().st_size == self._size
        (self._folder / "out").unlink()

    def _lake(self, number: int) -> LakeConfig:
        return LakeConfig(self._server.url(BUCKET, f"lake-{number}"))

    def tidy(self, number: int) -> None:
        """Remove what a round has left: the server has it in memory, and not too much of that."""
        for lake in self._open.values():
            lake.close()
        for prefix in (f"plain/{number}", f"store/packs/{number}-", f"lake-{number}/"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=BUCKET, Prefix=prefix
            )
            for page in pages:
                for one in page.get("Contents", ()):
                    self._client.delete_object(Bucket=BUCKET, Key=one["Key"])
        self._server.collect()
        shutil.rmtree(self._folder / "state", ignore_errors=True)


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
