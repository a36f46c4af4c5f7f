"""A pytest plugin, loaded wherever the package is installed: lakes that are there when needed.

===================  ===========================================================================
``memory_lake``      an empty lake in memory
``local_lake``       an empty lake in a folder of its own
``lake_clock``       the clock of both, set by hand
``lake_author``      in whose name both are used
``postgres_server``  a Postgres server on loopback, one per run; skips where there is none
===================  ===========================================================================

Every pytest run in the environment imports this module, so it imports the package only where a
fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from jupyter_datalake.lake.lake import Lake
    from jupyter_datalake.model.commits import Author
    from jupyter_datalake.testing.clocks import ManualClock
    from jupyter_datalake.testing.postgres_server import PostgresServer


@pytest.fixture
def lake_clock() -> ManualClock:
    """Return the clock of the lake fixtures; ``lake_clock.advance(seconds)`` sets it forward."""
    from jupyter_datalake.testing.clocks import ManualClock  # noqa: PLC0415

    return ManualClock()


@pytest.fixture
def lake_author() -> Author:
    """Return the person in whose name the lake fixtures are used."""
    from jupyter_datalake.model.commits import Author  # noqa: PLC0415

    return Author("Ada Lovelace", "ada@example.org")


@pytest.fixture
def memory_lake(lake_clock: ManualClock, lake_author: Author) -> Iterator[Lake]:
    """Return an empty lake in memory."""
    from jupyter_datalake.lake.lake import Lake  # noqa: PLC0415

    with Lake.create("memory:", author=lake_author, clock=lake_clock) as lake:
        yield lake


@pytest.fixture
def local_lake(lake_clock: ManualClock, lake_author: Author, tmp_path: Path) -> Iterator[Lake]:
    """Return an empty lake in a folder; `lake.url` says where."""
    from jupyter_datalake.lake.lake import Lake  # noqa: PLC0415

    url = str(tmp_path / "lake")
    with Lake.create(url, author=lake_author, clock=lake_clock) as lake:
        yield lake


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Return a running server; ``postgres_server.url()`` is that of a new, empty schema."""
    pytest.importorskip("psycopg", reason="needs psycopg: jupyter_datalake[postgres]")
    from jupyter_datalake.testing.postgres_server import (  # noqa: PLC0415
        PostgresServer,
        why_no_postgres,
    )

    reason = why_no_postgres()
    if reason:
        pytest.skip(reason)
    with PostgresServer() as server:
        yield server
