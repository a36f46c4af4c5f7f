"""Three-way merging as a few dicts would do it: by looking at every path of all three trees."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

Entries = Mapping[str, bytes | None]
"""What a tree holds: path to bytes, or None for an empty folder."""

_GONE = object()


@dataclass(frozen=True, slots=True)
class Merged:
    """What comes of a merge."""

    entries: dict[str, bytes | None]
    """The merged tree; what clashes is as the chosen side has it."""
    clashes: set[str]
    """Paths of what clashes; of a file against a folder, the path of the file."""


def three_way(
    base: Entries, ours: Entries, theirs: Entries, theirs_wanted: Container[str] = ()
) -> Merged:
    """Return what merging makes of three trees.

    Parameters
    ----------
    theirs_wanted
        Clashes that become what theirs has; all others become ours.
    """
    roots = _files_against_folders(base, ours, theirs)
    clashes = dict.fromkeys(roots, True)
    result: dict[str, object] = {}
    for path in {*base, *ours, *theirs}:
        if any(_is_at(path, root) for root in roots):
            continue
        was, mine, their = (tree.get(path, _GONE) for tree in (base, ours, theirs))
        if mine == their or their == was:
            result[path] = mine
        elif mine == was:
            result[path] = their
        elif {mine, their} <= {_GONE, None}:
            result[path] = None
        else:
            clashes[path] = False
    for path, is_root in clashes.items():
        side = theirs if path in theirs_wanted else ours
        result |= {
            one: content
            for one, content in side.items()
            if one == path or (is_root and _is_at(one, path))
        }
    kept = {path: found for path, found in result.items() if found is not _GONE}
    return Merged(tidy(kept), set(clashes))  # type: ignore[arg-type]  # what is gone was dropped


def tidy(entries: Entries) -> dict[str, bytes | None]:
    """Return a tree without the markers of folders that something is in."""
    full = {folder for path in entries for folder in above(path)}
    return {path: found for path, found in entries.items() if found is not None or path not in full}


def above(path: str) -> list[str]:
    """Return the folders that a path lies in, outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _files_against_folders(base: Entries, ours: Entries, theirs: Entries) -> set[str]:
    """Return the paths of new files of one side below which the other has something new."""

    def is_new(tree: Entries, path: str) -> bool:
        return tree.get(path, _GONE) != base.get(path, _GONE)

    return {
        path
        for one, other in ((ours, theirs), (theirs, ours))
        for path, content in one.items()
        if content is not None and is_new(one, path)
        if any(_is_at(below, path) and is_new(other, below) for below in other if below != path)
    }


def _is_at(path: str, place: str) -> bool:
    return path == place or path.startswith(place + "/")
