"""``datalake drive``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import cast

import click

from jupyter_datalake.cli.context import (
    CliContext,
    default_mountpoint,
    json_option,
    limit_option,
    pass_context,
)
from jupyter_datalake.cli.output import id_text, print_fields, print_json, print_table, size_text
from jupyter_datalake.engine.sources import Source
from jupyter_datalake.model.drive import DriveFile
from jupyter_datalake.model.files import FileKind
from jupyter_datalake.model.text import printable


@click.group("drive")
def group() -> None:
    """Files of mounts that have no folder. Places are raw/path, or raw@ref/path."""


_at_option = click.option(
    "--at", default=default_mountpoint, help="The mount point; DATALAKE_MOUNTPOINT by default."
)


@group.command("list")
@click.argument("path", default="/")
@limit_option(None)
@_at_option
@json_option
@pass_context
def list_files(
    context: CliContext, path: str, limit: int | None, at: str | None, as_json: bool
) -> None:
    """List a folder; without a path, what is mounted."""
    files = context.lake.drive.list(path, limit=limit, at=at)
    if as_json:
        print_json(files)
        return
    print_table(
        files,
        [
            ("NAME", lambda file: file.name + ("/" if file.kind is FileKind.FOLDER else "")),
            (
                "SIZE",
                lambda file: "" if file.kind is FileKind.FOLDER else size_text(file.size_bytes),
            ),
            ("ACCESS", _access_text),
            ("DIGEST", lambda file: id_text(file.digest and file.digest.hex())),
        ],
        empty="The folder is empty",
    )


def _access_text(file: DriveFile) -> str:
    return "writable" if file.is_writable else "read-only"


@group.command("get")
@click.argument("path")
@_at_option
@json_option
@pass_context
def get(context: CliContext, path: str, at: str | None, as_json: bool) -> None:
    """Show what is at a place."""
    file = context.lake.drive.get(path, at=at)
    if as_json:
        print_json(file)
        return
    print_fields(
        [
            ("path", file.path or "/"),
            ("kind", file.kind),
            ("size", size_text(file.size_bytes)),
            ("access", _access_text(file)),
            ("repo", file.repo and f"{file.repo}@{file.ref}"),
            ("commit", file.commit_id),
            ("session", file.session_id),
            ("digest", file.digest and file.digest.hex()),
            ("target", file.target),
        ]
    )


@group.command("read")
@click.argument("path")
@_at_option
@pass_context
def read(context: CliContext, path: str, at: str | None) -> None:
    """Write a file's bytes to standard output."""
    with context.lake.drive.open(path, at=at) as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()


@group.command("put")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.argument("path")
@click.option("--offset", type=int, help="Where in the file; -1 for its end.")
@_at_option
@json_option
@pass_context
def put(
    context: CliContext, source: str, path: str, offset: int | None, at: str | None, as_json: bool
) -> None:
    """Stage a local file, or standard input for -; it is committed with its session."""
    content = cast("Source", sys.stdin.buffer) if source == "-" else Path(source)
    _say(context.lake.drive.put(path, content, offset=offset, at=at), "Staged", as_json=as_json)


@group.command("make-folder")
@click.argument("path")
@_at_option
@json_option
@pass_context
def make_folder(context: CliContext, path: str, at: str | None, as_json: bool) -> None:
    """Stage a folder."""
    _say(context.lake.drive.make_folder(path, at=at), "Made", as_json=as_json)


@group.command("rename")
@click.argument("path")
@click.argument("new_path")
@click.option("--replace", is_flag=True, help="A file at the new path makes way.")
@_at_option
@json_option
@pass_context
def rename(
    context: CliContext, path: str, new_path: str, replace: bool, at: str | None, as_json: bool
) -> None:
    """Stage a move of a file or folder within its mount."""
    _say(
        context.lake.drive.rename(path, new_path, replace=replace, at=at),
        "Moved to",
        as_json=as_json,
    )


@group.command("copy")
@click.argument("path")
@click.argument("new_path")
@_at_option
@json_option
@pass_context
def copy(context: CliContext, path: str, new_path: str, at: str | None, as_json: bool) -> None:
    """Stage a copy of a file or folder, also of another mount or commit."""
    _say(context.lake.drive.copy(path, new_path, at=at), "Copied to", as_json=as_json)


@group.command("delete")
@click.argument("path")
@_at_option
@json_option
@pass_context
def delete(context: CliContext, path: str, at: str | None, as_json: bool) -> None:
    """Stage the removal of a file, or of a folder with everything in it."""
    context.lake.drive.delete(path, at=at)
    if as_json:
        print_json({"deleted": path})
    else:
        click.echo(f"Deleted {printable(path)}")


def _say(file: DriveFile, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(file)
    else:
        click.echo(f"{done} {printable(file.path)}")
