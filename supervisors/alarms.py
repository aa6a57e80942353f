"""When a supervisor has to be woken: for children that stay down for a time, and for its strategy."""

from __future__ import annotations

import heapq
import itertools


class Group:
    """Children that will be started together: at a time, or when a person says so; `cause` is the one that fell."""

    __slots__ = ("cause", "ids")

    def __init__(self, cause: str, ids: tuple[str, ...]) -> None:
        self.cause = cause
        self.ids = ids


class Alarms:
    """One time is armed, the earliest."""

    __slots__ = ("armed", "heap", "order", "prompt")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, Group]] = []
        self.order = itertools.count()
        self.prompt: int | None = None  # when the strategy wants to be woken
        self.armed: int | None = None

    def add(self, at: int, group: Group) -> None:
        heapq.heappush(self.heap, (at, next(self.order), group))

    def due(self, now: int) -> list[Group]:
        """The groups whose time has come, in the order of their times."""
        found: list[Group] = []
        while self.heap and self.heap[0][0] <= now:
            found.append(heapq.heappop(self.heap)[2])
        return found

    def prompts(self, now: int) -> bool:
        """Has the strategy's time come?"""
        if self.prompt is None or self.prompt > now:
            return False
        self.prompt = None
        return True

    def clear(self) -> None:
        self.heap.clear()
        self.prompt = None

    def earliest(self) -> int | None:
        times = [self.prompt] if self.prompt is not None else []
        if self.heap:
            times.append(self.heap[0][0])
        return min(times, default=None)
