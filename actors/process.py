"""Incarnations of `Process(...)`: a guest process, its link and its page, from launch to proof of death."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import trio

from ..transports.codec import Code, Codec, Pickled, Unencodable, reencode
from ..transports.guests import protocol as p
from ..transports.guests.protocol import ITEM, REPLIES, RESULT
from ..transports.places.guest import Guest
from ..transports.places.process import GuestProcess, describe_status, signal_name
from ..transports.session import CLOSED, READY, ProtocolError, Session
from ..transports.stored import Stored
from . import events
from .climber import Climber
from .errors import UNKNOWN
from .executor import Process
from .glance import Glance
from .ladder import KILL, TERMINATE
from .life import EXECUTORS, Life
from .lifecycle import ENDED, FATES, RUNNING, SENT
from .reasons import (
    ERROR,
    INTERRUPTED,
    NORMAL,
    SHUTDOWN,
    SHUTDOWN_EXIT,
    SIGNAL,
    TIMEOUT,
    UNREACHABLE,
    ExitReason,
)
from .settings import command_of, settings_of
from .stream import Feed
from .verdicts import answer, reason_of

if TYPE_CHECKING:
    from ..transports.timers import Timer
    from .call import Call
    from .mailbox import Encode


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
        "__weakref__", "awake", "climber", "codec", "dead", "executor", "glance", "guest", "injected", "known", "life", "parting", "sent",
        "sent_count", "session", "started", "stop_timer", "stopping", "why",
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
        self.known: set[bytes | int] = set()  # the code and the stored values that it has
        self.guest = Guest(life.house.stage)
        self.climber = Climber(life, self.guest, executor.ladder, self.condemn)
        self.parting: Call | None = None
        self.why: ExitReason | None = None
        self.injected = False
        self.stopping = False
        self.stop_timer: Timer | None = None
        self.started = trio.Event()
        self.dead = trio.Event()

    @property
    def pid(self) -> int:
        return self.guest.pid

    @property
    def process(self) -> GuestProcess | None:
        """The guest's process, once it is launched."""
        return self.guest.process

    # -- the start ------------------------------------------------------------------------------

    async def start(self) -> ExitReason | None:
        """Launch the guest and wait until it is ready; returns why not, after proof of death."""
        limit = self.life.spec.options.start_timeout
        time = trio.move_on_after(limit)
        try:
            with time:
                await self.launch()
                await self.started.wait()
        except OSError as error:
            self.close()
            return ExitReason(ERROR, f"the process could not be launched: {error}", error)
        except Unencodable as error:
            self.kill(ExitReason(ERROR, str(error), error.__cause__ or error))
        except BaseException:
            self.close()
            raise
        if self.session.state is READY and self.why is None:
            return None
        if self.process is None:
            self.close()
            return ExitReason(TIMEOUT, f"its process was not there after {limit} s")
        # Else its link ended first: its death comes by itself, or `lost` kills it and knows why.
        if time.cancelled_caught or self.why is not None:
            self.kill(ExitReason(TIMEOUT, f"__init__ took longer than start_timeout, {limit} s"))
        return await self.serve()

    async def launch(self) -> None:
        executor = self.executor
        process, link = await self.guest.launch(command_of(executor), self.codec, executor.stderr == "show")
        process.on_end, process.on_stop = self.ended, self.stopped
        link.on_messages, link.on_drained = self.hear, self.pump
        link.on_end, link.on_breach = self.lost, self.breach
        link.open()
        if process.ended:
            self.ended()
        self.greet()

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
        link = self.guest.link
        return link is not None and self.glance.look(call, link)

    def hand_over(self) -> None:
        """Send what waits, as far as the guest's window goes; runs at the end of a tick."""
        self.awake = False
        mailbox, link, sent = self.life.mailbox, self.guest.link, self.sent
        queue = mailbox.queue
        # Nothing is sent before the actor itself knows that it is ready: a first call may end it.
        ready = self.session.state is READY and mailbox.receiver is self
        if queue and link is not None and ready and self.why is None:
            room = self.session.window - len(sent)
            batch: list[bytes] = []
            size = 0
            # A call that may be tried again after an exception goes alone: it keeps its place before what follows.
            alone = bool(sent) and bool(next(reversed(sent.values())).method.retry_on)
            while queue and room > 0 and size < LARGE and not alone and link.rest is None:
                call = queue[0]
                if sent and call.method.retry_on and call.state is not ENDED:
                    break
                queue.popleft()
                if call.state is not ENDED:
                    alone = bool(call.method.retry_on)
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
            if queue and size >= LARGE and link.rest is None:
                self.pump()
        if self.stopping and not sent and not queue:
            self.finish_stop()

    def send_code(self, code: Code) -> None:
        for digest, blob in code.items():
            if digest not in self.known:
                self.known.add(digest)
                if isinstance(blob, Stored):
                    self.send_value(blob)
                else:
                    self.say(p.CODE, digest, blob)

    def send_value(self, stored: Stored) -> None:
        if self.guest.link is not None:
            stored.holders.add(self)
            self.guest.link.send(stored.encoded(self.codec))

    def forget(self, key: int) -> None:
        """No ref to a value is left: the guest need not keep it."""
        if key in self.known and self.session.state is READY:
            self.known.discard(key)
            self.say(p.FREE, key)

    def say(self, *message: Any) -> None:
        if self.guest.link is not None:
            self.guest.link.send(self.codec.message(*message))

    def hear(self, messages: list[Any]) -> None:
        """Take what the guest said; whatever breaks a rule ends the guest."""
        receive, sent, climber = self.session.receive, self.sent, self.climber
        try:
            for message in messages:
                kind = receive(message)
                if kind == ITEM:
                    self.take_items(message)
                    continue
                if kind not in REPLIES:
                    self.told(kind, message)
                    continue
                call = sent.get(message[1])
                if call is None:
                    raise ProtocolError(f"a reply to call {message[1]}, which it does not have")
                if climber.climb is not None:
                    self.climbed(climber.answered(call.id), kind)
                if kind == RESULT and message[2].__class__ is not Pickled:
                    call.succeed(message[2])
                else:
                    answer(kind, call, message, self)
                del sent[call.id]  # only now: had any of this failed, its end would be told by the guest's
        except ProtocolError as error:
            self.breach(f"the guest broke the protocol: {error}")
        except Exception as error:
            # Whatever one guest says, and whatever unpickling it does here, costs that guest and no other.
            log.exception("what %s said could not be taken", self.life.path)
            self.breach(f"what the guest said could not be taken: {error!r}")
        self.glance.heard(len(messages) == 1 and not sent)
        if self.stopping or self.life.mailbox.queue:
            self.pump()

    def take_items(self, message: list[Any]) -> None:
        """Items of a stream; those of one that was closed meanwhile are dropped."""
        call = self.sent.get(message[1])
        if call is None or not isinstance(call.ref, Feed):
            raise ProtocolError(f"an item of call {message[1]}, which is no stream that it has")
        feed, values = call.ref, message[2]
        feed.owed += len(values)
        if feed.owed > feed.ahead:
            raise ProtocolError(f"{feed.owed} items of call {call.id}, where {feed.ahead} may be ahead")
        if call.state is ENDED:
            return
        for at, value in enumerate(values):
            if value.__class__ is Pickled:
                values[at] = self.codec.value(value)
        feed.put(values)

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
        self.climber.begin(0, self.why.kind, delay=self.life.spec.options.shutdown)

    # -- calls that must end --------------------------------------------------------------------

    def withdraw(self, call: Call, why: str) -> None:
        """The caller has gone: the call is skipped if it has not begun, else interrupted."""
        page = self.guest.page
        if isinstance(call.ref, Feed):
            self.say(p.CANCEL, call.id)  # it reads, while it waits for somebody to take an item
        begun = page.cancel(call.id) if page is not None else True
        # The oldest is answered at once by an honest guest; one that is stuck, or lies on its page, is not.
        oldest = next(iter(self.sent), 0) == call.id
        if (begun or oldest) and call.method.interruptible:
            self.climber.begin(call.id, why)

    def interrupt(self) -> trio.Event | None:
        """Interrupt what runs; returns the event of its end, None if nothing runs."""
        call = self.running()
        if call is None:
            return None
        if call.method.interruptible:
            self.climber.begin(call.id, INTERRUPTED)
        return self.climber.climb.over if self.climber.climb is not None else None

    def running(self) -> Call | None:
        page = self.guest.page
        if page is None:
            return next(iter(self.sent.values()), None)
        begun = page.begun
        return self.sent.get(begun) if begun != page.ended else None

    def climbed(self, rung: str | None, kind: int) -> None:
        """A call has ended for which the ladder was climbed, as far as `rung`."""
        if rung in (TERMINATE, KILL):
            self.guest.signal(signal.SIGKILL)  # it was told to go: what answers after that does not stay
        elif (
            rung is not None and kind == p.INTERRUPTED and self.life.spec.options.after_interrupt == "restart"
        ):
            self.kill(ExitReason(INTERRUPTED, "its state is not trusted after an interrupt", ordered=True))

    def condemn(self, reason: ExitReason) -> None:
        """The guest is to end; the first reason counts."""
        self.why = self.why or reason

    # -- the end --------------------------------------------------------------------------------

    def stop(self, seconds: float) -> None:
        """Finish what is in the mailbox, then leave; the ladder follows after `seconds`."""
        if self.session.state is not READY:
            return self.kill(SHUTDOWN_EXIT)
        self.stopping = True
        if seconds == 0:
            return self.kill(SHUTDOWN_EXIT)
        if self.climber.climb is None:  # one for a call goes on: it ends the call, or all
            self.climber.begin(0, SHUTDOWN, delay=seconds)
        self.pump()

    def finish_stop(self) -> None:
        if self.session.state is READY and self.why is None:
            self.why = SHUTDOWN_EXIT
            self.say(p.STOP, SHUTDOWN_EXIT.kind)

    def kill(self, reason: ExitReason) -> None:
        """Kill the guest."""
        self.condemn(reason)
        self.guest.signal(signal.SIGKILL)
        self.started.set()

    def breach(self, text: str) -> None:
        """The guest said what may not be said: it is killed."""
        if self.session.state != CLOSED:
            self.kill(ExitReason(UNREACHABLE, text))
        self.lost(text)

    def lost(self, text: str) -> None:
        """The link ended while the guest lives (or its death is on its way to us)."""
        self.session.state = CLOSED
        if self.guest.link is not None:
            self.guest.link.close()
        if self.guest.alive:
            # A guest that died has closed its link too; the keeper will say so.  One that has not is killed.
            self.life.house.stage.timers.after(LINGER, lambda: self.kill(ExitReason(UNREACHABLE, text)))
        self.started.set()

    def stopped(self, number: int) -> None:
        """The guest was stopped by a signal; unless it goes on in time, it is killed."""
        self.life.emit(events.GuestStopped, number)
        seconds = self.executor.stopped_timeout
        text = f"its process was stopped by {signal_name(number)} for {seconds} s"

        def check() -> None:
            if self.process is not None and self.process.stopped:
                self.kill(ExitReason(UNREACHABLE, text, ordered=self.injected))

        if self.stop_timer is not None:
            self.stop_timer.cancel()  # each stop has its own time
        self.stop_timer = self.life.house.stage.timers.after(seconds, check)

    def ended(self) -> None:
        """The guest is dead, and proved to be; replies it wrote before still count."""
        if self.guest.link is not None:
            self.guest.link.drain()
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
        words = self.guest.last_words()
        reason = self.why
        if reason is None:
            kind = SIGNAL if status is not None and status < 0 else UNREACHABLE if status is None else ERROR
            reason = ExitReason(kind, f"its process {describe_status(status)}")
        ordered = reason.ordered or self.injected or reason.kind == NORMAL
        return replace(reason, status=status, stderr=words, ordered=ordered)

    def close(self) -> None:
        """Give back every descriptor."""
        self.climber.end()
        self.guest.close()

    def credit(self, call: Call, items: int) -> None:
        """Somebody took so many items of a stream: as many more may come."""
        if isinstance(call.ref, Feed):
            call.ref.owed -= items
        self.say(p.CREDIT, call.id, items)

    def fate(self, call: Call) -> str:
        page = self.guest.page
        begun = page is not None and call.position <= page.progress
        if (
            not begun
            and page is not None
            and not self.executor.trusted
            and next(iter(self.sent), 0) == call.id
        ):
            return UNKNOWN  # an untrusted guest may have begun it all the same
        return FATES[RUNNING if begun else SENT, page is not None]

    def in_flight(self) -> Iterable[Call]:
        return self.sent.values()


log = logging.getLogger("understudy.actors.process")

LARGE = 1024 * 1024  # bytes handed over in one frame; a guest that reads slowly is not given more at once
LINGER = 0.5  # seconds between the end of a link and the kill of its guest, for news of its own death to come first

EXECUTORS[Process] = ProcessCraft()
