"""Names: namespaces, `get_if_exists`, `lifetime`, and when a name is free."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from tests.cast import Faller, Player, Starter
from tests.rehearsal import BOTH, LOCAL, NAMES, rehearse
from understudy import (
    ActorAlreadyExistsError,
    ActorNotFoundError,
    ActorStartError,
    Runtime,
    Supervisor,
    get_actor,
    kill,
    statistics,
    wait_ready,
)
from understudy.actors.verbs import life_of

Quick = Faller.options(executor=LOCAL)
Same = Quick.options(name="same", get_if_exists=True)
each = pytest.mark.parametrize("executor", BOTH, ids=NAMES)


# -- namespaces --------------------------------------------------------------------------------------


def test_a_name_is_unique_in_its_namespace() -> None:
    async def scene(runtime: Runtime) -> None:
        plain = await Quick.options(name="n").start(1)
        blue = await Quick.options(name="n", namespace="blue").start(2)
        red = await Quick.options(name="n", namespace="red").start(3)
        assert [await actor.add(0) for actor in (plain, blue, red)] == [1, 2, 3]
        assert await get_actor("n", Faller).add(0) == 1
        assert await get_actor("n", Faller, namespace="blue").add(0) == 2
        assert await runtime.get_actor("n", namespace="red").add(0) == 3
        with pytest.raises(
            ActorAlreadyExistsError, match="the name 'n' in the namespace 'blue' is held by 'blue:n'"
        ):
            Quick.options(name="n", namespace="blue").remote()

    rehearse(scene)


def test_a_name_of_another_namespace_is_not_found_but_hinted_at() -> None:
    async def scene(runtime: Runtime) -> None:
        await Quick.options(name="ann", namespace="blue").start()
        with pytest.raises(
            ActorNotFoundError,
            match="no actor is named 'ann' or lives there; there is one in the namespace 'blue'",
        ):
            get_actor("ann")
        with pytest.raises(
            ActorNotFoundError, match="no actor is named 'anne' in the namespace 'blue'; did you mean 'ann'"
        ):
            get_actor("anne", namespace="blue")
        with pytest.raises(
            ActorNotFoundError, match="in the namespace 'red'; there is one in the namespace 'blue'"
        ):
            get_actor("ann", namespace="red")

    rehearse(scene)


def test_a_path_is_of_no_namespace() -> None:
    tree = Supervisor(Quick.options(id="a", name="n", namespace="blue").child())

    async def scene(runtime: Runtime) -> None:
        assert await get_actor("a", Faller).add() == 1
        assert await get_actor("n", Faller, namespace="blue").add() == 2
        with pytest.raises(ActorNotFoundError):
            get_actor("a", namespace="blue")

    rehearse(scene, tree)


@pytest.mark.parametrize("value", ["a/b", 3, None])
def test_a_namespace_is_a_text_without_a_slash(value: Any) -> None:
    with pytest.raises(ValueError, match="namespace must be a text without '/', not"):
        Quick.options(namespace=value)


# -- get_if_exists -----------------------------------------------------------------------------------


@each
def test_get_if_exists_starts_an_actor_once(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Faller.options(executor=executor, name="one", get_if_exists=True)
        first = kind.remote(10)
        assert await first.add() == 11
        assert await kind.remote(50).add() == 12  # its own arguments are not used
        assert await (await kind.start(50)).add() == 13
        assert life_of(first) is life_of(kind.remote())

    rehearse(scene)


def test_get_if_exists_looks_in_its_namespace() -> None:
    async def scene(runtime: Runtime) -> None:
        first = await Same.start()
        other = await Same.options(namespace="blue").start()
        assert life_of(first) is not life_of(other)
        assert life_of(await Same.options(namespace="blue").start()) is life_of(other)

    rehearse(scene)


def test_a_name_held_by_another_class_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        await Player.options(executor=LOCAL, name="same").start()
        with pytest.raises(
            ActorAlreadyExistsError,
            match="the name 'same' is held by 'same', which is a Player and no Faller",
        ):
            Same.remote()
        with pytest.raises(ActorAlreadyExistsError, match="which is a Player and no Faller"):
            await Same.start()

    rehearse(scene)


def test_get_if_exists_needs_a_name() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ValueError, match=r"write .options\(name=..., get_if_exists=True\)"):
            Quick.options(get_if_exists=True).remote()

    rehearse(scene)


def test_get_if_exists_after_its_death_starts_another() -> None:
    async def scene(runtime: Runtime) -> None:
        first = await Same.start()
        await first.add()
        await kill(first)
        second = await Same.start()
        assert await second.add() == 1
        assert life_of(first) is not life_of(second)

    rehearse(scene)


def test_get_if_exists_waits_out_a_restart_and_a_start() -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Starter.options(name="starter", get_if_exists=True)
        handles: list[Any] = []

        async def start() -> None:
            handles.append(await kind.start())

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(start)
        assert len({life_of(handle) for handle in handles}) == 1
        await kill(handles[0], no_restart=False)
        assert await (await kind.start()).ping() == "well"
        assert statistics(handles[0]).incarnation == 2

    rehearse(scene)


def test_who_gives_up_waiting_for_an_existing_actor_does_not_end_it() -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Starter.options(name="starter", get_if_exists=True)
        first = kind.remote()
        with trio.CancelScope() as scope:
            scope.cancel()
            await kind.start()
        await wait_ready(first)
        assert await first.ping() == "well"

    rehearse(scene)


def test_an_existing_actor_that_does_not_start_fails_all_who_wait() -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Starter.options(name="starter", get_if_exists=True, max_restarts=0)
        failed: list[ActorStartError] = []

        async def start() -> None:
            try:
                await kind.start("raise")
            except ActorStartError as error:
                failed.append(error)

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(start)
        assert len(failed) == 3
        assert await (await kind.start("well")).ping() == "well"

    rehearse(scene)


# -- when a name is free -----------------------------------------------------------------------------


@each
def test_a_name_is_free_when_its_actor_has_left(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Faller.options(executor=executor, name="n", namespace="blue")
        for _ in range(3):
            faller = await kind.start()
            faller.leave.cast()
            while statistics(faller).state != "dead":
                await life_of(faller).wait_changed()
        assert await (await kind.start()).add() == 1

    rehearse(scene)


@each
def test_a_name_is_held_while_its_actor_restarts(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Faller.options(executor=executor, name="n", crash_on=(ValueError,))
        faller = await kind.start()
        with pytest.raises(ValueError, match="crash"):
            await faller.fail(ValueError("crash"))
        assert life_of(get_actor("n")) is life_of(faller)
        with pytest.raises(ActorAlreadyExistsError):
            kind.remote()
        assert await faller.add() == 1
        assert statistics(faller).incarnation == 2

    rehearse(scene)


def test_a_name_is_free_when_its_actor_gave_up() -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Starter.options(name="n", max_restarts=0)
        with pytest.raises(ActorStartError):
            await kind.start("raise")
        assert await (await kind.start()).ping() == "well"

    rehearse(scene)


@pytest.mark.parametrize(
    ("option", "value", "meaning"),
    [("lifetime", "forever", "'detached' or None"), ("get_if_exists", 1, "True or False")],
)
def test_what_options_of_names_may_be_is_checked(option: str, value: Any, meaning: str) -> None:
    with pytest.raises(ValueError, match=f"{option} must be {meaning}, not {value!r}"):
        Quick.options(**{option: value})
