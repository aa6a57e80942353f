"""Actors that call others from wherever they run, and one whose methods are mapped over many items."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

from tests.cast import QUIET, Odd, said
from tests.cast_guest_streams import note, pause
from understudy import Actor, cancel, current_call, get, get_actor, method, wait
from understudy import blocking as sync


class Target(Actor, executor=QUIET):
    """Is called."""

    def __init__(self) -> None:
        self.notes: list[Any] = []

    @method
    def add(self, n: int = 1) -> int:
        return n + 1

    @method
    def echo(self, value: Any) -> Any:
        return value

    @method
    def note(self, word: Any) -> None:
        self.notes.append(word)

    @method
    def noted(self) -> list[Any]:
        return self.notes

    @method
    def fail(self, text: str) -> None:
        raise Odd(text, colour="blue")

    @method
    def lock(self) -> Any:
        return threading.Lock()

    @method
    def die(self) -> None:
        os._exit(3)

    @method
    def who(self) -> tuple[int, int, float | None]:
        call = current_call()
        return call.id, call.trace, call.remaining

    @method
    def rest(self, path: str) -> None:
        """Rest until stopped; tells of its begin and its end."""
        note(path, "begun ")
        try:
            time.sleep(1000)
        finally:
            note(path, "ended ")

    @method
    def wait_for(self, path: str) -> str:
        """Wait until there is such a file."""
        while not os.path.exists(path):
            time.sleep(0.002)
        return "come"

    @method
    def count(self, n: int) -> Any:
        yield from range(n)


class Asker(Actor, executor=QUIET):
    """Calls others, in methods that are not `async`."""

    def __init__(self) -> None:
        self.kept: Any = None

    @method
    def add(self, n: int = 1) -> int:
        return n + 1

    @method
    def ask(self, target: Any, name: str, *args: Any) -> Any:
        return sync.call(getattr(target, name), *args)

    @method
    def ask_named(self, path: str, cls: Any, name: str, *args: Any) -> Any:
        return sync.call(getattr(get_actor(path, cls), name), *args)

    @method
    def ask_in(self, parts: list[Any], named: dict[str, Any]) -> Any:
        return sync.call(parts[0].add, 1) + sync.call(named["target"].add, 10)

    @method
    def by_refs(self, target: Any, count: int) -> Any:
        return sync.get([target.add.remote(n) for n in range(count)])

    @method
    def caught(self, target: Any, name: str, *args: Any) -> Any:
        """What the error of a call looks like from here, and what a second call gives."""
        try:
            return sync.call(getattr(target, name), *args)
        except Exception as error:
            return seen(error)

    @method
    def caught_at_once(self, target: Any, name: str, *args: Any) -> Any:
        """The same for what `.remote()` raises."""
        try:
            getattr(target, name).remote(*args)
        except Exception as error:
            return seen(error)
        return None

    @method
    def cast_on(self, target: Any, name: str, *args: Any) -> str:
        getattr(target, name).cast(*args)
        return "cast"

    @method
    def pass_on(self, handle: Any) -> Any:
        return handle

    @method
    def same(self, one: Any, other: Any) -> Any:
        return one == other, hash(one) == hash(other), len({one, other})

    @method
    def rest_with(self, target: Any, path: str, own: str) -> None:
        try:
            sync.call(target.rest, path)
        finally:
            note(own, "left ")

    @method(interrupt=False)
    def protected(self, target: Any, name: str, value: Any, own: str) -> Any:
        note(own, "begun ")
        found = sync.call(getattr(target, name), value)
        note(own, "done ")
        return found

    @method
    def leave_refs(self, target: Any, path: str) -> str:
        """Make a call and end without its result."""
        target.rest.remote(path)
        while not os.path.exists(path):
            time.sleep(0.002)
        return "left"

    @method
    def cancel_one(self, target: Any, path: str) -> Any:
        ref = target.rest.remote(path)
        while not os.path.exists(path):
            time.sleep(0.002)
        told = cancel(ref), cancel(ref)
        try:
            return told, sync.get(ref)
        except Exception as error:
            return told, seen(error)

    @method
    def many(self, target: Any, count: int) -> int:
        refs = [target.add.remote(n) for n in range(count)]
        return sum(sync.get(refs))

    @method
    def chain(self, *others: Any) -> list[Any]:
        call = current_call()
        mine = (call.id, call.trace, call.remaining)
        return [mine, *(sync.call(others[0].chain, *others[1:]) if others else [])]

    @method
    def circle(self, *way: Any) -> int:
        return 1 + sync.call(way[0].circle, *way[1:]) if way else 0

    @method
    def circle_by_ref(self, *way: Any) -> int:
        return 1 + sync.get(way[0].circle_by_ref.remote(*way[1:])) if way else 0

    @method
    def circle_by_map(self, *way: Any) -> int:
        return 1 + sum(map(int, way[0].circle_by_map.starmap([way[1:]]))) if way else 0

    @method
    def circle_by_wait(self, *way: Any) -> int:
        if not way:
            return 0
        ended, _ = sync.wait([way[0].circle_by_wait.remote(*way[1:])])
        return 1 + int(sync.get(ended[0]))

    @method
    def circle_by_argument(self, *way: Any) -> int:
        return 1 + sync.call(way[0].add, way[1].circle_by_argument.remote(*way[2:])) if way else 0

    @method
    def circle_late(self, other: Any, itself: Any) -> Any:
        """Wait for a ref only when what it calls waits for this actor."""
        ref = other.ask.remote(itself, "add", 1)
        time.sleep(0.2)
        return sync.get(ref)

    @method
    def wait_late(self, gate: str, *way: Any) -> int:
        """Go round, and wait for it only once the gate is open."""
        ref = way[0].circle.remote(*way[1:])
        while not os.path.exists(gate):
            time.sleep(0.002)
        told: int = sync.get(ref)
        return 1 + told

    @method
    def keep(self, value: Any) -> None:
        self.kept = value

    @method
    def ask_kept(self, n: int) -> Any:
        return sync.call(self.kept.add, n)

    @method
    def open_questions(self) -> int:
        """How many it has open itself."""
        from understudy.actors.guest_ref import asking

        return len(asking().open)

    # -- only in blocking methods ---------------------------------------------------------------

    @method
    def timed(self, target: Any, path: str) -> Any:
        """A get() whose time runs out; the call goes on."""
        ref = target.rest.remote(path)
        try:
            sync.get(ref, timeout=0.05)
        except TimeoutError as error:
            return seen(error), ref.done
        return None

    @method
    def first_of(self, slow: Any, quick: Any, path: str) -> Any:
        refs = [slow.rest.remote(path), quick.add.remote(1)]
        ended, pending = sync.wait(refs, timeout=20)
        none = sync.wait(pending, timeout=0.01)
        return ended == refs[1:], pending == refs[:1], sync.get(ended), none == ([], pending)


class AsyncAsker(Actor, executor=QUIET):
    """Calls others, in `async` methods: the same ones."""

    def __init__(self) -> None:
        self.kept: Any = None

    @method
    async def add(self, n: int = 1) -> int:
        return n + 1

    @method
    async def ask(self, target: Any, name: str, *args: Any) -> Any:
        return await getattr(target, name)(*args)

    @method
    async def ask_named(self, path: str, cls: Any, name: str, *args: Any) -> Any:
        return await getattr(get_actor(path, cls), name)(*args)

    @method
    async def ask_in(self, parts: list[Any], named: dict[str, Any]) -> Any:
        return await parts[0].add(1) + await named["target"].add(10)

    @method
    async def by_refs(self, target: Any, count: int) -> Any:
        return await get([target.add.remote(n) for n in range(count)])

    @method
    async def caught(self, target: Any, name: str, *args: Any) -> Any:
        try:
            return await getattr(target, name)(*args)
        except Exception as error:
            return seen(error)

    @method
    async def caught_at_once(self, target: Any, name: str, *args: Any) -> Any:
        try:
            getattr(target, name).remote(*args)
        except Exception as error:
            return seen(error)
        return None

    @method
    async def cast_on(self, target: Any, name: str, *args: Any) -> str:
        getattr(target, name).cast(*args)
        return "cast"

    @method
    async def pass_on(self, handle: Any) -> Any:
        return handle

    @method
    async def same(self, one: Any, other: Any) -> Any:
        return one == other, hash(one) == hash(other), len({one, other})

    @method
    async def rest_with(self, target: Any, path: str, own: str) -> None:
        try:
            await target.rest(path)
        finally:
            note(own, "left ")

    @method(interrupt=False)
    async def protected(self, target: Any, name: str, value: Any, own: str) -> Any:
        note(own, "begun ")
        found = await getattr(target, name)(value)
        note(own, "done ")
        return found

    @method
    async def leave_refs(self, target: Any, path: str) -> str:
        target.rest.remote(path)
        while not said(path):
            await pause(0.002)
        return "left"

    @method
    async def cancel_one(self, target: Any, path: str) -> Any:
        ref = target.rest.remote(path)
        while not said(path):
            await pause(0.002)
        told = cancel(ref), cancel(ref)
        try:
            return told, await ref
        except Exception as error:
            return told, seen(error)

    @method
    async def many(self, target: Any, count: int) -> int:
        refs = [target.add.remote(n) for n in range(count)]
        return sum([await ref for ref in refs])

    @method
    async def chain(self, *others: Any) -> list[Any]:
        call = current_call()
        mine = (call.id, call.trace, call.remaining)
        return [mine, *(await others[0].chain(*others[1:]) if others else [])]

    @method
    async def circle(self, *way: Any) -> int:
        return 1 + await way[0].circle(*way[1:]) if way else 0

    @method
    async def circle_by_ref(self, *way: Any) -> int:
        return 1 + await way[0].circle_by_ref.remote(*way[1:]) if way else 0

    @method
    async def circle_by_map(self, *way: Any) -> int:
        if not way:
            return 0
        async with way[0].circle_by_map.starmap([way[1:]]) as results:
            return 1 + sum([int(n) async for n in results])

    @method
    async def circle_by_wait(self, *way: Any) -> int:
        if not way:
            return 0
        ended, _ = await wait([way[0].circle_by_wait.remote(*way[1:])])
        told: int = await ended[0]
        return 1 + told

    @method
    async def circle_by_wait_done(self, *way: Any) -> int:
        if not way:
            return 0
        ref = way[0].circle_by_wait_done.remote(*way[1:])
        await ref.wait_done()
        told: int = await ref
        return 1 + told

    @method
    async def wait_late(self, gate: str, *way: Any) -> int:
        ref = way[0].circle.remote(*way[1:])
        while not said(gate):
            await pause(0.002)
        told: int = await ref
        return 1 + told

    @method
    async def keep(self, value: Any) -> None:
        self.kept = value

    @method
    async def ask_kept(self, n: int) -> Any:
        return await self.kept.add(n)

    @method
    async def open_questions(self) -> int:
        from understudy.actors.guest_ref import asking

        return len(asking().open)

    # -- only in async classes ------------------------------------------------------------------

    @method
    def blocks(self, target: Any) -> Any:
        try:
            return sync.call(target.add, 1)
        except Exception as error:
            return seen(error)

    @method
    async def patient_ref(self, target: Any, path: str) -> Any:
        """Give up waiting for a ref for a moment; the call goes on."""
        import trio

        ref = target.wait_for.remote(path)
        with trio.move_on_after(0):
            await ref
        note(path, "come")
        return await ref


class EarlyAsker(Actor, executor=QUIET):
    """Calls another before it is an actor."""

    def __init__(self, path: str) -> None:
        self.found = sync.call(get_actor(path).add, 1)

    @method
    def value(self) -> Any:
        return self.found


def seen(error: BaseException) -> Any:
    """What an error is, from near."""
    from understudy import TaskError

    kinds = [kind.__name__ for kind in type(error).__mro__]
    return {
        "kinds": kinds,
        "text": str(error),
        "fate": getattr(error, "fate", None),
        "colour": getattr(error, "colour", None),
        "cause": type(error.cause).__name__ if isinstance(error, TaskError) else None,
        "reason": getattr(getattr(error, "reason", None), "kind", None),
    }


# -- maps --------------------------------------------------------------------------------------------


class Mill(Actor):
    """Is mapped over many items."""

    def __init__(self) -> None:
        self.words: list[Any] = []

    @method
    def double(self, n: int) -> int:
        if n < 0:
            raise ValueError(f"{n} is below 0")
        return 2 * n

    @method
    def echo(self, value: Any) -> Any:
        return value

    @method
    def both(self, first: int, second: str) -> str:
        return second * first

    @method
    def mark(self, n: int, path: str) -> int:
        """Note in a file that this item was run."""
        note(path, f"{n} ")
        return n

    @method
    def wait_for(self, path: str) -> int:
        while not os.path.exists(path):
            time.sleep(0.002)
        return 1

    @method
    def ids(self, _: Any) -> tuple[int, int]:
        return current_call().id, current_call().attempt

    @method
    def fall_at(self, n: int, path: str, at: int) -> int:
        """Dies at one item, when it is run first."""
        note(path, f"{n} ")
        if n == at and not os.path.exists(f"{path}.fallen"):
            note(f"{path}.fallen", "x")
            os.kill(os.getpid(), signal.SIGKILL)
        return n

    @method
    def told(self, n: int, path: str, at: int) -> tuple[int, int, int]:
        """Who it is, and dies at one item, when it is run first."""
        call = current_call()
        note(path, f"{n}:{call.id}:{call.attempt} ")
        if n == at and not os.path.exists(f"{path}.fallen"):
            note(f"{path}.fallen", "x")
            os.kill(os.getpid(), signal.SIGKILL)
        return n, call.id, call.attempt

    @method
    def crash_at(self, n: int, path: str, at: int) -> int:
        note(path, f"{n} ")
        if n == at:
            raise LookupError(n)
        return n

    @method
    def fail_once(self, n: int, path: str) -> int:
        """Fails when it is run first."""
        if n % 2 and not os.path.exists(f"{path}.{n}"):
            note(f"{path}.{n}", "x")
            raise OSError(n)
        return n

    @method
    def slow(self, n: int, seconds: float) -> int:
        time.sleep(seconds)
        return n

    @method
    def rest_at(self, n: int, path: str, at: int) -> int:
        """At one item, rests until it is stopped."""
        note(path, f"{n} ")
        if n == at:
            while True:
                time.sleep(0.001)
        return n

    @method
    def put_word(self, word: Any) -> None:
        self.words.append(word)

    @method
    def word(self, n: int) -> list[Any]:
        return list(self.words)

    @method
    def choose(self, n: int) -> Any:
        """Every third result cannot travel."""
        return threading.Lock() if n % 3 == 2 else n

    @method
    def ask_for(self, n: int, target: Any) -> Any:
        return sync.call(target.add, n)

    @method
    def ask_self(self, n: int, itself: Any) -> Any:
        return sync.call(itself.double, n)

    @method
    def rest_with(self, n: int, target: Any, path: str) -> Any:
        """The second item asks for what never comes."""
        if n == 1:
            return sync.call(target.rest, path)
        return n

    @method
    def pid(self) -> int:
        return os.getpid()
