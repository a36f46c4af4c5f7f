"""Where uploads to S3 grow: in memory up to a limit, and on the disk beyond it."""

import os

import pytest

from jupyter_datalake.errors import ErrorKind, StorageError
from jupyter_datalake.storage import s3_parts
from jupyter_datalake.storage.s3_parts import PartMemory, Parts

PART = 1000


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(s3_parts, "PART_BYTES", PART)


@pytest.fixture
def make(tmp_path):
    made = []

    def make(memory, folder=tmp_path):
        made.append(Parts(memory, folder))
        return made[-1]

    yield make
    for one in made:
        one.close(may_be_in_use=False)


def filled(parts, data, step=333):
    for start in range(0, len(data), step):
        parts.append(memoryview(data)[start : start + step])
    return parts


def spooled(folder):
    """Return whether a file without a name is open in a folder."""
    place = "/proc/self/fd"
    opened = [f"{place}/{number}" for number in os.listdir(place)]
    return any(os.readlink(one).startswith(f"{folder}/") for one in opened if os.path.lexists(one))


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 3000, 4500])
@pytest.mark.parametrize("room", [0, 1, 2, 9], ids=lambda room: f"{room} parts in memory")
def test_what_was_appended_comes_back_in_parts_wherever_they_are(make, size, room):
    data = os.urandom(size)
    parts = filled(make(PartMemory(room * PART)), data)
    pieces = [bytes(piece) for piece in parts.pieces()]
    assert b"".join(pieces) == parts.all() == data
    assert [len(piece) for piece in pieces] == [
        min(PART, size - start) for start in range(0, size, PART)
    ]
    assert parts.count == len(pieces)
    assert parts.spooled_bytes == max(0, size - room * PART)


def test_one_append_may_go_through_several_parts_and_on_to_the_disk(make):
    data = os.urandom(5 * PART + 7)
    parts = filled(make(PartMemory(3 * PART)), data, step=len(data))
    assert parts.all() == data
    assert parts.spooled_bytes == 2 * PART + 7


def test_many_uploads_share_one_limit_and_none_waits_for_another(make):
    memory = PartMemory(4 * PART)
    data = [os.urandom(3 * PART) for _ in range(5)]
    growing = [make(memory) for _ in data]
    for start in range(0, 3 * PART, 100):
        for parts, one in zip(growing, data, strict=True):
            parts.append(one[start : start + 100])
        assert memory.held_bytes <= 4 * PART
    assert [parts.all() for parts in growing] == data
    assert sum(parts.spooled_bytes for parts in growing) == 11 * PART


def test_what_is_closed_makes_room_and_leaves_little_behind(make, tmp_path):
    memory = PartMemory(3 * PART)
    first, second = make(memory), make(memory)
    filled(first, os.urandom(3 * PART))
    filled(second, os.urandom(2 * PART))
    assert second.spooled_bytes == 2 * PART
    assert spooled(tmp_path)
    first.close(may_be_in_use=False)
    second.close(may_be_in_use=False)
    first.close(may_be_in_use=False)
    assert not spooled(tmp_path)
    assert memory.held_bytes == PART
    third = filled(make(memory), os.urandom(3 * PART))
    assert third.spooled_bytes == 0


def test_memory_that_a_request_may_still_read_is_not_used_again(make):
    memory = PartMemory(PART)
    data = os.urandom(PART)
    given_up = filled(make(memory), data)
    on_its_way = given_up.read(1)
    given_up.close(may_be_in_use=True)
    following = filled(make(memory), bytes(PART))
    assert following.spooled_bytes == 0
    assert on_its_way == data


def test_an_object_has_never_more_parts_than_a_server_takes(make, monkeypatch):
    monkeypatch.setattr(s3_parts, "_MAX_PARTS", 3)
    data = os.urandom(10 * PART)
    parts = filled(make(PartMemory(4 * PART)), data)
    assert parts.count == 3
    assert b"".join(parts.pieces()) == data


def test_a_disk_that_takes_nothing_is_a_named_error_and_what_was_kept_is_given_back(make, tmp_path):
    (tmp_path / "file").write_text("no folder can be made below it")
    memory = PartMemory(PART)
    parts = make(memory, tmp_path / "file" / "spool")
    with pytest.raises(StorageError) as caught:
        filled(parts, os.urandom(2 * PART))
    assert caught.value.kind is ErrorKind.STORAGE_UNAVAILABLE
    parts.close(may_be_in_use=False)
    assert filled(make(memory), bytes(PART)).spooled_bytes == 0
