"""How much a verification reads, and what was found wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from jupyter_datalake.errors import InvalidInputError

_PERCENT = re.compile(r"(\d{1,3}(?:\.\d{1,4})?)%")
_PART = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Subset:
    """Some of the packs, by their names: those of one of several equal parts."""

    part: int
    """Counted from 1."""
    of: Fraction
    """How many parts there are; the last one may be a part of a part."""

    def holds(self, pack: str) -> bool:
        """Tell whether a pack, by its name of hex digits, is in this part."""
        return int(int(pack[:12], 16) * self.of / 16**12) == self.part - 1


def parse_subset(text: str, chance: float) -> Subset:
    """Return the subset that ``5%`` or ``2/20`` means.

    Parameters
    ----------
    chance
        A number from 0 up to 1 that chooses which percent it is.

    >>> parse_subset("2/20", 0).holds("0" * 64)
    False

    Raises
    ------
    InvalidInputError
        It is neither, or none or more than all.
    """
    if percent := _PERCENT.fullmatch(text):
        share = Fraction(percent[1]) / 100
        if 0 < share <= 1:
            return Subset(int(chance / float(share)) + 1, 1 / share)
    if part := _PART.fullmatch(text):
        number, of = int(part[1]), int(part[2])
        if 1 <= number <= of:
            return Subset(number, Fraction(of))
    raise InvalidInputError(
        f"{text!r} is no subset", hint="Write a share, as 5%, or one part of several, as 2/20"
    )


class Problem(StrEnum):
    """What is wrong."""

    MISSING = "missing"
    DAMAGED = "damaged"
    INCONSISTENT = "inconsistent"
    """The database says something that the stored objects contradict."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and what it affects."""

    problem: Problem
    thing: str
    """``blob <digest>``, ``pack <name>``, ``commit <id>`` or ``ref <address>``."""
    message: str
    affects: tuple[str, ...]
    """Addresses of files and commits that cannot be read whole, at most 100; content that many
    commits share is named at the first of them."""


@dataclass(slots=True)
class VerifyReport:
    """What a verification looked at and found."""

    commits: int = 0
    files: int = 0
    packs: int = 0
    """Packs whose contents were read; those of one repo are not counted."""
    blobs: int = 0
    bytes_read: int = 0
    unknown_packs: int = 0
    """Packs in the store that the database does not know: what a crash left, or what came after
    the backup that the database was restored from."""
    unknown_names: list[str] = field(default_factory=list)
    """Their objects, at most 100."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass(slots=True)
class HealReport:
    """What healing found, mended and could not mend."""

    damaged_blobs: int = 0
    healed_here: int = 0
    """Blobs of which this lake had another, sound copy."""
    healed_from_remote: int = 0
    moved: int = 0
    """Sound blobs that were taken out of packs that are damaged elsewhere."""
    commits_restored: int = 0
    """Rows of commits that were changed, and are again what the commits' ids say."""
    bytes_copied: int = 0
    lost: list[str] = field(default_factory=list)
    """Digests of blobs of which nobody had a sound copy; whoever stores such a file again, in any
    commit, restores them everywhere."""
    findings: list[Finding] = field(default_factory=list)
    """What is still wrong afterwards."""

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong any more."""
        return not self.findings
