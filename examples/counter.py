"""An actor in a process of its own: a call, a ref, a cast."""

import trio

from understudy import Actor, get, method, open_runtime


class Counter(Actor):
    def __init__(self, start: int = 0) -> None:
        self.value = start

    @method
    def add(self, n: int = 1) -> int:
        self.value += n
        return self.value


async def main() -> None:
    async with open_runtime():
        counter = await Counter.start(10)

        print("call:", await counter.add(5))

        ref = counter.add.remote(1)
        print("ref:", await ref)

        counter.add.cast(100)
        print("after the cast:", await counter.add(0))

        refs = [counter.add.remote() for _ in range(3)]
        print("refs, in order:", await get(refs))


if __name__ == "__main__":
    trio.run(main)
