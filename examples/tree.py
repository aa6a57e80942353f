"""A tree of actors under supervisors: names, paths, and a child that is restarted alone."""

import trio

from understudy import Actor, Local, Supervisor, get_actor, method, open_runtime, statistics


class Store(Actor, executor=Local()):
    def __init__(self) -> None:
        self.found: list[str] = []

    @method
    def keep(self, word: str) -> int:
        self.found.append(word)
        return len(self.found)


class Reader(Actor, executor=Local(), crash_on=(ValueError,)):
    @method
    def read(self, text: str) -> str:
        if not text:
            raise ValueError("nothing to read")
        return text.split()[0]


tree = Supervisor(
    Store.options(name="store").child(),
    Supervisor(
        Reader.options(id="left").child(),
        Reader.options(id="right").child(),
        id="readers",
        intensity=5,
        within=1.0,
    ),
)


async def main() -> None:
    async with open_runtime(tree) as runtime:
        store = get_actor("store", Store)
        left = get_actor("readers/left", Reader)
        right = get_actor("readers/right", Reader)

        print(await store.keep(await left.read("to be or not to be")), "word kept")
        try:
            await left.read("")
        except ValueError as error:
            print("left raised:", error)
        print(await store.keep(await left.read("that is the question")), "words kept")

        for actor in (left, right):
            now = statistics(actor)
            print(f"{now.path}: incarnation {now.incarnation}")
        print(runtime.tree().replace(", ready", ""))


if __name__ == "__main__":
    trio.run(main)
