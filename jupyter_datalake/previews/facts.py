"""What models and other binary files tell of themselves without being loaded.

Nothing is unpickled: a pickle is a program. Its opcodes are read, not run.
"""

from __future__ import annotations

import io
import json
import pickletools
import struct
import zipfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from jupyter_datalake.model.previews import Fact

_MAX_NAMES = 20
_PICKLE_BYTES = 1 << 20
_PICKLE_STEPS = 200_000
_MAX_HEADER_BYTES = 1 << 20
_MAX_DIRECTORY_BYTES = 8 << 20
_FORMATS = (
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"\x93NUMPY", "NumPy array"),
    (b"SQLite format 3\0", "SQLite database"),
    (b"PAR1", "Parquet"),
    (b"ARROW1", "Arrow"),
    (b"%PDF-", "PDF"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"\xfd7zXZ\0", "xz"),
    (b"GGUF", "GGUF model"),
    (b"\x7fELF", "ELF program"),
)


def facts_of(file: BinaryIO, path: str, size_bytes: int, head: bytes) -> tuple[Fact, ...]:
    """Return what a binary file tells, from its first bytes and, of an archive, its directory."""
    return tuple(_facts(file, path, size_bytes, head))


def _facts(file: BinaryIO, path: str, size_bytes: int, head: bytes) -> Iterator[Fact]:
    ending = PurePosixPath(path).suffix.lower()
    if head[:2] in {b"PK"}:
        yield from _of_zip(file, size_bytes)
    elif ending == ".safetensors":
        yield from _of_safetensors(file, head)
    elif ending == ".onnx":
        yield Fact("Format", "ONNX model")
    elif head[:1] == b"\x80" and head[1:2] <= b"\x05" and len(head) > 2:
        yield from _of_pickle(file)
    else:
        for magic, name in _FORMATS:
            if head.startswith(magic):
                yield Fact("Format", name)
    if head.startswith(b"\x93NUMPY"):
        yield from _of_array(head)
    if head:
        yield Fact("First bytes", head[:32].hex(" "))


def _of_pickle(file: BinaryIO) -> Iterator[Fact]:
    """Yield what a pickle's opcodes name; nothing of it is run."""
    file.seek(0)
    names: dict[str, None] = {}
    strings: list[str] = []
    protocol, end = "?", ""
    try:
        for step, (opcode, argument, _) in enumerate(
            pickletools.genops(io.BytesIO(file.read(_PICKLE_BYTES)))
        ):
            if opcode.name == "PROTO":
                protocol = str(argument)
            elif opcode.name == "GLOBAL":
                names[str(argument).replace(" ", ".")] = None
            elif opcode.name == "STACK_GLOBAL" and len(strings) > 1:
                names[".".join(strings[-2:])] = None
            elif isinstance(argument, str):
                strings = [*strings[-1:], argument]
            if step > _PICKLE_STEPS or len(names) >= _MAX_NAMES:
                break
    except (ValueError, OverflowError, struct.error) as error:
        end = str(error)[:200]  # arrays of joblib lie between the opcodes: what was read stands
    yield Fact("Format", f"Pickle, protocol {protocol} (not loaded: that would run its code)")
    if end:
        yield Fact("Read as far as", end)
    if names:
        yield Fact("Names", ", ".join(names))


def _of_zip(file: BinaryIO, size_bytes: int) -> Iterator[Fact]:
    """Yield the directory of an archive, which PyTorch, Keras and NumPy write too."""
    file.seek(max(0, size_bytes - 65_557))
    tail = file.read(65_557)
    place = tail.rfind(b"PK\5\6")
    is_small = place >= 0 and len(tail) >= place + 16
    if not is_small or struct.unpack_from("<I", tail, place + 12)[0] > _MAX_DIRECTORY_BYTES:
        yield Fact("Format", "Zip archive, whose directory is too large or missing")
        return
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        yield Fact("Format", f"Zip archive that cannot be read: {str(error)[:200]}")
        return
    names = [entry.filename for entry in entries]
    kind = "Zip archive"
    if any(name.endswith("/data.pkl") for name in names):
        kind = "PyTorch model (not loaded: that would run its code)"
    elif "config.json" in names and any(name.endswith(".h5") for name in names):
        kind = "Keras model"
    elif names and all(name.endswith(".npy") for name in names):
        kind = "NumPy arrays"
    yield Fact("Format", kind)
    yield Fact("Entries", f"{len(names):,}")
    more = ", …" if len(names) > _MAX_NAMES else ""
    yield Fact("Names", ", ".join(names[:_MAX_NAMES]) + more)


def _of_safetensors(file: BinaryIO, head: bytes) -> Iterator[Fact]:
    length = struct.unpack_from("<Q", head)[0] if len(head) >= 8 else 0
    if not 0 < length <= _MAX_HEADER_BYTES:
        yield Fact("Format", "Safetensors, whose header is too large or missing")
        return
    file.seek(8)
    try:
        header = json.loads(file.read(length))
        tensors = {
            name: f"{one['dtype']} {'×'.join(map(str, one['shape']))}"
            for name, one in header.items()
            if name != "__metadata__"
        }
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        yield Fact("Format", "Safetensors, whose header cannot be read")
        return
    yield Fact("Format", "Safetensors")
    yield Fact("Tensors", f"{len(tensors):,}")
    for name, shape in [*tensors.items()][:_MAX_NAMES]:
        yield Fact(name, shape)


def _of_array(head: bytes) -> Iterator[Fact]:
    """Yield the header of a NumPy array: a literal, which is shown and not evaluated."""
    wide = head[6:7] > b"\x01"
    size = struct.unpack_from("<I" if wide else "<H", head, 8)[0] if len(head) > 12 else 0
    start = 12 if wide else 10
    text = head[start : start + min(size, 500)].decode("latin-1").strip()
    if text:
        yield Fact("Header", text)
