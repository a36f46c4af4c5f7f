"""Write ``docs/reference``: commands, REST, errors, settings and the pipeline schema.

``--check`` writes nothing and fails if what is there is not what would be written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from jupyter_datalake.cli.main import cli
from jupyter_datalake.errors import CATEGORIES, ErrorKind
from jupyter_datalake.model.pipeline_schema import PIPELINE_SCHEMA
from jupyter_datalake.model.templates import TEMPLATE_SCHEMA, TEMPLATE_USE_SCHEMA
from jupyter_datalake.server.extension import DatalakeExtension
from jupyter_datalake.server.openapi import load_contract

HERE = Path(__file__).resolve().parent.parent
FOLDER = HERE / "docs" / "reference"
NOTE = "<!-- written by scripts/reference.py; do not edit -->\n"


def commands() -> str:
    """Return the command line as Markdown."""
    parts = [f"{NOTE}\n# Commands\n"]
    for path, command in walk(cli, ("datalake",)):
        context = click.Context(command, info_name=" ".join(path))
        depth = "#" * min(len(path) + 1, 4)
        parts.append(f"{depth} {' '.join(path)}\n\n```\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def walk(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below one, with its path, in order of name."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from walk(found, (*path, name))


def rest() -> str:
    """Return the operations as Markdown."""
    contract = load_contract()
    lines = [
        f"{NOTE}\n# REST\n",
        "Everything is below `<base_url>/datalake`; the whole contract, with schemas, is"
        " `jupyter_datalake/server/openapi.yaml`.\n",
        "| operation | method and path | what |\n|---|---|---|",
    ]
    for path, item in contract.document["paths"].items():
        for method, raw in item.items():
            if method != "parameters":
                summary = raw["summary"].replace("|", "\\|")
                lines.append(f"| `{raw['operationId']}` | `{method.upper()} {path}` | {summary} |")
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Return the error categories and kinds as Markdown."""
    lines = [
        f"{NOTE}\n# Errors\n",
        "A *category* says what a caller would do; a *kind* says what exactly happened and never"
        " changes its name. REST answers `{kind, message, retryable, details}`; `--json` prints"
        " the same to standard error.\n",
        "| category | HTTP | exit code | errno | meaning |\n|---|---|---|---|---|",
    ]
    for one in CATEGORIES:
        lines.append(
            f"| `{one.error.__name__}` | {one.http_status} | {one.exit_code} | {one.errno} |"
            f" {one.meaning} |"
        )
    lines.append("\n## Kinds\n")
    lines.append(", ".join(f"`{kind}`" for kind in ErrorKind) + "\n")
    return "\n".join(lines)


def settings() -> str:
    """Return the server's settings as Markdown."""
    lines = [
        f"{NOTE}\n# Settings of the server\n",
        "In `jupyter_server_config.py` as `c.DatalakeExtension.<name>`, or on the command line as"
        " `--DatalakeExtension.<name>=…`.\n",
        "| name | default | what |\n|---|---|---|",
    ]
    own = DatalakeExtension.class_own_traits(config=True)
    for name, trait in sorted(own.items()):
        text = " ".join(str(trait.help).split())
        lines.append(f"| `{name}` | `{trait.default_value!r}` | {text} |")
    return "\n".join(lines) + "\n"


def documents() -> dict[str, str]:
    """Return every generated file by name."""
    schema: dict[str, Any] = PIPELINE_SCHEMA
    return {
        "cli.md": commands(),
        "rest.md": rest(),
        "errors.md": errors(),
        "settings.md": settings(),
        "pipeline.schema.json": json.dumps(schema, indent=2) + "\n",
        "template.schema.json": json.dumps(TEMPLATE_SCHEMA, indent=2) + "\n",
        "template-use.schema.json": json.dumps(TEMPLATE_USE_SCHEMA, indent=2) + "\n",
    }


def main() -> int:
    """Write or check the files and return the exit code."""
    stale = []
    for name, text in documents().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/reference/{name} " + ("is stale" if "--check" in sys.argv else "written"))
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
