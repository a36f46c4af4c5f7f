"""``datalake warehouse``."""

from __future__ import annotations

import click

from jupyter_datalake.cli.context import (
    CliContext,
    json_option,
    limit_option,
    pass_context,
)
from jupyter_datalake.cli.output import print_fields, print_json, print_table, time_text


@click.group("warehouse")
def group() -> None:
    """Named ways into databases with tables."""


@group.command("list")
@json_option
@pass_context
def list_connections(context: CliContext, as_json: bool) -> None:
    """List connections."""
    connections = context.lake.warehouse.list()
    if as_json:
        print_json(connections)
        return
    print_table(
        connections,
        [
            ("NAME", lambda one: one.name),
            ("ENGINE", lambda one: one.engine),
            ("OPTIONS", lambda one: ", ".join(f"{k}={v}" for k, v in one.options.items())),
        ],
        empty="No connections yet. Create one: datalake warehouse create NAME duckdb:///FILE",
    )


@group.command("get")
@click.argument("name")
@json_option
@pass_context
def get(context: CliContext, name: str, as_json: bool) -> None:
    """Show one connection."""
    found = context.lake.warehouse.get(name)
    if as_json:
        print_json(found)
        return
    print_fields(
        [
            ("name", found.name),
            ("engine", found.engine),
            *found.options.items(),
            ("created", f"{time_text(found.created_at)} by {found.created_by}"),
        ]
    )


@group.command("create")
@click.argument("name")
@click.argument("url")
@json_option
@pass_context
def create(context: CliContext, name: str, url: str, as_json: bool) -> None:
    """Name a way into a warehouse: duckdb:///folder/file.duckdb."""
    made = context.lake.warehouse.create(name, url)
    if as_json:
        print_json(made)
    else:
        click.echo(f"Created connection {made.name} to {made.engine}")


@group.command("delete")
@click.argument("name")
@json_option
@pass_context
def delete(context: CliContext, name: str, as_json: bool) -> None:
    """Forget a connection; the warehouse is left alone."""
    context.lake.warehouse.delete(name)
    if as_json:
        print_json({"deleted": name})
    else:
        click.echo(f"Removed connection {name}")


@group.command("list-tables")
@click.argument("name")
@json_option
@pass_context
def list_tables(context: CliContext, name: str, as_json: bool) -> None:
    """List the tables that a connection leads to."""
    tables = context.lake.warehouse.list_tables(name)
    if as_json:
        print_json(tables)
        return
    print_table(
        tables,
        [
            ("TABLE", lambda table: table.name),
            ("ROWS", lambda table: f"{table.row_count:,}"),
            ("COLUMNS", lambda table: ", ".join(table.columns)),
        ],
        empty="The warehouse has no tables",
    )


@group.command("query")
@click.argument("name")
@click.argument("sql")
@limit_option(100)
@json_option
@pass_context
def query(context: CliContext, name: str, sql: str, limit: int, as_json: bool) -> None:
    """Print the first rows of a query's answer."""
    found = context.lake.warehouse.query(name, sql, limit=limit)
    if as_json:
        rows = [{key: str(value) for key, value in row.items()} for row in found.rows]
        print_json({"columns": found.columns, "rows": rows, "has_more": found.has_more})
        return
    columns = [(name, lambda row, key=name: row[key]) for name in found.columns]
    print_table(found.rows, columns, empty="No rows")
    if found.has_more:
        click.echo("… and more")
