"""What happens can be seen: events as they come, and the dead letter of a message that kills its reader."""

import os
import signal

import trio

from understudy import Actor, ActorError, Process, method, open_runtime
from understudy.actors.events import ActorEnded, ActorReady, CallRetried, MessageBuried


class Reader(Actor, executor=Process(stderr="keep"), max_restarts=-1, max_task_retries=2):
    @method
    def read(self, text: str) -> int:
        if text == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        return len(text)


async def main() -> None:
    async with open_runtime() as runtime, runtime.events() as events:
        reader = await Reader.options(name="reader").start()
        try:
            await reader.read("poison")
        except ActorError as error:
            print("the caller:", error.reason)
        print("the next reader:", await reader.read("water"))

        for letter in runtime.dead_letters:
            print("a dead letter:", letter.cause, letter.args, f"after {len(letter.deaths)} deaths")

        async for event in events:
            match event:
                case ActorReady(incarnation=number):
                    print(f"  incarnation {number} is ready")
                    if number == 4:
                        break
                case ActorEnded(incarnation=number, reason=reason):
                    print(f"  incarnation {number} ended, {reason}")
                case CallRetried(attempt=attempt):
                    print(f"  attempt {attempt} will be made")
                case MessageBuried():
                    print("  no more attempts")
                case _:
                    pass


if __name__ == "__main__":
    trio.run(main)
