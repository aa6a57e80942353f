"""Streams through the doors: items come in batches, never further ahead than they are wanted, and end at once."""

from __future__ import annotations

import asyncio
import gc
import io
from pathlib import Path
from typing import Any

import pytest
import trio

import understudy
from tests.cast import Endless
from tests.cast_doors import Fountain
from tests.cast_guest_streams import Fountain as Spring
from tests.doors import loop_run, runtime_threads, sleep_until, until, visit
from tests.rehearsal import LOCAL, QUIET
from understudy import ActorDiedError, NoRuntimeError, Pool, TaskCancelledError, aio, blocking, put, remote
from understudy.crossing.runtime import FarRuntime
from understudy.crossing.stream import AHEAD


def test_all_items_come_in_order() -> None:
    async def scene(runtime: FarRuntime) -> list[int]:
        fountain = await Fountain.start()
        async with fountain.numbers(1000) as numbers:
            return [n async for n in numbers]

    assert visit(scene) == list(range(1000))


@pytest.mark.slow
def test_of_large_items_few_wait_for_a_slow_reader() -> None:
    async def scene(runtime: FarRuntime) -> tuple[int, list[int]]:
        spring = await Spring.start()
        async with spring.big(1 << 20, 100) as items:
            assert (await anext(items))[0] == 0
            await until(lambda: len(items.items) >= 3)
            await asyncio.sleep(0.1)
            held = len(items.items)
            return held, [item[0] async for item in items]

    held, numbers = visit(scene)
    assert held <= 4
    assert numbers == list(range(1, 100))


