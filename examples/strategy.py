"""A strategy of one's own: a cache and the readers that were filled from it, in fewer than twenty lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import trio
import trio.testing

from understudy import Actor, Decision, Local, Supervisor, get_actor, method, open_runtime, statistics
from understudy.supervisors.strategies.strategy import View


@dataclass(frozen=True)
class Source:
    """If the source falls, all who drew from it start anew; a reader falls alone.  A third fall in a minute is too many."""

    source: str

    def decide(self, event: Any, view: View, now: int) -> Decision:
        if view.history.of(event.child).within(60.0) > 2:
            return Decision(give_up=True)
        if event.child == self.source:
            return Decision(stop=view.others(self.source), start=view.ids)
        return Decision(start=(event.child,))


class Part(Actor, executor=Local()):
    @method
    def fall(self) -> None:
        raise SystemExit(1)

    @method
    def ping(self) -> None: ...


NAMES = ("cache", "reader", "other")


async def fall(name: str) -> None:
    """Let one fall, wait until all are back, and show which incarnations they are."""
    get_actor(name, Part).fall.cast()
    for part in NAMES:
        await get_actor(part, Part).ping()
    print(f"after {name} fell:", [statistics(get_actor(part, Part)).incarnation for part in NAMES])


async def main() -> None:
    parts = (Part.options(id=name).child() for name in NAMES)
    tree = Supervisor(*parts, strategy=Source("cache"), intensity=10, when_exhausted="park")
    async with open_runtime(tree) as runtime:
        await fall("reader")
        await fall("cache")
        await fall("reader")
        get_actor("reader", Part).fall.cast()
        await trio.testing.wait_all_tasks_blocked()
        for child in await runtime.supervisor().which_children():
            print(child.id, child.state)
        await runtime.supervisor().restart_child("reader")
        await get_actor("reader", Part).ping()
        print("and a person brought it back")


if __name__ == "__main__":
    trio.run(main)
