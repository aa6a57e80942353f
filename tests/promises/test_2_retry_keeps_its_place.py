"""Promise 2: a call that is tried again after an exception keeps its place before what follows."""

from pathlib import Path
from typing import Any

import pytest

from tests.cast import mark, said
from tests.cast_refs import Trier
from tests.rehearsal import LOCAL, QUIET, held, rehearse, until
from understudy import Actor, Runtime, TaskCancelledError, cancel, get, method, statistics
from understudy.actors.events import CallRetried, FailureUnseen
from understudy.actors.executor import Executor


class Noting(Actor):
    @method
    def note(self, path: str, word: str, fails: int = 0) -> None:
        if mark(path + word) <= fails:
            raise ValueError(word)
        with open(path, "a") as file:
            file.write(word + " ")


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_call_retried_after_an_exception_keeps_its_place(executor: Executor, tmp_path: Path) -> None:
    path = str(tmp_path / "notes")

    async def scene(runtime: Runtime) -> None:
        noting = await Noting.options(executor=executor, max_task_retries=3, retry_exceptions=True).start()
        await get(
            [
                noting.note.remote(path, word, fails)
                for word, fails in (("a", 0), ("b", 2), ("c", 0), ("d", 0))
            ]
        )

    rehearse(scene)
    assert said(path) == ["a", "b", "c", "d"]


each = pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])


@each
def test_every_attempt_has_the_same_id_and_its_number(executor: Executor, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        trier = await Trier.options(executor=executor, max_task_retries=3, retry_exceptions=True).start()
        ref = trier.attempt.remote(str(tmp_path / "n"), 2)
        assert await ref == (ref.id, 3)
        assert [(e.call_id, e.attempt) for e in held(events, CallRetried)] == [(ref.id, 2), (ref.id, 3)]

    rehearse(scene)


@each
def test_a_call_is_tried_once_more_than_its_retries_and_then_its_own_error_is_raised(
    executor: Executor, tmp_path: Path
) -> None:
    path = str(tmp_path / "n")

    async def scene(runtime: Runtime) -> None:
        trier = await Trier.options(executor=executor, max_task_retries=2, retry_exceptions=True).start()
        with pytest.raises(ValueError, match="3"):
            await trier.attempt(path, 9)
        assert await trier.count(path) == 3

    rehearse(scene)


@each
@pytest.mark.parametrize("given", [[KeyError, OSError], (KeyError, OSError)], ids=["list", "tuple"])
def test_only_the_exceptions_that_are_named_are_retried(
    executor: Executor, given: Any, tmp_path: Path
) -> None:
    path = str(tmp_path / "n")

    async def scene(runtime: Runtime) -> None:
        trier = await Trier.options(executor=executor, max_task_retries=5, retry_exceptions=given).start()
        assert (await trier.attempt(path, 1, "KeyError"))[1] == 2
        assert (await trier.attempt(path + "o", 2, "OSError"))[1] == 3
        with pytest.raises(ValueError, match="1"):
            await trier.attempt(path + "v", 1, "ValueError")

    rehearse(scene)


@each
def test_a_method_has_options_of_its_own(executor: Executor, tmp_path: Path) -> None:
    path = str(tmp_path / "n")

    async def scene(runtime: Runtime) -> None:
        trier = await Trier.options(executor=executor).start()
        assert (await trier.marked(path, 2, "KeyError"))[1] == 3
        with pytest.raises(ValueError, match="1"):
            await trier.marked(path + "v", 1, "ValueError")
        with pytest.raises(ValueError, match="1"):
            await trier.attempt(path + "a", 1)
        twice = trier.attempt.options(max_task_retries=1, retry_exceptions=[ValueError])
        assert (await twice(path + "t", 1))[1] == 2
        assert (await twice.options(max_task_retries=-1)(path + "u", 9))[1] == 10

    rehearse(scene)


@each
def test_without_retry_exceptions_nothing_that_is_raised_is_retried(
    executor: Executor, tmp_path: Path
) -> None:
    async def scene(runtime: Runtime) -> None:
        trier = await Trier.options(executor=executor, max_task_retries=3).start()
        with pytest.raises(ValueError, match="1"):
            await trier.attempt(str(tmp_path / "n"), 1)

    rehearse(scene)


@pytest.mark.slow
@each
def test_an_exception_that_ends_the_actor_is_retried_in_the_next_incarnation(
    executor: Executor, tmp_path: Path
) -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Trier.options(
            executor=executor,
            max_task_retries=3,
            retry_exceptions=True,
            crash_on=(ValueError,),
            max_restarts=-1,
        )
        trier = await kind.start()
        ref = trier.attempt.remote(str(tmp_path / "n"), 2)
        after = trier.count.remote(str(tmp_path / "n"))
        assert await ref == (ref.id, 3)
        assert await after == 3
        assert statistics(trier).incarnation == 3

    rehearse(scene)


@pytest.mark.slow
@each
def test_a_call_that_ends_its_actor_each_time_is_tried_three_times_more_at_most(
    executor: Executor, tmp_path: Path
) -> None:
    path = str(tmp_path / "n")

    async def scene(runtime: Runtime) -> None:
        kind = Trier.options(
            executor=executor,
            max_task_retries=-1,
            retry_exceptions=True,
            crash_on=(ValueError,),
            max_restarts=-1,
        )
        trier = await kind.start()
        with pytest.raises(ValueError, match="4"):
            await trier.attempt(path, 99)
        assert await trier.count(path) == 4
        assert statistics(trier).incarnation == 5

    rehearse(scene)


@pytest.mark.slow
@each
@pytest.mark.parametrize("crash_on", [(), (ValueError,)], ids=["", "crash_on"])
def test_a_cast_is_retried_in_the_next_incarnation_too(
    executor: Executor, crash_on: Any, tmp_path: Path
) -> None:
    path = str(tmp_path / "n")

    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        kind = Trier.options(
            executor=executor, max_task_retries=2, retry_exceptions=True, crash_on=crash_on, max_restarts=-1
        )
        trier = await kind.start()
        trier.attempt.cast(path, 1)
        assert await trier.count(path) == 2
        assert statistics(trier).incarnation == 2
        trier.attempt.cast(path + "x", 99)
        assert await trier.count(path + "x") == 3
        assert statistics(trier).incarnation == 5
        (unseen,) = held(events, FailureUnseen)
        assert "3" in str(unseen.error)

    rehearse(scene)


@each
def test_a_cancelled_call_is_not_tried_again(executor: Executor, tmp_path: Path) -> None:
    path = str(tmp_path / "n")

    async def scene(runtime: Runtime) -> None:
        trier = await Trier.options(executor=executor, max_task_retries=-1, retry_exceptions=True).start()
        ref = trier.attempt.remote(path, 10**9)
        await until(lambda: Path(path).exists())
        cancel(ref)
        with pytest.raises(TaskCancelledError):
            await ref
        count = await trier.count(path)
        assert await trier.count(path) == count + 1

    rehearse(scene)


@pytest.mark.parametrize("value", [[1], ["ValueError"], ValueError, "all", [ValueError, 3]])
def test_what_may_be_retried_is_checked(value: Any) -> None:
    with pytest.raises(
        ValueError, match="retry_exceptions must be a bool or a tuple of exception classes, not"
    ):
        Trier.options(retry_exceptions=value)
