"""Everything a host holds of one guest: its process, the link to it, its page, its streams."""

from __future__ import annotations

import signal
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..codec import Codec
from ..links.socket import SocketLink
from ..page import Page, make_page
from .diagnostics import Diagnostics
from .output import Reader
from .process import Command, GuestProcess
from .standard import Standard, Wiring

if TYPE_CHECKING:
    from ..stage import Stage

LINK_PLACE, PAGE_PLACE, CHANNEL_PLACE = 3, 4, 5  # descriptors in the guest


class Guest:
    """Opened by `launch`; `close` gives back every descriptor, however far the launch had come."""

    __slots__ = ("diagnostics", "link", "page", "process", "stage", "standard")

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.link: SocketLink | None = None
        self.page: Page | None = None
        self.process: GuestProcess | None = None
        self.standard = Standard(stage.hub)
        self.diagnostics: Diagnostics | None = None

    @property
    def pid(self) -> int:
        if self.process is None:
            return 0
        return self.process.inner.pid if self.process.inner is not None else self.process.pid

    @property
    def alive(self) -> bool:
        return self.process is not None and not self.process.ended

    async def launch(
        self, command: Command, codec: Codec, wiring: Wiring, readers: dict[str, Reader]
    ) -> tuple[GuestProcess, SocketLink]:
        """Start the process; the numbers of its descriptors are added to the command.

        Raises:
            OSError: if the system refuses a process or a descriptor.
        """
        stage = self.stage
        with ExitStack() as handed:
            ours, theirs = socket.socketpair()
            handed.callback(theirs.close)
            link = self.link = SocketLink(ours, codec, stage.hub, stage.ticks)
            streams = self.standard.open(wiring, readers, handed)
            channel, their_channel = socket.socketpair()
            handed.callback(their_channel.close)
            self.diagnostics = Diagnostics(channel, stage.hub)
            descriptors = [theirs.fileno(), their_channel.fileno(), *streams.values()]
            places = [LINK_PLACE, CHANNEL_PLACE, *streams]
            page = self.page = make_page()
            if page is not None:
                descriptors.append(page.descriptor)
                places.append(PAGE_PLACE)
                handed.callback(page.close_descriptor)
            told = [place for place in places if place in (LINK_PLACE, PAGE_PLACE)]
            command = command.with_descriptors(told)
            process = self.process = await stage.keepers.launch(command, descriptors, places)
        return process, link

    def greeted(self, number: int) -> None:
        """It has said hello."""
        if self.process is not None:
            self.process.greeted(number)

    def signal(self, number: int) -> None:
        if self.process is not None:
            self.process.signal(number)

    def interrupt(self, call_id: int) -> None:
        """Ring the doorbell for a call."""
        if self.page is not None:
            self.page.interrupt(call_id)
        self.signal(signal.SIGINT)

    def close(self) -> None:
        for part in (self.link, self.standard, self.page, self.diagnostics):
            if part is not None:
                part.close()
