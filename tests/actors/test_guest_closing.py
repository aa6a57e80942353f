"""What holds for a stream that is left early: its generator is closed, in peace, and its end is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cast_closing import Tidy, TidyAsync, TidyMixed
from tests.engines import Engine, across, loops, plain
from tests.rehearsal import QUIET, rehearse, until
from understudy import Process, Runtime, statistics

ENGINES = [
    *plain(Tidy),
    *loops(TidyAsync),
    Engine("mixed-trio", TidyMixed, QUIET),
    Engine("mixed-asyncio", TidyMixed, Process(stderr="keep", loop="asyncio")),
]
everywhere = across(ENGINES)


@pytest.mark.slow
@everywhere
@pytest.mark.parametrize("ahead", [1, 256])
def test_a_generator_that_is_closed_may_take_its_time(engine: Engine, ahead: int, tmp_path: Path) -> None:
    path = tmp_path / "said"

    async def scene(runtime: Runtime) -> None:
        actor = await engine.start()
        async with actor.linger.options(ahead=ahead)(str(path)) as stream:
            assert await anext(stream) == 0
        await until(lambda: not actor._life.incarnation.sent)
        assert path.exists()
        assert path.read_text() == "closed"
        assert await actor.add(1) == 2
        assert statistics(actor).incarnation == 1

    rehearse(scene)
