"""What several tests of the engine begin with."""

import os

import pytest


@pytest.fixture
def session(memory_lake):
    """An open session on a branch with some files."""
    memory_lake.repos.create("raw")
    memory_lake.files.put("raw@main/a/b.txt", "hello")
    memory_lake.files.put("raw@main/c.bin", os.urandom(300_000))
    with memory_lake.sessions.begin("raw", "main") as session:
        yield session
