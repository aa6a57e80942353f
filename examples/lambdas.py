"""Functions travel: a lambda, a closure, a class that only this script has."""

from collections.abc import Callable
from dataclasses import dataclass

import trio

from understudy import Actor, method, open_runtime


@dataclass(frozen=True)
class Note:
    text: str
    length: int


class Workshop(Actor):
    @method
    def apply(self, function: Callable[[int], int], values: list[int]) -> list[int]:
        return [function(value) for value in values]

    @method
    def note(self, text: str) -> Note:
        return Note(text, len(text))


def times(factor: int) -> Callable[[int], int]:
    return lambda value: value * factor


async def main() -> None:
    async with open_runtime():
        workshop = await Workshop.start()
        print(await workshop.apply(lambda value: value + 1, [1, 2, 3]))
        print(await workshop.apply(times(10), [1, 2, 3]))

        note = await workshop.note("hello")
        print(note, note == Note("hello", 5))


if __name__ == "__main__":
    trio.run(main)
