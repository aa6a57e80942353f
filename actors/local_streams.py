"""Incarnations of `Local()` for classes with generators: a stream holds the actor's turn until it ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import trio

from . import lifecycle
from .carried import call_plainly, in_context
from .local import LocalIncarnation
from .source import Source, drain

if TYPE_CHECKING:
    from .call import Call
    from .life import Life
    from .reasons import ExitReason


class StreamingIncarnation(LocalIncarnation):
    """Calls run as ever; a generator's call has the actor's task until it ends."""

    __slots__ = ("source",)

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self.source: Source | None = None

    async def perform(self, call: Call) -> None:
        """Run the generator as its reader takes items; while it waits, other actors go on."""
        if call.ended:
            return
        source = self.source = Source(call)
        await self.play(source)
        if self.exit is None or call.ended:
            self.source = None
        if source.over is not None:
            await self.struck()
            source.over.set()

    async def play(self, source: Source) -> None:
        """One stream, from its first step to its last."""
        call = source.call
        call.state = lifecycle.RUNNING
        run = partial(self.act, (call.id, call.method.name, call))
        if call.context is not None:
            run = partial(run, in_context(call_plainly, call.context))  # the same for every step
        try:
            generator = run(getattr(self.actor, call.method.name), *call.payload, **call.code)
            await drain(generator, source, run)
        except KeyboardInterrupt:
            self.parting = call  # a Ctrl-C is for the whole program; the caller is told when we end
            raise
        except trio.Cancelled:
            raise
        except BaseException as error:
            self.failed(call, error)
        else:
            if not source.cut:
                call.succeed(None)

    # -- from outside ---------------------------------------------------------------------------

    def withdraw(self, call: Call, why: str) -> None:
        """The generator is closed at once, by the actor's own task; a plain method has ended by now."""
        if self.source is not None and self.source.call is call:
            self.source.wake()

    def credit(self, call: Call, items: int) -> None:
        if self.source is not None and self.source.call is call:
            self.source.credit(items)

    def interrupt(self) -> Sequence[trio.Event]:
        source = self.source
        if source is None or source.call.ended or not source.call.method.interruptible:
            return ()
        if source.over is None:
            source.over = trio.Event()
        self.interrupted(source.call)
        source.wake()
        return (source.over,)

    def in_flight(self) -> Iterable[Call]:
        return () if self.source is None else (self.source.call,)

    def kill(self, reason: ExitReason) -> None:
        super().kill(reason)
        if self.source is not None:
            self.source.cut = True
            self.source.wake()
