"""What a file is, by its name and its first bytes; where they disagree the bytes are right."""

from __future__ import annotations

from pathlib import PurePosixPath

from jupyter_datalake.model.previews import PreviewKind
from jupyter_datalake.warehouse.table_files import is_table

HEAD_BYTES = 64 * 1024
ARROW_ENDINGS = (".arrow", ".feather", ".ipc")
LINES_ENDINGS = (".jsonl", ".ndjson")

_NAMED = {
    ".ipynb": (PreviewKind.NOTEBOOK, "application/x-ipynb+json"),
    ".json": (PreviewKind.JSON, "application/json"),
    ".geojson": (PreviewKind.JSON, "application/geo+json"),
    ".svg": (PreviewKind.IMAGE, "image/svg+xml"),
}
_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", PreviewKind.IMAGE, "image/png"),
    (0, b"\xff\xd8\xff", PreviewKind.IMAGE, "image/jpeg"),
    (0, b"GIF87a", PreviewKind.IMAGE, "image/gif"),
    (0, b"GIF89a", PreviewKind.IMAGE, "image/gif"),
    (8, b"WEBP", PreviewKind.IMAGE, "image/webp"),
    (4, b"ftypavif", PreviewKind.IMAGE, "image/avif"),
    (0, b"BM", PreviewKind.IMAGE, "image/bmp"),
    (8, b"WAVE", PreviewKind.AUDIO, "audio/wav"),
    (0, b"ID3", PreviewKind.AUDIO, "audio/mpeg"),
    (0, b"\xff\xfb", PreviewKind.AUDIO, "audio/mpeg"),
    (0, b"OggS", PreviewKind.AUDIO, "audio/ogg"),
    (0, b"fLaC", PreviewKind.AUDIO, "audio/flac"),
    (4, b"ftypM4A", PreviewKind.AUDIO, "audio/mp4"),
)
_NEEDS_NUL = {"image/bmp", "audio/mpeg"}
"""Beginnings so short that a text may have them."""
_BOMS = (b"\xff\xfe", b"\xfe\xff")
_TABLES = {
    ".tsv": "text/tab-separated-values",
    ".parquet": "application/vnd.apache.parquet",
    ".arrow": "application/vnd.apache.arrow.file",
    ".jsonl": "application/jsonl",
}


def kind_of(path: str, head: bytes) -> tuple[PreviewKind, str]:
    """Return how a file is shown, and its media type.

    Parameters
    ----------
    head
        Its first bytes, as many as `HEAD_BYTES`.
    """
    ending = PurePosixPath(path).suffix.lower()
    if is_table(path) or ending in (*ARROW_ENDINGS, *LINES_ENDINGS):
        return PreviewKind.TABLE, _TABLES.get(_canonical(ending), "text/csv")
    for place, magic, kind, media_type in _MAGIC:
        if head[place : place + len(magic)] == magic and (
            media_type not in _NEEDS_NUL or b"\0" in head
        ):
            return kind, media_type
    if not is_text(head):
        return PreviewKind.BINARY, "application/octet-stream"
    return _NAMED.get(ending, (PreviewKind.TEXT, "text/plain"))


def is_text(head: bytes) -> bool:
    """Tell whether bytes look like text: a byte order mark, or no NUL and few other controls."""
    if head.startswith(_BOMS):
        return True
    if b"\0" in head:
        return False
    controls = len(head) - len(head.translate(None, bytes({*range(32)} - {*b"\t\n\r\f\x1b"})))
    return controls * 50 <= len(head)


def _canonical(ending: str) -> str:
    if ending in ARROW_ENDINGS:
        return ".arrow"
    return ".jsonl" if ending in LINES_ENDINGS else ending
