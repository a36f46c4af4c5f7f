"""Addresses: ``repo@ref/path``, and the same as a URL, ``lake://repo@ref/path``."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.ids import check_repo_name
from jupyter_datalake.model.paths import RepoPath, parse_path
from jupyter_datalake.model.refs import DEFAULT_BRANCH

SCHEME = "lake"


@dataclass(frozen=True, slots=True)
class Address:
    """One place in the lake: a repo, a ref expression and a path (the root when empty)."""

    repo: str
    ref: str
    path: RepoPath

    def __str__(self) -> str:
        return f"{self.repo}@{self.ref}/{self.path}" if self.path else f"{self.repo}@{self.ref}"

    @property
    def url(self) -> str:
        """The address as fsspec, pandas and DuckDB take it."""
        return f"{SCHEME}://{self.repo}@{self.ref}/{self.path}"


def parse_address(text: str) -> Address:
    """Parse ``repo``, ``repo@ref`` or ``repo@ref/path``, with or without ``lake://``.

    A repo alone means its main branch. A path needs the ref to be written, because
    ``project/name`` is a repo name.

    Raises
    ------
    InvalidInputError
        The text is no address, or one of its parts breaks its grammar.

    >>> parse_address("raw@main~2/data/x.csv").path
    'data/x.csv'
    """
    body = text.removeprefix(f"{SCHEME}://")
    repo, at, rest = body.partition("@")
    if not at:
        try:
            return Address(check_repo_name(repo.rstrip("/")), DEFAULT_BRANCH, RepoPath(""))
        except InvalidInputError as error:
            raise _invalid(text, f"Write it as repo@{DEFAULT_BRANCH}/path") from error
    ref, _, path = rest.partition("/")
    if not ref:
        raise _invalid(text, "Write the branch, tag or commit behind the @")
    return Address(check_repo_name(repo), ref, parse_path(path))


def _invalid(text: str, hint: str) -> InvalidInputError:
    return InvalidInputError(
        f"{text!r} is not an address", kind=ErrorKind.INVALID_ADDRESS, hint=hint, address=text
    )
