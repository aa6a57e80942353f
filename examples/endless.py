"""Loops that never return: interrupted by hand, or by `call_timeout`; the actor and its state live on."""

import trio

from understudy import (
    Actor,
    CallInterruptedError,
    GetTimeoutError,
    Handle,
    interrupt,
    method,
    open_runtime,
    statistics,
)


class Thinker(Actor, call_timeout=0.5):
    def __init__(self) -> None:
        self.thoughts = 0

    @method
    def think(self) -> int:
        self.thoughts += 1
        return self.thoughts

    @method
    def brood(self) -> None:
        while True:
            pass


async def interrupt_once_it_runs(thinker: Handle[Thinker]) -> None:
    while True:
        if await interrupt(thinker):  # False: it runs nothing yet
            return
        await trio.sleep(0.01)


async def main() -> None:
    async with open_runtime():
        thinker = await Thinker.start()
        await thinker.think()

        ref = thinker.brood.options(timeout=None).remote()
        await interrupt_once_it_runs(thinker)
        try:
            await ref
        except CallInterruptedError as error:
            print("interrupted:", error)

        try:
            await thinker.brood()
        except GetTimeoutError as error:
            print("timed out:", error)

        print("it still knows its thoughts:", await thinker.think())
        print("incarnation", statistics(thinker).incarnation)


if __name__ == "__main__":
    trio.run(main)
