"""A real crash: the caller is told, the actor comes back, its handle stays."""

import ctypes

import trio

from understudy import Actor, ActorUnavailableError, Process, method, open_runtime, statistics


class Fragile(Actor, executor=Process(stderr="keep")):
    def __init__(self) -> None:
        self.calls = 0

    @method
    def work(self) -> int:
        self.calls += 1
        return self.calls

    @method
    def crash(self) -> None:
        ctypes.string_at(0)  # reads address 0: a segmentation fault


async def main() -> None:
    async with open_runtime():
        actor = await Fragile.start()
        await actor.work()
        print("calls so far:", await actor.work())
        try:
            await actor.crash()
        except ActorUnavailableError as error:
            print("the incarnation died:", error.reason)
            print("safe to retry:", error.safe_to_retry)
        print("the same handle, a fresh state:", await actor.work())
        print("incarnation", statistics(actor).incarnation)


if __name__ == "__main__":
    trio.run(main)
