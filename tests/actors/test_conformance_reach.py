"""What methods do with other actors is the same wherever they run: streams, maps, refs, starts and ends."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cast_reach import PLACES, AsyncBuyer, Buyer, Hall, Shop
from tests.engines import LOOPS, Engine, across, plain
from tests.rehearsal import LOCAL, pending_everywhere, rehearse, until
from understudy import ActorNotFoundError, Runtime, get_actor, kill, statistics

HERE = Engine("trio-local", AsyncBuyer, LOCAL)
GUESTS = plain(Buyer) + [Engine(name, AsyncBuyer, executor) for name, executor in LOOPS.items()]
TRUSTED = [engine for engine in GUESTS if engine.trusted]
everywhere = across([HERE, *TRUSTED])
in_guests = across(TRUSTED)


def nothing_open(questions: Any) -> bool:
    return questions is None or not questions.open


async def shops() -> list[Any]:
    """One in each place."""
    return [await Shop.options(executor=executor).start() for executor in PLACES.values()]


async def settled(runtime: Runtime, *actors: Any) -> None:
    """Nothing is left of what was asked, and nobody had to be started again."""
    await until(lambda: not pending_everywhere(runtime))
    for actor in actors:
        questions = getattr(actor._life.incarnation, "questions", None)
        await until(partial(nothing_open, questions))
        assert statistics(actor).incarnation == 1


def play(scene: Any) -> None:
    rehearse(scene, seconds=10)


# -- streams -----------------------------------------------------------------------------------------


@everywhere
def test_a_stream_of_another_actor_is_iterated_over(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer, other = await engine.start(), await Shop.options(executor=LOCAL).start()
        for shop in await shops():
            assert await buyer.read(shop, 100) == list(range(100))
            assert await buyer.read(shop, 0) == []
            assert await buyer.read_two(shop, other) == [(n, 2 * n + 40) for n in range(50)]
            await settled(runtime, shop, buyer)

    play(scene)


@everywhere
def test_what_a_generator_raises_comes_after_its_items(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await engine.start()
        for shop in await shops():
            *items, (kind, text) = await buyer.read(shop, 10, 7)
            assert items == list(range(7))
            assert "ValueError" in kind
            assert text == "no item 7"
            await settled(runtime, shop, buyer)

    play(scene)


@everywhere
def test_a_stream_that_is_left_early_is_closed(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await engine.start()
        for shop in await shops():
            assert await buyer.read_early(shop) == ([0, 1, 2], 0)
            await settled(runtime, shop, buyer)

    play(scene)


@everywhere
def test_the_time_of_each_item_can_be_limited(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        hall = await Hall.options(executor=LOCAL).start()
        buyer = await engine.start()
        kind, text = await buyer.read_late(hall, str(tmp_path / "never"))
        assert (kind, "next item" in text) == ("GetTimeoutError", True)
        await settled(runtime, hall, buyer)

    play(scene)


@everywhere
def test_items_may_hold_handles(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await engine.start()
        for shop in await shops():
            other = await Shop.options(executor=LOCAL).start()
            assert await buyer.read_handles(shop, other) == [9, 8, 7]
            first, second = [item async for item in shop.handles(other)]
            assert [first, second] == [other, [other, {"it": (other, 1)}]]
            await settled(runtime, shop, buyer)

    play(scene)


# -- maps --------------------------------------------------------------------------------------------


@everywhere
def test_a_method_of_another_actor_is_mapped(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        shop, buyer = await Shop.options(executor=PLACES["process"]).start(), await engine.start()
        assert await buyer.map(shop, 10, {}) == [2 * n for n in range(10)]
        assert await buyer.map(shop, 10, {"window": 2}) == [2 * n for n in range(10)]
        assert sorted(await buyer.map(shop, 10, {"window": 3, "ordered": False})) == [
            2 * n for n in range(10)
        ]
        assert await buyer.starmap(shop) == ["a", "bb"]
        *good, (kind, _) = await buyer.map(shop, 20, {})
        assert good == [2 * n for n in range(13)]
        assert "ValueError" in kind
        all_of_them = await buyer.map(shop, 15, {"errors": "return"})
        assert "ValueError" in all_of_them.pop(13)[0]
        assert all_of_them == [2 * n for n in range(15) if n != 13]
        await settled(runtime, shop, buyer)

    play(scene)


# -- options and refs --------------------------------------------------------------------------------


@everywhere
def test_calls_and_waits_have_their_time(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        hall, shop = await Hall.options(executor=LOCAL).start(), await Shop.options(executor=LOCAL).start()
        buyer = await engine.start()
        never = str(tmp_path / "never")
        assert (await buyer.in_time(hall, never))[0] == "GetTimeoutError"
        told, value = await buyer.get_in_time(hall, str(tmp_path / "later"))
        assert (told[0], value) == ("GetTimeoutError", "come")
        assert await buyer.wait_in_time(shop, hall, never) == (True, True, True, True)
        await settled(runtime, hall, shop, buyer)

    play(scene)


@everywhere
def test_refs_are_arguments_of_other_calls(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer, hall = await engine.start(), await Hall.options(executor=LOCAL).start()
        for number, shop in enumerate(await shops()):
            told, later, noted = await buyer.give_refs(shop, hall, str(tmp_path / str(number)))
            assert told == [["come", 8, ["put"]], ["after", ["put"]]]
            assert later == ["come"]
            assert noted == ["come", 8, ["put"], "after", ["put"], "come", "come"]
            assert await buyer.give_failed(shop) == ["DependencyError"] * 2
            assert await buyer.hand_around(shop, 50) == 2**51
            await settled(runtime, shop, hall, buyer)

    play(scene)


@everywhere
def test_a_value_that_was_put_can_be_given_by_later_calls(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        shop = await Shop.options(executor=LOCAL).start()
        buyer = await engine.start()
        await buyer.keep([1, 2])
        for _ in range(2):
            assert await buyer.give_kept(shop) == [[1, 2], [1, 2]]
        await settled(runtime, shop, buyer)

    play(scene)


# -- starts and ends ---------------------------------------------------------------------------------


@everywhere
def test_an_actor_starts_others(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await engine.start()
        for place in PLACES:
            left, own = await buyer.start_own(place, 20)
            assert left == 17
            assert await own.sell(1) == 16
            left, named = await buyer.start_own(place, 5, {"name": place, "namespace": "north"})
            assert left == 2
            assert get_actor(place, namespace="north") == named
            await settled(runtime, own, named, buyer)

    play(scene)


@everywhere
def test_what_cannot_start_is_told_when_it_is_called(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await engine.start()
        told = await buyer.start_failing()
        assert told[0] in ("ActorStartError", "ActorNotFoundError")
        assert told[1] in ("ActorDiedError", "ActorNotFoundError")
        assert await buyer.start_twice() == [9, "ActorAlreadyExistsError", 8]

    play(scene)


@everywhere
def test_one_that_is_dead_will_never_be_ready(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer, shop = await engine.start(), await Shop.options(executor=LOCAL).start()
        assert await buyer.expect(shop) == "ready"
        await kill(shop)
        assert await buyer.expect(shop) == "ActorStartError"

    play(scene)


@in_guests
def test_what_an_incarnation_has_started_ends_with_it(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await engine.start(max_restarts=0)
        _, own = await buyer.start_own("local", 5)
        _, kept = await buyer.start_own("local", 5, {"lifetime": "detached"})
        older = await Shop.options(executor=LOCAL, name="older").start()
        await buyer.start_own("local", 5, {"name": "older", "get_if_exists": True})
        await kill(buyer)
        await until(lambda: own._life.is_dead)
        assert await kept.sell(1) == 1
        assert await older.sell(1) == 6

    play(scene)


@everywhere
def test_an_actor_interrupts_and_kills_others(engine: Engine, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        hall: Any = await Hall.options(executor=LOCAL).start()
        buyer = await engine.start()
        told = await buyer.end(hall, str(tmp_path / "never"))
        assert told[:3] == [True, False, "CallInterruptedError"]
        assert told[3] in ("ActorDiedError", "ActorNotFoundError")
        assert hall._life.is_dead

    play(scene)


# -- names and handles -------------------------------------------------------------------------------


@everywhere
def test_a_handle_keeps_its_namespace_wherever_it_goes(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await engine.start()
        one = await Shop.options(executor=LOCAL, name="shop", namespace="north").start()
        two = await Shop.options(executor=LOCAL, name="shop").start()
        assert await buyer.named("shop", "north") == (9, one, {"deep": [one]})
        assert await buyer.named("shop", "") == (9, two, {"deep": [two]})

    play(scene)


@everywhere
def test_handles_may_be_deep_within_arguments_and_results(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        shop = await Shop.options(executor=LOCAL).start()
        buyer = await engine.start()
        parts = [shop, {"it": shop}, (shop, 1)]
        assert await buyer.deep(parts) == ([9, 8, 7], parts)
        assert parts == [shop, {"it": shop}, (shop, 1)]

    play(scene)


@in_guests
def test_a_handle_of_what_is_gone_costs_only_the_call_that_gives_it_back(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await engine.start()
        _, own = await buyer.start_own("local")
        await kill(own)
        with pytest.raises(Exception, match=r"is dead \(signal: killed by kill\(\)\)"):
            await buyer.deep_kept()
        await settled(runtime, buyer)

    play(scene)


@in_guests
def test_what_cannot_be_had_says_what_to_do_instead(engine: Engine) -> None:
    async def scene(runtime: Runtime) -> None:
        buyer, shop = await engine.start(), await Shop.options(executor=LOCAL).start()
        scope, figures, refs = await buyer.refused(shop)
        assert "a call owns the refs" in scope
        assert "ask a method of the other actor" in figures
        assert "iterate over h.goods(...)" in refs

    play(scene)


def test_a_name_that_nobody_has_is_told_when_it_is_called() -> None:
    async def scene(runtime: Runtime) -> None:
        buyer = await Buyer.options(executor=PLACES["thread"]).start()
        with pytest.raises(ActorNotFoundError):
            await buyer.named("nobody", "")

    play(scene)
