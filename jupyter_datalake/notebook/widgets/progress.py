"""A job as it runs."""

from __future__ import annotations

import threading
from typing import Any

import ipywidgets

from jupyter_datalake.errors import DatalakeError
from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.model.datums import DONE_STATES, Datum, DatumState
from jupyter_datalake.model.events import EventKind
from jupyter_datalake.model.html import text_html
from jupyter_datalake.model.jobs import Job, JobState

_LOOK_S = 0.5
_MAX_LINES = 20
_MAX_LINE = 300
_STYLES = {JobState.SUCCESS: "success", JobState.FAILED: "danger", JobState.CANCELLED: "warning"}
_DONE = DONE_STATES | {DatumState.FAILED}
_KINDS = (EventKind.JOB_CHANGED, EventKind.DATUM_CHANGED)


class JobWidget(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets says nothing of its types
    """Follows a job until it has ended: a bar, the end of a log, and a button.

    A thread follows the lake's events; it ends with the job, and with `close`.
    """

    def __init__(self, lake: Lake, job_id: str) -> None:
        self._stop = threading.Event()  # first: what was not made whole is closed too
        self._lake = lake
        self._after = lake.events.last_number()
        self._job_id = lake.jobs.get(job_id).id
        self._log = _Tail(lake, self._job_id)
        self._head = ipywidgets.HTML()
        self._bar = ipywidgets.IntProgress(min=0, max=1, layout={"width": "auto"})
        self._bar.tooltip = "Datums that are done"
        self._cancel = ipywidgets.Button(
            description="Cancel", icon="stop", tooltip="Stop the job; nothing is committed"
        )
        self._cancel.on_click(self._on_cancel)
        self._lines = ipywidgets.HTML()
        super().__init__([self._head, self._bar, self._cancel, self._lines])
        self._thread = threading.Thread(target=self._follow, name="datalake-job", daemon=True)
        if not self._show():
            self._thread.start()

    @property
    def job(self) -> Job:
        """The job as it is now."""
        return self._lake.jobs.get(self._job_id)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the job has ended and is shown so; tell whether it has."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self) -> None:
        """Stop to follow, and take the widget away."""
        self._stop.set()
        super().close()

    def _follow(self) -> None:
        try:
            while not self._stop.wait(_LOOK_S):
                is_over = self._show() if self._has_happened() else self._show_log()
                if is_over:
                    return
        except DatalakeError as error:  # the lake was closed, or cannot be reached
            self._head.value = f"<p>{text_html(error)}</p>"

    def _has_happened(self) -> bool:
        """Tell whether there is an event of this job since the last look."""
        events = self._lake.events.list(after=self._after, kinds=_KINDS)
        if events:
            self._after = events[-1].number
        return any(event.subject == self._job_id for event in events)

    def _show(self) -> bool:
        """Show the job as it is; tell whether it has ended."""
        job = self.job
        is_over = job.state.is_terminal
        done = sum(job.datum_counts.get(state, 0) for state in _DONE)
        self._head.value = job._repr_html_()
        self._bar.max = max(job.datum_total, 1)
        self._bar.value = self._bar.max if is_over and not job.datum_total else done
        self._bar.description = f"{done}/{job.datum_total}"
        self._bar.bar_style = _STYLES.get(job.state, "info")
        self._cancel.disabled = is_over or job.cancel_requested
        self._cancel.description = (
            "Cancelling…" if job.cancel_requested and not is_over else "Cancel"
        )
        self._show_log()
        return is_over

    def _show_log(self) -> bool:
        shown = self._log.look()
        self._lines.value = f"<pre>{shown}</pre>" if shown else ""
        return False

    def _on_cancel(self, button: Any) -> None:
        del button
        try:
            self._lake.jobs.cancel(self._job_id)
        except DatalakeError as error:  # it has ended meanwhile
            self._lines.value = f"<pre>{text_html(error)}</pre>"
        else:
            self._show()


class _Tail:
    """The end of the log of the datum that is worth looking at."""

    def __init__(self, lake: Lake, job_id: str) -> None:
        self._lake = lake
        self._job_id = job_id
        self._seen: tuple[int, int] | None = None
        """Datum and try."""
        self._end = 0
        self._text = ""
        self._label = ""

    def look(self) -> str:
        """Return the last lines as HTML."""
        datum = self._datum()
        if datum is None:
            return ""
        if self._seen != (datum.position, datum.tries):
            self._seen, self._end, self._text = (datum.position, datum.tries), 0, ""
        found = self._lake.jobs.logs(self._job_id, datum=datum.position, offset=self._end)
        for log in found:
            text = self._text + log.text if log.begin == self._end else log.text
            self._text = "".join(text.splitlines(keepends=True)[-_MAX_LINES:])
            self._end, self._label = log.end, log.label
        lines = [text_html(line.expandtabs()[:_MAX_LINE]) for line in self._text.splitlines()]
        return "\n".join([f"{text_html(self._label)}:", *lines]) if lines else ""

    def _datum(self) -> Datum | None:
        for state in (DatumState.FAILED, DatumState.RUNNING, DatumState.SUCCESS):
            found = self._lake.jobs.list_datums(self._job_id, states=[state], limit=1)
            if found:
                return found[0]
        return None
