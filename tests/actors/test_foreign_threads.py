"""Only the thread that runs a method calls others; one that the method starts is told so, in every executor."""

from __future__ import annotations

import pytest

from tests.cast_foreign_threads import WAYS, Busier, Busy, Looping, Other
from tests.engines import Engine, across
from tests.rehearsal import LOCAL, QUIET, rehearse
from understudy import Runtime, Thread
from understudy.transports.guests.asking import ELSEWHERE

ENGINES = [
    Engine(f"{cls.__name__} in a {where}", cls, executor)
    for cls in (Busy, Busier, Looping)
    for where, executor in (("process", QUIET), ("thread", Thread()))
]


@pytest.mark.parametrize("way", WAYS)
@across(ENGINES)
def test_a_thread_that_a_method_has_started_calls_nobody(engine: Engine, way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        other = await Other.options(executor=LOCAL).start()
        actor = await engine.start()

        assert await actor.pooled(other, way, 4) == ([ELSEWHERE] * 4, 2)

    rehearse(scene, seconds=6)
