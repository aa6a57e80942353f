"""A pipeline: chapters stream out of one process, a pool counts the words of their lines, and a slow reader sets the pace.

Nothing is told to wait.  Each stage runs as far ahead of the next as its `ahead` allows, and no further.
"""

from collections.abc import AsyncIterator

import trio

from understudy import Actor, Handle, Local, Pool, method, open_runtime


class Press(Actor):
    """Prints endless chapters."""

    def __init__(self) -> None:
        self.printed = 0
        self.stopped = False

    @method(ahead=2)
    async def chapters(self) -> AsyncIterator[list[str]]:
        try:
            while True:
                self.printed += 1
                yield [f"chapter {self.printed} goes on" + " and on" * line for line in range(3)]
        finally:
            self.stopped = True

    @method
    async def look(self) -> tuple[int, bool]:
        return self.printed, self.stopped


class Counter(Actor):
    @method
    def words(self, line: str) -> int:
        return len(line.split())


class Editor(Actor, executor=Local()):
    """Connects the two: a stream in, a map over each of its items, a stream out."""

    @method(ahead=1)
    async def lengths(self, press: Handle[Press], counters: Handle[Counter]) -> AsyncIterator[int]:
        async with press.chapters() as chapters:
            async for lines in chapters:
                async with counters.words.map(lines) as counts:
                    yield sum([count async for count in counts])


async def until_stopped(press: Handle[Press]) -> None:
    while True:
        _, stopped = await press.look()
        if stopped:
            return
        await trio.sleep(0.01)


async def main() -> None:
    async with open_runtime():
        press, editor = await Press.start(), await Editor.start()
        counters = await Pool(Counter, size=2).start()

        read = 0
        async with editor.lengths(press, counters) as lengths:
            async for words in lengths:
                read += 1
                await trio.sleep(0.05)  # reads slowly
                printed, _ = await press.look()
                print(f"chapter {read}, {words} words; the press is 3 ahead at most: {printed - read <= 3}")
                if read == 3:
                    break

        await until_stopped(press)
        print("nobody reads on, and the press has stopped")


if __name__ == "__main__":
    trio.run(main)
