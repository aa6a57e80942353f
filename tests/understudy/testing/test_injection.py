"""Faults on order: they are real, they are on record, and no message is blamed for them."""

import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.rehearsal import rehearse
from understudy import (
    Actor,
    Handle,
    Local,
    Pool,
    Process,
    Runtime,
    Thread,
    current_call,
    get_actor,
    kill,
    method,
    open_runtime,
    statistics,
)
from understudy.actors.events import ActorEnded, ActorReady, Event
from understudy.testing import (
    Crash,
    FakeExecutor,
    Hang,
    Injection,
    InjectionError,
    Injector,
    Leave,
    Slow,
    Stall,
    StartFails,
    inject,
    injected,
    quiet,
)


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
        with pytest.raises(InjectionError, match="does not run now, it is dead"):
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


# -- faults as values --------------------------------------------------------------------------------


class Everywhere(Actor, max_restarts=-1):
    @method
    def pid(self) -> int:
        return os.getpid()


EXECUTORS: dict[str, Any] = {
    "local": Local(),
    "thread": Thread(),
    "process": Process(stderr="keep", stopped_timeout=0.1),
    "fake": FakeExecutor(),
}
everywhere = pytest.mark.parametrize(
    "executor",
    [
        pytest.param(executor, id=name, marks=pytest.mark.slow if name == "process" else ())
        for name, executor in EXECUTORS.items()
    ],
)


def on_stage(
    executor: Any,
    body: Callable[[Runtime, Handle[Everywhere]], Awaitable[None]],
    virtual: bool = False,
    **options: Any,
) -> None:
    async def scene(runtime: Runtime) -> None:
        await body(runtime, await Everywhere.options(executor=executor, **options).start())

    rehearse(scene, virtual=virtual)


@everywhere
def test_a_crash_ends_the_incarnation_and_the_handle_goes_on(executor: Any) -> None:
    async def body(runtime: Runtime, actor: Handle[Everywhere]) -> None:
        await actor.pid()
        injection = inject(actor, Crash())
        assert (injection.fault, injection.incarnation) == (Crash(), 1)
        await quiet(runtime)
        await actor.pid()
        assert statistics(actor).incarnation == 2

    on_stage(executor, body)


@everywhere
def test_a_hang_answers_nothing_until_the_actor_is_killed(executor: Any) -> None:
    async def body(runtime: Runtime, actor: Handle[Everywhere]) -> None:
        await actor.pid()
        inject(actor, Hang())
        ref = actor.pid.remote()
        await trio.sleep(0.05)
        assert not ref.done
        await kill(actor, no_restart=False)
        await ref
        await actor.pid()
        assert statistics(actor).incarnation == 2

    on_stage(executor, body, max_task_retries=1)


@everywhere
def test_a_stall_is_over_after_its_time_and_nobody_has_died(executor: Any) -> None:
    async def body(runtime: Runtime, actor: Handle[Everywhere]) -> None:
        await actor.pid()
        inject(actor, Stall(0.05))
        await actor.pid()
        assert statistics(actor).incarnation == 1

    on_stage(executor if not isinstance(executor, Process) else Process(stderr="keep"), body)


@pytest.mark.parametrize("executor", [Local(), FakeExecutor()], ids=["local", "fake"])
def test_a_stall_takes_as_long_as_it_says(executor: Any) -> None:
    async def body(runtime: Runtime, actor: Handle[Everywhere]) -> None:
        began = trio.current_time()
        inject(actor, Stall(5.0))
        await actor.pid()
        assert trio.current_time() - began == pytest.approx(5.0)

    on_stage(executor, body, virtual=True)


@everywhere
def test_what_leaves_is_started_again_where_its_restart_type_says_so(executor: Any) -> None:
    async def body(runtime: Runtime, actor: Handle[Everywhere]) -> None:
        await actor.pid()
        async with runtime.events() as events:
            inject(actor, Leave())
            async for event in events:
                if isinstance(event, ActorEnded):
                    assert (event.reason.kind, event.reason.ordered) == ("shutdown", True)
                    break
        await actor.pid()
        assert statistics(actor).incarnation == 2

    on_stage(executor, body, restart="permanent")


def test_slowness_is_for_the_executor_that_can_be_slow() -> None:
    async def fake(runtime: Runtime, actor: Handle[Everywhere]) -> None:
        began = trio.current_time()
        inject(actor, Slow(5.0))
        await actor.pid()
        assert trio.current_time() - began == pytest.approx(5.0)

    async def local(runtime: Runtime, actor: Handle[Everywhere]) -> None:
        with pytest.raises(InjectionError, match=r"Stall\(seconds\) has others stand still"):
            inject(actor, Slow(0.05))

    on_stage(FakeExecutor(), fake, virtual=True)
    on_stage(Local(), local)


@pytest.mark.slow
def test_faults_that_cannot_strike_now_are_refused() -> None:
    async def body(runtime: Runtime, actor: Handle[Everywhere]) -> None:
        with pytest.raises(ValueError, match=r"inject\(\) strikes now; call= is for the plan"):
            inject(actor, Crash(call=1))
        with pytest.raises(InjectionError, match=r"StartFails\(.*\) is for the plan of a FakeExecutor"):
            inject(actor, StartFails())
        with pytest.raises(InjectionError, match="which no exception can reach"):
            inject(actor, Crash(error=ValueError()))

    on_stage(EXECUTORS["process"], body)


def test_a_pool_is_struck_by_its_members() -> None:
    async def main() -> None:
        async with open_runtime():
            pool = await Pool(Everywhere.options(name="pool", executor=Local()).child(), size=2).start()
            with pytest.raises(InjectionError, match=r"get_actor\('pool/0'\)"):
                inject(pool, Crash())
            inject(get_actor("pool/0"), Crash())

    trio.run(main)
