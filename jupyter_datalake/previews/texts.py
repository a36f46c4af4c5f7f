"""Pages of texts, by line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import BinaryIO

from jupyter_datalake.model.previews import Page
from jupyter_datalake.previews.records import RecordReader, Stop
from jupyter_datalake.previews.tables import LookedAt
from jupyter_datalake.previews.transcoding import transcoded

MAX_LINE_CHARS = 10_000
"""What is behind it in one line is left out."""
MAX_PRETTY_BYTES = 1024 * 1024
"""A larger JSON document is shown as it is written."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_text_page(text: LookedAt, offset: int, limit: int, stop: Stop) -> Page:
    """Return lines of a text from a number on; bytes that are no UTF-8 are shown as U+FFFD.

    Raises
    ------
    StateError
        Nobody waits any more.
    """
    with text.source.open() as file:
        is_utf16 = file.read(2) in _UTF16

    def opened() -> BinaryIO:
        file = text.source.open()
        return transcoded(file, "utf-16") if is_utf16 else file

    size = None if is_utf16 else text.size_bytes
    found = RecordReader(opened, size, digest=text.digest).read(offset, limit, stop)
    lines = [record.decode("utf-8", "replace").removesuffix("\r") for record in found.records]
    if lines and not offset:
        lines[0] = lines[0].removeprefix("\ufeff")
    return Page(
        lines=_shortened(lines),
        offset=offset,
        total=found.total,
        estimated_total=found.estimated_total,
        has_more=found.has_more,
        is_cut=found.is_cut or any(len(line) > MAX_LINE_CHARS for line in lines),
    )


def read_json_page(text: LookedAt, offset: int, limit: int, stop: Stop) -> Page:
    """Return lines of a JSON document, indented if it is small; as it is written if it is none."""
    if text.size_bytes > MAX_PRETTY_BYTES:
        return read_text_page(text, offset, limit, stop)
    with text.source.open() as file:
        content = file.read(MAX_PRETTY_BYTES)
    try:
        value = json.loads(content.decode("utf-8-sig"))
        lines = json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return read_text_page(text, offset, limit, stop)
    every = lines.decode().split("\n")
    page = every[offset : offset + limit]
    return Page(
        lines=_shortened(page),
        offset=offset,
        total=len(every),
        has_more=offset + limit < len(every),
        is_cut=any(len(line) > MAX_LINE_CHARS for line in page),
    )


def _shortened(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(
        line if len(line) <= MAX_LINE_CHARS else line[:MAX_LINE_CHARS] + "…" for line in lines
    )
