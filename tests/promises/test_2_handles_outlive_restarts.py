"""Promise 2: a handle outlives restarts; order is kept; poison is found; nobody is blamed for ordered deaths."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast import Faller, Retried, said
from tests.rehearsal import LOCAL, PAGED, QUIET, held, rehearse
from understudy import ActorUnavailableError, Runtime, get, kill, statistics
from understudy.actors.events import ActorEnded, ActorReady, CallRetried, Event
from understudy.actors.verbs import life_of

Steady = Retried.options(executor=QUIET, max_restarts=-1, max_task_retries=3)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "notes")


def test_messages_arrive_in_the_order_sent_across_restarts(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Steady.start()
        for n in range(60):
            retried.note.cast(path, f"n{n}")
            if n % 20 == 10:
                retried.note_and_die.cast(path, f"x{n}", 1)
        await retried.note(path, "end")

    rehearse(scene)
    expected = []
    for n in range(60):
        expected.append(f"n{n}")
        if n % 20 == 10:
            expected += [f"x{n}", f"x{n}"]  # died under it once; tried again in its place

    assert said(path) == [*expected, "end"]


def test_a_local_call_that_is_retried_keeps_its_place(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Retried.options(executor=LOCAL, max_task_retries=3, retry_exceptions=True).start()
        first = retried.fail.remote(path + "-count", 2)
        later = [retried.note.remote(path, "later")]
        assert await first == 3
        await get(later)

    rehearse(scene)


@pytest.mark.parametrize(("retries", "deaths"), [(1, 2), (3, 4), (100, 4), (-1, 4)])
def test_a_message_that_kills_whoever_takes_it_is_poison_after_at_most_3_retries(
    path: str, retries: int, deaths: int
) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Retried.options(max_restarts=-1, max_task_retries=retries).start()
        ref = retried.die.remote(path, 1000)
        after = retried.note.remote(path + "-after", "unharmed")
        with pytest.raises(ActorUnavailableError) as error:
            await ref
        await after

        assert error.value.fate == ("begun" if PAGED else "unknown")
        (letter,) = runtime.dead_letters
        assert (letter.call_id, letter.cause, letter.method, letter.args) == (
            ref.id,
            "poison",
            "die",
            (path, 1000),
        )
        assert len(letter.deaths) == deaths
        assert {death.status for death in letter.deaths} == {3}

    rehearse(scene)
    assert len(Path(path).read_text()) == deaths
    assert said(path + "-after") == ["unharmed"]


def test_a_poisonous_cast_is_found_too(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Steady.start()
        retried.die.cast(path, 1000)
        assert await retried.fail(path + "-count", 0) == 1
        (letter,) = runtime.dead_letters
        assert (letter.cause, len(letter.deaths)) == ("poison", 4)

    rehearse(scene)


def test_without_retries_a_death_fails_its_call_and_buries_nothing_but_casts(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Retried.options(max_restarts=-1).start()
        with pytest.raises(ActorUnavailableError):
            await retried.die(path, 1)
        assert not runtime.dead_letters
        retried.die.cast(path, 1000)
        await retried.note(path + "-x", "x")
        (letter,) = runtime.dead_letters
        assert letter.cause == "undelivered"

    rehearse(scene)


def test_what_was_sent_and_not_begun_returns_and_runs_once(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Retried.options(max_restarts=-1).start()
        doomed = faller.die.remote(path + "-dead", 1)
        refs = [faller.note.remote(path, str(n)) for n in range(100)]
        with pytest.raises(ActorUnavailableError):
            await doomed
        await get(refs)
        assert statistics(faller).incarnation == 2

    rehearse(scene)
    assert said(path) == [str(n) for n in range(100)]


def test_deaths_that_were_ordered_blame_no_message(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        retried = await Steady.start()
        ref = retried.note_slowly.remote(path, "slow", 0.3)
        for n in range(1, 8):
            while len(said(path)) < n:  # noqa: ASYNC110
                await trio.sleep(0.002)
            await kill(retried, no_restart=False)
        assert await ref == "slow"
        assert ref.call.deaths == ()
        assert not runtime.dead_letters
        assert [event.attempt for event in held(events, CallRetried)] == list(range(2, 9))
        assert all(event.reason.ordered for event in held(events, ActorEnded))

    rehearse(scene)


def test_injected_deaths_are_not_blamed_on_messages(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Steady.start()
        ref = retried.note_slowly.remote(path, "slow", 0.3)
        for n in range(1, 7):
            while len(said(path)) < n:  # noqa: ASYNC110
                await trio.sleep(0.002)
            incarnation: Any = life_of(retried).incarnation
            incarnation.injected = True
            incarnation.process.signal(signal.SIGSEGV)
            number = life_of(retried).number
            while life_of(retried).number == number:  # noqa: ASYNC110
                await trio.sleep(0.002)
        assert await ref == "slow"
        assert not runtime.dead_letters

    rehearse(scene)


def test_calls_made_while_an_actor_is_down_wait_for_its_next_incarnation(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        faller.vanish.cast(3)
        refs = [faller.add.remote() for _ in range(300)]
        assert await get(refs) == list(range(1, 301))

    rehearse(scene)


def test_many_senders_each_keep_their_own_order(path: str) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Steady.start()

        async def sender(name: str) -> None:
            for n in range(30):
                await retried.note(path, f"{name}{n}")

        async with trio.open_nursery() as nursery:
            for name in "abc":
                nursery.start_soon(sender, name)
            for _ in range(3):
                await trio.sleep(0.03)
                await kill(retried, no_restart=False)

    rehearse(scene)
    words = said(path)
    for name in "abc":
        own = [int(word[1:]) for word in words if word[0] == name]
        assert sorted(set(own)) == list(range(30))
        assert own == sorted(own)


def test_nothing_is_sent_before_the_actor_is_ready() -> None:
    """A first call that ends its actor would make the start look failed."""
    sent: list[int] = []

    async def scene(runtime: Runtime) -> None:
        faller = Faller.options(executor=QUIET).remote()

        def on_event(event: Event) -> None:
            if isinstance(event, ActorReady):
                incarnation: Any = life_of(faller).incarnation
                sent.append(incarnation.sent_count)

        runtime.house.stream.listeners.append(on_event)
        assert await faller.add.remote() == 1
        await kill(faller, no_restart=False)
        assert await faller.add() == 1

    rehearse(scene)
    assert sent == [0, 0]
