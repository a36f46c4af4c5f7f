"""Notebooks as code: their parameters cell, and what of them counts as a change.

A notebook's code is its code cells in order, without outputs, execution counts, Markdown,
comments and layout: editing those re-runs nothing.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.jobs.python_source import parse_python
from jupyter_datalake.model.encoding import pack_canonical
from jupyter_datalake.model.ids import Digest, digest_of

PARAMETERS_TAG = "parameters"
MAX_NOTEBOOK_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Parameter:
    """One variable of a parameters cell."""

    name: str
    type: str
    """``bool``, ``int``, ``float``, ``str``, ``list``, ``dict``, or ``unknown``."""
    default: Any
    """The value, as JSON; None where it cannot be told without running the cell."""
    help: str
    """The comment behind the assignment."""


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook as far as running it needs to know."""

    kernel: str | None
    language: str
    cells: tuple[str, ...]
    """Sources of the code cells, in order."""
    parameters_cell: int | None
    """Index into `cells`, or None if no cell is tagged ``parameters``."""
    positions: tuple[int, ...] = ()
    """Of the code cells among all cells, from 1, as people count them."""
    ids: tuple[str, ...] = ()
    """Of the code cells, by which kernels name them; empty where a cell has none."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The variables of the parameters cell; empty for other languages than Python."""
        if self.parameters_cell is None or self.language != "python":
            return ()
        return tuple(_read_parameters(self.cells[self.parameters_cell]))


def parse_notebook(data: bytes, name: str) -> Notebook:
    """Return the notebook in the bytes of a file.

    Raises
    ------
    InvalidInputError
        It is no notebook, too large, or has two cells tagged ``parameters``.
    """
    # It brings along a second of imports, and workers that run commands start without it.
    import nbformat  # noqa: PLC0415

    if len(data) > MAX_NOTEBOOK_BYTES:
        raise _invalid(name, f"is larger than {MAX_NOTEBOOK_BYTES >> 20} MiB")
    try:
        node = nbformat.reads(data.decode(), as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(node)
    except UnicodeDecodeError as error:
        raise _invalid(name, "is not UTF-8") from error
    except Exception as error:  # nbformat raises whatever hostile bytes make it stumble over
        raise _invalid(name, f"is not a notebook: {_first_line(error)}") from error
    numbered = [
        (number, cell) for number, cell in enumerate(node.cells, 1) if cell.cell_type == "code"
    ]
    cells = [cell for _, cell in numbered]
    tagged = [
        index for index, cell in enumerate(cells) if PARAMETERS_TAG in cell.metadata.get("tags", [])
    ]
    if len(tagged) > 1:
        raise _invalid(name, f"has {len(tagged)} cells tagged {PARAMETERS_TAG!r}")
    metadata = node.metadata
    return Notebook(
        kernel=metadata.get("kernelspec", {}).get("name"),
        language=(
            metadata.get("language_info", {}).get("name")
            or metadata.get("kernelspec", {}).get("language")
            or "python"
        ).lower(),
        cells=tuple(cell.source for cell in cells),
        parameters_cell=tagged[0] if tagged else None,
        positions=tuple(number for number, _ in numbered),
        ids=tuple(cell.get("id", "") for cell in cells),
    )


def notebook_digest(notebook: Notebook) -> Digest:
    """Return the digest of a notebook's code: equal for notebooks that do the same."""
    return digest_of(
        pack_canonical(
            [
                notebook.language,
                notebook.parameters_cell,
                [normalised(cell, notebook.language) for cell in notebook.cells],
            ]
        )
    )


def normalised(source: str, language: str) -> str:
    """Return a cell's code without comments and layout where the language is known.

    What cannot be parsed (magics, other languages) is taken as it is written, less the blanks
    around it.
    """
    tree = _parsed(source) if language == "python" else None
    if tree is not None:
        return ast.dump(tree)
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


def module_digest(data: bytes, name: str) -> Digest:
    """Return the digest of a helper file's meaning: code for Python modules, bytes for others."""
    if name.endswith(".py"):
        tree = _parsed(data)
        return digest_of(data if tree is None else ast.dump(tree).encode())
    if name.endswith(".ipynb"):
        return notebook_digest(parse_notebook(data, name))
    return digest_of(data)


def _parsed(source: str | bytes) -> ast.Module | None:
    """Return Python source as a tree; None for magics, shell lines, or what the run will refuse."""
    try:
        return parse_python(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _read_parameters(source: str) -> list[Parameter]:
    """Return the simple assignments of a parameters cell, in order."""
    tree = _parsed(source)
    if tree is None:
        return []
    lines = source.splitlines()
    found: list[Parameter] = []
    for statement in tree.body:
        annotation: ast.expr | None = None
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=value, annotation=annotation):
                pass
            case _:
                continue
        try:
            default = None if value is None else ast.literal_eval(value)
        except ValueError:
            default = None
        _, _, comment = lines[statement.lineno - 1].partition("#")
        found.append(Parameter(name, _type_of(default, annotation), default, comment.strip()))
    return found


_ANNOTATIONS = {"bool", "int", "float", "str", "list", "dict"}


def _type_of(default: Any, annotation: ast.expr | None) -> str:
    if annotation is not None:
        name = ast.unparse(annotation).partition("[")[0].lower()
        if name in _ANNOTATIONS:
            return name
    kind = type(default).__name__
    if kind == "tuple":
        return "list"
    return kind if kind in _ANNOTATIONS else "unknown"


def check_parameters(notebook: Notebook, given: dict[str, Any], name: str) -> list[str]:
    """Check values against a notebook's parameters cell; return warnings.

    Raises
    ------
    InvalidInputError
        A value's type is not the parameter's.
    """
    if notebook.parameters_cell is None:
        return [
            f"{name} has no cell tagged {PARAMETERS_TAG!r}: inputs and parameters are set in a"
            " new first cell"
        ]
    known = {parameter.name: parameter for parameter in notebook.parameters}
    warnings = []
    for key, value in given.items():
        parameter = known.get(key)
        if parameter is None:
            warnings.append(f"{name} has no parameter {key!r}; it is set all the same")
        elif not _fits(parameter.type, value):
            raise InvalidInputError(
                f"Parameter {key!r} of {name} must be {parameter.type}, not {value!r}",
                kind=ErrorKind.INVALID_SPEC,
                hint="Correct the value in 'parameters'",
                parameter=key,
                type=parameter.type,
            )
    return warnings


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "bool":
            return isinstance(value, bool)
        case "int":
            return isinstance(value, int) and not isinstance(value, bool)
        case "float":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "str":
            return isinstance(value, str)
        case "list":
            return isinstance(value, list)
        case "dict":
            return isinstance(value, dict)
    return True


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]


def _invalid(name: str, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"Notebook {name!r} {why}",
        kind=ErrorKind.INVALID_NOTEBOOK,
        hint="Open it in JupyterLab, save it, and try again",
        notebook=name,
    )
