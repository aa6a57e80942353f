"""Deadlines that are held do not fall due, and have afterwards the time they had left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
import trio.testing

from understudy.transports.deadlines import Deadlines
from understudy.transports.timers import Timers

Fired = list[tuple[float, str]]


def play(scene: Callable[[Deadlines, Callable[[str], Callable[[], None]]], Awaitable[None]]) -> Fired:
    """Run a scene in virtual time; returns what fell due, and when."""
    fired: Fired = []

    async def main() -> None:
        start = trio.current_time()

        def note(name: str) -> Callable[[], None]:
            return lambda: fired.append((round(trio.current_time() - start, 3), name))

        async with trio.open_nursery() as nursery:
            timers = Timers()
            await nursery.start(timers.run)
            await scene(Deadlines(timers), note)
            await trio.sleep(100)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return fired


def test_they_fall_due_in_time() -> None:
    async def scene(deadlines: Deadlines, note: Callable[[str], Callable[[], None]]) -> None:
        deadlines.after(2, note("late"))
        deadlines.after(1, note("early"))

    assert play(scene) == [(1, "early"), (2, "late")]


def test_what_is_held_has_afterwards_the_time_it_had_left() -> None:
    async def scene(deadlines: Deadlines, note: Callable[[str], Callable[[], None]]) -> None:
        deadlines.after(3, note("before"))
        await trio.sleep(1)
        deadlines.hold()
        assert deadlines.held
        await trio.sleep(10)
        deadlines.after(1, note("meanwhile"))
        await trio.sleep(10)
        deadlines.release()
        assert not deadlines.held

    assert play(scene) == [(22, "meanwhile"), (23, "before")]


def test_held_twice_they_go_on_with_the_last_release() -> None:
    async def scene(deadlines: Deadlines, note: Callable[[str], Callable[[], None]]) -> None:
        deadlines.after(3, note("due"))
        deadlines.hold()
        await trio.sleep(1)
        deadlines.hold()
        await trio.sleep(1)
        deadlines.release()
        await trio.sleep(5)
        deadlines.release()

    assert play(scene) == [(10, "due")]


def test_what_is_cancelled_is_not_due_held_or_not() -> None:
    async def scene(deadlines: Deadlines, note: Callable[[str], Callable[[], None]]) -> None:
        first, second = deadlines.after(1, note("first")), deadlines.after(1, note("second"))
        first.cancel()
        deadlines.hold()
        second.cancel()
        deadlines.release()
        assert not deadlines.pending

    assert play(scene) == []
