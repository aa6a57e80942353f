"""Workers that have workers of their own: each opens a runtime, and an interrupt reaches the leaves."""

import os

import trio

from understudy import Actor, CallInterruptedError, Handle, get, interrupt, method, open_runtime


class Cruncher(Actor):
    @method
    def square(self, n: int) -> int:
        return n * n

    @method
    def crunch(self) -> None:
        while True:
            pass


class Foreman(Actor):
    @method
    async def squares(self, numbers: list[int]) -> list[int]:
        """Share the work out between workers that nobody else knows of."""
        async with open_runtime():
            crunchers = [Cruncher.remote() for _ in range(2)]
            refs = [crunchers[at % 2].square.remote(n) for at, n in enumerate(numbers)]
            return await get(refs)

    @method
    async def depth(self, levels: int) -> int:
        """Foremen below foremen; how many processes deep it went."""
        if levels == 0:
            return 0
        async with open_runtime():
            return 1 + await Foreman.remote().depth(levels - 1)

    @method
    async def hold_up(self) -> None:
        async with open_runtime():
            await Cruncher.remote().crunch()

    @method
    def pid(self) -> int:
        return os.getpid()


async def interrupt_once_it_runs(foreman: Handle[Foreman]) -> None:
    while True:
        if await interrupt(foreman):  # False: it runs nothing yet
            return
        await trio.sleep(0.01)


async def main() -> None:
    async with open_runtime():
        foreman = await Foreman.start()
        before = await foreman.pid()
        print("squares, from workers of a worker:", await foreman.squares([1, 2, 3, 4]))
        print("levels below the first worker:", await foreman.depth(2))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(interrupt_once_it_runs, foreman)
            try:
                await foreman.hold_up()
            except CallInterruptedError:
                print("interrupted, and what ran below it, too")
        print("the same process:", await foreman.pid() == before)


if __name__ == "__main__":
    trio.run(main)
