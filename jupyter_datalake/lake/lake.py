"""`Lake`: the Python face of a lake.

Pipelines, jobs and warehouses bring notebooks, web clients and engines along, which cost more
than a second to import, and a command should not wait for verbs of which it has no use: most are
loaded when they are first used.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from jupyter_datalake import environment
from jupyter_datalake.config import ControllerConfig, LakeConfig, without_password
from jupyter_datalake.engine.core import LakeCore
from jupyter_datalake.lake.commits import Commits
from jupyter_datalake.lake.context import LakeContext
from jupyter_datalake.lake.default_lake import default_url
from jupyter_datalake.lake.files import Files
from jupyter_datalake.lake.opening import close_core, create_core, open_core
from jupyter_datalake.lake.recording import Recorder
from jupyter_datalake.lake.refs import Refs
from jupyter_datalake.lake.repos import Repos
from jupyter_datalake.lake.sessions import Sessions
from jupyter_datalake.lake.transactions import LakeTransaction
from jupyter_datalake.metadata.store import Clock
from jupyter_datalake.model.commits import Author
from jupyter_datalake.model.html import table_html

_MAX_REPOS = 20
"""That a notebook shows of a lake."""

if TYPE_CHECKING:
    from jupyter_datalake.lake.drive import Drive
    from jupyter_datalake.lake.events import Events
    from jupyter_datalake.lake.jobs import Jobs
    from jupyter_datalake.lake.lineage import LineageVerbs
    from jupyter_datalake.lake.maintenance import Maintenance
    from jupyter_datalake.lake.mounts import Mounts
    from jupyter_datalake.lake.notifications import Notifications
    from jupyter_datalake.lake.pipelines import Pipelines
    from jupyter_datalake.lake.remotes import Remotes
    from jupyter_datalake.lake.retention import RetentionVerbs
    from jupyter_datalake.lake.trials import Trials
    from jupyter_datalake.lake.warehouse import WarehouseVerbs


class Lake:
    """An open lake: one object store and one metadata store.

    Usage::

        lake = Lake.open("…/my-lake")
        lake.repos.create("raw")
        lake.files.put("raw@main/notes.txt", "hello")
        lake.files.read("raw@main/notes.txt")

    Safe to share between threads. Close it when done, or use it as a context manager.
    """

    def __init__(self, core: LakeCore, author: Author, *, recorder: Recorder | None = None) -> None:
        self._recorder = recorder or Recorder(core)
        self._context = context = LakeContext(core, author, self._recorder)
        self._core = core
        self.author = author
        self.repos = Repos(context)
        self.refs = Refs(context)
        self.commits = Commits(context)
        self.sessions = Sessions(context)
        self.files = Files(context, self.sessions)

    @cached_property
    def remotes(self) -> Remotes:
        """Other lakes, to push to and pull from."""
        from jupyter_datalake.lake.remotes import Remotes  # noqa: PLC0415

        return Remotes(self._context)

    @cached_property
    def events(self) -> Events:
        """The numbered log of what happened."""
        from jupyter_datalake.lake.events import Events  # noqa: PLC0415

        return Events(self._context)

    @cached_property
    def notifications(self) -> Notifications:
        """Who is told when jobs end."""
        from jupyter_datalake.lake.notifications import Notifications  # noqa: PLC0415

        return Notifications(self._context)

    @cached_property
    def mounts(self) -> Mounts:
        """Repos as folders."""
        from jupyter_datalake.lake.mounts import Mounts  # noqa: PLC0415

        return Mounts(self._context, self.sessions)

    @cached_property
    def drive(self) -> Drive:
        """Files by the paths of a mount point, without its folder."""
        from jupyter_datalake.lake.drive import Drive  # noqa: PLC0415

        return Drive(self._context)

    @cached_property
    def maintenance(self) -> Maintenance:
        """Keeping the lake in good health."""
        from jupyter_datalake.lake.maintenance import Maintenance  # noqa: PLC0415

        return Maintenance(self._context)

    @cached_property
    def retention(self) -> RetentionVerbs:
        """How much history repos keep."""
        from jupyter_datalake.lake.retention import RetentionVerbs  # noqa: PLC0415

        return RetentionVerbs(self._context)

    @cached_property
    def pipelines(self) -> Pipelines:
        """Notebooks, commands and queries that run when their inputs change."""
        from jupyter_datalake.lake.pipelines import Pipelines  # noqa: PLC0415

        return Pipelines(self._context)

    @cached_property
    def jobs(self) -> Jobs:
        """Runs of pipelines."""
        from jupyter_datalake.lake.jobs import Jobs  # noqa: PLC0415

        return Jobs(self._context)

    @cached_property
    def trials(self) -> Trials:
        """Specs that are run on some of their datums before they are published."""
        from jupyter_datalake.lake.trials import Trials  # noqa: PLC0415

        return Trials(self._context)

    @cached_property
    def lineage(self) -> LineageVerbs:
        """What was made from what."""
        from jupyter_datalake.lake.lineage import LineageVerbs  # noqa: PLC0415

        return LineageVerbs(self._context)

    @cached_property
    def warehouse(self) -> WarehouseVerbs:
        """Connections to warehouses."""
        from jupyter_datalake.lake.warehouse import WarehouseVerbs  # noqa: PLC0415

        return WarehouseVerbs(self._context)

    @classmethod
    def open(
        cls,
        url: str | os.PathLike[str] | LakeConfig | None = None,
        *,
        author: Author | None = None,
        clock: Clock = time.time_ns,
    ) -> Self:
        """Open an existing lake.

        Parameters
        ----------
        url
            A folder, as a path or a ``file://`` URL, or ``s3://bucket/prefix?…``; the one in
            ``DATALAKE_URL`` when None; the code of a job has to name it.
        author
            In whose name commits are made; the user of the operating system when None.
        clock
            Where times come from, in nanoseconds since 1970; for tests.

        Raises
        ------
        NotFoundError
            There is no lake at this place.
        FormatError
            A newer program made it.
        PermissionDeniedError
            This is the code of a job, and `url` is None.
        """
        return cls(open_core(_config(url), clock=clock), author or default_author())

    @classmethod
    def create(
        cls,
        url: str | os.PathLike[str] | LakeConfig | None = None,
        *,
        author: Author | None = None,
        clock: Clock = time.time_ns,
    ) -> Self:
        """Make a new lake and open it; ``memory:`` makes one that ends with the process.

        Raises
        ------
        AlreadyExistsError
            There is a lake at this place.
        """
        return cls(create_core(_config(url), clock=clock), author or default_author())

    @property
    def core(self) -> LakeCore:
        """The stores behind the verbs, for this package's own processes."""
        return self._core

    @property
    def recorder(self) -> Recorder:
        """Counts what a kernel reads and writes, for this package's own processes."""
        return self._recorder

    @property
    def url(self) -> str:
        """Where the lake is."""
        return self._core.url

    def transaction(
        self, message: str, *, metadata: dict[str, str] | None = None
    ) -> LakeTransaction:
        """Begin changes to several branches, of any repos, that appear at once or not at all.

        Usage::

            with lake.transaction("Publish the January figures") as tx:
                tx.put("raw@main/2026/01.csv", Path("january.csv"))
                tx.put("reports@main/index.txt", "2026-01")

        Raises
        ------
        ConflictError
            At the end of the block: others changed the same paths; nothing was committed.
        """
        return LakeTransaction(self._context, self.sessions, message, metadata)

    def run_controller(
        self,
        config: ControllerConfig | None = None,
        *,
        stop: threading.Event | None = None,
        until_idle: bool = False,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        """Run the lake's pipelines in this process.

        Parameters
        ----------
        config
            How many datums run at once, and how long claims last.
        stop
            Set it, from another thread, to end; running jobs go back to waiting.
        until_idle
            End when every job has ended.
        on_change
            Told after every step in which something happened.

        Raises
        ------
        ConflictError
            `until_idle`, and another controller leads.
        """
        from jupyter_datalake.lake.autosaving import Autosaver  # noqa: PLC0415
        from jupyter_datalake.lake.controllers import run_controller  # noqa: PLC0415

        autosaver = Autosaver(self._core, self.sessions)
        if not until_idle:
            autosaver.start()
        try:
            run_controller(
                self._core,
                self.author,
                config or ControllerConfig(),
                stop=stop or threading.Event(),
                until_idle=until_idle,
                on_change=on_change,
            )
        finally:
            autosaver.stop()

    def as_user(self, author: Author) -> Lake:
        """Return the same open lake, used in the name of somebody else."""
        return Lake(self._core, author, recorder=self._recorder)

    def close(self) -> None:
        """Close the lake's files and connections; safe to call twice."""
        self._recorder.close()
        close_core(self._core)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Lake {self.url}>"

    def _repr_html_(self) -> str:
        repos = self.repos.list(limit=_MAX_REPOS + 1)
        rows: list[tuple[object, ...]] = [
            (one.name, one.kind, one.head.message, one.head.created_at)
            for one in repos[:_MAX_REPOS]
            if one.head is not None
        ]
        if len(repos) > _MAX_REPOS:
            rows.append(("…", "", "", ""))
        headings = ("repo", "kind", "newest commit", "time")
        return table_html(f"Lake {without_password(self.url)}", headings, rows)


def default_author() -> Author:
    """Return the user that this process acts for."""
    return Author(environment.user_name())


def _config(url: str | os.PathLike[str] | LakeConfig | None) -> LakeConfig:
    if isinstance(url, LakeConfig):
        return url
    named = "" if url is None else os.fspath(url)
    return LakeConfig(named or default_url())
