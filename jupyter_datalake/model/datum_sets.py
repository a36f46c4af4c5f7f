"""Datum sets: all datums that a pipeline's output was made of, as one manifest.

A job that goes on from an earlier one edits its set where inputs have changed, so the cost is that
of the changes and not that of the datums. An item's value is that of a file which holds the record:
to everything that walks manifests a set is a tree like any other. Its keys are

- of a pipeline that reads one repo, without batches: the matched paths;
- of all others: the leaf and the path of a datum's first input, and its place; and behind them an
  index that says which matches of an input have a text that a join or a group compares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from jupyter_datalake.errors import CorruptDataError, ErrorKind
from jupyter_datalake.model.datums import Datum, DatumInput, DatumResult, Placed, place_of
from jupyter_datalake.model.encoding import pack_flat, unpack_canonical
from jupyter_datalake.model.entries import decode_entry, inline_file
from jupyter_datalake.model.ids import CommitId, Digest, digest_of
from jupyter_datalake.model.manifests import Edit, Item
from jupyter_datalake.model.paths import (
    RepoPath,
    path_bytes,
    path_from_bytes,
    path_from_key,
    path_key,
)
from jupyter_datalake.model.pipelines import (
    CrossInput,
    GroupInput,
    Input,
    JoinInput,
    PipelineSpec,
    QueryCode,
    RepoInput,
    UnionInput,
    iter_leaves,
    key_of,
    keyed_inputs,
)

MOST_INPUTS = 1000
"""A datum of more inputs is in no set: its record would be large, and a node holds many."""

_OF_A_PATH, _OF_INPUTS = 1, 2
"""Versions of records."""
_LEAF_BYTES = 2
_INDEX = b"\xff" * _LEAF_BYTES
"""What keys of the index begin with: no datum's do, for no spec has so many inputs."""


@dataclass(frozen=True, slots=True)
class SetInput:
    """One input of a datum of a set."""

    leaf: int
    """Which of the leaves of the spec, in order."""
    path: RepoPath
    digest: Digest
    """Of the content below `path`, times left out."""
    size_bytes: int
    part: int | None = None


@dataclass(frozen=True, slots=True)
class SetMember:
    """One datum of a set: where it was cut from, and what came of it."""

    key: bytes
    inputs: tuple[SetInput, ...]
    result: DatumResult

    def as_edit(self) -> Edit:
        """Return the edit that puts the datum into a set."""
        result = self.result
        first = self.inputs[0]
        of_result = [
            result.key,
            bytes.fromhex(result.job_id),
            result.position,
            result.output_root,
            result.artifacts_root,
        ]
        if self.key == path_key(first.path):
            record = [_OF_A_PATH, first.digest, first.size_bytes, *of_result]
        else:
            inputs = [
                [one.leaf, path_bytes(one.path), one.digest, one.size_bytes, one.part]
                for one in self.inputs
            ]
            record = [_OF_INPUTS, inputs, *of_result]
        entry = inline_file(pack_flat(record), mode=0o444, mtime_ns=0)
        return Edit(self.key, entry.encode(), entry.size_bytes)


def parse_member(item: Item) -> SetMember:
    """Return the datum of a set's item.

    Raises
    ------
    CorruptDataError
        It is no record of a datum.
    """
    record = unpack_canonical(decode_entry(item.value, item.size_bytes).content, "a datum's record")
    try:
        version, *what, key, job_id, position, output_root, artifacts_root = record
        result = DatumResult(
            Digest(key), job_id.hex(), position, Digest(output_root), Digest(artifacts_root)
        )
        inputs: tuple[SetInput, ...]
        if version == _OF_A_PATH:
            digest, size_bytes = what
            inputs = (SetInput(0, path_from_key(item.key), Digest(digest), size_bytes),)
        elif version == _OF_INPUTS:
            inputs = tuple(
                SetInput(leaf, path_from_bytes(path), Digest(digest), size_bytes, part)
                for leaf, path, digest, size_bytes, part in what[0]
            )
        else:
            raise ValueError(version)
        return SetMember(item.key, inputs, result)
    except (TypeError, ValueError, AttributeError) as error:
        raise CorruptDataError(
            "The record of a datum has an unknown shape", kind=ErrorKind.CORRUPT_OBJECT
        ) from error


