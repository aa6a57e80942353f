"""A doorbell that is late must not ring for the next call."""

import os
import signal
import time
from pathlib import Path

import pytest
import trio

from tests.rehearsal import keeper_of
from understudy import Actor, Process, TaskCancelledError, cancel, method, open_runtime


class Slow(Actor, executor=Process()):
    @method
    def until(self, began: str, done: str) -> str:
        Path(began).touch()
        while not Path(done).exists():
            try:
                time.sleep(0.01)
            except KeyboardInterrupt:
                pass
        return "done"

    @method
    def busy(self, began: str, done: str) -> str:
        Path(began).touch()
        while not Path(done).exists():
            time.sleep(0.01)
        return "whole"


async def appears(path: Path) -> None:
    while not path.exists():  # noqa: ASYNC110, ASYNC240
        await trio.sleep(0.01)


@pytest.mark.slow
def test_a_call_is_not_hit_by_an_interrupt_that_was_meant_for_the_one_before(tmp_path: Path) -> None:
    a, b, c, d = (tmp_path / name for name in "abcd")

    async def main() -> str:
        async with open_runtime() as runtime:
            slow = await Slow.start()
            keeper = keeper_of(runtime).pid
            first = slow.until.remote(str(a), str(b))
            await appears(a)
            os.kill(keeper, signal.SIGSTOP)  # the slow keeper of a loaded machine, made certain
            try:
                cancel(first)
                with pytest.raises(TaskCancelledError):
                    await first
                b.touch()  # the first call ends by itself, before the keeper has passed the signal on
                second = slow.busy.remote(str(c), str(d))
                with trio.move_on_after(0.5):
                    await appears(c)
            finally:
                os.kill(keeper, signal.SIGCONT)
            await appears(c)
            await trio.sleep(0.2)
            d.touch()
            return await second

    assert trio.run(main) == "whole"
