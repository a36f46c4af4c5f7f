"""Looking at files at a commit: what `lake.files.preview` and `lake.files.describe` do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from jupyter_datalake.engine.snapshot import Snapshot
from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.model.addresses import Address
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.ids import CommitId
from jupyter_datalake.model.previews import FilePreview, TableStatistics
from jupyter_datalake.model.table_diffs import Column

if TYPE_CHECKING:
    from jupyter_datalake.previews.tables import LookedAt


def preview(
    context: LakeContext, place: Address, offset: int, limit: int, stop: threading.Event | None
) -> FilePreview:
    """Return one page of a file; see `Files.preview`."""
    from jupyter_datalake.previews.preview import preview_content  # noqa: PLC0415  # Arrow

    tree, info, commit_id = _file(context, place)
    kind, media_type, facts, page = preview_content(
        _looked_at(place, tree, info), info.path, offset, limit, _asked(stop)
    )
    context.recorder.read(place.repo, commit_id, place.path)
    return FilePreview(info.path, commit_id, info.size_bytes, kind, media_type, facts, page)


def describe(
    context: LakeContext,
    place: Address,
    columns: Sequence[str] | None,
    stop: threading.Event | None,
) -> TableStatistics:
    """Return what a table's columns hold; see `Files.describe`."""
    from jupyter_datalake.previews.tables import open_stream  # noqa: PLC0415  # Arrow
    from jupyter_datalake.warehouse.column_statistics import (  # noqa: PLC0415  # DuckDB
        MAX_COLUMNS,
        describe_columns,
    )

    tree, info, commit_id = _file(context, place)
    stream = open_stream(_looked_at(place, tree, info), _asked(stop))
    wanted = _places(stream.columns, columns, place)[:MAX_COLUMNS]
    found = describe_columns(
        stream,
        wanted,
        work_folder=context.core.work_folder / "diffs",
        stop=_asked(stop),
    )
    context.recorder.read(place.repo, commit_id, place.path)
    return TableStatistics(
        path=info.path,
        commit_id=commit_id,
        rows=found.rows,
        is_partial=found.is_partial,
        column_count=len(stream.columns),
        columns=found.columns,
    )


def _file(context: LakeContext, place: Address) -> tuple[Snapshot, FileInfo, CommitId]:
    """Return a file at an address, resolved once: the answer names the commit that was read."""
    commit = context.history.resolve(place.repo, place.ref)
    tree = context.core.snapshot(commit)
    info = tree.get(place.path)
    if info.kind is not FileKind.FILE:
        raise InvalidInputError(
            f"{place} is a {info.kind}, and only files can be looked at",
            kind=ErrorKind.INVALID_PATH,
        )
    return tree, info, commit.id


def _looked_at(place: Address, tree: Snapshot, info: FileInfo) -> LookedAt:
    from jupyter_datalake.previews.tables import LookedAt  # noqa: PLC0415  # Arrow
    from jupyter_datalake.warehouse.table_files import TableSource  # noqa: PLC0415  # Arrow

    assert info.digest is not None
    source = TableSource(str(place), partial(tree.open, place.path))
    return LookedAt(source, info.size_bytes, bytes(info.digest))


def _asked(stop: threading.Event | None) -> Callable[[], bool]:
    return stop.is_set if stop is not None else bool


def _places(columns: Sequence[Column], wanted: Sequence[str] | None, place: Address) -> list[int]:
    places = {column.name: number for number, column in enumerate(columns)}
    if wanted is None:
        return list(places.values())
    missing = next((name for name in wanted if name not in places), None)
    if missing is not None:
        names = ", ".join(list(places)[:20]) + (", …" if len(places) > 20 else "")
        raise InvalidInputError(
            f"{place} has no column {missing!r}",
            kind=ErrorKind.INVALID_REQUEST,
            hint=f"Its columns are {names}" if names else "It has no columns",
            column=missing,
        )
    return [places[name] for name in dict.fromkeys(wanted)]
