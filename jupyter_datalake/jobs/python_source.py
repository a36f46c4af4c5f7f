"""Python source as trees, from any thread."""

from __future__ import annotations

import ast
import threading

# Before CPython 3.11.9, how deep a tree is was counted for all threads together: two that parse at
# once could both fail with SystemError.
_PARSING = threading.Lock()


def parse_python(source: str | bytes, name: str = "<unknown>") -> ast.Module:
    """Return source as a tree.

    Raises
    ------
    SyntaxError
        It is no Python; magics and shell lines are none.
    ValueError
        It has null bytes, or an encoding that does not exist.
    RecursionError
        It is nested too deeply.
    """
    with _PARSING:
        return ast.parse(source, name)
