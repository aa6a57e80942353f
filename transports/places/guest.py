"""Everything a host holds of one guest: its process, the link to it, its page, the end of its stderr."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from ..codec import Codec
from ..links.socket import SocketLink
from ..page import Page, make_page
from .diagnostics import Diagnostics
from .process import Command, GuestProcess
from .stderr import Stderr

if TYPE_CHECKING:
    from ..stage import Stage

LINK_PLACE, PAGE_PLACE, CHANNEL_PLACE, STDERR_PLACE = 3, 4, 5, 2  # descriptors in the guest


class Guest:
    """Opened by `launch`; `close` gives back every descriptor, however far the launch had come."""

    __slots__ = ("diagnostics", "link", "page", "process", "stage", "stderr")

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.link: SocketLink | None = None
        self.page: Page | None = None
        self.process: GuestProcess | None = None
        self.stderr: Stderr | None = None
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
        self, command: Command, codec: Codec, show_stderr: bool
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
            read_end, write_end = os.pipe()
            handed.callback(os.close, write_end)
            self.stderr = Stderr(read_end, stage.hub, show_stderr)
            channel, their_channel = socket.socketpair()
            handed.callback(their_channel.close)
            self.diagnostics = Diagnostics(channel, stage.hub)
            descriptors = [theirs.fileno(), write_end, their_channel.fileno()]
            places = [LINK_PLACE, STDERR_PLACE, CHANNEL_PLACE]
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

    def last_words(self) -> str:
        """What it wrote to its standard error, the end of it; closes the pipe."""
        return self.stderr.last_words() if self.stderr is not None else ""

    def close(self) -> None:
        for part in (self.link, self.stderr, self.page, self.diagnostics):
            if part is not None:
                part.close()
