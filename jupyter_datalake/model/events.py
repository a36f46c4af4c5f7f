"""Events: the numbered log of what happened, followed by the controller and the panel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class EventKind(StrEnum):
    """What an event tells; clients ignore kinds they do not know."""

    REPO_CREATED = "repo.created"
    REPO_CHANGED = "repo.changed"
    REPO_DELETED = "repo.deleted"
    REF_MOVED = "ref.moved"
    SESSION_CHANGED = "session.changed"
    MOUNT_CHANGED = "mount.changed"
    PIPELINE_CHANGED = "pipeline.changed"
    JOB_CHANGED = "job.changed"
    DATUM_CHANGED = "datum.changed"
    CONNECTION_CHANGED = "connection.changed"
    REMOTE_CHANGED = "remote.changed"
    """A remote was named or forgotten, or a push or pull ended; `details` say which."""
    COLLECTION_CHANGED = "collection.changed"
    """A run of gc began or ended; `details` say how. The subject is its number."""
    REPRODUCTION_ENDED = "reproduction.ended"
    """What made a commit was run again; `details` say what came of it."""

    TRIAL_CHANGED = "trial.changed"
    """A trial went on or ended; `details` tell pipeline and state. The subject is its id."""

    NOTIFICATION_CREATED = "notification.created"
    """Somebody is to be told in JupyterLab; `details` hold the title, text, kind of message, job
    and pipeline. The subject is the id."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    number: int
    """Grows by one or more with each event of a lake; a follower resumes behind the last seen."""
    at: datetime
    kind: EventKind
    subject: str
    """Name of the repo, pipeline, mount … or id of the job or session it is about."""
    details: dict[str, Any]
