"""What the code of a notebook says of files: which paths it names, and whether it writes there.

Paths are followed through constants, f-strings, ``Path``, ``/`` and ``os.path.join`` as far as they
can be told without running anything; what cannot is cut off at the last folder that is known. Cells
of ``%%sql`` name files where tables stand.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from jupyter_datalake.jobs.notebooks import Notebook
from jupyter_datalake.jobs.python_source import parse_python
from jupyter_datalake.model.addresses import SCHEME

_SCHEME = f"{SCHEME}://"
_RUN = re.compile(
    r"^\s*(?:%run\s+(?:-\w+\s+)*|!\s*python[\d.]*\s+)(?P<quote>['\"]?)(?P<path>[^\s'\"]+)"
)
_SQL_CELL = re.compile(r"\s*%%sql(?P<options>[^\n]*)\n(?P<query>.*)", re.DOTALL)
_SQL_TOKEN = re.compile(
    r"'(?P<text>(?:[^']|'')*)'|--[^\n]*|/\*.*?\*/|(?P<word>\w+)|(?P<other>[^\s(\[,])", re.DOTALL
)
_BEFORE_TABLES = re.compile(r"(from|join|(read|parquet|sniff)_\w+)", re.IGNORECASE)
_PATHS = {"Path", "PurePath", "PosixPath", "PurePosixPath", "str", "fspath"}
_WRITERS = {
    *(f"to_{kind}" for kind in ("csv", "parquet", "pickle", "json", "excel", "feather", "hdf")),
    *("to_stata", "to_html", "to_markdown", "to_xml", "to_orc", "to_zarr", "to_netcdf", "to_file"),
    *("savefig", "save", "savez", "savez_compressed", "savetxt", "dump", "imsave", "imwrite"),
    *("write_text", "write_bytes", "write_image", "write_html", "write_table", "write_csv"),
    *("write_parquet", "save_model", "save_pretrained", "mkdir", "makedirs", "touch"),
}  # fmt: skip
_READERS = {
    *("load", "loadtxt", "genfromtxt", "imread", "read_text", "read_bytes", "glob", "rglob"),
    *("iterdir", "listdir", "scandir", "walk", "load_model", "ParquetFile", "scan_parquet"),
    *("scan_csv", "exists", "is_file", "is_dir"),
}
_COPIERS = {"copy", "copy2", "copyfile", "copytree", "move", "rename", "replace"}
_FOLDERS = {"mkdir", "makedirs"}


class Use(StrEnum):
    """What the code does with a path."""

    NAMED = "named"
    """It is in the code, and that is all that can be told."""
    READ = "read"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Mention:
    """A path in the code."""

    path: str
    """As it is written, up to where it can be told."""
    is_whole: bool
    """Whether that is all of it; else it ends with a slash, or is no path at all."""
    use: Use
    cell: int
    """Index into the notebook's code cells."""
    is_folder: bool = False
    """Whether the code makes a folder of it."""


