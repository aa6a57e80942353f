"""A guest that looks at its link before it falls asleep."""

import socket
import threading
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.cast_eager import Eye
from tests.rehearsal import rehearse
from understudy import Process, Runtime, get
from understudy.actors import settings
from understudy.transports.guests.glimpse import EagerReader
from understudy.transports.guests.values import Values
from understudy.transports.guests.wire import HostGone, Wire


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, EagerReader]]:
    ours, theirs = socket.socketpair()
    reader = EagerReader(Wire(theirs.detach(), Values().decode))
    with ours, reader.glimpse.sock:
        yield ours, reader


def frame(*messages: Any) -> bytes:
    body = Values().encode(list(messages))
    return len(body).to_bytes(4, "big") + body


def test_what_is_there_is_read_at_once(ends: tuple[socket.socket, EagerReader]) -> None:
    ours, reader = ends
    ours.sendall(frame([1, 2], [3, 4]))
    assert reader.receive() == [[1, 2], [3, 4]]


def test_half_a_frame_is_waited_for(ends: tuple[socket.socket, EagerReader]) -> None:
    ours, reader = ends
    data = frame([1, "word"])
    ours.sendall(data[:5])
    later = threading.Timer(0.02, lambda: ours.sendall(data[5:]))
    later.start()
    assert reader.receive() == [[1, "word"]]
    later.join()


def test_what_comes_long_after_the_look_is_read_too(ends: tuple[socket.socket, EagerReader]) -> None:
    ours, reader = ends
    later = threading.Timer(0.02, lambda: ours.sendall(frame([7])))
    later.start()
    assert reader.receive() == [[7]]
    later.join()


def test_the_end_of_the_link_is_noticed_while_looking(ends: tuple[socket.socket, EagerReader]) -> None:
    ours, reader = ends
    ours.close()
    with pytest.raises(HostGone):
        reader.receive()


def test_an_actor_that_spins_answers_as_any_other() -> None:
    async def scene(_: Runtime) -> None:
        eye = await Eye.options(executor=Process(spin=True)).start()
        for expected in range(1, 101):
            assert await eye.add(1) == expected
        refs = [eye.add.remote(1) for _ in range(300)]
        assert await get(refs) == list(range(101, 401))

    rehearse(scene)


def test_on_one_core_nothing_spins(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(_: Runtime) -> None:
        for cores in (1, 2):
            monkeypatch.setattr(settings, "usable_cores", partial(int, cores))
            eye = await Eye.options(executor=Process(spin=True)).start()
            assert await eye.spins() == (cores == 2)

    rehearse(scene)
