"""The lean on trio and its fallback do the same: waking with a result of our own kind, a flush at the end of a tick."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import outcome
import pytest
import trio
import trio.testing
from trio.lowlevel import Abort, Task, current_task

from understudy.transports import ticks
from understudy.transports.ticks import EndOfTick, park, wake_by_outcome

WAKERS: list[Callable[[Task, Any], None]] = [trio.lowlevel.reschedule, wake_by_outcome]
wakers = pytest.mark.parametrize("wake", WAKERS, ids=["directly", "by outcome"])
variants = pytest.mark.parametrize("plain", [False, True], ids=["instrument", "task"])


class Duck:
    """What a call record is to trio: something that has `unwrap()`."""

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value, self.error = value, error

    def unwrap(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


def refuse(raise_cancel: Any) -> Abort:
    return Abort.FAILED


async def woken_with(wake: Callable[[Task, Any], None], duck: Duck) -> Any:
    got: list[Any] = []
    waiting: list[Task] = []

    async def wait() -> None:
        waiting.append(current_task())
        got.append(await outcome.acapture(park, refuse))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        wake(waiting[0], duck)
    return got[0].unwrap()


@wakers
def test_a_parked_task_is_woken_with_whatever_can_be_unwrapped(wake: Callable[[Task, Any], None]) -> None:
    value = object()

    assert trio.run(woken_with, wake, Duck(value)) is value


@wakers
def test_a_parked_task_raises_what_unwrapping_raises(wake: Callable[[Task, Any], None]) -> None:
    error = KeyError("mine")
    with pytest.raises(KeyError) as raised:
        trio.run(woken_with, wake, Duck(error=error))

    assert raised.value is error


@wakers
def test_a_parked_task_that_is_cancelled_asks_first(wake: Callable[[Task, Any], None]) -> None:
    async def main() -> list[str]:
        log: list[str] = []

        def abort(raise_cancel: Any) -> Abort:
            log.append("asked")
            return Abort.SUCCEEDED

        with trio.move_on_after(0):
            await park(abort)
            log.append("woken")
        return log

    assert trio.run(main) == ["asked"]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], EndOfTick]:
    def made(plain: bool) -> EndOfTick:
        monkeypatch.setattr(ticks, "PLAIN", plain)
        return EndOfTick()

    return made


async def run_with(ends: EndOfTick, body: Callable[[], Any]) -> Any:
    async with trio.open_nursery() as nursery:
        await nursery.start(ends.run)
        result = await body()
        nursery.cancel_scope.cancel()
    return result


@variants
def test_what_is_due_is_called_once(plain: bool, make: Callable[[bool], EndOfTick]) -> None:
    ends, calls = make(plain), []

    async def body() -> None:
        ends.soon(lambda: calls.append(1))
        for _ in range(10):
            await trio.lowlevel.checkpoint()

    trio.run(run_with, ends, body)

    assert calls == [1]


def test_a_flush_comes_in_the_same_tick_after_every_task_has_had_its_turn(
    make: Callable[[bool], EndOfTick],
) -> None:
    ends, log = make(False), []

    async def task() -> None:
        log.append("step")
        ends.soon(lambda: log.append("flush"))
        await trio.lowlevel.checkpoint()
        log.append("next")

    async def body() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(task)

    trio.run(run_with, ends, body)

    assert log == ["step"] * 3 + ["flush"] * 3 + ["next"] * 3


@variants
def test_a_flush_needs_no_other_task_to_move(plain: bool, make: Callable[[bool], EndOfTick]) -> None:
    ends = make(plain)

    async def body() -> None:
        flushed = trio.Event()
        ends.soon(lambda: trio.lowlevel.current_trio_token().run_sync_soon(flushed.set))
        with trio.fail_after(5):
            await flushed.wait()

    trio.run(run_with, ends, body)


@variants
def test_what_is_due_at_the_end_is_not_forgotten(plain: bool, make: Callable[[bool], EndOfTick]) -> None:
    ends, calls = make(plain), []

    async def body() -> None:
        ends.soon(lambda: calls.append(1))

    trio.run(run_with, ends, body)

    assert calls == [1]


@variants
def test_what_a_flush_asks_for_is_done_as_well(plain: bool, make: Callable[[bool], EndOfTick]) -> None:
    ends, calls = make(plain), []

    async def body() -> None:
        ends.soon(lambda: ends.soon(lambda: calls.append(2)))
        for _ in range(5):
            await trio.lowlevel.checkpoint()

    trio.run(run_with, ends, body)

    assert calls == [2]


def test_the_fallback_takes_what_is_asked_for_in_one_tick_together(make: Callable[[bool], EndOfTick]) -> None:
    ends = make(True)
    log: list[int] = []

    async def body() -> None:
        for n in range(3):
            ends.soon(partial(log.append, n))
        for _ in range(3):
            await trio.lowlevel.checkpoint()

    trio.run(run_with, ends, body)

    assert log == [0, 1, 2]


def test_an_error_in_a_flush_is_not_swallowed_with_the_instrument(make: Callable[[bool], EndOfTick]) -> None:
    ends = make(False)

    def broken() -> None:
        raise ZeroDivisionError("a bug of ours")

    async def body() -> None:
        ends.soon(broken)
        await trio.sleep(5)

    with pytest.raises(trio.TrioInternalError) as raised:
        trio.run(run_with, ends, body)

    assert "a bug of ours" in repr(raised.value.__cause__)


SCRIPT = """
import trio
from understudy import Local, Process, interrupt, open_runtime
from understudy.transports import ticks
from tests.transports.company import Tester

