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
from typing import Protocol

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.paths import ROOT, RepoPath, join_path

_SPECIAL = frozenset("*?[]{}\\")
_ANY_DEPTH = "**"


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
    if not _SPECIAL.intersection(part):
        return Component(part, part, None)
    return Component(part, None, re.compile(_translate(text, part, column), re.DOTALL))


def _translate(text: str, part: str, column: int) -> str:
    """Return the regular expression of one component."""
    out: list[str] = []
    braces: list[int] = []
    index = 0
    while index < len(part):
        char = part[index]
        if char == "\\":
            if index + 1 == len(part):
                raise _invalid(text, column + index, "ends in a backslash")
            index += 1
            out.append(re.escape(part[index]))
        elif char == "*":
            out.append(".*")
        elif char == "?":
            out.append(".")
        elif char == "[":
            end = part.find("]", index + 2)
            if end < 0:
                raise _invalid(text, column + index, "opens [ without closing it")
            body = part[index + 1 : end]
            negated, body = body[0] == "!", body.removeprefix("!")
            out.append(f"[{'^' if negated else ''}{_set_of(body)}]")
            index = end
        elif char == "{":
            braces.append(index)
            out.append("(?:")
        elif char == "}" and braces:
            braces.pop()
            out.append(")")
        elif char == "," and braces:
            out.append("|")
        else:
            out.append(re.escape(char))
        index += 1
    if braces:
        raise _invalid(text, column + braces[-1], "opens { without closing it")
    return "".join(out)


def _set_of(body: str) -> str:
    """Escape the inside of a bracket expression, keeping ranges."""
    return re.sub(r"([\\\]\[^&~|])", r"\\\1", body)


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
