"""Incarnations of `Process(...)`: a guest process, its link and its page, from launch to proof of death."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import trio

from ..transports.codec import Codec, Unencodable
from ..transports.guests import protocol as p
from ..transports.places.guest import Guest
from ..transports.places.process import GuestProcess, describe_status, signal_name
from ..transports.session import CLOSED
from . import events
from .actor import awaits
from .autopsy import examined
from .debugging import Debugging
from .executor import Process
from .exported import code_methods
from .guest import TOLD, GuestIncarnation
from .launching import command_of
from .life import EXECUTORS, Life
from .reasons import ERROR, NORMAL, SIGNAL, TIMEOUT, UNREACHABLE, ExitReason
from .settings import TURNS, lanes_of, preparation_of, settings_of
from .standard import Streams, on_wrote, wiring_of
from .standby import reserve_of
from .walls import NONE, left_inside, walled

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..transports.deadlines import Deadline
    from .call import Call
    from .mailbox import Encode
    from .stagecraft import Given


def codec_of(executor: Process, cls: type) -> Codec:
    return Codec(executor.trusted, executor.bounds, in_turns=not awaits(cls), for_code=code_methods(cls))


class ProcessCraft:
    stores = True

    def encoder(self, executor: Process, cls: type) -> Encode:
        return codec_of(executor, cls).call

    def incarnate(self, life: Life) -> ProcessIncarnation:
        executor = life.spec.options.executor
        assert isinstance(executor, Process)
        make = self.kind(executor)
        standby = reserve_of(life, make, executor.standby).take() if executor.standby else None
        return standby or make(life)

    def kind(self, executor: Process) -> type[ProcessIncarnation]:
        return ProcessIncarnation

    def arguments(self, call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return Codec(True, call.mailbox.options.executor.bounds).arguments(call.payload, call.code)  # type: ignore[attr-defined]

    def give(self, call: Call, values: Given) -> None:
        """Have the values sent before the call; raises Unencodable if one cannot travel."""
        codec: Codec = call.mailbox.encode.__self__  # type: ignore[union-attr]
        for _, stored in values:
            stored.encoded(codec)
            call.code = {**call.code, **stored.code, stored.key: stored}


class ProcessIncarnation(GuestIncarnation):
    """A guest in a process of its own."""

    __slots__ = ("executor", "is_prepared", "launching", "sandbox", "stop_timer", "streams")

    guest: Guest
    codec: Codec

    def __init__(self, life: Life) -> None:
        executor = life.spec.options.executor
        assert isinstance(executor, Process)
        guest = Guest(life.house.stage)
        codec = codec_of(executor, life.spec.cls)
        super().__init__(life, guest, codec, executor.ladder, executor.trusted)
        self.executor = executor
        self.sandbox = NONE  # how it is told in the tree
        self.stop_timer: Deadline | None = None
        self.streams = Streams(self)
        self.launching = trio.CancelScope()  # while there is no process that could be killed
        self.is_prepared = False  # as a standby: it has said that it has the actor's code loaded

    @property
    def where(self) -> str:
        return f"{self.life.path} (process {self.pid})"

    @property
    def process(self) -> GuestProcess | None:
        """The guest's process, once it is launched."""
        return self.guest.process

    @property
    def uprooted(self) -> bool:
        return self.process is not None and self.process.uprooted

    # -- the start ------------------------------------------------------------------------------

    async def start(self) -> ExitReason | None:
        """Launch the guest and wait until it is ready; returns why not, after proof of death."""
        limit = self.life.spec.options.start_timeout
        time = self.launching
        deadline = self.climber.deadlines.after(limit, time.cancel)
        try:
            with time:
                if not self.is_prepared:
                    await self.launch()
                self.take_over()
                await self.started.wait()
        except OSError as error:
            self.close()
            return ExitReason(ERROR, f"the process could not be launched: {error}", error)
        except Unencodable as error:
            self.kill(ExitReason(ERROR, str(error), error.__cause__ or error))
        except BaseException:
            self.close()
            raise
        finally:
            deadline.cancel()
        if self.has_started:
            if self.executor.standby:
                reserve_of(self.life, type(self), self.executor.standby).order()
            return None
        if self.process is None:
            self.close()
            return self.why or ExitReason(TIMEOUT, f"its process was not there after {limit} s")
        # Else its link ended first: its death comes by itself, or `lost` kills it and knows why.
        if time.cancelled_caught or self.why is not None:
            self.kill(ExitReason(TIMEOUT, f"__init__ took longer than start_timeout, {limit} s"))
        reason = await self.serve()
        if reason.uprooted:
            self.inheritance.take_back()
        return reason

    async def launch(self) -> None:
        self.life.house.stage.oom.begin()
        command, self.sandbox = await walled(self.life, self.executor, command_of(self.life))
        wiring, readers = wiring_of(self.executor), self.streams.open()
        _, link = await self.guest.launch(command, self.codec, wiring, readers)
        link.on_messages, link.on_drained = self.hear, self.pump
        link.open()

    async def prepare(self, on_lost: Callable[[], None]) -> None:
        """Be a standby: a guest with the actor's code loaded, whose end is told to whoever keeps it."""
        await self.launch()
        assert self.process is not None and self.guest.link is not None
        self.process.on_end = on_lost
        self.guest.link.on_end = self.guest.link.on_breach = lambda _: on_lost()
        settings, code = preparation_of(self.life, self.executor)
        settings["walls"] = left_inside(self.executor, self.sandbox)
        self.send_code(code)
        self.say(p.PREPARE, settings)
        if self.process.ended:
            on_lost()

    def on_prepared(self, message: list[Any]) -> None:
        self.is_prepared = True

    def take_over(self) -> None:
        """Be the incarnation from now on."""
        process, link = self.process, self.guest.link
        assert process is not None and link is not None
        process.on_end, process.on_stop = self.ended, self.stopped
        link.on_end, link.on_breach = self.lost, self.breach
        Debugging(self).attend()
        if process.ended:
            self.ended()
        self.greet()

    def greet(self) -> None:
        """Send what the guest needs to make the actor; it reads that after its hello."""
        settings, code = settings_of(self.life, self.executor, self.codec)
        settings["walls"] = left_inside(self.executor, self.sandbox)
        self.inheritance.give(settings)
        if settings["mode"] != TURNS:
            self.lanes = lanes_of(settings, ahead=self.guest.page is not None)
        self.send_code(code)
        self.say(p.START, settings)

    # -- the end --------------------------------------------------------------------------------

    def kill(self, reason: ExitReason) -> None:
        super().kill(reason)
        if self.process is None:
            self.launching.cancel()  # it may wait for a keeper that loads for ever

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
        self.stop_timer = self.climber.deadlines.after(seconds, check)

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
            await self.streams.finish()
        finally:
            reason = self.reason()
            self.belongings.close(reason)
            self.close()
        return reason

    def reason(self) -> ExitReason:
        assert self.process is not None
        status = self.process.status
        stderr, stdout = self.streams.words("stderr"), self.streams.words("stdout")
        reason = self.why
        if reason is None:
            kind = SIGNAL if status is not None and status < 0 else UNREACHABLE if status is None else ERROR
            reason = ExitReason(kind, self.process.cause or f"its process {describe_status(status)}")
        ordered = reason.ordered or self.injected or reason.kind == NORMAL
        reason = replace(
            reason, status=status, ordered=ordered, uprooted=self.uprooted, stderr=stderr, stdout=stdout
        )
        return examined(reason, self.executor.limits, self.life.house.stage.oom.rose)

    def close(self) -> None:
        self.streams.close()
        super().close()


TOLD[p.PREPARED] = ProcessIncarnation.on_prepared
TOLD[p.WROTE] = on_wrote
LINGER = 0.5  # seconds between the end of a link and the kill of its guest, for news of its own death to come first

EXECUTORS[Process] = ProcessCraft()
