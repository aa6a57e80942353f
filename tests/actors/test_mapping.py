"""A map: many calls, so many at a time; results in order or as they come; errors at their place."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import trio

from tests.cast_pools import Member
from tests.rehearsal import LOCAL, held, pending_everywhere, rehearse
from understudy import ActorDiedError, Pool, Runtime, TaskError, kill, statistics
from understudy.actors.events import FailureUnseen

LocalMember = Member.options(executor=LOCAL)


def test_results_come_in_the_order_of_the_items() -> None:
    async def scene(runtime: Runtime) -> None:
        for members in (await LocalMember.start(), await Pool(LocalMember.child(), 3).start()):
            async with members.double.map(range(5000)) as doubles:
                assert [n async for n in doubles] == [2 * n for n in range(5000)]
            async with members.both.starmap([(1, "a"), (2, "b")]) as texts:
                assert [text async for text in texts] == ["a", "bb"]

    rehearse(scene)


@pytest.mark.slow
def test_without_order_they_come_as_they_end() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2).start()
        await members.path.broadcast()
        async with members.sleep.map([0.5, 0.01, 0.01], ordered=False) as paths:
            found = [path async for path in paths]
        assert found[0] == found[1] != found[2]

    rehearse(scene)


def test_items_may_be_endless_and_are_taken_as_results_are() -> None:
    async def scene(runtime: Runtime) -> None:
        member = await LocalMember.start()
        taken = itertools.count()
        async with member.double.map((next(taken) for _ in itertools.count()), window=10) as doubles:
            first = [await anext(doubles) for _ in range(20)]
        assert first == [2 * n for n in range(20)]
        assert next(taken) <= 30
        assert pending_everywhere(runtime) == []

    rehearse(scene)


def test_no_more_than_the_window_is_under_way() -> None:
    async def scene(runtime: Runtime) -> None:
        member = await Member.start()
        async with member.sleep.map([30] * 10, window=3):
            assert statistics(member).pending == 3

    rehearse(scene)


def test_an_error_is_raised_at_its_position_and_cancels_the_rest() -> None:
    async def scene(runtime: Runtime) -> None:
        member = await LocalMember.start()
        doubles = member.double.map([1, 2, -3, 4, 5])
        assert [await anext(doubles), await anext(doubles)] == [2, 4]
        with pytest.raises(ValueError, match="-3 is below 0"):
            await anext(doubles)
        assert [n async for n in doubles] == []

    rehearse(scene)


def test_an_error_may_be_an_item_like_any_other() -> None:
    async def scene(runtime: Runtime) -> None:
        member = await LocalMember.start()
        async with member.double.map([1, -2, 3], errors="return") as doubles:
            first, error, last = [n async for n in doubles]
        assert (first, last) == (2, 6)
        assert isinstance(error, TaskError)
        assert isinstance(error, ValueError)

    rehearse(scene)


def test_what_cannot_be_called_is_an_error_at_its_position() -> None:
    async def scene(runtime: Runtime) -> None:
        member: Any = await LocalMember.start()
        async with member.both.starmap([(1, "a"), (1,), (2, "b")], errors="return") as texts:
            first, error, last = [text async for text in texts]
        assert (first, last) == ("a", "bb")
        assert isinstance(error, TypeError)

    rehearse(scene)


@pytest.mark.parametrize("errors", ["raise", "return"])
def test_what_the_items_raise_comes_after_the_results_before_it(errors: Any) -> None:
    def items() -> Any:
        yield 1
        raise OSError("the disk is gone")

    async def scene(runtime: Runtime) -> None:
        member = await LocalMember.start()
        doubles = member.double.map(items(), errors=errors)
        assert await anext(doubles) == 2
        with pytest.raises(OSError, match="the disk is gone"):
            await anext(doubles)

    rehearse(scene)


def test_leaving_early_cancels_what_is_under_way_and_tells_of_failures_nobody_saw() -> None:
    async def scene(runtime: Runtime) -> None:
        member = await LocalMember.start()
        async with runtime.events() as events:
            async with member.double.map([1, 2, -3]) as doubles:
                assert await anext(doubles) == 2
                await trio.testing.wait_all_tasks_blocked()
            assert [event.method for event in held(events, FailureUnseen)] == ["double"]
        async with (await Member.start()).sleep.map([30] * 5):
            pass
        assert pending_everywhere(runtime) == []

    rehearse(scene)


@pytest.mark.slow
def test_a_wait_that_is_cancelled_loses_no_result() -> None:
    async def scene(runtime: Runtime) -> None:
        member = await Member.start()
        async with member.sleep.map([0.2, 0]) as paths:
            with trio.move_on_after(0.01) as scope:
                await anext(paths)
            assert scope.cancelled_caught
            assert len([path async for path in paths]) == 2

    rehearse(scene)


def test_a_waiting_task_is_told_when_another_closes_the_map() -> None:
    async def scene(runtime: Runtime) -> None:
        paths = (await Member.start()).sleep.map([30])
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _() -> None:
                assert [path async for path in paths] == []

            await trio.testing.wait_all_tasks_blocked(0.01)
            with pytest.raises(trio.BusyResourceError):
                await anext(paths)
            await paths.aclose()
            await paths.aclose()

    rehearse(scene)


def test_a_dead_actor_ends_a_map() -> None:
    async def scene(runtime: Runtime) -> None:
        member = await LocalMember.start()
        await kill(member)
        with pytest.raises(ActorDiedError):
            await anext(member.double.map([1]))

    rehearse(scene)


@pytest.mark.parametrize(
    ("options", "text"), [({"window": 0}, "window must be"), ({"errors": "skip"}, "errors must be")]
)
def test_a_bad_option_is_refused(options: dict[str, Any], text: str) -> None:
    async def scene(runtime: Runtime) -> None:
        member = await LocalMember.start()
        with pytest.raises(ValueError, match=text):
            member.double.map([1], **options)

    rehearse(scene)


def test_items_that_come_by_async_for_are_refused_and_the_way_is_named() -> None:
    async def items() -> Any:
        yield 1

    async def scene(runtime: Runtime) -> None:
        member: Any = await LocalMember.start()
        for method in (member.double.map, member.both.starmap):
            with pytest.raises(TypeError, match="collect them first"):
                method(items())

    rehearse(scene)
