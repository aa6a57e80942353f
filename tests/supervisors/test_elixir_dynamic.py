"""What Elixir's own tests assert of its DynamicSupervisor, in our words."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast_otp import ABNORMAL, ENDS, KILLED, NORMAL, RESTARTS, Deaf, Player, Scene, child, supervise
from understudy import ActorStartError, Backoff, Pool, Supervisor, kill
from understudy.supervisors.errors import NotFound, TooManyChildren


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"max_children": "many"}, "max_children must be"),
        ({"max_children": 1.5}, "max_children must be"),
        ({"intensity": -1}, "intensity must be"),
        ({"within": 0}, "within must be"),
        ({"strategy": "rest_for_one"}, "restarts one for one"),
        ({"strategy": "escalating"}, "restarts one for one"),
        ({"template": "x"}, "template must be"),
    ],
)
def test_bad_flags_are_refused_by_name(flags: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Supervisor(**{"dynamic": True, **flags})


def test_no_child_is_started_where_none_may_be() -> None:
    async def play(scene: Scene) -> None:
        with pytest.raises(TooManyChildren, match="has its max_children, 0"):
            await scene.sup.start_child()

    supervise(play, template=Player.child(), max_children=0)


def test_children_of_any_kind_may_be_started_without_a_template() -> None:
    async def play(scene: Scene) -> None:
        await scene.sup.start_child(child("a"))
        await scene.sup.start_child(Supervisor(child("x"), id="in"))
        await scene.sup.start_child(Pool(Player.child("p"), size=1, id="pool"))
        assert await scene.counts() == [3, 3, 1, 2]
        assert [info.kind for info in await scene.sup.which_children()] == ["pool", "supervisor", "actor"]
        await scene.sup.terminate_child("in")
        assert await scene.counts() == [2, 2, 0, 2]
        with pytest.raises(TypeError, match=r"start_child\(\) takes a child"):
            await scene.sup.start_child()

    supervise(play, dynamic=True)


def test_arguments_come_after_those_of_the_template_at_restarts_too() -> None:
    async def play(scene: Scene) -> None:
        one = await scene.sup.start_child(args=("b", "c"), id="1")
        assert await one.ping() == ("a", "b", "c")
        await scene.end("1", ABNORMAL)
        assert await one.ping() == ("a", "b", "c")

    supervise(play, template=Player.child("a"))


@pytest.mark.parametrize("restart", RESTARTS)
@pytest.mark.parametrize("how", ENDS)
def test_the_restart_type_decides_and_what_is_not_restarted_is_gone(restart: Any, how: str) -> None:
    back = restart == "permanent" or (restart == "transient" and how != NORMAL)

    async def play(scene: Scene) -> None:
        await scene.sup.start_child(id="1")
        await scene.end("1", how)
        assert await scene.counts() == ([1, 1, 0, 1] if back else [1, 0, 0, 0])

    supervise(play, template=Player.options(restart=restart).child("d"))


def test_children_that_are_restarting_count_toward_the_most() -> None:
    async def play(scene: Scene) -> None:
        await scene.sup.start_child(id="1")
        Player.moods["d"] = ["fail"]
        await scene.end("1", ABNORMAL)
        assert await scene.states() == {"1": "restarting"}
        with pytest.raises(TooManyChildren):
            await scene.sup.start_child()

    template = Player.options(backoff=Backoff(min=5.0)).child("d")
    supervise(play, template=template, max_children=1, intensity=1000)


def test_a_failing_restart_is_tried_again_without_another_end() -> None:
    async def play(scene: Scene) -> None:
        await scene.sup.start_child(id="1")
        Player.moods["d"] = ["fail", "fail", "well"]
        await scene.end("1", ABNORMAL)
        assert scene.incarnation("1") == 4
        assert await scene.counts() == [1, 1, 0, 1]

    assert not supervise(play, template=Player.child("d"), intensity=3).gave_up


def test_whatever_a_start_raises_is_its_error() -> None:
    async def play(scene: Scene) -> None:
        class Leaves(Player):
            def __init__(self) -> None:
                raise SystemExit(3)

        with pytest.raises(ActorStartError, match="SystemExit"):
            await scene.sup.start_child(Leaves.options(id="l").child())
        assert await scene.states() == {}

    supervise(play, dynamic=True)


@pytest.mark.parametrize(("shutdown", "seconds"), [("brutal", 0.0), (0, 0.0), (1, 1.0), (7.0, 5.0)])
def test_each_child_is_stopped_in_its_own_time_side_by_side(shutdown: Any, seconds: float) -> None:
    async def play(scene: Scene) -> None:
        for _ in range(3):
            await scene.sup.start_child(args=("d", 5.0))
        began = trio.current_time()
        await scene.top.terminate_child("sup")
        assert trio.current_time() - began == seconds

    supervise(play, template=Deaf.options(shutdown=shutdown).child())


def test_a_child_is_ended_once_and_also_while_it_is_restarting() -> None:
    async def play(scene: Scene) -> None:
        one, two = await scene.sup.start_child(id="1"), await scene.sup.start_child(id="2")
        await scene.sup.terminate_child(one)
        with pytest.raises(NotFound):
            await scene.sup.terminate_child(one)
        Player.moods["d"] = ["fail"]
        await scene.end("2", KILLED)
        assert await scene.states() == {"2": "restarting"}
        await scene.sup.terminate_child(two)
        assert await scene.counts() == [1, 0, 0, 0]

    supervise(play, template=Player.options(backoff=Backoff()).child("d"), intensity=1000)


def test_a_child_that_is_killed_for_good_is_gone() -> None:
    async def play(scene: Scene) -> None:
        one = await scene.sup.start_child()
        await kill(one)
        assert await scene.counts() == [1, 0, 0, 0]

    supervise(play, template=Player.child("d"))


def test_significant_children_need_a_supervisor_that_heeds_them() -> None:
    with pytest.raises(ValueError, match="auto_shutdown='never'"):
        Supervisor(template=Player.options(restart="transient", significant=True).child())
