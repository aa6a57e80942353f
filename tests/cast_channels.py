"""Actors that send through channels and receive from them, importable by name in guests."""

from __future__ import annotations

import os
import time
from pathlib import Path
from threading import Thread
from typing import Any

from tests.cast import QUIET
from understudy import (
    Actor,
    BrokenChannelError,
    ClosedChannelError,
    Empty,
    Full,
    Process,
    ReceiveChannel,
    SendChannel,
    method,
    open_channel,
)


class Porter(Actor, executor=QUIET):
    """Methods that are not async: what waits is waited for, and gives the value itself."""

    def __init__(self, *ends: Any) -> None:
        self.ends: list[Any] = list(ends)

    @method
    def send(self, out: Any, items: list[Any]) -> int:
        for item in items:
            out.send(item)
        return len(items)

    @method
    def send_range(self, out: Any, start: int, stop: int) -> int:
        for n in range(start, stop):
            out.send(n)
        return stop - start

    @method
    def receive(self, source: Any, count: int) -> list[Any]:
        return [source.receive() for _ in range(count)]

    @method
    def receive_all(self, source: Any) -> list[Any]:
        return list(source)

    @method
    def count(self, source: Any) -> int:
        return sum(1 for _ in source)

    @method
    def double(self, source: Any, out: Any) -> int:
        count = 0
        with out, source:
            for n in source:
                out.send(2 * n)
                count += 1
        return count

    @method
    def keep(self, *ends: Any) -> None:
        self.ends += ends

    @method
    def drop(self) -> None:
        self.ends.clear()

    @method
    def close(self) -> None:
        for end in self.ends:
            end.close()

    @method
    def send_own(self, items: list[Any]) -> None:
        for item in items:
            self.ends[0].send(item)

    @method
    def receive_own(self, count: int) -> list[Any]:
        return [self.ends[0].receive() for _ in range(count)]

    @method
    def give_back(self, end: Any) -> Any:
        return end

    @method
    def what(self, source: Any) -> str:
        """What ends it."""
        try:
            while True:
                source.receive()
        except (ClosedChannelError, BrokenChannelError) as error:
            return f"{type(error).__name__}: {error}"

    @method
    def what_sending(self, out: Any) -> str:
        try:
            while True:
                out.send(1)
        except (ClosedChannelError, BrokenChannelError) as error:
            return f"{type(error).__name__}: {error}"

    @method
    def at_once(self, out: Any, source: Any) -> list[Any]:
        """What is said of a channel of two with nothing in it."""
        said: list[Any] = []
        for attempt in (source.receive_nowait, lambda: out.send_nowait(3)):
            try:
                said.append(attempt())
            except Empty:
                said.append("empty")
        out.send_nowait(4)
        try:
            out.send_nowait(5)
        except Full:
            said.append("full")
        return [*said, source.receive_nowait(), source.receive_nowait()]

    @method
    def wait_for_one(self, source: Any, there: str) -> Any:
        Path(there).touch()
        return source.receive()

    @method
    def wait_to_send(self, out: Any, item: Any, there: str) -> None:
        Path(there).touch()
        out.send(item)

    @method
    def take_and_die(self, source: Any, count: int, log: str) -> None:
        """Receive for ever, and note each item; killed from outside, or by itself."""
        with open(log, "a", buffering=1) as notes:  # noqa: FURB
            for n in source:
                notes.write(f"{n}\n")
                count -= 1
                if not count:
                    os._exit(3)

    @method
    def note_all(self, source: Any, log: str) -> None:
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for n in source:
            os.write(descriptor, b"%d\n" % n)
        os.close(descriptor)

    @method
    def send_and_die(self, out: Any, count: int) -> None:
        for n in range(count):
            out.send(n)
        time.sleep(0.05)  # a helper sends what is collected
        os._exit(3)

    @method
    def send_then_nap(self, out: Any, items: list[Any], seconds: float) -> None:
        for item in items:
            out.send(item)
        time.sleep(seconds)

    @method
    def take_then_nap(self, source: Any, count: int, seconds: float) -> list[Any]:
        taken = [source.receive() for _ in range(count)]
        time.sleep(seconds)
        return taken

    @method
    def wrong(self, source: Any) -> None:
        for _ in source:
            pass

    @method
    def fail(self, source: Any) -> None:
        raise ValueError("on purpose")

    @method
    def many(self, pairs: list[Any]) -> int:
        """Pass on what comes through each of many channels."""
        for source, out in pairs:
            out.send(source.receive() + 1)
        return len(pairs)

    @method
    def tables(self) -> dict[str, int]:
        """How much of channels this guest still knows."""
        from understudy.transports.guests.context import present

        office = present().asker.asking.guest.office
        return {"ends": len(office.ends), "dirty": len(office.dirty), "active": len(office.active)}

    @method
    def open_own(self, items: list[Any]) -> list[Any]:
        """Through a channel in a runtime of its own."""
        from understudy import blocking

        with blocking.open_runtime():
            send, receive = blocking.open_channel[Any](len(items))
            for item in items:
                send.send_nowait(item)
            send.close()
            return list(receive)

    @method
    def give_below(self, end: Any) -> None:
        """To an actor of a runtime of its own."""
        from understudy import blocking

        with blocking.open_runtime():
            blocking.call(Porter.remote().keep, end)

    @method
    def receive_in_a_thread(self, source: Any) -> str:
        said: list[str] = []

        def attempt() -> None:
            try:
                source.receive()
            except RuntimeError as error:
                said.append(str(error))

        thread = Thread(target=attempt)
        thread.start()
        thread.join()
        return said[0]

    @method
    def open_for_tasks(self) -> None:
        open_channel(3)

    @method
    def hand_on(self, other: Any, end: Any, count: int) -> Any:
        from understudy import blocking

        return blocking.get(other.receive.remote(end, count))

    @method
    def pid(self) -> int:
        return os.getpid()


