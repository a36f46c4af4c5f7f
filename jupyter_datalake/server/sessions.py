"""REST of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, BinaryIO

from tornado import web

from jupyter_datalake.errors import ConflictError, ErrorKind
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.commits import Commit
from jupyter_datalake.model.ids import short_id
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.model.sessions import LeftOut, SessionInfo
from jupyter_datalake.model.table_diffs import parse_key
from jupyter_datalake.server.base import DatalakeHandler, operation, page, page_of_changes, whole
from jupyter_datalake.server.bundles import read_bundle
from jupyter_datalake.server.streaming import StreamingHandler


class SessionsHandler(DatalakeHandler):
    """The open sessions."""

    path = "/sessions"

    @operation("listSessions")
    async def get(self, repo: str | None) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.sessions.list, repo)))

    @operation("createSession")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        self.answer(await self.call(_create, lake, body["repo"], body["branch"]), 201)


def _create(lake: Lake, repo: str, branch: str) -> SessionInfo:
    session = lake.sessions.create(repo, branch)
    try:
        return session.info
    finally:
        session.close()


class SessionHandler(DatalakeHandler):
    """One session."""

    path = "/sessions/{session}"

    @operation("getSession")
    async def get(self, session: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.sessions.get, session))

    @operation("deleteSession")
    async def delete(self, session: str, lost: bool, keep_draft: bool) -> None:
        lake = await self.lake()
        await self.call(lake.sessions.delete, session, lost=lost, keep_draft=keep_draft)
        self.answer_nothing()


class SessionChangesHandler(DatalakeHandler):
    """What is staged."""

    path = "/sessions/{session}/changes"

    @operation("diffSession")
    async def get(self, session: str, old: str | None, path: str, after: str, limit: int) -> None:
        lake = await self.lake()
        changes = await self.call(
            lake.sessions.diff, session, old=old, path=path, after=after or None, limit=limit + 1
        )
        self.answer(page_of_changes(changes, limit))


class SessionChangedHandler(DatalakeHandler):
    """The children of a folder in which something is staged."""

    path = "/sessions/{session}/changed"

    @operation("listChanged")
    async def get(self, session: str, path: str, after: str, limit: int) -> None:
        lake = await self.lake()
        children = await self.call(
            lake.sessions.list_changed, session, path, after=after, limit=limit + 1
        )
        self.answer(page(list(children), limit, lambda child: child.name))


class SessionTextDiffHandler(DatalakeHandler):
    """How a staged file differs from its base."""

    path = "/sessions/{session}/diff/text"

    @operation("diffSessionText")
    async def get(self, session: str, old: str | None, path: str, offset: int, limit: int) -> None:
        lake = await self.lake()
        self.answer(
            await self.call(
                lake.sessions.diff_text, session, path, old=old, offset=offset, limit=limit
            )
        )


class SessionTableDiffHandler(DatalakeHandler):
    """How a staged table differs from its base."""

    path = "/sessions/{session}/diff/table"

    @operation("diffSessionTable")
    async def get(
        self, session: str, path: str, old: str | None, key: str | None, **page: int
    ) -> None:
        lake = await self.lake()
        columns = None if key is None else parse_key(key)
        found = await self.call(
            lake.sessions.diff_table, session, path, old=old, key=columns, **page
        )
        self.answer(found.shown())


@web.stream_request_body
class SessionContentHandler(StreamingHandler):
    """A file's bytes, committed or not."""

    path = "/sessions/{session}/content"

    @operation("readSession")
    async def get(self, session: str, path: str) -> None:
        lake = await self.lake()
        file = await self.call(lake.sessions.open_file, session, path)
        self.set_header("Cache-Control", "no-cache")  # it may be written to at any time
        await self.send(file, parse_path(path))

    @operation("writeSession")
    async def put(self, session: str, path: str, offset: int | None) -> None:
        lake = await self.lake()
        file = await self.call(lake.sessions.write, session, path, self.upload(), offset=offset)
        self.answer(file, 201)


