"""What every noun of the `Lake` works with: the open lake and who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.engine.history import History
from jupyter_datalake.lake.recording import Recorder
from jupyter_datalake.model.commits import Author


@dataclass(frozen=True, slots=True)
class LakeContext:
    """The open lake and the person in whose name it is used."""

    core: LakeCore
    author: Author
    recorder: Recorder
    """Counts what a kernel reads and writes."""

    @property
    def history(self) -> History:
        """Questions about the past."""
        return History(self.core)


MAX_LIMIT = 1_000_000
"""What "all" means in a list of names: more than anybody has, less than memory."""


def limit_of(limit: int | None) -> int:
    """Return how many rows to ask for; None means all."""
    return MAX_LIMIT if limit is None else limit
