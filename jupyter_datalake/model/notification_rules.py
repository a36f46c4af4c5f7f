"""The written form of rules of notifications: its JSON Schema, and what it is turned into."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from jupyter_datalake.model.algebra import MisfitError
from jupyter_datalake.model.notifications import (
    RULE_OCCASIONS,
    VARIABLE_PREFIX,
    Channel,
    Email,
    InJupyter,
    NotifyCommand,
    NotifyRule,
    Occasion,
    Webhook,
)

_VARIABLE = {
    "type": "string",
    "pattern": f"^{VARIABLE_PREFIX}[A-Z0-9_]+$",
}
_ADDRESS = {"type": "string", "pattern": '^[^@\\s,;<>"]+@[^@\\s,;<>"]+$', "maxLength": 254}

RULES_SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": "Who is told when jobs end; the rules of the lake when left out, nobody when"
    " empty.",
    "items": {
        "type": "object",
        "description": "Exactly one of webhook, email, command and jupyter.",
        "additionalProperties": False,
        "properties": {
            "on": {
                "type": "array",
                "minItems": 1,
                "items": {"enum": [str(one) for one in RULE_OCCASIONS]},
                "default": [str(Occasion.FAILURE)],
            },
            "after": {
                "type": "string",
                "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$",
                "description": "When a job is late: so long after it was created.",
            },
            "webhook": {
                "type": "object",
                "description": "A JSON document is posted.",
                "additionalProperties": False,
                "properties": {
                    "url": {"type": "string", "minLength": 1},
                    "url_from": {
                        **_VARIABLE,
                        "description": "Instead of url: the environment variable of the controller"
                        " that holds it.",
                    },
                    "key_from": {
                        **_VARIABLE,
                        "description": "The environment variable of the controller that holds the"
                        " key which it is signed with.",
                    },
                },
            },
            "email": {
                "type": "object",
                "description": "A letter, by the mail server of the controller's environment.",
                "additionalProperties": False,
                "required": ["to"],
                "properties": {"to": {"type": "array", "minItems": 1, "items": _ADDRESS}},
            },
            "command": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string"},
                "description": "A program and its arguments, run on the controller's machine with"
                " the facts as JSON on its input.",
            },
            "jupyter": {"const": True, "description": "Who has JupyterLab open sees it."},
        },
    },
}

GRAMMAR = {
    str(_VARIABLE["pattern"]): f"where the name of a variable belongs, {VARIABLE_PREFIX}…",
    str(_ADDRESS["pattern"]): "where an e-mail address belongs",
}
"""Pattern to what it asks for, in words."""

_CHANNELS = ("webhook", "email", "command", "jupyter")


def parse_rule(raw: dict[str, Any], place: str, after_s: float | None) -> NotifyRule:
    """Return the rule of a document that the schema allows, or raise `MisfitError`.

    Parameters
    ----------
    after_s
        What its key ``after`` says.
    """
    named = [one for one in _CHANNELS if one in raw]
    if len(named) != 1:
        raise MisfitError(place, f"needs exactly one of {', '.join(_CHANNELS)}")
    occasions = tuple(dict.fromkeys(Occasion(one) for one in raw.get("on", [Occasion.FAILURE])))
    if (after_s is not None) != (Occasion.LATE in occasions):
        raise MisfitError(place, "needs 'after' if, and only if, it is on 'late'")
    match named[0]:
        case "webhook":
            channel: Channel = _parse_webhook(raw["webhook"], f"{place}.webhook")
        case "email":
            channel = Email(tuple(raw["email"]["to"]))
        case "command":
            channel = NotifyCommand(tuple(raw["command"]))
        case _:
            channel = InJupyter()
    return NotifyRule(channel, occasions, after_s)


def _parse_webhook(raw: dict[str, Any], place: str) -> Webhook:
    if ("url" in raw) == ("url_from" in raw):
        raise MisfitError(place, "needs exactly one of url and url_from")
    if "url" in raw and not is_web_url(raw["url"]):
        raise MisfitError(
            f"{place}.url", "is no http or https URL without a user; put a secret one in url_from"
        )
    return Webhook(raw.get("url", ""), raw.get("url_from", ""), raw.get("key_from", ""))


def is_web_url(text: str) -> bool:
    """Tell whether a text is a URL that can be posted to, without a user or password in it."""
    if re.search(r"[\s\x00-\x1f\x7f]", text) or not text.isascii():
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port  # which is looked at when it is asked for
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def channel_as_dict(channel: Channel) -> dict[str, Any]:
    """Return the part of a rule that says where it leads."""
    match channel:
        case Webhook():
            whole = {
                "url": channel.url,
                "url_from": channel.url_from,
                "key_from": channel.key_from,
            }
            return {"webhook": {key: value for key, value in whole.items() if value}}
        case Email(to):
            return {"email": {"to": list(to)}}
        case NotifyCommand(argv):
            return {"command": list(argv)}
        case InJupyter():
            return {"jupyter": True}


def parse_channel(raw: dict[str, Any]) -> Channel:
    """Return the channel that `channel_as_dict` wrote."""
    return parse_rule(raw, "notify", None).channel
