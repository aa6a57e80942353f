"""The actors of the tests, importable by name in guests: `from tests.cast import Player`."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
import time
from typing import Any, NoReturn

from understudy import Actor, Process, current_actor, current_call, exit_actor, method

QUIET = Process(stderr="keep")


class Player(Actor, executor=QUIET):
    """Does what it is told."""

    def __init__(self, start: int = 0, *, step: int = 1) -> None:
        self.value = start
        self.step = step
        self.seen: list[Any] = []

    @method
    def add(self, n: int = 1, *, times: int = 1) -> int:
        """Add n."""
        self.value += n * times * self.step
        return self.value

    @method
    def echo(self, value: Any = None) -> Any:
        return value

    @method
    def both(self, *args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    @method
    def note(self, value: Any) -> None:
        self.seen.append(value)

    @method
    def notes(self) -> list[Any]:
        return self.seen

    @method
    def who(self) -> tuple[int, str, int, str, int]:
        call, me = current_call(), current_actor()
        return call.id, call.method, call.attempt, me.path, me.incarnation

    @method
    def leave(self, reason: str | None = None) -> None:
        exit_actor(reason)

    @method
    def leave_through_everything(self) -> None:
        try:
            exit_actor("through")
        except Exception:  # must not hold it back
            return

    @method
    def sleep(self, seconds: float) -> str:
        time.sleep(seconds)
        return "rested"

    @method
    def pid(self) -> int:
        return os.getpid()

    def helper(self, n: int) -> int:
        return self.value + n

    @staticmethod
    def still(n: int) -> int:
        return n

    @property
    def doubled(self) -> int:
        return 2 * self.value


class Odd(Exception):
    """An exception of our own, with more than a text."""

    def __init__(self, text: str, *, colour: str = "red") -> None:
        super().__init__(text)
        self.colour = colour


class Picky(Exception):
    """Cannot be rebuilt from its arguments."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


class Unpicklable(Exception):
    def __reduce__(self) -> Any:
        raise TypeError("this does not travel")


