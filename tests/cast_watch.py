"""Actors that watch others, in every executor."""

from __future__ import annotations

import os
import time
from typing import Any

from tests.cast import QUIET
from understudy import Actor, Down, Local, exit_actor, get_actor, method, monitor
from understudy.supervisors.linked import link, unlink


class Target(Actor, executor=Local(), crash_on=(Exception,)):
    """Ends as it is told."""

    @method
    def leave(self) -> None:
        exit_actor("enough")

    @method
    def fail(self, text: str) -> None:
        raise ValueError(text)

    @method
    def ping(self) -> str:
        return "pong"


class Watcher(Actor, executor=Local()):
    """Hears of the ends of what it watches, and keeps what it heard between its calls."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.monitors: list[Any] = []

    def on_down(self, down: Down) -> None:
        self.heard.append(down)

    @method
    def watch(self, *targets: Any) -> int:
        self.monitors.append(monitor(*targets))
        return len(self.monitors)

    @method
    def numbers(self) -> list[int]:
        return [one.id for one in self.monitors]

    @method
    def watch_and_forget(self, target: Any) -> bool:
        return monitor(target).close()

    @method
    def forget(self, at: int) -> bool:
        return bool(self.monitors[at].close())

    @method
    def note(self, what: Any) -> None:
        self.heard.append(what)

    @method
    def told(self) -> list[Any]:
        return self.heard


class GuestWatcher(Watcher, executor=QUIET):
    """The same in a guest."""


class AsyncWatcher(Actor, executor=Local()):
    """The same in tasks."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def on_down(self, down: Down) -> None:
        self.heard.append(down)

    @method
    async def watch(self, *targets: Any) -> None:
        self.monitor = monitor(*targets)

    @method
    async def note(self, what: Any) -> None:
        self.heard.append(what)

    @method
    async def told(self) -> list[Any]:
        return self.heard


class Hookless(Actor, executor=QUIET):
    """Has no on_down."""

    @method
    def watch(self, target: Any) -> None:
        monitor(target)


class Reader(Actor, executor=Local()):
    """Waits in a method, as it has no on_down."""

    @method
    async def wait_for(self, target: Any) -> Down:
        async with monitor(target) as downs:
            return await anext(downs)


class Deep(Actor, executor=Local()):
    """Fails for a reason that has reasons."""

    @method
    def dive(self) -> None:
        try:
            try:
                raise OSError("root")
            except OSError:
                raise ValueError("middle")  # noqa: B904  while handling, and not from
        except ValueError as error:
            raise KeyError("outer") from error


class Unpicklable(Exception):
    """No pickle takes it."""

    def __reduce__(self) -> Any:
        raise TypeError("not me")


class Fellow(Actor, executor=Local(), crash_on=(Exception,)):
    """Links itself with others."""

    @method
    def link(self, other: Any) -> None:
        link(other)

    @method
    def unlink(self, other: Any) -> None:
        unlink(other)

    @method
    def leave(self) -> None:
        exit_actor()

    @method
    def fail(self) -> None:
        raise ValueError("this")

    @method
    def ping(self) -> str:
        return "pong"


class TrappingFellow(Fellow):
    """The same, and is told of the others' ends."""

    def __init__(self) -> None:
        self.heard: list[Down] = []

    def on_down(self, down: Down) -> None:
        self.heard.append(down)

    @method
    def told(self) -> list[Down]:
        return self.heard


class Talker(Actor, executor=QUIET):
    """Its last words are many."""

    @method
    def fail_at_length(self, size: int) -> None:
        raise SystemExit("x" * size)


class Seeker(Watcher, executor=QUIET):
    """Watches by name."""

    @method
    def watch_name(self, name: str) -> None:
        monitor(get_actor(name))


class Ending(Actor, executor=QUIET, crash_on=(Exception,)):
    """Ends in every way there is."""

    def __init__(self, seconds: float = 0) -> None:
        time.sleep(seconds)

    @method
    def leave(self) -> None:
        exit_actor()

    @method
    def fail(self) -> None:
        raise ValueError("this")

    @method
    def spin(self) -> None:
        while True:
            time.sleep(0.01)

    @method
    def block(self, seconds: float) -> None:
        time.sleep(seconds)

    @method
    def signal(self, number: int) -> None:
        os.kill(os.getpid(), number)
        time.sleep(10)
