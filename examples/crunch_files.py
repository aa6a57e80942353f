"""A pool of workers crunches files; one of the files kills whoever reads it, and that costs its own result only."""

import os
import signal
import tempfile
from collections import Counter
from pathlib import Path

import trio

from understudy import ActorError, Pool, Worker, open_runtime

TEXTS = {
    "hamlet.txt": "to be or not to be that is the question",
    "macbeth.txt": "tomorrow and tomorrow and tomorrow",
    "poison.txt": "double double toil and trouble",
    "tempest.txt": "we are such stuff as dreams are made on",
}


def most_common(path: str) -> tuple[str, int]:
    """The commonest word of a file, and how often it is there."""
    if "poison" in path:
        os.kill(os.getpid(), signal.SIGKILL)
    return Counter(Path(path).read_text().split()).most_common(1)[0]


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in TEXTS.items():
            await trio.Path(folder, name).write_text(text)
        async with open_runtime():
            pool = await Pool(Worker, 2).start()
            refs = {name: pool.call.remote(most_common, f"{folder}/{name}") for name in TEXTS}
            for name, ref in refs.items():
                try:
                    word, times = await ref
                    print(f"{name}: {word!r}, {times} times")
                except ActorError as error:
                    print(f"{name}: {error.reason}")
            async with pool.call.starmap((len, text.split()) for text in TEXTS.values()) as lengths:
                print("words in all:", sum([length async for length in lengths]))


if __name__ == "__main__":
    trio.run(main)
