"""The names of the front door in the methods of guests, in classes that travel by value and in threads of this process."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast_carried import Desk, Lobby, Shelf, reader
from tests.rehearsal import QUIET, rehearse
from understudy import (
    Actor,
    Handle,
    Local,
    Process,
    Runtime,
    Thread,
    blocking,
    cancel,
    get,
    get_actor,
    method,
)

GUESTS = {
    "process": QUIET,
    "asyncio": Process(stderr="keep", loop="asyncio"),
    "thread": Thread(),
}
anywhere = pytest.mark.parametrize("executor", GUESTS.values(), ids=GUESTS)


class Adder(Actor, executor=Local()):
    @method
    def add(self, a: int, b: int) -> int:
        return a + b

    @method
    async def never(self) -> None:
        import trio

        await trio.sleep_forever()


def plain_front() -> Any:
    class Front(Actor):  # within a function, so that it travels by value
        def __init__(self, adder: Any = None) -> None:
            self.adder = adder

        @method
        def through_init(self) -> int:
            found: int = blocking.call(self.adder.add, 1, 2)
            return found

        @method
        def by_name(self) -> int:
            return blocking.call(get_actor("adder", Adder).add, 3, 4)

        @method
        def given_up(self) -> bool:
            ref = get_actor("adder", Adder).never.remote()
            return cancel(ref)

    return Front


def async_front() -> Any:
    class Front(Actor):
        @method
        async def together(self) -> list[int]:
            adder = get_actor("adder", Adder)
            return await get([adder.add.remote(n, n) for n in range(3)])

        @method
        async def with_timeout(self) -> int:
            return await get(get_actor("adder", Adder).add.remote(1, 1), timeout=1.0)

    return Front


@anywhere
def test_a_handle_given_to_init_can_be_called(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        adder: Handle[Adder] = await Adder.start()
        front = await plain_front().options(executor=executor).start(adder)

        assert await front.through_init() == 3

    rehearse(scene)


@anywhere
def test_get_actor_finds_others(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await Adder.options(name="adder").start()
        front = await plain_front().options(executor=executor).start()

        assert await front.by_name() == 7

    rehearse(scene)


@anywhere
def test_a_call_can_be_cancelled(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        adder = await Adder.options(name="adder", max_concurrency=1).start()
        front = await plain_front().options(executor=executor).start()

        assert await front.given_up()
        assert await adder.add(1, 1) == 2

    rehearse(scene)


@anywhere
def test_get_waits_for_several_in_an_async_method(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await Adder.options(name="adder").start()
        front = await async_front().options(executor=executor).start()

        assert await front.together() == [0, 2, 4]

    rehearse(scene)


@anywhere
def test_get_takes_a_timeout_in_an_async_method(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await Adder.options(name="adder").start()
        front = await async_front().options(executor=executor).start()

        assert await front.with_timeout() == 2

    rehearse(scene)


def test_in_a_local_actor_the_names_are_those_of_the_runtime() -> None:
    async def scene(runtime: Runtime) -> None:
        await Adder.options(name="adder").start()
        front = await async_front().options(executor=Local()).start()

        assert (await front.together(), await front.with_timeout()) == ([0, 2, 4], 2)

    rehearse(scene)


@anywhere
@pytest.mark.parametrize("cls", [Desk, Lobby])
def test_what_a_caller_carries_goes_on_to_whom_the_method_calls(cls: Any, executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await Shelf.options(name="shelf").start()
        first = await cls.options(executor=executor).start()
        reader.set("Ada")
        ref = first.passed_on.remote()

        assert await ref == ("Ada", ref.id)

    rehearse(scene)


@anywhere
def test_what_a_method_sets_goes_along_with_its_own_calls_only(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await Shelf.options(name="shelf").start()
        desk = await Desk.options(executor=executor).start()
        reader.set("Ada")

        assert await desk.in_anothers_name("Bob") == "Bob"
        assert (await desk.passed_on())[0] == reader.get() == "Ada"

    rehearse(scene)
