"""Remote functions: in processes of the runtime's own pool, by hash of their code, retried, cancelled."""

from __future__ import annotations

import functools
import math
import operator
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_pools import fail, fall, fall_until, nap, nap_async, square, triple
from tests.rehearsal import rehearse, until
from understudy import (
    ActorUnavailableError,
    Local,
    NoRuntimeError,
    Process,
    Runtime,
    TaskCancelledError,
    TaskError,
    Unsendable,
    cancel,
    get,
    get_actor,
    kill,
    remote,
)
from understudy.actors.function import RemoteFunction


def test_a_function_is_called_awaited_and_mapped() -> None:
    async def scene(runtime: Runtime) -> None:
        assert await square(3) == 9
        ref = square.remote(4)
        assert await ref == 16
        async with square.map(range(100)) as squares:
            assert [n async for n in squares] == [n * n for n in range(100)]
        assert await remote(operator.floordiv)(7, 2) == 3
        assert await remote(math.gcd)(4, 6) == 2

    rehearse(scene)


def test_it_runs_in_another_process_and_its_pool_is_in_the_tree() -> None:
    async def scene(runtime: Runtime) -> None:
        assert await remote(os.getpid)() != os.getpid()
        assert "functions  pool of Runner, ready, 0 to" in runtime.tree()
        assert "functions/0" in runtime.house.registry.paths

    rehearse(scene)


def test_nothing_is_started_before_the_first_call() -> None:
    async def scene(runtime: Runtime) -> None:
        assert "functions" not in runtime.tree()

    rehearse(scene)


def test_the_code_is_sent_once_whatever_the_options() -> None:
    patient, hasty = square.options(timeout=60), square.options(timeout=1)

    assert square.pickled() == patient.pickled() == hasty.options(max_retries=0).pickled()
    assert len(square.pickled()[1]) < 100  # it is imported there by its name


def test_lambdas_closures_partials_and_objects_travel() -> None:
    factor = 7

    def times(n: int) -> int:
        return factor * n

    class Adder:
        def __init__(self, by: int) -> None:
            self.by = by

        def __call__(self, n: int) -> int:
            return n + self.by

    async def scene(runtime: Runtime) -> None:
        assert await remote(lambda n: n + 1)(1) == 2
        assert await remote(times)(3) == 21
        assert await remote(functools.partial(pow, 2))(10) == 1024
        assert await remote(Adder(5))(1) == 6
        assert await remote("abc".upper)() == "ABC"
        assert await remote(triple)(5) == 15

    rehearse(scene)


def test_wrong_arguments_are_a_type_error_where_the_call_is_made() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(TypeError, match=r"square\(\) missing 1 required positional argument"):
            await square()  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="unexpected keyword"):
            square.remote(y=2)  # type: ignore[call-arg]

    rehearse(scene)


def test_a_function_that_cannot_be_pickled_is_refused_at_the_call() -> None:
    lock = threading.Lock()

    def locked() -> Any:
        return lock

    async def scene(runtime: Runtime) -> None:
        for call in (remote(locked), remote(locked).remote):
            with pytest.raises(Unsendable, match=r"the function locked\(\) cannot be pickled.*lock") as error:
                call()
            assert error.value.safe_to_retry
        with pytest.raises(Unsendable, match=r"an argument of square\(\) cannot be pickled"):
            await square(lock)  # type: ignore[arg-type]
        assert await square(2) == 4

    rehearse(scene)


def test_what_it_raises_is_raised_with_its_own_type() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(KeyError) as error:
            await fail("nothing")
        assert isinstance(error.value, TaskError)
        assert error.value.method == "fail"
        assert "Raised in functions/0" in "".join(error.value.__notes__)

    rehearse(scene)


def test_a_result_that_cannot_travel_is_told() -> None:
    async def locks(runtime: Runtime) -> None:
        with pytest.raises(Unsendable, match="cannot travel"):
            await remote(threading.Lock).remote()

    rehearse(locks)


# -- retries -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_death_is_retried_three_times_unless_told_otherwise(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        assert await fall_until(str(tmp_path / "a"), 2) == 3
        with pytest.raises(ActorUnavailableError):
            await fall_until.options(max_retries=1)(str(tmp_path / "b"), 2)
        with pytest.raises(ActorUnavailableError):
            await fall()
        assert (tmp_path / "b").read_text() == "xx"

    rehearse(scene)


