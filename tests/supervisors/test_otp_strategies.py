"""Erlang's supervisor suite: what each strategy stops and starts, and when it goes up."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast_otp import ABNORMAL, Player, Scene, child, supervise


def fresh(scene: Scene, *names: str) -> list[int]:
    return [scene.incarnation(name) for name in names]


def test_failures_that_are_far_enough_apart_are_survived() -> None:
    """multiple_restarts: and since clocks are exact here, just beyond the window is far enough"""

    async def play(scene: Scene) -> None:
        for _ in range(4):
            await scene.end("a", ABNORMAL)
            await trio.sleep(1.001)
        assert scene.incarnation("a") == 5

    supervise(play, child("a"), intensity=1, within=1.0)


def test_one_for_one_touches_only_who_failed_and_goes_up_beyond_the_intensity() -> None:
    """one_for_one"""

    async def play(scene: Scene) -> None:
        await scene.end("a", ABNORMAL)
        assert fresh(scene, "a", "b") == [2, 1]
        await scene.end("a", ABNORMAL)
        assert await scene.counts() == [2, 2, 0, 2]
        await scene.end("a", ABNORMAL)
        assert scene.is_over

    scene = supervise(play, child("a"), child("b"), intensity=2, within=3600.0)
    assert scene.gave_up
    assert scene.reason("b").kind == "shutdown"


def test_one_for_one_goes_up_when_a_restart_never_succeeds() -> None:
    """one_for_one_escalation"""

    async def play(scene: Scene) -> None:
        Player.moods["a"] = ["fail"]
        await scene.end("a", ABNORMAL)
        assert scene.is_over

    scene = supervise(play, child("a"), child("b"), intensity=4, within=3600.0)
    assert scene.gave_up
    assert scene.ended.count("a") == 1 + 4  # the crash, and four attempts
    assert scene.reason("b").kind == "shutdown"


def test_one_for_all_starts_everybody_anew() -> None:
    """one_for_all"""

    async def play(scene: Scene) -> None:
        for n in (2, 3):
            await scene.end("a", ABNORMAL)
            assert fresh(scene, "a", "b") == [n, n]
        assert scene.reason("b").kind == "shutdown"
        await scene.end("a", ABNORMAL)
        assert scene.is_over

    scene = supervise(play, child("a"), child("b"), strategy="one_for_all", intensity=2, within=3600.0)
    assert scene.gave_up


def test_one_for_all_goes_up_when_another_child_does_not_start() -> None:
    """one_for_all_escalation"""

    async def play(scene: Scene) -> None:
        Player.moods["b"] = ["fail"]
        await scene.end("a", ABNORMAL)
        assert scene.is_over

    assert supervise(play, child("a"), child("b"), strategy="one_for_all", intensity=4).gave_up


def test_one_for_all_begins_again_when_another_child_does_not_start_at_once() -> None:
    """one_for_all_other_child_fails_restart"""

    async def play(scene: Scene) -> None:
        Player.moods["b"] = ["fail", "well"]
        await scene.end("a", ABNORMAL)
        assert fresh(scene, "a", "b") == [3, 3]

    scene = supervise(play, child("a"), child("b"), strategy="one_for_all", intensity=4)
    assert scene.started == ["a", "a", "b"]
    assert scene.ended[:4] == ["a", "b", "b", "a"]  # a's second incarnation is stopped for the second pass


def test_rest_for_one_starts_anew_who_came_after() -> None:
    """rest_for_one"""

    async def play(scene: Scene) -> None:
        for n in (2, 3):
            await scene.end("b", ABNORMAL)
            assert fresh(scene, "a", "b", "c") == [1, n, n]
        assert await scene.counts() == [3, 3, 0, 3]
        await scene.end("b", ABNORMAL)
        assert scene.is_over

    scene = supervise(
        play, child("a"), child("b"), child("c"), strategy="rest_for_one", intensity=2, within=3600.0
    )
    assert scene.gave_up


def test_rest_for_one_goes_up_when_a_later_child_does_not_start() -> None:
    """rest_for_one_escalation"""

    async def play(scene: Scene) -> None:
        Player.moods["b"] = ["fail"]
        await scene.end("a", ABNORMAL)
        assert scene.is_over

    assert supervise(play, child("a"), child("b"), strategy="rest_for_one", intensity=4).gave_up


def test_rest_for_one_tries_only_the_later_child_again_that_did_not_start() -> None:
    """rest_for_one_other_child_fails_restart"""

    async def play(scene: Scene) -> None:
        Player.moods["b"] = ["fail", "well"]
        await scene.end("a", ABNORMAL)
        assert fresh(scene, "a", "b", "c") == [2, 3, 2]

    scene = supervise(play, child("a"), child("b"), child("c"), strategy="rest_for_one", intensity=4)
    assert scene.started == ["a", "b", "c"]


def test_a_dynamic_child_is_started_anew_with_its_arguments_until_the_intensity_is_spent() -> None:
    """simple_one_for_one, simple_one_for_one_extra"""

    async def play(scene: Scene) -> None:
        first, second = (
            await scene.sup.start_child(args=(1,), id="1"),
            await scene.sup.start_child(args=(2,), id="2"),
        )
        await scene.end("1", ABNORMAL)
        assert await scene.counts() == [1, 2, 0, 2]
        assert await first.ping() == ("d", 1)
        await scene.end("2", ABNORMAL)
        assert await second.ping() == ("d", 2)
        await scene.end("1", ABNORMAL)
        assert scene.is_over

    scene = supervise(play, template=Player.child("d"), intensity=2, within=3600.0)
    assert scene.gave_up


def test_dynamic_children_stop_side_by_side_within_one_time() -> None:
    """simple_one_for_one_shutdown"""
    from tests.cast_otp import Deaf

    async def play(scene: Scene) -> None:
        for seconds in (1.0, 1.0, 5.0):
            await scene.sup.start_child(args=("d", seconds))
        began = trio.current_time()
        await scene.top.terminate_child("sup")
        assert trio.current_time() - began == 2.0

    supervise(play, template=Deaf.options(shutdown=2.0).child())


def test_dynamic_children_whose_restart_fails_cost_their_supervisor_its_life() -> None:
    """simple_one_for_one_escalation"""

    async def play(scene: Scene) -> None:
        for n in "12":
            await scene.sup.start_child(id=n)
        Player.moods["d"] = ["fail"]
        await scene.end("1", ABNORMAL)
        assert scene.is_over

    scene = supervise(play, template=Player.child("d"), intensity=4, within=3600.0)
    assert scene.gave_up
    assert scene.reason("2").kind == "shutdown"


@pytest.mark.parametrize("restart", ["permanent", "transient"])
def test_a_dynamic_child_whose_restart_declines_is_forgotten(restart: Any) -> None:
    """simple_one_for_one_restart_ignore"""

    async def play(scene: Scene) -> None:
        await scene.sup.start_child(id="1")
        Player.moods["d"] = ["decline"]
        await scene.end("1", ABNORMAL)
        assert await scene.counts() == [1, 0, 0, 0]
        assert not scene.is_over

    supervise(play, template=Player.options(restart=restart).child("d"))


def test_a_child_whose_restart_declines_stays_listed() -> None:
    """1.4: ignore at restart"""

    async def play(scene: Scene) -> None:
        Player.moods["a"] = ["decline"]
        await scene.end("a", ABNORMAL)
        assert await scene.states() == {"a": "undefined"}

    supervise(play, child("a"))


def test_children_start_in_the_order_of_the_plan_and_stop_in_its_reverse() -> None:
    """order_of_children"""
    names = ["d", "a", "e", "b", "c"]

    async def play(scene: Scene) -> None:
        await scene.end("e", ABNORMAL)
        assert (scene.ended, scene.started) == (["e", "c", "b"], ["e", "b", "c"])
        scene.heard.clear()
        await scene.top.terminate_child("sup")
        assert scene.ended == names[::-1]

    scene = supervise(play, *map(child, names), strategy="rest_for_one")
    assert not scene.gave_up


def test_a_transient_child_that_had_left_comes_back_with_all_others() -> None:
    """1.4: one_for_all starts all in order"""

    async def play(scene: Scene) -> None:
        await scene.end("b", "leave")
        assert await scene.states() == {"b": "undefined", "a": "running"}
        await scene.end("a", ABNORMAL)
        assert await scene.states() == {"b": "running", "a": "running"}

    supervise(play, child("a"), child("b", restart="transient"), strategy="one_for_all")
