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

Parentheses capture what they enclose, within one name, or ``(**)`` the folders between: joins and
groups compare captures, named ``$1``, ``$2`` … in the order in which they open. A star takes as
much as it can, the first one first: of ``/(*)-(*).csv``, ``a-b-c.csv`` is ``a-b`` and ``c``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import ROOT, RepoPath, join_path

_SPECIAL = frozenset("*?[]{}()\\")
_ANY_DEPTH = "**"
_ANY_DEPTHS = frozenset({_ANY_DEPTH, f"({_ANY_DEPTH})"})
_CLOSERS = {"{": "}", "(": ")"}
_MAX_ALTERNATIVES = 1000
_MAX_DEPTH = 20
_REFERENCE = re.compile(r"\$(?:([0-9]+)|\{([0-9]+)\})")


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
    capturing: tuple[tuple[_Piece, ...], ...] = ()
    """The alternatives it stands for, with the marks of captures; empty without captures."""

    @property
    def is_any_depth(self) -> bool:
        """Whether it stands for any number of folders."""
        return self.text in _ANY_DEPTHS

    def capture(self, name: str) -> dict[int, str]:
        """Return capture number to text of a name that matches; those not taken part are left out.

        Cost: at most the length of the name times that of the pattern.
        """
        for pieces in self.capturing:
            found = _Capturer(pieces, name).find()
            if found is not None:
                return found
        return {}

    def matches(self, name: str) -> bool:
        """Tell whether a name matches."""
        return name == self.literal if self.pattern is None else bool(self.pattern.fullmatch(name))


