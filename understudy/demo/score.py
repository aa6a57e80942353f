"""The score: what the stream of events tells about the play so far, for those who look on."""

from __future__ import annotations

from collections import deque
from functools import singledispatchmethod

import trio

from ..actors import events
from ..actors.deadletter import DeadLetter
from ..supervisors.events import ChildRestarting
from ..supervisors.runtime import Runtime

BEAT = 0.5  # seconds a point of the throughput's curve stands for
POINTS = 60


class Score:
    """Counts of events, and the last of them."""

    def __init__(self) -> None:
        self.began = trio.current_time()
        self.ended: float | None = None
        self.restarts = 0
        self.retries = 0
        self.stopped: set[tuple[str, int]] = set()  # incarnations that a signal has stopped
        self.letters: deque[DeadLetter] = deque(maxlen=3)
        self.curve: deque[int] = deque(maxlen=POINTS)  # files settled in each beat
        self.missed = 0

    @property
    def seconds(self) -> float:
        return (trio.current_time() if self.ended is None else self.ended) - self.began

    async def watch(self, runtime: Runtime) -> None:
        """Listen until cancelled."""
        async with runtime.events() as stream:
            async for event in stream:
                self.hear(event)

    @singledispatchmethod
    def hear(self, event: events.Event) -> None:
        """Most events say nothing that is shown."""

    @hear.register
    def _(self, event: ChildRestarting) -> None:
        self.restarts += 1

    @hear.register
    def _(self, event: events.CallRetried) -> None:
        self.retries += 1

    @hear.register
    def _(self, event: events.GuestStopped) -> None:
        self.stopped.add((event.actor, event.incarnation))

    @hear.register
    def _(self, event: events.ActorEnded) -> None:
        self.stopped.discard((event.actor, event.incarnation))

    @hear.register
    def _(self, event: events.MessageBuried) -> None:
        self.letters.append(event.letter)
