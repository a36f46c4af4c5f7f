"""What ``lake://`` addresses mean to a job's code: branches, and the datum's folders of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownBranch:
    """A branch that a datum has a folder of."""

    repo: str
    branch: str
    commit_id: str
    """What is read of it; empty for the output, and where this datum has nothing of it."""
    folder: str
    """Absolute; need not be there."""

    def is_named(self, repo: str, ref: str) -> bool:
        """Tell whether a repo and a ref name it.

        >>> ShownBranch("raw", "main", "3f2a", "/run/pfs/raw").is_named("raw", "main")
        True
        """
        return repo == self.repo and bool(ref) and ref in {self.branch, self.commit_id}


def shown_as_text(shown: Sequence[ShownBranch]) -> str:
    """Return branches as one variable holds them; the output is the last."""
    return json.dumps([(one.repo, one.branch, one.commit_id, one.folder) for one in shown])


def parse_shown_branches(text: str) -> list[ShownBranch]:
    """Return the branches of `shown_as_text`.

    >>> parse_shown_branches('[["p", "main", "", "/run/pfs/out"]]')[-1].folder
    '/run/pfs/out'
    """
    return [ShownBranch(*one) for one in json.loads(text)]
