"""How many calls of an actor run at once: a limit for each concurrency group, and who waits for a place in it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from .exported import ASYNC_LIMIT

if TYPE_CHECKING:
    from .call import Call
    from .options import Options


class Group:
    """Calls begin in the order they came, as long as fewer than `limit` run."""

    __slots__ = ("limit", "running", "waiting")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.running = 0
        self.waiting: deque[Call] = deque()

    def next_call(self) -> Call | None:
        """The call that may begin now; those that gave up waiting are forgotten."""
        self.forget_ended()
        return self.waiting.popleft() if self.waiting and self.running < self.limit else None

    def forget_ended(self) -> None:
        while self.waiting and self.waiting[0].ended:
            self.waiting.popleft()


def groups_of(options: Options, default: int = ASYNC_LIMIT) -> dict[str, Group]:
    """The groups of one incarnation by name; "" is for the methods that are in none."""
    limits = {"": options.max_concurrency or default, **options.concurrency_groups}
    return {name: Group(limit) for name, limit in limits.items()}


def group_name(method: Any) -> str:
    """The group of a method as a handle has it."""
    name: str = method.own.get("concurrency_group", "")
    return name
