"""Actors that reach for others from within their methods: the same in `async` methods and in plain ones."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from understudy import (
    Actor,
    Local,
    Process,
    Thread,
    blocking,
    cancel,
    get,
    get_actor,
    interrupt,
    kill,
    method,
    put,
    wait,
    wait_ready,
)

PLACES = {"local": Local(), "thread": Thread(), "process": Process(stderr="keep")}


NONE: dict[str, Any] = {}


def seen(error: BaseException) -> tuple[str, str]:
    return type(error).__name__, str(error)


class Shop(Actor):
    """What the others reach for."""

    def __init__(self, stock: int = 10) -> None:
        self.stock = stock
        self.sold: list[Any] = []
        self.open_streams = 0

    @method
    def sell(self, count: int = 1) -> int:
        if count > self.stock:
            raise ValueError(f"only {self.stock} are left")
        self.stock -= count
        return self.stock

    @method
    def note(self, *what: Any, **more: Any) -> Any:
        self.sold += [*what, *more.values()]
        return [*what, *more.values()]

    @method
    def noted(self) -> list[Any]:
        return self.sold

    @method
    def double(self, n: int) -> int:
        if n == 13:
            raise ValueError("thirteen")
        return 2 * n

    @method
    def both(self, n: int, text: str) -> str:
        return n * text

    @method(ahead=4)
    def goods(self, count: int, fail_at: int = -1) -> Iterator[Any]:
        self.open_streams += 1
        try:
            for n in range(count):
                if n == fail_at:
                    raise ValueError(f"no item {n}")
                yield n
        finally:
            self.open_streams -= 1

    @method
    def handles(self, other: Any) -> Iterator[Any]:
        yield other
        yield [other, {"it": (other, 1)}]

    @method
    def streams(self) -> int:
        return self.open_streams

    @method
    def same(self, value: Any) -> Any:
        return value


class Hall(Actor):
    """The same for what takes its time; its calls run beside each other."""

    def __init__(self) -> None:
        self.marked: list[str] = []

    @method
    async def wait_for(self, path: str) -> str:
        import trio

        self.marked.append("begun")
        try:
            while not os.path.exists(path):  # noqa: ASYNC110, ASYNC240
                await trio.sleep(0.002)
        finally:
            self.marked.append("ended")
        return "come"

    @method
    async def marks(self) -> list[str]:
        return self.marked

    @method
    async def slow_goods(self, path: str) -> AsyncIterator[int]:
        yield 1
        await self.wait_for(path)
        yield 2


class Buyer(Actor):
    """In plain methods."""

    def __init__(self, shop: Any = None) -> None:
        self.shop = shop
        self.kept: Any = None

    # -- streams --------------------------------------------------------------------------------

    @method
    def read(self, shop: Any, count: int, fail_at: int = -1) -> list[Any]:
        found: list[Any] = []
        try:
            for item in shop.goods(count, fail_at):
                found += [item]
        except Exception as error:
            found.append(seen(error))
        return found

    @method
    def read_early(self, shop: Any) -> tuple[list[int], int]:
        """Leave a stream before its end, and see that it is closed."""
        with shop.goods(1000) as goods:
            found = [item for _, item in zip(range(3), goods, strict=False)]
        return found, blocking.call(shop.streams)

    @method
    def read_late(self, hall: Any, path: str) -> Any:
        try:
            return list(hall.slow_goods.options(timeout=0.05)(path))
        except Exception as error:
            return seen(error)

    @method
    def read_two(self, shop: Any, other: Any) -> list[Any]:
        return list(zip(shop.goods(50), other.double.map(range(20, 70)), strict=True))

    @method
    def read_handles(self, shop: Any, other: Any) -> list[Any]:
        first, second = list(shop.handles(other))
        return [blocking.call(one.sell) for one in (first, second[0], second[1]["it"][0])]

    # -- maps -----------------------------------------------------------------------------------

    @method
    def map(self, shop: Any, count: int, how: dict[str, Any]) -> list[Any]:
        found: list[Any] = []
        try:
            with shop.double.map(range(count), **how) as results:
                for one in results:
                    found += [one if isinstance(one, int) else seen(one)]
        except Exception as error:
            found.append(seen(error))
        return found

    @method
    def starmap(self, shop: Any) -> list[str]:
        return list(shop.both.starmap([(1, "a"), (2, "b")]))

    # -- options, refs --------------------------------------------------------------------------

    @method
    def in_time(self, hall: Any, path: str) -> Any:
        try:
            return blocking.call(hall.wait_for.options(timeout=0.05), path)
        except Exception as error:
            return seen(error)

    @method
    def get_in_time(self, hall: Any, path: str) -> Any:
        ref = hall.wait_for.remote(path)
        try:
            return blocking.get(ref, timeout=0.05)
        except Exception as error:
            told = seen(error)
        open(path, "w").close()
        return told, blocking.get(ref)

    @method
    def wait_in_time(self, shop: Any, hall: Any, path: str) -> Any:
        refs = [hall.wait_for.remote(path), shop.sell.remote(0)]
        ended, pending = blocking.wait(refs, timeout=20)
        none = blocking.wait(pending, timeout=0.01)
        cancel(refs[0])
        return ended == refs[1:], pending == refs[:1], none == ([], pending), refs[0].done

    @method
    def give_refs(self, shop: Any, hall: Any, path: str) -> Any:
        """A ref that is pending, one that has its value, a value that was put; and in what order they come."""
        first = hall.wait_for.remote(path)
        quick = shop.double.remote(4)
        blocking.get(quick)
        words = blocking.put(["put"])
        refs = [shop.note.remote(first, quick, words), shop.note.remote("after", last=words)]
        shop.note.cast(first)
        open(path, "w").close()
        return blocking.get(refs), blocking.call(shop.note, first), blocking.call(shop.noted)

    @method
    def give_failed(self, shop: Any) -> Any:
        """A ref that fails, given while it is pending and when it is known."""
        ref = shop.double.remote(13)
        told = []
        for _ in range(2):
            try:
                told.append(blocking.call(shop.note, ref))
            except Exception as error:
                told.append(seen(error)[0])
        return told

    @method
    def hand_around(self, shop: Any, count: int) -> int:
        """Each call is given the ref of the one before."""
        ref = shop.double.remote(1)
        for _ in range(count):
            ref = shop.double.remote(ref)
        return int(blocking.get(ref))

    @method
    def keep(self, value: Any) -> None:
        self.kept = put(value)

    @method
    def give_kept(self, shop: Any) -> Any:
        return blocking.call(shop.note, self.kept, self.kept)

    # -- actors ---------------------------------------------------------------------------------

    @method
    def start_own(self, place: str, stock: int = 10, options: Any = NONE) -> Any:
        own = Shop.options(executor=PLACES[place], **options).remote(stock)
        blocking.wait_ready(own)
        self.shop = own
        return blocking.call(own.sell, 3), own

    @method
    def expect(self, other: Any) -> str:
        try:
            blocking.wait_ready(other)
        except Exception as error:
            return seen(error)[0]
        return "ready"

    @method
    def start_failing(self) -> Any:
        own: Any = Fragile.remote()
        told = []
        for verb in (lambda: blocking.wait_ready(own), lambda: blocking.call(own.nothing)):
            try:
                verb()
            except Exception as error:
                told.append(seen(error)[0])
        return told

    @method
    def start_twice(self) -> Any:
        first, second = Shop.options(name="only").remote(), Shop.options(name="only").remote(99)
        told: list[Any] = [blocking.call(first.sell, 1)]
        try:
            told.append(blocking.call(second.sell, 1))
        except Exception as error:
            told.append(seen(error)[0])
        third = Shop.options(name="only", get_if_exists=True).remote(99)
        return [*told, blocking.call(third.sell, 1)]

    @method
    def end(self, hall: Any, path: str) -> Any:
        ref = hall.wait_for.remote(path)
        while blocking.call(hall.marks) != ["begun"]:
            time.sleep(0.001)
        told: list[Any] = [blocking.interrupt(hall), blocking.interrupt(hall)]
        try:
            blocking.get(ref)
        except Exception as error:
            told.append(seen(error)[0])
        blocking.kill(hall)
        try:
            blocking.call(hall.marks)
        except Exception as error:
            told.append(seen(error)[0])
        return told

    @method
    def named(self, name: str, namespace: str) -> Any:
        found = get_actor(name, Shop, namespace=namespace)
        return blocking.call(found.sell), found, {"deep": [found]}

    @method
    def deep(self, parts: Any) -> Any:
        return [blocking.call(shop.sell) for shop in (parts[0], parts[1]["it"], parts[2][0])], parts

    @method
    def deep_kept(self) -> Any:
        return [{"it": self.shop}]

    @method
    def refused(self, shop: Any) -> list[str]:
        from understudy import open_scope, statistics

        told = []
        for what in (open_scope, lambda: statistics(shop), lambda: shop.goods.remote(1)):
            try:
                what()
            except Exception as error:
                told.append(str(error))
        return told


class Fragile(Actor, executor=Local(), max_restarts=0):
    """Does not start."""

    def __init__(self) -> None:
        raise OSError("no ground")

    @method
    def nothing(self) -> None: ...


class AsyncBuyer(Actor):
    """The same in `async` methods."""

    def __init__(self, shop: Any = None) -> None:
        self.shop = shop
        self.kept: Any = None

    @method
    async def read(self, shop: Any, count: int, fail_at: int = -1) -> list[Any]:
        found: list[Any] = []
        try:
            async for item in shop.goods(count, fail_at):
                found += [item]
        except Exception as error:
            found.append(seen(error))
        return found

    @method
    async def read_early(self, shop: Any) -> tuple[list[int], int]:
        found: list[int] = []
        async with shop.goods(1000) as goods:
            async for item in goods:
                found.append(item)
                if len(found) == 3:
                    break
        return found, await shop.streams()

    @method
    async def read_late(self, hall: Any, path: str) -> Any:
        try:
            return [item async for item in hall.slow_goods.options(timeout=0.05)(path)]
        except Exception as error:
            return seen(error)

    @method
    async def read_two(self, shop: Any, other: Any) -> list[Any]:
        results = other.double.map(range(20, 70))
        return [(item, await anext(results)) async for item in shop.goods(50)]

    @method
    async def read_handles(self, shop: Any, other: Any) -> list[Any]:
        first, second = [item async for item in shop.handles(other)]
        return [await one.sell() for one in (first, second[0], second[1]["it"][0])]

    @method
    async def map(self, shop: Any, count: int, how: dict[str, Any]) -> list[Any]:
        found: list[Any] = []
        try:
            async with shop.double.map(range(count), **how) as results:
                async for one in results:
                    found += [one if isinstance(one, int) else seen(one)]
        except Exception as error:
            found.append(seen(error))
        return found

    @method
    async def starmap(self, shop: Any) -> list[str]:
        return [one async for one in shop.both.starmap([(1, "a"), (2, "b")])]

    @method
    async def in_time(self, hall: Any, path: str) -> Any:
        try:
            return await hall.wait_for.options(timeout=0.05)(path)
        except Exception as error:
            return seen(error)

    @method
    async def get_in_time(self, hall: Any, path: str) -> Any:
        ref = hall.wait_for.remote(path)
        try:
            return await get(ref, timeout=0.05)
        except Exception as error:
            told = seen(error)
        open(path, "w").close()  # noqa: ASYNC230
        return told, await get(ref)

    @method
    async def wait_in_time(self, shop: Any, hall: Any, path: str) -> Any:
        refs = [hall.wait_for.remote(path), shop.sell.remote(0)]
        ended, pending = await wait(refs, timeout=20)
        none = await wait(pending, timeout=0.01)
        cancel(refs[0])
        return ended == refs[1:], pending == refs[:1], none == ([], pending), refs[0].done

    @method
    async def give_refs(self, shop: Any, hall: Any, path: str) -> Any:
        first = hall.wait_for.remote(path)
        quick = shop.double.remote(4)
        await quick
        words = put(["put"])
        refs = [shop.note.remote(first, quick, words), shop.note.remote("after", last=words)]
        shop.note.cast(first)
        open(path, "w").close()  # noqa: ASYNC230
        return await get(refs), await shop.note(first), await shop.noted()

    @method
    async def give_failed(self, shop: Any) -> Any:
        ref = shop.double.remote(13)
        told = []
        for _ in range(2):
            try:
                told.append(await shop.note(ref))
            except Exception as error:
                told.append(seen(error)[0])
        return told

    @method
    async def hand_around(self, shop: Any, count: int) -> int:
        ref = shop.double.remote(1)
        for _ in range(count):
            ref = shop.double.remote(ref)
        return int(await ref)

    @method
    async def keep(self, value: Any) -> None:
        self.kept = put(value)

    @method
    async def give_kept(self, shop: Any) -> Any:
        return await shop.note(self.kept, self.kept)

    @method
    async def start_own(self, place: str, stock: int = 10, options: Any = NONE) -> Any:
        own = await Shop.options(executor=PLACES[place], **options).start(stock)
        self.shop = own
        return await own.sell(3), own

    @method
    async def expect(self, other: Any) -> str:
        try:
            await wait_ready(other)
        except Exception as error:
            return seen(error)[0]
        return "ready"

    @method
    async def start_failing(self) -> Any:
        told = []
        own: Any = Fragile.remote()
        for verb in (lambda: wait_ready(own), own.nothing):
            try:
                await verb()
            except Exception as error:
                told.append(seen(error)[0])
        return told

    @method
    async def start_twice(self) -> Any:
        first = Shop.options(name="only").remote()
        told: list[Any] = [await first.sell(1)]
        try:
            second = Shop.options(name="only").remote(99)
            told.append(await second.sell(1))
        except Exception as error:
            told.append(seen(error)[0])
        third = Shop.options(name="only", get_if_exists=True).remote(99)
        return [*told, await third.sell(1)]

    @method
    async def end(self, hall: Any, path: str) -> Any:
        ref = hall.wait_for.remote(path)
        while await hall.marks() != ["begun"]:
            pass
        told: list[Any] = [await interrupt(hall), await interrupt(hall)]
        try:
            await ref
        except Exception as error:
            told.append(seen(error)[0])
        await kill(hall)
        try:
            await hall.marks()
        except Exception as error:
            told.append(seen(error)[0])
        return told

    @method
    async def named(self, name: str, namespace: str) -> Any:
        found: Any = get_actor(name, Shop, namespace=namespace)
        return await found.sell(), found, {"deep": [found]}

    @method
    async def deep(self, parts: Any) -> Any:
        return [await shop.sell() for shop in (parts[0], parts[1]["it"], parts[2][0])], parts

    @method
    async def deep_kept(self) -> Any:
        return [{"it": self.shop}]

    @method
    async def refused(self, shop: Any) -> list[str]:
        from understudy import open_scope, statistics

        told = []
        for what in (open_scope, lambda: statistics(shop), lambda: shop.goods.remote(1)):
            try:
                what()
            except Exception as error:
                told.append(str(error))
        return told
