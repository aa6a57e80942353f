"""The host's side of the keeper, the process that starts and reaps guests (`guests/keeper.py`)."""

from __future__ import annotations

import contextlib
import itertools
import logging
import marshal
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import trio

from ..hub import Hub
from ..system.means import has, portable
from ..timers import Timers
from .process import Command, GuestProcess, LaunchError

log = logging.getLogger("understudy.transports.keeper")

PATIENCE = 5.0  # seconds a keeper has to kill what is below and end
LINGER = 0.005  # seconds between two looks at a guest that is just dying behind its walls
WORD = 0.1  # seconds between two looks at a keeper that has not told yet how a dead guest ended
TRIES, WINDOW = 3, 5.0  # keepers that may die with the same launch, or within so many seconds
BOOTSTRAP = Path(__file__).parent.parent / "guests" / "bootstrap.py"


class KeeperLost(LaunchError):
    """The keeper died before the guest was there; another may do better."""


class Keeper:
    """Starts with the first guest, and again if it dies; its guests die with it."""

    def __init__(self, hub: Hub, timers: Timers) -> None:
        self.hub = hub
        self.timers = timers
        self.keys = itertools.count(1)
        self.process: subprocess.Popen[bytes] | None = None
        self.link: socket.socket | None = None
        self.buffer = bytearray()
        self.launching: dict[int, tuple[GuestProcess, Callable[[OSError | None], None]]] = {}
        self.guests: dict[int, GuestProcess] = {}
        self.losses: list[float] = []
        self.sending = trio.Lock()
        self.handlers: dict[str, Callable[..., None]] = {
            "launched": self.on_launched, "refused": self.on_refused, "ended": self.on_ended,
            "stopped": self.on_stopped, "continued": self.on_continued,
        }  # fmt: skip

    @property
    def pid(self) -> int:
        """The keeper's process id; 0 while it does not run."""
        return self.process.pid if self.process else 0

    @property
    def stopped(self) -> bool:
        """Has a signal stopped it?  It does and tells nothing then."""
        look = os.WSTOPPED | os.WNOHANG | os.WNOWAIT
        return self.process is not None and os.waitid(os.P_PID, self.process.pid, look) is not None

    async def launch(
        self, command: Command, descriptors: Sequence[int], places: Sequence[int]
    ) -> GuestProcess:
        """Start a guest that finds `descriptors[i]` under the number `places[i]`.

        If cancelled, the guest is not started, or killed as soon as it is.

        Raises:
            LaunchError: if the system refuses.
        """
        for _ in range(TRIES - 1):
            with contextlib.suppress(KeeperLost):
                return await self.ask(command, descriptors, places)
        return await self.ask(command, descriptors, places)

    async def ask(self, command: Command, descriptors: Sequence[int], places: Sequence[int]) -> GuestProcess:
        key = next(self.keys)
        guest = GuestProcess()
        guest.walled = command.walled
        answered = trio.Event()
        refusal: list[OSError] = []

        def answer(error: OSError | None) -> None:
            if error is not None:
                refusal.append(error)
            answered.set()

        try:
            async with self.sending:
                await self.start()
                self.launching[key] = guest, answer
                request = {**command.request(), "key": key, "places": list(places)}
                await self.send(request, descriptors)
            await answered.wait()
        except BaseException:
            self.abandon(key, guest)
            raise
        if refusal:
            raise refusal[0]
        return guest

    def abandon(self, key: int, guest: GuestProcess) -> None:
        """Nobody waits for this launch any more: kill what comes of it."""
        if key in self.launching:
            self.launching[key] = guest, lambda error: guest.signal(signal.SIGKILL)
        else:
            guest.signal(signal.SIGKILL)

    # -- the keeper's own life ------------------------------------------------------------------

    async def start(self) -> None:
        if self.link is not None:
            return
        try:
            ours, theirs = socket.socketpair()
            with theirs, contextlib.ExitStack() as undo:
                undo.callback(ours.close)
                arguments = [str(theirs.fileno()), str(os.getpid()), str(int(portable()))]
                command = [sys.executable, "-I", "-S", "-E", str(BOOTSTRAP), "keeper", *arguments]
                self.process = start_process(command, theirs.fileno())
                undo.pop_all()
        except OSError as error:
            raise LaunchError(
                error.errno, f"the process that starts guests could not be started: {error}"
            ) from error
        ours.setblocking(False)
        self.link = ours
        self.buffer.clear()
        self.hub.watch(ours.fileno(), self.read)
        log.debug("keeper %d started", self.process.pid)

    async def send(self, request: dict[str, Any], descriptors: Sequence[int]) -> None:
        """Write a request whole: half of one would be the end of the keeper."""
        data = marshal.dumps(request)
        rest = memoryview(len(data).to_bytes(4, "big") + data)
        with trio.CancelScope(shield=True):
            while rest and self.link is not None:
                try:
                    sent = socket.send_fds(self.link, [rest], list(descriptors))
                except BlockingIOError:
                    with contextlib.suppress(trio.ClosedResourceError):
                        await trio.lowlevel.wait_writable(self.link)
                    continue
                except OSError:
                    return  # it is dying; `lost` answers all who wait
                rest, descriptors = rest[sent:], ()

    async def close(self) -> None:
        """End the keeper, and with it everything below; returns when it is gone."""
        if self.link is None or self.process is None:
            return
        process, self.process = self.process, None
        self.drop_link()
        for guest in list(self.guests.values()):
            self.release(guest)
        self.guests.clear()
        with contextlib.suppress(OSError):
            process.send_signal(signal.SIGCONT)  # stopped, it could not do its last work
        with trio.CancelScope(shield=True):
            with trio.move_on_after(PATIENCE):
                await trio.to_thread.run_sync(process.wait, abandon_on_cancel=True)
                return
            process.kill()  # it is stopped or stuck; its guests die with it
            await trio.to_thread.run_sync(process.wait)

    def let_go(self) -> None:
        """End the keeper without waiting: it kills everything below when its link ends."""
        self.drop_link()

    def drop_link(self) -> None:
        if self.link is not None:
            self.hub.forget(self.link.fileno())
            trio.lowlevel.notify_closing(self.link)  # a launch may wait to write
            self.link.close()
            self.link = None

    def lost(self) -> None:
        """The keeper died: its guests die with it, and the next launch starts another."""
        process, self.process = self.process, None
        self.drop_link()
        if process is not None:
            process.kill()  # a keeper without a link is of no use, whatever keeps it
        status = process.wait() if process else None
        log.warning("the keeper ended with status %s; its guests are lost", status)
        waiting, self.launching = self.launching, {}
        for _, answer in waiting.values():
            answer(KeeperLost(0, "the process that starts guests died, and so did the next ones"))
        guests, self.guests = self.guests, {}
        excused = self.is_excused(trio.current_time())
        for guest in guests.values():
            guest.signal(signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.killpg(guest.pid, signal.SIGKILL)  # nobody else is left to find its children
            guest.uprooted = excused
            if guest.pidfd < 0:
                guest.end(None)

    def is_excused(self, now: float) -> bool:
        """A keeper that dies is nobody's fault; keepers that die again and again are a matter for supervisors."""
        self.losses = [*(at for at in self.losses if now - at < WINDOW), now]
        return len(self.losses) < TRIES

    def dead(self, guest: GuestProcess) -> None:
        """The pidfd proves a death.  How it came only the keeper knows, and it may be stopped, or dead itself."""
        self.hub.forget(guest.pidfd)
        self.await_word(guest)

    def await_word(self, guest: GuestProcess) -> None:
        if self.guests.get(guest.pid) is not guest:
            guest.end(None)
        elif self.stopped:
            self.on_ended(guest.pid, None)
        else:
            self.timers.after(WORD, lambda: self.await_word(guest))

    def release(self, guest: GuestProcess) -> None:
        if guest.pidfd >= 0:
            self.hub.forget(guest.pidfd)
        guest.close()

    # -- what the keeper tells ------------------------------------------------------------------

    def read(self) -> None:
        assert self.link is not None
        try:
            data = self.link.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.lost()
            return
        self.buffer += data
        while len(self.buffer) >= 4 and len(self.buffer) >= 4 + (
            length := int.from_bytes(self.buffer[:4], "big")
        ):
            message: tuple[Any, ...] = marshal.loads(bytes(self.buffer[4 : 4 + length]))
            del self.buffer[: 4 + length]
            self.handlers[message[0]](*message[1:])

    def on_launched(self, key: int, pid: int) -> None:
        guest, answer = self.launching.pop(key)
        guest.launched(pid, has("pidfd"))
        self.guests[pid] = guest
        if guest.pidfd >= 0:
            self.hub.watch(guest.pidfd, lambda: self.dead(guest))
        answer(None)

    def on_refused(self, key: int, number: int, text: str) -> None:
        _, answer = self.launching.pop(key)
        answer(LaunchError(number, f"the system refused a new process: {text}"))

    def on_ended(self, pid: int, status: int | None) -> None:
        guest = self.guests.get(pid)
        if guest is not None and guest.lingers:
            guest.signal(signal.SIGKILL)
            self.timers.after(LINGER, lambda: self.on_ended(pid, status))
            return
        guest = self.guests.pop(pid, None)
        if guest is not None:
            self.release(guest)
            guest.end(status)

    def on_stopped(self, pid: int, number: int) -> None:
        if guest := self.guests.get(pid):
            guest.stopped = True
            guest.on_stop(number)

    def on_continued(self, pid: int) -> None:
        if guest := self.guests.get(pid):
            guest.stopped = False


def start_process(command: list[str], descriptor: int) -> subprocess.Popen[bytes]:
    """Run the keeper with one descriptor of ours, no environment, and no terminal to get a Ctrl-C from."""
    return subprocess.Popen(
        command, env={}, stdin=subprocess.DEVNULL, pass_fds=[descriptor], start_new_session=True
    )
