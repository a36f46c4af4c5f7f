"""Lakes in S3 for the crash harness, with SQLite on this machine or with Postgres.

The servers are real ones, started for the block: Ceph's gateway where it is installed, else moto.
Of a lake the bucket holds the objects, below a prefix that is named like its folder. Whoever forks
uses the servers in the children only, since connections cannot be shared.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from jupyter_datalake.config import LakeConfig
from jupyter_datalake.lake.opening import DATABASE, DESCRIPTION
from jupyter_datalake.model.ids import digest_of
from jupyter_datalake.storage import s3
from jupyter_datalake.storage.base import ObjectStore, SweepsUploads
from jupyter_datalake.testing.faults import CrashPoint
from jupyter_datalake.testing.postgres_server import PostgresServer
from jupyter_datalake.testing.s3_servers import (
    S3Server,
    ceph_server,
    missing_ceph,
    moto_server,
)

BUCKET = "crash"
_SINGLE_PUT_BYTES = 256 << 10
"""What is larger goes as an upload in parts, so that both ways of writing are killed."""
_KEPT = (DESCRIPTION, "packs/")


@contextmanager
def s3_ground(
    server: S3Server | None = None,
    postgres: PostgresServer | None = None,
    *,
    with_postgres: bool = False,
) -> Iterator[S3Ground]:
    """Prepare servers for lakes, and this process for making them there.

    Parameters
    ----------
    server
        One that runs; else one is started.
    postgres
        Likewise; none is started unless `with_postgres`.
    """
    with ExitStack() as stack:
        if server is None:
            server = stack.enter_context(_new_server())
        if postgres is None and with_postgres:
            postgres = stack.enter_context(PostgresServer())
        stack.enter_context(mock.patch.dict(os.environ, server.environment()))
        stack.enter_context(mock.patch.object(s3, "SINGLE_PUT_BYTES", _SINGLE_PUT_BYTES))
        # No copy of these stores lags behind, so what is not there need not be waited for.
        stack.enter_context(mock.patch.object(s3, "_MISSING_PAUSES_S", ()))
        # With a client of its own: what others have sent with theirs is no business of children.
        ground = S3Ground(replace(server), postgres)
        ground.client.create_bucket(Bucket=BUCKET)
        ground.client.close()
        try:
            yield ground
        finally:
            ground.clear()
            ground.client.delete_bucket(Bucket=BUCKET)


@contextmanager
def _new_server() -> Iterator[S3Server]:
    if missing_ceph():
        with moto_server() as server:
            yield server
        return
    with (
        tempfile.TemporaryDirectory(prefix="ceph-", dir="/tmp") as folder,  # sockets: short paths
        ceph_server(Path(folder)) as server,
    ):
        yield server


@dataclass(frozen=True)
class S3Ground:
    """Lakes in S3, with SQLite on this machine or with Postgres."""

    server: S3Server
    postgres: PostgresServer | None = None
    can_fail: ClassVar[bool] = False

    @property
    def has_sqlite(self) -> bool:
        """Whether metadata are in SQLite."""
        return self.postgres is None

    @property
    def client(self) -> Any:
        """A plain client, which goes past the code under test."""
        return self.server.client

    def prepare(self) -> None:
        """Load boto3's description of S3; no request is made."""
        _ = self.client

    def config(self, folder: Path) -> LakeConfig:
        """Return how the lake of a folder is opened; it keeps no copies of what was read."""
        url = self.server.url(BUCKET, _prefix(folder)[:-1], state_folder=str(folder))
        return LakeConfig(url, database_url=self._database_url(folder), read_cache_bytes=0)

    def watch(self, point: CrashPoint, folder: Path) -> None:
        """Count requests that change the bucket, what changes a database, and journals."""
        point.watch_requests()
        point.watch_databases()
        point.watch_journals()

    def holds(self, folder: Path) -> bool:
        """Tell whether there is a lake."""
        return self._read(f"{_prefix(folder)}{DESCRIPTION}") is not None

    def database(self, folder: Path) -> Path | None:
        """Return the SQLite database of a lake; None where it has none here."""
        raw = self._read(f"{_prefix(folder)}{DESCRIPTION}")
        if raw is None or self.postgres is not None:
            return None
        found = folder / json.loads(raw)["lake_id"] / DATABASE
        return found if found.exists() else None

    def copy_site(self, source: Path, target: Path, lakes: tuple[str, ...]) -> None:
        """Copy the folder, and what its lakes have in the bucket and in Postgres."""
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target)
        for name in lakes:
            self._copy_prefix(source / name, target / name)
            if self.postgres is not None:
                self._copy_database(source / name, target / name)

    def copy_objects(self, source: Path, target: Path) -> None:
        """Copy what a lake has in the bucket, and nothing else."""
        self.make_room(target)
        self._copy_prefix(source, target)

    def remove(self, folder: Path) -> None:
        """Remove everything of a lake, wherever it is."""
        shutil.rmtree(folder, ignore_errors=True)
        self._remove_keys(self._keys(_prefix(folder)), _prefix(folder))
        if self.postgres is not None:
            self._execute(f"DROP DATABASE IF EXISTS {_database_name(folder)} WITH (FORCE)")

    def make_room(self, folder: Path) -> None:
        """Remove what is there; in Postgres a new lake needs a database that is empty."""
        self.remove(folder)
        if self.postgres is not None:
            self._execute(f"CREATE DATABASE {_database_name(folder)}")

    def clear(self) -> None:
        """Empty the bucket, and drop all databases of lakes."""
        self._remove_keys(self._keys(""), "")
        self.server.collect()
        if self.postgres is None:
            return
        with self.postgres.connect() as connection:
            found = connection.execute(
                "SELECT datname FROM pg_database WHERE datname LIKE 'crash\\_%'"
            ).fetchall()
        for (name,) in found:
            self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def leftovers(self, folder: Path, objects: ObjectStore) -> list[str]:
        """Return unfinished uploads and keys that no verb ever removes.

        gc leaves uploads alone that are younger than an hour, so they are swept here without
        asking for their age.
        """
        assert isinstance(objects, SweepsUploads)
        objects.sweep_uploads(older_than_s=-3600)
        prefix = _prefix(folder)
        answer = self.client.list_multipart_uploads(Bucket=BUCKET, Prefix=prefix)
        uploads = [one["Key"] for one in answer.get("Uploads", ()) if one["Key"].startswith(prefix)]
        return [f"upload {key}" for key in uploads] + [
            f"object {name}" for name in self._keys(prefix) if not name.startswith(_KEPT)
        ]

    # --- inside ----------------------------------------------------------------------------------

    def _database_url(self, folder: Path) -> str | None:
        if self.postgres is None:
            return None
        return self.postgres.url("lake").replace("/postgres?", f"/{_database_name(folder)}?")

    def _copy_database(self, source: Path, target: Path) -> None:
        self._execute(f"DROP DATABASE IF EXISTS {_database_name(target)} WITH (FORCE)")
        if self._has_database(source):
            name = _database_name(target)
            self._execute(f"CREATE DATABASE {name} TEMPLATE {_database_name(source)}")

    def _has_database(self, folder: Path) -> bool:
        assert self.postgres is not None
        with self.postgres.connect() as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [_database_name(folder)]
            ).fetchone()
        return found is not None

    def _execute(self, statement: str) -> None:
        assert self.postgres is not None
        with self.postgres.connect() as connection:
            connection.execute(statement.encode())

    def _copy_prefix(self, source: Path, target: Path) -> None:
        """Make one prefix the copy of another one. Packs never change, so they are copied once."""
        theirs, ours = self._keys(_prefix(source)), self._keys(_prefix(target))
        client = self.client
        for name, size in theirs.items():
            if name == DESCRIPTION:
                body = self._description(source, target)
                client.put_object(Bucket=BUCKET, Key=_prefix(target) + name, Body=body)
            elif ours.get(name) != size:
                copied = {"Bucket": BUCKET, "Key": _prefix(source) + name}
                client.copy_object(Bucket=BUCKET, Key=_prefix(target) + name, CopySource=copied)
        self._remove_keys(ours.keys() - theirs.keys(), _prefix(target))

    def _description(self, source: Path, target: Path) -> bytes:
        """Return what a copied lake says of itself: all the same, but for its own database."""
        raw = self._read(f"{_prefix(source)}{DESCRIPTION}")
        assert raw is not None
        description = json.loads(raw)
        if "database" in description:
            description["database"] = self._database_url(target)
        return json.dumps(description, indent=2).encode()

    def _read(self, key: str) -> bytes | None:
        client = self.client
        try:
            found: bytes = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None
        return found

    def _keys(self, prefix: str) -> dict[str, int]:
        """Return the names below a prefix, and their sizes."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {
            one["Key"][len(prefix) :]: one["Size"]
            for page in pages
            for one in page.get("Contents", ())
        }

    def _remove_keys(self, names: Iterable[str], prefix: str) -> None:
        for name in names:
            self.client.delete_object(Bucket=BUCKET, Key=prefix + name)


def _prefix(folder: Path) -> str:
    return f"{str(folder).strip('/')}/"


def _database_name(folder: Path) -> str:
    return f"crash_{digest_of(str(folder).encode()).hex()[:16]}"
