"""`put`: one value for many calls, encoded once, sent to each process once, forgotten when its last ref is."""

from __future__ import annotations

import gc
import pickle
from typing import Any

import pytest
import trio

from tests.cast_refs import Taker
from tests.rehearsal import BOTH, LOCAL, NAMES, QUIET, rehearse, until
from understudy import (
    Bounds,
    NoRuntimeError,
    ObjectRef,
    Process,
    Runtime,
    Unsendable,
    cancel,
    get,
    kill,
    open_scope,
    put,
    wait,
)
from understudy.actors.verbs import life_of
from understudy.transports.links.socket import SocketLink

UNTRUSTED = Process(stderr="keep", trusted=False)
each = pytest.mark.parametrize("executor", [*BOTH, UNTRUSTED], ids=[*NAMES, "untrusted"])


class Counted:
    """Counts how often it is pickled."""

    pickled = 0

    def __reduce__(self) -> Any:
        Counted.pickled += 1
        return dict, ({"counted": True},)


def known(handle: Any) -> set[Any]:
    incarnation: Any = life_of(handle).incarnation
    return {key for key in incarnation.belongings.keys if isinstance(key, int)}


@each
def test_a_put_value_is_what_the_callee_gets(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=executor).start()
        words, number = put(["a", "b"]), put(7)
        assert await taker.take(words) == ["a", "b"]
        assert await taker.pair.remote(words, second=number) == [["a", "b"], 7]
        taker.take.cast(number)
        assert (await taker.taken())[-1] == 7

    rehearse(scene)


def test_a_put_ref_is_a_ref_like_any_other() -> None:
    async def scene(runtime: Runtime) -> None:
        value = [1]
        ref = put(value)
        assert ref.done
        assert await ref is value
        assert await get(ref) is value
        assert await get((ref, put("two"))) == (value, "two")
        assert await wait([ref]) == ([ref], [])
        await ref.wait_done()
        assert not cancel(ref)
        assert repr(ref) == f"<ObjectRef of <value {ref.id}: list>>"
        with pytest.raises(TypeError, match="an ObjectRef cannot travel"):
            pickle.dumps(ref)

    rehearse(scene)


def test_it_is_encoded_once_for_all_calls_and_processes() -> None:
    async def scene(runtime: Runtime) -> None:
        Counted.pickled = 0
        first, second = await Taker.start(), await Taker.start()
        ref: ObjectRef[Any] = put(Counted())
        assert Counted.pickled == 1
        refs = [taker.take.remote(ref) for taker in (first, second) for _ in range(10)]
        assert await get(refs) == [{"counted": True}] * 20
        assert Counted.pickled == 1

    rehearse(scene)


def test_it_is_sent_to_a_process_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    send = SocketLink.send

    def noted(link: SocketLink, message: bytes) -> None:
        sent.append(len(message))
        send(link, message)

    monkeypatch.setattr(SocketLink, "send", noted)

    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        ref = put(b"x" * 100_000)
        assert await get([taker.take.remote(ref) for _ in range(10)]) == [b"x" * 100_000] * 10
        assert [size // 100_000 for size in sent if size > 50_000] == [1]

    rehearse(scene)


def test_the_result_of_a_call_is_sent_to_a_process_once_too() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        ref = taker.take.remote([1, 2])
        await get([taker.take.remote(ref) for _ in range(10)])
        assert len(known(taker)) == 1

    rehearse(scene)


def test_what_is_changed_after_put_is_not_changed_for_processes() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        value = [1]
        ref = put(value)
        value.append(2)
        assert await taker.take(ref) == [1]

    rehearse(scene)


@pytest.mark.parametrize("executor", [QUIET, UNTRUSTED], ids=["process", "untrusted"])
def test_each_call_has_a_copy_of_its_own(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=executor).start()
        ref = put([1, 2])
        assert [await taker.change(ref.as_argument) for _ in range(3)] == [3, 3, 3]

    rehearse(scene)


def test_it_is_forgotten_everywhere_when_the_last_ref_is() -> None:
    async def scene(runtime: Runtime) -> None:
        first, second = await Taker.start(), await Taker.start()
        ref: Any = put([1])
        other = put([2])
        for taker in (first, second):
            await taker.take(ref)
            await taker.take(other)
            assert await taker.stored() == 2
        again, ref = ref, None
        gc.collect()
        assert await first.take(again) == [1]
        again = None
        gc.collect()
        await until(lambda: len(known(first)) == len(known(second)) == 1)
        assert (await first.stored(), await second.stored()) == (1, 1)
        assert await first.take(other) == [2]
        assert again is ref

    rehearse(scene)


def test_a_call_that_waits_keeps_the_value_though_the_ref_is_gone() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        busy = taker.nap.remote(0.05)
        ref: Any = taker.take.remote(put([1, 2]))
        gc.collect()
        assert await ref == [1, 2]
        await busy

    rehearse(scene)


def test_a_new_incarnation_gets_it_anew() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        ref = put([1])
        assert await taker.take(ref) == [1]
        await kill(taker, no_restart=False)
        assert await taker.take(ref) == [1]
        assert len(known(taker)) == 1

    rehearse(scene)


def test_refs_dropped_in_another_thread_are_forgotten_too() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()
        refs = [put([1])]
        await taker.take(refs[0])
        await trio.to_thread.run_sync(refs.clear)
        await until(lambda: not known(taker))
        assert await taker.stored() == 0

    rehearse(scene)


def test_what_a_guest_cannot_import_is_put_by_value() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.start()

        def double(n: int) -> int:
            return 2 * n

        back = await taker.take(put(double))
        assert back(4) == 8

    rehearse(scene)


def test_what_cannot_be_pickled_is_refused_at_once() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(Unsendable, match=r"put\(\) takes what can travel, and generator cannot") as error:
            put(n for n in range(3))
        assert error.value.safe_to_retry

    rehearse(scene)


def test_a_value_larger_than_a_process_takes_fails_the_call() -> None:
    async def scene(runtime: Runtime) -> None:
        narrow = await Taker.options(executor=Process(stderr="keep", bounds=Bounds(max_bytes=1000))).start()
        ref = put(b"x" * 2000)
        with pytest.raises(Unsendable, match=r"the values of refs take 2,\d+ bytes and the limit is 1,000"):
            await narrow.take(ref)
        assert await (await Taker.start()).take(ref) == b"x" * 2000

    rehearse(scene)


def test_a_scope_that_ends_leaves_put_values_alone() -> None:
    async def scene(runtime: Runtime) -> None:
        async with open_scope() as scope:
            ref = put([1])
            scope.adopt(ref)
        assert await ref == [1]
        assert await (await Taker.options(executor=LOCAL).start()).take(ref) == [1]

    rehearse(scene)


def test_there_is_nothing_to_put_it_into_without_a_runtime() -> None:
    with pytest.raises(NoRuntimeError):
        put(1)


def test_a_ref_that_outlives_its_runtime_is_harmless() -> None:
    kept: list[Any] = []

    async def scene(runtime: Runtime) -> None:
        kept.append(put([1]))
        await (await Taker.start()).take(kept[0])

    rehearse(scene)
    kept.clear()
    gc.collect()
