"""Which calls a guest that runs several at once may have in its hands: a lane for each concurrency group.

A full group does not hold up the others: its calls wait in their lane, in order, while those behind them pass.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ..transports.guests.protocol import GROUPS, WINDOW
from .lifecycle import ENDED, SENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..transports.page import Page
    from .call import Call

Groups = list[tuple[str, int]]

BEGUN = 0  # the position of a call that may begin out of turn: nobody can tell any more that it has not


class Lane:
    """The calls of one group: `out` are in the guest's hands, `held` wait for room, `given` were handed over."""

    __slots__ = ("given", "held", "index", "out", "room")

    def __init__(self, index: int, room: int) -> None:
        self.index = index
        self.room = room
        self.out = 0
        self.given = 0
        self.held: deque[Call] = deque()


class Lanes:
    """The lanes of one incarnation; `back` is for calls that came back within one chain."""

    def __init__(self, groups: Groups, group_of: dict[str, str], back: int, ahead: bool) -> None:
        # With a page a few more than may run are handed over, so that no reply is waited for before the next begins.
        extra = WINDOW if ahead else 0
        self.lanes = {name: Lane(index, limit + extra) for index, (name, limit) in enumerate(groups)}
        self.plain = self.lanes[""]
        self.by_method = {method: self.lanes[group] for method, group in group_of.items()}
        self.back = Lane(back, 1 << 60)

    def of(self, call: Call) -> Lane:
        if call.context is not None and "reentrant" in call.context:
            return self.back
        return self.by_method.get(call.method.name, self.plain)

    def __iter__(self) -> Iterator[Lane]:
        yield from self.lanes.values()
        yield self.back

    def take(self, queue: deque[Call] | None, sent: dict[int, Call]) -> list[Call]:
        """Take all from the mailbox; returns the calls that may go now, the others wait in their lanes."""
        while queue:
            call = queue.popleft()
            if call.state is not ENDED:
                sent[call.id] = call  # in the order taken, whether it goes now or waits
                self.of(call).held.append(call)
        return [call for lane in self for call in self.go(lane, sent)]

    def go(self, lane: Lane, sent: dict[int, Call]) -> Iterator[Call]:
        while lane.held and (lane.out < lane.room or lane.held[0].state is ENDED):
            call = lane.held.popleft()
            if call.state is ENDED:
                sent.pop(call.id, None)
                continue
            lane.out += 1
            lane.given += 1
            call.position = lane.given
            yield call

    def let_back(self, call: Call) -> bool:
        """It has come back within its chain, and moves to that lane; True if the guest has it already."""
        lane = self.of(call)
        call.context = {**(call.context or {}), "reentrant": True}
        if call in lane.held:
            lane.held.remove(call)
            self.back.held.append(call)
        elif call.state is SENT:
            lane.out -= 1
            self.back.out += 1
            self.back.given += 1
            call.position = BEGUN
            return True
        return False

    def gone(self, call: Call) -> None:
        """The guest has answered."""
        self.of(call).out -= 1

    def begun(self, call: Call, page: Page) -> bool:
        """Has the guest begun it, as its page tells?"""
        return call.position <= page.words[GROUPS + self.of(call).index]
