"""One verb, four spellings: Python, command line, REST, and the front end's commands.

``lake.<nouns>.<verb>`` is ``datalake <nouns> <verb>`` and the operation ``<verb><Noun>``. What is
missing on one side is listed here with the reason, so a gap is a decision.
"""

import inspect
import re
from pathlib import Path

import click

from jupyter_datalake.cli.main import cli
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.server.openapi import load_contract

NOUNS = {
    "repos": "Repo",
    "refs": "Ref",
    "commits": "Commit",
    "files": "File",
    "sessions": "Session",
    "mounts": "Mount",
    "drive": "DriveFile",
    "pipelines": "Pipeline",
    "jobs": "Job",
    "trials": "Trial",
    "lineage": "Lineage",
    "warehouse": "Connection",
    "remotes": "Remote",
    "events": "Event",
    "notifications": "Notification",
    "maintenance": "Lake",
    "retention": "Retention",
}

# Verbs whose operation is named otherwise than by the rule.
OPERATIONS = {
    ("commits", "count"): "countCommits",
    ("commits", "diff"): "diffCommits",
    ("sessions", "diff_text"): "diffSessionText",
    ("sessions", "diff_table"): "diffSessionTable",
    ("sessions", "drafts"): "listDrafts",
    ("sessions", "drop_draft"): "dropDraft",
    ("commits", "search"): "searchCommits",
    ("jobs", "logs"): "getLogs",
    ("trials", "get_log"): "getTrialLog",
    ("trials", "get_notebook"): "getTrialNotebook",
    ("trials", "list_cells"): "listTrialCells",
    ("trials", "list_differences"): "listTrialDifferences",
    ("trials", "diff_text"): "diffTrialText",
    ("trials", "diff_table"): "diffTrialTable",
    ("jobs", "publish_fix"): "publishFix",
    ("jobs", "search_logs"): "searchLogs",
    ("lineage", "list"): "listLineage",
    ("notifications", "get_rules"): "getNotificationRules",
    ("notifications", "set_rules"): "setNotificationRules",
    ("lineage", "graph"): "getGraph",
    ("lineage", "observed"): "listObserved",
}

NOT_IN_REST = {
    ("files", "export"): "writes to the caller's own disk",
    ("files", "glob"): "the front end previews globs as datums",
    ("files", "open"): "readFile gives the bytes",
    ("files", "put_tree"): "reads the caller's own disk",
    ("files", "import_s3"): "takes as long as the data, and a request must not choose a server",
    ("files", "read_frame"): "readFile gives the bytes",
    ("sessions", "open"): "a session in hand is Python's way; REST names it in each call",
    ("sessions", "open_file"): "readSession gives the bytes",
    ("sessions", "begin"): "for this package's own use",
    ("sessions", "check_writable"): "for this package's own use",
    ("mounts", "start"): "the server does it when it starts",
    ("mounts", "stop"): "the server does it when it stops",
    ("mounts", "doctor"): "part of getDoctor",
    ("drive", "open"): "readDriveFile gives the bytes",
    ("pipelines", "apply"): "create and update are told apart by the caller",
    ("pipelines", "waits"): "part of getPipeline",
    ("commits", "look"): "how listCommits gives its pages",
    ("jobs", "follow_logs"): "getLogs gives the rest of a log from an offset on",
    ("trials", "begin"): "what runTrial does before it answers",
    ("trials", "open"): "readTrial gives the bytes",
    ("jobs", "wait"): "the event stream tells when jobs end",
    ("jobs", "latest_of_each"): "part of listPipelines",
    ("events", "last_number"): "part of getStatus",
    ("maintenance", "verify"): "reads everything: for a command, not a request",
    ("maintenance", "heal"): "reads everything: for a command, not a request",
    ("maintenance", "rebuild"): "needs the lake closed",
    ("maintenance", "restore"): "needs the lake closed",
    ("maintenance", "list_keys"): "keys are the business of whoever runs the lake",
    ("maintenance", "rotate_key"): "keys are the business of whoever runs the lake",
}

NOT_IN_CLI = {
    ("pipelines", "waits"): "part of pipelines get and plan",
    ("files", "open"): "files read writes it out",
    ("files", "put_tree"): "files put takes folders",
    ("files", "read_frame"): "a shell has no data frames",
    ("sessions", "open"): "files are staged through a mount, or put at once",
    ("sessions", "open_file"): "sessions read writes it out",
    ("sessions", "begin"): "for this package's own use",
    ("sessions", "check_writable"): "for this package's own use",
    ("sessions", "write_all"): "files put takes folders, sessions write a file",
    ("mounts", "doctor"): "part of datalake doctor",
    ("drive", "open"): "drive read writes it out",
    ("commits", "look"): "commits list waits for all it was asked for",
    ("jobs", "latest_of_each"): "part of pipelines list",
    ("jobs", "cancel_all"): "jobs cancel --all",
    ("trials", "begin"): "trials run waits for the end",
    ("trials", "open"): "trials read writes it out",
    ("jobs", "follow_logs"): "jobs logs --follow",
    ("pipelines", "apply_all"): "pipelines apply of a folder",
    ("pipelines", "promote_all"): "pipelines promote takes several",
    ("events", "last_number"): "events list shows it",
    ("maintenance", "get_doctor"): "datalake doctor works without a lake too",
}

