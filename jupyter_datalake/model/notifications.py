"""Notifications: who is told when a job ends, by which way, and how far that is.

A rule says on which occasions somebody is told. Each time one applies, a notification is written
down in the transaction of the occasion, and sent later; see `pipelines.notifying`. What a rule
holds is stored and shown: secrets are named by environment variables of the controller.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

VARIABLE_PREFIX = "DATALAKE_NOTIFY_"
"""What the variables begin with that a rule may name: no spec sends other secrets anywhere."""

MAX_TRIES = 8
_BACKOFF_S = 5.0
_BACKOFF_FACTOR = 4
_MAX_BACKOFF_S = 3600.0


class Occasion(StrEnum):
    """What somebody is told of."""

    SUCCESS = "success"
    """A job ended well, with a new commit or without; not one that was cut off."""
    FAILURE = "failure"
    """A job failed, for whatever reason."""
    RECOVERED = "recovered"
    """A job went on without the results of datums, which were left out or recovered."""
    UNEXPECTED = "unexpected"
    """An output is not what is expected of it, whether that fails the job or only warns."""
    TIMEOUT = "timeout"
    """A job was stopped after its time; that is a failure too."""
    CANCELLED = "cancelled"
    """A job was cancelled by request."""
    BLOCKED = "blocked"
    """A job did not run, because one upstream of it failed or was cancelled."""
    UNCLEAN = "unclean"
    """The step ``finally`` of a job failed."""
    LATE = "late"
    """A job has not ended so long after it was created."""
    MISSED = "missed"
    """Ticks of a clock became no job of their own: no controller was there for them."""
    TEST = "test"
    """Somebody asked for it."""


RULE_OCCASIONS = tuple(one for one in Occasion if one is not Occasion.TEST)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A JSON document is posted to a URL."""

    url: str = ""
    url_from: str = ""
    """The variable that holds the URL, where that is secret."""
    key_from: str = ""
    """The variable that holds the key it is signed with; unsigned when empty."""


@dataclass(frozen=True, slots=True)
class Email:
    """A letter, by the mail server that the controller's environment names."""

    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotifyCommand:
    """A program is run on the controller's machine, with the facts as JSON on its input."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InJupyter:
    """Whoever has JupyterLab open sees it."""


Channel = Webhook | Email | NotifyCommand | InJupyter


@dataclass(frozen=True, slots=True)
class NotifyRule:
    """On which occasions somebody is told, and how."""

    channel: Channel
    on: tuple[Occasion, ...] = (Occasion.FAILURE,)
    after_s: float | None = None
    """When a job is late: so long after it was created."""


class NotificationState(StrEnum):
    """How far a notification is."""

    ARMED = "armed"
    """It is sent if its job has not ended by then."""
    PENDING = "pending"
    """To be sent, or to be tried again."""
    SENT = "sent"
    FAILED = "failed"
    """It was given up after its last try; it can be retried by hand."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one place."""

    id: str
    """Equal in all tries, so that a receiver can tell a repetition."""
    number: int
    pipeline: str
    """Empty for a test of the rules of the lake."""
    job_id: str | None
    occasions: tuple[Occasion, ...]
    channel: str
    """``webhook``, ``email``, ``command`` or ``jupyter``."""
    target: str
    """Where it goes, without what may be secret."""
    state: NotificationState
    tries: int
    title: str
    text: str
    message: str
    """Why the last try failed."""
    created_at: datetime
    next_at: datetime | None
    """When it is tried next; None when it has ended."""
    finished_at: datetime | None


def backoff_s(tries: int) -> float:
    """Return how long after so many tries the next one is made.

    >>> backoff_s(1), backoff_s(3), backoff_s(7)
    (5.0, 80.0, 3600.0)
    """
    return min(_BACKOFF_S * float(_BACKOFF_FACTOR) ** (tries - 1), _MAX_BACKOFF_S)


def target_of(channel: Channel) -> str:
    """Return where a channel leads, without what may be secret, as the path of a URL is."""
    match channel:
        case Webhook(url_from=name) if name:
            return f"${name}"
        case Webhook(url=url):
            parts = urlsplit(url)
            return f"{parts.scheme}://{parts.netloc}"
        case Email(to):
            return ", ".join(to)
        case NotifyCommand(argv):
            return argv[0]
        case InJupyter():
            return "JupyterLab"
