"""Texts in UTF-16 as UTF-8, without holding them."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO, cast

_PIECE_BYTES = 1 << 16


class _Transcoded(io.RawIOBase):
    """What another file holds, in UTF-8; read from front to back."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ready = b""
        self._has_ended = False

    def readable(self) -> bool:
        """Tell that it can be read; nothing else can be done."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer
        """Fill a buffer with what comes next."""
        while not self._ready and not self._has_ended:
            piece = self._file.read(_PIECE_BYTES)
            self._has_ended = not piece
            text = self._decoder.decode(piece, final=self._has_ended)
            self._ready = text.encode("utf-8", "replace")
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        """Close the other file, too."""
        self._file.close()
        super().close()


def transcoded(file: BinaryIO, encoding: str) -> BinaryIO:
    """Return a file's text as UTF-8, to be read from front to back."""
    return cast("BinaryIO", io.BufferedReader(_Transcoded(file, encoding)))
