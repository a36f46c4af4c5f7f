"""`ObjectStoreSuite`: the contract of `storage.base.ObjectStore` as tests.

Usage, in a test module::

    class TestMyStore(ObjectStoreSuite):
        @pytest.fixture
        def store(self, tmp_path):
            yield MyObjectStore(tmp_path)

        def peek(self, store, name): ...     # read past the store
        def poke(self, store, name, data): ...     # write past the store

`peek` and `poke` bypass the store, so that reading and writing are tested apart: a store whose
`read` and `finish` share a mistake would otherwise agree with itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TypeVar

import pytest

from jupyter_datalake.errors import (
    CorruptDataError,
    ErrorKind,
    InvalidInputError,
    NotFoundError,
)
from jupyter_datalake.storage.base import ObjectStore

T = TypeVar("T")

_THREADS = 8


class ObjectStoreSuite:
    """Subclass it with a `store` fixture, `peek` and `poke`; every test then runs."""

    @pytest.fixture
    def store(self) -> ObjectStore:
        """Return an empty store."""
        raise NotImplementedError

    def peek(self, store: ObjectStore, name: str) -> bytes | None:
        """Return what is stored under a name, or None, without asking the store."""
        raise NotImplementedError

    def poke(self, store: ObjectStore, name: str, data: bytes) -> None:
        """Put bytes under a name without asking the store."""
        raise NotImplementedError

    # --- writing ---------------------------------------------------------------------------------

    def test_finished_upload_is_the_whole_object(self, store: ObjectStore) -> None:
        """What was written in pieces is one object."""
        with store.upload() as upload:
            upload.write(b"one ")
            upload.write(bytearray(b"two "))
            upload.write(memoryview(b"three"))
            upload.finish("packs/ab/abc.pack")
        assert self.peek(store, "packs/ab/abc.pack") == b"one two three"

    def test_upload_is_invisible_until_it_is_finished(self, store: ObjectStore) -> None:
        """Neither a look-up nor a listing shows bytes that are still coming."""
        with store.upload() as upload:
            upload.write(b"x" * 3_000_000)
            assert self.peek(store, "a") is None
            assert list(store.list("")) == []
            upload.finish("a")
            assert self.peek(store, "a") == b"x" * 3_000_000

    def test_upload_left_unfinished_leaves_nothing(self, store: ObjectStore) -> None:
        """Leaving the block before `finish` takes everything back."""
        with store.upload() as upload:
            upload.write(b"x" * 3_000_000)
        assert list(store.list("")) == []

    def test_upload_left_by_an_error_leaves_nothing(self, store: ObjectStore) -> None:
        """The error comes through, and the bytes are gone."""

        def fail_half_way() -> None:
            with store.upload() as upload:
                upload.write(b"x")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_half_way()
        assert list(store.list("")) == []

    def test_writing_an_object_twice_is_one_object(self, store: ObjectStore) -> None:
        """Names are digests, so a second write changes nothing and is no error."""
        for _ in range(2):
            with store.upload() as upload:
                upload.write(b"same")
                upload.finish("a/same")
        assert self.peek(store, "a/same") == b"same"
        assert [one.name for one in store.list("")] == ["a/same"]

    def test_object_that_is_there_is_left_as_it_is(self, store: ObjectStore) -> None:
        """Objects are written once: not even a different upload may change one.

        A store that looks at what is there may say that it is damaged.
        """
        self.poke(store, "a/first", b"first")
        with store.upload() as upload, suppress(CorruptDataError):
            upload.write(b"second, and longer")
            upload.finish("a/first")
        assert self.peek(store, "a/first") == b"first"
        assert store.read("a/first", 0, 100) == b"first"

    def test_create_tells_the_first_from_the_second(self, store: ObjectStore) -> None:
        """The first caller is told True, the second False, and the first one's bytes stay."""
        assert store.create("lake.json", b"first") is True
        assert store.create("lake.json", b"second") is False
        assert self.peek(store, "lake.json") == b"first"

    def test_create_races_have_exactly_one_winner(self, store: ObjectStore) -> None:
        """Of many threads at once, one is told True, and its bytes are the ones there."""
        for turn in range(20):
            name = f"race/{turn}"
            outcomes = _at_once(partial(_create, store, name))
            assert outcomes.count(True) == 1
            assert self.peek(store, name) == b"%d" % outcomes.index(True)

    def test_uploads_of_one_object_at_once_make_one_object(self, store: ObjectStore) -> None:
        """Two writers of one pack do not disturb each other or a reader."""

        def write(number: int) -> bytes:
            with store.upload() as upload:
                for _ in range(10):
                    upload.write(b"0123456789" * 100)
                upload.finish("same/pack")
            return store.read("same/pack", 0, 20_000)

        expected = b"0123456789" * 1000
        assert set(_at_once(write)) == {expected}
        assert self.peek(store, "same/pack") == expected

    def test_uploads_at_once_do_not_mix(self, store: ObjectStore) -> None:
        """Each of several open uploads gets its own bytes."""
        with store.upload() as one, store.upload() as two:
            for _ in range(100):
                one.write(b"1" * 1000)
                two.write(b"2" * 1000)
            two.finish("two")
            one.finish("one")
        assert self.peek(store, "one") == b"1" * 100_000
        assert self.peek(store, "two") == b"2" * 100_000

    def test_empty_object_is_an_object(self, store: ObjectStore) -> None:
        """Zero bytes are not the same as nothing."""
        with store.upload() as upload:
            upload.finish("empty")
        assert self.peek(store, "empty") == b""
        assert store.read("empty", 0, 10) == b""
        assert store.info("empty").size_bytes == 0
        assert [one.size_bytes for one in store.list("empty")] == [0]

    def test_large_object_round_trips(self, store: ObjectStore) -> None:
        """A pack of its full size comes back byte for byte, whole and in parts."""
        block = bytes(range(256)) * 4096  # 1 MiB
        with store.upload() as upload:
            for _ in range(64):
                upload.write(block)
            upload.finish("large")
        size = 64 * len(block)
        assert store.info("large").size_bytes == size
        assert store.read("large", 0, size) == block * 64
        assert store.read("large", size - 5, 5) == block[-5:]
        assert store.read("large", 33 * len(block) + 7, 300) == (block[7:307])

    # --- reading ---------------------------------------------------------------------------------

    def test_read_returns_the_range_that_was_asked_for(self, store: ObjectStore) -> None:
        """Every start and length gives what slicing gives."""
        data = bytes(range(100))
        self.poke(store, "x", data)
        for start in (0, 1, 50, 99, 100, 101):
            for length in (0, 1, 49, 50, 100, 101):
                assert store.read("x", start, length) == data[start : start + length]

    def test_range_past_the_end_is_empty(self, store: ObjectStore) -> None:
        """A start behind the object is no error."""
        self.poke(store, "x", b"abc")
        assert store.read("x", 3, 10) == b""
        assert store.read("x", 1_000_000, 10) == b""

    def test_read_is_short_only_where_the_object_ends(self, store: ObjectStore) -> None:
        """Asking for more than there is gives what there is."""
        self.poke(store, "x", b"abcdef")
        assert store.read("x", 4, 100) == b"ef"

    def test_hostile_length_costs_no_memory(self, store: ObjectStore) -> None:
        """A damaged database may ask for any length; nothing of that size is allocated."""
        self.poke(store, "x", b"abc")
        assert store.read("x", 0, 1 << 60) == b"abc"

    @pytest.mark.parametrize("name", ["missing", "packs/ab/missing", "x/y", "packs"])
    def test_missing_object_is_not_found(self, store: ObjectStore, name: str) -> None:
        """Reading and asking name the object; neither creates it."""
        self.poke(store, "packs/ab/there", b"1")
        self.poke(store, "x", b"1")
        for call in (lambda: store.read(name, 0, 1), lambda: store.info(name)):
            with pytest.raises(NotFoundError) as caught:
                call()
            assert caught.value.kind is ErrorKind.OBJECT_NOT_FOUND
            assert caught.value.context["object"] == name
        assert {one.name for one in store.list("")} == {"packs/ab/there", "x"}

    def test_info_tells_name_size_and_time(self, store: ObjectStore) -> None:
        """The time is aware, and about now."""
        before = datetime.now(UTC) - timedelta(seconds=5)
        store.create("a/b", b"12345")
        info = store.info("a/b")
        assert (info.name, info.size_bytes) == ("a/b", 5)
        assert before <= info.modified_at <= datetime.now(UTC) + timedelta(seconds=5)
        assert list(store.list("a/b")) == [info]

    def test_many_objects_are_read_by_many_threads(self, store: ObjectStore) -> None:
        """More objects than a store may keep open, read at the same time."""
        for number in range(200):
            self.poke(store, f"n/{number}", b"%d" % number)

        def read_all(offset: int) -> list[bytes]:
            return [store.read(f"n/{(one + offset * 25) % 200}", 0, 10) for one in range(100)]

        for offset, found in enumerate(_at_once(read_all)):
            assert found == [b"%d" % ((one + offset * 25) % 200) for one in range(100)]

    # --- listing ---------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("", {"lake.json", "packs/ab/1", "packs/ab/2", "packs/abc/3", "packs.old/4"}),
            ("packs", {"packs/ab/1", "packs/ab/2", "packs/abc/3", "packs.old/4"}),
            ("packs/", {"packs/ab/1", "packs/ab/2", "packs/abc/3"}),
            ("packs/ab", {"packs/ab/1", "packs/ab/2", "packs/abc/3"}),
            ("packs/ab/", {"packs/ab/1", "packs/ab/2"}),
            ("packs/ab/1", {"packs/ab/1"}),
            ("packs/ab/1/", set()),
            ("nothing/", set()),
            ("lake", {"lake.json"}),
        ],
    )
    def test_list_yields_what_begins_with_the_prefix(
        self, store: ObjectStore, prefix: str, expected: set[str]
    ) -> None:
        """A prefix is the beginning of a name, not a folder."""
        for name in ("lake.json", "packs/ab/1", "packs/ab/2", "packs/abc/3", "packs.old/4"):
            self.poke(store, name, b"x")
        found = [one.name for one in store.list(prefix)]
        assert set(found) == expected
        assert len(found) == len(expected)

    def test_objects_deleted_while_listing_do_not_end_the_listing(self, store: ObjectStore) -> None:
        """Everything that stays is listed once; what goes may or may not be."""
        for number in range(60):
            self.poke(store, f"d{number % 3}/{number}", b"x")
        seen: list[str] = []
        for info in store.list(""):
            seen.append(info.name)
            if len(seen) in {1, 30}:
                for number in range(0, 60, 2):
                    store.delete(f"d{number % 3}/{number}")
        assert len(seen) == len(set(seen))
        assert {f"d{number % 3}/{number}" for number in range(1, 60, 2)} <= set(seen)

    # --- deleting --------------------------------------------------------------------------------

    def test_deleted_object_is_gone(self, store: ObjectStore) -> None:
        """Also for a reader that had it open."""
        self.poke(store, "a/x", b"abc")
        assert store.read("a/x", 0, 3) == b"abc"
        store.delete("a/x")
        assert self.peek(store, "a/x") is None
        with pytest.raises(NotFoundError):
            store.read("a/x", 0, 3)
        assert list(store.list("")) == []

    def test_deleting_what_is_not_there_is_no_error(self, store: ObjectStore) -> None:
        """Twice, and below a folder that never was."""
        self.poke(store, "x", b"1")
        store.delete("x")
        store.delete("x")
        store.delete("never/was/there")
        assert list(store.list("")) == []

    def test_deleted_name_can_be_written_again(self, store: ObjectStore) -> None:
        """A reader sees the new bytes."""
        self.poke(store, "a", b"old")
        assert store.read("a", 0, 9) == b"old"
        store.delete("a")
        assert store.create("a", b"new!") is True
        assert store.read("a", 0, 9) == b"new!"

    # --- names, closing --------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "name",
        ["", "/", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "a/.", ".tmp/x", "a\0b", "é"],
    )
    def test_names_that_lead_elsewhere_are_refused(self, store: ObjectStore, name: str) -> None:
        """For reading and for writing: names may come from a stranger's database."""
        with store.upload() as upload:
            upload.write(b"x")
            with pytest.raises(InvalidInputError):
                upload.finish(name)
        calls: list[Callable[[], object]] = [
            lambda: store.create(name, b"x"),
            lambda: store.read(name, 0, 1),
            lambda: store.info(name),
            lambda: store.delete(name),
        ]
        for call in calls:
            with pytest.raises(InvalidInputError):
                call()
        assert list(store.list("")) == []

    def test_closing_twice_is_allowed_and_keeps_the_objects(self, store: ObjectStore) -> None:
        """Closing releases handles; what was stored is stored."""
        store.create("a", b"x")
        store.read("a", 0, 1)
        store.close()
        store.close()
        assert self.peek(store, "a") == b"x"

    def test_modification_times_do_not_go_back(self, store: ObjectStore) -> None:
        """Objects written one after the other have times in that order, or equal ones."""
        for number in range(5):
            store.create(f"t/{number}", b"x")
        times = [store.info(f"t/{number}").modified_at for number in range(5)]
        assert all(earlier <= later for earlier, later in pairwise(times))


def _create(store: ObjectStore, name: str, number: int) -> bool:
    return store.create(name, b"%d" % number)


def _at_once(act: Callable[[int], T]) -> list[T]:
    """Call `act` with 0 … in as many threads at the same moment; return what they return."""
    barrier = threading.Barrier(_THREADS)

    def run(number: int) -> T:
        barrier.wait(timeout=30)
        return act(number)

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(run, range(_THREADS)))
