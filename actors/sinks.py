"""Where output goes: the host's own streams, events, functions, files; each holds the pipe while it is behind."""

from __future__ import annotations

import inspect
import logging
import os
from collections import deque
from collections.abc import Callable
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import trio

from ..transports.guests.faults import text_of
from ..transports.places.diagnostics import plain
from .output import Output, RotatedFile
from .takers import EVENTS, SHOW

if TYPE_CHECKING:
    from .takers import Taker
    from .writing import Batch, Sink, Writing

log = logging.getLogger("understudy.actors.output")

COLOURS = {"stdout": b"\x1b[34m", "stderr": b"\x1b[33m"}  # blue, yellow
RESET = b"\x1b[0m"
LOOK = 0.01  # seconds between two looks at readers of events that are behind
FAIRNESS = 1.0  # seconds that readers of events may hold up a guest before they miss something


def sink_of(taker: Taker, writing: Writing) -> Sink:
    """What carries out a taker.

    Raises:
        OSError: if its file cannot be opened.
    """
    if taker == SHOW:
        return Shown(writing)
    if taker == EVENTS:
        return Told(writing)
    function: Any = taker
    if isinstance(function, os.PathLike | RotatedFile):
        return Filed(function, writing)  # pyright: ignore[reportUnknownArgumentType]
    return Awaited(function, writing) if is_async(function) else Called(function, writing)


def is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004
    )


class Plain:
    """A sink that is through with whatever it takes at once."""

    __slots__ = ("writing",)

    def __init__(self, writing: Writing) -> None:
        self.writing = writing

    def end(self) -> None:
        """Nothing is left to do."""

    async def taken(self) -> None:
        """It is."""

    def close(self) -> None:
        """Nothing is held."""


class Shown(Plain):
    """On the host's own stream of that name, each line with the actor's name before it."""

    __slots__ = ("prefix", "screen")

    def __init__(self, writing: Writing) -> None:
        super().__init__(writing)
        self.screen = writing.incarnation.life.house.stage.screens[writing.stream]
        self.prefix = plain(writing.incarnation.life.path.encode()).replace("\n", " ").encode() + b" | "
        if self.screen.coloured:
            self.prefix = COLOURS[writing.stream] + self.prefix + RESET

    def take(self, batch: Batch) -> None:
        trusted = self.writing.incarnation.trusted
        pieces = batch.pieces if trusted else [plain(piece).encode() for piece in batch.pieces]
        self.screen.show(self, self.prefix, pieces)
        if self.screen.full:
            self.writing.hold()
            self.screen.behind.append(self.writing.let_go)

    def end(self) -> None:
        self.screen.leave(self)

    async def taken(self) -> None:
        await self.screen.shown()

    def close(self) -> None:
        self.screen.leave(self)


class Told(Plain):
    """As events of the runtime."""

    __slots__ = ("held",)

    def __init__(self, writing: Writing) -> None:
        super().__init__(writing)
        self.held = False

    def take(self, batch: Batch) -> None:
        house = self.writing.incarnation.life.house
        for output in self.writing.outputs(batch):
            house.emit(output)
        if not self.held and house.behind():
            self.held = True
            self.writing.hold()
            self.look(house.stage.now() + FAIRNESS)

    def look(self, until: float) -> None:
        house = self.writing.incarnation.life.house
        if house.behind() and house.stage.now() < until:
            house.stage.timers.after(LOOK, lambda: self.look(until))
        else:
            self.held = False
            self.writing.let_go()


class Called(Plain):
    """Given to a function, which is waited for: it runs in the runtime's own thread."""

    __slots__ = ("failures", "function")

    def __init__(self, function: Callable[[Output], Any], writing: Writing) -> None:
        super().__init__(writing)
        self.function = function
        self.failures = Failures(name_of(function), writing)

    def take(self, batch: Batch) -> None:
        for output in self.writing.outputs(batch):
            try:
                answer = self.function(output)
                if inspect.iscoroutine(answer):
                    answer.close()
                    raise TypeError("it gives a coroutine; write it as an async function")
            except Exception as error:
                self.failures.failed(error, len(output.data))
            else:
                self.failures.succeeded()

    def end(self) -> None:
        self.failures.succeeded()


