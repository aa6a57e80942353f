"""What the rulebook's work for one child costs, in lines of Python: among few children and among many."""

from __future__ import annotations

import sys
from typing import Any

from understudy.supervisors.core import Core
from understudy.supervisors.rules import ChildRules, Flags
from understudy.supervisors.steps import Added, Begin, Ended, Shutdown, Started
from understudy.supervisors.strategies.one_for_all import OneForAll
from understudy.supervisors.strategies.rest_for_one import RestForOne


class Why:
    """An exit reason, as far as the rulebook looks at it."""

    uprooted = recycled = interrupted = False

    def __init__(self, abnormal: bool) -> None:
        self.abnormal = abnormal


CRASH, LEFT = Why(True), Why(False)

FLAGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "dynamic": {"dynamic": True},
    "per child": {"dynamic": True, "per_child": True},
    "all": {"strategy": OneForAll()},
    "rest": {"strategy": RestForOne()},
}


def a_life(children: int, **flags: Any) -> Core:
    """So many children are started, restarted and stopped."""
    core = Core(Flags(intensity=10**9, **flags))
    ids = [str(n) for n in range(children)]
    for id in ids:
        core.feed(Added(id, ChildRules()), 0)
    core.feed(Begin(), 0)
    for id in ids:
        core.feed(Started(id), 1)
    if "strategy" in flags:
        core.feed(Ended(ids[0], CRASH, True), 2)
        for id in reversed(ids[1:]):
            core.feed(Ended(id, LEFT, True), 3)
        for id in ids:
            core.feed(Started(id), 4)
    else:
        for id in ids:
            core.feed(Ended(id, CRASH, True), 2)
            core.feed(Started(id), 3)
    core.feed(Shutdown(), 5)
    for id in reversed(ids):
        core.feed(Ended(id, LEFT, True), 6)
    return core


def steps_of(children: int, **flags: Any) -> int:
    """Lines of Python that such a life takes."""
    count = 0

    def line(frame: Any, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return line

    before = sys.gettrace()
    sys.settrace(line)
    try:
        core = a_life(children, **flags)
    finally:
        sys.settrace(before)
    assert core.is_over
    return count


if __name__ == "__main__":
    for size in (100, 2_000):
        print(steps_of(size, **FLAGS[sys.argv[1]]) / size)
