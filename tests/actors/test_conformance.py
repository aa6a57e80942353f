"""What holds for an actor wherever its code runs, told once for every executor."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel

from tests.cast import Faller, NotHere, Odd, Picky, Player, Retried, Starter, Unpicklable
from tests.rehearsal import BOTH, NAMES, PAGED, QUIET, held, rehearse, until
from understudy import (
    Actor,
    ActorAlreadyExistsError,
    ActorDiedError,
    ActorError,
    ActorNotFoundError,
    ActorStartError,
    ActorUnavailableError,
    Bounds,
    GetTimeoutError,
    Local,
    PendingCallsLimitExceeded,
    Runtime,
    TaskError,
    Thread,
    UnderstudyError,
    Unsendable,
    get,
    get_actor,
    kill,
    method,
    statistics,
    wait,
    wait_ready,
)
from understudy.actors.events import ActorEnded, CallRetried, FailureUnseen

everywhere = pytest.mark.parametrize("executor", [*BOTH, Thread()], ids=(*NAMES, "thread"))


# -- calls, refs, casts ------------------------------------------------------------------------------


@everywhere
def test_calls_refs_and_casts_reach_the_actor_in_order(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start(10)
        ref = player.add.remote(1)
        player.add.cast(2)

        assert await player.add(3, times=2) == 19
        assert await ref == 11
        assert await ref == 11
        assert ref.done

    rehearse(scene)


@everywhere
def test_positional_and_keyword_arguments_arrive_as_they_were_given(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start(1, step=3)

        assert await player.both(1, (2,), a=3, b=[4]) == ((1, (2,)), {"a": 3, "b": [4]})
        assert await player.both() == ((), {})
        assert await player.add() == 4

    rehearse(scene)


VALUES: list[Any] = [
    (1, (2, 3)), {1, 2}, frozenset({3}), {(1, 2): "x"}, 1 << 100, -(1 << 64), "\udc80", 1.5, float("inf"), b"\x00\xff",
    bytearray(b"x"), None, True, [1, [2, (3,)]], {"a": {2: None}}, complex(1, 2), range(3), Path("/x"), Odd, ..., 2**63, "",
]  # fmt: skip


@everywhere
def test_values_keep_their_types_there_and_back(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        for value in VALUES:
            came = await player.echo(value)

            assert came == value
            assert type(came) is type(value)

    rehearse(scene)


@everywhere
def test_functions_travel(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        offset = 5
        double = await player.echo(lambda x: 2 * x + offset)

        assert double(4) == 13

    rehearse(scene)


@everywhere
def test_a_class_of_a_test_file_is_an_actor_too(executor: Any) -> None:
    class Inner(Actor, executor=executor):
        @method
        def square(self, n: int) -> int:
            return n * n

    async def scene(runtime: Runtime) -> None:
        assert await Inner.remote().square(7) == 49

    rehearse(scene)


@everywhere
def test_inside_a_method_one_knows_call_and_actor(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor, name="romeo").start()
        ref = player.who.remote()

        assert await ref == (ref.id, "who", 1, "romeo", 1)

    rehearse(scene)


@everywhere
def test_wrong_arguments_are_refused_where_the_call_is_made_and_nothing_is_sent(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player: Any = await Player.options(executor=executor).start()
        for use in (player.add, player.add.remote, player.add.cast):
            with pytest.raises(TypeError, match=r"Player\.add\(\)"):
                use(1, 2, 3)
        assert statistics(player).pending == 0
        assert await player.add() == 1

    rehearse(scene)


@everywhere
def test_a_call_that_is_never_awaited_warns_and_sends_nothing(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        with pytest.warns(RuntimeWarning, match="never awaited"):
            player.add(5)  # type: ignore[unused-coroutine]
        assert await player.add() == 1

    rehearse(scene)


@everywhere
def test_a_call_cannot_be_awaited_twice(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        call = player.add(5)

        assert await call == 5
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await call
        assert await player.add(0) == 5

    rehearse(scene)


# -- exceptions --------------------------------------------------------------------------------------


async def raised(method: Any, *args: Any) -> Any:
    with pytest.raises(UnderstudyError) as error:
        await method(*args)
    return error.value


@everywhere
def test_an_exception_goes_to_its_caller_and_the_actor_lives(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        await faller.add(3)
        error = await raised(faller.fail, ValueError("no"))

        assert isinstance(error, ValueError)
        assert isinstance(error, TaskError)
        assert error.fate == "begun"
        assert any(
            "Raised in faller-1" in note and f"call {error.call_id}" in note for note in error.__notes__
        )
        assert await faller.add() == 4

    rehearse(scene)


@everywhere
def test_notes_of_the_callee_come_along(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        error = await raised(faller.fail_noted)

        assert error.__notes__[0] == "a note of the callee"
        assert len(error.__notes__) == 2

    rehearse(scene)


@everywhere
def test_an_exception_raised_again_and_again_gathers_no_notes(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        for _ in range(3):
            assert len((await raised(faller.fail_shared)).__notes__) == 1

    rehearse(scene)


@everywhere
def test_an_os_error_keeps_its_number(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        error = await raised(faller.fail_missing)

        assert isinstance(error, FileNotFoundError)
        assert (error.errno, error.filename) == (errno.ENOENT, "/nowhere")
        assert str(error) == "[Errno 2] No such file: '/nowhere'"

    rehearse(scene)


@everywhere
def test_a_group_arrives_as_a_group(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        error = await raised(faller.fail_group)

        assert isinstance(error, ExceptionGroup)
        assert [type(one) for one in error.exceptions] == [ValueError, KeyError]

    rehearse(scene)


@everywhere
@pytest.mark.parametrize(
    ("name", "kind", "text"),
    [
        ("fail_odd", Odd, "odd"),
        ("fail_decoding", UnicodeDecodeError, "invalid start byte"),
        ("fail_surrogate", ValueError, ""),
        ("fail_from", ValueError, "branch"),
        ("fail_slotted", TaskError, "small"),
        ("fail_sealed", TaskError, "sealed"),
        ("fail_picky", TaskError, "this and that"),
        ("fail_unpicklable", TaskError, "stays"),
        ("fail_speechless", TaskError, "cannot be told"),
        ("fail_local", TaskError, "of a function"),
        ("recurse", RecursionError, "maximum recursion depth"),
        ("close_generator", TaskError, "GeneratorExit"),
    ],
)
def test_every_exception_reaches_its_caller_as_well_as_it_can(
    executor: Any, name: str, kind: type, text: str
) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        error = await raised(getattr(faller, name))

        assert isinstance(error, kind)
        assert isinstance(error, TaskError)
        assert text in str(error)
        assert await faller.add() == 1
        assert statistics(faller).incarnation == 1

    rehearse(scene)


def test_in_a_process_what_cannot_be_rebuilt_is_described() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        for name, kind in (("fail_picky", Picky), ("fail_unpicklable", Unpicklable)):
            error = await raised(getattr(faller, name))

            assert (error.cause, error.remote_type) == (None, f"tests.cast.{kind.__name__}")
            assert "Traceback" in error.remote_traceback

    rehearse(scene)


def test_in_a_process_an_interrupt_of_the_users_own_is_an_exception() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        error = await raised(faller.break_off)

        assert error.remote_type == "builtins.KeyboardInterrupt"
        assert await faller.add() == 1

    rehearse(scene)


@everywhere
@pytest.mark.parametrize("name", ["quit", "leave", "leave_through_everything"])
def test_an_end_on_purpose_is_final_and_its_caller_is_told(executor: Any, name: str) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor, name="f").start()
        error = await raised(getattr(faller, name))

        assert type(error) is ActorDiedError
        assert (error.reason.kind, error.fate) == ("normal", "begun")
        with pytest.raises(ActorDiedError) as again:
            await faller.add()
        assert again.value.fate == "never_sent"
        with pytest.raises(ActorNotFoundError):
            get_actor("f")
        assert not runtime.dead_letters

    rehearse(scene)


@everywhere
def test_an_exit_status_other_than_0_is_a_crash(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start(5)
        await faller.add()
        error = await raised(faller.quit, 1)

        assert type(error) is ActorUnavailableError
        assert error.reason.kind == "error"
        assert await faller.add() == 6
        assert statistics(faller).incarnation == 2

    rehearse(scene)


@everywhere
def test_a_cast_that_ends_its_actor_on_purpose_is_no_dead_letter(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        player.leave.cast()
        await until(lambda: statistics(player).state == "dead")
        assert not runtime.dead_letters

    rehearse(scene)


@everywhere
def test_a_cast_that_raises_ends_the_incarnation_and_is_an_event(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        events = runtime.events()
        faller.fail.cast(ValueError("alone"))
        faller.add.cast()

        assert await faller.add() == 2
        assert statistics(faller).incarnation == 2
        (unseen,) = held(events, FailureUnseen)
        assert isinstance(unseen.error, ValueError)
        assert unseen.method == "fail"

    rehearse(scene)


@everywhere
def test_crash_on_ends_the_incarnation_and_the_caller_gets_its_own_exception(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor, crash_on=(LookupError,)).start()
        await faller.add()

        assert isinstance(await raised(faller.fail, ValueError("mild")), ValueError)
        assert await faller.add() == 2
        assert isinstance(await raised(faller.fail, KeyError("grave")), KeyError)
        assert await faller.add() == 1
        assert statistics(faller).incarnation == 2

    rehearse(scene)


# -- deaths of processes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "kind", "text"),
    [
        ("vanish", (0,), "error", "exited with status 0"),
        ("vanish", (3,), "error", "exited with status 3"),
        ("crash", (), "signal", "killed by SIGSEGV"),
        ("signal_self", (), "signal", "killed by SIGKILL"),
        ("signal_self", (6,), "signal", "killed by SIGABRT"),
    ],
)
def test_a_death_under_a_call_is_told_with_reason_and_fate(
    name: str, args: Any, kind: str, text: str
) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        error = await raised(getattr(faller, name), *args)

        assert type(error) is ActorUnavailableError
        assert error.fate == ("begun" if PAGED else "unknown")
        assert (error.reason.kind, error.reason.ordered) == (kind, False)
        assert text in str(error)
        assert not error.safe_to_retry
        assert await faller.add() == 1

    rehearse(scene)


def test_a_segfault_leaves_its_traceback_as_last_words() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()

        assert "Segmentation fault" in str(await raised(faller.crash))
        assert "my last words" in str(await raised(faller.whisper_and_vanish))

    rehearse(scene)


def test_an_exception_whose_rebuilding_kills_is_a_death_at_worst() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        assert isinstance(await raised(faller.fail_trapped), TaskError | ActorError)
        assert await faller.add() == 1

    rehearse(scene)


def iter_nothing() -> Iterator[int]:
    yield from ()


# -- what cannot travel ------------------------------------------------------------------------------


def test_an_argument_that_cannot_travel_fails_its_call_alone() -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=QUIET).start()
        for send in (player.echo, player.echo.remote, player.echo.cast):
            with pytest.raises(Unsendable, match=r"an argument of echo\(\) cannot be pickled") as error:
                send(iter_nothing())
            assert error.value.fate == "never_sent"
            assert error.value.safe_to_retry
        assert await player.add() == 1

    rehearse(scene)


def test_an_argument_that_cannot_be_unpickled_there_fails_its_call_alone() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        assert "fell apart" in str(await raised(faller.echo, NotHere()))
        assert await faller.add() == 1
        assert statistics(faller).incarnation == 1

    rehearse(scene)


@pytest.mark.parametrize("name", ["lock_result", "broken_result"])
def test_a_result_that_cannot_travel_fails_its_call_alone(name: str) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=QUIET).start()
        error = await raised(getattr(faller, name))

        assert isinstance(error, TaskError | Unsendable)
        assert error.fate == "begun"
        assert await faller.add() == 1
        assert statistics(faller).incarnation == 1

    rehearse(scene)


def test_too_large_is_refused_in_both_directions() -> None:
    small = replace(QUIET, bounds=Bounds(max_bytes=1000))

    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=small).start()
        with pytest.raises(Unsendable, match=r"take 2,0.. bytes and the limit is 1,000; raise it with"):
            await faller.echo(bytes(2000))
        assert "the limit is 1,000" in str(await raised(faller.big_result, 2000))
        assert await faller.big_result(500) == bytes(500)
        assert statistics(faller).incarnation == 1

    rehearse(scene)


# -- starts ------------------------------------------------------------------------------------------


@everywhere
@pytest.mark.parametrize(("how", "text"), [("raise", "ValueError: bad start"), ("exit", "SystemExit")])
def test_a_failing_start_fails_its_starter(executor: Any, how: str, text: str) -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError, match=text) as error:
            await Starter.options(executor=executor, name="s").start(how)
        assert error.value.reason.kind == "error"
        with pytest.raises(ActorNotFoundError):
            get_actor("s")

    rehearse(scene)


@everywhere
def test_the_reason_of_a_failing_start_reads_alike(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError) as error:
            await Starter.options(executor=executor).start("raise")
        assert error.value.reason.text == "__init__ raised ValueError: bad start"

    rehearse(scene)


@everywhere
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("this"), "ValueError"),
        (UnderstudyError("this"), "understudy.actors.errors.UnderstudyError"),
    ],
    ids=["builtin", "other"],
)
def test_the_reason_of_a_crash_names_the_method_and_the_exception(
    executor: Any, error: Exception, kind: str
) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor, crash_on=(Exception,)).start()
        events = runtime.events()
        faller.fail.cast(error)
        await until(lambda: statistics(faller).incarnation == 2)
        (ended,) = held(events, ActorEnded)
        assert ended.reason.text == f"fail() raised {kind}: this"

    rehearse(scene)


@everywhere
def test_a_failing_start_behind_a_handle_fails_its_calls_and_wait_ready(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        starter = Starter.options(executor=executor).remote("raise")
        ref = starter.ping.remote()
        with pytest.raises(ActorStartError, match="bad start"):
            await wait_ready(starter)
        with pytest.raises(ActorDiedError, match="bad start") as error:
            await ref
        assert error.value.fate == "never_sent"

    rehearse(scene)


def test_a_start_that_dies_at_once_is_told_with_status_and_stderr() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError, match="exited with status 7") as error:
            await Starter.start("die")
        assert "died in __init__" in str(error.value)
        assert error.value.reason.status == 7

    rehearse(scene)


def test_a_start_that_never_ends_is_ended() -> None:
    async def scene(runtime: Runtime) -> None:
        await Starter.start()  # what starts guests is there from now on
        with pytest.raises(ActorStartError, match="__init__ took longer than start_timeout") as error:
            await Starter.options(start_timeout=0.5).start("never")
        assert error.value.reason.kind == "timeout"

    rehearse(scene)


def test_a_start_that_is_cancelled_leaves_no_actor() -> None:
    async def scene(runtime: Runtime) -> None:
        with trio.move_on_after(0.1):
            await Starter.options(name="s").start("never")
        await until(lambda: not runtime.house.registry.paths)

    rehearse(scene)


@everywhere
def test_wrong_arguments_of_a_class_fail_the_start(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises((ActorStartError, TypeError), match="unexpected keyword argument 'colour'"):
            await Player.options(executor=executor).start(colour="red")  # type: ignore[call-arg]

    rehearse(scene)


@everywhere
def test_wait_ready_returns_when_ready(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = Player.options(executor=executor).remote()
        await wait_ready(player)
        assert statistics(player).state == "ready"
        await wait_ready(player)

    rehearse(scene)


# -- restarts ----------------------------------------------------------------------------------------


@everywhere
def test_a_restart_keeps_handle_name_and_mailbox_and_makes_state_anew(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor, name="f").start(100)
        await faller.add(5)
        faller.quit.cast(1)
        refs = [faller.add.remote() for _ in range(5)]

        assert await get(refs) == [101, 102, 103, 104, 105]
        assert get_actor("f", Faller)._life is faller._life  # type: ignore[attr-defined]
        assert statistics(faller).incarnation == 2

    rehearse(scene)


@everywhere
def test_max_restarts_0_means_never(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor, max_restarts=0).start()
        error = await raised(faller.quit, 1)

        assert type(error) is ActorDiedError
        assert statistics(faller).state == "dead"

    rehearse(scene)


@everywhere
def test_max_restarts_counts_in_an_actors_life(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor, max_restarts=2).start()
        kinds = [type(await raised(faller.quit, 1)) for _ in range(3)]

        assert kinds == [ActorUnavailableError, ActorUnavailableError, ActorDiedError]

    rehearse(scene)


@everywhere
def test_without_a_count_the_intensity_decides(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        kinds = [type(await raised(faller.quit, 1)) for _ in range(4)]

        assert kinds == 3 * [ActorUnavailableError] + [ActorDiedError]

    rehearse(scene)


def test_max_restarts_minus_1_means_without_end() -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=Local(), max_restarts=-1).start()
        for _ in range(50):
            assert type(await raised(faller.quit, 1)) is ActorUnavailableError
        await wait_ready(faller)
        assert statistics(faller).incarnation == 51

    rehearse(scene)


def test_a_start_that_keeps_failing_at_once_starves_nobody() -> None:
    class Second(Actor, executor=Local(), max_restarts=-1):
        starts = 0

        def __init__(self) -> None:
            Second.starts += 1
            if Second.starts > 1:
                raise ValueError("only once")

        @method
        def fall(self) -> None:
            raise SystemExit(1)

    async def scene(runtime: Runtime) -> None:
        second = await Second.start()
        second.fall.cast()
        for _ in range(10):
            await trio.lowlevel.checkpoint()
        assert Second.starts > 2

    rehearse(scene)


@everywhere
def test_calls_wait_while_an_actor_restarts(executor: Any, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        await kill(faller, no_restart=False)
        assert await faller.add() == 1
        assert statistics(faller).incarnation == 2

    rehearse(scene)


@everywhere
def test_kill_is_final_and_says_so(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor, name="p").start()
        await kill(player)
        with pytest.raises(ActorDiedError, match=r"player|p is dead \(signal: killed by kill\(\)\)"):
            await player.add()
        await kill(player)
        await Player.options(executor=executor, name="p").start()

    rehearse(scene)


@everywhere
def test_kill_does_not_hit_another_actor_of_the_same_id(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Player.options(executor=executor, id="p")
        first = await kind.start()
        await kill(first)
        second = await kind.start()
        await kill(first)
        assert statistics(second).state == "ready"
        assert await second.add() == 1

    rehearse(scene)


# -- retries -----------------------------------------------------------------------------------------


@everywhere
def test_a_call_that_raised_is_retried_as_often_as_asked(executor: Any, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        retried = await Retried.options(executor=executor, max_task_retries=2, retry_exceptions=True).start()

        assert await retried.fail(str(tmp_path / "a"), 2) == 3
        assert len(held(events, CallRetried)) == 2
        assert isinstance(await raised(retried.fail, str(tmp_path / "b"), 3), ValueError)
        assert (tmp_path / "b").read_text() == "..."

    rehearse(scene)


@everywhere
def test_only_the_exceptions_named_are_retried(executor: Any, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Retried.options(
            executor=executor, max_task_retries=-1, retry_exceptions=(KeyError,)
        ).start()
        await raised(retried.fail, str(tmp_path / "a"), 1)
        assert (tmp_path / "a").read_text() == "."

    rehearse(scene)


@everywhere
def test_a_retried_call_knows_its_attempt(executor: Any, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Retried.options(executor=executor).start()
        attempt = retried.attempt.options(max_task_retries=5, retry_exceptions=True)
        assert await attempt(str(tmp_path / "a"), 2) == 3

    rehearse(scene)


def test_a_call_under_which_its_actor_died_is_retried(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        retried = await Retried.options(max_task_retries=2).start()
        assert await retried.die(str(tmp_path / "a"), 2) == 3
        assert statistics(retried).incarnation == 3
        assert not runtime.dead_letters

    rehearse(scene)


# -- limits ------------------------------------------------------------------------------------------


@everywhere
def test_a_full_mailbox_refuses_refs_and_casts_and_lets_awaits_wait(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor, max_pending_calls=2).start()
        refs = [player.add.remote(), player.add.remote()]
        for send in (player.add.remote, player.add.cast):
            with pytest.raises(PendingCallsLimitExceeded, match="has 2 pending calls") as error:
                send()
            assert error.value.safe_to_retry
        assert await player.add() == 3
        assert await get(refs) == [1, 2]
        player.add.cast()

    rehearse(scene)


def test_call_timeout_ends_the_wait_of_a_queued_local_call() -> None:
    class Blocked(Player, executor=Local(), call_timeout=5.0):
        pass

    async def blocked(runtime: Runtime) -> None:
        player = await Blocked.start()
        life = player._life  # type: ignore[attr-defined]
        life.mailbox.receiver, receiver = None, life.mailbox.receiver  # nobody takes calls for a while
        before = trio.current_time()
        with pytest.raises(
            GetTimeoutError, match=r"add\(\) to blocked-1 did not answer within 5.0 s"
        ) as error:
            await player.add()
        assert trio.current_time() - before == 5.0
        assert error.value.fate == "never_sent"
        life.mailbox.receiver = receiver

        assert await player.add() == 1

    rehearse(blocked, virtual=True)


@pytest.mark.parametrize("way", ["class", "method"])
def test_call_timeout_of_a_running_call_interrupts_it(way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        kind = (
            Player.options(executor=QUIET, call_timeout=0.1)
            if way == "class"
            else Player.options(executor=QUIET)
        )
        player = await kind.start()
        nap = player.sleep if way == "class" else player.sleep.options(timeout=0.1)
        with pytest.raises(GetTimeoutError) as error:
            await nap(3600)
        assert error.value.fate == ("begun" if PAGED else "unknown")
        assert await player.add() == 1
        assert statistics(player).incarnation == 1

    rehearse(scene)


# -- names -------------------------------------------------------------------------------------------


@everywhere
def test_a_name_finds_its_actor_and_is_held_until_its_death(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        kind = Player.options(executor=executor, name="juliet")
        juliet = await kind.start()
        await juliet.add()
        with pytest.raises(ActorAlreadyExistsError, match="the name 'juliet' is held by 'juliet'"):
            kind.remote()

        assert await get_actor("juliet", Player).add() == 2
        await kill(juliet)
        assert await (await kind.start()).add() == 1

    rehearse(scene)


# -- get and wait ------------------------------------------------------------------------------------


@everywhere
def test_get_takes_one_ref_a_list_or_a_tuple(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        first, second = player.add.remote(), player.add.remote()

        assert await get(first) == 1
        assert await get([first, second]) == [1, 2]
        assert await get((second, first)) == (2, 1)
        assert await get([]) == []

    rehearse(scene)


@everywhere
def test_wait_tells_the_ended_from_the_pending_in_order(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        faller = await Faller.options(executor=executor).start()
        refs = [faller.add.remote(), faller.fail.remote(ValueError("x")), faller.add.remote()]
        ended, pending = await wait(refs, num_returns=3)

        assert (ended, pending) == (refs, [])
        assert await wait(refs[:1]) == (refs[:1], [])
        for wrong in (0, 4):
            with pytest.raises(ValueError, match="num_returns must be from 1 to the number of refs, 3"):
                await wait(refs, num_returns=wrong)
        with pytest.raises(ValueError, match="x"):
            await refs[1]

    rehearse(scene)


@everywhere
def test_ends_are_told_as_events_with_their_reason(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        events = runtime.events()
        faller = await Faller.options(executor=executor).start()
        await raised(faller.quit, 2)
        await faller.add()
        (end,) = held(events, ActorEnded)

        assert (end.actor, end.incarnation, end.reason.kind) == ("faller-1", 1, "error")
        assert "SystemExit" in str(end.reason)

    rehearse(scene)


@everywhere
def test_casts_of_one_sender_arrive_in_order(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        player = await Player.options(executor=executor).start()
        for n in range(600):
            player.note.cast(n)

        assert await player.notes() == list(range(600))

    rehearse(scene)
