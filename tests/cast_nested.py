"""Actors that have a runtime of their own, and workers below it, to any depth."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import trio

from understudy import (
    Actor,
    Ladder,
    Local,
    Process,
    aio,
    blocking,
    current_actor,
    current_call,
    get,
    get_actor,
    interrupt,
    kill,
    method,
    monitor,
    open_runtime,
    open_scope,
    put,
    statistics,
    wait,
)

ROOMY = Process(stderr="keep", ladder=Ladder(interrupt=10.0))


class Leaf(Actor, executor=Process(stderr="keep")):
    @method
    def pid(self) -> int:
        return os.getpid()

    @method
    def add(self, a: int, b: int) -> int:
        return a + b

    @method
    def beget(self) -> int:
        """A process of its own making."""
        return subprocess.Popen(["sleep", "600"]).pid

    @method
    def spin(self, mark: str = "") -> None:
        touch(mark, "begun")
        try:
            while True:
                pass
        finally:
            touch(mark, "ended")

    @method
    def nap(self, seconds: float) -> str:
        time.sleep(seconds)
        return "slept"

    @method
    def sleep(self, mark: str = "") -> str:
        touch(mark, "begun")
        time.sleep(600)
        return "slept"


class Litter(Actor):
    def __init__(self) -> None:
        self.dropped = 0

    @method
    def drop(self, count: int) -> int:
        """Leave objects behind that only refer to themselves."""
        for _ in range(count):
            ring: list[Any] = []
            ring.append(ring)
        self.dropped += count
        return self.dropped

    @method
    def drop_slowly(self, count: int) -> None:
        time.sleep(0.05)
        self.drop(count)


class Idle(Actor):
    @method
    def idle(self) -> str:
        return "idle"


class Here(Actor, executor=Local()):
    @method
    def name(self) -> str:
        return str(current_actor().path)

    @method
    def add(self, a: int, b: int) -> int:
        return a + b

    @method
    def spin(self) -> None:
        while True:
            pass


def children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()


def touch(mark: str, what: str) -> None:
    """Add a line to a file, in one piece."""
    if mark:
        with open(mark, "a") as file:
            file.write(f"{what}\n")


async def add_below(a: int, b: int) -> int:
    async with open_runtime():
        leaf = await Leaf.start()
        here = Here.remote()
        assert await here.add(a, b) == await get(leaf.add.remote(a, b))
        return await leaf.add(a, b)


async def spin_below(mark: str) -> None:
    try:
        async with open_runtime():
            leaf = await Leaf.start()
            await leaf.spin(mark)
    finally:
        touch(mark, "left")


class Plain(Idle, executor=ROOMY):
    """Opens runtimes in methods that are not async."""

    @method
    def add_by_trio(self, a: int, b: int) -> int:
        return trio.run(add_below, a, b)

    @method
    def add_by_blocking(self, a: int, b: int) -> int:
        with blocking.open_runtime():
            return blocking.call(Leaf.remote().add, a, b)

    @method
    def spin_by_trio(self, mark: str) -> None:
        trio.run(spin_below, mark)

    @method
    def spin_by_blocking(self, mark: str) -> None:
        try:
            with blocking.open_runtime():
                blocking.call(Leaf.remote().spin, mark)
        finally:
            touch(mark, "left")

    @method
    def cast_by_trio(self, mark: str) -> None:
        """What runs below is nobody's call."""

        async def main() -> None:
            async with open_runtime():
                Leaf.remote().spin.cast(mark)
                await trio.sleep_forever()

        trio.run(main)

    @method
    def stuck_by_trio(self, mark: str) -> None:
        """The nested loop itself does not run."""

        async def main() -> None:
            async with open_runtime():
                touch(mark, "begun")
                time.sleep(600)  # noqa: ASYNC251  it is meant to

        trio.run(main)

    @method
    def local_by_trio(self, mark: str) -> None:
        async def main() -> None:
            async with open_runtime():
                here = Here.remote()
                await here.add(1, 1)
                touch(mark, "begun")
                await here.spin()

        trio.run(main)

    @method
    def only_trio(self, mark: str) -> None:
        async def main() -> None:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.sleep_forever)
                    touch(mark, "begun")
                    await trio.sleep_forever()
            finally:
                touch(mark, "left")

        trio.run(main)

    @method
    def only_asyncio(self, mark: str) -> None:
        async def main() -> None:
            try:
                touch(mark, "begun")
                await asyncio.sleep(600)
            finally:
                touch(mark, "left")

        asyncio.run(main())

    @method
    def both_by_blocking(self, leaf: type[Leaf]) -> list[Any]:
        with blocking.open_runtime():
            own = Leaf.remote()
            return [
                blocking.call(own.add, 1, 2),
                blocking.call(leaf.add, 10, 20),
                blocking.get(own.add.remote(3, 4)),
                blocking.get([leaf.add.remote(30, 40)])[0],
                blocking.statistics(own).state,
                self.idle(),
            ]

    @method
    def keep(self) -> None:
        self.block = blocking.open_runtime()
        self.block.__enter__()
        self.leaf = Leaf.remote()

    @method
    def use(self, n: int) -> int:
        return blocking.call(self.leaf.add, n, 0) + blocking.get(self.leaf.add.remote(0, 0))

    @method
    def give_up(self) -> int:
        self.block.__exit__(None, None, None)
        return len(children())

    @method
    def thread_asks(self) -> Any:
        with ThreadPoolExecutor() as pool:
            return pool.submit(get_actor, "nobody").result()


