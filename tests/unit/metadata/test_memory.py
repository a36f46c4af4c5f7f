"""The database in memory keeps the contract, and what is peculiar to it."""

import os

import pytest

from jupyter_datalake.errors import InternalError
from jupyter_datalake.metadata.locations import open_memory
from jupyter_datalake.testing.metadata_suite import MetadataSuite


class TestMemoryDatabase(MetadataSuite):
    @pytest.fixture
    def store(self, clock):
        made = open_memory(clock=clock)
        yield made
        made.close()


def test_a_transaction_inside_another_is_an_error_and_not_a_wait_without_end():
    store = open_memory()
    with store.write() as tx:
        tx.settings.set_once("a", "1")
        with pytest.raises(InternalError), store.read():
            pass
    with store.read() as tx:
        assert tx.settings.get("a") == "1"
    store.close()


def test_a_forked_child_has_a_copy_of_its_own():
    store = open_memory()
    with store.write() as tx:
        tx.settings.set_once("a", "1")
    child = os.fork()
    if child == 0:
        try:
            with store.write() as tx:
                tx.settings.set_once("b", "2")
            with store.read() as tx:
                is_right = (tx.settings.get("a"), tx.settings.get("b")) == ("1", "2")
        finally:
            os._exit(0 if is_right else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with store.read() as tx:
        assert tx.settings.get("b") is None
    store.close()
