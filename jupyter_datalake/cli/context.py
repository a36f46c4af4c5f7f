"""What commands share: the options that choose the lake, and the ``--json`` flag."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from jupyter_datalake import environment
from jupyter_datalake.lake.default_lake import default_url
from jupyter_datalake.model.commits import Author

if TYPE_CHECKING:
    from jupyter_datalake.lake.lake import Lake

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def importing() -> Iterator[None]:
    """Let modules be imported without a search for garbage, of which they make none.

    Nor are they looked through later, which takes a tenth of a short command, where this is the
    process of the command line: it has frozen what it began with.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if gc.get_freeze_count():
            gc.freeze()
        if was_enabled:  # programs that call commands may have it otherwise
            gc.enable()


class CliContext:
    """The lake that a command works on, opened when it is first needed."""

    def __init__(self, named: str | None, user: str) -> None:
        self._named = named
        self.author = Author(user)

    @cached_property
    def url(self) -> str:
        """Where the lake is; that of the environment where the command names none."""
        return self._named or default_url()

    @cached_property
    def lake(self) -> Lake:
        """The open lake."""
        with importing():
            from jupyter_datalake.lake.lake import Lake  # noqa: PLC0415

        return Lake.open(self.url, author=self.author)

    def close(self) -> None:
        """Close the lake if it was opened."""
        if "lake" in vars(self):
            self.lake.close()


pass_context = click.make_pass_decorator(CliContext)


def json_option(command: Callable[P, T]) -> Callable[P, T]:
    """Add ``--json`` to a command."""
    decorated: Callable[P, T] = click.option(
        "--json", "as_json", is_flag=True, help="Print JSON instead of a table."
    )(command)
    return decorated


def limit_option(default: int | None) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Add ``--limit`` to a command."""
    return click.option(
        "--limit",
        type=click.IntRange(1),
        default=default,
        show_default=default is not None,
        help="At most so many.",
    )


def default_mountpoint() -> str | None:
    """Return the mount point that the environment names, or None."""
    return environment.mountpoint()


def parse_pairs(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return ``key=value`` options as a dict."""
    parsed: dict[str, str] = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not key:
            raise click.BadParameter(f"{pair!r} is not key=value")
        parsed[key] = value
    return parsed


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone, unless told not to; a program must say so."""
    if not yes:
        click.confirm(question, abort=True)