def tree_of(cell: str) -> ast.Module:
    """Return a cell's code as a tree, leaving out lines that only IPython understands."""
    lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in cell.splitlines()]
    try:
        return parse_python("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module(body=[], type_ignores=[])


def list_mentions(notebook: Notebook) -> list[Mention]:
    """Return the paths in the code outside the parameters cell, in its order.

    What is built on a parameter is not among them: the job sets that.
    """
    finder = _Finder()
    for index, cell in enumerate(notebook.cells):
        if index != notebook.parameters_cell:
            finder.cell = index
            asked = _SQL_CELL.match(cell)
            if asked is None:
                finder.visit(tree_of(cell))
            elif "--connection" not in asked["options"]:  # else it asks a warehouse
                finder.found += [
                    Mention(path, is_whole=True, use=Use.READ, cell=index)
                    for path in _tables_of(asked["query"])
                ]
    return finder.found


def _tables_of(query: str) -> Iterator[str]:
    """Yield the addresses that a query reads, with their scheme."""
    is_table = False
    for token in _SQL_TOKEN.finditer(query):
        if token["word"] or token["other"]:
            is_table = bool(_BEFORE_TABLES.fullmatch(token[0]))
        elif token["text"]:
            text = token["text"].replace("''", "'")
            if text.startswith(_SCHEME):
                yield text
            elif is_table and "@" in text and "://" not in text:
                yield f"{_SCHEME}{text}"


def list_scripts(notebook: Notebook) -> list[str]:
    """Return the files that the notebook runs by name: ``%run``, ``!python``."""
    found = [
        match["path"]
        for cell in notebook.cells
        for match in map(_RUN.match, cell.splitlines())
        if match is not None
    ]
    return list(dict.fromkeys(found))


def list_imports(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that code imports, with dots; relative ones begin with a dot."""
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            base = "." * statement.level + (statement.module or "")
            yield base
            if statement.level and not statement.module:
                yield from (f"{base}{alias.name}" for alias in statement.names)


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as far as it is known."""

    text: str
    is_whole: bool = True


class _Finder(ast.NodeVisitor):
    """Follows texts through the code, from the first cell to the last."""

    def __init__(self) -> None:
        self.cell = 0
        self.found: list[Mention] = []
        self._values: dict[str, _Text] = {}

    def visit(self, node: ast.AST) -> None:
        """Note what an expression says, or look into it."""
        text = self._text(node) if isinstance(node, ast.expr) else None
        if text is not None:
            self._note(text, Use.NAMED)
        else:
            super().visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Remember what a variable holds."""
        text = self._text(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                if text is None:
                    self._values.pop(target.id, None)
                else:
                    self._values[target.id] = text
        self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Remember what a variable holds."""
        if node.value is not None:
            self.visit_Assign(ast.Assign(targets=[node.target], value=node.value))

    def visit_Call(self, node: ast.Call) -> None:
        """Note what a function is given, by what such functions do."""
        name, owner, is_on_path = "", None, False
        if isinstance(node.func, ast.Attribute):
            name, owner = node.func.attr, node.func.value
        elif isinstance(node.func, ast.Name):
            name = node.func.id
        if owner is not None:
            on = self._text(owner)
            if on is None:
                self.visit(owner)
            else:
                is_on_path = True
                self._note(on, _use(name, node, 0, is_method=True), is_folder=name in _FOLDERS)
        for position, given in enumerate(node.args):
            text = self._text(given)
            if text is None:
                self.visit(given)
            elif is_on_path:
                self._note(text, Use.NAMED)  # a pattern, or what is written
            else:
                use = _use(name, node, position, is_method=False)
                self._note(text, use, is_folder=name in _FOLDERS)
        for keyword in node.keywords:
            text = self._text(keyword.value)
            if text is None:
                self.visit(keyword.value)
            elif keyword.arg in {"path", "path_or_buf", "fname", "filename", "file", "fp"}:
                self._note(text, _use(name, node, 0, is_method=False))
            else:
                self._note(text, Use.NAMED)

    def _note(self, text: _Text, use: Use, *, is_folder: bool = False) -> None:
        if text.text:
            one = Mention(text.text, text.is_whole, use, self.cell, is_folder and text.is_whole)
            self.found.append(one)

    def _text(self, node: ast.expr) -> _Text | None:
        match node:
            case ast.Constant(value=str(value)):
                return _Text(value)
            case ast.Name(id=name):
                return self._values.get(name)
            case ast.JoinedStr(values=parts):
                return self._joined(parts)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._sum(left, right, "")
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return self._sum(left, right, "/")
            case ast.Call(func=func, args=[first, *others]):
                return self._called(func, first, others)
        return None

    def _called(self, func: ast.expr, first: ast.expr, others: list[ast.expr]) -> _Text | None:
        match func:
            case ast.Name(id=name) | ast.Attribute(value=ast.Name(), attr=name) if name in _PATHS:
                return self._path(first, others)
            case ast.Attribute(value=ast.Attribute(attr="path"), attr="join"):
                return self._path(first, others)
            case ast.Attribute(value=owner, attr="joinpath"):
                return self._path(owner, [first, *others])
            case ast.Attribute(value=ast.Constant(value=str(value)), attr="format"):
                known, brace, _ = value.partition("{")
                return _Text(known, is_whole=not brace) if known else None
        return None

    def _path(self, first: ast.expr, others: list[ast.expr]) -> _Text | None:
        text = self._text(first)
        for other in others:
            if text is None or not text.is_whole:
                return text
            more = self._text(other)
            if more is None:
                return _Text(f"{text.text}/", is_whole=False)
            text = _Text(posixpath.join(text.text, more.text), more.is_whole)
        return text

    def _joined(self, parts: list[ast.expr]) -> _Text | None:
        text = ""
        for part in parts:
            value = part.value if isinstance(part, ast.FormattedValue) else part
            more = self._text(value)
            if more is None or not more.is_whole:
                text += "" if more is None else more.text
                return _Text(text, is_whole=False) if text else None
            text += more.text
        return _Text(text)

    def _sum(self, left: ast.expr, right: ast.expr, between: str) -> _Text | None:
        text = self._text(left)
        if text is None or not text.is_whole:
            return text
        more = self._text(right)
        if more is None:
            return _Text(f"{text.text}{between}", is_whole=False)
        joined = posixpath.join(text.text, more.text) if between else text.text + more.text
        return _Text(joined, more.is_whole)


def _use(name: str, node: ast.Call, position: int, *, is_method: bool) -> Use:
    """Return what a function does with its argument, or, as a method, with its object."""
    if name == "open":
        modes = node.args[0 if is_method else 1 :][:1]
        modes += [one.value for one in node.keywords if one.arg == "mode"]
        if not is_method and position > 0:
            return Use.NAMED
        mode = modes[0].value if modes and isinstance(modes[0], ast.Constant) else "r"
        return Use.WRITTEN if set(str(mode)) & set("wax+") else Use.READ
    if name in _COPIERS and (not is_method or position == 0):
        return Use.READ if position == 0 else Use.WRITTEN
    if name in _WRITERS:
        return Use.WRITTEN
    if name in _READERS or name.startswith("read_"):
        return Use.READ if position == 0 else Use.NAMED
    return Use.NAMED
