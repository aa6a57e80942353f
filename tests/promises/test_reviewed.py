"""What once went wrong, as sentences that must stay true."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import trio

from understudy import (
    Actor,
    ActorDiedError,
    Ladder,
    Local,
    Process,
    Supervisor,
    TaskError,
    exit_actor,
    get,
    get_actor,
    method,
    open_runtime,
)
from understudy.transports.guests import msgpack
from understudy.transports.places.process import signal_name

QUIET = Process(stderr="keep")


class Stubborn(
    Actor, executor=Process(stderr="keep", ladder=Ladder(interrupt=0.1, terminate=5.0)), max_restarts=-1
):
    @method
    def refuse(self) -> str:
        signal.signal(signal.SIGTERM, lambda *_: None)
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            try:
                time.sleep(0.05)
            except BaseException:
                pass
        return "ended"

    @method
    def pid(self) -> int:
        return os.getpid()


class Leaver(Actor, executor=QUIET):
    @method
    def leave(self) -> None:
        exit_actor("enough")

    @method
    def echo(self, x: int) -> int:
        return x


class Odd(Exception):
    @property
    def method(self) -> str:
        return "mine"


class Raiser(Actor, executor=QUIET):
    @method
    def odd(self) -> None:
        raise Odd("strange")

    @method
    def stop(self) -> None:
        raise StopIteration("no more")


class Writer(Actor, executor=QUIET):
    @method
    def write(self, path: str) -> None:
        Path(path).touch()

    @method
    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class Finder(Actor, executor=Local()):
    @method
    def find(self) -> str:
        return repr(get_actor("finder"))


def run(scene: Any) -> None:
    async def main() -> None:
        with trio.fail_after(20):
            await scene()

    trio.run(main)


@pytest.mark.slow
def test_a_guest_that_was_told_to_go_does_not_stay_and_take_no_calls() -> None:
    async def scene() -> None:
        async with open_runtime():
            actor = await Stubborn.start()
            first = await actor.pid()
            with trio.move_on_after(0.1):
                await actor.refuse()

            await actor.pid()  # it may still be the old one that answers this
            await trio.sleep(0.3)
            assert await actor.pid() != first

    run(scene)


def test_calls_left_by_a_transient_child_that_ended_are_told() -> None:
    async def scene() -> None:
        tree = Supervisor(Leaver.options(id="leaver", restart="transient").child())
        async with open_runtime(tree):
            leaver = get_actor("leaver", Leaver)
            refs: list[Any] = [
                leaver.echo.remote(1),
                leaver.leave.remote(),
                leaver.echo.remote(2),
                leaver.echo.remote(3),
            ]

            assert await get(refs[0]) == 1
            for ref in refs[1:]:
                with pytest.raises(ActorDiedError):
                    await ref
            with pytest.raises(ActorDiedError):
                await leaver.echo(4)

    run(scene)


def test_an_exception_with_names_of_its_own_costs_its_call_only() -> None:
    async def scene() -> None:
        for executor in (Local(), QUIET):
            async with open_runtime():
                raiser = await Raiser.options(executor=executor).start()
                for call in (raiser.odd, raiser.stop):
                    with pytest.raises(TaskError) as error:
                        await call()
                    assert type(error.value) is TaskError
                    assert "strange" in str(error.value) or "no more" in str(error.value)

    run(scene)


def test_casts_to_an_actor_that_is_still_starting_are_carried_out(tmp_path: Path) -> None:
    async def scene() -> None:
        for number, executor in enumerate((Local(), QUIET)):
            async with open_runtime():
                Writer.options(executor=executor).remote().write.cast(str(tmp_path / str(number)))

    run(scene)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]


@pytest.mark.slow
def test_casts_that_have_not_begun_are_dropped_when_the_block_fails(tmp_path: Path) -> None:
    letters: list[Any] = []

    async def scene() -> None:
        async with open_runtime() as runtime:
            writer = await Writer.start()
            writer.wait.cast(0.5)
            for number in range(5):
                writer.write.cast(str(tmp_path / str(number)))
            await trio.sleep(0.1)
            letters.append(runtime.dead_letters)
            raise ValueError("body")

    with pytest.raises(ValueError, match="body"):
        run(scene)
    assert len(letters[0]) == 5
    assert list(tmp_path.iterdir()) == []


def test_actors_of_a_tree_see_their_runtime() -> None:
    async def scene() -> None:
        async with open_runtime(Supervisor(Finder.options(name="finder").child())):
            assert "Finder" in await get_actor("finder", Finder).find()

    run(scene)


def test_a_deep_tree_opens_and_closes() -> None:
    tree = Supervisor(*(Supervisor(id=f"s{n}") for n in range(400)))

    async def scene() -> None:
        async with open_runtime(tree):
            pass

    run(scene)


@pytest.mark.parametrize(
    "wrong",
    [
        {"packages": "hots"},
        {"python": 5},
        {"folder": Path("/tmp")},
        {"environ": {"A": 1}},
        {"stderr": "hide"},
    ],
    ids=str,
)
def test_a_process_that_cannot_be_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        Process(**wrong)


@pytest.mark.parametrize("wrong", [{"interrupt": -1}, {"terminate": "1"}], ids=str)
def test_a_ladder_that_cannot_be_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        Ladder(**wrong)


def test_a_map_whose_keys_are_lists_is_refused_before_it_is_decoded() -> None:
    hostile = b"\x81\x92\x01\x02\x03"  # {[1, 2]: 3}

    with pytest.raises(msgpack.DataError, match="a key of a map"):
        msgpack.scan(hostile, 10, 100)


def test_the_bounds_hold_for_each_message_and_not_for_all_of_a_frame() -> None:
    frame = msgpack.pack([[19, number, [0] * 10] for number in range(40)])

    msgpack.scan_each(frame, 5, 20)

    with pytest.raises(msgpack.DataError, match="more than 20 elements"):
        msgpack.scan(frame, 5, 20)


def test_every_signal_can_be_told_even_one_without_a_name() -> None:
    assert (signal_name(9), signal_name(40)) == ("SIGKILL", "signal 40")


def test_options_of_a_method_add_up() -> None:
    async def scene() -> None:
        async with open_runtime():
            leaver: Any = await Leaver.options(executor=Local()).start()
            changed = leaver.echo.options(timeout=1.5).options(max_task_retries=2)

            assert (changed.timeout, changed.retries) == (1.5, 2)

    run(scene)


def test_a_ref_that_has_ended_is_had_without_waiting() -> None:
    async def scene() -> None:
        async with open_runtime():
            leaver = await Leaver.options(executor=Local()).start()
            ref = leaver.echo.remote(7)
            await ref

            assert await get(ref, timeout=0) == 7

    run(scene)


def test_everything_behind_the_front_door_can_be_imported_at_once() -> None:
    found: dict[str, Any] = {}
    exec("from understudy import *", found)

    assert {"Actor", "Supervisor", "open_runtime", "interrupt"} <= set(found)