@dataclass(frozen=True, slots=True)
class Glob:
    """A parsed glob."""

    text: str
    components: tuple[Component, ...]
    capture_count: int = 0

    def captures(self, path: RepoPath) -> tuple[str, ...]:
        """Return the text of each capture in a path that matches; empty for one not taken part."""
        names = path.split("/") if path else []
        found: dict[int, str] = {}
        ahead = 0
        for index, component in enumerate(self.components):
            if component.is_any_depth:
                after = len(names) - (len(self.components) - index - 1)
                for number in component.capturing:
                    found[number[0].opens or 0] = "/".join(names[index:after])
                ahead = after - index - 1
            elif component.capturing:
                found |= component.capture(names[index + ahead])
        return tuple(found.get(number, "") for number in range(1, self.capture_count + 1))

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
            if component.is_any_depth:
                rest = self.components[index + 1 :]
                return len(names) > index and _ends_in("/".join(names[index:]), rest)
            if index >= len(names) or not component.matches(names[index]):
                return False
        return len(names) == len(self.components)

    def matches_or_holds(self, path: RepoPath) -> bool:
        """Tell whether a path matches, or a folder that it is in."""
        names = path.split("/") if path else []
        return any(
            self.matches(RepoPath("/".join(names[:depth]))) for depth in range(len(names) + 1)
        )

    def match_above(self, path: RepoPath) -> RepoPath | None:
        """Return the match that what is at `path` belongs to: itself or a folder above it."""
        if not self.components:
            return ROOT
        if any(component.is_any_depth for component in self.components):
            return path if self.matches(path) else None
        names = path.split("/")
        above = RepoPath("/".join(names[: len(self.components)]))
        return above if self.matches(above) else None

    def takes(self, found: FileInfo) -> bool:
        """Tell whether something whose path matches is of a kind that does."""
        if not self.components:
            return found.file_count > 0
        any_depth = any(component.is_any_depth for component in self.components)
        return found.kind is not FileKind.FOLDER or not any_depth

    def _below(self, tree: Tree, folder: RepoPath, depth: int) -> Iterator[FileInfo]:
        component = self.components[depth]
        is_last = depth == len(self.components) - 1
        if component.is_any_depth:
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
        It does not begin with ``/``, has ``..``, an open bracket, brace or parenthesis, ``**`` that
        is not a component of its own, or more than one ``**``; the message names the column.
    """
    if not text.startswith("/"):
        raise _invalid(text, 0, "must begin with /")
    components: list[Component] = []
    column = 1
    captures = 0
    for part in text[1:].split("/"):
        if part:
            component, captures = _parse_component(text, part, column, captures)
            components.append(component)
        column += len(part) + 1
    if sum(component.is_any_depth for component in components) > 1:
        raise _invalid(text, text.rindex(_ANY_DEPTH), "has more than one **")
    return Glob(text, tuple(components), captures)


def _parse_component(text: str, part: str, column: int, captures: int) -> tuple[Component, int]:
    """Return one component, and how many captures there are up to its end."""
    if part in {".", ".."}:
        raise _invalid(text, column, f"has the component {part!r}")
    if part in _ANY_DEPTHS:
        is_captured = part != _ANY_DEPTH
        marks = ((_Piece("", opens=captures + 1),),) if is_captured else ()
        anything = re.compile(r"(?s:.*)")
        return Component(part, None, anything, marks), captures + is_captured
    if _ANY_DEPTH in part:
        raise _invalid(text, column + part.index(_ANY_DEPTH), "has ** inside a name")
    parser = _Parser(text, part, column, captures)
    capturing = parser.parse()
    alternatives = [tuple(one for one in pieces if not one.is_mark) for pieces in capturing]
    kept = tuple(capturing) if parser.captures > captures else ()
    if len(alternatives) == 1 and all(piece.literal is not None for piece in alternatives[0]):
        literal = "".join(piece.literal or "" for piece in alternatives[0])
        return Component(part, literal, None, kept), parser.captures
    pattern = re.compile("|".join(_translate(pieces) for pieces in alternatives), re.DOTALL)
    return Component(part, None, pattern, kept), parser.captures


@dataclass(frozen=True, slots=True)
class _Piece:
    """One character of a pattern, a wildcard for one or any number, or the mark of a capture."""

    pattern: str
    literal: str | None = None
    opens: int | None = None
    closes: int | None = None

    @property
    def is_mark(self) -> bool:
        """Whether it matches nothing, but says where a capture begins or ends."""
        return self.opens is not None or self.closes is not None

    def takes(self, char: str) -> bool:
        """Tell whether it stands for this one character."""
        if self.literal is not None:
            return self.literal == char
        return re.fullmatch(self.pattern, char, re.DOTALL) is not None


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


class _Capturer:
    """Finds where captures lie in one name: stars take as much as they can, the first one first.

    The regular expression above tells quickly what matches, and not what each star stands for.
    """

    def __init__(self, pieces: tuple[_Piece, ...], name: str) -> None:
        self._pieces = pieces
        self._name = name
        self._hopeless: set[tuple[int, int]] = set()

    def find(self) -> dict[int, str] | None:
        """Return capture number to text, or None if the name does not match."""
        name, pieces = self._name, self._pieces
        # Each choice of a star: where the star is, where it begins, and how far it may still reach.
        choices: list[tuple[int, int, int]] = []
        ends: list[int] = []
        piece, at = 0, 0
        while True:
            stuck = (piece, at) in self._hopeless
            if not stuck and piece == len(pieces):
                if at == len(name):
                    return self._read(ends)
                stuck = True
            if not stuck and pieces[piece] is _STAR:
                choices.append((piece, at, len(name)))
                del ends[piece:]
                ends.append(len(name))
                piece, at = piece + 1, len(name)
                continue
            if not stuck and (
                pieces[piece].is_mark or (at < len(name) and pieces[piece].takes(name[at]))
            ):
                at += not pieces[piece].is_mark
                del ends[piece:]
                ends.append(at)
                piece += 1
                continue
            # Back to the last star that can take less.
            while choices:
                star, begin, end = choices.pop()
                self._hopeless.add((star + 1, end))
                if end > begin:
                    choices.append((star, begin, end - 1))
                    del ends[star:]
                    ends.append(end - 1)
                    piece, at = star + 1, end - 1
                    break
            else:
                return None

    def _read(self, ends: list[int]) -> dict[int, str]:
        begins: dict[int, int] = {}
        found: dict[int, str] = {}
        for piece, end in zip(self._pieces, ends, strict=True):
            if piece.opens is not None:
                begins[piece.opens] = end
            elif piece.closes is not None:
                found[piece.closes] = self._name[begins[piece.closes] : end]
        return found


class _Parser:
    """Reads one component and multiplies its braces out."""

    def __init__(self, text: str, part: str, column: int, captures: int) -> None:
        self.captures = captures
        """How many captures there are in the glob up to here."""
        self._text = text
        self._part = part
        self._column = column
        self._index = 0
        self._depth = 0

    def parse(self) -> list[tuple[_Piece, ...]]:
        """Return the alternatives that the component stands for."""
        return self._sequence("", 0)

    def _sequence(self, opener: str, opened_at: int) -> list[tuple[_Piece, ...]]:
        """Read up to the end, or to what closes the brace or parenthesis at `opened_at`."""
        finished: list[tuple[_Piece, ...]] = []
        current: list[tuple[_Piece, ...]] = [()]
        closer = _CLOSERS.get(opener)
        while self._index < len(self._part):
            char = self._part[self._index]
            if char in _CLOSERS:
                tails = self._enclosed(char)
            elif char == closer:
                self._index += 1
                return finished + current
            elif char == "," and opener == "{":
                self._index += 1
                finished += current
                current = [()]
                continue
            elif char == ")":
                self._fail(self._index, r"closes ) without opening it; write \) for the character")
            else:
                tails = [(self._piece(char),)]
            current = [head + tail for head in current for tail in tails]
            if len(finished) + len(current) > _MAX_ALTERNATIVES:
                self._fail(0, f"stands for more than {_MAX_ALTERNATIVES} alternatives")
        if opener:
            remark = r" in the same name; write \( for the character" if opener == "(" else ""
            self._fail(opened_at, f"opens {opener} without closing it{remark}")
        return current

    def _enclosed(self, opener: str) -> list[tuple[_Piece, ...]]:
        """Read from a brace or parenthesis to what closes it."""
        begins = self._index
        self._index += 1
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            self._fail(begins, f"nests more than {_MAX_DEPTH} braces or parentheses")
        if opener == "(":
            self.captures += 1
            number = self.captures
            opens, closes = _Piece("", opens=number), _Piece("", closes=number)
            inner = self._sequence(opener, begins)
            tails = [(opens, *one, closes) for one in inner]
        else:
            tails = self._sequence(opener, begins)
        self._depth -= 1
        return tails

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


def check_references(template: str, capture_count: int, glob: str) -> None:
    """Refuse a template such as ``$1-$2`` that names no capture, or one that is not there.

    Raises
    ------
    InvalidInputError
        The message names the template, the glob and what it captures.
    """
    numbers = [int(one[1] or one[2]) for one in _REFERENCE.finditer(template)]
    missing = [number for number in numbers if not 1 <= number <= capture_count]
    if numbers and not missing:
        return
    why = f"names ${missing[0]}" if missing else "names no capture"
    held = {0: "captures nothing", 1: "has one capture, $1"}.get(
        capture_count, f"has the captures $1 to ${capture_count}"
    )
    raise InvalidInputError(
        f"{template!r} {why}; the glob {glob!r} {held}",
        kind=ErrorKind.INVALID_GLOB,
        hint="Put what is to be compared into parentheses, as in /(*)-*.csv, and name it $1",
        glob=glob,
        template=template,
    )


def expand_references(template: str, captures: tuple[str, ...]) -> str:
    """Return a template that `check_references` let pass, with the captures in their places.

    >>> expand_references("$1/$2", ("2026", "x"))
    '2026/x'
    """
    return _REFERENCE.sub(lambda one: captures[int(one[1] or one[2]) - 1], template)


def _invalid(text: str, column: int, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"Glob {text!r} {why} (column {column + 1})",
        kind=ErrorKind.INVALID_GLOB,
        hint="Write / for the whole repo, /* for each file and folder at the top,"
        " /** for every file",
        glob=text,
        column=column + 1,
    )
