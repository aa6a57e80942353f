"""What a guest's actor watches: the numbers of its monitors, and its hook `on_down`, which hears of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .asking import Asking


class Downs:
    """The monitors that are open: not heard of yet, nor closed."""

    def __init__(self, asking: Asking) -> None:
        self.asking = asking
        self.monitors: set[int] = set()

    def watch(self, call_id: int, target: list[Any]) -> int:
        """Ask to be told when an actor has ended; returns the number of the monitor."""
        number = next(self.asking.numbers)
        self.order(call_id, "monitor", *target, number)
        self.monitors.add(number)
        return number

    def unwatch(self, call_id: int, number: int) -> bool:
        """Be not told any more, though the news may be here already; True if it has not been heard."""
        silent = number in self.monitors
        if silent:
            self.monitors.discard(number)
            self.order(call_id, "demonitor", number)
        return silent

    def order(self, call_id: int, verb: str, *args: Any) -> None:
        self.asking.order(call_id, ["house", verb, self.asking.guest.values.item(args)])

    def hear(self, on_down: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """The hook, for news of monitors that are open."""
        from inspect import iscoroutinefunction  # dear to load, and few guests watch others

        def heard(down: Any) -> Any:
            wanted = not down.monitor or down.monitor in self.monitors  # 0 is a linked actor's
            self.monitors.discard(down.monitor)
            return (on_down if wanted else ignore)(down)

        async def heard_async(down: Any) -> None:
            value = heard(down)
            if value is not None:
                await value

        return heard_async if iscoroutinefunction(on_down) else heard


def ignore(down: Any) -> None:
    """Its monitor was closed meanwhile."""
