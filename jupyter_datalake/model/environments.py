"""Environments that code is run in, as values that cross processes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """A Python environment, by the packages that it is made of."""

    name: str
    """A digest of all the rest, in hex: what has the same name is the same."""
    python: str
    """Such as ``3.12``."""
    requirements: str
    """A requirements file that names every package with its version."""
    is_hashed: bool = True
    """Whether it names their hashes, too, so that nothing else can be installed."""
