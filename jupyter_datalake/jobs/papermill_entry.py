"""The engine ``datalake`` as papermill finds it among installed packages.

papermill looks for engines while it is imported, and the engine itself imports papermill: this is
what it finds, and it imports nothing until it is used.
"""

from __future__ import annotations

from typing import Any


class _Engine:
    """Stands for `jobs.papermill_engine.ForkedEngine`."""

    def __getattr__(self, name: str) -> Any:
        from jupyter_datalake.jobs.papermill_engine import ForkedEngine  # noqa: PLC0415  # see above

        return getattr(ForkedEngine, name)


engine = _Engine()
