"""Reading ahead: sequential readers find their bytes in memory, others are not burdened."""

import threading

import pytest
import trio

from jupyter_datalake.errors import CorruptDataError
from jupyter_datalake.mount.reading import ContentReader

SIZE = 20 * 1024 * 1024
STEP = 128 * 1024


class SlowContent:
    """Content whose chunks have to be fetched; it says what was fetched and by whom."""

    def __init__(self, size=SIZE, bad_from=None):
        self.size_bytes = size
        self.bad_from = size if bad_from is None else bad_from
        self.in_memory = set()
        self.read_directly = []
        self.main = threading.get_ident()

    def _steps(self, start, length):
        return range(start // STEP, -(-min(start + length, self.size_bytes) // STEP))

    def peek(self, start, length):
        if not set(self._steps(start, length)) <= self.in_memory:
            return None
        return bytes(max(min(length, self.size_bytes - start), 0))

    def warm(self, start, length, *, is_next=False):
        assert threading.get_ident() != self.main
        if start + length > self.bad_from:
            raise CorruptDataError("bad")
        self.in_memory |= set(self._steps(start, length))

    def read(self, start, length):
        assert threading.get_ident() != self.main
        self.read_directly.append(start)
        self.warm(start, length)
        return self.peek(start, length)


def run(test):
    async def main():
        async with trio.open_nursery() as nursery:
            await test(nursery)

    trio.run(main)


def test_a_sequential_reader_fetches_little_by_itself():
    async def test(nursery):
        content = SlowContent()
        reader = ContentReader(content, nursery)
        total = 0
        while data := await reader.read(total, STEP):
            total += len(data)
        assert total == SIZE
        assert content.read_directly == [0]

    run(test)


def test_a_random_reader_fetches_only_what_it_asks_for():
    async def test(nursery):
        content = SlowContent()
        reader = ContentReader(content, nursery)
        for offset in (5 * STEP, 90 * STEP, 20 * STEP, 50 * STEP):
            assert len(await reader.read(offset, 4_096)) == 4_096
        assert len(content.in_memory) == 4

    run(test)


def test_a_reader_that_jumps_is_followed():
    async def test(nursery):
        content = SlowContent()
        reader = ContentReader(content, nursery)
        for start in (0, 130 * STEP, 80 * STEP):
            for number in range(10):
                await reader.read(start + number * STEP, STEP)
        assert len(content.read_directly) == 3

    run(test)


class GatedContent(SlowContent):
    """Content of which no step is fetched before another has been begun as well."""

    def __init__(self):
        super().__init__()
        self.steps = []
        self.both = threading.Barrier(2, timeout=20)

    def warm(self, start, length, *, is_next=False):
        self.steps.append((start, is_next))
        if start < 4 * 1024 * 1024 and length > STEP:
            self.both.wait()
        super().warm(start, length)


def test_steps_ahead_are_fetched_beside_each_other_and_each_once():
    async def test(nursery):
        content = GatedContent()
        reader = ContentReader(content, nursery)
        total = len(await reader.read(0, STEP))
        content.steps.clear()
        while data := await reader.read(total, STEP):
            total += len(data)
        assert total == SIZE
        starts = sorted(start for start, _ in content.steps)
        assert len(starts) == len(set(starts))
        assert [is_next for start, is_next in sorted(content.steps)][:3] == [False, True, True]

    run(test)


def test_reads_at_and_behind_the_end():
    async def test(nursery):
        reader = ContentReader(SlowContent(size=STEP + 10), nursery)
        assert len(await reader.read(0, STEP)) == STEP
        assert len(await reader.read(STEP, STEP)) == 10
        assert await reader.read(STEP + 10, STEP) == b""
        assert await reader.read(10 * STEP, STEP) == b""

    run(test)


def test_damage_ahead_is_met_by_the_read_that_comes_to_it():
    async def test(nursery):
        content = SlowContent(bad_from=8 * STEP)
        reader = ContentReader(content, nursery)
        for number in range(7):
            assert len(await reader.read(number * STEP, STEP)) == STEP
        with pytest.raises(CorruptDataError):
            await reader.read(8 * STEP, STEP)

    run(test)


def test_several_reads_at_once_are_all_answered():
    async def test(nursery):
        reader = ContentReader(SlowContent(), nursery)
        async with trio.open_nursery() as readers:
            for number in range(40):
                readers.start_soon(reader.read, number * STEP, STEP)

    run(test)


def test_without_a_nursery_nothing_is_fetched_ahead():
    async def main():
        content = SlowContent()
        reader = ContentReader(content, None)
        for number in range(5):
            await reader.read(number * STEP, STEP)
        assert len(content.read_directly) == 5

    trio.run(main)
