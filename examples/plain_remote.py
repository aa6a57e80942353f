"""`remote` makes an actor class of a plain class, as Ray's users know it; everything public is callable.

Over a class of your own write it as a decorator, `@remote`; mypy does not see what that adds to the class, so here
it is called.
"""

import trio

from understudy import get, kill, open_runtime, remote, wait


class Polite:
    def __init__(self, greeting: str = "hello") -> None:
        self.greeting = greeting

    def greet(self, name: str) -> str:
        return f"{self.greeting} {name}"


Greeter = remote(Polite)


async def main() -> None:
    async with open_runtime():
        english = Greeter.remote()
        french = Greeter.options(name="french").remote("bonjour")

        print(await english.greet("you"))
        print(await get([english.greet.remote("Ada"), french.greet.remote("Ada")]))

        ended, pending = await wait([french.greet.remote("Bob")], timeout=10)
        print(len(ended), "ended,", len(pending), "pending:", await ended[0])

        await kill(french)
        try:
            await french.greet("anyone")
        except Exception as error:
            print(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    trio.run(main)
