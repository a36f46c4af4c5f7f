"""``datalake files``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from jupyter_datalake.cli.context import CliContext, json_option, limit_option, pass_context
from jupyter_datalake.cli.diffs import print_text_diff, show_tables
from jupyter_datalake.cli.output import (
    id_text,
    print_fields,
    print_json,
    print_table,
    size_text,
)
from jupyter_datalake.cli.previews import print_preview, print_statistics
from jupyter_datalake.errors import AlreadyExistsError, ErrorKind
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.files import FileInfo, FileKind
from jupyter_datalake.model.table_diffs import DEFAULT_ROWS
from jupyter_datalake.model.text import printable

_PIECE_BYTES = 1024 * 1024


@click.group("files")
def group() -> None:
    """What commits hold. Places are repo@ref/path."""


@group.command("list")
@click.argument("address")
@limit_option(None)
@json_option
@pass_context
def list_files(context: CliContext, address: str, limit: int | None, as_json: bool) -> None:
    """List the children of a folder."""
    files = context.lake.files.list(address, limit=limit, measure=True)
    if as_json:
        print_json(files)
    else:
        _print_files(files, empty="The folder is empty")


@group.command("glob")
@click.argument("address")
@click.argument("pattern")
@json_option
@pass_context
def glob(context: CliContext, address: str, pattern: str, as_json: bool) -> None:
    """List what a glob matches in a commit: /*, /**/*.csv, /{a,b}/*."""
    files = context.lake.files.glob(address, pattern)
    if as_json:
        print_json(files)
    else:
        _print_files(files, empty=f"Nothing matches {pattern} in {address}")


def _print_files(files: Sequence[FileInfo], *, empty: str) -> None:
    print_table(
        files,
        [
            ("NAME", lambda info: info.path + ("/" if info.kind is FileKind.FOLDER else "")),
            ("SIZE", lambda info: size_text(info.size_bytes)),
            ("FILES", lambda info: info.file_count if info.kind is FileKind.FOLDER else ""),
            ("DIGEST", lambda info: id_text(info.digest and info.digest.hex())),
        ],
        empty=empty,
    )


@group.command("get")
@click.argument("address")
@json_option
@pass_context
def get(context: CliContext, address: str, as_json: bool) -> None:
    """Show what is at a place."""
    info = context.lake.files.get(address)
    if as_json:
        print_json(info)
        return
    print_fields(
        [
            ("path", info.path or "/"),
            ("kind", info.kind),
            ("size", size_text(info.size_bytes)),
            ("files", info.file_count if info.kind is FileKind.FOLDER else ""),
            ("mode", f"{info.mode:04o}"),
            ("digest", info.digest and info.digest.hex()),
            ("target", info.target),
        ]
    )


@group.command("read")
@click.argument("address")
@pass_context
def read(context: CliContext, address: str) -> None:
    """Write a file's bytes to standard output."""
    with context.lake.files.open(address) as file:
        while piece := file.read(_PIECE_BYTES):
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


@group.command("diff-text")
@click.argument("old")
@click.argument("new")
@limit_option(None)
@json_option
@pass_context
def diff_text(context: CliContext, old: str, new: str, limit: int | None, as_json: bool) -> None:
    """Show how two files differ line by line, as a patch."""
    print_text_diff(context.lake.files.diff_text(old, new, limit=limit), old, new, as_json=as_json)


@group.command("diff-table")
@click.argument("old")
@click.argument("new")
@click.option("--key", multiple=True, help="Column that names a row; may be repeated.")
@click.option("--no-key", is_flag=True, help="Compare whole rows.")
@limit_option(DEFAULT_ROWS)
@json_option
@pass_context
def diff_table(
    context: CliContext,
    old: str,
    new: str,
    key: tuple[str, ...],
    no_key: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Show how two tables, CSV or Parquet, differ in columns and rows.

    Without --key, a column is guessed whose values are all there and all distinct.
    """
    show_tables(context, old, new, key, no_key=no_key, limit=limit, as_json=as_json)


@group.command("preview")
@click.argument("address")
@click.option("--offset", type=click.IntRange(0), default=0, help="Rows or lines to leave out.")
@limit_option(20)
@json_option
@pass_context
def preview(context: CliContext, address: str, offset: int, limit: int, as_json: bool) -> None:
    """Show rows of a table, lines of a text, or what is known of any other file."""
    found = context.lake.files.preview(address, offset=offset, limit=limit)
    if as_json:
        print_json(found)
    else:
        print_preview(found)


@group.command("describe")
@click.argument("address")
@click.option("--column", multiple=True, help="Only this column; may be repeated.")
@json_option
@pass_context
def describe(context: CliContext, address: str, column: tuple[str, ...], as_json: bool) -> None:
    """Show what the columns of a table hold: counts, ends, quantiles, histograms."""
    found = context.lake.files.describe(address, columns=column or None)
    if as_json:
        print_json(found)
    else:
        print_statistics(found)


@group.command("export")
@click.argument("address")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--link",
    type=click.Choice(["copy", "hardlink", "reflink"]),
    default="copy",
    show_default=True,
    help="Give each file its own bytes, or those of a read-only file that all exports share"
    " (hardlink), or blocks that are shared until one is written to (reflink).",
)
@json_option
@pass_context
def export(context: CliContext, address: str, target: Path, link: str, as_json: bool) -> None:
    """Write a file or folder to a local place that does not exist yet."""
    if target.absolute().is_relative_to(context.lake.core.work_folder.parent):
        raise AlreadyExistsError(
            f"{target} lies inside the lake itself",
            kind=ErrorKind.PATH_EXISTS,
            hint="Choose a place outside of it",
        )
    written = context.lake.files.export(address, target, link=link)
    if as_json:
        print_json({"target": str(target), "size_bytes": written})
    else:
        click.echo(f"Wrote {size_text(written)} to {target}")


@group.command("put")
@click.argument("address")
@click.argument("source", type=click.Path(path_type=Path, allow_dash=True))
@click.option("-m", "--message", help="What changed and why.")
@click.option(
    "--no-cache",
    is_flag=True,
    help="Read every file, whatever its times say.",
)
@click.option("--no-ignore", is_flag=True, help="Take what .datalakeignore leaves out, too.")
@json_option
@pass_context
def put(
    context: CliContext,
    address: str,
    source: Path,
    message: str | None,
    no_cache: bool,
    no_ignore: bool,
    as_json: bool,
) -> None:
    """Commit a local file or folder; - is standard input.

    A folder's contents are put at ADDRESS, as they are named below the folder. Files called
    .datalakeignore in it say what is left out, with the patterns of .gitignore.
    """
    if "@" in str(source) and not source.exists() and Path(address).exists():
        given = printable(f"{source} {address}")
        raise click.UsageError(f"The place in the lake comes first: datalake files put {given}")
    if str(source) == "-":
        # Unbuffered: a buffer that fills itself from a slow pipe does not look for Ctrl-C.
        stream = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
        _done(context.lake.files.put(address, stream, message=message), as_json)
    elif source.is_dir():
        commit, skipped = context.lake.files.put_tree(
            address, source, message=message, use_cache=not no_cache, ignore=not no_ignore
        )
        for line in skipped:
            click.echo(f"left out: {printable(line)}", err=True)
        _done(commit, as_json)
    else:
        _done(context.lake.files.put(address, source, message=message), as_json)


@group.command("import-s3")
@click.argument("address")
@click.argument("url")
@click.option("-m", "--message", help="What changed and why.")
@click.option("--no-cache", is_flag=True, help="Read every object, also those known by their ETag.")
@json_option
@pass_context
def import_s3(
    context: CliContext, address: str, url: str, message: str | None, no_cache: bool, as_json: bool
) -> None:
    """Commit every object below s3://bucket/prefix?endpoint_url=...&region=...

    A second time, only what changed in the bucket is read.
    """
    commit, skipped = context.lake.files.import_s3(
        address, url, message=message, use_cache=not no_cache
    )
    for line in skipped:
        click.echo(f"left out: {printable(line)}", err=True)
    _done(commit, as_json)


@group.command("share")
@click.argument("address")
@click.option(
    "--expires",
    "expires_s",
    type=click.IntRange(1),
    default=3600,
    show_default=True,
    help="Seconds that the link works; at most a week.",
)
@json_option
@pass_context
def share(context: CliContext, address: str, expires_s: int, as_json: bool) -> None:
    """Print a link by which whoever has it may download a file; of lakes in S3."""
    shared = context.lake.files.share(address, expires_s=expires_s)
    if as_json:
        print_json(shared)
    else:
        click.echo(shared.url)


@group.command("delete")
@click.argument("address")
@click.option("-m", "--message", help="What changed and why.")
@json_option
@pass_context
def delete(context: CliContext, address: str, message: str | None, as_json: bool) -> None:
    """Commit the removal of a file or folder."""
    _done(context.lake.files.delete(address, message=message), as_json)


@group.command("copy")
@click.argument("source")
@click.argument("target")
@click.option("-m", "--message", help="What changed and why.")
@json_option
@pass_context
def copy(context: CliContext, source: str, target: str, message: str | None, as_json: bool) -> None:
    """Commit a copy, also between repos; no bytes move."""
    _done(context.lake.files.copy(source, target, message=message), as_json)


@group.command("rename")
@click.argument("address")
@click.argument("path")
@click.option("-m", "--message", help="What changed and why.")
@json_option
@pass_context
def rename(
    context: CliContext, address: str, path: str, message: str | None, as_json: bool
) -> None:
    """Commit a move of a file or folder to PATH in its branch; no bytes move."""
    _done(context.lake.files.rename(address, path, message=message), as_json)


@group.command("restore")
@click.argument("source")
@click.option("--branch", default="main", show_default=True, help="The branch to restore it in.")
@click.option("-m", "--message", help="What changed and why.")
@json_option
@pass_context
def restore(
    context: CliContext, source: str, branch: str, message: str | None, as_json: bool
) -> None:
    """Commit to a branch what SOURCE, repo@ref/path, has at its path."""
    _done(context.lake.files.restore(source, branch=branch, message=message), as_json)


def _done(commit: Commit, as_json: bool) -> None:
    if as_json:
        print_json(commit)
    else:
        click.echo(f"Committed {id_text(commit.id)} to {commit.repo}@{commit.branch}")