def test_an_error_comes_where_it_was_raised_once() -> None:
    async def scene(runtime: FarRuntime) -> None:
        fountain = await Fountain.start()
        numbers = fountain.numbers(10, 3)
        assert [await anext(numbers) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(KeyError):
            await anext(numbers)
        with pytest.raises(StopAsyncIteration):
            await anext(numbers)

    visit(scene)


@pytest.mark.parametrize("how", ["leave", "aclose", "drop"])
def test_a_stream_left_early_is_closed_at_its_source(how: str, tmp_path: Path) -> None:
    closed = tmp_path / "closed"

    async def scene(runtime: FarRuntime) -> int:
        fountain = await Fountain.start()
        if how == "leave":
            async with fountain.endless(str(closed)) as items:
                assert await anext(items) == 0
        else:
            items = fountain.endless(str(closed))
            assert await anext(items) == 0
            if how == "aclose":
                await items.aclose()
                await items.aclose()
                assert [n async for n in items] == []
            del items
            gc.collect()
        await until(closed.exists)
        return await fountain.add(1)

    assert visit(scene) == 1


def test_a_reader_cancelled_while_it_waits_loses_no_item() -> None:
    async def scene(runtime: FarRuntime) -> None:
        fountain = await Fountain.start()
        async with fountain.numbers(300) as numbers:
            found: list[int] = []
            for _ in range(40):
                task = asyncio.create_task(anext(numbers))
                await asyncio.sleep(0)
                task.cancel()
                found += [n for n in await asyncio.gather(task, return_exceptions=True) if isinstance(n, int)]
            found += [n async for n in numbers]
        assert found == list(range(300))

    visit(scene)


def test_no_more_items_come_over_than_there_is_room_for(tmp_path: Path) -> None:
    async def scene(runtime: FarRuntime) -> None:
        fountain = await Fountain.start()
        async with fountain.endless(str(tmp_path / "closed")) as items:
            assert await anext(items) == 0
            await until(lambda: len(items.items) >= AHEAD - 1)
            await asyncio.sleep(0.05)
            assert len(items.items) <= AHEAD
            assert [await anext(items) for _ in range(500)] == list(range(1, 501))

    visit(scene)


def test_remote_gives_refs() -> None:
    async def scene(runtime: FarRuntime) -> list[int]:
        fountain = await Fountain.start()
        refs = [ref async for ref in fountain.numbers.remote(5)]
        assert all(ref.done for ref in refs)
        return await aio.get(refs)

    assert visit(scene) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_map_is_a_stream_as_well(executor: Any) -> None:
    async def scene(runtime: FarRuntime) -> None:
        fountain = await Fountain.options(executor=executor).start()
        async with fountain.echo.map(range(3000)) as echoes:
            assert [n async for n in echoes] == list(range(3000))
        async with fountain.echo.starmap([(1,), (2,)]) as echoes:
            assert [n async for n in echoes] == [1, 2]
        async with fountain.add.map(["x", 1], errors="return") as sums:  # type: ignore[call-overload]
            assert isinstance(await anext(sums), TypeError)

    visit(scene)


def test_the_actor_dies_under_a_stream() -> None:
    async def scene(runtime: FarRuntime) -> None:
        fountain = await Fountain.start()
        numbers = fountain.numbers(10**9)
        await anext(numbers)
        await aio.kill(fountain)
        with pytest.raises(ActorDiedError):
            async for _ in numbers:
                pass

    visit(scene)


def test_threads_iterate_too(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    with blocking.open_runtime():
        fountain = Fountain.remote()
        assert list(fountain.numbers(300)) == list(range(300))
        with fountain.endless(str(closed)) as items:
            assert [next(items) for _ in range(200)] == list(range(200))
        sleep_until(closed.exists)
        with pytest.raises(KeyError):
            list(fountain.numbers(3, 1))
        assert blocking.get(list(fountain.numbers.remote(3))) == [0, 1, 2]


def test_a_stream_ends_with_its_runtime() -> None:
    with blocking.open_runtime():
        numbers = Fountain.remote().numbers(10**9)
        assert next(numbers) == 0
    with pytest.raises((TaskCancelledError, ActorDiedError, NoRuntimeError)):
        for _ in numbers:
            pass
    assert runtime_threads() == []


def test_under_trio_for_and_with_say_what_to_write() -> None:
    async def main() -> None:
        async with understudy.open_runtime():
            fountain = Fountain.remote()
            for stream in (fountain.numbers(3), fountain.echo.map(range(3)), fountain.numbers.remote(3)):
                for use in (list, next, open_block):
                    with pytest.raises(TypeError, match="write `async for` and `async with`"):
                        use(stream)

    trio.run(main)


def number_in(text: str) -> int:
    return int(text)


def open_block(stream: Any) -> None:
    with stream:
        pass


# -- what plain code calls ---------------------------------------------------------------------------------


def test_call_takes_remote_functions_and_broadcasts_too() -> None:
    with blocking.open_runtime():
        assert blocking.call(remote(len), "abc") == 3
        assert blocking.call(remote(divmod), put(7).as_argument, 2) == (3, 1)
        with pytest.raises(ValueError, match="invalid literal"):
            blocking.call(remote(number_in), "x")
        members = Pool(Fountain, size=2).remote()
        blocking.wait_ready(members)
        assert blocking.call(members.add.broadcast, 1) == [1, 1]
        assert blocking.call(members.add, 1) == 2
        with pytest.raises(TypeError):
            blocking.call(members.add.broadcast, nonsense=1)  # type: ignore[call-overload]


def test_call_says_what_it_takes() -> None:
    with blocking.open_runtime():
        fountain = Fountain.remote()
        with pytest.raises(TypeError, match=r"numbers\(\) gives a stream: write `for item in h\.numbers"):
            blocking.call(fountain.numbers, 3)  # type: ignore[call-overload]
        for wrong in (len, fountain, None, fountain.add.cast, fountain.add.remote, fountain.add.map):
            with pytest.raises(TypeError, match="takes a method of a handle or a remote function"):
                blocking.call(wrong, 3)  # type: ignore[call-overload]


def test_wait_says_what_it_takes() -> None:
    with blocking.open_runtime():
        ref = Fountain.remote().add.remote(1)
        for wrong in (ref, 3, [3], None):
            with pytest.raises(TypeError, match=r"takes a list of refs, as in wait\(\[ref\]\)"):
                blocking.wait(wrong)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match=r"takes a list of refs, as in wait\(\[ref\]\)"):
                asyncio.run(aio.wait(wrong))  # type: ignore[arg-type]
        assert blocking.wait([ref]) == ([ref], [])


def test_dump_shows_where_a_stuck_actor_is(tmp_path: Path) -> None:
    shown = io.StringIO()

    with blocking.open_runtime():
        endless = Endless.options(name="stuck").remote()
        blocking.wait_ready(endless)
        ref = endless.spin_until_file.remote(str(tmp_path / "go"))
        sleep_until(lambda: "spin_until_file" in blocking.dump(endless, file=shown))
        assert "spin_until_file" in loop_run(lambda: aio.dump(endless, file=shown))
        (tmp_path / "go").touch()
        blocking.get(ref)
    assert "incarnation 1, process" in shown.getvalue()
