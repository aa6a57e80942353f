"""Those who observe a runtime: recorders of its events and the log of its traces, from its first event to its last."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypedDict

import trio

from ..actors.errors import UnderstudyError
from ..actors.events import Event
from ..transports.links.private import private_socket
from .attach import serve_door, wants_attach
from .events import EventReader
from .trace import Trace, TraceLog

if TYPE_CHECKING:
    from .house import RuntimeHouse
    from .runtime import Runtime

log = logging.getLogger("understudy.supervisors.observing")

PATIENCE = 10.0  # seconds that a runtime which closes waits for its recorders


class Recorder(Protocol):
    """Takes a runtime's events somewhere: a file, a database, a collector of spans.

    `messages`: it wants what happens to messages, too.
    """

    @property
    def messages(self) -> bool: ...
    async def record(self, events: EventReader, /) -> None:
        """Take events until there are no more; what it raises ends it, and nothing else."""


class Observing(TypedDict, total=False):
    """The options of `open_runtime` that concern who watches.

    `record`: where its events go, from the first to the last; `trace`: keep the last 10,000 for `runtime.trace()`;
    `attach`: let `understudy top` of the same user look on (None: as the environment's UNDERSTUDY_ATTACH says).
    """

    record: Recorder | Sequence[Recorder]
    trace: bool
    attach: bool | None


@dataclass(frozen=True, slots=True)
class RecorderFailed(Event):
    """A recorder cannot record: for good, or until whatever hinders it is gone; `recorder` tells which."""

    recorder: str
    text: str


class Observers:
    """What a runtime has of them."""

    def __init__(self, house: RuntimeHouse) -> None:
        self.house = house
        self.log: TraceLog | None = None
        self.recording: list[trio.Event] = []

    def open(self, runtime: Runtime, options: Observing) -> None:
        """Begin to observe as the options say.

        Raises:
            TypeError: for an option that there is not, or a recorder that is none.
            OSError: if nobody could attach, and somebody is to.
        """
        check_options(options)
        if wants_attach(options.get("attach")):
            self.house.nursery.start_soon(serve_door, runtime, private_socket(), name="attached")
        for recorder in recorders_of(options):
            self.record(recorder)
        if options.get("trace"):
            self.trace_on()

    # -- recorders ------------------------------------------------------------------------------

    def record(self, recorder: Recorder) -> None:
        """Have a recorder take every event from now on, until the runtime is closed."""
        done = trio.Event()
        self.recording.append(done)
        reader = EventReader(self.house.stream, recorder.messages)
        self.house.nursery.start_soon(self.run, recorder, reader, done, name=repr(recorder))

    async def run(self, recorder: Recorder, reader: EventReader, done: trio.Event) -> None:
        try:
            async with reader:
                await recorder.record(reader)
        except Exception as error:
            log.exception("%r has failed; it records nothing more", recorder)
            at = int(self.house.stage.now() * 1e9)
            self.house.emit(RecorderFailed(at, "", 0, repr(recorder), f"{type(error).__name__}: {error}"))
        finally:
            done.set()

    async def close(self) -> None:
        """No event will follow: wait until all is recorded."""
        with trio.move_on_after(PATIENCE) as patience:
            for done in self.recording:
                await done.wait()
        if patience.cancelled_caught:
            log.error("recorders did not end within %g s; what they had not written is lost", PATIENCE)

    # -- traces ---------------------------------------------------------------------------------

    def trace_on(self) -> None:
        if self.log is None:
            self.log = TraceLog(self.house.stream)

    def trace_off(self) -> None:
        if self.log is not None:
            self.log.close()
            self.log = None

    def trace(self, call_id: int) -> Trace:
        """What is known of a message; raises UnderstudyError if nothing is kept."""
        if self.log is None:
            raise UnderstudyError(
                "no events are kept to trace a message by; write open_runtime(trace=True), or runtime.tracing() before"
            )
        return self.log.trace(call_id)


def recorders_of(options: Observing) -> Sequence[Recorder]:
    recorders = options.get("record", ())
    return recorders if isinstance(recorders, Sequence) else (recorders,)


def check_options(options: Observing) -> None:
    """Raise TypeError for an option that there is not, or a recorder that is none."""
    for name in options:
        if name not in Observing.__annotations__:
            known = ", ".join(sorted(Observing.__annotations__))
            raise TypeError(f"open_runtime() has no option {name!r}; beside the tree it has {known}")
    for recorder in recorders_of(options):
        if not hasattr(recorder, "record"):
            raise TypeError(
                f"{recorder!r} records nothing; record= takes JsonLines(...), Sqlite(...) or the like"
            )