class AsyncPorter(Actor, executor=QUIET):
    """The same, awaited."""

    def __init__(self, *ends: Any) -> None:
        self.ends: list[Any] = list(ends)

    @method
    async def send(self, out: SendChannel[Any], items: list[Any]) -> int:
        for item in items:
            await out.send(item)
        return len(items)

    @method
    async def send_range(self, out: SendChannel[int], start: int, stop: int) -> int:
        for n in range(start, stop):
            await out.send(n)
        return stop - start

    @method
    async def receive(self, source: ReceiveChannel[Any], count: int) -> list[Any]:
        return [await source.receive() for _ in range(count)]

    @method
    async def receive_all(self, source: ReceiveChannel[Any]) -> list[Any]:
        return [item async for item in source]

    @method
    async def double(self, source: ReceiveChannel[int], out: SendChannel[int]) -> int:
        count = 0
        async with out, source:
            async for n in source:
                await out.send(2 * n)
                count += 1
        return count

    @method
    async def keep(self, *ends: Any) -> None:
        self.ends += ends

    @method
    async def drop(self) -> None:
        self.ends.clear()

    @method
    async def receive_own(self, count: int) -> list[Any]:
        return [await self.ends[0].receive() for _ in range(count)]

    @method
    async def give_back(self, end: Any) -> Any:
        return end

    @method
    async def what(self, source: Any) -> str:
        try:
            while True:
                await source.receive()
        except (ClosedChannelError, BrokenChannelError) as error:
            return f"{type(error).__name__}: {error}"

    @method
    async def what_sending(self, out: Any) -> str:
        try:
            while True:
                await out.send(1)
        except (ClosedChannelError, BrokenChannelError) as error:
            return f"{type(error).__name__}: {error}"

    @method
    async def wait_for_one(self, source: Any, there: str) -> Any:
        Path(there).touch()  # noqa: ASYNC240
        return await source.receive()

    @method
    async def wait_to_send(self, out: Any, item: Any, there: str) -> None:
        Path(there).touch()  # noqa: ASYNC240
        await out.send(item)

    @method
    async def refused(self, out: Any, source: Any) -> list[str]:
        said = []
        for attempt in (lambda: out.send_nowait(1), source.receive_nowait):
            try:
                attempt()
            except RuntimeError as error:
                said.append(str(error))
        return said

    @method
    async def loop_plainly(self, source: Any) -> None:
        for _ in source:
            pass

    @method
    async def fail(self, source: Any) -> None:
        raise ValueError("on purpose")


class Rogue(Porter, executor=Process(trusted=False, stderr="keep")):
    """Nobody trusts it, and with good reason."""

    @method
    def say(self, end: Any, *messages: list[Any]) -> None:
        """Say something of a channel that no honest guest says; an end's number stands for itself."""
        for message in messages:
            end.office.say(*[end.number if part == "end" else part for part in message])
            end.office.flush()
            time.sleep(0.02)  # the host answers at the end of its tick

    @method
    def send_object(self, out: Any) -> None:
        out.send(object())

    @method
    def nap(self) -> None:
        time.sleep(5)

    @method
    def flood(self, out: Any, size: int) -> None:
        """Put in what weighs much, whatever was granted."""
        while True:
            out.stock.extend([None] * 100)
            out.over = None
            out.send(bytes(size))
