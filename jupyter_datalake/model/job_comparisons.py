"""Two runs beside each other: what was given to them, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jupyter_datalake.model.changes import Change
from jupyter_datalake.model.html import table_html
from jupyter_datalake.model.jobs import Job


class Aspect(StrEnum):
    """What is compared of two runs."""

    CODE = "code"
    PARAMETERS = "parameters"
    INPUTS = "inputs"
    METRICS = "metrics"
    """Numbers in files that are named for them, see `model.metrics`."""
    OUTPUT = "output"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """One value of each run."""

    aspect: Aspect
    name: str
    old: Any
    """None where that run has no such value."""
    new: Any

    @property
    def is_equal(self) -> bool:
        """Whether both runs have the same."""
        return bool(self.old == self.new)


@dataclass(frozen=True, slots=True)
class JobComparison:
    """Two runs beside each other."""

    old: Job
    new: Job
    values: tuple[ComparedValue, ...]
    code_changes: tuple[Change, ...]
    """Files of the code, the first of them; empty also where it is not of one pipeline."""
    output_changes: tuple[Change, ...]
    """Files of the output, likewise."""
    has_more: bool
    """Whether there are more changes than these."""

    def _repr_html_(self) -> str:
        return table_html(
            f"{self.old.pipeline} #{self.old.number} and {self.new.pipeline} #{self.new.number}",
            ("", "", f"#{self.old.number}", f"#{self.new.number}", ""),
            (
                (one.aspect, one.name, one.old, one.new, "" if one.is_equal else "differs")
                for one in self.values
            ),
        )


def compared(
    aspect: Aspect, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterable[ComparedValue]:
    """Yield what either run has, by name in the order of the old one."""
    for name in dict.fromkeys([*old, *new]):
        yield ComparedValue(aspect, name, old.get(name), new.get(name))
