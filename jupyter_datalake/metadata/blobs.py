"""Where digests are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import func, select

from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.packs import BlobKind, BlobRecord, Codec


class BlobPlace(NamedTuple):
    """The pack that holds a blob, and where in it."""

    pack: str
    """Name of the pack, 64 hex digits."""
    record: BlobRecord


class PackRow(NamedTuple):
    """One stored pack."""

    name: str
    size_bytes: int
    blob_count: int


class Blobs(TableGroup):
    """Statements about `packs` and `blobs`."""

    def add_pack(self, name: str, size_bytes: int, records: Sequence[BlobRecord]) -> None:
        """Register a stored pack and those of its blobs that have no place yet."""
        packs = tables.packs
        self._insert_missing(
            packs,
            [
                {
                    "name": name,
                    "size_bytes": size_bytes,
                    "blob_count": len(records),
                    "created_ns": self._now_ns,
                }
            ],
        )
        pack_id = self._connection.execute(
            select(packs.c.id).where(packs.c.name == name)
        ).scalar_one()
        self._insert_missing(
            tables.blobs,
            [
                {
                    "digest": record.digest,
                    "pack_id": pack_id,
                    "kind": int(record.kind),
                    "codec": int(record.codec),
                    "offset": record.offset,
                    "stored_size": record.stored_size,
                    "raw_size": record.raw_size,
                }
                for record in records
            ],
        )

    def locate(self, digests: Iterable[Digest]) -> dict[Digest, BlobPlace]:
        """Return the places of those of `digests` that are stored."""
        blobs, packs = tables.blobs, tables.packs
        places: dict[Digest, BlobPlace] = {}
        for batch in batched(digests):
            rows = self._connection.execute(
                select(blobs, packs.c.name.label("pack"))
                .join(packs, packs.c.id == blobs.c.pack_id)
                .where(blobs.c.digest.in_(batch))
            )
            for row in rows:
                digest = Digest(row.digest)
                places[digest] = BlobPlace(
                    row.pack,
                    BlobRecord(
                        digest,
                        BlobKind(row.kind),
                        Codec(row.codec),
                        row.offset,
                        row.stored_size,
                        row.raw_size,
                    ),
                )
        return places

    def known(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return those of `digests` that are stored."""
        blobs = tables.blobs
        found: set[Digest] = set()
        for batch in batched(digests):
            found.update(
                self._connection.execute(
                    select(blobs.c.digest).where(blobs.c.digest.in_(batch))
                ).scalars()
            )
        return found

    def packs(self, *, after: str = "", limit: int) -> list[PackRow]:
        """Return packs by name, at most `limit`, behind the name `after`."""
        packs = tables.packs
        return [
            PackRow(row.name, row.size_bytes, row.blob_count)
            for row in self._connection.execute(
                select(packs).where(packs.c.name > after).order_by(packs.c.name).limit(limit)
            )
        ]

    def totals(self) -> tuple[int, int, int]:
        """Return the number of packs, of blobs, and the bytes of all packs."""
        packs, size_bytes = self._connection.execute(
            select(func.count(), func.coalesce(func.sum(tables.packs.c.size_bytes), 0)).select_from(
                tables.packs
            )
        ).one()
        blobs = self._connection.execute(
            select(func.count()).select_from(tables.blobs)
        ).scalar_one()
        return int(packs), int(blobs), int(size_bytes)
