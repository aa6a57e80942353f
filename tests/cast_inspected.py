"""Actors with a state to look at."""

from __future__ import annotations

import threading
import time
from typing import Any

from understudy import Actor, Local, method, remote


class Safe(Actor, executor=Local(), crash_on=()):
    def __init__(self, value: Any = 0) -> None:
        self.value = value
        self.log: list[Any] = []

    @method
    def put(self, value: Any) -> Any:
        self.log.append(value)
        self.value = value
        return value

    @method
    def got(self) -> tuple[Any, list[Any]]:
        return self.value, self.log

    @method
    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        self.log.append("slept")

    @method
    def has(self, name: str) -> bool:
        return hasattr(self, name)

    @method
    def fall(self) -> None:
        raise SystemExit(1)


class AsyncSafe(Safe):
    @method
    async def put_slowly(self, value: Any) -> None:
        self.log.append(value)


class Locked(Safe):
    """Has what no pickle takes."""

    def __init__(self, value: Any = 0) -> None:
        super().__init__(value)
        self.lock = threading.Lock()


class Slotted(Actor, executor=Local()):
    """Part of its state is in slots."""

    __slots__ = ("value",)

    def __init__(self, value: Any = 0) -> None:
        self.value = value
        self.other = 1

    @method
    def got(self) -> Any:
        return self.value


class Discreet(Actor, executor=Local()):
    """Says what its state is, and keeps its secret."""

    def __init__(self) -> None:
        self.secret = "swordfish"
        self.public = 1

    def __getstate__(self) -> Any:
        return {"public": self.public, "secret": "***"}

    def __setstate__(self, state: Any) -> None:
        self.public = state["public"]

    @method
    def got(self) -> Any:
        return self.public, self.secret


class Plain:
    """Knows nothing of actors."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value


RemotePlain: Any = remote(Plain)
