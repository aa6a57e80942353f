"""Standbys: guests of an actor that are launched, have its code loaded, and wait to be its next incarnation."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

import trio

from ..transports.codec import Unencodable
from ..transports.session import NEW, STARTING
from . import lifecycle
from .reasons import SHUTDOWN_EXIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from .life import Life
    from .process import ProcessIncarnation

AGAIN = 1.0  # seconds between the death of a standby, or its failure to come, and the next attempt


class Reserve:
    """The standbys of one actor: `wanted` of them are kept, of its present spec."""

    __slots__ = ("coming", "life", "make", "spec", "waiting", "wanted")

    def __init__(self, life: Life, make: Callable[[Life], ProcessIncarnation], wanted: int) -> None:
        self.life = life
        self.make = make
        self.wanted = wanted
        self.spec = life.spec
        self.waiting: list[ProcessIncarnation] = []
        self.coming = 0

    @property
    def pids(self) -> list[int]:
        return [standby.pid for standby in self.waiting]

    def order(self) -> None:
        """Launch as many as are missing; they do not take part in anything yet."""
        while len(self.waiting) + self.coming < self.wanted:
            self.coming += 1
            self.life.house.look_after(self.bring)

    async def bring(self) -> None:
        """Launch one; if that fails, another attempt is made a little later."""
        standby = self.make(self.life)
        self.waiting.append(standby)
        self.coming -= 1
        try:
            await standby.prepare(partial(self.lost, standby))
        except (OSError, Unencodable):  # the actor's own next start will tell
            self.lost(standby)
        except trio.Cancelled:
            self.dismiss(standby)
            raise
        else:
            if standby not in self.waiting:
                self.dismiss(standby)  # called off meanwhile

    def take(self) -> ProcessIncarnation | None:
        """One that is ready to go on; those that are not are dismissed."""
        if self.life.spec is not self.spec:
            self.close()
            self.spec = self.life.spec
        for standby in list(self.waiting):
            said_too_much = standby.session.state not in (NEW, STARTING)
            process = standby.process
            if said_too_much or (process is not None and (process.stopped or process.cause or process.ended)):
                self.lost(standby)
            elif standby.is_prepared:
                self.waiting.remove(standby)
                return standby
        return None

    def lost(self, standby: ProcessIncarnation) -> None:
        """It died, broke a rule, or does not answer."""
        if standby in self.waiting:
            self.dismiss(standby)
            self.life.house.stage.timers.after(AGAIN, self.order)

    def dismiss(self, standby: ProcessIncarnation) -> None:
        with contextlib.suppress(ValueError):
            self.waiting.remove(standby)
        standby.kill(SHUTDOWN_EXIT)
        standby.close()

    def close(self) -> None:
        for standby in list(self.waiting):
            self.dismiss(standby)


def reserve_of(life: Life, make: Callable[[Life], ProcessIncarnation], wanted: int) -> Reserve:
    """The standbys of an actor that wants some."""
    reserves = life.house.stage.reserves
    reserve: Reserve | None = reserves.get(life.path)
    if reserve is None or reserve.life is not life:
        reserve = reserves[life.path] = Reserve(life, make, wanted)
    return reserve


def release(life: Life) -> None:
    """An incarnation has ended: if none is to follow, no standby is needed."""
    reserves = life.house.stage.reserves
    reserve: Reserve | None = reserves.get(life.path)
    if reserve is not None and reserve.life is life and life.state in (lifecycle.DOWN, lifecycle.DEAD):
        del reserves[life.path]
        reserve.wanted = 0
        reserve.close()
