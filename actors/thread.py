"""Incarnations of `Thread(...)`: a guest in a thread of this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import trio

from ..transports.guests import protocol as p
from ..transports.guests.faults import describe
from ..transports.guests.pickles import luggage, with_luggage
from ..transports.guests.values import fill
from ..transports.guests.weights import weight_of
from ..transports.objects import NO_CODE, HostObjects, Opening
from ..transports.places.thread import ThreadPlace
from ..transports.session import CLOSED
from . import events
from .actor import awaits
from .errors import ActorDiedError, ActorNotFoundError
from .executor import Thread
from .guest import GuestIncarnation
from .life import EXECUTORS, Life
from .nearby import CONTAINERS, NEAR, far, near, opened, opened_one
from .reasons import ABANDONED, ERROR, TIMEOUT, UNREACHABLE, ExitReason
from .settings import TURNS, lanes_of, thread_settings_of

if TYPE_CHECKING:
    from .call import Call
    from .mailbox import Encode
    from .stagecraft import Given

TRANSLATED = CONTAINERS.union(NEAR)  # what may hold handles, or is one

GRACE = 0.1  # seconds in which a thread that was cut off may end; one that runs on is abandoned


class Passed(HostObjects):
    """Objects pass as they are, except for handles, deep in containers too: a thread reaches other actors by way of the runtime's."""

    def call(
        self,
        kind: int,
        id: int,
        method: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        context: dict[str, Any] | None = None,
    ) -> tuple[list[Any], Mapping[Any, Any]]:
        given, code = passed(args, kwargs)
        return [kind, id, method, *given, context], code

    def packed(self, value: Any) -> tuple[Any, Mapping[Any, Any]]:
        value = far(value)
        if not luggage:
            return value, NO_CODE
        return Opening(value, opened_one), with_luggage({})

    def value(self, value: Any) -> Any:
        return near(value)

    def values_in(self, values: list[Any]) -> list[Any]:
        found: list[Any] = near(values)
        return found


def no_pickle(_: BaseException) -> None:
    """A lookup that failed is told by its text."""


def passed(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, Any], Mapping[Any, Any]]:
    """Arguments as they pass, in the two places of a message, and what goes along."""
    given = tuple([far(value) for value in args]), {name: far(value) for name, value in kwargs.items()}
    if not luggage:
        return given, NO_CODE
    return (Opening(given, opened), None), with_luggage({})


class ThreadCraft:
    stores = False

    def encoder(self, executor: Thread, cls: type) -> Encode:
        return Passed(in_turns=not awaits(cls)).call

    def incarnate(self, life: Life) -> ThreadIncarnation:
        return ThreadIncarnation(life)

    def arguments(self, call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        args, kwargs = given_in(call.payload)
        return args, dict(kwargs)

    def give(self, call: Call, values: Given) -> None:
        filled = fill(*given_in(call.payload), [(at, one.value) for at, one in values])
        call.payload[3:5] = (Opening(filled, opened), None) if call.code else filled


def given_in(message: list[Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """The arguments in a message."""
    args, kwargs = message[3:5]
    return args.value if args.__class__ is Opening else (args, kwargs)


class ThreadIncarnation(GuestIncarnation):
    """A guest in a thread; the same very objects pass to it and back."""

    __slots__ = ()

    guest: ThreadPlace
    codec: HostObjects

    def __init__(self, life: Life) -> None:
        executor = life.spec.options.executor
        assert isinstance(executor, Thread)
        place = ThreadPlace(life.house.stage.soon)
        super().__init__(life, place, Passed(), executor.ladder, trusted=True)

    async def start(self) -> ExitReason | None:
        """Start the thread and wait until the actor is ready; returns why not."""
        limit = self.life.spec.options.start_timeout
        with trio.move_on_after(limit) as time:
            try:
                self.launch()
            except RuntimeError as error:
                return ExitReason(ERROR, f"the thread could not be started: {error}", error)
            await self.started.wait()
        if self.has_started:
            return None
        if time.cancelled_caught:
            self.kill(ExitReason(TIMEOUT, f"__init__ took longer than start_timeout, {limit} s"))
        return await self.serve()

    def launch(self) -> None:
        settings = thread_settings_of(self.life)
        (settings["args"], settings["kwargs"]), code = passed(settings["args"], settings["kwargs"])
        self.send_code(code)
        self.inheritance.give(settings)
        if settings["mode"] != TURNS:
            self.lanes = lanes_of(settings, ahead=True)
        self.guest.on_end, self.guest.on_cut = self.ended, self.cut_off
        link = self.guest.launch(self.life.path)
        link.on_messages, link.on_breach = self.hear, self.breach
        self.say(p.START, settings)

    def hear(self, messages: list[Any]) -> None:
        for message in messages:
            if message[0] == p.RESULT and message[-1].__class__ in TRANSLATED:
                self.bring_near(message)
        super().hear(messages)

    def weight(self, values: list[Any]) -> int:
        return weight_of(values)

    def bring_near(self, message: list[Any]) -> None:
        """Handles in a result are the runtime's own again."""
        try:
            message[2] = self.value(message[2])
        except (ActorNotFoundError, ActorDiedError, TypeError) as error:
            message[:] = p.ERROR, message[1], describe(error, no_pickle)

    def kill(self, reason: ExitReason) -> None:
        """Cut the thread off; if it does not end, it is abandoned."""
        super().kill(reason)
        if not self.guest.alive:
            self.ended()

    def cut_off(self) -> None:
        """It was cut off, by us or by the ladder's last rung."""
        self.session.state = CLOSED
        self.life.house.stage.timers.after(GRACE, self.abandon)

    def abandon(self) -> None:
        if self.guest.alive:
            self.guest.abandoned = True
            assert self.why is not None
            self.why = replace(
                self.why, kind=ABANDONED, text=f"its thread goes on though it was to end ({self.why})"
            )
            self.life.emit(events.ActorAbandoned, self.why)
            self.ended()

    def breach(self, text: str) -> None:
        self.kill(ExitReason(UNREACHABLE, text))

    def ended(self) -> None:
        """The thread has ended, or will not be waited for."""
        if self.guest.link is not None:
            self.guest.link.drain()
        self.started.set()
        self.dead.set()

    async def serve(self) -> ExitReason:
        try:
            await self.dead.wait()
        finally:
            self.close()
        return self.why or ExitReason(ABANDONED, "its thread ended without a word")


EXECUTORS[Thread] = ThreadCraft()
