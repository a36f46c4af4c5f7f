"""What differs between two texts: hunks of lines, as `diff -u` and `patch` know them.

Lines are compared as patience diff does: those that are in both texts once, in the same order, are
anchors, and what lies between two anchors is compared by itself. Only short stretches without
anchors are searched for the longest match, so the cost stays near the number of lines.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

CONTEXT_LINES = 3
_SEARCHED = 250_000
"""A stretch is searched for the longest match if its old lines times its new ones are fewer."""
_DEPTH = 64
NO_NEWLINE = "\\ No newline at end of file"

Block = tuple[int, int, int, int]
"""Lines `i1` to `i2` became lines `j1` to `j2`."""


class Newline(StrEnum):
    """How lines end."""

    NONE = "none"
    LF = "lf"
    CRLF = "crlf"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that changed, with those around them."""

    old_start: int
    """Number of the first line, from 1; of the line before where `old_count` is 0."""
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[str, ...]
    """Each begins with a space, ``-`` or ``+``; a backslash says that the line before it ends
    without a newline. Carriage returns are kept; bytes that are no text are lone surrogates."""

    def heading(self) -> str:
        """Return the line that says where the hunk is: ``@@ -1,3 +1,4 @@``."""
        old, new = f"{self.old_start},{self.old_count}", f"{self.new_start},{self.new_count}"
        return f"@@ -{old} +{new} @@"


@dataclass(frozen=True, slots=True)
class TextDiff:
    """How two files differ as texts."""

    is_equal: bool
    is_binary: bool
    """Whether one of them is no text; then there are no hunks."""
    old_encoding: str
    """``utf-8``, ``utf-8-sig``, ``utf-16``, ``unknown-8bit``, or ``binary``."""
    new_encoding: str
    old_newline: Newline
    """How the lines end that were compared."""
    new_newline: Newline
    added: int
    """Lines, of the whole difference."""
    removed: int
    hunks: tuple[Hunk, ...]
    """A page of them."""
    has_more: bool

    def unified(self, old_name: str, new_name: str) -> Iterator[str]:
        """Yield the lines of a patch that makes the older file the newer one."""
        if self.hunks:
            yield f"--- {old_name}"
            yield f"+++ {new_name}"
        for hunk in self.hunks:
            yield hunk.heading()
            yield from hunk.lines


def split_lines(data: bytes) -> list[bytes]:
    r"""Return lines with their ends; only ``\n`` ends one.

    >>> split_lines(b"a\r\nb\rc")
    [b'a\r\n', b'b\rc']
    """
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def newline_of(lines: Iterable[bytes]) -> Newline:
    """Return how lines end."""
    kinds = {
        Newline.CRLF if line.endswith(b"\r\n") else Newline.LF
        for line in lines
        if line.endswith(b"\n")
    }
    return Newline.MIXED if len(kinds) > 1 else kinds.pop() if kinds else Newline.NONE


def diff_lines(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Block]:
    """Return the stretches of lines that differ, in order; none of them touch."""
    numbers: dict[Hashable, int] = {}
    a = [numbers.setdefault(line, len(numbers)) for line in old]
    b = [numbers.setdefault(line, len(numbers)) for line in new]
    found: list[Block] = []
    waiting: list[tuple[Block, int]] = [((0, len(a), 0, len(b)), 0)]
    while waiting:
        block, depth = waiting.pop()
        i1, i2, j1, j2 = _trimmed(a, b, block)
        if i1 == i2 or j1 == j2:
            if (i1, j1) != (i2, j2):
                found.append((i1, i2, j1, j2))
            continue
        parts = _between_anchors(a, b, (i1, i2, j1, j2)) if depth < _DEPTH else []
        if parts:
            waiting += [(part, depth + 1) for part in parts]
        else:
            found += _searched(a, b, (i1, i2, j1, j2))
    return _joined(sorted(found))


def hunks_of(
    old: Sequence[bytes],
    new: Sequence[bytes],
    blocks: Sequence[Block],
    *,
    encoding: tuple[str, str] = ("utf-8", "utf-8"),
    skipped: int = 0,
    context: int = CONTEXT_LINES,
) -> Iterator[Hunk]:
    """Yield the hunks of stretches that differ.

    Parameters
    ----------
    skipped
        How many equal lines come before the first of `old` and `new`.
    """
    group: list[Block] = []
    for block in blocks:
        if group and block[0] - group[-1][1] > 2 * context:
            yield _hunk(old, new, group, encoding, skipped, context)
            group = []
        group.append(block)
    if group:
        yield _hunk(old, new, group, encoding, skipped, context)


