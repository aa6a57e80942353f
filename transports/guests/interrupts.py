"""The doorbell in a guest: the page says which call to interrupt, a signal says look.

The handler raises only inside user code, that is below `invoke`: a signal that lands in our own code
changes nothing, and the host rings again until the call has ended.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from types import CodeType, FrameType
from typing import Any, Protocol, TypeVar

from .nested import Nested
from .protocol import INTERRUPT

DOORBELL = signal.SIGINT
PATIENCE = (
    1.0  # seconds that one of several calls may hold up its loop where nobody can tell which one is meant
)
IMPORT = 0.5  # seconds that an import may take to end, once it is in the way of an interrupt
IMPORTING = "<frozen importlib._bootstrap>"


class Interrupted(KeyboardInterrupt):
    """Raised inside a method that is interrupted; it may tidy up, and should let this pass.

    A `KeyboardInterrupt`, so that `except Exception` does not swallow it.
    """


def invoke(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run user code; only below this frame may the doorbell raise."""
    return function(*args, **kwargs)


# Code of ours that user code calls, and that must not be left half-way.
WHOLE: set[CodeType] = set()

F = TypeVar("F", bound=Callable[..., Any])


def whole(function: F) -> F:
    """Mark a function in which no interrupt is raised: the host rings again, and finds its caller."""
    WHOLE.add(function.__code__)
    return function


def in_user_code(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code is invoke.__code__:
            return True
        if frame.f_code in WHOLE:
            return False
        frame = frame.f_back
    return False


def importing(frame: FrameType | None) -> bool:
    """Is user code in the midst of an import?"""
    while frame is not None and frame.f_code is not invoke.__code__:
        if frame.f_code.co_filename == IMPORTING:
            return True
        frame = frame.f_back
    return False


class Imports:
    """An import that is torn apart may leave half of a package, and fail in this process ever after: it may end first."""

    __slots__ = ("id", "since")

    def __init__(self) -> None:
        self.id = 0  # the call that was last found importing
        self.since = 0.0

    def spared(self, id: int, frame: FrameType | None) -> bool:
        """Is this call in an import that has some time left?"""
        if not importing(frame):
            return False
        if self.id != id:
            self.id, self.since = id, monotonic()
        return monotonic() < self.since + IMPORT


class Bell(Protocol):
    """Interrupts a call: `running` is its id while user code may be interrupted, `protected` if it may not."""

    protected: bool
    nested: Nested

    @property
    def running(self) -> int: ...
    @running.setter
    def running(self, id: int, /) -> None: ...


class Doorbell:
    """Decides, when the signal comes, whether it is meant for what runs now in the process's main thread."""

    __slots__ = ("imports", "leaving", "nested", "page", "protected", "running")

    def __init__(self, page: Any) -> None:
        self.page = page
        self.nested = Nested()
        self.imports = Imports()
        self.leaving: BaseException | None = None  # raised instead, in whatever the main thread does
        self.running = 0
        self.protected = False

    def listen(self) -> None:
        signal.signal(DOORBELL, self.ring)

    def in_tasks(self, tasks: Any) -> None:
        """From now on, tasks run here."""
        stuck = Stuck(tasks)

        def ring(_: int, frame: FrameType | None) -> None:
            if stuck.looking:
                return  # signals come faster than we look
            found = stuck.found(self.page[INTERRUPT], frame) if self.page is not None else stuck.holds(frame)
            if found:
                raise Interrupted

        signal.signal(DOORBELL, ring)

    def ring(self, signum: int, frame: FrameType | None) -> None:
        if self.leaving is not None:
            raise self.leaving
        if not self.running or self.protected:
            return
        # Without a page one call at a time is in our hands, so the one that runs is the one that is meant.
        if self.page is not None and self.page[INTERRUPT] != self.running:
            return
        if not in_user_code(frame) or self.imports.spared(self.running, frame):
            return
        if not self.nested.hears(self.running):
            raise Interrupted


class Stuck:
    """Where tasks run, a call is cancelled by its loop; the doorbell is for one that does not let the loop run."""

    def __init__(self, tasks: Any) -> None:
        self.tasks = tasks
        self.looking = False
        self.asked = 0  # the call for which the loop was asked to say that it runs
        self.since = 0.0  # when

    def holds(self, frame: FrameType | None) -> bool:
        """Without a page, what holds up the loop is meant: at once if it is alone, else when it has long done so.

        Whichever call must end, until then nobody can tell this one, and none can end.
        """
        return self.found(self.tasks.holder(frame), frame, PATIENCE if len(self.tasks.running) > 1 else 0.0)

    def found(self, id: int, frame: FrameType | None, patience: float = 0.0) -> bool:
        """Has the loop not run since it was last asked for this call, and is it this call's code that runs?"""
        if id not in self.tasks.running:
            return False
        self.looking = True
        try:
            if self.asked == id:
                patience = max(patience, IMPORT) if importing(frame) else patience
                return monotonic() >= self.since + patience and bool(self.tasks.stuck_in(id, frame))
            if self.asked == 0:
                self.tasks.soon(self.answered)
            self.asked, self.since = id, monotonic()
        finally:
            self.looking = False
        return False

    def answered(self) -> None:
        self.asked = 0


class ThreadDoorbell:
    """Interrupts what runs in one thread, from any other: the interpreter raises there at the next step of Python."""

    def __init__(self, page: Any = None) -> None:
        self.page = page
        self.nested = Nested()
        self.imports = Imports()
        self.protected = False
        self.thread = 0
        self.gate = threading.Lock()
        self.rung = False
        self.id = 0
        self.stuck: Stuck | None = None

    def in_tasks(self, tasks: Any) -> None:
        """From now on, tasks run here."""
        self.stuck = Stuck(tasks)
        self.thread = threading.get_ident()

    @property
    def running(self) -> int:
        return self.id

    @running.setter
    def running(self, id: int, /) -> None:
        if id:
            self.thread = threading.get_ident()
            self.id = id
            return
        while self.id or self.rung:
            try:
                with self.gate:
                    self.id = 0
                if self.rung:
                    raise_in(self.thread, None)  # what was on its way comes no more
                    self.rung = False
            except Interrupted:
                continue

    def ring(self) -> None:
        with self.gate:
            if self.is_meant() and not self.nested.hears(self.id, self.thread):
                self.rung = True
                raise_in(self.thread, Interrupted)
                if not self.is_meant():  # it went on while we looked
                    raise_in(self.thread, None)

    def is_meant(self) -> bool:
        """Is the thread in the user code that is to be interrupted?"""
        frame = sys._current_frames().get(self.thread)  # pyright: ignore[reportPrivateUsage]
        if self.stuck is not None:
            return self.stuck.found(self.page[INTERRUPT], frame)
        if not self.id or self.protected or (self.page is not None and self.page[INTERRUPT] != self.id):
            return False
        return in_user_code(frame) and not self.imports.spared(self.id, frame)


def raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Have the interpreter raise an exception in a thread, or take back one that has not been raised."""
    import ctypes

    what = ctypes.py_object(error) if error is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), what)
