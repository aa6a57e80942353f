"""What one asks of a running supervisor, and what it answers."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from tests.rehearsal import LOCAL, rehearse
from understudy import (
    Actor,
    ActorAlreadyExistsError,
    ActorStartError,
    Runtime,
    Supervisor,
    exit_actor,
    get_actor,
    interrupt,
    method,
)
from understudy.supervisors.errors import (
    AlreadyPresent,
    AlreadyStarted,
    NotFound,
    StillRunning,
    SupervisorNotFound,
    TooManyChildren,
    Unsupported,
)
from understudy.supervisors.handle import Counts

settled = trio.testing.wait_all_tasks_blocked


class Member(Actor, executor=LOCAL):
    """Starts unless it is told not to."""

    moods: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, name: str = "", *more: Any) -> None:
        self.name, self.more = name, more
        mood = Member.moods.get(name)
        if mood == "fail":
            raise ValueError("not today")
        if mood == "decline":
            exit_actor()

    @method
    def ping(self) -> tuple[Any, ...]:
        return (self.name, *self.more)

    @method
    def crash(self) -> None:
        raise SystemExit(1)


@pytest.fixture(autouse=True)
def _good_moods() -> None:
    Member.moods.clear()


def member(name: str, **options: Any) -> Any:
    return Member.options(id=name, **options).child(name)


async def states(handle: Any) -> dict[str, str]:
    return {info.id: info.state for info in await handle.which_children()}


def test_a_child_goes_through_its_whole_life_by_hand() -> None:
    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        added = await top.start_child(member("b"))
        assert await added.ping() == ("b",)
        with pytest.raises(AlreadyStarted) as error:
            await top.start_child(member("b"))
        assert error.value.handle == added
        await top.terminate_child("b")
        await top.terminate_child("b")
        assert await states(top) == {"b": "undefined", "a": "running"}
        assert await top.count_children() == Counts(2, 1, 0, 2)
        with pytest.raises(AlreadyPresent):
            await top.start_child(member("b"))
        assert await top.restart_child("b") == added
        assert await added.ping() == ("b",)
        for refused in (top.restart_child("b"), top.delete_child("b")):
            with pytest.raises(StillRunning):
                await refused
        await top.terminate_child(added)
        await top.delete_child("b")
        for missing in (
            top.terminate_child("b"),
            top.restart_child("b"),
            top.delete_child("b"),
            top.get_childspec("b"),
        ):
            with pytest.raises(NotFound):
                await missing

    rehearse(scene, Supervisor(member("a")))


def test_a_start_that_fails_raises_and_leaves_nothing() -> None:
    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        Member.moods["b"] = "fail"
        with pytest.raises(ActorStartError, match="not today"):
            await top.start_child(member("b"))
        assert await top.which_children() == []

    rehearse(scene, Supervisor())


def test_a_child_that_declines_is_kept_unless_it_is_temporary() -> None:
    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        Member.moods["b"] = Member.moods["c"] = "decline"
        assert await top.start_child(member("b")) is None
        assert await top.start_child(member("c", restart="temporary")) is None
        assert await states(top) == {"b": "undefined"}

    rehearse(scene, Supervisor())


def test_supervisors_can_be_added_and_addressed() -> None:
    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        inner = await top.start_child(Supervisor(member("x"), id="in"))
        assert inner == runtime.supervisor("in")
        assert await get_actor("in/x", Member).ping() == ("x",)
        assert await inner.count_children() == Counts(1, 1, 0, 1)
        assert await top.count_children() == Counts(1, 1, 1, 0)
        await top.terminate_child(inner)
        assert await states(inner) == {"x": "undefined"}
        with pytest.raises(SupervisorNotFound):
            await inner.start_child(member("y"))
        await top.restart_child("in")
        assert await get_actor("in/x", Member).ping() == ("x",)
        await top.terminate_child("in")
        await top.delete_child("in")
        with pytest.raises(SupervisorNotFound, match="no supervisor is at 'in'; there are ''"):
            await inner.which_children()

    rehearse(scene, Supervisor())


def test_a_template_gives_as_many_children_as_there_may_be() -> None:
    async def scene(runtime: Runtime) -> None:
        workers = runtime.supervisor("workers")
        first = await workers.start_child(args=(1,))
        second = await workers.start_child(args=(2,), id="second")
        assert [await first.ping(), await second.ping()] == [("w", 1), ("w", 2)]
        with pytest.raises(TooManyChildren):
            await workers.start_child()
        assert await workers.count_children() == Counts(1, 2, 0, 2)
        for refused in (workers.restart_child("second"), workers.delete_child("second")):
            with pytest.raises(Unsupported):
                await refused
        await workers.terminate_child(first)
        assert [info.id for info in await workers.which_children()] == ["second"]

    rehearse(scene, Supervisor(Supervisor(template=Member.child("w"), max_children=2, id="workers")))


def test_an_interrupt_reaches_all_that_runs_below() -> None:
    class Sleeper(Actor, executor=LOCAL):
        @method
        async def sleep(self) -> None:
            await trio.sleep_forever()

    tree = Supervisor(Sleeper.options(id="a").child(), Supervisor(Sleeper.options(id="b").child(), id="in"))

    async def scene(runtime: Runtime) -> None:
        refs = [get_actor(path, Sleeper).sleep.remote() for path in ("a", "in/b")]
        await settled()
        assert await interrupt(runtime.supervisor())
        assert all(ref.done for ref in refs)
        for ref in refs:
            with pytest.raises(Exception, match="interrupted"):
                await ref
        assert not await interrupt(runtime.supervisor())

    rehearse(scene, tree)


def test_new_flags_and_specs_are_taken_on_in_place() -> None:
    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        new = Supervisor(member("c"), member("a", restart="temporary"), intensity=0)
        await top.update(new)
        assert await states(top) == {"b": "running", "a": "running", "c": "undefined"}
        get_actor("a", Member).crash.cast()
        await settled()
        assert "a" not in await states(top)
        assert await (await top.restart_child("c")).ping() == ("c",)

    rehearse(scene, Supervisor(member("a"), member("b")))


def test_an_update_that_does_not_fit_changes_nothing() -> None:
    class Other(Actor, executor=LOCAL):
        pass

    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        with pytest.raises(ValueError, match="would change its class or executor"):
            await top.update(Supervisor(member("b"), Other.options(id="a").child()))
        assert await states(top) == {"a": "running"}

    rehearse(scene, Supervisor(member("a")))


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"id": "x/y"}, ValueError, "id must be a text without '/'"),
        ({"id": ""}, ValueError, "id must be a text without '/'"),
        ({"id": 5}, TypeError, "id must be a text without '/'"),
        ({"id": b"q"}, TypeError, "id must be a text without '/'"),
        ({"id": ("t",)}, TypeError, "id must be a text without '/'"),
        ({"args": (1,)}, TypeError, "a child has its own"),
        ({"kwargs": {"x": 1}}, TypeError, "a child has its own"),
        ({"args": "text"}, TypeError, "args must be a tuple"),
        ({"kwargs": [1]}, TypeError, "kwargs must be a dict"),
    ],
)
def test_a_start_that_cannot_be_is_refused_and_the_tree_goes_on(given: Any, error: Any, text: str) -> None:
    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        with pytest.raises(error, match=text):
            await top.start_child(member("b"), **given)
        assert await states(top) == {"a": "running"}

    rehearse(scene, Supervisor(member("a")))


def test_a_nested_start_whose_name_is_taken_leaves_nothing_behind() -> None:
    async def scene(runtime: Runtime) -> None:
        top = runtime.supervisor()
        with pytest.raises(ActorAlreadyExistsError):
            await top.start_child(
                Supervisor(member("b"), Member.options(id="c", name="taken").child(), id="in")
            )
        await top.start_child(Supervisor(member("b"), member("c"), id="in"))
        assert await states(top) == {"in": "running", "a": "running"}

    rehearse(scene, Supervisor(Member.options(id="a", name="taken").child()))


class Late(Actor, executor=LOCAL):
    """Takes its time to start."""

    async def on_start(self) -> None:
        await trio.sleep(1.0)

    @method
    async def fall(self) -> None:
        raise SystemExit(1)


def test_a_child_that_is_being_restarted_is_not_counted_as_active() -> None:
    async def scene(runtime: Runtime) -> None:
        handle = runtime.supervisor()
        get_actor("late", Late).fall.cast()
        await trio.sleep(0.5)

        assert (await handle.which_child("late")).state == "restarting"
        assert await handle.count_children() == Counts(specs=1, active=0, supervisors=0, workers=1)
        await trio.sleep(1.0)
        assert await handle.count_children() == Counts(specs=1, active=1, supervisors=0, workers=1)

    rehearse(scene, Supervisor(Late.options(id="late").child()), virtual=True)
