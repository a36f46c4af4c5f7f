"""Reading the past under the addresses of today: ``with jupyter_datalake.as_of("main~5"):``.

What is asked of a lake at a branch is answered from where the branch was. It holds for all threads
of the process while the block lasts, because readers such as DuckDB fetch in threads of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.addresses import Address
from jupyter_datalake.model.ids import check_repo_name
from jupyter_datalake.model.refs import DEFAULT_BRANCH, parse_ref_expression

_OWN_PAST = re.compile(r"[@^~]|^[0-9a-f]{7,64}$")
"""In a ref that names its own past; or is a commit's id, which has no other."""
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2}.*)?")


@dataclass(frozen=True, slots=True)
class _Rule:
    """One answer to "as of when"."""

    repo: str | None
    """The repo it is about; None for all."""
    branch: str | None
    """The branch that is read otherwise; None for every one."""
    ref: str
    """What is read instead; ``@time`` is put behind the branch."""

    def applies(self, place: Address) -> bool:
        if self.repo not in {None, place.repo}:
            return False
        if self.branch is not None:
            return place.ref == self.branch
        return not _OWN_PAST.search(place.ref)

    def ref_for(self, place: Address) -> str:
        return f"{place.ref}{self.ref}" if self.ref.startswith("@") else self.ref


class AsOf:
    """What is read otherwise for the length of a block."""

    def __init__(self, refs: tuple[str, ...]) -> None:
        # What is said of one repo goes before what is said of all.
        self._rules = sorted((_rule(ref) for ref in refs), key=lambda one: one.repo is None)
        self.redirected = 0
        """How many times something was looked up in the past."""

    def seen(self, place: Address) -> Address:
        """Return the address that is read instead of another one, or the same."""
        rule = next((one for one in self._rules if one.applies(place)), None)
        return place if rule is None else replace(place, ref=rule.ref_for(place))


_active: list[AsOf] = []


def seen(place: Address) -> Address:
    """Return where an address is read from at present: inside `as_of`, in the past."""
    if not _active:
        return place
    found = _active[-1].seen(place)
    if found is not place:
        _active[-1].redirected += 1
    return found


def current() -> AsOf | None:
    """Return what `as_of` this process is in, if any."""
    return _active[-1] if _active else None


@contextmanager
def as_of(*refs: str) -> Iterator[AsOf]:
    """Read branches as they were, for the length of a block.

    It covers what is read by ``lake.files`` and ``lake://``, with pandas, pyarrow and DuckDB too.
    Addresses that name their own past (``raw@main~3``, a tag, a commit) stay as they are. Mounted
    folders show the present; ``%%asof`` knows about those.

    Usage::

        with dl.as_of("main~5"):
            old = pd.read_parquet("lake://features@main/churn.parquet")

    Parameters
    ----------
    *refs
        ``main~5`` or ``main@2026-01-31``: what is read at `main`, of any repo, is that.
        ``v1``, ``3f2a9c``, ``dev``: it is read in place of `main`. ``2026-01-31``: every branch as
        it was then. ``raw@v1``: of the repo `raw` alone; may stand beside the others.

    Raises
    ------
    InvalidInputError
        One of `refs` is none of these, or there is none.
    """
    if not refs:
        raise InvalidInputError(
            "As of when is not said", kind=ErrorKind.INVALID_REF, hint="Write main~5 or 2026-01-31"
        )
    entered = AsOf(refs)
    _active.append(entered)
    try:
        yield entered
    finally:
        _active.remove(entered)


def _rule(text: str) -> _Rule:
    if _TIME.fullmatch(text):
        parse_ref_expression(f"{DEFAULT_BRANCH}@{text}")  # says what is wrong with it
        return _Rule(None, None, f"@{text}")
    repo, at, rest = text.partition("@")
    # main@2026-01-31 and main@{1} are refs; raw@v1, raw@main~5 and raw@main@{1} name a repo.
    if at and not rest.startswith("{") and not _TIME.match(rest):
        return replace(_rule_of_ref(rest), repo=check_repo_name(repo))
    return _rule_of_ref(text)


def _rule_of_ref(text: str) -> _Rule:
    expression = parse_ref_expression(text)
    is_plain = expression.text == expression.base
    return _Rule(None, DEFAULT_BRANCH if is_plain else expression.base, text)
