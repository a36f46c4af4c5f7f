"""Text for people, made of names that may hold anything."""

from __future__ import annotations

from collections.abc import Iterable


def printable(text: str) -> str:
    r"""Return text with what could steer a terminal, or is no character at all, escaped.

    >>> printable("a\nb\udcff")
    'a\\nb\\udcff'
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def hint_of_similar(name: str, names: Iterable[str], hint: str) -> str:
    """Return a hint that begins with the name somebody may have meant, if one is much like theirs.

    >>> hint_of_similar("rwa", ["features", "raw"], "'datalake repos list' shows what there is")
    "Did you mean 'raw'? 'datalake repos list' shows what there is"
    >>> hint_of_similar("x", ["raw"], "Look")
    'Look'
    """
    from difflib import get_close_matches  # noqa: PLC0415  # only for what went wrong

    similar = get_close_matches(name, names, n=1)
    return f"Did you mean {similar[0]!r}? {hint}" if similar else hint
