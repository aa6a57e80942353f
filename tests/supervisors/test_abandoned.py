"""What was started by `.remote()` without a name, and cannot be reached any more, is stopped; anything else is not."""

from __future__ import annotations

import gc
import warnings
from typing import Any

import pytest
import trio

from tests.cast_nested import Leaf, Passer
from tests.rehearsal import LOCAL, QUIET, rehearse, until
from understudy import Runtime, Thread, blocking, get, get_actor, monitor, open_scope
from understudy.supervisors.abandoned import ActorAbandoned

pytestmark = pytest.mark.filterwarnings("always::ResourceWarning")


def alive(runtime: Runtime) -> list[str]:
    return [path for path, life in runtime.house.registry.paths.items() if life.state != "dead"]


async def stays(runtime: Runtime, path: str) -> bool:
    """Is it there after all that might look has looked?"""
    gc.collect()
    await trio.sleep(0.1)
    return path in alive(runtime)


async def use_one(runtime: Runtime) -> None:
    """Start an actor, use it, and forget its handle; returns when it is gone."""
    assert await (await Leaf.start()).add(1, 1) == 2
    await until(lambda: not alive(runtime))


@pytest.mark.slow
def test_one_whose_handle_is_gone_is_stopped_with_a_warning() -> None:
    """Malt promises it in its documentation; there the handle is never gone."""

    async def scene(runtime: Runtime) -> None:
        async with runtime.events() as events:
            with pytest.warns(ResourceWarning, match=r"leaf-1 was stopped: it has no name"):
                await use_one(runtime)
            told = [event for event in events.held if isinstance(event, ActorAbandoned)]
        assert [event.actor for event in told] == ["leaf-1"]

    rehearse(scene)


@pytest.mark.slow
def test_what_it_was_given_is_done_first() -> None:
    async def scene(runtime: Runtime) -> None:
        with warnings.catch_warnings(record=True):
            ref = Leaf.remote().nap.remote(0.2)
            assert await stays(runtime, "leaf-1")
            assert await ref == "slept"
            del ref
            await until(lambda: not alive(runtime))
            Leaf.remote().nap.cast(0.3)
            await until(lambda: "leaf-2" in alive(runtime))
            await until(lambda: not alive(runtime))
        assert not runtime.dead_letters

    rehearse(scene)


def of_a_name() -> Any:
    return Leaf.options(name="leaf")


def of_an_id() -> Any:
    return Leaf.options(id="leaf")


def detached() -> Any:
    return Leaf.options(lifetime="detached")


def local() -> Any:
    return Leaf.options(executor=LOCAL)


def threaded() -> Any:
    return Leaf.options(executor=Thread())


@pytest.mark.slow
@pytest.mark.parametrize("options", [of_a_name, of_an_id, detached, local, threaded])
def test_others_stay(options: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await options().start()
        (path,) = alive(runtime)
        assert await stays(runtime, path)

    rehearse(scene)


@pytest.mark.slow
def test_whoever_can_still_reach_it_keeps_it() -> None:
    async def scene(runtime: Runtime) -> None:
        kept: list[Any] = [(await Leaf.start()).add]
        assert await stays(runtime, "leaf-1")
        kept.append(Leaf.remote().add.options(timeout=5.0))
        assert await stays(runtime, "leaf-2")
        kept.append(Leaf.remote().add.cast)
        assert await stays(runtime, "leaf-3")
        kept.append({"deep": [await Leaf.start()]})
        assert await stays(runtime, "leaf-4")
        watch = monitor(await Leaf.start())
        assert await stays(runtime, "leaf-5")
        await Leaf.start()
        again = get_actor("leaf-6", Leaf)
        assert await stays(runtime, "leaf-6")
        assert await get(again.add.remote(1, 2)) == 3
        watch.close()

    rehearse(scene)


@pytest.mark.slow
def test_one_whose_handle_has_travelled_stays() -> None:
    async def scene(runtime: Runtime) -> None:
        passer = await Passer.options(name="passer", executor=QUIET).start()
        assert await passer.use(await Leaf.start()) == 2
        path = next(path for path in alive(runtime) if path.startswith("leaf"))
        assert await stays(runtime, path)

    rehearse(scene)


@pytest.mark.slow
def test_one_of_a_scope_may_end_before_it() -> None:
    async def scene(runtime: Runtime) -> None:
        async with open_scope():
            with pytest.warns(ResourceWarning):
                await use_one(runtime)

    rehearse(scene)


@pytest.mark.slow
def test_handles_of_other_threads_hold_it_as_well() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with blocking.open_runtime() as runtime:
            leaf = Leaf.remote()
            assert blocking.call(leaf.add, 1, 1) == 2
            add = leaf.add
            del leaf
            gc.collect()
            assert blocking.call(add, 2, 2) == 4
            assert "leaf-1" in runtime.tree()
            del add
            while "leaf-1" in runtime.tree():
                pass
    assert [str(one.message)[:6] for one in told if one.category is ResourceWarning] == ["leaf-1"]


def test_closing_a_runtime_is_no_reason_to_warn() -> None:
    async def scene(runtime: Runtime) -> None:
        leaf = await Leaf.start()
        assert await leaf.add(1, 1) == 2

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rehearse(scene)
        gc.collect()