class Awaited:
    """Given to an async function, one output after the other; meanwhile the pipe is held."""

    __slots__ = ("ended", "failures", "function", "over", "queue", "wanted", "writing")

    def __init__(self, function: Callable[[Output], Any], writing: Writing) -> None:
        self.function = function
        self.writing = writing
        self.failures = Failures(name_of(function), writing)
        self.queue: deque[Output] = deque()
        self.wanted = trio.Event()
        self.over = trio.Event()
        self.ended = False
        writing.incarnation.life.house.look_after(self.run)

    def take(self, batch: Batch) -> None:
        if not self.queue:
            self.writing.hold()
        self.queue.extend(self.writing.outputs(batch))
        self.wanted.set()

    async def run(self) -> None:
        try:
            while True:
                while self.queue:
                    await self.give(self.queue[0])
                    self.queue.popleft()
                    if not self.queue:
                        self.writing.let_go()
                if self.ended:
                    return
                await self.wanted.wait()
                self.wanted = trio.Event()
        finally:
            self.failures.succeeded()
            self.over.set()
            if self.queue:
                log.warning(
                    "%s was too slow: %d lines of %s were not taken when the runtime closed",
                    self.failures.taker, len(self.queue), self.writing.incarnation.life.path,
                )  # fmt: skip

    async def give(self, output: Output) -> None:
        try:
            await self.function(output)
        except Exception as error:
            self.failures.failed(error, len(output.data))
        else:
            self.failures.succeeded()

    def end(self) -> None:
        self.close()

    async def taken(self) -> None:
        await self.over.wait()

    def close(self) -> None:
        """No more will come; what has come is given all the same."""
        self.ended = True
        self.wanted.set()


class Filed:
    """Written to a file by a thread."""

    __slots__ = ("failures", "file", "open", "writing")

    def __init__(self, taker: os.PathLike[str] | RotatedFile, writing: Writing) -> None:
        self.writing = writing
        path, most, keep = (
            (taker.path, taker.max_bytes, taker.keep) if isinstance(taker, RotatedFile) else (taker, 0, 1)
        )
        self.failures = Failures(str(path), writing)
        self.file = writing.incarnation.life.house.stage.files.open(self, path, most, keep)
        self.open = True

    def take(self, batch: Batch) -> None:
        self.file.put(self, batch.pieces)
        if self.file.full:
            self.writing.hold()
            self.file.behind.append(self.writing.let_go)

    def failed(self, error: OSError | None, lost: int) -> None:
        """Told by the file: it could not be written, or can be again."""
        if error is None:
            self.failures.succeeded()
        else:
            self.failures.failed(error, lost)

    def end(self) -> None:
        """What is left is written soon."""

    async def taken(self) -> None:
        await self.file.written()

    def close(self) -> None:
        if self.open:
            self.open = False
            self.file.leave(self)
            self.failures.succeeded()


class Failures:
    """What one taker did not take: told when that begins, and when it is over."""

    __slots__ = ("lost", "taker", "writing")

    def __init__(self, taker: str, writing: Writing) -> None:
        self.taker = taker
        self.writing = writing
        self.lost = 0

    def failed(self, error: BaseException, lost: int) -> None:
        self.lost += lost
        if self.lost == lost:
            hint = IN_TRIO if is_asyncios(error) else ""
            self.writing.failed(self.taker, f"{type(error).__name__}: {text_of(error)}{hint}", lost)

    def succeeded(self) -> None:
        if self.lost:
            lost, self.lost = self.lost, 0
            self.writing.failed(self.taker, "", lost)


IN_TRIO = (
    "; an async function that takes output runs in the runtime's own loop, which is trio's: for asyncio give a "
    "plain function, which may hand it over by loop.call_soon_threadsafe"
)


def is_asyncios(error: BaseException) -> bool:
    """Did asyncio miss its loop here, or trio meet something of asyncio's?"""
    modules = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    return "asyncio" in text_of(error) or any(str(name).split(".")[0] == "asyncio" for name in modules)


def name_of(function: Any) -> str:
    return str(getattr(function, "__qualname__", type(function).__qualname__))
