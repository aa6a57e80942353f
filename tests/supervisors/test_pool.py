"""A pool: many members, one handle; calls go to whoever is free, and outlive who falls."""

from __future__ import annotations

import io
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel

from tests.cast_pools import Frail, Member, Stillborn
from tests.rehearsal import LOCAL, PAGED, QUIET, held, pending_everywhere, rehearse, run, until
from understudy import (
    ActorDiedError,
    ActorStartError,
    ActorUnavailableError,
    DependencyError,
    Handle,
    PendingCallsLimitExceeded,
    Pool,
    Process,
    Runtime,
    Supervisor,
    TaskCancelledError,
    Thread,
    TreeFailedError,
    blocking,
    cancel,
    dump,
    get,
    get_actor,
    interrupt,
    kill,
    open_runtime,
    put,
    statistics,
    wait_ready,
)
from understudy.supervisors.events import PoolResized
from understudy.supervisors.pace import Pace

LocalMember = Member.options(executor=LOCAL)


def local(size: Any = 2, **options: Any) -> Pool[Member]:
    return Pool(LocalMember.child(), size, **options)


# -- the plan ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, -1, (2, 1), (-1, 2), (1, 2, 3), (0, 0), 1.5, "4", True])
def test_a_size_is_a_count_or_the_fewest_and_the_most(size: Any) -> None:
    with pytest.raises(ValueError, match=r"size must be a count above 0, or \(fewest, most\), not"):
        Pool(Member, size)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"route": "random"},
            "route must be 'least_busy' or 'round_robin', or leave it out and write key=f, not 'random'",
        ),
        ({"key": 3}, "key must be a function of a call's arguments, or None, not 3"),
        ({"max_pending_calls": 0}, "max_pending_calls must be"),
        ({"idle_timeout": -1}, "idle_timeout must be"),
        ({"intensity": True}, "intensity must be"),
        ({"within": 0}, "within must be"),
        ({"id": "a/b"}, "id must be"),
    ],
)
def test_a_bad_option_is_refused_by_name_and_value(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as error:
        Pool(Member, 2, **options)
    assert str(error.value).startswith(text)


def test_a_pool_with_keys_does_not_grow() -> None:
    with pytest.raises(ValueError, match="with key= the size is one number"):
        Pool(Member, (1, 2), key=lambda n: n)


@pytest.mark.parametrize("member", [int, Member(), "Member", None])
def test_members_are_of_an_actor_class(member: Any) -> None:
    with pytest.raises(TypeError, match="a pool has members of an actor class"):
        Pool(member, 2)


def test_with_a_key_there_is_no_route() -> None:
    with pytest.raises(ValueError, match="the key chooses the member; leave out route='round_robin'"):
        Pool(Member, 2, route="round_robin", key=lambda n: n)


def test_members_may_have_options_of_their_own() -> None:
    async def scene(runtime: Runtime) -> None:
        plan = Pool(LocalMember.options(id="crew", max_pending_calls=1), 2)
        members = await plan.start()

        assert plan.label == "crew"
        assert await members.path.broadcast() == ["crew/0", "crew/1"]
        members.double.remote(1)
        with pytest.raises(PendingCallsLimitExceeded):
            members.double.remote(1)

    rehearse(scene)


def test_a_pool_says_what_it_is() -> None:
    assert repr(Pool(Member, (1, 4), id="crew")) == "<Pool 'crew' of 1 to 4 Member>"
    assert Pool(Member, 2).label == "member"
    assert Pool(Member.options(id="m").child(), 2).label == "m"


# -- one handle ----------------------------------------------------------------------------------------


def test_a_pool_in_a_tree_is_found_by_its_path_and_called_like_one_actor() -> None:
    async def scene(runtime: Runtime) -> None:
        members = get_actor("crew", Member)

        assert await members.double(4) == 8
        assert await members.double.remote(5) == 10
        members.add.cast(1)
        assert await members.call(Member.both, 2, "ab") == "abab"
        assert repr(members) == "<Member 'crew': ready, incarnation 1>"
        assert statistics(members).state == "ready"
        with pytest.raises(TypeError, match="double"):
            await members.double()  # type: ignore[call-arg]
        with pytest.raises(ValueError, match="-1 is below 0"):
            await members.double(-1)

    rehearse(scene, Supervisor(local(id="crew")))


def test_members_stand_in_the_tree_below_their_pool_and_can_be_found_themselves() -> None:
    async def scene(runtime: Runtime) -> None:
        assert runtime.tree() == (
            "tree  one_for_one, 3 in 5 s\n"
            "  crew  pool of Member, ready, 2, least_busy\n"
            "    0  Member, ready, incarnation 1\n"
            "    1  Member, ready, incarnation 1\n"
            "dynamic  dynamic, 3 in 5 s"
        )
        assert await get_actor("crew/1", Member).path() == "crew/1"

    rehearse(scene, Supervisor(local(id="crew")))


def test_a_pool_can_be_started_alone_and_has_a_name() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await local(name="crew").start()
        other = local().remote()
        await wait_ready(other)

        assert await get_actor("crew", Member).double(1) == 2 == await members.double(1)
        assert await other.double(2) == 4
        await kill(members)
        with pytest.raises(ActorDiedError, match="crew is dead"):
            await members.double(1)
        assert await (await local(name="crew").start()).double(3) == 6

    rehearse(scene)


@pytest.mark.parametrize("executor", [LOCAL, QUIET, Thread()], ids=["local", "process", "thread"])
def test_a_dump_shows_the_stacks_of_every_member(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member.options(executor=executor), 2, id="crew").start()
        file = io.StringIO()
        text = await dump(members, file=file)

        assert text.startswith("crew is a pool of Member, ready, 2, least_busy\ncrew/0, incarnation 1, ")
        assert text.count("(most recent call first):\n") >= 2
        assert "\ncrew/1, incarnation 1, " in text
        assert file.getvalue() == text
        await kill(members)
        assert await dump(members, file=file) == "crew is dead: no code of it runs\n"

    rehearse(scene)


def test_members_get_their_arguments() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(LocalMember.child(10), 3).start()

        assert await members.add.broadcast(5) == [15, 15, 15]

    rehearse(scene)


def test_a_broadcast_goes_to_every_member_and_of_one_actor_to_that() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await local(3, id="crew").start()

        assert await members.path.broadcast() == ["crew/0", "crew/1", "crew/2"]
        assert await (await LocalMember.options(id="alone").start()).path.broadcast() == ["alone"]
        with pytest.raises(ValueError, match="-1 is below 0"):
            await members.double.broadcast(-1)

    rehearse(scene)


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_broadcast_gives_every_member_the_value_of_a_ref(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        members: Any = await Pool(Member.options(executor=executor).child(), 2).start()

        assert await members.add.broadcast(members.double.remote(4)) == [8, 8]
        assert await members.both.broadcast(2, second=put("ab")) == ["abab"] * 2
        with pytest.raises(DependencyError, match=r"double\(\) to .* was not sent: .*-1 is below 0"):
            await members.double.broadcast(members.double.remote(-1))

    rehearse(scene)


def test_a_broadcast_has_no_key_and_goes_to_every_member_of_a_pool_with_keys_too() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await local(3, id="crew", key=lambda name, *_: name).start()

        assert await members.path.broadcast() == ["crew/0", "crew/1", "crew/2"]
        with pytest.raises(TypeError, match="name") as error:
            await members.path()
        assert error.value.__notes__ == [
            "The pool's key= was asked for the key of path() to crew: it gets the call's arguments"
        ]
        with pytest.raises(TypeError, match="unhashable"):
            members.path.remote([])

    rehearse(scene)


# -- routes --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_least_busy_member_takes_a_call() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2).start()
        first, second = members.sleep.remote(0.3), members.sleep.remote(0.3)

        assert await first != await second

    rehearse(scene)


def test_round_robin_goes_round() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await local(3, id="crew", route="round_robin").start()

        assert [await members.path() for _ in range(4)] == ["crew/0", "crew/1", "crew/2", "crew/0"]

    rehearse(scene)


def test_calls_of_one_key_go_to_one_member_in_their_order() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await local(4, key=lambda name, *_: name).start()
        paths = {name: await members.path(name) for name in "abcdefgh"}

        assert len(set(paths.values())) > 1
        assert [await members.path(name, 1) for name in paths] == list(paths.values())

    rehearse(scene)


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_key_keeps_its_member_across_restarts_and_its_place_when_that_is_replaced(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        plan = Pool(Member.options(executor=executor).child(), 3, id="crew", key=lambda name, *_: name)
        members = await plan.start()
        names = "abcdefghij"
        before = {name: await members.path(name) for name in names}
        await kill(members, no_restart=False)
        assert {name: await members.path(name) for name in names} == before

        await kill(get_actor("crew/1"))
        after = {name: await members.path(name) for name in names}
        assert after == {name: {"crew/1": "crew/3"}.get(path, path) for name, path in before.items()}

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.skipif(not PAGED, reason="which calls had begun is known by the page")
def test_when_all_members_die_at_once_calls_of_a_key_wait_for_their_own_in_order() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 3, key=lambda name, *_: name).start()
        paths = {name: await members.path(name) for name in range(6)}
        pids = await members.pid.broadcast()
        waiting = [members.path.remote(n % 6, n) for n in range(120)]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        found = []
        for n, ref in enumerate(waiting):
            try:
                found.append((n % 6, await ref))
            except ActorUnavailableError:
                pass  # it was the one that ran

        assert len(found) >= 117
        assert all(path == paths[name] for name, path in found)

    rehearse(scene)


@pytest.mark.skipif(not PAGED, reason="which calls had begun is known by the page")
def test_calls_of_one_key_keep_their_order_across_the_death_of_their_member() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2, key=lambda *_: 0).start()
        fatal = members.fall.remote()
        sums = [members.add.remote(1) for _ in range(100)]

        with pytest.raises(ActorUnavailableError):
            await fatal
        assert await get(sums) == list(range(1, 101))

    rehearse(scene)


def test_a_slow_member_holds_up_nobody() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2).start()
        slow = members.sleep.remote(30)
        await trio.sleep(0.05)

        assert [await members.double(n) for n in range(50)] == [2 * n for n in range(50)]
        assert not slow.done
        cancel(slow)

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.skipif(not PAGED, reason="which calls have begun is known by the page")
def test_what_waits_behind_a_call_that_turns_out_slow_is_taken_back_for_others() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2, id="crew").start()
        for _ in range(10):  # so quick, the pool learns, that many may be given ahead
            await get([members.sleep.remote(0) for _ in range(20)])
        slow = members.sleep.remote(30)
        quick = [members.sleep.remote(0) for _ in range(300)]

        assert len(set(await get(quick))) in (1, 2)
        assert not slow.done
        cancel(slow)
        assert await get([members.double.remote(n) for n in range(300)]) == [2 * n for n in range(300)]
        assert pending_everywhere(runtime) == []

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.skipif(not PAGED, reason="which calls have begun is known by the page")
def test_what_was_taken_back_is_done_once(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2, id="crew").start()
        file = str(tmp_path / "marks")
        for _ in range(5):
            await get([members.mark.remote(file) for _ in range(20)])
        for _ in range(10):
            node: Any = runtime.house.registry.paths["crew"]
            refs = [members.mark.remote(file) for _ in range(50)]
            await trio.lowlevel.checkpoint()
            for seat in node.router.seats:
                seat.recall()
            await get(refs)

    rehearse(scene)
    assert (tmp_path / "marks").read_text() == "x" * 600


