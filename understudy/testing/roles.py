"""The actors that executors are tried with; importable, so that a guest anywhere finds them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ..actors.actor import Actor
from ..actors.context import current_actor, exit_actor
from ..actors.method import method


class Scribe(Actor, max_restarts=-1):
    """Keeps what it is told, and ends in every way an actor can."""

    def __init__(self, first: str = "") -> None:
        if first == "fail":
            raise ValueError("told to fail")
        self.words = [first] if first else []

    @method
    def keep(self, word: str) -> int:
        self.words.append(word)
        return len(self.words)

    @method
    def kept(self) -> list[str]:
        return self.words

    @method
    def echo(self, value: Any) -> Any:
        return value

    @method
    def fail(self, text: str) -> None:
        raise ValueError(text)

    @method
    def leave(self) -> None:
        exit_actor("it has done its work")

    @method
    def work(self, seconds: float) -> str:
        """In steps, so that whatever can be interrupted between two of them is."""
        for _ in range(round(seconds * 1000)):
            time.sleep(0.001)
        return "done"

    @method
    def count(self, many: int) -> Iterator[int]:
        yield from range(many)

    @method
    def incarnation(self) -> int:
        number: int = current_actor().incarnation
        return number


class Heir(Actor, max_restarts=-1):
    """Hands its state to its next incarnation, and tells of its start and its end."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_start(self) -> None:
        self.told.append("started")

    def save_state(self) -> list[str]:
        return self.told

    def load_state(self, state: list[str]) -> None:
        self.told = [*state, "loaded"]

    @method
    def tell(self) -> list[str]:
        return self.told
