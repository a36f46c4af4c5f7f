"""``.datalakeignore``: what is left out of a local folder that is put into the lake.

The rules are those of ``.gitignore``: patterns of a file count for its folder and below, a deeper
file overrules the ones above it, the last pattern that fits decides, ``!`` takes back in, and
what lies in a folder that is left out cannot be taken back in.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_datalake.errors import ErrorKind, InvalidInputError, PermissionDeniedError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".datalakeignore"
IGNORE_NAME = IGNORE_FILE.encode()
_MAX_BYTES = 1 << 20
_FOLDER_MARK = "ps_d"
"""What pathspec calls the slash behind the folder that a pattern names."""


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that count in one folder; begin with `IgnoreRules()` above the first one.

    Usage::

        rules = IgnoreRules().inside(folder, "", names)
        taken = [name for name in names if rules.takes(name, is_folder=False)]

    Folders without a file cost nothing, and neither does a tree that has none at all.
    """

    specs: tuple[tuple[str, GitIgnoreSpec], ...] = ()
    """The files above and in the folder, innermost first: the path of its folder, with a slash
    behind it unless it is empty, and its patterns."""

    def inside(self, place: bytes, path: str, names: Iterable[bytes]) -> IgnoreRules:
        """Return the rules that count in a folder.

        Parameters
        ----------
        place
            Where it is on this machine.
        path
            Its path below the first folder; empty for that one.
        names
            The regular files in it.

        Raises
        ------
        InvalidInputError
            Its file has a pattern that is none, or is larger than 1 MiB.
        PermissionDeniedError
            Its file cannot be read: then nobody knows what is to be left out.
        """
        if IGNORE_NAME not in names:
            return self
        spec = _parsed(Path(os.fsdecode(place), IGNORE_FILE))
        return IgnoreRules(((f"{path}/" if path else "", spec), *self.specs))

    def takes(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether a path of the folder that the rules are for is taken."""
        for folder, spec in self.specs:
            left_out = _leaves_out(spec, path[len(folder) :], is_folder=is_folder)
            if left_out is not None:
                return not left_out
        return True


def _leaves_out(spec: GitIgnoreSpec, path: str, *, is_folder: bool) -> bool | None:
    """Tell whether the last pattern that names the path itself leaves it out; None if none does.

    pathspec answers for a path that it knows nothing else about, so its patterns fit what is below
    a folder that they name, too. Here that folder was asked about before.
    """
    asked = f"{path}/" if is_folder else path
    for pattern in reversed(spec.patterns):
        found = None if pattern.include is None else pattern.match_file(asked)
        if found is not None:
            slash = found.match.groupdict().get(_FOLDER_MARK) and found.match.start(_FOLDER_MARK)
            if not slash or slash == len(path):
                return bool(pattern.include)
    return None


def _parsed(file: Path) -> GitIgnoreSpec:
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise PermissionDeniedError(
            f"{file} cannot be read: {error.strerror}",
            kind=ErrorKind.NOT_ALLOWED,
            hint="Make it readable, or put everything with --no-ignore",
            path=str(file),
        ) from error
    if len(raw) > _MAX_BYTES:
        raise _invalid(file, f"is larger than {_MAX_BYTES} bytes")
    lines = raw.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n")
    return _spec(_checked(file, lines))


def _spec(lines: Iterable[str]) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  # few folders have an ignore file

    return GitIgnoreSpec.from_lines(lines)


def _checked(file: Path, lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        pattern = line.removesuffix("\r")
        try:
            _spec([pattern])
        except ValueError as error:
            raise _invalid(file, f"has no pattern in line {number}: {pattern!r}") from error
        # What ``x/**`` names lies in x; pathspec takes it for x, too, which would then be closed.
        stripped = pattern.rstrip(" ")
        yield f"{stripped}/*" if stripped.endswith("/**") else pattern


def _invalid(file: Path, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{file} {why}",
        kind=ErrorKind.INVALID_GLOB,
        hint="Its lines are patterns as in .gitignore; 'files put --no-ignore' takes everything",
        path=str(file),
    )
