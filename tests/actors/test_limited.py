"""`max_pending_calls`: what is pending is counted, at every end that a call can have."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import trio

from tests.cast_refs import Taker
from tests.rehearsal import BOTH, LOCAL, NAMES, QUIET, rehearse
from understudy import (
    DependencyError,
    GetTimeoutError,
    PendingCallsLimitExceeded,
    Runtime,
    TaskError,
    cancel,
    get,
    kill,
    statistics,
    wait_ready,
)
from understudy.actors.limited import LimitedMailbox
from understudy.actors.verbs import life_of

each = pytest.mark.parametrize("executor", BOTH, ids=NAMES)


def counted(handle: Any) -> int:
    mailbox = life_of(handle).mailbox
    assert isinstance(mailbox, LimitedMailbox)
    return len(mailbox.accepted)


@each
def test_refs_and_casts_are_refused_at_the_limit_and_accepted_below_it(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=executor, max_pending_calls=3).start()
        for _ in range(3):
            refs = [taker.take.remote(n) for n in range(3)]
            with pytest.raises(
                PendingCallsLimitExceeded, match="has 3 pending calls, its max_pending_calls; await a call"
            ):
                taker.take.remote("too much")
            with pytest.raises(PendingCallsLimitExceeded):
                taker.take.cast("too much")
            assert await get(refs) == [0, 1, 2]
        assert counted(taker) == 0
        assert "too much" not in await taker.taken()

    rehearse(scene)


@each
def test_awaited_calls_wait_instead_and_are_counted(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=executor, max_pending_calls=2).start()
        async with trio.open_nursery() as nursery:
            for n in range(50):
                nursery.start_soon(taker.take, n)
        assert sorted(await taker.taken()) == list(range(50))
        assert counted(taker) == 0

    rehearse(scene)


@each
def test_every_end_of_a_call_is_counted_once(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=executor, max_pending_calls=100).start()
        retried = taker.fail.options(max_task_retries=2, retry_exceptions=True)
        for call in (taker.fail, retried):
            with pytest.raises(TaskError):
                await call()
        ref = taker.take.remote("cancelled")
        assert cancel(ref)
        assert not cancel(ref)
        with pytest.raises(DependencyError):
            await taker.take(ref)
        with trio.CancelScope() as scope:
            scope.cancel()
            await taker.take()
        with contextlib.suppress(GetTimeoutError):
            await taker.take.options(timeout=0)()
        await taker.take()
        assert counted(taker) == statistics(taker).pending == 0
        refs = [taker.take.remote() for _ in range(5)]
        await kill(taker, no_restart=False)
        await wait_ready(taker)
        await get(refs)
        assert counted(taker) == 0
        ref = taker.take.remote()
        await kill(taker)
        await ref.wait_done()
        assert counted(taker) == 0

    rehearse(scene)


def test_what_is_refused_by_a_dead_actor_is_not_counted() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=LOCAL, max_pending_calls=1).start()
        await kill(taker)
        for _ in range(3):
            with pytest.raises(Exception, match="is dead"):
                taker.take.remote()
        assert counted(taker) == 0

    rehearse(scene)


def test_a_coroutine_that_is_not_awaited_is_not_counted() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=LOCAL, max_pending_calls=1).start()
        taker.take("never").close()
        assert await taker.take.remote("once") == "once"

    rehearse(scene)


@pytest.mark.slow
def test_ten_thousand_may_be_pending_without_being_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=QUIET, max_pending_calls=20_000).start()
        looked: list[int] = []
        looking = LimitedMailbox.unfinished

        def noted(self: LimitedMailbox) -> Any:
            looked.append(1)
            return looking(self)

        monkeypatch.setattr(LimitedMailbox, "unfinished", noted)
        refs = [taker.take.remote(n) for n in range(10_000)]
        assert looked == []
        assert counted(taker) == 10_000
        assert (await get(refs))[-1] == 9_999
        assert counted(taker) == 0

    rehearse(scene)


def test_an_actor_without_a_limit_has_an_ordinary_mailbox() -> None:
    async def scene(runtime: Runtime) -> None:
        taker = await Taker.options(executor=LOCAL).start()
        assert not isinstance(life_of(taker).mailbox, LimitedMailbox)

    rehearse(scene)
