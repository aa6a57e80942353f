"""Which loop runs an actor's methods: one at a time, in threads, or in the tasks of an event loop."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

# Mode to the module that has the loop; one that is not needed is not loaded.
LOOPS = {
    "turns": (".turns", "Turns"),
    "threads": (".threads", "Threads"),
    "trio": (".trio_loop", "TrioLoop"),
    "asyncio": (".asyncio_loop", "AsyncioLoop"),
}


class Loop(Protocol):
    """Runs an actor: `play` makes it and says READY; then, or by then, calls are served."""

    def play(self) -> None: ...


def loop_of(mode: str, guest: Any, settings: dict[str, Any]) -> Loop:
    return load_loop(mode)(guest, settings)


def load_loop(mode: str) -> Callable[[Any, dict[str, Any]], Loop]:
    module, name = LOOPS[mode]
    loop: Callable[[Any, dict[str, Any]], Loop] = getattr(import_module(module, __package__), name)
    return loop
