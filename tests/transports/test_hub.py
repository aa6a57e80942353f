"""Both hubs keep one contract: they call back when there is something to read, and never after `forget`."""

import contextlib
import os
import resource
import socket
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest
import trio
import trio.lowlevel

from understudy.transports.hub import Hub, TaskHub, make_hub
from understudy.transports.system.means import has
from understudy.transports.ticks import EndOfTick

Pair = tuple[socket.socket, socket.socket]
HUBS = [
    pytest.param(
        Hub, marks=pytest.mark.skipif(not hasattr(__import__("select"), "epoll"), reason="no epoll")
    ),
    TaskHub,
]
hubs = pytest.mark.parametrize("kind", HUBS)


@pytest.fixture
def pairs() -> Iterator[Callable[[], Pair]]:
    made: list[socket.socket] = []

    def make() -> Pair:
        ends = socket.socketpair()
        for end in ends:
            end.setblocking(False)
        made.extend(ends)
        return ends

    yield make
    for end in made:
        end.close()


def play(kind: type[Hub], body: Callable[[Hub], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        hub = kind()
        ticks = EndOfTick(hub.arrived)
        async with trio.open_nursery() as nursery:
            await nursery.start(hub.run)
            await nursery.start(ticks.run)
            with trio.fail_after(10):
                result = await body(hub)
            nursery.cancel_scope.cancel()
        return result

    return trio.run(main)


async def until(condition: Callable[[], Any]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await trio.sleep(0.001)


def fill(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(b"x" * 65536)


def empty(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.recv(65536)


async def idle() -> None:
    """Give a callback that should not come its chances."""
    for _ in range(20):
        await trio.lowlevel.checkpoint()
    await trio.sleep(0.01)


@hubs
def test_something_to_read_is_called_back(kind: type[Hub], pairs: Callable[[], Pair]) -> None:
    async def body(hub: Hub) -> None:
        ours, theirs = pairs()
        got: list[bytes] = []
        hub.watch(ours.fileno(), lambda: got.append(ours.recv(100)))
        theirs.send(b"one")
        await until(lambda: got)
        theirs.send(b"two")
        await until(lambda: len(got) == 2)

        assert got == [b"one", b"two"]

    play(kind, body)


@hubs
def test_what_is_left_unread_is_called_back_again(kind: type[Hub], pairs: Callable[[], Pair]) -> None:
    async def body(hub: Hub) -> None:
        ours, theirs = pairs()
        got: list[bytes] = []
        hub.watch(ours.fileno(), lambda: got.append(ours.recv(1)))
        theirs.send(b"abc")
        await until(lambda: len(got) == 3)

        assert got == [b"a", b"b", b"c"]

    play(kind, body)


@hubs
def test_the_end_is_called_back(kind: type[Hub], pairs: Callable[[], Pair]) -> None:
    async def body(hub: Hub) -> None:
        ours, theirs = pairs()
        ended: list[bytes] = []

        def read() -> None:
            ended.append(ours.recv(1))
            hub.forget(ours.fileno())

        hub.watch(ours.fileno(), read)
        theirs.close()
        await until(lambda: ended)
        await idle()

        assert ended == [b""]

    play(kind, body)


@hubs
def test_after_forget_nothing_is_called_back_and_the_number_may_be_used_again(
    kind: type[Hub], pairs: Callable[[], Pair]
) -> None:
    async def body(hub: Hub) -> None:
        log: list[str] = []
        ours, _ = pairs()
        number = ours.fileno()
        hub.watch(number, lambda: log.append("old"))
        hub.forget(number)
        hub.forget(number)
        fresh, far = pairs()
        ours.close()
        os.dup2(fresh.fileno(), number)
        reader = socket.socket(fileno=number)
        hub.watch(number, lambda: log.append(reader.recv(9).decode()))
        far.send(b"new")
        await until(lambda: log)
        await idle()
        hub.forget(number)
        reader.close()

        assert log == ["new"]

    play(kind, body)


@hubs
def test_a_callback_may_forget_any_other_that_is_ready_too(
    kind: type[Hub], pairs: Callable[[], Pair]
) -> None:
    async def body(hub: Hub) -> None:
        links = [pairs() for _ in range(5)]
        log: list[int] = []

        def read(n: int) -> None:
            log.append(n)
            for ours, _ in links:
                hub.forget(ours.fileno())

        for n, (ours, theirs) in enumerate(links):
            hub.watch(ours.fileno(), partial(read, n))
            theirs.send(b"x")
        await until(lambda: log)
        await idle()

        assert len(log) == 1

    play(kind, body)


@hubs
def test_a_callback_may_forget_another_that_waits_to_write(
    kind: type[Hub], pairs: Callable[[], Pair]
) -> None:
    async def body(hub: Hub) -> None:
        links = [pairs() for _ in range(5)]
        log: list[int] = []

        def act(n: int) -> None:
            log.append(n)
            for ours, _ in links:
                hub.forget(ours.fileno())

        for n, (ours, theirs) in enumerate(links):
            hub.watch(ours.fileno(), partial(act, n))
            theirs.send(b"x")
            hub.when_writable(ours.fileno(), partial(act, n))
        await until(lambda: log)
        await idle()

        assert len(log) == 1

    play(kind, body)


@hubs
def test_room_to_write_is_called_back_once(kind: type[Hub], pairs: Callable[[], Pair]) -> None:
    async def body(hub: Hub) -> None:
        ours, theirs = pairs()
        log: list[str] = []
        hub.watch(ours.fileno(), lambda: log.append("read"))
        fill(ours)
        hub.when_writable(ours.fileno(), lambda: log.append("room"))
        await idle()
        full = list(log)
        empty(theirs)
        await until(lambda: log)
        await idle()

        assert (full, log) == ([], ["room"])

    play(kind, body)


@hubs
def test_a_poll_serves_what_is_ready_without_waiting(kind: type[Hub], pairs: Callable[[], Pair]) -> None:
    async def body(hub: Hub) -> None:
        ours, theirs = pairs()
        got: list[bytes] = []
        hub.watch(ours.fileno(), lambda: got.append(ours.recv(9)))
        hub.poll()
        theirs.send(b"now")
        hub.poll()

        assert got == [b"now"]

    play(kind, body)


@hubs
def test_hundreds_of_links_are_served(kind: type[Hub], pairs: Callable[[], Pair]) -> None:
    async def body(hub: Hub) -> None:
        links = [pairs() for _ in range(200)]
        got: set[int] = set()

        def read(n: int, ours: socket.socket) -> None:
            ours.recv(9)
            got.add(n)

        for n, (ours, _) in enumerate(links):
            hub.watch(ours.fileno(), partial(read, n, ours))
        for _, theirs in links:
            theirs.send(b"x")
        await until(lambda: len(got) == len(links))

    play(kind, body)


@hubs
def test_descriptors_with_high_numbers_are_served(kind: type[Hub], pairs: Callable[[], Pair]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2000:
        pytest.skip("this system allows no descriptor above 1024")

    async def body(hub: Hub) -> None:
        ours, theirs = pairs()
        number = os.dup2(ours.fileno(), 1500)
        got: list[bytes] = []
        hub.watch(number, lambda: got.append(os.read(number, 9)))
        theirs.send(b"high")
        hub.poll()
        await until(lambda: got)
        hub.forget(number)
        os.close(number)

        assert got == [b"high"]

    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    try:
        play(kind, body)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_the_best_hub_of_the_system_is_made() -> None:
    hub = make_hub()
    if isinstance(hub, TaskHub):
        assert not has("epoll")
    else:
        assert has("epoll")
        hub.epoll.close()
