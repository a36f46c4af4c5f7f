"""Globs: how an input is cut into datums.

::

    /            the whole repo, as one datum
    /*           each file and each folder at the top
    /*.parquet   each such file or folder at the top
    /*/2026/*    … deeper; every component is matched on its own
    /**          every file, at any depth
    /**/*.csv    every such file, at any depth

In a component, ``*`` and ``?`` match within the name, ``[abc]`` and ``[!abc]`` one of a set,
``{a,b}`` either alternative, and a backslash takes the next character as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import ROOT, RepoPath, join_path

_SPECIAL = frozenset("*?[]{}\\")
_ANY_DEPTH = "**"
_MAX_ALTERNATIVES = 1000
_MAX_DEPTH = 20


class Tree(Protocol):
    """What globs need to know of a commit."""

    def list(self, path: RepoPath) -> Iterable[FileInfo]:
        """Yield the children of a folder, by name."""
        ...

    def find(self, path: RepoPath) -> FileInfo | None:
        """Return what is at `path`, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a glob: a literal name, or a pattern."""

    text: str
    literal: str | None
    pattern: re.Pattern[str] | None

    def matches(self, name: str) -> bool:
        """Tell whether a name matches."""
        return name == self.literal if self.pattern is None else bool(self.pattern.fullmatch(name))


@dataclass(frozen=True, slots=True)
class Glob:
    """A parsed glob."""

    text: str
    components: tuple[Component, ...]

    def matches_in(self, tree: Tree) -> Iterator[FileInfo]:
        """Yield what matches, in order of path; only folders that can match are listed."""
        if not self.components:
            root = tree.find(ROOT)
            if root is not None and root.file_count:
                yield root
            return
        yield from self._below(tree, ROOT, 0)

    def matches(self, path: RepoPath) -> bool:
        """Tell whether a path alone matches, whatever is there; ``**`` takes any depth."""
        names = path.split("/") if path else []
        for index, component in enumerate(self.components):
            if component.text == _ANY_DEPTH:
                rest = self.components[index + 1 :]
                return len(names) > index and _ends_in("/".join(names[index:]), rest)
            if index >= len(names) or not component.matches(names[index]):
                return False
        return len(names) == len(self.components)

    def _below(self, tree: Tree, folder: RepoPath, depth: int) -> Iterator[FileInfo]:
        component = self.components[depth]
        is_last = depth == len(self.components) - 1
        if component.text == _ANY_DEPTH:
            yield from self._any_depth(tree, folder, folder, self.components[depth + 1 :])
            return
        if component.literal is not None:
            found = tree.find(join_path(folder, component.literal))
            children: Iterable[FileInfo] = () if found is None else (found,)
        else:
            children = (child for child in tree.list(folder) if component.matches(child.name))
        for child in children:
            if is_last:
                yield child
            elif child.kind is FileKind.FOLDER:
                yield from self._below(tree, child.path, depth + 1)

    def _any_depth(
        self, tree: Tree, base: RepoPath, folder: RepoPath, rest: tuple[Component, ...]
    ) -> Iterator[FileInfo]:
        """Yield the files below `folder` whose path below `base` ends in what `rest` matches."""
        for child in tree.list(folder):
            if child.kind is FileKind.FOLDER:
                yield from self._any_depth(tree, base, child.path, rest)
            elif _ends_in(child.path[len(base) :].lstrip("/"), rest):
                yield child


def _ends_in(path: str, rest: tuple[Component, ...]) -> bool:
    names = path.split("/")
    return len(names) >= len(rest) and all(
        component.matches(name)
        for component, name in zip(reversed(rest), reversed(names), strict=False)
    )


def parse_glob(text: str) -> Glob:
    """Parse a glob.

    Raises
    ------
    InvalidInputError
        It does not begin with ``/``, has ``..``, an open bracket or brace, ``**`` that is not a
        component of its own, or more than one ``**``; the message names the column.
    """
    if not text.startswith("/"):
        raise _invalid(text, 0, "must begin with /")
    components: list[Component] = []
    column = 1
    for part in text[1:].split("/"):
        if part:
            components.append(_parse_component(text, part, column))
        column += len(part) + 1
    if sum(component.text == _ANY_DEPTH for component in components) > 1:
        raise _invalid(text, text.rindex(_ANY_DEPTH), "has more than one **")
    return Glob(text, tuple(components))


def _parse_component(text: str, part: str, column: int) -> Component:
    if part in {".", ".."}:
        raise _invalid(text, column, f"has the component {part!r}")
    if part == _ANY_DEPTH:
        return Component(part, None, re.compile(r"(?s:.*)"))
    if _ANY_DEPTH in part:
        raise _invalid(text, column + part.index(_ANY_DEPTH), "has ** inside a name")
    alternatives = _Parser(text, part, column).parse()
    if len(alternatives) == 1 and all(piece.literal is not None for piece in alternatives[0]):
        return Component(part, "".join(piece.literal or "" for piece in alternatives[0]), None)
    pattern = "|".join(_translate(pieces) for pieces in alternatives)
    return Component(part, None, re.compile(pattern, re.DOTALL))


@dataclass(frozen=True, slots=True)
class _Piece:
    """One character of a pattern, or the wildcard that stands for one or for any number."""

    pattern: str
    literal: str | None = None


_STAR = _Piece(".*?")
_ANY = _Piece(".")


def _translate(pieces: tuple[_Piece, ...]) -> str:
    """Return the regular expression of pieces without braces.

    What follows a star is matched at the first place where it fits, and never tried elsewhere:
    with stars in plenty the search would otherwise take longer than anybody can wait.
    """
    stretches: list[list[str]] = [[]]
    for piece in pieces:
        if piece is not _STAR:
            stretches[-1].append(piece.pattern)
        elif stretches[-1] or len(stretches) == 1:
            stretches.append([])
    first, *between = ["".join(stretch) for stretch in stretches]
    if not between:
        return first
    atomic = "".join(f"(?>.*?{stretch})" for stretch in between[:-1])
    return f"{first}{atomic}.*{between[-1]}"


class _Parser:
    """Reads one component and multiplies its braces out."""

    def __init__(self, text: str, part: str, column: int) -> None:
        self._text = text
        self._part = part
        self._column = column
        self._index = 0
        self._depth = 0

    def parse(self) -> list[tuple[_Piece, ...]]:
        """Return the alternatives that the component stands for."""
        return self._sequence(opened_at=None)

    def _sequence(self, opened_at: int | None) -> list[tuple[_Piece, ...]]:
        """Read up to the end, or to the brace that closes the one at `opened_at`."""
        finished: list[tuple[_Piece, ...]] = []
        current: list[tuple[_Piece, ...]] = [()]
        while self._index < len(self._part):
            char = self._part[self._index]
            if char == "{":
                begins = self._index
                self._index += 1
                self._depth += 1
                if self._depth > _MAX_DEPTH:
                    self._fail(begins, f"nests more than {_MAX_DEPTH} braces")
                tails = self._sequence(begins)
                self._depth -= 1
            elif char == "}" and opened_at is not None:
                self._index += 1
                return finished + current
            elif char == "," and opened_at is not None:
                self._index += 1
                finished += current
                current = [()]
                continue
            else:
                tails = [(self._piece(char),)]
            current = [head + tail for head in current for tail in tails]
            if len(finished) + len(current) > _MAX_ALTERNATIVES:
                self._fail(0, f"stands for more than {_MAX_ALTERNATIVES} alternatives")
        if opened_at is not None:
            self._fail(opened_at, "opens { without closing it")
        return current

    def _piece(self, char: str) -> _Piece:
        at = self._index
        self._index += 1
        if char == "*":
            return _STAR
        if char == "?":
            return _ANY
        if char == "[":
            return self._set(at)
        if char == "\\":
            if self._index == len(self._part):
                self._fail(at, "ends in a backslash")
            char = self._part[self._index]
            self._index += 1
        return _Piece(re.escape(char), char)

    def _set(self, at: int) -> _Piece:
        """Read a bracket expression; a ] directly behind the opening is one of the set."""
        negated = self._part.startswith("!", self._index)
        begins = self._index + negated
        end = self._part.find("]", begins + 1)
        if end < 0:
            self._fail(at, "opens [ without closing it")
        self._index = end + 1
        body = self._part[begins:end]
        parts: list[str] = []
        while body:
            if len(body) > 2 and body[1] == "-":
                if body[0] > body[2]:
                    self._fail(at, f"has the range {body[:3]!r}, which is backward")
                parts.append(f"{re.escape(body[0])}-{re.escape(body[2])}")
                body = body[3:]
            else:
                # All of these mean something in the regular expression's own sets.
                char = body[0]
                parts.append(f"\\{char}" if char in "\\]^-[&~|" else char)
                body = body[1:]
        return _Piece(f"[{'^' if negated else ''}{''.join(parts)}]")

    def _fail(self, index: int, why: str) -> NoReturn:
        raise _invalid(self._text, self._column + index, why)


def quote_glob(path: str) -> str:
    """Return the glob that matches exactly `path`, whatever characters it holds."""
    return "/" + "".join(f"\\{char}" if char in _SPECIAL else char for char in path)


def _invalid(text: str, column: int, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"Glob {text!r} {why} (column {column + 1})",
        kind=ErrorKind.INVALID_GLOB,
        hint="Write / for the whole repo, /* for each file and folder at the top,"
        " /** for every file",
        glob=text,
        column=column + 1,
    )
