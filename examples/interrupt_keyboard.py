"""Ctrl-C at the terminal: the first interrupts what runs and the workers live on, a second one stops all in order.

Without a terminal nobody can press it, so the script does so itself.
"""

import os
import signal
import sys

import trio

from understudy import Actor, CallInterruptedError, method, open_runtime


class Counter(Actor):
    def __init__(self) -> None:
        self.rounds = 0

    @method
    def count(self) -> None:
        while True:
            self.rounds += 1

    @method
    def far(self) -> bool:
        return self.rounds > 0

    def on_stop(self, reason: str) -> None:
        print(f"the worker leaves: {reason}", file=sys.stderr, flush=True)


def press_ctrl_c() -> None:
    if not sys.stdin.isatty():
        os.kill(os.getpid(), signal.SIGINT)


async def count_until_ctrl_c() -> None:
    async with open_runtime(handle_signals=True):
        counter = await Counter.start()
        print("counting; press Ctrl-C")
        ref = counter.count.remote()
        await trio.sleep(0.2)
        press_ctrl_c()
        try:
            await ref
        except CallInterruptedError as error:
            print(f"told: {error}")
        print(f"it has got somewhere: {await counter.far()}")
        print("press Ctrl-C again, and all stops")
        press_ctrl_c()
        await trio.sleep_forever()


async def main() -> None:
    try:
        await count_until_ctrl_c()
    except KeyboardInterrupt:
        print("all has stopped")


if __name__ == "__main__":
    trio.run(main)
