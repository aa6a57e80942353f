"""Inside a method: which call, which actor, and the way out."""

from __future__ import annotations

import contextlib
import os
from typing import Any

import pytest

from tests.rehearsal import LOCAL, QUIET, rehearse
from understudy import (
    Actor,
    DeadlockError,
    Runtime,
    TaskError,
    current_actor,
    current_call,
    get_actor,
    method,
)
from understudy.actors.events import FailureUnseen
from understudy.actors.spawner import open_spawner


class Self(Actor, executor=LOCAL):
    @method
    def call_myself(self) -> None:
        current_actor().describe()

    @method
    def describe(self) -> tuple[str, str]:
        return repr(current_call()), repr(current_actor())

    @method
    def cast_on(self, other: Any) -> int:
        other.fall.cast()
        return current_call().id

    @method
    def nested(self, other: Any) -> int:
        ref = other.describe.remote()
        assert not ref.done
        return current_call().id

    @method
    def fall(self) -> None:
        raise ValueError("fell")


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_call_to_oneself_is_refused_with_what_to_write(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        myself = await Self.options(executor=executor, id="me").start()
        with pytest.raises(
            TaskError, match=r"me would wait for itself: inside the actor call self.describe\(...\)"
        ) as error:
            await myself.call_myself()
        assert isinstance(error.value, DeadlockError)

    rehearse(scene)


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_call_and_actor_describe_themselves(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        myself = await Self.options(executor=executor, id="me").start()
        ref = myself.describe.remote()

        assert await ref == (f"<call {ref.id} describe() attempt 1>", "<myself, 'me', incarnation 1>")

    rehearse(scene)


def test_a_message_sent_from_a_method_names_the_call_it_was_sent_from() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        first, second = await Self.start(), await Self.start()
        id = await first.cast_on(second)
        async for event in events:
            if isinstance(event, FailureUnseen):
                assert event.parent_id == id
                break

    rehearse(scene)


def test_outside_again_after_each_call() -> None:
    async def scene(runtime: Runtime) -> None:
        myself = await Self.start()
        for call in (myself.describe, myself.fall):
            with contextlib.suppress(TaskError):
                await call()
            with pytest.raises(RuntimeError, match="no call runs here"):
                current_call()

    rehearse(scene)


def test_a_ctrl_c_in_a_local_method_ends_the_runtime_and_leaves_no_call_behind() -> None:
    class Broken(Actor, executor=LOCAL):
        @method
        def break_off(self) -> None:
            raise KeyboardInterrupt

    async def scene(runtime: Runtime) -> None:
        await (await Broken.start()).break_off()

    with pytest.raises(KeyboardInterrupt):
        rehearse(scene)
    with pytest.raises(RuntimeError, match="no call runs here"):
        current_call()


def test_without_a_runtime_one_is_told_what_to_write() -> None:
    for use in (open_spawner, Self.remote, lambda: get_actor("x")):
        with pytest.raises(
            RuntimeError, match=r"no runtime is open here; write: async with open_runtime\(\)"
        ):
            use()


def test_a_guest_gets_nothing_of_the_environment() -> None:
    class Looking(Actor, executor=QUIET):
        @method
        def environ(self) -> dict[str, str]:
            return dict(os.environ)

    async def scene(runtime: Runtime) -> None:
        found = await Looking.remote().environ()
        assert set(found) <= {"LC_CTYPE"}

    rehearse(scene)
