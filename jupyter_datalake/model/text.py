"""Text for people, made of names that may hold anything."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return text with what could steer a terminal, or is no character at all, escaped.

    >>> printable("a\nb\udcff")
    'a\\nb\\udcff'
    """
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
