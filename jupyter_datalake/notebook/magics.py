"""``%datalake``, ``%%asof`` and ``%%sql``."""

from __future__ import annotations

import argparse
import ast
import shlex
from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand

from jupyter_datalake.errors import DatalakeError, ErrorKind, InvalidInputError
from jupyter_datalake.model.text import printable

P = ParamSpec("P")
T = TypeVar("T")

NAMES = (("line", "datalake"), ("cell", "asof"), ("cell", "sql"))


def in_one_line(magic: Callable[P, T]) -> Callable[P, T]:
    """Let IPython show what is wrong as the line that it is, without our own frames."""

    @wraps(magic)
    def wrapped(*arguments: P.args, **options: P.kwargs) -> T:
        try:
            return magic(*arguments, **options)
        except DatalakeError as error:
            line = f"{type(error).__name__}: {printable(str(error))}"
            error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]  # IPython's
            raise

    return wrapped


class _Arguments(argparse.ArgumentParser):
    """Arguments of a magic: what is wrong with them is an error like any other."""

    def error(self, message: str) -> NoReturn:
        raise InvalidInputError(
            f"{self.prog}: {message}", kind=ErrorKind.INVALID_REQUEST, hint=self.epilog
        )


@magics_class
class DatalakeMagics(Magics):
    """The magics of one shell."""

    shell: InteractiveShell

    @line_magic
    @in_one_line
    def datalake(self, line: str) -> Any:
        """Run a command of ``datalake``: ``%datalake status``, ``%datalake files list raw@main``.

        ``%datalake session REPO [BRANCH]`` returns a writable folder for this notebook alone.
        """
        words = _split(line)
        if words[:1] == ["session"]:
            return _session(words)
        from jupyter_datalake.notebook.commands import run  # noqa: PLC0415  # click

        run(words)
        return None

    @no_var_expand
    @cell_magic
    @in_one_line
    def asof(self, line: str, cell: str) -> Any:
        """Run a cell with reads of branches answered as of a ref: ``%%asof main~5``.

        docs/notebooks.md says which reads that covers.
        """
        from jupyter_datalake.notebook.past import in_the_past  # noqa: PLC0415  # opens a lake

        with in_the_past(*_split(line), names=self.shell.user_ns):
            return self._run(cell)

    @no_var_expand
    @cell_magic
    @in_one_line
    def sql(self, line: str, cell: str) -> Any:
        """Ask DuckDB about lake files and data frames: ``%%sql [NAME] [--connection NAME]``.

        The answer is a data frame, under NAME where one is given.
        """
        from jupyter_datalake.notebook.sql import answer  # noqa: PLC0415  # DuckDB and pandas

        parser = _Arguments(
            "%%sql", epilog="Write %%sql [NAME] [--connection NAME]", add_help=False
        )
        parser.add_argument("name", nargs="?")
        parser.add_argument("--connection")
        options = parser.parse_args(_split(line))
        if options.name is not None and not options.name.isidentifier():
            parser.error(f"{options.name!r} cannot be a variable's name")
        frame = answer(cell, self.shell.user_ns, connection=options.connection)
        if options.name is None:
            return frame
        self.shell.user_ns[options.name] = frame
        return None

    def _run(self, cell: str) -> Any:
        """Run a cell's code where the cell would run; return its last expression's value."""
        shell = self.shell
        source = shell.transform_cell(cell)
        name = shell.compile.cache(source, shell.execution_count, raw_code=cell)
        tree = shell.transform_ast(ast.parse(source, filename=name))
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not _is_silenced(source):
            last = ast.Expression(tree.body.pop().value)
        # The person's own cell, run as IPython's %%time runs it.
        exec(compile(tree, name, "exec"), shell.user_ns)  # noqa: S102
        if last is None:
            return None
        return eval(compile(last, name, "eval"), shell.user_ns)  # noqa: S307


def _is_silenced(source: str) -> bool:
    """Tell whether a cell ends with a semicolon, which keeps its value from being shown."""
    from IPython.core.displayhook import DisplayHook  # noqa: PLC0415  # only there it is known

    return bool(DisplayHook.semicolon_at_end_of_expression(source))


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise InvalidInputError(
            f"{line!r} is not understood: {error}",
            kind=ErrorKind.INVALID_REQUEST,
            hint="Quote as in a shell",
        ) from error


def _session(words: list[str]) -> Any:
    from jupyter_datalake.lake.notebooks import session  # noqa: PLC0415  # opens a lake

    if len(words) not in {2, 3}:
        raise InvalidInputError(
            f"%datalake {shlex.join(words)} is not understood",
            hint="Write %datalake session REPO [BRANCH]",
        )
    return session(*words[1:])
