"""The object store in memory keeps the contract."""

import pytest

from jupyter_datalake.storage.memory import MemoryObjectStore
from jupyter_datalake.testing.object_store_suite import ObjectStoreSuite


class TestMemoryObjectStore(ObjectStoreSuite):
    @pytest.fixture
    def store(self):
        return MemoryObjectStore()

    def peek(self, store, name):
        found = store._objects.get(name)
        return None if found is None else found[0]

    def poke(self, store, name, data):
        store.delete(name)
        store.create(name, data)


def test_created_object_is_a_copy_of_what_was_given():
    store = MemoryObjectStore()
    data = bytearray(b"abc")
    store.create("x", data)
    data[0] = 0
    assert store.read("x", 0, 3) == b"abc"
