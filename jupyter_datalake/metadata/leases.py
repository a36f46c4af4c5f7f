"""Claims that run out: who may do what until when."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update

from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup


class Leases(TableGroup):
    """Statements about `leases`. The write transaction makes each of them a compare-and-swap."""

    def acquire(self, name: str, owner: str, duration_s: float) -> int | None:
        """Take or renew a lease; return its fence, or None while another owner holds it."""
        leases = tables.leases
        until_ns = self._now_ns + int(duration_s * 1e9)
        row = self._connection.execute(select(leases).where(leases.c.name == name)).one_or_none()
        if row is None:
            self._connection.execute(
                insert(leases).values(name=name, owner=owner, until_ns=until_ns, fence=1)
            )
            return 1
        if row.owner != owner and row.until_ns > self._now_ns:
            return None
        fence = row.fence if row.owner == owner else row.fence + 1
        self._connection.execute(
            update(leases)
            .where(leases.c.name == name)
            .values(owner=owner, until_ns=until_ns, fence=fence)
        )
        return int(fence)

    def holder(self, name: str) -> str | None:
        """Return who holds a lease now, or None."""
        leases = tables.leases
        owner = self._connection.execute(
            select(leases.c.owner).where(leases.c.name == name, leases.c.until_ns > self._now_ns)
        ).scalar_one_or_none()
        return None if owner is None else str(owner)

    def release(self, name: str, owner: str) -> None:
        """Give a lease up at once; one held by another is left alone."""
        leases = tables.leases
        # The row stays with its fence, so the next owner's number is still higher.
        self._connection.execute(
            update(leases).where(leases.c.name == name, leases.c.owner == owner).values(until_ns=0)
        )

    def revoke(self, name: str) -> str | None:
        """End a lease whoever holds it, so that its fence is old; return who held it, or None."""
        leases = tables.leases
        owner = self.holder(name)
        if owner is not None:
            self._connection.execute(
                update(leases)
                .where(leases.c.name == name)
                .values(owner="", until_ns=0, fence=leases.c.fence + 1)
            )
        return owner

    def forget(self, name: str) -> None:
        """Remove a lease that will not be taken again."""
        self._connection.execute(delete(tables.leases).where(tables.leases.c.name == name))

    def forget_ended(self, prefix: str) -> list[str]:
        """Remove the leases that ran out and whose names begin so; return their names."""
        leases = tables.leases
        ended = [
            leases.c.name.startswith(prefix, autoescape=True),
            leases.c.until_ns <= self._now_ns,
        ]
        names = self._connection.execute(select(leases.c.name).where(*ended)).scalars().all()
        self._connection.execute(delete(leases).where(*ended))
        return sorted(names)

    def held(self, prefix: str) -> list[str]:
        """Return the names of the leases that somebody holds and that begin so."""
        leases = tables.leases
        found = self._connection.execute(
            select(leases.c.name).where(
                leases.c.name.startswith(prefix, autoescape=True),
                leases.c.until_ns > self._now_ns,
            )
        )
        return sorted(found.scalars())
