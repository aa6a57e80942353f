"""The guests that run actors: every executor, trust and loop that a conformance test goes through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.rehearsal import QUIET
from understudy import Process, Thread

UNTRUSTED = Process(stderr="keep", trusted=False)

TRIO = {"trio-thread": Thread(), "trio-process": QUIET, "trio-untrusted": UNTRUSTED}
ASYNCIO = {
    "asyncio-thread": Thread(loop="asyncio"),
    "asyncio-process": Process(stderr="keep", loop="asyncio"),
    "asyncio-untrusted": Process(stderr="keep", trusted=False, loop="asyncio"),
}
LOOPS = TRIO | ASYNCIO


@dataclass(frozen=True)
class Engine:
    """An actor class and where it runs."""

    name: str
    cls: Any
    executor: Any
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def awaits(self) -> bool:
        return self.name.startswith(("trio", "asyncio"))

    @property
    def trusted(self) -> bool:
        return getattr(self.executor, "trusted", True)

    @property
    def in_process(self) -> bool:
        return isinstance(self.executor, Process)

    async def start(self, *args: Any, **options: Any) -> Any:
        return await self.cls.options(executor=self.executor, **{**self.options, **options}).start(*args)


def plain(cls: Any) -> list[Engine]:
    """A class without `async` methods: one call at a time, or several in threads."""
    several = {"max_concurrency": 4}
    return [
        Engine("turns-thread", cls, Thread()),
        Engine("turns-process", cls, QUIET),
        Engine("turns-untrusted", cls, UNTRUSTED),
        Engine("threads-thread", cls, Thread(), several),
        Engine("threads-process", cls, QUIET, several),
    ]


def loops(cls: Any) -> list[Engine]:
    """A class with `async` methods, under both loops."""
    return [Engine(name, cls, executor) for name, executor in LOOPS.items()]


def across(engines: list[Engine]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("engine", engines, ids=[engine.name for engine in engines])
