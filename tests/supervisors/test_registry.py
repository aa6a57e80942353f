"""Names and paths."""

from __future__ import annotations

import pytest

from tests.cast import Faller, Player
from tests.rehearsal import LOCAL, rehearse, run
from understudy import (
    ActorAlreadyExistsError,
    ActorNotFoundError,
    NoRuntimeError,
    Runtime,
    Supervisor,
    get_actor,
    kill,
    open_runtime,
)

Quick = Faller.options(executor=LOCAL)


def tree() -> Supervisor:
    return Supervisor(
        Quick.options(id="a", name="ann").child(),
        Supervisor(Quick.options(id="b").child(), id="inner"),
        id="ignored",
    )


def test_actors_are_found_by_name_or_path() -> None:
    async def scene(runtime: Runtime) -> None:
        assert await get_actor("ann", Faller).add() == 1
        assert await get_actor("a", Faller).add() == 2
        assert await get_actor("inner/b", Faller).add() == 1
        assert await runtime.get_actor("ann").add() == 3

    rehearse(scene, tree())


def test_a_name_that_nobody_has_is_answered_with_the_nearest() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(
            ActorNotFoundError, match=r"no actor is named 'anne' or lives there; did you mean 'ann'\?"
        ):
            get_actor("anne")
        with pytest.raises(ActorNotFoundError, match="there are a, ann, inner/b"):
            get_actor("zzzzzz")

    rehearse(scene, tree())


def test_an_actor_whose_name_is_its_id_is_told_of_once() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorNotFoundError, match=r"there are b, s$"):
            get_actor("zzzzzz")

    rehearse(scene, Supervisor(Quick.options(id="s", name="s").child(), Quick.options(id="b").child()))


def test_an_empty_house_says_so() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorNotFoundError, match="there are none"):
            get_actor("x")

    rehearse(scene)


def test_a_name_or_id_that_is_held_is_refused_and_the_holder_named() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(
            ActorAlreadyExistsError, match="the name 'ann' is held by 'a'; kill it, or take another"
        ):
            Quick.options(name="ann").remote()
        with pytest.raises(
            ActorAlreadyExistsError, match="there is an actor at 'a' already; give this one another id"
        ):
            Quick.options(id="a").remote()
        assert set(runtime.house.registry.paths) == {"a", "inner/b"}

    rehearse(scene, tree())


def test_a_plan_with_one_name_twice_is_refused_when_the_runtime_opens() -> None:
    async def play() -> None:
        plan = Supervisor(Quick.options(id="a", name="n").child(), Quick.options(id="b", name="n").child())
        with pytest.raises(ActorAlreadyExistsError, match="the name 'n' is held by 'a'"):
            async with open_runtime(plan):
                raise AssertionError("it opened")

    run(play)


def test_a_name_is_held_across_restarts_and_free_after_death() -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Quick.options(name="n")
        faller = await kind.start()
        await kill(faller, no_restart=False)
        with pytest.raises(ActorAlreadyExistsError):
            kind.remote()
        await kill(faller)
        assert await kind.remote().add() == 1

    rehearse(scene)


def test_actors_without_a_name_are_numbered() -> None:
    async def scene(runtime: Runtime) -> None:
        first, second = await Quick.start(), await Player.options(executor=LOCAL).start()

        assert repr(first).startswith("<Faller 'faller-1'")
        assert repr(second).startswith("<Player 'player-2'")

    rehearse(scene)


def test_after_the_runtime_there_is_nobody_to_ask() -> None:
    async def play() -> None:
        async with open_runtime() as runtime:
            await Quick.options(name="n").start()
        with pytest.raises(NoRuntimeError, match=r"write: async with open_runtime\(\)"):
            get_actor("n")
        with pytest.raises(ActorNotFoundError):
            runtime.get_actor("n")

    run(play)
