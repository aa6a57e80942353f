"""How tests play a scene: a runtime around a coroutine, within a time, in real or virtual seconds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio
import trio.testing

from tests.cast import QUIET as QUIET
from understudy import Local, Runtime, Supervisor, open_runtime
from understudy.actors.events import Event
from understudy.supervisors.events import EventReader
from understudy.transports.places.keeper import Keeper
from understudy.transports.system.means import has

T = TypeVar("T")

LOCAL = Local()
BOTH = (LOCAL, QUIET)
NAMES = ("local", "process")
PAGED = has("page")


def rehearse(
    scene: Callable[[Runtime], Awaitable[T]],
    tree: Supervisor | None = None,
    *,
    virtual: bool = False,
    seconds: float = 20,
) -> T:
    """Run a scene in a runtime of its own; returns what it returns."""

    async def play() -> T:
        with trio.fail_after(seconds):
            async with open_runtime(tree) as runtime:
                return await scene(runtime)
        raise AssertionError("the runtime swallowed an exception")

    return trio.run(play, clock=trio.testing.MockClock(autojump_threshold=0) if virtual else None)


def run(play: Callable[[], Awaitable[T]], *, virtual: bool = False, seconds: float = 20) -> T:
    """Run a coroutine that opens its own runtimes."""

    async def timed() -> T:
        with trio.fail_after(seconds):
            return await play()
        raise AssertionError("unreachable")

    return trio.run(timed, clock=trio.testing.MockClock(autojump_threshold=0) if virtual else None)


def keeper_of(runtime: Runtime) -> Keeper:
    """The one keeper that runs."""
    running = list(runtime.house.stage.keepers)
    assert len(running) == 1, running
    return running[0]


def held(reader: EventReader, kind: type[Event] = Event) -> list[Any]:
    """The events a reader holds, of one kind."""
    return [event for event in reader.held if isinstance(event, kind)]


async def until(true: Callable[[], object]) -> None:
    """Wait until something is so: for facts of the operating system that send no news."""
    while not true():  # noqa: ASYNC110
        await trio.sleep(0.005)


def pending_everywhere(runtime: Runtime) -> list[Any]:
    """Every call that any actor of a runtime still has on its books."""
    return [
        call
        for life in runtime.house.registry.paths.values()
        for call in life.mailbox.unfinished()
        if not call.ended
    ]
