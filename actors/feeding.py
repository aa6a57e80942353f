"""`feed(handle, data)`: what an actor's process reads from its standard input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from .errors import NEVER_SENT, UNKNOWN, ActorDiedError, ActorUnavailableError
from .executor import Process
from .process import ProcessIncarnation
from .verbs import life_of

if TYPE_CHECKING:
    from ..transports.places.feed import FeedPipe
    from .actor import Handle
    from .life import Life

SOON = 0.5  # seconds in which the end of a process is known whose standard input has broken


async def feed(handle: Handle[Any], data: bytes | str = b"", *, close: bool = False) -> None:
    """Write to the standard input of an actor with `Process(stdin="pipe")`; with `close=True` its end follows.

    Returns when the pipe has taken all, and waits while that is full: what the actor has read by then is not known.
    While it is down, waits for its next incarnation: each has an input of its own, and what one had not read is lost
    with it.  If cancelled, a part may have been written.

    Example:
        await feed(reader, "42 is the answer")
        await feed(reader, close=True)

    Raises:
        TypeError: if the actor has no input to write to, or this is neither bytes nor text.
        ActorUnavailableError: if the incarnation that was fed died before it was through.
        ActorDiedError: if the actor is dead for good.
        BrokenPipeError: if its input is closed: by `close=True`, or by the actor.
    """
    life = life_of(handle, "feed(handle, data)")
    check_fed(life)
    content = content_of(data)
    incarnation, pipe = await input_of(life)
    try:
        await pipe.write(content)
    except BrokenPipeError:
        await tell(life, incarnation)
        raise BrokenPipeError(f"the standard input of {life.path} is closed") from None
    if close:
        pipe.close()


def check_fed(life: Life) -> None:
    if not hasattr(life, "incarnation"):
        raise TypeError(f"{life.path} is a pool, which has no standard input; feed an actor of its own")
    executor = life.spec.options.executor
    if not isinstance(executor, Process) or executor.stdin != "pipe":
        raise TypeError(
            f"{life.path} cannot be fed: its standard input is empty; write executor=Process(stdin='pipe')"
        )


def content_of(data: Any) -> bytes:
    if isinstance(data, str):
        return data.encode()
    if not isinstance(data, bytes):
        raise TypeError(f"feed() takes bytes or text, not {data!r}")
    return data


async def input_of(life: Life) -> tuple[ProcessIncarnation, FeedPipe]:
    """The input of the present incarnation, or of the next one."""
    while life.mailbox.closed is None:
        incarnation = life.incarnation
        if isinstance(incarnation, ProcessIncarnation) and not incarnation.dead.is_set():
            pipe = incarnation.guest.standard.stdin
            if pipe is not None:
                return incarnation, pipe
        await life.wait_changed()
    reason = life.mailbox.closed
    raise ActorDiedError(f"{life.path} is dead and reads nothing: {reason}", reason, NEVER_SENT)


async def tell(life: Life, incarnation: ProcessIncarnation) -> None:
    """Raise what is to be said of an incarnation that has died; else it has closed its input."""
    with trio.move_on_after(SOON):
        await incarnation.dead.wait()
        while life.incarnation is incarnation:
            await life.wait_changed()
        reason = life.last_reason
        kind = ActorDiedError if life.mailbox.closed is not None else ActorUnavailableError
        raise kind(
            f"{life.path} died while it was fed: {reason}; what it had not read is lost", reason, UNKNOWN
        )