class Speechless(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Slotted(Exception):
    __slots__ = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Sealed(Exception):
    """Cannot be subclassed."""

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Sealed is sealed")


class Trapped(Exception):
    """Whoever unpickles it is told to leave."""

    def __reduce__(self) -> Any:
        return sys.exit, (3,)


class NotHere:
    """Pickles, but cannot be unpickled."""

    def __reduce__(self) -> Any:
        return fall_apart, ()


def fall_apart() -> NoReturn:
    raise ValueError("fell apart")


SHARED = ValueError("one for all")


class Faller(Player):
    """Fails in every way there is."""

    @method
    def fail(self, error: BaseException) -> None:
        raise error

    @method
    def fail_noted(self) -> None:
        error = ValueError("noted")
        error.add_note("a note of the callee")
        raise error

    @method
    def fail_missing(self) -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file", "/nowhere")

    @method
    def fail_group(self) -> None:
        raise ExceptionGroup("several", [ValueError("one"), KeyError("two")])

    @method
    def fail_from(self) -> None:
        try:
            raise KeyError("root")
        except KeyError as root:
            raise ValueError("branch") from root

    @method
    def fail_odd(self) -> None:
        raise Odd("odd", colour="blue")

    @method
    def fail_picky(self) -> None:
        raise Picky("this", "that")

    @method
    def fail_unpicklable(self) -> None:
        raise Unpicklable("stays")

    @method
    def fail_speechless(self) -> None:
        raise Speechless

    @method
    def fail_slotted(self) -> None:
        raise Slotted("small")

    @method
    def fail_sealed(self) -> None:
        raise Sealed("sealed")

    @method
    def fail_trapped(self) -> None:
        raise Trapped

    @method
    def fail_shared(self) -> None:
        raise SHARED

    @method
    def fail_decoding(self) -> str:
        return b"\xff".decode()

    @method
    def fail_surrogate(self) -> None:
        raise ValueError("\udc80")

    @method
    def fail_local(self) -> None:
        class Inner(Exception):
            pass

        raise Inner("of a function")

    @method
    def quit(self, code: int | None = 0) -> None:
        raise SystemExit(code)

    @method
    def break_off(self) -> None:
        raise KeyboardInterrupt

    @method
    def close_generator(self) -> None:
        raise GeneratorExit

    @method
    def recurse(self, depth: int = 0) -> int:
        return self.recurse(depth + 1)

    @method
    def vanish(self, status: int = 3) -> None:
        os._exit(status)

    @method
    def crash(self) -> None:
        ctypes.string_at(0)

    @method
    def signal_self(self, number: int = signal.SIGKILL) -> None:
        os.kill(os.getpid(), number)

    @method
    def whisper_and_vanish(self) -> None:
        os.write(2, b"my last words\n")
        os._exit(4)

    @method
    def lambda_result(self) -> Any:
        return lambda: 42

    @method
    def lock_result(self) -> Any:
        import threading

        return threading.Lock()

    @method
    def broken_result(self) -> NotHere:
        return NotHere()

    @method
    def big_result(self, size: int) -> bytes:
        return bytes(size)


class Endless(Player):
    """Does not end by itself."""

    @method
    def spin(self) -> None:
        while True:
            pass

    @method
    def nap(self) -> None:
        time.sleep(3600)

    @method
    def read(self) -> bytes:
        readable, _ = os.pipe()
        return os.read(readable, 1)

    @method
    def swallow(self) -> None:
        while True:
            try:
                time.sleep(3600)
            except BaseException:
                pass

    @method
    def swallow_some(self, times: int) -> str:
        for _ in range(times):
            try:
                time.sleep(3600)
            except BaseException:
                pass
        return "gave in"

    @method
    def swallow_deaf(self) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.swallow()

    @method
    def tidy_up(self) -> None:
        try:
            time.sleep(3600)
        finally:
            self.seen.append("tidied")

    @method(interrupt=False)
    def protected(self, seconds: float) -> str:
        self.seen.append("protected")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        return "whole"

    @method
    def spin_until_file(self, path: str) -> str:
        """Loops in Python until a file exists."""
        while not os.path.exists(path):
            time.sleep(0.002)
        return "went on"


class Starter(Actor, executor=QUIET):
    """Starts as its script says."""

    def __init__(self, how: str = "well", path: str = "") -> None:
        if how == "raise":
            raise ValueError("bad start")
        if how == "exit":
            sys.exit(0)
        if how == "never":
            time.sleep(3600)
        if how == "die":
            os.write(2, b"died in __init__\n")
            os._exit(7)
        if how == "once" and not fresh(path):
            raise ValueError("only once")
        self.how = how

    @method
    def ping(self) -> str:
        return self.how

    @method
    def crash(self) -> None:
        os._exit(3)


class Retried(Actor, executor=QUIET):
    """Counts, in a file, how often it was asked; that outlives incarnations."""

    @method
    def die(self, path: str, times: int) -> int:
        """Dies the first `times` times it is called."""
        count = mark(path)
        if count <= times:
            os._exit(3)
        return count

    @method
    def fail(self, path: str, times: int) -> int:
        count = mark(path)
        if count <= times:
            raise ValueError(f"attempt {count}")
        return count

    @method
    def attempt(self, path: str, times: int) -> int:
        """As `fail`, but returns what current_call() says."""
        if mark(path) <= times:
            raise ValueError("again")
        return current_call().attempt

    @method
    def note(self, path: str, word: str) -> None:
        with open(path, "a") as file:
            file.write(word + " ")

    @method
    def note_and_die(self, path: str, word: str, times: int) -> None:
        """Writes a word, and dies the first `times` times."""
        self.note(path, word)
        if said(path).count(word) <= times:
            os._exit(3)

    @method
    def note_slowly(self, path: str, word: str, seconds: float) -> str:
        self.note(path, word)
        time.sleep(seconds)
        return word


def mark(path: str) -> int:
    """Add one to a file's length; returns that."""
    with open(path, "ab") as file:
        file.write(b".")
    return os.path.getsize(path)


def fresh(path: str) -> bool:
    return mark(path) == 1


def said(path: str) -> list[str]:
    """The words that were noted."""
    try:
        with open(path) as file:
            return file.read().split()
    except FileNotFoundError:
        return []