@pytest.mark.slow
@pytest.mark.skipif(not PAGED, reason="which calls have begun is known by the page")
def test_casts_that_were_taken_back_are_done_before_the_pool_stops(tmp_path: Path) -> None:
    file = tmp_path / "marks"
    runtimes: list[Runtime] = []

    async def scene(runtime: Runtime) -> None:
        runtimes.append(runtime)
        members = await Pool(Member, 1, id="crew").start()
        node: Any = runtime.house.registry.paths["crew"]
        for name in ("sleep", "mark"):  # so quick, it believes, that many may be given ahead
            node.mailbox.paces[name] = pace = Pace()
            pace.note(1e-6)
        members.sleep.remote(30)
        for _ in range(20):
            members.mark.cast(str(file))
        await until(lambda: node.router.seats[0].recalled)

    rehearse(scene)
    assert file.read_text() == "x" * 20
    assert not runtimes[0].dead_letters


# -- limits, cancellation ------------------------------------------------------------------------------


def test_a_full_pool_refuses_remote_and_cast_and_lets_an_await_wait() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await local(2, max_pending_calls=3).start()
        refs = [members.double.remote(n) for n in range(3)]

        with pytest.raises(PendingCallsLimitExceeded, match="3 pending calls"):
            members.double.remote(4)
        with pytest.raises(PendingCallsLimitExceeded):
            members.add.cast(1)
        assert await members.double(5) == 10
        assert await get(refs) == [0, 2, 4]
        assert statistics(members).pending == 0
        assert await members.double.remote(6) == 12

    rehearse(scene)


