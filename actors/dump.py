"""`dump(handle)`: where an actor's code is right now, even when it is stuck."""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from traceback import StackSummary, walk_stack
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

import trio

from ..transports.system.proc import state_of
from .local import LocalIncarnation
from .process import ProcessIncarnation
from .thread import ThreadIncarnation
from .verbs import life_of

if TYPE_CHECKING:
    from .actor import Handle
    from .life import Life


async def dump(handle: Handle[Any], *, timeout: float = 2.0, file: TextIO | None = None) -> str:
    """Print the stacks of an actor's threads or tasks, most recent call first, and return them as text.

    They are printed to `file`, by default `sys.stderr`.  The actor need not take part: its process answers a
    signal in the midst of whatever it does.  One that does not answer within `timeout` seconds, because it is
    stopped or blocks its signals, is described as the system sees it.  Of a pool all members are shown.  If cancelled,
    nothing is printed.

    Example:
        text = await dump(counter)
    """
    text = await stacks_of(life_of(handle, "dump(handle)"), timeout)
    print(text, end="", file=file or sys.stderr, flush=True)
    return text


async def stacks_of(life: Life, timeout: float) -> str:
    """Where an actor's code is, as text."""
    incarnation = life.incarnation
    if incarnation is not None:
        kind = next(kind for kind in type(incarnation).__mro__ if kind in DUMPS)
        return await DUMPS[kind](life, incarnation, timeout)
    await trio.lowlevel.checkpoint()
    return f"{life.path} is {life.state}: no code of it runs\n"


async def dump_process(life: Life, incarnation: ProcessIncarnation, timeout: float) -> str:
    """The stacks of all threads, from the guest's own fault handler."""
    guest = incarnation.guest
    title = f"{life.path}, incarnation {life.number}, process {guest.pid}"
    stacks = await guest.diagnostics.stacks(guest.signal, timeout) if guest.diagnostics is not None else ""
    if stacks:
        return f"{title}:\n{stacks}"
    return f"{title}, did not answer within {timeout:g} s:\n{state_of(guest.pid)}\n"


async def dump_local(life: Life, _: LocalIncarnation, __: float) -> str:
    """The stacks of the actor's own task, or of the method from which this is asked, and of its calls' tasks."""
    await trio.lowlevel.checkpoint()
    task = task_of(life)
    title = f"{life.path}, incarnation {life.number}, in this process"
    if task is None:
        return f"{title}: its task has ended\n"
    return "".join([f"{title}:\n", *map(shown_task, all_tasks(task))])


def shown_task(task: trio.lowlevel.Task) -> str:
    frames = reversed(list(task.iter_await_frames()))
    return f"Task {task.name!r} (most recent call first):\n{shown_stack(frames)}"


def task_of(life: Life) -> trio.lowlevel.Task | None:
    """The task that runs an actor; the actor itself does not keep it: it is to be small."""
    for task in all_tasks(trio.lowlevel.current_root_task()):
        frame: FrameType | None = getattr(task.coro, "cr_frame", None)
        if task.name == life.path and frame is not None and frame.f_locals.get("self") is life:
            return task
    return None


def all_tasks(root: trio.lowlevel.Task | None) -> Iterator[trio.lowlevel.Task]:
    if root is not None:
        yield root
        for nursery in root.child_nurseries:
            for task in nursery.child_tasks:
                yield from all_tasks(task)


async def dump_thread(life: Life, incarnation: ThreadIncarnation, _: float) -> str:
    """The stacks of the actor's thread, and of those that run its calls."""
    await trio.lowlevel.checkpoint()
    frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]
    main = incarnation.guest.thread
    threads = [thread for thread in threading.enumerate() if main is not None and belongs(thread, main)]
    shown = "".join(
        f"Thread {thread.name!r} (most recent call first):\n{shown_stack(walk_stack(frames.get(thread.ident or 0)))}"
        for thread in threads
    )
    return f"{life.path}, incarnation {life.number}, in threads of this process:\n{shown}"


def belongs(thread: threading.Thread, main: threading.Thread) -> bool:
    """The threads that an actor's own thread starts for its calls bear its name in theirs."""
    return thread is main or thread.name.startswith(f"{main.name}, ")


def shown_stack(frames: Iterable[tuple[FrameType, int]]) -> str:
    """Frames, the innermost first, in the manner of a fault handler."""
    lines = StackSummary.extract(iter(frames), lookup_lines=False)
    return "".join(f'  File "{line.filename}", line {line.lineno} in {line.name}\n' for line in lines)


# By the kind of incarnation, that is, by executor; files that add a kind of incarnation add it here.
DUMPS: dict[type, Callable[[Any, Any, float], Awaitable[str]]] = {
    LocalIncarnation: dump_local,
    ProcessIncarnation: dump_process,
    ThreadIncarnation: dump_thread,
}
