"""The ladder, in virtual time: interrupt, terminate, kill, each repeated until there is an end."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable

import trio
import trio.testing

from understudy import Ladder
from understudy.actors.ladder import FIRST_REPEAT, INTERRUPT, KILL, LAST_REPEAT, RUNGS, TERMINATE, Climb
from understudy.transports.deadlines import Deadlines
from understudy.transports.timers import Timers


class Witness:
    """Writes down what a climb does, and when."""

    def __init__(self) -> None:
        self.rings: list[tuple[float, int]] = []
        self.rungs: list[tuple[float, str]] = []

    def ring(self, call_id: int, number: int) -> None:
        self.rings.append((round(trio.current_time(), 4), number))

    def may_take(self, call_id: int) -> bool:
        return True

    def took(self, rung: str, call_id: int, why: str) -> None:
        self.rungs.append((round(trio.current_time(), 4), rung))


def climb(limits: Ladder, seconds: float, then: Callable[[Climb], object] = lambda climb: None) -> Witness:
    """Climb for so many virtual seconds; the clock starts at 0."""
    witness = Witness()

    async def play() -> None:
        async with trio.open_nursery() as nursery:
            timers = Timers()
            await nursery.start(timers.run)
            climbing = Climb(witness, 7, "because", limits, Deadlines(timers))
            climbing.start()
            await trio.sleep(seconds)
            then(climbing)
            await trio.sleep(10)
            nursery.cancel_scope.cancel()

    trio.run(play, clock=trio.testing.MockClock(autojump_threshold=0))
    start = witness.rungs[0][0]
    witness.rungs = [(round(at - start, 4), rung) for at, rung in witness.rungs]
    witness.rings = [(round(at - start, 4), number) for at, number in witness.rings]
    return witness


def test_each_rung_is_taken_after_the_time_of_the_one_before() -> None:
    witness = climb(Ladder(interrupt=1.0, terminate=2.0), 20)

    assert witness.rungs == [(0, INTERRUPT), (1.0, TERMINATE), (3.0, KILL)]


def test_each_rung_has_its_signal() -> None:
    witness = climb(Ladder(interrupt=1.0, terminate=1.0), 20)
    first = {number: at for at, number in reversed(witness.rings)}

    assert first == {signal.SIGINT: 0, signal.SIGTERM: 1.0, signal.SIGKILL: 2.0}


def test_a_rung_repeats_its_signal_with_growing_pauses() -> None:
    witness = climb(Ladder(interrupt=1.0, terminate=1.0), 0.9, Climb.end)
    times = [at for at, _ in witness.rings]
    pauses = [round(later - earlier, 4) for earlier, later in itertools.pairwise(times)]

    assert pauses[0] == FIRST_REPEAT
    assert max(pauses) == LAST_REPEAT
    assert pauses == sorted(pauses)


def test_the_last_rung_repeats_without_end() -> None:
    witness = climb(Ladder(interrupt=0.1, terminate=0.1), 5)

    assert witness.rings[-1][0] > 10


def test_an_end_stops_it_on_any_rung() -> None:
    for seconds, rungs in ((0.5, 1), (1.5, 2), (2.5, 3)):
        witness = climb(Ladder(interrupt=1.0, terminate=1.0), seconds, Climb.end)

        assert len(witness.rungs) == rungs
        assert witness.rings[-1][0] <= seconds


def test_the_end_of_a_climb_is_an_event() -> None:
    seen = []

    def end(climbing: Climb) -> None:
        seen.append(climbing.over.is_set())
        climbing.end()
        climbing.end()
        seen.append(climbing.over.is_set())

    climb(Ladder(), 0.1, end)

    assert seen == [False, True]


def test_a_rung_of_no_time_is_passed_at_once() -> None:
    witness = climb(Ladder(interrupt=0.0, terminate=0.0), 1, Climb.end)

    assert [rung for _, rung in witness.rungs] == [INTERRUPT, TERMINATE, KILL]


def test_every_rung_leads_up_and_ends_at_the_kill() -> None:
    rung: str | None = INTERRUPT
    path = []
    while rung is not None:
        path.append(rung)
        rung = RUNGS[rung][1]

    assert path == [INTERRUPT, TERMINATE, KILL]
    assert set(RUNGS) == set(path)
