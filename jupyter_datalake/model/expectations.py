"""Expectations: what a pipeline's output must be before it is committed."""

from __future__ import annotations

from dataclasses import dataclass, field

Bound = int | float | str
"""A number, or text for dates and times."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a column's values lie between, both ends included; None for no end."""

    minimum: Bound | None = None
    maximum: Bound | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of some files of an output; as tables, of all their rows together."""

    files: str = "/**"
    """Glob over the output."""
    columns: dict[str, str] = field(default_factory=dict)
    """Columns that must be there, with their types as Arrow calls them; any type where empty."""
    min_rows: int | None = None
    max_rows: int | None = None
    not_null: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    """Columns that name a row together."""
    ranges: dict[str, Range] = field(default_factory=dict)
    python: str = ""
    """A function of the pipeline's own that looks at the files, as ``checks.py::is_sorted``."""
    is_optional: bool = False
    """Whether there may be no such file."""
    only_warns: bool = False
    """Whether the output is committed all the same."""

    @property
    def is_of_tables(self) -> bool:
        """Whether files have to be read."""
        counts = (self.min_rows, self.max_rows)
        return bool(
            self.columns
            or self.not_null
            or self.unique
            or self.ranges
            or any(one is not None for one in counts)
        )


def check_of(python: str) -> tuple[str, str]:
    """Return file and function of a check.

    >>> check_of("lib/checks.py::is_sorted")
    ('lib/checks.py', 'is_sorted')
    """
    file, _, function = python.partition("::")
    return file, function
