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
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import trio

from ..hub import Hub
from ..timers import Timers
from .greenroom import GREEN_ROOM, Waiting
from .keeper_link import messages, receive
from .keeper_words import KeeperWords
from .output import OutputPipe
from .process import Command, GuestProcess, LaunchError, close, describe_status
from .zygote import PLAIN, Zygote, await_end, put_down

log = logging.getLogger("understudy.transports.keeper")

PATIENCE = 5.0  # seconds a keeper has to kill what is below and end
LINGER = 0.005  # seconds between two looks at a guest that is just dying behind its walls
WORD = 0.1  # seconds between two looks at a keeper that has not told yet how a dead guest ended
LOOK = 0.5  # seconds between two looks at a keeper that somebody waits for
STOPPED, SILENT, LOADING = 2, 20, 240  # looks, after which one that is stopped, silent or loading is given up
TRIES, WINDOW = 3, 5.0  # keepers that may die with the same launch, or within so many seconds


OnLost = Callable[[str, int, int, int], None]  # its label, process and status, and how many guests it had


class KeeperLost(LaunchError):
    """The keeper died before the guest was there; another may do better."""


class Keeper:
    """Starts with the first guest, and again if it dies; its guests die with it."""

    def __init__(
        self,
        hub: Hub,
        timers: Timers,
        zygote: Zygote = PLAIN,
        on_lost: OnLost = lambda label, pid, status, guests: None,
    ) -> None:
        self.on_lost = on_lost
        self.hub = hub
        self.timers = timers
        self.zygote = zygote
        self.ready = self.unfit = False  # it has loaded all it is to load, or said that it cannot
        self.loaded = trio.Event()  # it has, or never will
        self.stderr: OutputPipe | None = None
        self.pidfds: deque[int] = deque()  # received, and not yet told whose they are
        self.looking = False
        self.suspect = 0  # looks in a row that have found it stopped, or without an answer
        self.keys = itertools.count(1)
        self.process: subprocess.Popen[bytes] | None = None
        self.link: socket.socket | None = None
        self.buffer = bytearray()
        self.launching: dict[int, tuple[GuestProcess, Callable[[OSError | None], None]]] = {}
        self.guests: dict[int, GuestProcess] = {}
        self.losses: list[float] = []
        self.sending = trio.Lock()
        self.handlers: dict[str, Callable[..., None]] = {
            "ready": self.on_ready, "unfit": self.on_unfit, "launched": self.on_launched,
            "refused": self.on_refused, "ended": self.on_ended, "stopped": self.on_stopped,
            "continued": self.on_continued,
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
        sent = False

        def answer(error: OSError | None) -> None:
            if error is not None:
                refusal.append(error)
            answered.set()

        try:
            async with self.sending:
                await self.start()
                self.launching[key] = guest, answer
                self.look_after()
            await self.loaded.wait()  # before that it does not read, and what is begun is written whole
            async with self.sending:
                if sent := key in self.launching:
                    await self.send({**command.request(), "key": key, "places": list(places)}, descriptors)
            await answered.wait()
        except BaseException:
            self.abandon(key, guest, sent)
            raise
        if refusal:
            raise refusal[0]
        return guest

    def abandon(self, key: int, guest: GuestProcess, sent: bool) -> None:
        """Nobody waits for this launch any more: kill what comes of it."""
        if not sent:
            self.launching.pop(key, None)
        elif key in self.launching:
            self.launching[key] = guest, lambda error: guest.signal(signal.SIGKILL)
        else:
            guest.signal(signal.SIGKILL)

    # -- the keeper's own life ------------------------------------------------------------------

    async def start(self) -> None:
        if self.link is not None:
            return
        waiting = GREEN_ROOM.call(self.zygote)
        if waiting is not None:
            self.take_on(waiting.process, waiting.link, waiting.stderr)
            self.on_ready()
            return
        try:
            process, link, stderr = self.zygote.start()
        except OSError as error:
            text = f"cannot run {self.zygote.interpreter!r}, which is to start guests: {error.strerror}"
            raise LaunchError(error.errno, text) from error
        self.take_on(process, link, stderr)
        log.debug("%s %d started", self.zygote.label, self.pid)
        await self.send(self.zygote.settings())

    def take_on(self, process: subprocess.Popen[bytes], link: socket.socket, stderr: int) -> None:
        self.process, self.link = process, link
        self.ready, self.unfit, self.loaded = False, False, trio.Event()
        self.stderr = OutputPipe(stderr, self.hub, KeeperWords(self.zygote.label))
        self.buffer.clear()
        self.hub.watch(link.fileno(), self.read)

    async def send(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
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
        if self.process is None or self.has_stayed():
            return
        process, self.process = self.process, None
        self.drop_link()
        for guest in list(self.guests.values()):
            self.release(guest)
        self.guests.clear()
        if process.returncode is None:
            os.kill(process.pid, signal.SIGCONT)  # stopped, it could not do its last work
        with trio.CancelScope(shield=True):
            if self.ready:  # else it may load for ever, and there is nobody below
                with trio.move_on_after(PATIENCE):
                    await trio.to_thread.run_sync(await_end, process.pid, abandon_on_cancel=True)
            # It may be stopped or stuck; its guests die with it.
            await trio.to_thread.run_sync(put_down, process)

    def has_stayed(self) -> bool:
        """Let it wait for the next runtime, if that is wished and it is at rest."""
        if not (GREEN_ROOM.is_open and self.ready and self.link and self.stderr and self.stderr.open):
            return False
        if (
            self.guests
            or self.launching
            or self.buffer
            or self.pidfds
            or self.stopped
            or self.process is None
        ):
            return False
        process, link, stderr = self.process, self.link, self.stderr.release()
        self.hub.forget(link.fileno())
        self.process = self.link = self.stderr = None
        GREEN_ROOM.take_in(self.zygote, Waiting(process, link, stderr))
        return True

    def let_go(self) -> None:
        """End the keeper without waiting: it kills everything below when its link ends."""
        self.drop_link()

    def disown(self) -> None:
        """In a forked child: it is our parent's, and nobody here is to wait for it."""
        if self.link is not None:
            self.link.close()
        if self.process is not None:
            self.process.returncode = 0
        self.link = self.process = None

    def drop_link(self) -> None:
        self.loaded.set()
        if self.stderr is not None:
            self.stderr.finish()
        while self.pidfds:
            close(self.pidfds.popleft())
        if self.link is not None:
            self.hub.forget(self.link.fileno())
            trio.lowlevel.notify_closing(self.link)  # a launch may wait to write
            self.link.close()
            self.link = None

    def lost(self, why: str = "") -> None:
        """The keeper died, or is to, and why: its guests die with it, and the next launch starts another."""
        process, self.process = self.process, None
        assert process is not None
        words = ""
        if self.stderr is not None:
            self.stderr.finish()
            words = self.stderr.last_words()
        self.drop_link()
        status = put_down(process)  # without a link it is of no use, whatever keeps it
        guests, self.guests = self.guests, {}
        self.fail_all(self.failure(status, words))
        why = why or ("was " * (status < 0) + describe_status(status))
        if not self.unfit:  # else it has told, and had none
            log.warning("%s, process %d, %s; its guests are lost", self.zygote.label, process.pid, why)
            self.on_lost(self.zygote.label, process.pid, status, len(guests))
        excused = self.is_excused(trio.current_time())
        for guest in guests.values():
            guest.signal(signal.SIGKILL)
            with contextlib.suppress(OSError):
                os.killpg(guest.pid, signal.SIGKILL)  # nobody else is left to find its children
            guest.cause = f"its {self.zygote.kind}, process {process.pid}, {why}"
            guest.uprooted = excused
            if guest.pidfd < 0:
                guest.end(None)

    def failure(self, status: int, words: str) -> LaunchError:
        """What is told to those who wait for a launch by a keeper that has died."""
        if self.ready or status < 0:
            return KeeperLost(0, "the process that starts guests died, and so did the next ones")
        python = self.zygote.interpreter
        text = f"{python!r} {describe_status(status)} before it could start a guest"
        return LaunchError(0, f"{text}: {words.strip()}" if words else text)

    def fail_all(self, error: LaunchError) -> None:
        waiting, self.launching = self.launching, {}
        for _, answer in waiting.values():
            answer(error)

    # -- one that does not answer ---------------------------------------------------------------

    def look_after(self) -> None:
        """Look from time to time, while somebody waits for a launch."""
        if not self.looking:
            self.looking, self.suspect = True, 0
            self.timers.after(LOOK, self.look)

    def look(self) -> None:
        self.looking = bool(self.launching) and self.process is not None
        if not self.looking:
            return
        self.suspect += 1
        if self.suspect >= (STOPPED if self.stopped else SILENT if self.ready else LOADING):
            self.looking = False
            self.lost("did not answer, and was killed")
        else:
            self.timers.after(LOOK, self.look)

    def is_excused(self, now: float) -> bool:
        """A keeper that dies is nobody's fault; keepers that die again and again are a matter for supervisors."""
        self.losses = [*(at for at in self.losses if now - at < WINDOW), now]
        return len(self.losses) < TRIES

    def dead(self, guest: GuestProcess) -> None:
        """The pidfd proves a death.  How it came only the keeper knows, and it may be stopped, or dead itself."""
        self.hub.forget(guest.pidfd)
        self.await_word(guest)

    def await_word(self, guest: GuestProcess) -> None:
        if guest.lingers:
            self.timers.after(LINGER, lambda: self.await_word(guest))
        elif self.guests.get(guest.pid) is not guest:
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
            data, pidfds = receive(self.link)
        except BlockingIOError:
            return
        except OSError:
            data, pidfds = b"", []
        self.pidfds += pidfds
        if not data:
            self.lost()
            return
        self.buffer += data
        for message in messages(self.buffer):
            self.handlers[message[0]](*message[1:])

    def on_ready(self) -> None:
        self.ready, self.suspect = True, 0
        self.loaded.set()

    def on_unfit(self, why: str) -> None:
        """It could not load what it was to load, and ends: whoever has asked for that is told."""
        self.unfit = True
        self.fail_all(LaunchError(0, why))

    def on_launched(self, key: int, pid: int, with_pidfd: bool) -> None:
        self.suspect = 0
        guest, answer = self.launching.pop(key)
        guest.launched(pid, self.pidfds.popleft() if with_pidfd else -1)
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
