"""A pipeline of channels: the host feeds one worker, which feeds another, which feeds the host.

Nobody keeps count.  Each stage waits where the next has no room, and ends when the one before it has.
"""

import trio

from understudy import Actor, ReceiveChannel, SendChannel, method, open_channel, open_runtime


class Cutter(Actor):
    @method
    def cut(self, lines: ReceiveChannel[str], words: SendChannel[str]) -> int:
        with lines, words:
            count = 0
            for line in lines:
                for word in line.split():
                    words.send(word)
                    count += 1
            return count


class Counter(Actor):
    """The same, awaited: several such methods may run at once."""

    @method
    async def count(self, words: ReceiveChannel[str], lengths: SendChannel[int]) -> int:
        async with words, lengths:
            count = 0
            async for word in words:
                await lengths.send(len(word))
                count += 1
            return count


async def feed(lines: SendChannel[str], pages: int) -> None:
    async with lines:
        for page in range(pages):
            await lines.send(f"page {page} of a book that nobody reads at once")


async def main() -> None:
    async with open_runtime():
        cutter, counter = await Cutter.start(), await Counter.start()
        lines, words, lengths = open_channel[str](10), open_channel[str](50), open_channel[int](50)

        cut = cutter.cut.remote(lines[1], words[0])
        counted = counter.count.remote(words[1], lengths[0])
        for end in (lines[1], words[0], words[1], lengths[0]):
            end.close()  # the workers have their own

        async with trio.open_nursery() as nursery:
            nursery.start_soon(feed, lines[0], 100)
            total = sum([length async for length in lengths[1]])

        print(f"{await cut} words cut, {await counted} counted, {total} letters")


if __name__ == "__main__":
    trio.run(main)
