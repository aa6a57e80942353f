"""Refs as arguments: the callee gets their values, and the call keeps its place in the mailbox."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from tests.cast_refs import Player, Taker, joined
from tests.rehearsal import BOTH, LOCAL, NAMES, QUIET, held, pending_everywhere, rehearse
from understudy import (
    Actor,
    DependencyError,
    GetTimeoutError,
    ObjectRef,
    Pool,
    Process,
    Runtime,
    TaskCancelledError,
    TaskError,
    Thread,
    Unsendable,
    cancel,
    get,
    kill,
    method,
    open_scope,
    put,
    statistics,
    wait_ready,
)
from understudy.actors.events import FailureUnseen, MessageBuried
from understudy.actors.queues import HeldQueue
from understudy.actors.verbs import life_of

UNTRUSTED = Process(stderr="keep", trusted=False)
each = pytest.mark.parametrize("executor", [*BOTH, Thread()], ids=[*NAMES, "thread"])
everywhere = pytest.mark.parametrize(
    "executor", [*BOTH, Thread(), UNTRUSTED], ids=[*NAMES, "thread", "untrusted"]
)


async def takers(executor: Any, *, source: Any = QUIET) -> tuple[Any, Any]:
    """Who gives a ref, and who is given it."""
    return await Taker.options(executor=source).start(), await Taker.options(executor=executor).start()


# -- the values --------------------------------------------------------------------------------------


@everywhere
def test_a_ref_is_its_value_to_the_callee_by_position_and_by_name(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        two, three = source.take.remote(2), source.take.remote("three")
        assert await taker.take(two) == 2
        assert await taker.take(1, two, named=three) in ((1, 2, "three"), [1, 2, "three"])
        assert await taker.pair.remote(two, second=three) == [2, "three"]
        assert await taker.pair(first=source.take.remote([1]), second=two) == [[1], 2]

    rehearse(scene)


@each
def test_one_ref_may_be_several_arguments_and_of_many_calls(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        ref = source.take.remote([1, 2])
        assert await taker.pair(ref, ref) == [[1, 2], [1, 2]]
        assert await get([taker.take.remote(ref) for _ in range(20)]) == [[1, 2]] * 20

    rehearse(scene)


@each
def test_a_ref_may_be_a_call_to_the_same_actor(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        _, taker = await takers(executor, source=LOCAL)
        ref = taker.take.remote(0)
        for _ in range(100):
            ref = taker.pair.remote(ref)
        assert str(await ref).count("[") == 100

    rehearse(scene)


@each
def test_a_cast_waits_for_its_refs_too(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        taker.take.cast(source.take.remote("a"))
        taker.pair.cast("b", source.take.remote("c"))
        assert await taker.taken() == ["a", ["b", "c"]]

    rehearse(scene)


def test_a_local_actor_gets_the_very_object() -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(LOCAL, source=LOCAL)
        value = [object()]
        assert await taker.take(source.take.remote(value)) is value

    rehearse(scene)


@each
def test_a_ref_inside_an_argument_is_not_looked_for(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        ref = source.take.remote(1)
        if executor in (LOCAL, Thread()):
            assert await taker.take([ref]) == [ref]
        else:
            with pytest.raises(Unsendable, match="an ObjectRef cannot travel; await it and send its value"):
                await taker.take([ref])
        await ref

    rehearse(scene)


def test_the_other_arguments_are_taken_when_the_call_is_made() -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(QUIET)
        slow, others = source.nap.remote(0.05), [1]
        ref = taker.pair.remote(slow, others)
        others.append(2)
        assert await ref == ["woke", [1]]
        with pytest.raises(Unsendable, match=r"an argument of pair\(\) cannot be pickled"):
            taker.pair.remote(source.nap.remote(0.05), (n for n in range(3)))
        with pytest.raises(TypeError, match="missing 1 required"):
            taker.pair.remote(second=slow)

    rehearse(scene)


def test_arguments_that_are_not_plain_travel_beside_refs() -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(QUIET)
        assert await taker.pair({1, 2}, source.take.remote((3, 4))) == [{1, 2}, (3, 4)]
        assert await taker.pair(source.take.remote((3, 4)), {1, 2}) == [(3, 4), {1, 2}]

    rehearse(scene)


# -- the place in the mailbox ------------------------------------------------------------------------


@each
def test_nothing_overtakes_a_call_that_waits_for_its_refs(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        before = taker.take.remote("before")
        late = source.nap.remote(0.05)
        held_up = taker.take.remote(late)
        after = taker.take.remote("after")
        taker.take.cast("cast after")
        assert await before == "before"
        assert not after.done
        assert await taker.taken() == ["before", "woke", "after", "cast after"]
        assert await held_up == "woke"

    rehearse(scene)


@each
def test_awaited_calls_of_other_tasks_do_not_overtake_it_either(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        for _ in range(20):
            await taker.take()  # so that the next would be sent at once, were nothing held
        late = source.nap.remote(0.05)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(taker.take, late)
            await trio.testing.wait_all_tasks_blocked()
            assert not late.done
            nursery.start_soon(taker.take, "after")
        assert (await taker.taken())[20:] == ["woke", "after"]

    rehearse(scene)


@pytest.mark.slow
@each
def test_calls_wait_for_several_refs_whatever_their_order(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        first, taker = await takers(executor)
        second = await Taker.start()
        slow, quick = first.nap.remote(0.05), second.take.remote("quick")
        refs = [taker.pair.remote(slow, quick), taker.take.remote(quick), taker.pair.remote(quick, slow)]
        assert await get(refs) == [["woke", "quick"], "quick", ["quick", "woke"]]
        assert await taker.taken() == [["woke", "quick"], "quick", ["quick", "woke"]]

    rehearse(scene)


@each
def test_a_mailbox_is_an_ordinary_one_again_when_nothing_is_held(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        mailbox = life_of(taker).mailbox
        ref = taker.take.remote(source.nap.remote(0.02))
        assert isinstance(mailbox.queue, HeldQueue)
        await ref
        assert not isinstance(mailbox.queue, HeldQueue)

    rehearse(scene)


@each
def test_what_is_behind_a_held_call_is_done_once(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        _, taker = await takers(executor)
        ref = taker.take.remote(0)
        taker.take.cast(ref)
        for n in range(1, 200):
            taker.pair.cast(n)
        assert await taker.taken() == [0, 0, *([n, 0] for n in range(1, 200))]

    rehearse(scene)


@each
def test_a_held_call_that_is_cancelled_lets_the_others_pass(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        slow = source.nap.remote()
        held_up = taker.take.remote(slow)
        after = taker.take.remote("after")
        assert cancel(held_up)
        assert await after == "after"
        with pytest.raises(TaskCancelledError) as error:
            await held_up
        assert error.value.fate == "never_sent"
        with trio.move_on_after(0.02):
            await taker.take(slow)
        assert await taker.taken() == ["after"]
        assert not slow.done
        assert slow.watcher.listeners == []
        cancel(slow)

    rehearse(scene)


@each
def test_a_held_calls_time_runs_out(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        slow = source.nap.remote()
        with pytest.raises(GetTimeoutError):
            await taker.take.options(timeout=0.02)(slow)
        assert await taker.take("after") == "after"
        cancel(slow)

    rehearse(scene)


@pytest.mark.slow
@each
def test_a_held_call_outlives_a_restart(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        ref = taker.take.remote(source.nap.remote(0.1))
        after = taker.take.remote("after")
        await kill(taker, no_restart=False)
        await wait_ready(taker)
        assert await get([ref, after]) == ["woke", "after"]
        assert await taker.taken() == ["woke", "after"]

    rehearse(scene)


@each
def test_a_held_call_to_an_actor_that_dies_is_told(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        slow = source.nap.remote()
        ref = taker.take.remote(slow)
        taker.take.cast(slow)
        await kill(taker)
        with pytest.raises(Exception, match="is dead") as error:
            await ref
        assert error.value.safe_to_retry  # type: ignore[attr-defined]
        (letter,) = runtime.dead_letters
        assert letter.method == "take"
        cancel(slow)

    rehearse(scene)


def test_a_call_made_early_and_awaited_late_takes_its_place_late() -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(LOCAL)
        slow = source.nap.remote(0.05)
        early = taker.take(slow)
        assert await taker.take("first") == "first"
        assert await early == "woke"
        failing = source.fail.remote()
        early = taker.take(failing)
        await failing.wait_done()
        with pytest.raises(DependencyError):
            await early
        assert await taker.taken() == ["first", "woke"]

    rehearse(scene)


# -- refs that fail ----------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("when", ["pending", "done"])
def test_a_ref_that_failed_fails_the_call_which_never_runs(executor: Any, when: str) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        source, taker = await takers(executor)
        failed = source.fail.remote("no value")
        if when == "done":
            await failed.wait_done()
        ref = taker.pair.remote(1, failed)
        with pytest.raises(
            DependencyError, match=r"pair\(\) to .* was not sent: an argument, .* failed with"
        ) as error:
            await ref
        assert isinstance(error.value.__cause__, TaskError)
        assert isinstance(error.value.__cause__, ValueError)
        assert (error.value.fate, error.value.safe_to_retry) == ("never_sent", True)
        with pytest.raises(DependencyError):
            await taker.take(failed)
        assert await taker.taken() == []
        del failed
        assert held(events, FailureUnseen) == []  # it was seen, by what depended on it

    rehearse(scene)


@each
def test_a_ref_that_is_cancelled_fails_the_call_at_once(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        slow, other = source.nap.remote(), source.nap.remote()
        ref = taker.pair.remote(other, slow)
        after = taker.take.remote("after")
        cancel(slow)
        with pytest.raises(DependencyError) as error:
            await ref
        assert isinstance(error.value.__cause__, TaskCancelledError)
        assert await after == "after"
        cancel(other)

    rehearse(scene)


@each
def test_a_cast_whose_ref_failed_is_an_event(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        source, taker = await takers(executor)
        failed = source.fail.remote()
        taker.take.cast(failed)
        await failed.wait_done()
        assert await taker.taken() == []
        (unseen,) = held(events, FailureUnseen)
        assert isinstance(unseen.error, DependencyError)
        assert statistics(taker).incarnation == 1

    rehearse(scene)


@pytest.mark.slow
def test_one_failure_may_fail_thousands_one_after_another() -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(LOCAL)
        slow = source.nap.remote()
        refs: list[ObjectRef[Any]] = [slow]
        for _ in range(5000):
            refs.append(taker.take.remote(refs[-1]))
        cancel(slow)
        assert all(ref.done for ref in refs)
        with pytest.raises(DependencyError, match="was cancelled by cancel") as error:
            await refs[-1]
        assert isinstance(error.value.__cause__, TaskCancelledError)
        assert len(str(error.value)) < 300
        assert await taker.take("alive") == "alive"

    rehearse(scene)


def test_a_value_that_cannot_travel_further_fails_the_call() -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(QUIET, source=LOCAL)
        with pytest.raises(Unsendable, match="the value of a ref cannot be pickled"):
            await taker.take(source.take.remote(trio.lowlevel.current_task()))
        untrusted = await Taker.options(executor=UNTRUSTED).start()
        with pytest.raises(Unsendable, match="only data travels"):
            await untrusted.take(source.take.remote(object()))
        assert await untrusted.take(source.take.remote([1, 2])) == [1, 2]

    rehearse(scene)


def test_the_runtime_closes_though_calls_are_held() -> None:
    refs: list[ObjectRef[Any]] = []

    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        source, taker = await takers(LOCAL)
        slow = source.nap.remote()
        refs.append(taker.take.remote(slow))
        taker.take.cast(slow)
        taker.take.cast("carried out")
        del events

    rehearse(scene)
    assert refs[0].done


@each
def test_many_held_calls_end_and_leave_nothing(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        refs = [taker.take.remote(source.take.remote(n)) for n in range(500)]
        assert await get(refs) == list(range(500))
        assert await taker.taken() == list(range(500))
        assert pending_everywhere(runtime) == []
        assert not runtime.house.settling

    rehearse(scene)


@each
def test_what_is_retried_is_given_its_values_again(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(executor)
        retried = taker.fail.options(max_task_retries=2, retry_exceptions=True)
        with pytest.raises(ValueError, match="the text"):
            await retried(source.take.remote("the text"))

    rehearse(scene)


def test_the_dead_letter_of_a_call_shows_the_values_of_its_refs() -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        source, taker = await takers(QUIET)
        busy = taker.nap.remote()
        second: ObjectRef[str] = source.take.remote("value")
        taker.pair.cast(put({"a": 1}), second=second)
        await second.wait_done()
        await trio.testing.wait_all_tasks_blocked(0.01)
        await kill(taker)
        (buried,) = held(events, MessageBuried)
        assert (buried.letter.args, buried.letter.kwargs) == (({"a": 1},), {"second": "value"})
        await busy.wait_done()

    rehearse(scene)


def test_streams_take_refs_too() -> None:
    async def scene(runtime: Runtime) -> None:
        source, taker = await takers(QUIET, source=LOCAL)
        async with taker.numbers(source.take.remote(3)) as numbers:
            assert [n async for n in numbers] == [0, 1, 2]

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("executor", [QUIET, Thread()], ids=["process", "thread"])
def test_an_actor_that_runs_several_calls_at_once_begins_none_before_a_held_one(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        source = await Taker.start()
        taker = await Taker.options(executor=executor, max_concurrency=4).start()
        before = taker.nap.remote(0.2)
        late = source.nap.remote(0.05)
        refs = [taker.take.remote(late), taker.take.remote("after"), taker.pair.remote("last", late)]
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert await taker.take.options(timeout=None)("asked while it is held") == "asked while it is held"
        assert late.done
        assert await get(refs) == ["woke", "after", ["last", "woke"]]
        assert await before == "woke"

    rehearse(scene)


# -- what an actor is started with -------------------------------------------------------------------


@each
def test_an_actor_is_started_with_the_values_of_refs(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Player.options(executor=executor)
        source = await Taker.start()
        pending: ObjectRef[int] = source.take.remote(4)
        started = await kind.start(pending.as_argument, step=put(2).as_argument)
        assert await started.add(1) == 6
        assert await kind.remote(put(7).as_argument).add(0) == 7
        await kill(started, no_restart=False)
        assert await started.add(0) == 4

    rehearse(scene)


def test_an_actor_is_not_started_with_what_is_not_there() -> None:
    async def scene(runtime: Runtime) -> None:
        source = await Taker.start()
        slow = source.nap.remote()
        with pytest.raises(
            ValueError, match=r"Player.__init__\(\) is given .* pending; write: await Player.start"
        ):
            Player.remote(slow)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        cancel(slow)
        failed = source.fail.remote()
        with pytest.raises(DependencyError, match=r"an argument, .* failed: failed") as error:
            await Player.start(failed)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert isinstance(error.value.__cause__, ValueError)
        assert runtime.house.registry.paths.keys() == {"taker-1"}

    rehearse(scene)


def test_functions_and_pools_take_refs_too() -> None:
    async def scene(runtime: Runtime) -> None:
        source = await Taker.start()
        word = source.take.remote("wo")
        both: ObjectRef[str] = joined.remote(word.as_argument, second=put("rd").as_argument)
        assert await joined(both.as_argument, "s") == "words"
        pool = await Pool(Taker, size=2).start()
        late = source.nap.remote(0.05)
        refs = [pool.pair.remote(late, n) for n in range(10)]
        assert await get(refs) == [["woke", n] for n in range(10)]
        async with open_scope():
            mine = await Pool(Taker, size=1).start()
            assert await mine.take(put("in a scope")) == "in a scope"
        assert statistics(mine).state == "dead"

    rehearse(scene)


def test_a_held_call_behind_another_of_one_go_waits_in_a_class_with_async_methods_too() -> None:
    class AsyncTaker(Actor, executor=LOCAL):
        @method
        async def take(self, value: Any, seconds: float = 0) -> Any:
            await trio.sleep(seconds)
            return value

    async def scene(_: Runtime) -> None:
        source, taker = await AsyncTaker.start(), await AsyncTaker.start()
        pending = source.take.remote(2, 1)
        first, second = taker.take.remote(1), taker.take.remote(pending)
        assert await get([first, second]) == [1, 2]

    rehearse(scene, virtual=True)
