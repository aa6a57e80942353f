"""Incarnations of `Process(...)`: a guest process, its link and its page, from launch to proof of death."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import trio

from ..transports.codec import Codec, Pickled, Unencodable, reencode
from ..transports.guests import protocol as p
from ..transports.links.socket import SocketLink
from ..transports.page import Page, make_page
from ..transports.places.process import GuestProcess, LaunchError, describe_status
from ..transports.places.stderr import Stderr
from ..transports.session import CLOSED, READY, ProtocolError, Session
from . import events
from .errors import BEGUN, NOT_BEGUN, UNKNOWN
from .executor import Process
from .glance import Glance
from .ladder import KILL, TERMINATE, Climb
from .life import EXECUTORS, Life
from .lifecycle import ENDED, SENT
from .reasons import ERROR, INTERRUPTED, NORMAL, SHUTDOWN_EXIT, SIGNAL, TIMEOUT, UNREACHABLE, ExitReason
from .settings import command_of, settings_of
from .verdicts import answer, reason_of

if TYPE_CHECKING:
    from .call import Call
    from .mailbox import Encode

LINK_PLACE, PAGE_PLACE, STDERR_PLACE = 3, 4, 2  # descriptors in the guest


class ProcessCraft:
    def encoder(self, executor: Process, cls: type) -> Encode:
        return Codec(executor.trusted, executor.bounds).call

    def incarnate(self, life: Life) -> ProcessIncarnation:
        return ProcessIncarnation(life)

    def arguments(self, call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return Codec(True, call.mailbox.options.executor.bounds).arguments(call.payload, call.code)  # type: ignore[attr-defined]


class ProcessIncarnation:
    """What the guest has in its hands is in `sent`, in the order it was sent."""

    __slots__ = (
        "awake", "climb", "codec", "dead", "executor", "glance", "injected", "known", "life", "link", "page", "parting", "process", "sent",
        "sent_count", "session", "started", "stderr", "stopping", "why",
    )  # fmt: skip

    def __init__(self, life: Life) -> None:
        executor = life.spec.options.executor
        assert isinstance(executor, Process)
        self.life = life
        self.executor = executor
        self.codec = Codec(executor.trusted, executor.bounds)
        self.session = Session()
        self.awake = False
        self.glance = Glance()
        self.sent: dict[int, Call] = {}
        self.sent_count = 0
        self.known: set[bytes] = set()
        self.link: SocketLink | None = None
        self.page: Page | None = None
        self.process: GuestProcess | None = None
        self.stderr: Stderr | None = None
        self.climb: Climb | None = None
        self.parting: Call | None = None
        self.why: ExitReason | None = None
        self.injected = False
        self.stopping = False
        self.started = trio.Event()
        self.dead = trio.Event()

    @property
    def pid(self) -> int:
        return self.process.pid if self.process is not None else 0

    # -- the start ------------------------------------------------------------------------------

    async def start(self) -> ExitReason | None:
        """Launch the guest and wait until it is ready; returns why not, after proof of death."""
        limit = self.life.spec.options.start_timeout
        try:
            with trio.move_on_after(limit):
                await self.launch()
                await self.started.wait()
        except (LaunchError, OSError) as error:
            self.close()
            return ExitReason(ERROR, f"the process could not be launched: {error}", error)
        except Unencodable as error:
            self.kill(ExitReason(ERROR, str(error), error.__cause__ or error))
        if self.session.state is READY and self.why is None:
            return None
        if self.process is None:
            self.close()
            return ExitReason(TIMEOUT, f"its process was not there after {limit} s")
        self.kill(ExitReason(TIMEOUT, f"__init__ took longer than start_timeout, {limit} s"))
        return await self.serve()

    async def launch(self) -> None:
        stage = self.life.house.stage
        with ExitStack() as handed:
            ours, theirs = socket.socketpair()
            handed.callback(theirs.close)
            self.link = SocketLink(ours, self.codec, stage.hub, stage.ticks)
            self.link.on_messages, self.link.on_end, self.link.on_drained = self.hear, self.lost, self.pump
            read_end, write_end = os.pipe()
            handed.callback(os.close, write_end)
            self.stderr = Stderr(read_end, stage.hub, self.executor.stderr == "show")
            self.page = make_page()
            descriptors = [theirs.fileno(), write_end] + ([self.page.descriptor] if self.page else [])
            places = [LINK_PLACE, STDERR_PLACE] + ([PAGE_PLACE] if self.page else [])
            numbers = [str(place) for place in places if place != STDERR_PLACE]
            process = await stage.keeper.launch(command_of(self.executor, numbers), descriptors, places)
        self.watch(process)
        self.greet()

    def watch(self, process: GuestProcess) -> None:
        assert self.link is not None
        self.process = process
        process.on_end, process.on_stop = self.ended, self.stopped
        if self.page is not None:
            self.page.close_descriptor()
        self.link.open()
        if process.ended:
            self.ended()

    def greet(self) -> None:
        """Send what the guest needs to make the actor; it reads that after its hello."""
        settings, code = settings_of(self.life, self.executor, self.codec)
        self.send_code(code)
        self.say(p.START, settings)

    # -- calls ----------------------------------------------------------------------------------

    def pump(self) -> None:
        """Hand over what waits at the end of this tick, in one frame."""
        if not self.awake:
            self.awake = True
            self.life.house.stage.ticks.soon(self.hand_over)

    def exchange(self, call: Call) -> bool:
        """Send a call that is alone at once, and look for its reply; True if it came."""
        self.hand_over()
        return self.link is not None and self.glance.look(call, self.link)

    def hand_over(self) -> None:
        """Send what waits, as far as the guest's window goes; runs at the end of a tick."""
        self.awake = False
        queue, link, sent = self.life.mailbox.queue, self.link, self.sent
        if queue and link is not None and self.session.state is READY and self.why is None:
            room = self.session.window - len(sent)
            batch: list[bytes] = []
            size = 0
            while queue and room > 0 and size < LARGE and link.rest is None:
                call = queue.popleft()
                if call.state is not ENDED:
                    room -= 1
                    sent[call.id] = call
                    call.state = SENT
                    self.sent_count = call.position = self.sent_count + 1
                    if call.code:
                        self.send_code(call.code)
                    message = call.payload if call.attempt == 1 else reencode(call.payload, call.attempt)
                    size += len(message)
                    batch.append(message)
            link.send_now(batch)
            if queue and room > 0 and link.rest is None:
                self.pump()
        if self.stopping and not sent and not queue:
            self.finish_stop()

    def send_code(self, code: Mapping[bytes, bytes]) -> None:
        for digest, blob in code.items():
            if digest not in self.known:
                self.known.add(digest)
                self.say(p.CODE, digest, blob)

    def say(self, *message: Any) -> None:
        if self.link is not None:
            self.link.send(self.codec.message(*message))

    def hear(self, messages: list[Any]) -> None:
        """Take what the guest said; whatever breaks a rule ends the guest."""
        receive, sent = self.session.receive, self.sent
        try:
            for message in messages:
                kind = receive(message)
                if kind not in p.REPLIES:
                    self.told(kind, message)
                    continue
                call = sent.pop(message[1], None)
                if call is None:
                    raise ProtocolError(f"a reply to call {message[1]}, which it does not have")
                if self.climb is not None and self.climb.call_id == call.id:
                    self.climbed(kind)
                if kind == p.RESULT and type(message[2]) is not Pickled:
                    call.succeed(message[2])
                else:
                    answer(kind, call, message, self)
        except ProtocolError as error:
            self.lost(f"the guest broke the protocol: {error}")
        self.glance.heard(len(messages) == 1 and not sent)
        if self.stopping or self.life.mailbox.queue:
            self.pump()

    def told(self, kind: int, message: list[Any]) -> None:
        if kind == p.READY:
            self.started.set()
        elif kind in (p.FAILED, p.ENDING):
            self.leaving(kind, message)

    def leaving(self, kind: int, message: list[Any]) -> None:
        """The guest tells why it ends; its death is still to be proved."""
        self.why = self.why or reason_of(message, self.codec)
        if kind == p.ENDING:
            self.parting = self.sent.pop(message[3], None)
        self.started.set()
        # It has said that it leaves; if it does not, it is helped.
        self.begin_climb(0, self.why.kind, TERMINATE, delay=self.life.spec.options.shutdown)

    # -- calls that must end --------------------------------------------------------------------

    def withdraw(self, call: Call, why: str) -> None:
        """The caller has gone: the call is skipped if it has not begun, else interrupted."""
        runs = self.page.cancel(call.id) if self.page is not None else True
        if runs and call.method.interruptible:
            self.begin_climb(call.id, why)

    def interrupt(self) -> trio.Event | None:
        """Interrupt what runs; returns the event of its end, None if nothing runs."""
        call = self.running()
        if call is None:
            return None
        if call.method.interruptible:
            self.begin_climb(call.id, INTERRUPTED)
        return self.climb.over if self.climb is not None else None

    def running(self) -> Call | None:
        if self.page is None:
            return next(iter(self.sent.values()), None)
        begun = self.page.begun
        return self.sent.get(begun) if begun != self.page.ended else None

    def begin_climb(self, call_id: int, why: str, rung: str | None = None, delay: float = 0.0) -> None:
        """One climb at a time: a guest runs one call at a time."""
        if self.process is None or self.process.ended:
            return
        if self.climb is not None:
            if self.climb.call_id in (call_id, 0):
                return
            self.climb.end()
        climb = self.climb = Climb(self, call_id, why, self.executor.ladder, self.life.house.stage.timers)
        if delay:
            climb.until = climb.timers.after(delay, climb.later(rung or TERMINATE))
        elif rung is not None:
            climb.start(rung)
        else:
            climb.start()

    def ring(self, call_id: int, number: int) -> None:
        if self.process is None:
            return
        if number == signal.SIGINT and self.page is not None:
            self.page.interrupt(call_id)
        self.process.signal(number)

    def took(self, rung: str, call_id: int, why: str) -> None:
        self.life.emit(events.LadderClimbed, rung, call_id)
        if rung in (TERMINATE, KILL) and self.why is None:
            text = (
                f"call {call_id} did not end when it was interrupted"
                if call_id
                else "it did not end when asked"
            )
            self.why = ExitReason(TIMEOUT if why == TIMEOUT else INTERRUPTED, text, ordered=True)

    def climbed(self, kind: int) -> None:
        """The call that was climbed for has ended."""
        assert self.climb is not None
        self.climb.end()
        self.climb = None
        if self.stopping:
            self.begin_climb(0, "shutdown", TERMINATE, delay=self.life.spec.options.shutdown)
        if kind == p.INTERRUPTED and self.life.spec.options.after_interrupt == "restart":
            self.kill(ExitReason(INTERRUPTED, "its state is not trusted after an interrupt", ordered=True))

    # -- the end --------------------------------------------------------------------------------

    def stop(self, seconds: float) -> None:
        """Finish what is in the mailbox, then leave; the ladder follows after `seconds`."""
        if self.session.state is not READY:
            return self.kill(SHUTDOWN_EXIT)
        self.stopping = True
        if seconds == 0:
            return self.kill(SHUTDOWN_EXIT)
        if self.climb is None:  # one for a call goes on: it ends the call, or all
            self.begin_climb(0, "shutdown", TERMINATE, delay=seconds)
        self.pump()

    def finish_stop(self) -> None:
        if self.session.state is READY and self.why is None:
            self.why = SHUTDOWN_EXIT
            self.say(p.STOP, SHUTDOWN_EXIT.kind)

    def kill(self, reason: ExitReason) -> None:
        """Kill the guest; the first reason counts."""
        self.why = self.why or reason
        if self.process is not None:
            self.process.signal(signal.SIGKILL)
        self.started.set()

    def lost(self, text: str) -> None:
        """The link ended or broke the rules while the guest lives (or its death is on its way to us)."""
        self.session.state = CLOSED
        if self.link is not None:
            self.link.close()
        if self.process is not None and not self.process.ended:
            # A guest that died has closed its link too; the keeper will say so.  One that has not is killed.
            self.life.house.stage.timers.after(LINGER, lambda: self.kill(ExitReason(UNREACHABLE, text)))
        self.started.set()

    def stopped(self, number: int) -> None:
        """The guest was stopped by a signal; unless it goes on in time, it is killed."""
        self.life.emit(events.GuestStopped, number)
        seconds = self.executor.stopped_timeout
        text = f"its process was stopped by {signal.Signals(number).name} for {seconds} s"

        def check() -> None:
            if self.process is not None and self.process.stopped:
                self.kill(ExitReason(UNREACHABLE, text, ordered=self.injected))

        self.life.house.stage.timers.after(seconds, check)

    def ended(self) -> None:
        """The guest is dead, and proved to be; replies it wrote before still count."""
        if self.link is not None:
            self.link.drain()
        self.started.set()
        self.dead.set()

    async def serve(self) -> ExitReason:
        """Wait for proof of death; returns the reason."""
        try:
            await self.dead.wait()
        finally:
            reason = self.reason()
            self.close()
        return reason

    def reason(self) -> ExitReason:
        assert self.process is not None
        status = self.process.status
        words = self.stderr.last_words() if self.stderr is not None else ""
        reason = self.why
        if reason is None:
            kind = SIGNAL if status is not None and status < 0 else UNREACHABLE if status is None else ERROR
            reason = ExitReason(kind, f"its process {describe_status(status)}")
        ordered = reason.ordered or self.injected or reason.kind == NORMAL
        return replace(reason, status=status, stderr=words, ordered=ordered)

    def close(self) -> None:
        """Give back every descriptor."""
        if self.climb is not None:
            self.climb.end()
        for part in (self.link, self.stderr):
            if part is not None:
                part.close()
        if self.page is not None:
            self.page.close_descriptor()

    def fate(self, call: Call) -> str:
        if self.page is None:
            return UNKNOWN
        return BEGUN if call.position <= self.page.progress else NOT_BEGUN

    def in_flight(self) -> Iterable[Call]:
        return self.sent.values()


LARGE = 1024 * 1024  # bytes handed over in one frame; a guest that reads slowly is not given more at once
LINGER = 0.5  # seconds between the end of a link and the kill of its guest, for news of its own death to come first

EXECUTORS[Process] = ProcessCraft()
