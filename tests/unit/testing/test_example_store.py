"""The store that docs/testing-kit.md shows is a store: the page's own code runs the suite."""

import re
import sqlite3
from pathlib import Path

import pytest

from jupyter_datalake.lake.lake import Lake
from jupyter_datalake.storage.encrypted import EncryptedObjectStore
from jupyter_datalake.storage.keys import MainKey, create_keys
from jupyter_datalake.testing.faults import with_objects
from jupyter_datalake.testing.invariants import check_lake, contents_of
from jupyter_datalake.testing.object_store_suite import ObjectStoreSuite

PAGE = Path(__file__).parents[3] / "docs" / "testing-kit.md"
CODE = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
SHOWN = {}
exec(compile(CODE, str(PAGE), "exec"), SHOWN)  # the page's code is what is tested


def make(folder):
    store = SHOWN["SqliteObjectStore"](folder / "objects.sqlite")
    store.path = folder / "objects.sqlite"
    return store


def run(store, statement, *values):
    database = sqlite3.connect(store.path, isolation_level=None)
    try:
        return database.execute(statement, values).fetchone()
    finally:
        database.close()


class TestTheStoreOfThePage(ObjectStoreSuite):
    @pytest.fixture
    def store(self, tmp_path):
        made = make(tmp_path)
        yield made
        made.close()

    def peek(self, store, name):
        row = run(store, "SELECT data FROM objects WHERE name = ?", name)
        return None if row is None else row[0]

    def poke(self, store, name, data):
        moment = "2026-01-01T00:00:00+00:00"
        run(store, "INSERT OR REPLACE INTO objects VALUES (?, ?, ?)", name, data, moment)


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_a_lake_lives_on_the_store_of_the_page(memory_lake, tmp_path, is_encrypted):
    store = make(tmp_path)
    if is_encrypted:
        keys = create_keys(store, "0" * 32, MainKey(b"k" * 32, "a test"), clock=lambda: 1)
        store = EncryptedObjectStore(store, keys)
    with with_objects_moved(memory_lake, store) as lake:
        lake.repos.create("raw")
        lake.files.put("raw@main/x", b"content" * 100_000)
        assert contents_of(lake, "raw") == {"x": b"content" * 100_000}
        check_lake(lake)


def with_objects_moved(lake, store):
    """The same open lake, whose objects are in `store` from now on."""
    return Lake(with_objects(lake.core, store), lake.author)


def test_the_page_is_short_enough_to_be_read():
    assert len(CODE.splitlines()) < 100
