"""One page of a file, shown as what it is."""

from __future__ import annotations

from jupyter_datalake.model.previews import Fact, Page, PreviewKind
from jupyter_datalake.previews.facts import facts_of
from jupyter_datalake.previews.kinds import HEAD_BYTES, kind_of
from jupyter_datalake.previews.records import Stop
from jupyter_datalake.previews.tables import LookedAt, read_table_page
from jupyter_datalake.previews.texts import read_json_page, read_text_page

Preview = tuple[PreviewKind, str, tuple[Fact, ...], Page]
"""Kind, media type, facts, and the page."""


def preview_content(looked_at: LookedAt, path: str, offset: int, limit: int, stop: Stop) -> Preview:
    """Look at a file.

    Memory and the answer are bounded, whatever the file; a page far inside of a large CSV file or
    text reads what comes before it once.

    Parameters
    ----------
    offset, limit
        Which rows of a table, or lines of a text, are wanted; fewer are given if they are large.
    stop
        Asked now and then whether nobody waits any more.

    Raises
    ------
    InvalidInputError
        The file is not what its ending says.
    StateError
        Nobody waits any more.
    """
    with looked_at.source.open() as file:
        head = file.read(HEAD_BYTES)
        kind, media_type = kind_of(path, head)
        facts: tuple[Fact, ...] = ()
        if kind is PreviewKind.BINARY:
            facts = facts_of(file, path, looked_at.size_bytes, head)
    page = Page(offset=offset)
    if kind is PreviewKind.TABLE:
        page = read_table_page(looked_at, offset, limit, stop)
    elif kind is PreviewKind.TEXT:
        page = read_text_page(looked_at, offset, limit, stop)
    elif kind is PreviewKind.JSON:
        page = read_json_page(looked_at, offset, limit, stop)
    return kind, media_type, facts, page