async def main():
    assert ticks.PLAIN and ticks.wake is ticks.wake_by_outcome
    async with open_runtime() as runtime:
        for executor in (Process(stderr="keep"), Local()):
            tester = await Tester.options(executor=executor).start()
            replies = []
            async def ask(n):
                replies.append(await tester.echo(n))
            async with trio.open_nursery() as nursery:
                for n in range(100):
                    nursery.start_soon(ask, n)
            assert sorted(replies) == list(range(100))
            assert await tester.echo.remote(7) == 7
            try:
                await tester.fail("no")
            except ValueError:
                print("fine", flush=True)

trio.run(main)
"""


@pytest.mark.slow
def test_a_whole_runtime_runs_on_the_fallbacks() -> None:
    environ = {**os.environ, "UNDERSTUDY_PLAIN_TICKS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environ, capture_output=True, text=True, timeout=50, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\nfine\n", "")


class Bell:
    """Whom a task sleeps for; it keeps what it is asked."""

    def __init__(self, answer: Abort) -> None:
        self.answer = answer
        self.raise_cancel: Any = None
        self.task: Task | None = None

    def abandoned(self, raise_cancel: Any) -> Abort:
        self.raise_cancel = raise_cancel
        return self.answer

    async def slept_for(self, sleep: Any) -> Any:
        self.task = current_task()
        return await sleep(self)


sleeps = pytest.mark.parametrize("sleep", [ticks.sleep_in_berth, ticks.sleep_plainly], ids=["berth", "plain"])


@sleeps
def test_a_sleeper_is_woken_with_a_value_or_an_error(sleep: Any) -> None:
    bells = [Bell(Abort.SUCCEEDED) for _ in range(3)]
    got: list[Any] = []

    async def wait(bell: Bell) -> None:
        got.append(await outcome.acapture(bell.slept_for, sleep))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for bell in bells:
                nursery.start_soon(wait, bell)
                await trio.testing.wait_all_tasks_blocked()
            for number, bell in enumerate(bells):
                assert bell.task is not None
                ticks.wake(bell.task, outcome.Error(KeyError()) if number == 1 else outcome.Value(number))
                await trio.testing.wait_all_tasks_blocked()

    trio.run(main)

    assert [type(one) for one in got] == [outcome.Value, outcome.Error, outcome.Value]
    assert (got[0].unwrap(), got[2].unwrap()) == (0, 2)


@sleeps
def test_each_sleeper_is_asked_for_itself_when_its_task_is_cancelled(sleep: Any) -> None:
    async def main() -> None:
        for _ in range(2):  # the second time in a berth that was used
            stays, leaves = Bell(Abort.FAILED), Bell(Abort.SUCCEEDED)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(stays.slept_for, sleep)
                with trio.move_on_after(0) as scope:
                    await leaves.slept_for(sleep)
                assert scope.cancelled_caught
                asked = [bell.raise_cancel is not None for bell in (stays, leaves)]
                assert asked == [False, True]
                nursery.cancel_scope.cancel()
                with trio.CancelScope(shield=True):
                    await trio.testing.wait_all_tasks_blocked()
                assert stays.raise_cancel is not None
                assert stays.task is not None
                ticks.wake(stays.task, outcome.Value(None))  # it refused to be cancelled

    trio.run(main)


def test_a_berth_is_free_again_when_its_task_has_left() -> None:
    async def main() -> None:
        ticks.berths.clear()
        for _ in range(5):
            with trio.move_on_after(0):
                await Bell(Abort.SUCCEEDED).slept_for(ticks.sleep_in_berth)

    trio.run(main)

    assert [berth.sleeper for berth in ticks.berths] == [None]
