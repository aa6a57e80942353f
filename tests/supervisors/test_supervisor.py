"""Live trees: who is started, stopped, restarted and given up, and in which order."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from tests.cast import Faller
from tests.rehearsal import LOCAL, QUIET, held, rehearse, run
from understudy import (
    Actor,
    ActorDiedError,
    ActorStartError,
    ActorUnavailableError,
    Runtime,
    Supervisor,
    TreeFailedError,
    get_actor,
    kill,
    method,
    open_runtime,
    statistics,
)
from understudy.actors.events import ActorDied, ActorEnded, ActorReady, ActorStarting, Event
from understudy.supervisors.events import ChildRestarting, SupervisorGaveUp

settled = trio.testing.wait_all_tasks_blocked


class Moody(Actor, executor=LOCAL):
    """Starts as often as it is allowed, by name."""

    allowed: dict[str, int] = {}  # noqa: RUF012

    def __init__(self, name: str) -> None:
        left = Moody.allowed.get(name)
        if left is not None:
            if left == 0:
                raise ValueError(f"{name} will not start")
            Moody.allowed[name] = left - 1

    @method
    def ping(self) -> str:
        return "pong"

    @method
    def crash(self) -> None:
        raise SystemExit(1)

    @method
    def leave(self) -> None:
        raise SystemExit(0)


@pytest.fixture(autouse=True)
def _all_may_start() -> None:
    Moody.allowed.clear()


def child(name: str, **options: Any) -> Any:
    return Moody.options(id=name, **options).child(name)


def told(events: list[Any], kind: type[Event]) -> list[str]:
    return [event.actor for event in events if isinstance(event, kind)]


def listen(runtime: Runtime) -> list[Any]:
    heard: list[Any] = []
    runtime.house.stream.listeners.append(heard.append)
    return heard


def actor(name: str) -> Any:
    return get_actor(name, Moody)


def test_children_start_in_order_and_stop_in_reverse_supervisors_included() -> None:
    tree = Supervisor(child("a"), Supervisor(child("x"), child("y"), id="in"), child("z"))
    heard: list[Any] = []

    async def scene(runtime: Runtime) -> None:
        states = [statistics(actor(name)).state for name in ("a", "in/x", "in/y", "z")]
        assert states == ["ready"] * 4
        heard.append(listen(runtime))

    rehearse(scene, tree)
    assert told(heard[0], ActorEnded) == ["z", "in/y", "in/x", "a"]
    assert set(told(heard[0], ActorDied)) == {"z", "in/y", "in/x", "a"}


def test_a_later_child_finds_an_earlier_one_ready() -> None:
    found: list[str] = []

    class Later(Actor, executor=LOCAL):
        def __init__(self) -> None:
            found.append("started")

        @method
        def ping(self) -> None: ...

    tree = Supervisor(Faller.options(executor=QUIET, id="slow").child(), Later.child())

    async def scene(runtime: Runtime) -> None:
        assert found == ["started"]
        assert await get_actor("slow", Faller).add() == 1

    rehearse(scene, tree)


def test_a_child_that_crashes_is_restarted_alone() -> None:
    tree = Supervisor(child("a"), child("b"), child("c"))

    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        with pytest.raises(ActorUnavailableError):
            await actor("b").crash()
        assert await actor("b").ping() == "pong"
        assert told(held(events), ActorStarting) == ["b"]
        assert [event.restarts for event in held(events, ChildRestarting)] == [1]
        assert [statistics(actor(name)).incarnation for name in "abc"] == [1, 2, 1]

    rehearse(scene, tree)


@pytest.mark.parametrize(
    ("restart", "how", "state"),
    [
        ("permanent", "leave", "ready"),
        ("permanent", "crash", "ready"),
        ("transient", "leave", "down"),
        ("transient", "crash", "ready"),
        ("temporary", "leave", "dead"),
        ("temporary", "crash", "dead"),
    ],
)
def test_the_restart_type_decides_what_follows_an_end(restart: str, how: str, state: str) -> None:
    async def scene(runtime: Runtime) -> None:
        moody = actor("a")
        getattr(moody, how).cast()
        await settled()
        assert statistics(moody).state == state
        if state != "ready":
            with pytest.raises(ActorDiedError) as error:
                await moody.ping()
            assert error.value.safe_to_retry

    rehearse(scene, Supervisor(child("a", restart=restart)))


def test_a_tree_that_fails_ends_the_runtime_and_cancels_its_body() -> None:
    reached: list[str] = []

    async def scene(runtime: Runtime) -> None:
        actor("in/a").crash.cast()
        try:
            await trio.sleep_forever()
        finally:
            reached.append("cancelled")

    tree = Supervisor(Supervisor(child("a"), id="in", intensity=0), intensity=0)
    with pytest.raises(TreeFailedError, match="in ended too often") as error:
        rehearse(scene, tree)
    assert reached == ["cancelled"]
    assert error.value.reason.kind == "error"
    assert "SystemExit" in str(error.value)


def test_a_supervisor_that_gave_up_is_restarted_by_the_one_above() -> None:
    tree = Supervisor(child("a"), Supervisor(child("x"), child("y"), id="in", intensity=0), intensity=2)

    async def scene(runtime: Runtime) -> None:
        heard = listen(runtime)
        actor("in/y").crash.cast()
        await settled()
        assert told(heard, ActorEnded) == ["in/y", "in/x"]
        assert told(heard, ActorReady) == ["in/x", "in/y"]
        assert told(heard, SupervisorGaveUp) == ["in"]
        assert told(heard, ChildRestarting) == ["in"]
        assert await actor("in/y").ping() == "pong"
        assert statistics(actor("a")).incarnation == 1

    rehearse(scene, tree)


def test_calls_to_a_subtree_wait_while_it_restarts() -> None:
    tree = Supervisor(Supervisor(child("x"), child("y"), id="in", intensity=0), intensity=2)

    async def scene(runtime: Runtime) -> None:
        x, y = actor("in/x"), actor("in/y")
        y.crash.cast()
        refs = [y.ping.remote(), x.ping.remote()]
        for ref in refs:
            assert await ref == "pong"

    rehearse(scene, tree)


def test_a_subtree_whose_restart_fails_is_given_up_again_and_again_until_the_tree_fails() -> None:
    tree = Supervisor(Supervisor(child("x"), child("y"), id="in", intensity=0), intensity=2)

    async def scene(runtime: Runtime) -> None:
        Moody.allowed["y"] = 0
        actor("in/y").crash.cast()
        await trio.sleep_forever()

    with pytest.raises(TreeFailedError, match="y did not start"):
        rehearse(scene, tree)


def test_a_child_killed_while_its_subtree_restarts_does_not_hold_up_the_others() -> None:
    class Slow(Faller, executor=QUIET):
        pass

    tree = Supervisor(
        Supervisor(child("a"), Slow.options(id="slow").child(), child("z"), id="in", intensity=0), intensity=2
    )

    async def scene(runtime: Runtime) -> None:
        z, slow = actor("in/z"), get_actor("in/slow")
        actor("in/a").crash.cast()
        while statistics(slow).state != "starting" or statistics(slow).incarnation < 2:  # noqa: ASYNC110
            await trio.sleep(0.002)
        await kill(slow)
        assert await z.ping() == "pong"

    rehearse(scene, tree)


def test_a_start_that_fails_rolls_the_tree_back_and_raises_at_open() -> None:
    Moody.allowed["y"] = 0
    tree = Supervisor(child("a"), Supervisor(child("x"), child("y"), child("never"), id="in"), child("z"))

    async def play() -> None:
        with pytest.raises(ActorStartError, match="y will not start") as error:
            async with open_runtime(tree):
                raise AssertionError("it opened")
        assert error.value.reason.kind == "error"
        assert isinstance(error.value.__cause__, ValueError)

    run(play)


def test_nested_supervisors_may_be_empty_and_deep() -> None:
    tree = Supervisor(id="s0")
    for depth in range(1, 20):
        tree = Supervisor(tree, child(f"c{depth}"), id=f"s{depth}")

    async def scene(runtime: Runtime) -> None:
        assert await actor("c19").ping() == "pong"
        assert await actor("s18/s17/s16/c16").ping() == "pong"

    rehearse(scene, tree)


def test_a_killed_child_of_a_tree_is_gone_and_the_tree_goes_on() -> None:
    async def scene(runtime: Runtime) -> None:
        await kill(actor("a"))
        assert "  a  Moody" not in runtime.tree()
        assert await actor("b").ping() == "pong"
        await kill(actor("b"))
        assert runtime.tree().splitlines()[0].startswith("tree")

    rehearse(scene, Supervisor(child("a"), child("b")))


def test_intensity_is_a_matter_of_time() -> None:
    async def scene(runtime: Runtime) -> None:
        moody = actor("a")
        for _ in range(10):
            moody.crash.cast()
            await trio.sleep(3)
        assert statistics(moody).incarnation == 11

    rehearse(scene, Supervisor(child("a"), intensity=2, within=5.0), virtual=True, seconds=100)


def test_giving_up_a_dynamic_actor_ends_that_actor_only() -> None:
    async def scene(runtime: Runtime) -> None:
        first, second = await Moody.start("x"), await Moody.start("y")
        for _ in range(4):
            first.crash.cast()
            await settled()
        assert statistics(first).state == "dead"
        assert await second.ping() == "pong"

    rehearse(scene)


def test_ending_an_actor_that_is_dead_spares_the_one_that_has_its_id_now() -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Faller.options(executor=LOCAL, id="x")
        first: Any = await kind.start()
        await kill(first)
        second = await kind.start()
        runtime.dynamic.terminate(first._life)
        runtime.dynamic.terminate(first._life, first._life.last_reason)
        await settled()
        assert statistics(second).state == "ready"
        assert await second.add() == 1

    rehearse(scene)