@dataclass(frozen=True)
class SetLayout:
    """How the datums of a spec are told apart in its sets."""

    leaves: tuple[RepoInput, ...]
    keys: tuple[str, ...]
    """What jobs know the branch of each leaf by."""
    is_plain: bool
    """Whether one path tells each datum apart."""
    has_index: bool
    """Whether joins or groups compare matches."""

    @cached_property
    def _numbers(self) -> dict[tuple[str, str | None], int]:
        return {(leaf.name, leaf.repo): number for number, leaf in enumerate(self.leaves)}

    def number_of(self, name: str, repo: str | None) -> int | None:
        """Return which leaf an input of a datum is of; None where there is no such leaf."""
        return self._numbers.get((name, repo))

    @property
    def end(self) -> bytes | None:
        """What is before all keys of the index and behind those of all datums."""
        return None if self.is_plain else _INDEX

    def key(self, inputs: Sequence[Placed]) -> bytes | None:
        """Return the key of a datum; None for one of inputs that the spec has not."""
        first = inputs[0]
        number = self.number_of(first.name, first.repo)
        if number is None:
            return None
        if self.is_plain:
            return path_key(first.path) if len(inputs) == 1 else None
        # No name is empty: datums are in order of their first paths, folders before what they hold.
        return b"".join((self.start_of(number, first.path), b"\0\0", place_of(inputs)))

    def start_of(self, number: int, path: RepoPath) -> bytes:
        """Return what keys of datums begin with whose first input is a path; without its end."""
        return number.to_bytes(_LEAF_BYTES) + path_key(path)

    def member(self, datum: Datum) -> SetMember:
        """Return what a set says of a datum that has a result."""
        assert datum.output_root is not None
        assert datum.artifacts_root is not None
        key = self.key(datum.inputs)
        assert key is not None
        inputs = tuple(
            SetInput(
                self._numbers[one.name, one.repo], one.path, one.digest, one.size_bytes, one.part
            )
            for one in datum.inputs
        )
        result = DatumResult(
            datum.key, datum.job_id, datum.position, datum.output_root, datum.artifacts_root
        )
        return SetMember(key, inputs, result)

    def inputs(
        self, given: Sequence[SetInput], commits: dict[str, CommitId]
    ) -> tuple[DatumInput, ...]:
        """Return the inputs of a datum of a job that reads these commits."""
        return tuple(
            DatumInput(
                self.leaves[one.leaf].name,
                self.leaves[one.leaf].repo,
                commits[self.keys[one.leaf]],
                one.path,
                one.digest,
                one.size_bytes,
                one.part,
                "" if self.keys[one.leaf] == self.leaves[one.leaf].name else self.keys[one.leaf],
            )
            for one in given
        )

    # --- the index -------------------------------------------------------------------------------

    def index_range(self, number: int, text: str) -> tuple[bytes, bytes]:
        """Return the range of the keys of those matches of a leaf that are compared by a text."""
        start = _INDEX + number.to_bytes(_LEAF_BYTES) + digest_of(path_bytes(text))
        # As long as a key that is behind all paths: no byte of a name is larger than the last.
        return start + b"\0", start + b"\1"

    def index_edit(self, number: int, text: str, path: RepoPath, *, is_there: bool) -> Edit:
        """Return the edit that puts a match of a leaf into the index, or takes it out."""
        start, _ = self.index_range(number, text)
        value = inline_file(b"", mode=0o444, mtime_ns=0).encode()
        return Edit(start + path_key(path), value if is_there else None)

    def indexed_path(self, key: bytes) -> RepoPath:
        """Return the path that a key of the index is of."""
        return path_from_key(key[len(self.index_range(0, "")[0]) :])


def text_of(leaf: RepoInput) -> str:
    """Return the template of what joins and groups compare; nothing where they compare nothing."""
    return leaf.on or leaf.by


def set_layout(spec: PipelineSpec) -> SetLayout | None:
    """Return how a spec's datums are told apart, or None if jobs look at all of them each time."""
    given = spec.input
    leaves = [leaf for leaf in iter_leaves(given) if isinstance(leaf, RepoInput)]
    if given is None or isinstance(spec.code, QueryCode) or not _is_followed(given):
        return None
    is_one = isinstance(given, RepoInput)
    names = {(leaf.name, leaf.repo) for leaf in leaves}
    if len(names) < len(leaves) or (spec.datums.batch is not None and not is_one):
        return None
    keyed = keyed_inputs(spec)
    return SetLayout(
        tuple(leaves),
        tuple(key_of(keyed, leaf) for leaf in leaves),
        is_plain=is_one and spec.datums.batch is None,
        has_index=any(text_of(leaf) for leaf in leaves),
    )


def _is_followed(given: Input) -> bool:
    """Tell whether it can be told from changed matches which datums they touch."""
    match given:
        case RepoInput():
            return True
        case CrossInput(inputs) | UnionInput(inputs):
            return all(map(_is_followed, inputs))
        case JoinInput() | GroupInput():
            return bool(_compared(given))
        case _:
            return False


def _compared(given: Input) -> frozenset[str]:
    """Return in which ways parts are told by one text that all of their matches have.

    Nothing where that is not so: then a join or a group is no sum over texts.
    """
    none: frozenset[str] = frozenset()
    match given:
        case RepoInput(on=on, by=by):
            return none if on and by else frozenset(["on"] * bool(on) + ["by"] * bool(by))
        case UnionInput(inputs) | JoinInput(inputs) | GroupInput(inputs):
            parts = [_compared(one) for one in inputs]
            common = parts[0].intersection(*parts[1:])
            if isinstance(given, UnionInput):
                return common
            word = "on" if isinstance(given, JoinInput) else "by"
            return frozenset(("on", "by")) if word in common else none
        case _:
            return none
