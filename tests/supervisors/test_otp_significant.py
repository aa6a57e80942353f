"""Erlang's supervisor suite: significant children and auto_shutdown."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast_otp import ABNORMAL, ENDS, KILLED, NORMAL, Player, Scene, child, supervise
from understudy import Supervisor

MODES = ("never", "any_significant", "all_significant")
TRIGGERS = {"temporary": ENDS, "transient": (NORMAL,)}
HARMLESS = {"temporary": (), "transient": (ABNORMAL, KILLED)}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("restart", ["temporary", "transient"])
@pytest.mark.parametrize("how", ["terminate", *ENDS])
def test_a_child_that_is_not_significant_never_ends_its_supervisor(mode: Any, restart: Any, how: str) -> None:
    """nonsignificant_temporary, nonsignificant_transient"""

    async def play(scene: Scene) -> None:
        await (scene.sup.terminate_child("a") if how == "terminate" else scene.end("a", how))
        assert not scene.is_over

    supervise(play, child("a", restart=restart), child("b"), auto_shutdown=mode)


def pair(restart: Any) -> list[Any]:
    significant = [child(name, restart=restart, significant=True) for name in "ab"]
    return [*significant, child("other")]


@pytest.mark.parametrize("restart", ["temporary", "transient"])
@pytest.mark.parametrize("mode", ["any_significant", "all_significant"])
def test_ends_by_hand_do_not_count(restart: Any, mode: Any) -> None:
    """significant_temporary, significant_transient: terminate_child"""

    async def play(scene: Scene) -> None:
        for name in "ab":
            await scene.sup.terminate_child(name)
        assert not scene.is_over

    supervise(play, *pair(restart), auto_shutdown=mode)


@pytest.mark.parametrize(
    ("restart", "how"), [(restart, how) for restart in TRIGGERS for how in TRIGGERS[restart]]
)
def test_the_first_significant_end_is_enough_for_any(restart: Any, how: str) -> None:
    """significant_temporary, significant_transient: any_significant"""

    async def play(scene: Scene) -> None:
        await scene.end("a", how)
        assert scene.is_over

    scene = supervise(play, *pair(restart), auto_shutdown="any_significant")
    assert scene.ended == ["a", "other", "b"]
    assert scene.reason("other").kind == "shutdown"


@pytest.mark.parametrize(
    ("restart", "how"), [(restart, how) for restart in TRIGGERS for how in TRIGGERS[restart]]
)
def test_the_last_significant_end_is_needed_for_all(restart: Any, how: str) -> None:
    """significant_temporary, significant_transient: all_significant"""

    async def play(scene: Scene) -> None:
        await scene.end("a", how)
        assert not scene.is_over
        await scene.end("b", how)
        assert scene.is_over

    scene = supervise(play, *pair(restart), auto_shutdown="all_significant")
    assert scene.ended == ["a", "b", "other"]


@pytest.mark.parametrize("how", HARMLESS["transient"])
@pytest.mark.parametrize("mode", ["any_significant", "all_significant"])
def test_an_end_that_is_followed_by_a_restart_does_not_count(how: str, mode: Any) -> None:
    """significant_transient: kill, abnormal"""

    async def play(scene: Scene) -> None:
        for name in "ab":
            await scene.end(name, how)
        assert [scene.incarnation(name) for name in "ab"] == [2, 2]

    supervise(play, *pair("transient"), auto_shutdown=mode)


@pytest.mark.parametrize("mode", ["any_significant", "all_significant"])
def test_dynamic_children_may_be_significant(mode: Any) -> None:
    """significant_simple"""

    async def play(scene: Scene) -> None:
        for n in "12":
            await scene.sup.start_child(id=n)
        await scene.end("1", NORMAL)
        assert scene.is_over is (mode == "any_significant")
        if not scene.is_over:
            await scene.end("2", NORMAL)
            assert scene.is_over

    template = Player.options(restart="transient", significant=True).child("d")
    supervise(play, template=template, auto_shutdown=mode)


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
@pytest.mark.parametrize("mode", ["any_significant", "all_significant"])
@pytest.mark.parametrize("restart", ["temporary", "transient"])
def test_a_significant_bystander_does_not_count(strategy: str, mode: Any, restart: Any) -> None:
    """significant_bystander"""

    async def play(scene: Scene) -> None:
        await scene.end("first", ABNORMAL)
        assert not scene.is_over
        assert scene.incarnation("first") == 2

    supervise(play, child("first"), *pair(restart), strategy=strategy, auto_shutdown=mode)


@pytest.mark.parametrize("significant", [False, True])
def test_a_supervisor_that_shut_itself_down_takes_its_own_along_only_if_it_is_significant(
    significant: bool,
) -> None:
    """significant_escalation"""
    inner = Supervisor(
        child("a", restart="transient", significant=True),
        id="in",
        auto_shutdown="any_significant",
        restart="transient",
        significant=significant,
    )

    async def play(scene: Scene) -> None:
        await scene.end("in/a", NORMAL)
        assert scene.is_over is significant
        if not significant:
            assert await scene.states() == {"b": "running", "in": "undefined"}

    supervise(play, inner, child("b"), auto_shutdown="any_significant")


# -- changes while it runs ---------------------------------------------------------------------------


def plan(mode: Any, **options: Any) -> Supervisor:
    significant = {"restart": "transient", "significant": mode != "never"} | options
    return Supervisor(
        *(child(name, **significant) for name in "ab"),
        child("other"),
        id="sup",
        restart="temporary",
        auto_shutdown=mode,
    )


@pytest.mark.parametrize(
    ("before", "after"), [(before, after) for before in MODES for after in MODES if before != after]
)
def test_a_change_of_the_mode_counts_at_once(before: Any, after: Any) -> None:
    """significant_upgrade_never_any, ..._any_never, _never_all, _all_never, _any_all, _all_any"""

    async def play(scene: Scene) -> None:
        await scene.sup.update(plan(after))
        await scene.end("a", NORMAL)
        assert scene.is_over is (after == "any_significant")
        if after == "all_significant":
            await scene.end("b", NORMAL)
            assert scene.is_over
        if after == "never":
            with pytest.raises(ValueError, match="auto_shutdown='never'"):
                await scene.sup.start_child(child("new", restart="transient", significant=True))

    old = plan(before)
    supervise(play, *old.children, auto_shutdown=before)


def test_a_child_can_be_made_significant_and_no_longer_so() -> None:
    """significant_upgrade_child"""

    async def play(scene: Scene) -> None:
        with pytest.raises(ValueError, match="is significant, but"):
            plan("never", significant=True)
        await scene.sup.update(plan("any_significant", significant=False))
        await scene.end("a", NORMAL)
        assert not scene.is_over
        await scene.sup.update(plan("any_significant"))
        await scene.end("b", NORMAL)
        assert scene.is_over

    supervise(play, *plan("any_significant").children, auto_shutdown="any_significant")