@pytest.mark.slow
def test_a_function_that_kills_its_process_again_and_again_ends_no_one_elses_calls() -> None:
    async def scene(runtime: Runtime) -> None:
        for _ in range(8):
            with pytest.raises(ActorUnavailableError):
                await fall()
        assert await square(5) == 25

    rehearse(scene)


def test_with_retry_exceptions_one_that_raised_is_tried_again(tmp_path: Path) -> None:
    file = str(tmp_path / "tries")

    def third_time() -> int:
        with open(file, "a") as sink:
            sink.write("x")
        tries = os.path.getsize(file)
        if tries < 3:
            raise ValueError("not yet")
        return tries

    async def scene(runtime: Runtime) -> None:
        assert await remote(max_retries=3, retry_exceptions=True)(third_time)() == 3

    rehearse(scene)


# -- cancellation and time -----------------------------------------------------------------------------


def test_a_function_that_runs_and_is_cancelled_is_interrupted(tmp_path: Path) -> None:
    file = tmp_path / "running"

    async def scene(runtime: Runtime) -> None:
        ref = nap.remote(30, str(file))
        await until(file.exists)
        cancel(ref)
        with pytest.raises(TaskCancelledError):
            await ref
        assert await square(6) == 36

    rehearse(scene)


def test_a_cancelled_await_withdraws_the_call() -> None:
    async def scene(runtime: Runtime) -> None:
        with trio.move_on_after(0.1) as scope:
            await nap(30)
        assert scope.cancelled_caught
        assert await square(6) == 36

    rehearse(scene)


def test_a_function_has_a_timeout() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(TimeoutError, match=r"nap\(\) to functions did not answer within 0.1 s"):
            await nap.options(timeout=0.1)(30)

    rehearse(scene)


# -- async functions -----------------------------------------------------------------------------------


@pytest.mark.slow
def test_async_functions_run_beside_each_other() -> None:
    async def scene(runtime: Runtime) -> None:
        assert await nap_async(0) == "rested"
        begun = time.monotonic()
        assert await get([nap_async.remote(0.5) for _ in range(50)]) == ["rested"] * 50
        assert time.monotonic() - begun < 10  # one after the other they would take 25 s

    rehearse(scene)


# -- options and errors --------------------------------------------------------------------------------


def test_functions_may_have_processes_of_another_kind() -> None:
    async def scene(runtime: Runtime) -> None:
        role = remote(executor=Process(environ={"ROLE": "ghost"}))(functools.partial(os.environ.get, "ROLE"))

        assert await remote(os.getenv)("ROLE") is None
        assert await remote(executor=Process(environ={"ROLE": "ghost"}))(os.getenv)("ROLE") == "ghost"
        assert "functions-2" in runtime.tree()
        assert role.executor == Process(environ={"ROLE": "ghost"})

    rehearse(scene)


def test_a_pool_of_functions_that_was_killed_is_started_anew() -> None:
    async def scene(runtime: Runtime) -> None:
        assert await square(2) == 4
        await kill(get_actor("functions"))
        assert await square(3) == 9

    rehearse(scene)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"colour": "red"}, TypeError, "a function has no option 'colour'; there are executor, max_retries"),
        ({"max_retries": -2}, ValueError, "max_retries must be -1, 0 or a count"),
        ({"timeout": "soon"}, ValueError, "timeout must be"),
        ({"executor": Local()}, ValueError, "executor must be a Process"),
    ],
)
def test_a_bad_option_is_refused_by_name_and_value(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as refused:
        remote(**options)(triple)
    assert str(refused.value).startswith(text)


def test_a_generator_is_no_remote_function() -> None:
    def numbers() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="numbers is a generator; a remote function returns one value"):
        remote(numbers)


def test_without_a_runtime_there_is_a_clear_error() -> None:
    with pytest.raises(NoRuntimeError, match="no runtime is open here"):
        square.remote(2)


def test_the_plain_function_is_still_there() -> None:
    assert isinstance(square, RemoteFunction)
    assert square.__wrapped__(3) == 9
    assert (square.__name__, square.__doc__) == ("square", "Square a number.")
    assert repr(square) == "<remote function square>"