@pytest.mark.slow
def test_a_call_that_waits_and_is_cancelled_never_runs(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 1).start()
        first = members.sleep.remote(0.2)
        second = members.mark.remote(str(tmp_path / "ran"))

        assert cancel(second)
        with pytest.raises(TaskCancelledError) as error:
            await second
        assert error.value.fate == "never_sent"
        await first
        await members.double(1)
        assert not (tmp_path / "ran").exists()

    rehearse(scene)


def test_a_call_that_runs_and_is_cancelled_is_interrupted_and_its_member_goes_on() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 1).start()
        pid = await members.pid()
        slow = members.sleep.remote(30)
        await trio.sleep(0.1)

        assert cancel(slow)
        assert await members.pid() == pid
        assert statistics(members).pending == 0

    rehearse(scene)


def test_a_call_has_its_timeout_in_a_pool_too() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 1).start()

        with pytest.raises(TimeoutError):
            await members.sleep.options(timeout=0.1)(30)
        assert await members.double(2) == 4

    rehearse(scene)


@pytest.mark.slow
def test_interrupt_reaches_what_every_member_runs() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2).start()
        slow = [members.sleep.remote(30) for _ in range(2)]
        await trio.sleep(0.1)

        assert await interrupt(members)
        for ref in slow:
            with pytest.raises(TaskCancelledError, match="interrupted"):
                await ref

    rehearse(scene)


