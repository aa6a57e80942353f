"""What runs between the calls of the plain loop: hooks and timers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, NoReturn

from .alarms import Alarms
from .backstage import ActorTimer
from .guest import Guest
from .hooks import at_once, finished, let_through, mend, name_of, no_nursery
from .wire import HostGone

Message = list[Any]


class TurnAsides:
    """A timer runs between two messages; while none is pending, nobody looks for any."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        self.wire = guest.wire
        self.running = guest.running
        self.clock = 0.0  # when what ran last has ended
        self.backlog: deque[Message] = deque()  # read, and not handled yet
        self.batch: Iterator[Message] = iter(())  # of which a message is handled now
        self.alarms: Alarms | None = None  # while timers are pending

    @property
    def actor(self) -> Any:
        return self.guest.actor

    @property
    def nursery(self) -> NoReturn:
        raise no_nursery(self.guest)

    async def cue(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Run a hook."""
        self.running.call = None
        return finished(self.guest, function(*args), function)

    def passes(self, error: BaseException) -> bool:
        return isinstance(error, HostGone)

    def clear(self) -> None:
        self.alarms = None

    def then_mend(self, handler: Callable[[list[Any]], None]) -> Callable[[list[Any]], None]:
        """The same; and if the method was interrupted, the actor repairs itself before anything else begins."""

        def handle(message: list[Any]) -> None:
            handler(message)
            if self.guest.hurt:
                self.wire.flush()
                at_once(mend(self))
                self.clock = perf_counter()

        return handle

    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer:
        if self.alarms is None:
            self.alarms = Alarms()
            # From now on timers may run between two messages: the rest of this batch goes where that is looked after.
            self.backlog.extendleft(reversed(list(self.batch)))
        return self.alarms.schedule(seconds, period, function, args)

    def wait_with(self, alarms: Alarms) -> None:
        """Run what is due, and read what comes before the next timer."""
        seconds = 0.0 if self.run_due(alarms) else alarms.wait()
        if seconds is None:
            self.alarms = None
        elif self.wire.ready(seconds):
            self.backlog += self.wire.receive()
            self.clock = perf_counter()

    def run_due(self, alarms: Alarms) -> bool:
        """Run one timer that is due; False if there is none."""
        timer = alarms.next_due()
        function: Any = timer.function if timer is not None else None
        if timer is None or function is None:
            return False
        self.wire.flush()
        self.running.call = None
        try:
            finished(self.guest, function(*timer.args), function)
        except BaseException as error:
            let_through(self, error)
            self.guest.fall(name_of(function), error)
        alarms.ran(timer)
        self.clock = perf_counter()
        return True
