"""Where digests are stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, insert, null, select, update

from jupyter_datalake.errors import ConflictError, ErrorKind
from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.packs import BlobKind, BlobRecord, Codec

_INSERTED_TOGETHER = 5000
"""Rows of one statement: each takes a kilobyte of memory on its way."""


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
    is_retired: bool
    """Whether it holds nothing that is needed and is about to be deleted."""


class Room(NamedTuple):
    """What is stored, and what may be."""

    stored_bytes: int
    """All packs, also those that gc is about to delete."""
    quota_bytes: int | None
    """None: there is no quota."""


_STORED = "stored"
_QUOTA = "quota"
_KINDS = {kind.value: kind for kind in BlobKind}
_CODECS = {codec.value: codec for codec in Codec}
_LOCATE = """
    SELECT blobs.digest, packs.name, blobs.kind, blobs.codec, blobs."offset", blobs.stored_size,
        blobs.raw_size
    FROM blobs JOIN packs ON packs.id = blobs.pack_id WHERE blobs.digest IN"""
_SIZES = "SELECT digest, raw_size FROM blobs WHERE condemned IS NULL AND digest IN"
_PLACE_COLUMNS = ("pack_id", "kind", "codec", "offset", "stored_size", "raw_size")


def content_collected(what: str) -> ConflictError:
    """Return the error of a writer that counted on something that gc removed meanwhile."""
    return ConflictError(
        f"{what[:1].upper()}{what[1:]} was removed by gc while it was about to be used again",
        kind=ErrorKind.CONTENT_COLLECTED,
        hint="Try again; what is staged is still there",
        retryable=True,
    )


def _place_values(record: BlobRecord) -> dict[str, int]:
    return {
        "kind": int(record.kind),
        "codec": int(record.codec),
        "offset": record.offset,
        "stored_size": record.stored_size,
        "raw_size": record.raw_size,
    }


class Blobs(TableGroup):
    """Statements about `packs` and `blobs`."""

    def add_pack(self, name: str, size_bytes: int, records: Sequence[BlobRecord]) -> bool:
        """Register a stored pack, and it as the place of those of its blobs that need one.

        Those are the ones that have no place, or only one that gc is about to remove.

        Returns
        -------
        bool
            Whether the pack was not registered before.

        Raises
        ------
        ConflictError
            gc is about to delete the pack (``content-collected``).
        """
        packs, blobs = tables.packs, tables.blobs
        is_new = self.add_pack_row(name, size_bytes, len(records))
        pack_id, retired_ns = self._connection.execute(
            select(packs.c.id, packs.c.retired_ns).where(packs.c.name == name)
        ).one()
        if retired_ns is not None:
            raise content_collected(f"pack {name}")
        missing = self._insert(blobs)
        statement = missing.on_conflict_do_update(
            index_elements=[blobs.c.digest],
            set_={
                **{column: missing.excluded[column] for column in _PLACE_COLUMNS},
                "condemned": null(),
            },
            where=blobs.c.condemned.is_not(None),
        )
        # In the order of the index, in which neighbours fall into one page.
        rows = sorted(
            (one.digest, pack_id, one.kind.value, one.codec.value, *one[3:]) for one in records
        )
        for batch in batched(rows, _INSERTED_TOGETHER):
            self._execute_rows(statement, ("digest", *_PLACE_COLUMNS), batch)
        return is_new

    def add_pack_row(
        self, name: str, size_bytes: int, blob_count: int, *, is_retired: bool = False
    ) -> bool:
        """Register a stored pack that is not the place of any blob yet; tell whether it is new."""
        packs = tables.packs
        added = self._connection.execute(
            self._insert(packs)
            .values(
                name=name,
                size_bytes=size_bytes,
                blob_count=blob_count,
                created_ns=self._now_ns,
                retired_ns=self._now_ns if is_retired else None,
            )
            .on_conflict_do_nothing()
            .returning(packs.c.id)
        ).scalar_one_or_none()
        if added is not None:
            self._count_stored(size_bytes)
        return added is not None

    def forget_pack(self, pack_id: int) -> None:
        """Remove a retired pack whose object is deleted."""
        packs = tables.packs
        size_bytes = self._connection.execute(
            delete(packs)
            .where(packs.c.id == pack_id, packs.c.retired_ns.is_not(None))
            .returning(packs.c.size_bytes)
        ).scalar_one_or_none()
        if size_bytes is not None:
            self._count_stored(-size_bytes)

    def room(self) -> Room:
        """Return what is stored and what may be, by one look at two rows."""
        epochs = tables.epochs
        rows = self._connection.execute(
            select(epochs.c.name, epochs.c.number).where(epochs.c.name.in_([_STORED, _QUOTA]))
        )
        numbers = {row.name: int(row.number) for row in rows}
        return Room(numbers.get(_STORED, 0), numbers.get(_QUOTA))

    def blob_bytes(self) -> int:
        """Return the stored bytes of all blobs, without the frames of packs; looks at all rows."""
        size = tables.blobs.c.stored_size
        return int(self._connection.execute(select(func.coalesce(func.sum(size), 0))).scalar_one())

    def set_quota(self, quota_bytes: int | None) -> None:
        """Say what may be stored; None for whatever there is space for."""
        epochs = tables.epochs
        self._connection.execute(delete(epochs).where(epochs.c.name == _QUOTA))
        if quota_bytes is not None:
            self._connection.execute(insert(epochs).values(name=_QUOTA, number=quota_bytes))

    def recount_stored(self) -> None:
        """Add up what is stored anew, from all packs."""
        epochs, packs = tables.epochs, tables.packs
        self._connection.execute(
            update(epochs)
            .where(epochs.c.name == _STORED)
            .values(number=select(func.coalesce(func.sum(packs.c.size_bytes), 0)).scalar_subquery())
        )

    def _count_stored(self, more_bytes: int) -> None:
        epochs = tables.epochs
        self._connection.execute(
            update(epochs)
            .where(epochs.c.name == _STORED)
            .values(number=epochs.c.number + more_bytes)
        )

    def move(self, old_pack_id: int, name: str, records: Sequence[BlobRecord]) -> int:
        """Give blobs of one pack their place in another registered one; tell how many moved.

        Those that were removed or moved meanwhile are left alone.
        """
        packs, blobs = tables.packs, tables.blobs
        pack_id = self._connection.execute(
            select(packs.c.id).where(packs.c.name == name)
        ).scalar_one()
        return sum(
            self._connection.execute(
                update(blobs)
                .where(blobs.c.digest == record.digest, blobs.c.pack_id == old_pack_id)
                .values(pack_id=pack_id, **_place_values(record))
            ).rowcount
            for record in records
        )

    def is_retired(self, name: str) -> bool:
        """Tell whether gc is about to delete the pack of this name."""
        packs = tables.packs
        found = self._connection.execute(
            select(packs.c.retired_ns).where(packs.c.name == name)
        ).scalar_one_or_none()
        return found is not None

    def locate(self, digests: Iterable[Digest]) -> dict[Digest, BlobPlace]:
        """Return the places of those of `digests` that are stored."""
        places: dict[Digest, BlobPlace] = {}
        packs: dict[str, str] = {}  # each name once, not once for each of its blobs
        for digest, pack, kind, codec, *where in self._rows_where_in(_LOCATE, digests):
            record = BlobRecord(digest, _KINDS[kind], _CODECS[codec], *where)
            places[digest] = BlobPlace(packs.setdefault(pack, pack), record)
        return places

    def known(self, digests: Iterable[Digest]) -> set[Digest]:
        """Return those of `digests` that are stored and that a writer may count on."""
        return set(self.sizes(digests))

    def sizes(self, digests: Iterable[Digest]) -> dict[Digest, int]:
        """Return how many bytes those of `digests` have that are `known`, as the index says."""
        return {Digest(digest): size for digest, size in self._rows_where_in(_SIZES, digests)}

    def packs(self, *, after: str = "", limit: int) -> list[PackRow]:
        """Return packs by name, at most `limit`, behind the name `after`."""
        packs = tables.packs
        return [
            PackRow(row.name, row.size_bytes, row.blob_count, row.retired_ns is not None)
            for row in self._connection.execute(
                select(packs).where(packs.c.name > after).order_by(packs.c.name).limit(limit)
            )
        ]

    def in_pack(self, name: str) -> list[BlobPlace]:
        """Return the blobs that lie in a pack, in the order of their offsets."""
        blobs, packs = tables.blobs, tables.packs
        rows = self._connection.execute(
            select(blobs)
            .join(packs, packs.c.id == blobs.c.pack_id)
            .where(packs.c.name == name)
            .order_by(blobs.c.offset)
        )
        return [
            BlobPlace(
                name,
                BlobRecord(
                    Digest(row.digest),
                    BlobKind(row.kind),
                    Codec(row.codec),
                    row.offset,
                    row.stored_size,
                    row.raw_size,
                ),
            )
            for row in rows
        ]

    def is_used(self, name: str) -> bool:
        """Tell whether any blob lies in a pack."""
        blobs, packs = tables.blobs, tables.packs
        found = self._connection.execute(
            select(blobs.c.pack_id)
            .join(packs, packs.c.id == blobs.c.pack_id)
            .where(packs.c.name == name)
            .limit(1)
        )
        return found.first() is not None

    def repoint(self, name: str, records: Iterable[BlobRecord]) -> None:
        """Make a registered pack the place of blobs, whatever was their place before."""
        blobs, packs = tables.blobs, tables.packs
        pack_id = self._connection.execute(
            select(packs.c.id).where(packs.c.name == name)
        ).scalar_one()
        for record in records:
            self._connection.execute(
                update(blobs)
                .where(blobs.c.digest == record.digest)
                .values(pack_id=pack_id, condemned=None, **_place_values(record))
            )

    def retire(self, name: str) -> None:
        """Say of a pack in which no blob lies that its object is deleted; it never comes back."""
        packs = tables.packs
        self._connection.execute(
            update(packs)
            .where(packs.c.name == name, packs.c.retired_ns.is_(None))
            .values(retired_ns=self._now_ns)
        )

    def forget(self, digests: Iterable[Digest]) -> None:
        """Take blobs for not stored, because they cannot be read: who has them stores them anew."""
        blobs = tables.blobs
        for batch in batched(digests):
            self._connection.execute(delete(blobs).where(blobs.c.digest.in_(batch)))

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