def test_a_stream_comes_from_one_member_and_frees_it_when_it_ends() -> None:
    async def scene(runtime: Runtime) -> None:
        members: Any = await Pool(Member, 1).start()

        async with members.numbers(200) as numbers:
            assert [n async for n in numbers] == list(range(200))
        assert await members.double(3) == 6
        assert statistics(members).pending == 0

    rehearse(scene)


# -- death ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_when_all_members_die_at_once_what_they_ran_fails_and_all_else_is_done_later() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2).start()
        pids = await members.pid.broadcast()
        running = [members.sleep.remote(30) for _ in range(2)]
        waiting = [members.double.remote(n) for n in range(20)]
        await trio.sleep(0.1)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

        for ref in running:
            with pytest.raises(ActorUnavailableError) as error:
                await ref
            assert error.value.fate in ("begun", "unknown")
        assert await get(waiting) == [2 * n for n in range(20)]
        assert set(await members.pid.broadcast()).isdisjoint(pids)
        assert pending_everywhere(runtime) == []

    rehearse(scene)


def test_a_call_that_may_be_retried_is_done_by_another_member(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2).start()

        assert await members.fall_once(str(tmp_path / "died")) == "survived"

    rehearse(scene)


@pytest.mark.slow
def test_kill_without_no_restart_brings_every_member_back() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, 2).start()
        before = await members.pid.broadcast()
        await kill(members, no_restart=False)

        assert set(await members.pid.broadcast()).isdisjoint(before)

    rehearse(scene)


def test_a_member_that_is_killed_for_good_is_replaced() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await local(2, id="crew").start()
        await kill(get_actor("crew/0"))

        assert await members.path.broadcast() == ["crew/2", "crew/1"]

    rehearse(scene)


def test_a_pool_whose_member_does_not_start_does_not_start() -> None:
    async def play() -> None:
        with pytest.raises(ActorStartError, match="not today"):
            async with open_runtime(Supervisor(LocalMember.child(), Pool(Stillborn, 2, id="crew"))):
                raise AssertionError("it is open")

    run(play)


def test_outside_a_tree_its_starter_is_told() -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError, match=r"its member . did not start: .*not today"):
            await Pool(Stillborn, 2).start()

    rehearse(scene)


@pytest.mark.slow
def test_a_member_that_falls_too_often_ends_the_pool_for_its_supervisor_to_decide() -> None:
    async def play() -> None:
        async with open_runtime(Supervisor(Pool(Member, 2, id="crew", intensity=1), intensity=0)) as runtime:
            members = get_actor("crew", Member)
            del runtime
            for _ in range(10):
                try:
                    await members.fall()
                except ActorUnavailableError:
                    continue
            await trio.sleep_forever()

    with pytest.raises(TreeFailedError, match=r"crew ended too often .*its member \d ended too often"):
        run(play)


