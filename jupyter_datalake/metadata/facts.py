"""Metadata of commits as digests, by which commits are looked up.

A value has any length and an index has not, so what is looked up is the digest of a key, or of a
key with its value. What it means is fixed for ever: databases hold these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.ids import Digest, digest_of


def fact_of(key: str, value: str | None = None) -> Digest:
    """Return the digest of a key, or of a key with its value."""
    return digest_of(pack_canonical([key] if value is None else [key, value]))


def facts_of(metadata: Mapping[str, str]) -> Iterator[Digest]:
    """Yield what a commit with this metadata is found by."""
    for key, value in metadata.items():
        yield fact_of(key)
        yield fact_of(key, value)
