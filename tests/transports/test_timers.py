"""One heap of deadlines: each fires once, in order, at its time, unless cancelled."""

import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from understudy.transports.timers import Timers


def played(
    body: Callable[[Timers, list[Any]], Awaitable[None]], before: Callable[[], None] = lambda: None
) -> list[Any]:
    """Run `body` in virtual time beside running timers; returns its log."""
    log: list[Any] = []

    async def main() -> None:
        timers = Timers(before)
        async with trio.open_nursery() as nursery:
            await nursery.start(timers.run)
            await body(timers, log)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
    return log


def test_timers_fire_at_their_times_in_order_of_time() -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        start = trio.current_time()
        for seconds in (3.0, 1.0, 2.0, 0.5):
            timers.after(seconds, lambda: log.append(trio.current_time() - start))
        await trio.sleep(10)

    assert played(body) == [0.5, 1.0, 2.0, 3.0]


def test_timers_of_one_time_fire_in_the_order_they_were_set() -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        deadline = trio.current_time() + 1
        for n in range(20):
            timers.at(deadline, partial(log.append, n))
        await trio.sleep(2)

    assert played(body) == list(range(20))


def test_a_cancelled_timer_does_not_fire() -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        first, second = (timers.after(1, partial(log.append, n)) for n in (1, 2))
        first.cancel()
        await trio.sleep(5)
        second.cancel()

    assert played(body) == [2]


def test_a_timer_may_cancel_another_of_the_same_time() -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        timers.after(1, lambda: victim.cancel())
        victim = timers.after(1, lambda: log.append("fired"))
        await trio.sleep(5)

    assert played(body) == []


def test_a_timer_set_by_a_timer_fires_as_well() -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        start = trio.current_time()

        def chain(seconds: float) -> None:
            timers.after(seconds, lambda: log.append(trio.current_time() - start))

        timers.after(1, lambda: chain(1))
        timers.after(1, lambda: chain(0))
        await trio.sleep(5)

    assert played(body) == [1.0, 2.0]


def test_an_earlier_deadline_shortens_the_sleep() -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        timers.after(100, lambda: log.append("late"))
        await trio.sleep(1)
        timers.after(1, lambda: log.append("early"))
        await trio.sleep(2)

    assert played(body) == ["early"]


def test_a_deadline_that_has_passed_fires_at_once() -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        timers.at(trio.current_time() - 5, lambda: log.append("past"))
        await trio.sleep(0.001)

    assert played(body) == ["past"]


def test_never_is_a_time_too() -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        timers.at(math.inf, lambda: log.append("never"))
        await trio.sleep(10_000)
        assert timers.heap == []

    assert played(body) == []


def test_timers_set_before_the_heap_runs_fire() -> None:
    fired: list[str] = []

    async def main() -> None:
        timers = Timers()
        timers.after(1, lambda: fired.append("early bird"))
        async with trio.open_nursery() as nursery:
            await nursery.start(timers.run)
            await trio.sleep(2)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))

    assert fired == ["early bird"]


def test_what_has_arrived_is_looked_at_before_anything_is_called_late() -> None:
    arrivals: list[Callable[[], None]] = []

    async def body(timers: Timers, log: list[Any]) -> None:
        timer = timers.after(1, lambda: log.append("too late"))
        arrivals.append(timer.cancel)
        await trio.sleep(5)

    def look() -> None:
        for arrive in arrivals:
            arrive()

    assert played(body, look) == []


@pytest.mark.parametrize("count", [1000])
def test_cancelled_timers_leave_the_heap_when_they_come_up(count: int) -> None:
    async def body(timers: Timers, log: list[Any]) -> None:
        for timer in [timers.after(n / 100, lambda: log.append("fired")) for n in range(count)]:
            timer.cancel()
        await trio.sleep(count)
        assert timers.heap == []

    assert played(body) == []