class Async(Idle, executor=ROOMY):
    """Opens runtimes in async methods."""

    @method
    async def add(self, a: int, b: int) -> int:
        return await add_below(a, b)

    @method
    async def spin(self, mark: str) -> None:
        await spin_below(mark)


class OnAsyncio(Idle, executor=replace(ROOMY, loop="asyncio")):
    @method
    async def add(self, a: int, b: int) -> int:
        async with aio.open_runtime():
            leaf = await Leaf.start()
            return await leaf.add(a, b)

    @method
    async def spin(self, mark: str) -> None:
        try:
            async with aio.open_runtime():
                await Leaf.remote().spin(mark)
        finally:
            touch(mark, "left")


class Tower(Idle, executor=ROOMY):
    """Workers below workers."""

    @method
    def pids(self, depth: int, way: str) -> list[int]:
        """The process of each level, from this one down."""
        if depth == 0:
            return [os.getpid()]
        if way == "blocking":
            with blocking.open_runtime():
                return [os.getpid(), *blocking.call(Tower.remote().pids, depth - 1, way)]

        async def main() -> list[int]:
            async with open_runtime():
                return [os.getpid(), *await Tower.remote().pids(depth - 1, way)]

        return trio.run(main)

    @method
    def spin(self, depth: int, mark: str) -> None:
        async def main() -> None:
            try:
                async with open_runtime():
                    if depth == 1:
                        await Leaf.remote().spin(mark)
                    else:
                        await Tower.remote().spin(depth - 1, mark)
            finally:
                touch(mark, f"left-{depth}")

        trio.run(main)


class Both(Idle, executor=ROOMY):
    """Uses actors of its host beside those of a runtime of its own."""

    @method
    async def look(self, leaf: type[Leaf]) -> dict[str, Any]:
        told: dict[str, Any] = {"their name, before": await get_actor("theirs", Leaf).add(5, 7)}
        async with open_runtime() as runtime:
            own = await Leaf.options(name="own").start()
            here = Here.remote()
            told["own call"] = await own.add(1, 2)
            told["own ref"] = await get(own.add.remote(3, 4))
            ended, pending = await wait([own.add.remote(1, 1)])
            told["own wait"] = [len(ended), len(pending)]
            told["own put"] = await own.add(put(2).as_argument, 3)
            told["own name"] = await get_actor("own", Leaf).add(5, 6)
            told["own statistics"] = statistics(own).state
            told["own interrupt"] = await interrupt(own)
            told["own local actor"] = await here.name()
            async with open_scope():
                told["a scope"] = await Leaf.remote().add(6, 7)
            async with monitor(own) as downs:
                await kill(own)
                told["own downs"] = [down.path async for down in downs]
            told["own kill"] = statistics(own).state
            told["their call"] = await leaf.add(10, 20)
            told["their ref"] = await get(leaf.add.remote(30, 40))
            ended_there, pending_there = await wait([leaf.add.remote(1, 1)])
            told["their wait"] = [len(ended_there), len(pending_there)]
            told["their interrupt"] = await interrupt(leaf)
            told["their actor"] = current_actor().path
            told["their call here"] = current_call().method
            told["tree"] = "here-" in runtime.tree()
        return told

    @method
    async def hand_down(self, leaf: type[Leaf]) -> int:
        async with open_runtime():
            return await Passer.remote().use(leaf)

    @method
    async def hand_up(self) -> Any:
        async with open_runtime():
            return await Leaf.start()


class Passer(Actor, executor=Process(stderr="keep")):
    @method
    async def use(self, leaf: type[Leaf]) -> int:
        return await leaf.add(1, 1)


class Stack(Actor, executor=Process(stderr="keep")):
    """A tower that stays, and tells the process of each of its levels in a file; each level may be busy."""

    @method
    def stand(self, depth: int, mark: str, busy: bool, launch: Literal["zygote", "spawn"]) -> None:
        touch(mark, str(os.getpid()))
        if depth:
            with blocking.open_runtime():
                executor = Process(stderr="keep", launch=launch)
                Stack.options(executor=executor).remote().stand.cast(depth - 1, mark, busy, launch)
                self.stay(busy)
        self.stay(busy)

    @staticmethod
    def stay(busy: bool) -> None:
        while busy:
            pass
        time.sleep(600)
