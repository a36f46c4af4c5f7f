"""Pins: content that is in use although no commit names it yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import delete, insert, select

from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup, batched
from jupyter_datalake.model.ids import DIGEST_SIZE, Digest
from jupyter_datalake.model.packs import BlobKind

_RECORD = 1 + DIGEST_SIZE
_PER_ROW = 2000


def session_owner(session_id: str) -> str:
    """Return who holds what is staged in a session."""
    return f"session:{session_id}"


def draft_owner(session_id: str) -> str:
    """Return who holds the draft of what is staged in a session."""
    return f"draft:{session_id}"


def job_owner(job_id: str) -> str:
    """Return who holds what the datums of a job have stored."""
    return f"job:{job_id}"


class Pins(TableGroup):
    """Statements about `pins`."""

    def add(self, owner: str, roots: Iterable[tuple[BlobKind, Digest]]) -> None:
        """Keep blobs, with everything below them, until the owner lets go; many cost one row."""
        for batch in batched(roots, _PER_ROW):
            packed = b"".join(bytes([kind]) + digest for kind, digest in batch)
            self._connection.execute(
                insert(tables.pins).values(owner=owner, roots=packed, created_ns=self._now_ns)
            )

    def release(self, owner: str) -> None:
        """Let go of everything that an owner holds."""
        self._connection.execute(delete(tables.pins).where(tables.pins.c.owner == owner))

    def owners(self) -> list[str]:
        """Return who holds something."""
        found = self._connection.execute(select(tables.pins.c.owner).distinct()).scalars()
        return sorted(found)

    def iter_roots(self) -> Iterator[tuple[BlobKind, Digest]]:
        """Yield everything that is held, in no particular order, some of it several times."""
        rows = self._connection.execute(
            select(tables.pins.c.roots), execution_options={"yield_per": 100}
        )
        for packed in rows.scalars():
            for begin in range(0, len(packed), _RECORD):
                digest = Digest(bytes(packed[begin + 1 : begin + _RECORD]))
                yield BlobKind(packed[begin]), digest
