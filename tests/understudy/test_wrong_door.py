"""Who comes in by the wrong door is told which is the right one; who asks for an actor of another class, which it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import trio

import understudy
from tests.cast import Faller, Player
from tests.cast_doors import Seeker
from tests.doors import runtime_threads, visit
from tests.rehearsal import LOCAL
from understudy import NoRuntimeError, Pool, Queue, aio, blocking, get_actor, open_scope
from understudy.crossing.runtime import FarRuntime

# -- doors -----------------------------------------------------------------------------------------------


async def enter(block: Any) -> None:
    async with block:
        raise AssertionError("it was entered")


def test_the_door_for_trio_names_the_others_under_asyncio() -> None:
    with pytest.raises(NoRuntimeError, match=r"understudy\.aio\.open_runtime\(\)"):
        asyncio.run(enter(understudy.open_runtime()))


def test_the_door_for_trio_names_the_others_in_plain_code() -> None:
    with (
        pytest.raises(NoRuntimeError, match=r"understudy\.blocking\.open_runtime\(\)"),
        understudy.open_runtime(),
    ):
        pass
    with pytest.raises(NoRuntimeError, match=r"understudy\.blocking"):
        enter(understudy.open_runtime()).send(None)


def test_what_is_for_trio_names_what_is_not() -> None:
    uses: list[Any] = [lambda: enter(open_scope()), Queue().get, lambda: Queue[int]().put(1)]
    for use in uses:
        with pytest.raises(NoRuntimeError, match=r"understudy\.aio\.(open_scope|Queue)\(\), in plain"):
            asyncio.run(use())
    with pytest.raises(NoRuntimeError, match=r"understudy\.blocking\.open_scope\(\)"), open_scope():
        pass


def test_the_door_for_asyncio_names_the_others() -> None:
    with pytest.raises(NoRuntimeError, match=r"understudy\.blocking"), aio.open_runtime():
        pass
    with pytest.raises(NoRuntimeError, match=r"understudy\.open_runtime"):
        trio.run(enter, aio.open_runtime())


@pytest.mark.parametrize("run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)])
def test_the_door_for_plain_code_names_the_others_in_a_loop(run: Any) -> None:
    with pytest.raises(NoRuntimeError, match=r"understudy\.aio\.open_runtime.*understudy\.open_runtime"):
        run(enter(blocking.open_runtime()))
    assert runtime_threads() == []


@pytest.mark.parametrize("run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)])
def test_the_door_for_plain_code_names_the_others_where_with_is_written_in_a_task(run: Any) -> None:
    async def main() -> None:
        with blocking.open_runtime():
            raise AssertionError("it was entered")

    with pytest.raises(NoRuntimeError, match=r"understudy\.aio\.open_runtime.*understudy\.open_runtime"):
        run(main())
    assert runtime_threads() == []


def test_init_opens_a_runtime_in_a_notebook_s_cell_too() -> None:
    async def cell() -> None:
        assert blocking.init() is blocking.init(ignore_reinit_error=True)
        blocking.shutdown()

    asyncio.run(cell())


def test_the_verbs_for_trio_name_their_twins() -> None:
    async def scene(runtime: FarRuntime) -> None:
        player = await Player.options(executor=LOCAL).start(1)
        ref = player.add.remote(1)
        uses: dict[str, Callable[[], Any]] = {
            "cancel": lambda: understudy.cancel(ref),
            "statistics": lambda: understudy.statistics(player),
            "get": lambda: understudy.get(ref),
            "wait": lambda: understudy.wait([ref]),
            "kill": lambda: understudy.kill(player),
            "interrupt": lambda: understudy.interrupt(player),
            "wait_ready": lambda: understudy.wait_ready(player),
            "dump": lambda: understudy.dump(player),
        }
        for name, use in uses.items():
            with pytest.raises(NoRuntimeError, match=rf"aio\.{name}\(.*blocking\.{name}\("):
                await use()
        assert await aio.get(ref) == 2

    visit(scene)


def test_in_a_guest_the_names_of_the_blocking_door_can_be_imported_and_open_a_runtime_of_its_own() -> None:
    async def scene(runtime: FarRuntime) -> int:
        return await (await Seeker.start()).opens_a_runtime()

    assert visit(scene) == 7


# -- classes ---------------------------------------------------------------------------------------------


def test_an_actor_of_another_class_is_refused_and_both_are_named() -> None:
    async def scene(runtime: FarRuntime) -> None:
        await Player.options(name="juliet", executor=LOCAL).start(1)
        finds: list[Any] = [
            get_actor,
            aio.get_actor,
            blocking.get_actor,
            runtime.get_actor,
            runtime.near.get_actor,
        ]
        for find in finds:
            with pytest.raises(
                TypeError, match=r"'juliet' is a tests\.cast\.Player and no tests\.cast\.Faller$"
            ):
                find("juliet", Faller)
            with pytest.raises(TypeError, match="takes the actor's class, not 3"):
                find("juliet", 3)
        assert await get_actor("juliet", Player).add(1) == 2
        assert await runtime.get_actor("juliet", Player).add(1) == 3

    visit(scene)


def test_a_subclass_will_do_and_so_will_a_pool() -> None:
    async def scene(runtime: FarRuntime) -> None:
        await Faller.options(name="f", executor=LOCAL).start()
        await Pool(Player.options(name="p", executor=LOCAL).child(), size=1).start()
        assert await get_actor("f", Player).add(1) == 1
        assert await get_actor("p", Player).add(1) == 1
        with pytest.raises(TypeError):
            get_actor("p", Faller)

    visit(scene)


def test_a_class_that_was_defined_anew_is_another_and_the_error_says_so() -> None:
    async def scene(runtime: FarRuntime) -> None:
        await Player.options(name="juliet", executor=LOCAL).start()
        anew = type("Player", (Player,), {"__module__": Player.__module__})
        with pytest.raises(TypeError, match="defined anew since then"):
            get_actor("juliet", anew)

    visit(scene)


def test_a_guest_that_asks_for_another_class_is_refused_at_its_call() -> None:
    async def scene(runtime: FarRuntime) -> None:
        await Player.options(name="juliet", executor=LOCAL).start(1)
        seeker = await Seeker.start()
        assert await seeker.add_to("juliet", Player) == 2
        with pytest.raises(TypeError, match=r"'juliet' is a tests\.cast\.Player and no tests\.cast\.Faller"):
            await seeker.add_to("juliet", Faller)

    visit(scene)
