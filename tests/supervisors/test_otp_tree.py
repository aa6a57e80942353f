"""Erlang's supervisor suite: trees, restarts that hang, and counts."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast_otp import ABNORMAL, KILLED, Deaf, Player, Scene, child, deaf, settled, supervise
from understudy import Supervisor, get_actor, kill, statistics
from understudy.supervisors.errors import AlreadyPresent, Restarting


def test_a_child_that_ignores_its_end_does_not_hang_terminate_child() -> None:
    """child_unlink"""

    async def play(scene: Scene) -> None:
        began = trio.current_time()
        await scene.sup.terminate_child("a")
        assert trio.current_time() - began == 1.0
        assert await scene.states() == {"a": "undefined"}

    supervise(play, deaf("a", shutdown=1.0))


def tree_of_three() -> list[Supervisor]:
    return [Supervisor(child(f"w{n}"), id=f"s{n}", intensity=0 if n == 3 else 3) for n in (1, 2, 3)]


def test_a_whole_level_begins_again_and_only_what_was_planned_is_back() -> None:
    """tree"""

    async def play(scene: Scene) -> None:
        assert await scene.counts() == [3, 3, 3, 0]
        await scene.sup.terminate_child("s1")
        assert await scene.counts() == [3, 2, 3, 0]
        await scene.sup.restart_child("s1")
        third = scene.runtime.supervisor("sup/s3")
        await third.start_child(child("added"))
        await scene.runtime.supervisor("sup/s2").start_child(child("added"))
        before = scene.incarnation("s1/w1")
        await scene.end("s2/w2", ABNORMAL)
        assert (scene.incarnation("s2/w2"), scene.incarnation("s1/w1")) == (2, before)
        await scene.end("s3/w3", ABNORMAL)  # which costs s3 its life
        assert scene.incarnation("s1/w1") == before + 1
        for n in (1, 2, 3):
            inner = scene.runtime.supervisor(f"sup/s{n}")
            assert [info.id for info in await inner.which_children()] == [f"w{n}"]

    supervise(play, *tree_of_three(), strategy="one_for_all")


async def hang(scene: Scene, name: str) -> None:
    """Have a child's restart fail again and again, each attempt taking its time."""
    Player.moods[name] = ["fail"]
    await scene.end(name, ABNORMAL)


SLOWLY: dict[str, Any] = {"intensity": 1_000_000, "within": 1.0}


def slow(name: str) -> Any:
    from understudy import Backoff

    return child(name, backoff=Backoff(min=5.0, max=5.0))


def test_a_child_in_a_loop_of_failing_restarts_can_be_taken_out_of_it() -> None:
    """hanging_restart_loop"""

    async def play(scene: Scene) -> None:
        await hang(scene, "a")
        await trio.sleep(12)
        assert await scene.states() == {"b": "running", "a": "restarting"}
        assert await scene.counts() == [2, 1, 0, 2]
        with pytest.raises(AlreadyPresent):
            await scene.sup.start_child(child("a"))
        for refused in (scene.sup.restart_child("a"), scene.sup.delete_child("a")):
            with pytest.raises(Restarting):
                await refused
        await scene.sup.terminate_child("a")
        assert await scene.states() == {"b": "running", "a": "undefined"}
        Player.moods.clear()
        assert await (await scene.sup.restart_child("a")).ping() == ("a",)
        await hang(scene, "a")
        await scene.top.terminate_child("sup")

    assert not supervise(play, slow("a"), child("b"), **SLOWLY).gave_up


def test_those_after_a_child_in_a_loop_of_failing_restarts_wait_and_those_before_run() -> None:
    """hanging_restart_loop_rest_for_one"""

    async def play(scene: Scene) -> None:
        await hang(scene, "b")
        await trio.sleep(12)
        assert await scene.states() == {"c": "undefined", "b": "restarting", "a": "running"}
        assert await scene.counts() == [3, 1, 0, 3]
        with pytest.raises(AlreadyPresent):
            await scene.sup.start_child(child("c"))
        with pytest.raises(Restarting):
            await scene.sup.restart_child("b")
        await scene.sup.terminate_child("b")
        assert await scene.states() == {"c": "undefined", "b": "undefined", "a": "running"}
        Player.moods.clear()
        await scene.sup.restart_child("b")
        await scene.sup.restart_child("c")
        assert await scene.counts() == [3, 3, 0, 3]
        await hang(scene, "b")
        await scene.top.terminate_child("sup")

    assert not supervise(play, child("a"), slow("b"), child("c"), strategy="rest_for_one", **SLOWLY).gave_up


