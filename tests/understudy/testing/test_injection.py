"""Faults on order: they are real, they are on record, and no message is blamed for them."""

import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trio

from understudy import (
    Actor,
    Handle,
    Local,
    Process,
    Runtime,
    current_call,
    kill,
    method,
    open_runtime,
    statistics,
)
from understudy.actors.events import ActorEnded, ActorReady, Event
from understudy.testing import Injection, InjectionError, Injector, inject, injected


class Patient(
    Actor, executor=Process(stderr="keep", stopped_timeout=0.1), max_restarts=-1, max_task_retries=1
):
    """Its first attempt at `hold` waits to be killed; the next one answers."""

    @method
    def hold(self, mark: str) -> int:
        attempt = current_call().attempt
        Path(mark).write_text(str(attempt))
        while attempt < 4:
            time.sleep(0.01)
        return attempt

    @method
    def ping(self) -> str:
        return "pong"


class Neighbour(Actor, executor=Local()):
    @method
    def ping(self) -> str:
        return "pong"


def with_patient(body: Callable[[Runtime, Handle[Patient]], Awaitable[None]]) -> None:
    async def main() -> None:
        async with open_runtime() as runtime:
            await body(runtime, await Patient.start())

    trio.run(main)


async def appears(mark: Path, text: str) -> None:
    file = trio.Path(mark)
    while not await file.exists() or await file.read_text() != text:  # noqa: ASYNC110 - another process writes it
        await trio.sleep(0.01)


async def ready_again(events: AsyncIterator[Event]) -> None:
    async for event in events:
        if isinstance(event, ActorReady):
            return


@pytest.mark.slow
@pytest.mark.parametrize("fault", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_a_message_is_not_blamed_for_injected_deaths_however_many(
    fault: signal.Signals, tmp_path: Path
) -> None:
    seen: list[object] = []

    async def body(runtime: Runtime, patient: Handle[Patient]) -> None:
        mark = tmp_path / "mark"
        reply = patient.hold.remote(str(mark))
        for attempt in (1, 2, 3):  # more deaths than max_task_retries allows a message that is to blame
            await appears(mark, str(attempt))
            inject(patient, fault)
        seen.extend([await reply, list(runtime.dead_letters)])

    with_patient(body)

    assert seen == [4, []]


@pytest.mark.slow
def test_the_end_of_a_stopped_process_counts_as_ordered_though_another_signal_kills_it() -> None:
    reasons: list[tuple[str, bool, int | None]] = []

    async def body(runtime: Runtime, patient: Handle[Patient]) -> None:
        async with runtime.events() as events:
            inject(patient, "SIGSTOP")
            async for event in events:
                if isinstance(event, ActorEnded):
                    reasons.append((event.reason.kind, event.reason.ordered, event.reason.status))
                    return

    with_patient(body)

    assert reasons == [("unreachable", True, -signal.SIGKILL)]


def test_the_record_tells_which_incarnation_got_which_signal() -> None:
    injector = Injector()

    async def body(runtime: Runtime, patient: Handle[Patient]) -> None:
        async with runtime.events() as events:
            injector.inject(patient, "kill")
            await ready_again(events)
        injector.inject(patient, 9)

    with_patient(body)

    found = [(one.actor, one.incarnation, one.signal) for one in injector.injected]
    assert found == [("patient-1", 1, signal.SIGKILL), ("patient-1", 2, signal.SIGKILL)]


def test_the_shared_injector_keeps_what_inject_did_in_one_list() -> None:
    sent: list[Injection] = []

    async def body(runtime: Runtime, patient: Handle[Patient]) -> None:
        sent.append(inject(patient, signal.SIGKILL))

    with_patient(body)

    assert injected[-1:] == sent


def test_an_incarnation_that_was_hit_cannot_be_hit_again_by_one_who_asks_first() -> None:
    injector = Injector()
    answers: list[bool] = []

    async def body(runtime: Runtime, patient: Handle[Patient]) -> None:
        answers.append(injector.can_inject(patient))
        async with runtime.events() as events:
            injector.inject(patient, signal.SIGKILL)
            answers.append(injector.can_inject(patient))
            await ready_again(events)
        answers.append(injector.can_inject(patient))

    with_patient(body)

    assert answers == [True, False, True]


def test_an_actor_without_a_process_of_its_own_is_refused_by_name() -> None:
    async def main() -> None:
        async with open_runtime():
            neighbour = await Neighbour.start()
            with pytest.raises(InjectionError, match=r"neighbour-1 runs in this very process"):
                inject(neighbour, signal.SIGKILL)
            assert await neighbour.ping() == "pong"
            assert not Injector().can_inject(neighbour)

    trio.run(main)


def test_an_actor_that_has_no_process_now_is_refused_with_its_state() -> None:
    async def body(runtime: Runtime, patient: Handle[Patient]) -> None:
        await kill(patient)
        assert statistics(patient).pid == 0
        with pytest.raises(InjectionError, match="has no process now, it is dead"):
            inject(patient, signal.SIGKILL)

    with_patient(body)


def test_what_is_no_handle_and_what_is_no_signal_is_refused() -> None:
    async def body(runtime: Runtime, patient: Handle[Patient]) -> None:
        with pytest.raises(TypeError, match="takes the handle of an actor"):
            inject(object(), signal.SIGKILL)
        with pytest.raises(ValueError, match="'SIGNOTHING' is no signal"):
            inject(patient, "SIGNOTHING")
        with pytest.raises(ValueError, match="999"):
            inject(patient, 999)
        assert await patient.ping() == "pong"

    with_patient(body)
