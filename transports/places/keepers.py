"""The keepers of a runtime: one that runs programs, and a zygote for each kind of guest that is forked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import trio

from ..hub import Hub
from ..timers import Timers
from .keeper import Keeper, OnLost
from .process import Command, GuestProcess
from .zygote import Zygote


class Keepers:
    """Each keeper starts with its first guest; one that dies takes its own guests along and no others."""

    def __init__(self, hub: Hub, timers: Timers) -> None:
        self.hub = hub
        self.timers = timers
        self.all: dict[Zygote, Keeper] = {}
        self.on_lost: OnLost = lambda label, pid, status, guests: None

    def __iter__(self) -> Iterator[Keeper]:
        """Those that run."""
        return (keeper for keeper in self.all.values() if keeper.pid)

    async def launch(
        self, command: Command, descriptors: Sequence[int], places: Sequence[int]
    ) -> GuestProcess:
        """Have the right keeper start a guest that finds `descriptors[i]` under the number `places[i]`.

        Raises:
            LaunchError: if that is refused.
        """
        keeper = self.all.get(command.zygote)
        if keeper is None:
            keeper = self.all[command.zygote] = Keeper(self.hub, self.timers, command.zygote, self.on_lost)
        return await keeper.launch(command, descriptors, places)

    async def close(self) -> None:
        """End all, and with them everything below; returns when they are gone."""
        async with trio.open_nursery() as nursery:
            for keeper in self.all.values():
                nursery.start_soon(keeper.close)

    def let_go(self) -> None:
        """End all without waiting: each kills everything below when its link ends."""
        for keeper in self.all.values():
            keeper.let_go()

    def disown(self) -> None:
        """In a forked child: they are our parent's."""
        for keeper in self.all.values():
            keeper.disown()
