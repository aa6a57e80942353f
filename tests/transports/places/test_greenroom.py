"""Keepers between two runtimes: kept while the room is open, fit to go on, and ended with it."""

from __future__ import annotations

import os
import signal

import pytest

from tests.cast import Player
from tests.rehearsal import keeper_of, rehearse
from tests.transports.hosts import alive, gone
from understudy import Process, Runtime
from understudy.transports.places.greenroom import GREEN_ROOM
from understudy.transports.system.means import has

pytestmark = pytest.mark.cold


async def keeper_pid(runtime: Runtime) -> int:
    await Player.start()
    return keeper_of(runtime).pid


def test_a_runtime_ends_its_keepers_unless_the_room_is_open() -> None:
    assert gone(rehearse(keeper_pid))
    assert not GREEN_ROOM.pids


def test_the_next_runtime_has_the_same_keeper_and_a_guest_of_its_own() -> None:
    async def guest_pid(runtime: Runtime) -> tuple[int, int]:
        player = await Player.start()
        return keeper_of(runtime).pid, await player.pid()

    with GREEN_ROOM.kept_open():
        first, second = rehearse(guest_pid), rehearse(guest_pid)
        assert first[0] == second[0]
        assert first[1] != second[1]
        assert not alive(first[1])
        assert GREEN_ROOM.pids == {first[0]}
    assert gone(first[0])


def test_one_that_died_while_it_waited_is_not_called() -> None:
    with GREEN_ROOM.kept_open():
        first = rehearse(keeper_pid)
        os.kill(first, signal.SIGKILL)
        assert rehearse(keeper_pid) != first
    assert gone(first)


@pytest.mark.skipif(not has("zygote"), reason="one keeper starts all programs here")
def test_one_of_each_kind_waits_and_none_while_the_room_is_shut() -> None:
    async def two(runtime: Runtime) -> tuple[int, int]:
        await Player.options(executor=Process(stderr="keep")).start()
        await Player.options(executor=Process(stderr="keep", flags=("-O",))).start()
        one, other = (keeper.pid for keeper in runtime.house.stage.keepers)
        return one, other

    with GREEN_ROOM.kept_open():
        first, again = rehearse(two), rehearse(two)
        assert set(first) == set(again) == GREEN_ROOM.pids
        with GREEN_ROOM.kept_shut():
            assert gone(*first)
            assert not set(rehearse(two)) & set(first)
    assert not GREEN_ROOM.pids
