"""How the pytest plugin plays an async test: under trio, in a runtime of its own if the test wants one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import trio
import trio.testing

from ..supervisors.runtime import open_runtime
from ..supervisors.spec import Supervisor

YEAR = 365 * 24 * 3600.0


@dataclass(frozen=True)
class Play:
    """What a test's marker says.

    The `tree` of its runtime; whether time is virtual; how many `seconds` it may take on its clock (None: 60, or a year
    if time is virtual); and whether it may leave things behind (`leaks`).
    """

    tree: Supervisor | None = None
    virtual: bool = False
    seconds: float | None = None
    leaks: bool = False

    @property
    def limit(self) -> float:
        if self.seconds is not None:
            return self.seconds
        return YEAR if self.virtual else 60.0


def play(
    test: Callable[..., Awaitable[Any]], arguments: dict[str, Any], fixture: str | None, how: Play
) -> None:
    """Run the test; `fixture` is the name under which it wants its runtime.

    Raises:
        trio.TooSlowError: if it takes too long, on the clock it runs on.
        LeakError: if it left tasks behind.
    """
    clock = trio.testing.MockClock(autojump_threshold=0) if how.virtual else None
    trio.run(on_stage, test, arguments, fixture, how, clock=clock)


async def on_stage(
    test: Callable[..., Awaitable[Any]], arguments: dict[str, Any], fixture: str | None, how: Play
) -> None:
    before = set(tasks())
    with trio.fail_after(how.limit):
        if fixture is None:
            await test(**arguments)
        else:
            async with open_runtime(how.tree) as runtime:
                await test(**{**arguments, fixture: runtime})
    if not how.leaks:
        check_tasks(before)


class LeakError(AssertionError):
    """A test left something behind."""


def check_tasks(before: set[trio.lowlevel.Task]) -> None:
    left = [task for task in tasks() if task not in before]
    if left:
        raise LeakError("the test left tasks behind: " + ", ".join(task.name for task in left))


def tasks() -> Iterator[trio.lowlevel.Task]:
    """Every task of this run, trio's own too."""
    root = trio.lowlevel.current_root_task()
    waiting = [] if root is None else [root]
    while waiting:
        task = waiting.pop()
        yield task
        for nursery in task.child_nurseries:
            waiting += nursery.child_tasks
