"""`trusted=False`: data goes in, data comes out, and nothing else does."""

import trio

from understudy import Actor, Bounds, Process, Unsendable, method, open_runtime

BOUNDS = Bounds(max_bytes=10_000, max_depth=8, max_elements=1_000)


class Plugin(Actor, executor=Process(trusted=False, bounds=BOUNDS)):
    @method
    def describe(self, order: dict[str, int]) -> dict[str, int]:
        return {"kinds": len(order), "pieces": sum(order.values())}

    @method
    def smuggle(self) -> object:
        return lambda: "run me"

    @method
    def shout(self) -> str:
        return "a" * 20_000


class Order:
    """Not data: an object of a class."""


async def main() -> None:
    async with open_runtime():
        plugin = await Plugin.start()
        print(await plugin.describe({"apples": 3, "pears": 4}))

        try:
            await plugin.call(Plugin.describe, Order())  # type: ignore[call-overload]
        except Unsendable as error:
            print("not sent:", error)

        for attempt in (plugin.smuggle, plugin.shout):
            try:
                await attempt()
            except Unsendable as error:
                print("refused:", error)

        print(await plugin.describe({"plums": 5}))


if __name__ == "__main__":
    trio.run(main)
