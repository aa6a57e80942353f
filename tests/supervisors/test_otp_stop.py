"""Erlang's supervisor suite: how a supervisor stops its children."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

from tests.cast_otp import ABNORMAL, NORMAL, RESTARTS, Deaf, Player, Scene, child, deaf, settled, supervise


async def stop(scene: Scene) -> None:
    await scene.top.terminate_child("sup")


@pytest.mark.parametrize("make", [child, deaf])
def test_a_child_may_have_all_the_time_there_is(make: Any) -> None:
    """sup_stop_infinity"""

    async def play(scene: Scene) -> None:
        began = trio.current_time()
        await stop(scene)
        assert trio.current_time() - began == (500 if make is deaf else 0)

    more = (500.0,) if make is deaf else ()
    scene = supervise(play, make("a", *more, shutdown=math.inf), child("b", shutdown=math.inf))
    assert (scene.reason("a").kind, scene.reason("b").kind) == ("shutdown", "shutdown")


def test_a_child_that_is_deaf_for_too_long_is_ended_and_its_sibling_ends_politely() -> None:
    """sup_stop_timeout"""

    async def play(scene: Scene) -> None:
        began = trio.current_time()
        await stop(scene)
        assert trio.current_time() - began == 1.0

    scene = supervise(play, deaf("a", shutdown=1.0), child("b", shutdown=1.0))
    assert scene.ended == ["b", "a"]
    assert scene.reason("b").text == ""
    assert "its hooks did not end within 1 s" in scene.reason("a").text


def test_a_dynamic_child_that_is_deaf_for_too_long_is_ended() -> None:
    """sup_stop_timeout_dynamic"""

    async def play(scene: Scene) -> None:
        for seconds in (1000.0, 0.0):
            await scene.sup.start_child(args=("d", seconds), id=str(seconds))
        began = trio.current_time()
        await stop(scene)
        assert trio.current_time() - began == 1.0

    scene = supervise(play, template=Deaf.options(shutdown=1.0).child())
    assert "its hooks did not end" in scene.reason("1000.0").text
    assert scene.reason("0.0").text == ""


def test_a_brutal_end_comes_at_once_and_the_sibling_ends_politely() -> None:
    """sup_stop_brutal_kill"""

    async def play(scene: Scene) -> None:
        began = trio.current_time()
        await stop(scene)
        assert trio.current_time() == began

    scene = supervise(play, deaf("a", shutdown="brutal"), child("b"))
    assert (scene.reason("a").kind, scene.reason("b").kind) == ("signal", "shutdown")
    assert scene.reason("a").text == "killed by its supervisor"


def test_ten_dynamic_children_end_brutally() -> None:
    """sup_stop_brutal_kill_dynamic"""

    async def play(scene: Scene) -> None:
        for n in range(10):
            await scene.sup.start_child(id=str(n))
        await stop(scene)

    scene = supervise(play, template=Deaf.options(shutdown="brutal").child())
    assert {scene.reason(str(n)).kind for n in range(10)} == {"signal"}


def test_children_that_end_by_themselves_meanwhile_keep_their_reasons() -> None:
    """sup_stop_race"""
    kinds = {NORMAL: "normal", ABNORMAL: "error"}
    names = [f"{restart}-{how}" for restart in RESTARTS for how in kinds]

    async def play(scene: Scene) -> None:
        actors = {name: scene.actor(name) for name in names}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stop, scene)
            await trio.sleep(1)
            for name, actor in actors.items():
                getattr(actor, name.partition("-")[2]).cast()
        assert not scene.gave_up

    middle = [child(name, restart=name.partition("-")[0]) for name in names]
    scene = supervise(play, child("first"), *middle, deaf("last", 2.0), intensity=0)
    for name in names:
        assert scene.reason(name).kind == kinds[name.partition("-")[2]]
    assert scene.reason("first").kind == scene.reason("last").kind == "shutdown"
    assert (scene.ended[-2], scene.ended[-1]) == ("last", "first")


class Parting(Player):
    """Answers a stop in its own way."""

    def on_stop(self, reason: str) -> None:
        if self.more[0] == "error":
            raise ValueError("not like this")


@pytest.mark.parametrize("restart", RESTARTS)
def test_dynamic_children_that_answer_a_stop_otherwise_keep_their_reasons(restart: Any) -> None:
    """sup_stop_non_shutdown_exit_dynamic"""

    async def play(scene: Scene) -> None:
        for how in ("quiet", "error"):
            await scene.sup.start_child(args=(how,), id=how)
        await stop(scene)
        assert not scene.gave_up

    scene = supervise(play, template=Parting.options(restart=restart).child("p"))
    assert [scene.reason(how).kind for how in ("quiet", "error")] == ["shutdown", "error"]


def test_a_supervisor_that_does_not_end_in_time_ends_at_once_with_all_below() -> None:
    async def play(scene: Scene) -> None:
        began = trio.current_time()
        await stop(scene)
        assert trio.current_time() - began == 2.0

    scene = supervise(play, deaf("a", shutdown=math.inf), deaf("b", shutdown=math.inf), shutdown=2.0)
    assert scene.ended == ["b", "a"] or scene.ended == ["a", "b"]


def test_while_a_deaf_child_stops_its_supervisor_still_answers() -> None:
    async def play(scene: Scene) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(scene.sup.terminate_child, "a")
            await settled()
            assert await scene.states() == {"a": "running"}
            await scene.sup.start_child(child("b"))
        assert await scene.states() == {"b": "running", "a": "undefined"}

    supervise(play, deaf("a", shutdown=3.0))
