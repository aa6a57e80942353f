"""The host's terminal is lent to one guest at a time, whatever runtime it belongs to."""

from __future__ import annotations

import os

import pytest

from tests.person import person
from understudy.transports.places.terminal import Turns

TWO_RUNTIMES = """
import threading, trio
from tests.cast_debug import Thinker
from understudy import open_runtime

async def main(name):
    async with open_runtime():
        thinker = await Thinker.options(name=name).start()
        print(name, "thought", await thinker.think(7))

threads = [threading.Thread(target=trio.run, args=(main, name)) for name in ("one", "two")]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("over")
"""

BACKGROUND = """
import os, sys
child = os.fork()
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
os.setpgid(0, 0)
import trio
from tests.cast_debug import Thinker
from understudy import open_runtime

async def main():
    async with open_runtime():
        thinker = await Thinker.start()
        print("thought", await thinker.think(7))

trio.run(main)
"""


def test_a_turn_is_passed_on_in_order() -> None:
    turns = Turns()
    called: list[str] = []

    assert turns.take(lambda: called.append("a"))
    assert not turns.take(lambda: called.append("b"))
    assert not turns.take(lambda: called.append("c"))
    turns.give()
    assert called == ["b"]
    turns.give()
    assert called == ["b", "c"]
    turns.give()
    assert turns.take(lambda: None)


def test_who_leaves_is_not_called() -> None:
    turns = Turns()
    called: list[str] = []

    def mine() -> None:
        called.append("mine")

    assert turns.take(lambda: None)
    assert not turns.take(mine)
    turns.leave(mine)
    turns.leave(mine)
    turns.give()
    assert called == []
    assert turns.take(mine)


@pytest.mark.skipif(os.name != "posix", reason="a terminal as POSIX has them")
@pytest.mark.slow
def test_two_runtimes_in_two_threads_share_the_terminal() -> None:
    with person(TWO_RUNTIMES) as someone:
        for _ in range(2):
            someone.sees("(Pdb) ")
            someone.type("c\n")
        someone.sees("over")
        assert someone.seen.count("thought 35") == 2


@pytest.mark.skipif(os.name != "posix", reason="a terminal as POSIX has them")
@pytest.mark.slow
def test_a_host_in_the_background_is_not_stopped_by_asking() -> None:
    with person(BACKGROUND) as someone:
        someone.sees("the host has no terminal to ask at; going on")
        someone.sees("thought 35")
        assert someone.status() == 0
