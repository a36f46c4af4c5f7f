"""REST of trials: specs run on some of their datums before they are published."""

from __future__ import annotations

import json
from typing import Any

from jupyter_datalake.model.jsonable import as_json
from jupyter_datalake.model.paths import parse_path
from jupyter_datalake.model.table_diffs import parse_key
from jupyter_datalake.model.trials import Trial
from jupyter_datalake.server.base import DatalakeHandler, operation, page_of_changes, whole
from jupyter_datalake.server.streaming import StreamingHandler


class TrialHandlerBase(DatalakeHandler):
    """What the trial handlers share."""

    def answer_trial(self, trial: Trial, status: int = 200) -> None:
        """End the request with one trial."""
        self.answer(_shown(trial), status)


class TrialsHandler(TrialHandlerBase):
    """The trials of this machine."""

    path = "/trials"

    @operation("listTrials")
    async def get(self, pipeline: str | None, limit: int) -> None:
        lake = await self.lake()
        found = await self.call(lake.trials.list, pipeline=pipeline, limit=limit)
        self.answer(whole(_shown(one) for one in found))

    @operation("runTrial")
    async def post(self, body: dict[str, Any]) -> None:
        lake = await self.lake()
        body["folder"] = self.folder(body["folder"])
        begun = await self.call(lake.trials.begin, body.pop("spec"), **body)
        trial = begun.trial
        self.service.start(begun.run)
        self.answer_trial(trial, 202)


class TrialHandler(TrialHandlerBase):
    """One trial."""

    path = "/trials/{trial}"

    @operation("getTrial")
    async def get(self, trial: str) -> None:
        lake = await self.lake()
        self.answer_trial(await self.call(lake.trials.get, trial))

    @operation("deleteTrial")
    async def delete(self, trial: str) -> None:
        lake = await self.lake()
        await self.call(lake.trials.delete, trial)
        self.answer_nothing()


class TrialCancellationsHandler(TrialHandlerBase):
    """Stopping a trial."""

    path = "/trials/{trial}/cancellations"

    @operation("cancelTrial")
    async def post(self, trial: str) -> None:
        lake = await self.lake()
        self.answer_trial(await self.call(lake.trials.cancel, trial), 202)


class TrialLogHandler(DatalakeHandler):
    """What a datum printed."""

    path = "/trials/{trial}/datums/{datum}/log"

    @operation("getTrialLog")
    async def get(self, trial: str, datum: int, offset: int) -> None:
        lake = await self.lake()
        self.answer(await self.call(lake.trials.get_log, trial, datum, offset=offset))


class TrialNotebookHandler(DatalakeHandler):
    """A datum's executed notebook."""

    path = "/trials/{trial}/datums/{datum}/notebook"

    @operation("getTrialNotebook")
    async def get(self, trial: str, datum: int) -> None:
        lake = await self.lake()
        data = await self.call(lake.trials.get_notebook, trial, datum)
        self.answer(await self.call(json.loads, data))


class TrialCellsHandler(DatalakeHandler):
    """The cells of a datum's notebook."""

    path = "/trials/{trial}/datums/{datum}/cells"

    @operation("listTrialCells")
    async def get(self, trial: str, datum: int) -> None:
        lake = await self.lake()
        self.answer(whole(await self.call(lake.trials.list_cells, trial, datum)))


class TrialDifferencesHandler(DatalakeHandler):
    """What differs from the output branch."""

    path = "/trials/{trial}/differences"

    @operation("listTrialDifferences")
    async def get(self, trial: str, datum: int | None, after: str, limit: int) -> None:
        lake = await self.lake()
        changes = await self.call(
            lake.trials.list_differences, trial, datum=datum, after=after or None, limit=limit + 1
        )
        self.answer(page_of_changes(changes, limit))


class TrialTextDiffHandler(DatalakeHandler):
    """How a file differs as a text."""

    path = "/trials/{trial}/diff/text"

    @operation("diffTrialText")
    async def get(self, trial: str, datum: int | None, path: str, offset: int, limit: int) -> None:
        lake = await self.lake()
        found = await self.call(
            lake.trials.diff_text, trial, path, datum=datum, offset=offset, limit=limit
        )
        self.answer(found)


class TrialTableDiffHandler(DatalakeHandler):
    """How a table differs."""

    path = "/trials/{trial}/diff/table"

    @operation("diffTrialTable")
    async def get(
        self,
        trial: str,
        datum: int | None,
        path: str,
        key: str | None,
        offset: int,
        limit: int,
    ) -> None:
        lake = await self.lake()
        columns = None if key is None else parse_key(key)
        found = await self.call(
            lake.trials.diff_table,
            trial,
            path,
            datum=datum,
            key=columns,
            offset=offset,
            limit=limit,
        )
        self.answer(found.shown())


class TrialContentHandler(StreamingHandler):
    """The bytes of a file that was written."""

    path = "/trials/{trial}/content"

    @operation("readTrial")
    async def get(self, trial: str, datum: int | None, path: str, base: bool) -> None:
        lake = await self.lake()
        file = await self.call(lake.trials.open, trial, path, datum=datum, base=base)
        await self.send(file, parse_path(path))


def _shown(trial: Trial) -> dict[str, Any]:
    """Return a trial without the inputs of its datums, of which each may have many."""
    shown: dict[str, Any] = as_json(trial)
    for one in (*shown["steps"], *shown["datums"]):
        del one["inputs"]
    return shown


HANDLERS = [
    TrialsHandler,
    TrialHandler,
    TrialCancellationsHandler,
    TrialLogHandler,
    TrialNotebookHandler,
    TrialCellsHandler,
    TrialDifferencesHandler,
    TrialTextDiffHandler,
    TrialTableDiffHandler,
    TrialContentHandler,
]