@web.stream_request_body
class SessionContentsHandler(StreamingHandler):
    """Many files at once."""

    path = "/sessions/{session}/contents"

    @operation("writeAll")
    async def put(self, session: str) -> None:
        lake = await self.lake()
        left_out = await self.call(_write_all, lake, session, self.upload())
        self.answer(whole(left_out), 201)


def _write_all(lake: Lake, session: str, bundle: BinaryIO) -> Sequence[LeftOut]:
    return lake.sessions.write_all(session, read_bundle(bundle))


class SessionCommitsHandler(DatalakeHandler):
    """Committing what is staged."""

    path = "/sessions/{session}/commits"

    @operation("commitSession")
    async def post(self, session: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        commit = await self.call(
            _commit, lake, session, self.request.headers.get("If-Match"), **body
        )
        self.answer(commit, 201)


def _commit(
    lake: Lake,
    session: str,
    expected: str | None,
    *,
    message: str,
    **options: dict[str, str],
) -> Commit:
    base = lake.sessions.get(session).base_commit_id
    if expected is not None and expected.strip('"') != base:
        raise ConflictError(
            f"The session is based on {short_id(base)} now",
            kind=ErrorKind.BRANCH_MOVED,
            hint="Look at the new commits and try again",
            session=session,
            actual=base,
        )
    return lake.sessions.commit(session, message, **options)


class TransactionsHandler(DatalakeHandler):
    """Committing several sessions at once."""

    path = "/transactions"

    @operation("commitTogether")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        commits = await self.call(
            lake.sessions.commit_together,
            body["sessions"],
            body["message"],
            metadata=body.get("metadata"),
        )
        self.answer(whole(commits), 201)


class SessionRestoresHandler(DatalakeHandler):
    """Staging files and folders as they were."""

    path = "/sessions/{session}/restores"

    @operation("restoreSession")
    async def post(self, session: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        await self.call(lake.sessions.restore, session, body["source"])
        self.answer_nothing()


class SessionDiscardsHandler(DatalakeHandler):
    """Dropping what is staged."""

    path = "/sessions/{session}/discards"

    @operation("discardSession")
    async def post(self, session: str, body: dict[str, Any]) -> None:
        lake = await self.lake()
        await self.call(lake.sessions.discard, session, body.get("paths"))
        self.answer_nothing()


class DraftsHandler(DatalakeHandler):
    """What sessions held when they were saved last."""

    path = "/drafts"

    @operation("listDrafts")
    async def get(self, repo: str | None) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.sessions.drafts, repo)))


class DraftHandler(DatalakeHandler):
    """One draft."""

    path = "/drafts/{session}"

    @operation("dropDraft")
    async def delete(self, session: str) -> None:
        lake = await self.lake()
        await self.call(lake.sessions.drop_draft, session)
        self.answer_nothing()


class SessionDraftsHandler(DatalakeHandler):
    """Saving what is staged."""

    path = "/sessions/{session}/drafts"

    @operation("saveSession")
    async def post(self, session: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.sessions.save, session), 201)


class DraftRecoveriesHandler(DatalakeHandler):
    """Going on with a draft."""

    path = "/drafts/{session}/recoveries"

    @operation("recoverSession")
    async def post(self, session: str) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.sessions.recover, session), 201)


HANDLERS = [
    DraftsHandler,
    DraftHandler,
    SessionDraftsHandler,
    DraftRecoveriesHandler,
    SessionsHandler,
    SessionHandler,
    SessionChangesHandler,
    SessionChangedHandler,
    SessionTextDiffHandler,
    SessionTableDiffHandler,
    SessionContentHandler,
    SessionContentsHandler,
    SessionCommitsHandler,
    TransactionsHandler,
    SessionRestoresHandler,
    SessionDiscardsHandler,
]
