"""The way from the root of a manifest down to a range of keys, read without decoding whole nodes.

Of each node on it the children that hold the range are named, and no others are looked at. Where
two maps have a step in common they hold the same there, since it stands for all of the range.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import NamedTuple

import msgpack

from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.model.ids import DIGEST_SIZE, Digest, digest_of

_NOTHING = digest_of(msgpack.packb([[], [], []]))


class Step(NamedTuple):
    """What a node has of a range of keys."""

    mark: bytes
    """Stands for the children that hold it; of a leaf, for the items themselves."""
    child: Digest | None
    """The one child that the way goes on to, if it goes on."""
    is_exact: bool = False
    """Whether another such mark means that other items are there."""


def step_from(data: bytes | memoryview, start: bytes, end: bytes | None) -> Step:
    """Return the step from a node, of its bytes.

    Raises
    ------
    CorruptDataError
        The bytes are no node.
    """
    try:
        unpacker = msgpack.Unpacker(raw=False, max_buffer_size=len(data))
        unpacker.feed(data)
        unpacker.read_array_header()
        level = unpacker.unpack()
        keys = unpacker.unpack()
        first = bisect_left(keys, start)
        if not level:
            behind = len(keys) if end is None else bisect_left(keys, end)
            sizes, values = unpacker.unpack(), unpacker.unpack()
            parts = [part[first:behind] for part in (keys, sizes, values)]
            return Step(digest_of(msgpack.packb(parts)), None, is_exact=True)
        if first == len(keys):
            return Step(_NOTHING, None, is_exact=True)
        last = len(keys) - 1 if end is None else min(bisect_left(keys, end), len(keys) - 1)
        unpacker.skip()
        unpacker.skip()
        digests = unpacker.unpack()
        if type(digests) is not bytes or len(digests) != len(keys) * DIGEST_SIZE:
            raise ValueError("not as many digests as keys")
        held = digests[first * DIGEST_SIZE : (last + 1) * DIGEST_SIZE]
        if first < last:
            return Step(digest_of(held), None)
        return Step(held, Digest(held))
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise CorruptDataError(
            "A manifest node has an unknown shape", kind=ErrorKind.CORRUPT_OBJECT
        ) from error
