"""Plain code in plain threads uses a supervised pool as its `concurrent.futures.Executor`; a crash breaks nothing."""

import os
from concurrent import futures

import trio

from understudy import ActorUnavailableError, Executor, open_runtime


def count_words(text: str) -> int:
    if not text:
        os.abort()  # as a C extension might
    return len(text.split())


def work(executor: futures.Executor) -> None:
    """Knows nothing of actors."""
    texts = ["to be", "", "that is the question"]
    pending = {text: executor.submit(count_words, text) for text in texts}
    for text, future in pending.items():
        try:
            print(f"{text!r}: {future.result()}")
        except ActorUnavailableError as error:
            print(f"{text!r}: {error.reason}")
    print("in order:", list(executor.map(pow, [2, 3, 4], [5, 2, 1])))

    endless = executor.submit(spin)
    print("cancelled:", endless.cancel())
    print("and the executor goes on:", executor.submit(count_words, "a b c").result())


def spin() -> None:
    while True:
        pass


async def main() -> None:
    async with open_runtime():
        async with Executor(size=(1, 2)) as executor:
            await trio.to_thread.run_sync(work, executor)


if __name__ == "__main__":
    trio.run(main)
