"""Gates: who waits for whom while a command works on a tree."""

import trio
import trio.lowlevel

from jupyter_datalake.mount.gates import Gate


def test_an_open_gate_lets_all_in_without_a_pause():
    async def main():
        gate = Gate()
        with trio.CancelScope() as scope:
            scope.cancel()  # a pause would raise
            await gate.until_seen()
            await gate.until_changeable()
        assert not scope.cancelled_caught

    trio.run(main)


def test_changes_wait_for_a_command_and_looks_do_not():
    async def main():
        gate, order = Gate(), []

        async def look():
            await gate.until_seen()
            order.append("looked")

        async def change():
            await gate.until_changeable()
            order.append("changed")

        async with trio.open_nursery() as nursery, gate.unchanging():
            nursery.start_soon(look)
            nursery.start_soon(change)
            await trio.testing.wait_all_tasks_blocked()
            order.append("done")
        assert order == ["looked", "done", "changed"]

    trio.run(main)


def test_looks_wait_while_the_tree_is_rearranged():
    async def main():
        gate, order = Gate(), []

        async def look():
            await gate.until_seen()
            order.append("looked")

        async with trio.open_nursery() as nursery, gate.unchanging():
            async with gate.unseen():
                assert gate.is_unseen
                nursery.start_soon(look)
                await trio.testing.wait_all_tasks_blocked()
                order.append("rearranged")
            await trio.testing.wait_all_tasks_blocked()
            order.append("done")
        assert order == ["rearranged", "looked", "done"]

    trio.run(main)


def test_commands_take_turns_and_a_failed_one_opens_the_gate():
    async def main():
        gate, running = Gate(), []

        async def command():
            try:
                async with gate.unchanging(), gate.unseen():
                    running.append(1)
                    assert len(running) == 1
                    await trio.lowlevel.checkpoint()
                    running.pop()
                    raise ValueError("a command that fails")
            except ValueError:
                pass

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(command)
        await gate.until_changeable()
        assert not gate.is_unseen

    trio.run(main)
