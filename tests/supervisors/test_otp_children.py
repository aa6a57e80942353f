"""Erlang's supervisor suite: children by hand, and what their restart types mean."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast_otp import ABNORMAL, ENDS, KILLED, NORMAL, RESTARTS, Player, Scene, child, supervise
from tests.rehearsal import LOCAL
from understudy import Actor, ActorStartError, Supervisor, open_runtime, wait_ready
from understudy.supervisors.errors import (
    AlreadyPresent,
    AlreadyStarted,
    NotFound,
    StillRunning,
    SupervisorNotFound,
    Unsupported,
)


def test_a_child_is_administered_through_its_whole_life() -> None:
    """child_adm"""

    async def play(scene: Scene) -> None:
        sup = scene.sup
        assert (await scene.counts(), await scene.states()) == ([1, 1, 0, 1], {"a": "running"})
        with pytest.raises(AlreadyStarted) as error:
            await sup.start_child(child("a"))
        assert error.value.handle == scene.actor("a")
        for _ in range(2):
            await sup.terminate_child("a")
            assert (await scene.counts(), await scene.states()) == ([1, 0, 0, 1], {"a": "undefined"})
        with pytest.raises(AlreadyPresent):
            await sup.start_child(child("a"))
        assert await sup.restart_child("a") == scene.actor("a")
        assert await scene.counts() == [1, 1, 0, 1]
        for refused in (sup.restart_child("a"), sup.delete_child("a")):
            with pytest.raises(StillRunning):
                await refused
        await sup.terminate_child("a")
        await sup.delete_child("a")
        assert await scene.counts() == [0, 0, 0, 0]
        for missing in (sup.restart_child("a"), sup.terminate_child("a"), sup.delete_child("a")):
            with pytest.raises(NotFound):
                await missing
        assert await sup.start_child(child("a")) is not None

    supervise(play, child("a"))


def test_what_is_no_id_and_no_handle_names_no_child() -> None:
    """child_adm: a pid is no id"""

    async def play(scene: Scene) -> None:
        with pytest.raises(TypeError, match="a child is named by its id or its handle, not by 3"):
            await scene.sup.terminate_child(3)  # type: ignore[arg-type]

    supervise(play, child("a"))


def test_a_supervisor_that_is_not_there_says_so() -> None:
    """child_adm: noproc"""

    async def play(scene: Scene) -> None:
        nobody = scene.runtime.supervisor("nobody")
        for call in (nobody.which_children, nobody.count_children):
            with pytest.raises(SupervisorNotFound, match="no supervisor is at 'nobody'; there are '', 'sup'"):
                await call()
        with pytest.raises(SupervisorNotFound):
            await nobody.start_child(child("a"))

    supervise(play)


def test_dynamic_children_are_administered_by_handle() -> None:
    """child_adm_simple"""

    async def play(scene: Scene) -> None:
        sup = scene.sup
        assert await scene.counts() == [1, 0, 0, 0]
        first, second = await sup.start_child(), await sup.start_child()
        assert await scene.counts() == [1, 2, 0, 2]
        foreign: Any = await Player.start("else")
        with pytest.raises(NotFound):
            await sup.terminate_child(foreign)
        assert await foreign.ping() == ("else",)
        for refused in (sup.restart_child(first), sup.delete_child(first)):
            with pytest.raises(Unsupported, match="which is dynamic"):
                await refused
        await sup.terminate_child(first)
        assert await scene.counts() == [1, 1, 0, 1]
        with pytest.raises(NotFound):
            await sup.terminate_child(first)
        assert await second.ping() == ("d",)

    supervise(play, template=Player.child("d"))


@pytest.mark.parametrize("restart", RESTARTS)
@pytest.mark.parametrize("how", ENDS)
def test_the_restart_type_and_the_end_decide(restart: Any, how: str) -> None:
    """permanent_normal, transient_normal, temporary_normal, ..._shutdown, ..._abnormal"""
    after = {
        "permanent": [1, 1, 0, 1],
        "transient": [1, 0, 0, 1] if how == NORMAL else [1, 1, 0, 1],
        "temporary": [0, 0, 0, 0],
    }

    async def play(scene: Scene) -> None:
        await scene.end("a", how)
        assert await scene.counts() == after[restart]
        if after[restart][1]:
            assert scene.incarnation("a") == 2
        elif restart == "transient":
            assert await scene.states() == {"a": "undefined"}
            await scene.sup.restart_child("a")
            assert await scene.actor("a").ping() == ("a",)
        else:
            await scene.sup.start_child(child("a", restart="temporary"))
            assert await scene.counts() == [1, 1, 0, 1]

    supervise(play, child("a", restart=restart))


def test_the_cause_of_a_failing_start_is_intact_at_the_top() -> None:
    """faulty_application_shutdown"""

    class Faulty(Actor, executor=LOCAL):
        def __init__(self) -> None:
            try:
                raise OSError("the disk")
            except OSError as error:
                raise ValueError("the database") from error

    async def main() -> None:
        tree = Supervisor(Supervisor(Faulty.options(id="f").child(), id="in"), id="top")
        with pytest.raises(
            ActorStartError, match=r"in did not start: .*f did not start: .*ValueError"
        ) as error:
            async with open_runtime(tree):
                raise AssertionError("it opened")
        cause = error.value.__cause__
        assert isinstance(cause, ValueError)
        assert isinstance(cause.__cause__, OSError)

    trio.run(main)


@pytest.mark.parametrize("strategy", ["one_for_all", "rest_for_one"])
def test_a_temporary_bystander_is_stopped_and_forgotten(strategy: str) -> None:
    """temporary_bystander"""

    async def play(scene: Scene) -> None:
        await scene.end("a", ABNORMAL)
        assert await scene.states() == {"a": "running"}
        assert scene.ended == ["a", "b"]
        assert scene.started[-1] == "a"

    assert not supervise(play, child("a"), child("b", restart="temporary"), strategy=strategy).gave_up


WAYS = ("terminate", *ENDS)


@pytest.mark.parametrize("strategy", ["one_for_one", "rest_for_one", "one_for_all"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("restart", RESTARTS)
def test_the_id_of_a_temporary_child_is_free_again_and_of_no_other(
    strategy: str, way: str, restart: Any
) -> None:
    """do_not_save_child_specs_for_temporary_children"""

    async def play(scene: Scene) -> None:
        if way == "terminate":
            await scene.sup.terminate_child("a")
        else:
            await scene.end("a", way)
        again = scene.sup.start_child(child("a", restart=restart))
        if restart == "temporary":
            assert await again is not None
        elif (restart == "permanent" and way != "terminate") or way in (ABNORMAL, KILLED):
            with pytest.raises(AlreadyStarted):
                await again
        else:
            with pytest.raises(AlreadyPresent):
                await again

    supervise(play, child("a", restart=restart), strategy=strategy)


def test_the_arguments_of_a_temporary_child_are_not_kept() -> None:
    """do_not_save_start_parameters_for_temporary_children"""

    async def play(scene: Scene) -> None:
        for restart in RESTARTS:
            await scene.sup.start_child(child(restart, b"x" * 1000, restart=restart))
            await scene.end(restart, KILLED)
        node = scene.runtime.house.nodes["sup"]
        assert list(node.children) == list(node.core.children) == ["permanent", "transient"]
        assert not any("temporary" in path for path in scene.runtime.house.registry.paths)

    supervise(play)


def test_a_name_that_somebody_else_holds_is_told_and_hurts_nobody() -> None:
    """already_started_outside_supervisor"""

    async def play(scene: Scene) -> None:
        await Player.options(name="taken").start("else")
        with pytest.raises(Exception, match="the name 'taken' is held by 'taken'"):
            await scene.sup.start_child(child("b", name="taken"))
        assert await scene.states() == {"a": "running"}

    supervise(play, child("a"))


@pytest.mark.parametrize("dynamic", [False, True])
def test_one_child_is_shown_as_all_are(dynamic: bool) -> None:
    """which_children, which_children_simple_one_for_one"""

    async def play(scene: Scene) -> None:
        handle = await scene.sup.start_child(None if dynamic else child("a"))
        await wait_ready(handle)
        assert [await scene.sup.which_child(handle)] == await scene.sup.which_children()
        await scene.sup.terminate_child(handle)
        if dynamic:
            with pytest.raises(NotFound):
                await scene.sup.which_child(handle)
        else:
            assert [await scene.sup.which_child("a")] == await scene.sup.which_children()
            await scene.sup.delete_child("a")
            with pytest.raises(NotFound):
                await scene.sup.which_child("a")

    supervise(play, template=Player.child("d") if dynamic else None)


def test_the_log_of_a_child_that_is_added_and_ends_has_no_restart() -> None:
    """external_start_no_progress_log: what is started for a client is told to the client"""

    async def play(scene: Scene) -> None:
        Player.moods["a"] = ["fail"]
        with pytest.raises(ActorStartError):
            await scene.sup.start_child(child("a"))
        assert scene.started == []

    supervise(play)
