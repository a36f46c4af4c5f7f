"""Datum sets: all datums that a pipeline's output was made of, as one manifest.

A job that goes on from an earlier one edits its set where inputs have changed, so the cost is that
of the changes and not that of the datums. An item's key is the matched path, and its value that of
a file which holds the record: to everything that walks manifests a set is a tree like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.model.datums import DatumResult
from jupyter_datalake.model.encoding import pack_flat, unpack_canonical
from jupyter_datalake.model.entries import decode_entry, inline_file
from jupyter_datalake.model.ids import Digest
from jupyter_datalake.model.manifests import Edit, Item
from jupyter_datalake.model.paths import RepoPath, path_from_key, path_key

_VERSION = 1


@dataclass(frozen=True, slots=True)
class SetMember:
    """One datum of a set: where it was cut from, and what came of it."""

    path: RepoPath
    digest: Digest
    """Of the content below `path`, times left out."""
    size_bytes: int
    result: DatumResult

    def as_edit(self) -> Edit:
        """Return the edit that puts the datum into a set."""
        result = self.result
        record = [
            _VERSION,
            self.digest,
            self.size_bytes,
            result.key,
            bytes.fromhex(result.job_id),
            result.position,
            result.output_root,
            result.artifacts_root,
        ]
        entry = inline_file(pack_flat(record), mode=0o444, mtime_ns=0)
        return Edit(path_key(self.path), entry.encode(), entry.size_bytes)


def parse_member(item: Item) -> SetMember:
    """Return the datum of a set's item.

    Raises
    ------
    CorruptDataError
        It is no record of a datum.
    """
    record = unpack_canonical(decode_entry(item.value, item.size_bytes).content, "a datum's record")
    try:
        version, digest, size_bytes, key, job_id, position, output_root, artifacts_root = record
        if version != _VERSION:
            raise ValueError(version)
        result = DatumResult(
            Digest(key), job_id.hex(), position, Digest(output_root), Digest(artifacts_root)
        )
        return SetMember(path_from_key(item.key), Digest(digest), size_bytes, result)
    except (TypeError, ValueError, AttributeError) as error:
        raise CorruptDataError(
            "The record of a datum has an unknown shape", kind=ErrorKind.CORRUPT_OBJECT
        ) from error
