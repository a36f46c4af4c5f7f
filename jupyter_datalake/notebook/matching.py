"""What IPython's completer asks; the lake is opened when an address is typed for the first time."""

from __future__ import annotations

import re
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

_TYPED = re.compile(r"(?:[\"'\s=(\[,]|^)((?:lake://)?[\w./@~^{}:+-]+)$")
"""What was typed of an address, from the quote or space before it."""
_MAGICS = ("%datalake", "%%asof")


@context_matcher(identifier="jupyter_datalake")  # type: ignore[untyped-decorator]  # IPython's
def matcher(context: Any) -> dict[str, Any]:
    """Offer addresses, in strings, in ``%datalake`` and in ``%%sql``."""
    line = context.line_with_cursor[: context.cursor_position]
    found = _TYPED.search(line)
    if found is None or not (_is_quoted(line) or line.lstrip().startswith(_MAGICS)):
        return {"completions": []}
    from jupyter_datalake.notebook.completing import offered  # noqa: PLC0415  # opens a lake

    texts = offered(found[1])
    return {
        "completions": [SimpleCompletion(text=one, type="address") for one in texts],
        "matched_fragment": found[1],
        "ordered": True,
    }


def _is_quoted(line: str) -> bool:
    """Tell whether the cursor is in a string, as far as one line tells."""
    return line.count('"') % 2 == 1 or line.count("'") % 2 == 1