# Commands of the front end that open a view instead of calling a verb.
VIEWS = re.compile(r"datalake:(open|show|select|copy|refresh|focus|browse|reveal)-")


def python_verbs():
    """Return (noun, verb) of every public method below `Lake`."""
    found = set()
    for noun in NOUNS:
        home = getattr(Lake, noun, None)
        kind = inspect.signature(home.func).return_annotation if hasattr(home, "func") else None
        module = __import__(f"jupyter_datalake.lake.{noun}", fromlist=["*"])
        classes = [
            value
            for value in vars(module).values()
            if inspect.isclass(value)
            and value.__module__ == module.__name__
            and (value.__doc__ or "").startswith(f"`lake.{noun}`")
        ]
        assert len(classes) == 1, (noun, classes, kind)
        found |= {
            (noun, name)
            for name, member in vars(classes[0]).items()
            if not name.startswith("_")
            and (callable(member) or isinstance(member, staticmethod | classmethod))
        }
    return found


def commands_of(group):
    """Return (name, command) of everything in a group."""
    context = click.Context(group)
    return [(name, group.get_command(context, name)) for name in group.list_commands(context)]


def cli_verbs():
    """Return (noun, verb) of every command of the nouns."""
    return {
        (noun, name.replace("-", "_"))
        for noun, group in commands_of(cli)
        if noun in NOUNS and isinstance(group, click.Group)
        for name in group.commands
    }


def operation_of(noun, verb):
    """Return the operation that the rule gives for a verb."""
    if (noun, verb) in OPERATIONS:
        return OPERATIONS[(noun, verb)]
    head, *rest = verb.split("_")
    if rest:
        return head + "".join(part.capitalize() for part in rest)
    name = NOUNS[noun] + ("s" if verb == "list" else "")
    return f"{verb}{name}"


def test_every_verb_of_python_is_an_operation_or_says_why_not():
    operations = set(load_contract().operations)
    missing = {
        f"{noun}.{verb} -> {operation_of(noun, verb)}"
        for noun, verb in python_verbs() - set(NOT_IN_REST)
        if operation_of(noun, verb) not in operations
    }
    assert missing == set()


def test_every_operation_is_a_verb_of_python():
    verbs = {operation_of(noun, verb) for noun, verb in python_verbs()}
    assert set(load_contract().operations) - verbs == {"followEvents"}


def test_every_verb_of_python_is_a_command_or_says_why_not():
    assert python_verbs() - cli_verbs() - set(NOT_IN_CLI) == set()


def test_every_command_is_a_verb_of_python():
    assert cli_verbs() - python_verbs() == set()


def test_every_command_can_print_json_or_prints_bytes():
    raw = {("files", "read"), ("drive", "read"), ("sessions", "read"), ("jobs", "get_notebook")}
    raw |= {("trials", "read"), ("trials", "get_notebook")}
    for noun, group in commands_of(cli):
        if noun in NOUNS and isinstance(group, click.Group):
            for name, command in group.commands.items():
                options = {option for one in command.params for option in one.opts}
                is_raw = (noun, name.replace("-", "_")) in raw
                assert ("--json" in options) != is_raw, f"{noun} {name}"


def test_exceptions_are_still_exceptions():
    verbs = python_verbs()
    operations = set(load_contract().operations)
    assert set(NOT_IN_REST) - verbs == set()
    assert set(NOT_IN_CLI) - verbs == set()
    assert {one for one in NOT_IN_REST if operation_of(*one) in operations} == set()
    assert set(NOT_IN_CLI) & cli_verbs() == set()


def test_the_front_end_s_commands_are_verbs_too():
    source = Path(__file__).parents[3] / "src" / "commands.ts"
    commands = set(re.findall(r"'(datalake:[a-z-]+)'", source.read_text(encoding="utf-8")))
    assert commands
    verbs = {
        re.sub(r"([A-Z])", lambda match: f"-{match[1].lower()}", name)
        for name in load_contract().operations
    }
    unknown = {
        name
        for name in commands
        if not VIEWS.match(name) and name.removeprefix("datalake:") not in verbs
    }
    assert unknown == set()
