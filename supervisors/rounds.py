"""Whose turn it is: children are stopped one by one, last first, then started one by one, in order.

Whatever happens meanwhile joins the round that is under way, so that there is never more than one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from .alarms import Alarms, Group
from .child import (
    DELAYED,
    DOWN,
    DUE,
    LEAVING,
    LIVE,
    PARKED,
    PENDING,
    RESTARTING,
    STARTING,
    STOPPING,
    WAITING,
    Child,
)
from .rules import Flags
from .steps import AllStarted, Cause, Effect, Over, Rest, Retire, Start, Stop, Wake
from .strategies.strategy import Decision

ASKED = (STOPPING, LEAVING)


class Round:
    """The children of a supervisor, and who of them is to be stopped and started next."""

    __slots__ = (
        "alarms",
        "cause",
        "children",
        "doomed",
        "ending",
        "flags",
        "held",
        "is_over",
        "live",
        "out",
        "planned",
        "returns",
        "significant",
        "starting",
        "starts",
        "stops",
        "turn",
    )

    def __init__(self, flags: Flags) -> None:
        self.flags = flags
        self.children: dict[str, Child] = {}
        self.planned = 0  # children with places below this are started with the supervisor
        self.live: int = 0
        self.significant: set[str] = set()  # those of the significant that live, or will again
        self.starting = self.ending = self.is_over = False
        self.returns = False  # after its end it will begin again
        self.cause: Cause | None = None  # of its end
        self.turn: Child | None = None  # whose start or end is waited for
        self.stops: list[Child] = []  # to be stopped, the first one last
        self.starts: deque[Child] = deque()
        self.doomed: dict[str, str | None] = {}  # will be stopped for a sibling, and what they are after that
        self.held: dict[str, Group] = {}  # wait for a time, or for a person
        self.alarms: Alarms | None = None
        self.out: list[Effect] = []

    # -- turns ----------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Give the turn to the next one, unless somebody has it."""
        while self.turn is None:
            if self.stops:
                self.stop_next(self.stops.pop())
            elif self.starts and not self.ending:
                self.start_next(self.starts.popleft())
            else:
                break
        if self.ending:
            if not self.live and not self.is_over:
                self.over()
        elif self.starting and self.turn is None and not self.unborn():
            self.starting = False
            self.out.append(AllStarted())
            if getattr(self.flags.strategy, "wakes_first", False):
                self.wakes.prompt = 0

    def stop_next(self, child: Child) -> None:
        if child.state in LIVE and self.children.get(child.id) is child:
            self.turn = child
            if child.state not in ASKED:
                self.stop(child)

    def start_next(self, child: Child) -> None:
        if child.state in DUE and child.id not in self.held and self.children.get(child.id) is child:
            self.turn = child
            self.start(child, again=child.state == PENDING)

    def unborn(self) -> bool:
        """Does somebody wait for a first start?"""
        return any(self.children[id].state == WAITING for id in self.held)

    def start(self, child: Child, again: bool = False) -> None:
        child.state = RESTARTING if again else STARTING
        self.live += 1
        if child.rules.significant:
            self.significant.add(child.id)
        self.out.append(Start(child.id, again))

    def stop(self, child: Child) -> None:
        child.state = STOPPING
        returns = self.returns if self.ending else self.doomed.get(child.id) is not None
        self.out.append(Stop(child.id, child.rules.timeout, returns))

    def enqueue(self, children: Iterable[Child]) -> None:
        """Let these be started when it is their turn."""
        if not self.starts:
            self.starts.extend(sorted(children, key=place_of))
        else:
            self.starts = deque(sorted({*self.starts, *children}, key=place_of))

    def append(self, child: Child) -> None:
        """As `enqueue`, for one that is often the last."""
        if self.starts and child.place < self.starts[-1].place:
            self.enqueue([child])
        else:
            self.starts.append(child)

    # -- what a decision means ------------------------------------------------------------------

    def carry_out(self, decision: Decision, group: Group | None = None) -> None:
        """Stop and start what a decision names; with a group, the starts wait for its time."""
        self.doom(decision)
        starts = [child for child in map(self.children.__getitem__, decision.start) if self.may_start(child)]
        for child in starts:
            if group is not None:
                self.held[child.id] = group
            else:
                self.held.pop(child.id, None)
            if child.state in (DOWN, PARKED, DELAYED) and (group is None or child.id != group.cause):
                child.state = PENDING
        if group is None:
            self.enqueue(starts)
        turn = self.turn
        if turn is not None and turn.id in self.doomed and turn.state not in ASKED:
            self.stop(turn)
        self.go_on()

    def may_start(self, child: Child) -> bool:
        """It is down, or will be: what runs and is not to be stopped runs on."""
        return child.state not in LIVE or child.id in self.doomed

    def doom(self, decision: Decision) -> None:
        """Those who will be stopped, and what becomes of them then."""
        back = set(decision.start)
        chosen: list[Child] = []
        for id in decision.stop:
            child = self.children[id]
            if child.state in LIVE and child.state != LEAVING:
                if id not in self.doomed:
                    chosen.append(child)
                fresh = child.state == STARTING or self.doomed.get(id) == WAITING
                self.doomed[id] = (WAITING if fresh else PENDING) if id in back else None
        if chosen:
            self.stops = sorted({*self.stops, *chosen}, key=place_of)

    def freed(self, group: Group) -> list[Child]:
        """Those of a group that still wait with it, and now no longer do."""
        free = [self.children[id] for id in group.ids if self.held.get(id) is group]
        for child in free:
            del self.held[child.id]
            if child.state in (DELAYED, PARKED):
                child.state = PENDING
        return free

    def let_go(self, group: Group) -> None:
        """What was held is started: one at once, several in their turn."""
        free = self.freed(group)
        if len(free) == 1 and self.turn is None and free[0].state == PENDING:
            self.start(free[0], again=True)
        else:
            self.enqueue(free)

    def release(self, child: Child, reason: Any) -> None:
        """It will not come back by itself; those who would have come with it stay down too."""
        group = self.held.pop(child.id, None)
        if group is None or group.cause != child.id:
            return
        for id in group.ids:
            if self.held.get(id) is group:
                del self.held[id]
                if id in self.doomed:
                    self.doomed[id] = None
                else:
                    self.rest(self.children[id], reason)

    # -- what becomes of a child ----------------------------------------------------------------

    def rest(self, child: Child, reason: Any) -> None:
        child.state = DOWN
        self.significant.discard(child.id)
        self.out.append(Rest(child.id, reason))

    def retire(self, child: Child, reason: Any, gave_up: bool = False) -> None:
        del self.children[child.id]
        self.significant.discard(child.id)
        self.out.append(Retire(child.id, reason, gave_up))

    def leave(self, child: Child, reason: Any) -> None:
        """It has ended and is not started again: its spec is kept, if anybody could use it."""
        if self.forgets(child):
            self.retire(child, reason)
        else:
            self.rest(child, reason)

    def forgets(self, child: Child) -> bool:
        return self.flags.dynamic or child.rules.restart == "temporary"

    # -- the end --------------------------------------------------------------------------------

    def end(self, cause: Cause) -> None:
        """End of itself, for the supervisor above to decide."""
        if not self.ending:
            self.cause = cause
            self.begin_end(returns=True)

    def begin_end(self, returns: bool) -> None:
        """Static children stop one by one, last first; dynamic ones all at once."""
        self.ending, self.starting, self.returns = True, False, returns
        self.turn = None
        self.starts.clear()
        self.held.clear()
        self.doomed.clear()
        if self.alarms is not None:
            self.alarms.clear()
        live: list[Child] = []
        for child in list(self.children.values()):
            if child.state in LIVE:
                live.append(child)
            else:
                self.lay_down(child, None)
        if not self.flags.dynamic:
            self.stops = live
        else:
            for child in reversed(live):
                if child.state not in ASKED:
                    self.stop(child)
        self.go_on()

    def lay_down(self, child: Child, reason: Any) -> None:
        """While the supervisor ends: what was planned is kept for its restart, all else is gone."""
        if self.flags.dynamic or child.place >= self.planned:
            self.retire(child, reason)
        elif child.state != WAITING and child.state != DOWN:
            self.rest(child, None)

    def over(self) -> None:
        for child in self.children.values():
            child.state = WAITING
        self.significant.clear()
        self.is_over = True
        if self.alarms is not None:
            self.arm(self.alarms)
        self.out.append(Over(self.cause))

    # -- the time -------------------------------------------------------------------------------

    @property
    def wakes(self) -> Alarms:
        """Few supervisors ever need any."""
        if self.alarms is None:
            self.alarms = Alarms()
        return self.alarms

    def arm(self, alarms: Alarms) -> None:
        """Tell when to be woken, if that has changed."""
        earliest = alarms.earliest()
        if earliest != alarms.armed:
            alarms.armed = earliest
            self.out.append(Wake(earliest))


def place_of(child: Child) -> int:
    return child.place