def test_a_dynamic_child_in_a_loop_of_failing_restarts_can_be_ended() -> None:
    """hanging_restart_loop_simple"""
    from understudy import Backoff

    async def play(scene: Scene) -> None:
        first = await scene.sup.start_child(args=("x",), id="1")
        await scene.sup.start_child(args=("x",), id="2")
        await hang_dynamic(scene)
        assert await scene.states() == {"2": "running", "1": "restarting"}
        assert await scene.counts() == [1, 1, 0, 2]
        await scene.sup.terminate_child(first)
        assert await scene.counts() == [1, 1, 0, 1]

    async def hang_dynamic(scene: Scene) -> None:
        Player.moods["d"] = ["fail"]
        await scene.end("1", ABNORMAL)
        await trio.sleep(12)

    template = Player.options(backoff=Backoff(min=5.0, max=5.0)).child("d")
    supervise(play, template=template, **SLOWLY)


def test_stop_requests_and_questions_are_served_between_failing_restarts() -> None:
    """hanging_restart_loop: with no pause between the attempts"""

    async def play(scene: Scene) -> None:
        Player.moods["a"] = ["fail"]
        scene.actor("a").crash.cast()
        while scene.incarnation("a") < 100:
            await trio.lowlevel.checkpoint()
        assert (await scene.states())["a"] in ("restarting", "running")
        await scene.sup.start_child(child("b"))
        await scene.sup.terminate_child("a")
        await scene.sup.delete_child("a")
        assert await scene.states() == {"b": "running"}

    supervise(play, child("a"), intensity=1_000_000, within=3600.0)


def test_names_move_to_new_incarnations_and_are_free_in_the_end() -> None:
    """simple_global_supervisor"""

    async def play(scene: Scene) -> None:
        found: Any = get_actor("star", Player)
        for end in (KILLED, ABNORMAL):
            await scene.end("s1/w", end)
            assert await found.ping() == ("w",)
        await scene.sup.terminate_child("s1")
        await scene.sup.restart_child("s1")
        assert await found.ping() == ("w",)
        await scene.top.terminate_child("sup")
        assert (await Player.options(name="star").start("new")) is not None

    supervise(play, Supervisor(child("w", name="star"), id="s1"))


def test_counts_are_right_for_thousands_and_stay_so() -> None:
    """count_children"""

    async def play(scene: Scene) -> None:
        handles: list[Any] = []
        for most in (100, 200):
            while len(handles) < most:
                handles.append(await scene.sup.start_child())
            assert [await scene.counts() for _ in range(3)] == [[1, most, 0, most]] * 3
        for handle in handles:
            await kill(handle)
        assert await scene.counts() == [1, 0, 0, 0]

    supervise(play, template=Player.options(restart="temporary").child("d"))


def test_supervisors_are_counted_as_such() -> None:
    """count_children_supervisor"""

    async def play(scene: Scene) -> None:
        for n in range(50):
            await scene.sup.start_child(Supervisor(child("w"), id=f"s{n}"))
        assert await scene.counts() == [50, 50, 50, 0]
        for n in range(50):
            await scene.sup.terminate_child(f"s{n}")
        assert await scene.counts() == [50, 0, 50, 0]

    supervise(play)


def test_dynamic_children_that_are_restarting_are_counted_but_not_as_active() -> None:
    """count_restarting_children"""
    from understudy import Backoff

    async def play(scene: Scene) -> None:
        for n in "123":
            await scene.sup.start_child(id=n)
        Player.moods["d"] = ["fail"]
        for n in "12":
            await scene.end(n, ABNORMAL)
        await trio.sleep(12)
        assert await scene.counts() == [1, 1, 0, 3]
        Player.moods.clear()
        await trio.sleep(12)
        assert await scene.counts() == [1, 3, 0, 3]
        for n in "123":
            await scene.sup.terminate_child(n)
        assert await scene.counts() == [1, 0, 0, 0]

    supervise(play, template=Player.options(backoff=Backoff(min=5.0, max=5.0)).child("d"), **SLOWLY)


def test_what_runs_below_a_supervisor_that_is_killed_ends_and_comes_back() -> None:
    async def play(scene: Scene) -> None:
        scene.runtime.house.nodes["sup/s1"].kill(statistics_reason())
        await settled()
        assert statistics(get_actor("sup/s1/w", Player)).incarnation == 2

    supervise(play, Supervisor(child("w"), id="s1"))


def statistics_reason() -> Any:
    from understudy import ExitReason

    return ExitReason("signal", "killed", ordered=True)


def test_what_ran_in_a_bystander_fails_with_its_fate_and_what_waited_is_done_later() -> None:
    async def play(scene: Scene) -> None:
        other: Any = get_actor("sup/b", Deaf)
        running = other.work.remote()
        await settled()
        waiting = other.ping.remote()
        await scene.end("a", ABNORMAL)
        with pytest.raises(Exception) as error:
            await running
        assert error.value.fate == "begun"  # type: ignore[attr-defined]
        assert await waiting == ("b",)
        assert statistics(other).incarnation == 2

    supervise(play, child("a"), deaf("b", 0.0, max_concurrency=1), strategy="one_for_all")
