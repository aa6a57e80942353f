"""`feed(handle, data)` is what an actor's process reads from its standard input."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast import Player
from tests.cast_output import Asker, Talker
from tests.rehearsal import rehearse, until
from understudy import (
    ActorDiedError,
    ActorUnavailableError,
    Local,
    Pool,
    Process,
    Runtime,
    aio,
    blocking,
    feed,
    kill,
    statistics,
)  # fmt: skip

FED = Process(stdin="pipe")


def test_it_is_read_as_it_was_written() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=FED).remote()
        await feed(talker, "grüße\nand ")
        await feed(talker, b"more\n")
        assert await talker.read_line() == "grüße\n"
        assert await talker.read_line() == "and more\n"

    rehearse(scene)


def test_an_init_may_read_it() -> None:
    async def scene(runtime: Runtime) -> None:
        asker = Asker.options(executor=Process(stdin="pipe", stdout="keep")).remote()
        await feed(asker, "ada\n")
        assert await asker.greet() == "hello, ada"

    rehearse(scene)


def test_closed_it_comes_to_its_end() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(name="ada", executor=FED).remote()
        await feed(talker, b"12345", close=True)
        assert await talker.read_all() == 5
        with pytest.raises(BrokenPipeError, match="the standard input of ada is closed"):
            await feed(talker, b"6")
        await feed(talker, close=True)

    rehearse(scene)


def test_one_who_writes_more_than_is_read_waits() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=FED).remote()
        await talker.quiet()
        with trio.move_on_after(0.1) as scope:
            await feed(talker, b"x" * 1_000_000)
        assert scope.cancelled_caught
        ref = talker.read_all.remote()
        await feed(talker, b"y" * 1_000_000, close=True)
        assert 1_000_000 < await ref < 2_000_000

    rehearse(scene)


def test_what_two_write_does_not_mix() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=FED).remote()
        async with trio.open_nursery() as nursery:
            for letter in "ab":
                nursery.start_soon(feed, talker, letter * 100_000 + "\n")
            lines = [await talker.read_line(), await talker.read_line()]
        assert sorted(lines) == ["a" * 100_000 + "\n", "b" * 100_000 + "\n"]

    rehearse(scene)


def test_each_incarnation_has_its_own() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(name="ada", executor=FED).remote()
        await talker.quiet()
        await feed(talker, "never read\n")
        await kill(talker, no_restart=False)
        await feed(talker, "for the next\n")
        await until(lambda: statistics(talker).state == "ready")
        assert statistics(talker).incarnation == 2
        assert await talker.read_line() == "for the next\n"

    rehearse(scene)


def test_one_that_dies_while_it_is_fed_is_told_to_have_died() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(name="ada", executor=FED).remote()
        await talker.quiet()

        async def kill_soon() -> None:
            await trio.sleep(0.05)
            await kill(talker, no_restart=False)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(kill_soon)
            with pytest.raises(ActorUnavailableError, match="ada died while it was fed") as error:
                await feed(talker, b"x" * 1_000_000)
        assert (error.value.fate, error.value.reason.kind) == ("unknown", "signal")
        await kill(talker)
        with pytest.raises(ActorDiedError, match="ada is dead and reads nothing") as dead:
            await feed(talker, b"x")
        assert dead.value.fate == "never_sent"

    rehearse(scene)


def test_one_that_has_closed_its_input_is_told() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(name="ada", executor=FED).remote()
        await talker.shut([0])
        with pytest.raises(BrokenPipeError, match="the standard input of ada is closed"):
            await feed(talker, b"x")
        assert await talker.quiet()

    rehearse(scene)


def test_without_a_pipe_there_is_nothing_to_read() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(name="ada", executor=Process()).remote()
        assert await talker.read_all() == 0
        with pytest.raises(TypeError, match=r"ada cannot be fed.*Process\(stdin='pipe'\)"):
            await feed(talker, b"x")

    rehearse(scene)


@pytest.mark.parametrize("what", ["local", "pool", "data", "handle"])
def test_what_cannot_be_fed_is_refused(what: str) -> None:
    async def scene(runtime: Runtime) -> None:
        given: dict[str, Any] = {
            "local": (Player.options(executor=Local()).remote(), b"x"),
            "pool": (Pool(Player.child(), size=1).remote(), b"x"),
            "data": (Talker.options(executor=FED).remote(), 3),
            "handle": (3, b"x"),
        }
        with pytest.raises(TypeError):
            await feed(*given[what])

    rehearse(scene)


def test_plain_code_and_asyncio_feed_as_well() -> None:
    import asyncio

    async def under_asyncio() -> str:
        async with aio.open_runtime():
            talker = Talker.options(executor=FED).remote()
            await aio.feed(talker, "from asyncio\n")
            return await talker.read_line()

    assert asyncio.run(under_asyncio()) == "from asyncio\n"
    with blocking.open_runtime():
        talker = Talker.options(executor=FED).remote()
        blocking.feed(talker, "from plain code\n")
        assert blocking.call(talker.read_line) == "from plain code\n"