def _hunk(
    old: Sequence[bytes],
    new: Sequence[bytes],
    group: Sequence[Block],
    encoding: tuple[str, str],
    skipped: int,
    context: int,
) -> Hunk:
    before = min(context, group[0][0])
    after = min(context, len(old) - group[-1][1])
    begin, end = group[0][0] - before, group[-1][1] + after
    new_begin, new_end = group[0][2] - before, group[-1][3] + after
    lines: list[str] = []
    position = begin
    for i1, i2, j1, j2 in group:
        lines += _marked(" ", old[position:i1], encoding[0])
        lines += _marked("-", old[i1:i2], encoding[0])
        lines += _marked("+", new[j1:j2], encoding[1])
        position = i2
    lines += _marked(" ", old[position:end], encoding[0])
    counts = end - begin, new_end - new_begin
    return Hunk(
        skipped + begin + (counts[0] > 0),
        counts[0],
        skipped + new_begin + (counts[1] > 0),
        counts[1],
        tuple(lines),
    )


def _marked(mark: str, lines: Sequence[bytes], encoding: str) -> Iterator[str]:
    for line in lines:
        yield mark + line.removesuffix(b"\n").decode(encoding, "surrogateescape")
        if not line.endswith(b"\n"):
            yield NO_NEWLINE


def _trimmed(a: Sequence[int], b: Sequence[int], block: Block) -> Block:
    """Return a stretch without the equal lines at its ends."""
    i1, i2, j1, j2 = block
    while i1 < i2 and j1 < j2 and a[i1] == b[j1]:
        i1, j1 = i1 + 1, j1 + 1
    while i1 < i2 and j1 < j2 and a[i2 - 1] == b[j2 - 1]:
        i2, j2 = i2 - 1, j2 - 1
    return i1, i2, j1, j2


def _between_anchors(a: Sequence[int], b: Sequence[int], block: Block) -> list[Block]:
    """Return the stretches between lines that are on both sides once, in the same order."""
    i1, i2, j1, j2 = block
    once_a, once_b = _places_of_single(a, i1, i2), _places_of_single(b, j1, j2)
    common = [(i, once_b[line]) for line, i in once_a.items() if line in once_b]
    parts: list[Block] = []
    for i, j in _longest_rise(sorted(common)):
        parts.append((i1, i, j1, j))
        i1, j1 = i + 1, j + 1
    return [*parts, (i1, i2, j1, j2)] if parts else []


def _places_of_single(lines: Sequence[int], start: int, end: int) -> dict[int, int]:
    places: dict[int, int] = {}
    repeated: set[int] = set()
    for place in range(start, end):
        if lines[place] in places:
            repeated.add(lines[place])
        places[lines[place]] = place
    return {line: place for line, place in places.items() if line not in repeated}


def _longest_rise(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest part of pairs, sorted by their first, whose second rises, too."""
    tops: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for index, (_, j) in enumerate(pairs):
        place = bisect_left(tops, j)
        previous.append(ends[place - 1] if place else -1)
        tops[place : place + 1] = [j]
        ends[place : place + 1] = [index]
    rise: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        rise.append(pairs[index])
        index = previous[index]
    return rise[::-1]


def _searched(a: Sequence[int], b: Sequence[int], block: Block) -> Iterator[Block]:
    i1, i2, j1, j2 = block
    if (i2 - i1) * (j2 - j1) > _SEARCHED:
        yield block
        return
    matcher = SequenceMatcher(None, a[i1:i2], b[j1:j2], autojunk=False)
    for tag, p1, p2, q1, q2 in matcher.get_opcodes():
        if tag != "equal":
            yield i1 + p1, i1 + p2, j1 + q1, j1 + q2


def _joined(blocks: Iterable[Block]) -> list[Block]:
    """Return stretches of which none begins where another ends."""
    found: list[Block] = []
    for block in blocks:
        if found and found[-1][1] == block[0] and found[-1][3] == block[2]:
            found[-1] = (found[-1][0], block[1], found[-1][2], block[3])
        else:
            found.append(block)
    return found