@pytest.mark.slow
def test_a_pool_that_gave_up_is_started_anew_and_calls_wait_for_it(tmp_path: Path) -> None:
    for life in range(4):
        (tmp_path / str(life)).touch()

    async def scene(runtime: Runtime) -> None:
        frail = get_actor("frail", Frail)
        for _ in range(3):
            with pytest.raises(ActorUnavailableError):
                await frail.fall()
        await wait_ready(frail)
        assert repr(frail) == "<Frail 'frail': ready, incarnation 2>"

    rehearse(scene, Supervisor(Pool(Frail.child(str(tmp_path)), 1, id="frail", intensity=2)))


def test_a_pool_that_hires_for_a_call_and_whose_members_do_not_start_tells_the_caller() -> None:
    async def scene(runtime: Runtime) -> None:
        nobody = await Pool(Stillborn, (0, 2), id="crew").start()
        refs = [nobody.never.remote() for _ in range(5)]
        with pytest.raises(ActorDiedError, match=r"its member . did not start: .*not today"):
            await nobody.never()
        for ref in refs:
            with pytest.raises(ActorDiedError, match="not today"):
                await ref
        assert repr(nobody) == "<Stillborn 'crew': dead, incarnation 4>"

    rehearse(scene)


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, (0, 2)])
def test_a_pool_without_an_interpreter_tells_so(size: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        members = Pool(Member.options(executor=Process(python="/no/such/python")), size).remote()
        with pytest.raises(ActorDiedError, match=r"its member . did not start: .* (status 127|cannot run)"):
            await members.double(1)

    rehearse(scene)


# -- growth --------------------------------------------------------------------------------------------


def size_of(runtime: Runtime, pool: str) -> int:
    return sum(path.startswith(f"{pool}/") for path in runtime.house.registry.paths)


@pytest.mark.slow
def test_a_pool_grows_while_calls_wait_and_shrinks_when_it_is_idle() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member, (1, 3), id="crew", idle_timeout=0.3).start()
        async with runtime.events() as events:
            refs = [members.sleep.remote(0.2) for _ in range(3)]

            await get(refs)
            assert size_of(runtime, "crew") == 3
            await until(lambda: size_of(runtime, "crew") == 1)
            assert await members.double(1) == 2
            assert [event.size for event in held(events, PoolResized)] == [2, 3, 2, 1]

    rehearse(scene)


def test_a_pool_may_have_nobody_until_the_first_call() -> None:
    async def scene(runtime: Runtime) -> None:
        members = await local((0, 2), id="crew").start()
        assert size_of(runtime, "crew") == 0
        assert await members.path.broadcast() == []

        assert await members.double(4) == 8
        assert size_of(runtime, "crew") == 1

    rehearse(scene)


# -- the end -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, (0, 2)])
@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_casts_are_carried_out_before_the_runtime_closes(size: Any, executor: Any, tmp_path: Path) -> None:
    file = tmp_path / "marks"

    async def scene(runtime: Runtime) -> None:
        members = await Pool(Member.options(executor=executor).child(), size).start()
        for _ in range(20):
            members.mark.cast(str(file))

    rehearse(scene)
    assert file.read_text() == "x" * 20


@pytest.mark.slow
def test_casts_of_a_runtime_that_ends_by_an_error_are_dead_letters() -> None:
    async def play() -> None:
        async with open_runtime() as runtime:
            members = await Pool(Member, 1).start()
            members.sleep.cast(0.3)
            for _ in range(5):
                members.add.cast(1)
            await trio.sleep(0.1)
            try:
                raise RuntimeError("enough")
            finally:
                letters.append(runtime)

    letters: list[Runtime] = []
    with pytest.raises(RuntimeError, match="enough"):
        run(play)
    assert len(letters[0].dead_letters) >= 5


def test_refs_that_are_pending_when_the_runtime_closes_are_cancelled() -> None:
    refs: list[Any] = []

    async def scene(runtime: Runtime) -> Handle[Member]:
        members = await Pool(Member, 1).start()
        refs.extend(members.sleep.remote(30) for _ in range(3))
        await trio.sleep(0.05)
        return members

    rehearse(scene)
    assert all(isinstance(ref.call.error, TaskCancelledError) for ref in refs)


def test_plain_code_may_broadcast_the_value_of_a_ref() -> None:
    with blocking.open_runtime():
        members: Any = local(2).remote()

        assert blocking.call(members.add.broadcast, members.double.remote(4)) == [8, 8]
