"""HTML that notebooks show of values: plain tables, everything in them escaped.

No colours and no styles: JupyterLab, Voila and GitHub give tables those of their own theme.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import Any

from jupyter_datalake.model.text import printable

MAX_TEXT = 500
"""Of one value; what is longer ends with an ellipsis."""


def text_html(value: Any) -> str:
    """Return a value as text that is no markup, whatever is in it."""
    shown = f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else str(value)
    cut = shown if len(shown) <= MAX_TEXT else f"{shown[: MAX_TEXT - 1]}…"
    return escape(printable(cut))


def fields_html(title: str, pairs: Iterable[tuple[str, Any]]) -> str:
    """Return one thing as rows of name and value; those without a value are left out."""
    rows = "".join(
        f'<tr><th scope="row">{text_html(name)}</th><td>{text_html(value)}</td></tr>'
        for name, value in pairs
        if value not in (None, "", (), {}, [])
    )
    return f"<table><caption>{text_html(title)}</caption><tbody>{rows}</tbody></table>"


def table_html(title: str, headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table."""
    head = "".join(f'<th scope="col">{text_html(one)}</th>' for one in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{text_html(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f"<table><caption>{text_html(title)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
