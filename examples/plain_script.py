"""A plain script, without an event loop: calls are waited for, by any thread."""

import os
from concurrent.futures import ThreadPoolExecutor

from understudy import Actor, ActorError, Process, TaskError, blocking, method


class Reader(Actor, executor=Process(stderr="keep"), call_timeout=5.0):
    def __init__(self) -> None:
        self.read = 0

    @method
    def words(self, text: str) -> int:
        if not text:
            raise ValueError("nothing to read")
        if text == "poison":
            os.abort()
        self.read += 1
        return len(text.split())


def main() -> None:
    with blocking.open_runtime():
        reader = Reader.remote()
        print("one call:", blocking.call(reader.words, "to be or not to be"))

        refs = [reader.words.remote("word " * n) for n in range(1, 5)]
        first, rest = blocking.wait(refs)
        print("first:", blocking.get(first), "and the rest:", blocking.get(rest))

        with ThreadPoolExecutor(4) as pool:
            found = pool.map(lambda n: blocking.call(reader.words, "a " * n), range(1, 9))
            print("from four threads:", list(found))

        for text in ("", "poison", "still there"):
            try:
                print(f"{text!r}:", blocking.call(reader.words, text))
            except TaskError as error:
                print(f"{text!r}: {error.cause}")
            except ActorError as error:
                print(f"{text!r}: {error.reason}")
        print("incarnation", blocking.statistics(reader).incarnation)


if __name__ == "__main__":
    main()
