"""Printing differences of files, and ``datalake diff``, which finds out what is wanted."""

from __future__ import annotations

import sys

import click

from jupyter_datalake.cli.commits import print_changes
from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.output import print_fields, print_json, print_table
from jupyter_datalake.errors import ErrorKind, InvalidInputError
from jupyter_datalake.model.addresses import parse_address
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.table_diffs import DEFAULT_ROWS, RowChange, RowChangeKind, TableDiff
from jupyter_datalake.model.text import printable
from jupyter_datalake.model.text_diffs import TextDiff

_COLOURS = {"-": "red", "+": "green", "@": "cyan"}
_ROW_MARKS = {RowChangeKind.ADDED: "+", RowChangeKind.CHANGED: "~", RowChangeKind.REMOVED: "-"}
_TABLES = (".csv", ".tsv", ".parquet", ".csv.gz", ".csv.bz2", ".csv.zst")


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.option("--key", multiple=True, help="Column that names a row of a table; may be repeated.")
@click.option("--no-key", is_flag=True, help="Compare whole rows of a table.")
@limit_option(None)
@json_option
@pass_context
def diff(
    context: CliContext,
    old: str,
    new: str,
    key: tuple[str, ...],
    no_key: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Show how two places differ: tables by row, texts by line, folders and commits by path."""
    lake = context.lake
    places = parse_address(old), parse_address(new)
    kinds = [lake.files.get(place).kind for place in places]
    if kinds == [FileKind.FOLDER, FileKind.FOLDER]:
        first, second = places
        if (first.repo, first.path) != (second.repo, second.path):
            raise InvalidInputError(
                f"{first} and {second} are two folders, not two versions of one",
                kind=ErrorKind.INVALID_ADDRESS,
                hint="Name the same path of the same repo at two refs, or two files",
            )
        changes = lake.commits.diff(
            first.repo, first.ref, second.ref, path=first.path, limit=limit, renames=True
        )
        if as_json:
            print_json(changes)
        else:
            print_changes(changes, empty="No differences")
    elif all(place.path.lower().endswith(_TABLES) for place in places):
        show_tables(context, old, new, key, no_key=no_key, limit=limit, as_json=as_json)
    else:
        if key or no_key:
            raise InvalidInputError(
                f"{old} and {new} are not both tables, so rows have no key",
                kind=ErrorKind.INVALID_REQUEST,
                hint=f"Tables end in {', '.join(_TABLES)}",
            )
        found = lake.files.diff_text(old, new, limit=limit)
        print_text_diff(found, old, new, as_json=as_json)


def show_tables(
    context: CliContext,
    old: str,
    new: str,
    key: tuple[str, ...],
    *,
    no_key: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """Compare two tables and print how they differ."""
    found = context.lake.files.diff_table(
        old, new, key=key_of(key, no_key=no_key), limit=limit or DEFAULT_ROWS
    )
    print_table_diff(found, as_json=as_json)


def key_of(key: tuple[str, ...], *, no_key: bool) -> tuple[str, ...] | None:
    """Return the key that options ask for: none for whole rows, None to have it guessed."""
    return () if no_key else key or None


def print_text_diff(found: TextDiff, old: str, new: str, *, as_json: bool) -> None:
    """Print hunks: for a terminal with colours and nothing that steers it, else as a patch."""
    if as_json:
        print_json(found)
    elif found.is_binary and not found.is_equal:
        click.echo(f"{printable(old)} and {printable(new)} differ, and are not both text")
    elif sys.stdout.isatty():
        for line in found.unified(old, new):
            shown = "\t".join(printable(part) for part in line.split("\t"))
            click.secho(shown, fg=_COLOURS.get(line[:1]), bold=line.startswith(("---", "+++")))
    else:
        for line in found.unified(_patch_name(old), _patch_name(new)):
            click.echo(f"{line}\n".encode("utf-8", "surrogateescape"), nl=False)
    if not as_json:
        _print_what_lines_do_not_show(found)


def _patch_name(address: str) -> str:
    """Return a name for a patch's heading: a newline in it would begin a line of its own."""
    return printable(address)


def _print_what_lines_do_not_show(found: TextDiff) -> None:
    for name, old, new in (
        ("encoding", found.old_encoding, found.new_encoding),
        ("line ends", found.old_newline, found.new_newline),
    ):
        if old != new and not found.is_binary:
            click.echo(f"{name}: {old} before, {new} now", err=True)
    if found.has_more:
        click.echo("There are more hunks; --limit shows more of them", err=True)


def print_table_diff(found: TableDiff, *, as_json: bool) -> None:
    """Print how two tables differ: counts, columns, and the rows that were asked for."""
    if as_json:
        print_json(found.shown())
    else:
        _print_tables(found.shown())


def _print_tables(found: TableDiff) -> None:
    if found.is_equal:
        click.echo("No differences")
        return
    key = ", ".join(found.key) + (" (guessed)" if found.key_is_guessed else "")
    print_fields(
        [
            ("rows", f"{found.old_rows} before, {found.new_rows} now"),
            ("key", key or "none: whole rows are compared"),
            ("added", str(found.added)),
            ("removed", str(found.removed)),
            ("changed", str(found.changed)),
            ("duplicate keys", found.duplicate_keys or ""),
        ]
    )
    if found.columns:
        click.echo()
        print_table(
            found.columns,
            [
                ("COLUMN", lambda one: one.name),
                ("", lambda one: one.kind),
                ("OLD", lambda one: one.old or ""),
                ("NEW", lambda one: one.new or ""),
            ],
            empty="",
        )
    if found.changes_by_column:
        click.echo()
        print_table(
            found.changes_by_column.items(),
            [("COLUMN", lambda one: one[0]), ("CHANGED", lambda one: one[1])],
            empty="",
        )
    if found.rows:
        click.echo()
        print_table(
            found.rows,
            [
                ("", lambda row: _ROW_MARKS[row.kind]),
                ("KEY", lambda row: _values(row.key)),
                ("VALUES", _what_changed),
                ("TIMES", lambda row: row.count if row.count > 1 else ""),
            ],
            empty="",
        )
    if found.has_more:
        click.echo("There are more rows; --limit shows more of them", err=True)


def _what_changed(row: RowChange) -> str:
    if row.old is not None and row.new is not None:
        return ", ".join(
            f"{name}: {_value(value)} > {_value(row.new[name])}" for name, value in row.old.items()
        )
    return _values(row.old_or_new())


def _values(values: dict[str, object]) -> str:
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    return "NULL" if value is None else repr(value) if value == "" else str(value)
