"""The keys that write transactions leave, which stand in for a lost answer to COMMIT."""

from __future__ import annotations

import secrets
from itertools import count

from sqlalchemy import delete, insert, select

from jupyter_datalake.metadata import tables
from jupyter_datalake.metadata.base import TableGroup

_KEPT_NS = 24 * 3600 * 10**9
_CLEAN_EVERY = 1000
_numbers = count(1)


class WriteKeys(TableGroup):
    """Statements about `write_keys`."""

    def leave(self) -> str:
        """Insert a new key, in the order of time, and return it; now and then drop old ones."""
        keys = tables.write_keys
        if next(_numbers) % _CLEAN_EVERY == 0:
            oldest = _key_at(max(self._now_ns - _KEPT_NS, 0))
            self._connection.execute(delete(keys).where(keys.c.key < oldest))
        key = _key_at(self._now_ns) + secrets.token_hex(8)
        self._connection.execute(insert(keys).values(key=key))
        return key

    def has(self, key: str) -> bool:
        """Tell whether the transaction that was to leave this key was made."""
        keys = tables.write_keys
        found = self._connection.execute(select(keys.c.key).where(keys.c.key == key))
        return found.scalar_one_or_none() is not None


def _key_at(ns: int) -> str:
    return f"{ns:016x}"
