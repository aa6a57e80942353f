"""A handle in a guest is of one actor, and of no other that takes its name later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast_aliases import Account, Keeper
from tests.rehearsal import LOCAL, QUIET, rehearse
from understudy import ActorDiedError, Runtime, TaskError, Thread, get_actor, kill

PLACES = [LOCAL, Thread(), QUIET]
everywhere = pytest.mark.parametrize("executor", PLACES, ids=["local", "thread", "process"])
in_guests = pytest.mark.parametrize("executor", PLACES[1:], ids=["thread", "process"])


async def account(owner: str) -> Any:
    return await Account.options(name="account", executor=LOCAL).start(owner)


async def is_refused(keeper: Any) -> None:
    """It pays nobody, and is told so as in this process."""
    with pytest.raises(TaskError) as caught:
        await keeper.pay(7)
    died = caught.value.cause
    assert isinstance(died, ActorDiedError)
    assert "account is dead (signal: killed by kill())" in str(died)
    assert (died.fate, died.reason.kind) == ("never_sent", "signal")


@everywhere
def test_a_handle_reaches_nobody_who_takes_the_name_of_the_dead(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        ada = await account("ada")
        keeper = await Keeper.options(executor=executor).start(ada)
        assert await keeper.pay(7) == "ada got 7"

        await kill(ada)
        await is_refused(keeper)
        await account("mallory")

        await is_refused(keeper)

    rehearse(scene)


@everywhere
def test_a_handle_that_goes_on_to_others_stays_that_of_one_actor(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        ada = await account("ada")
        first = await Keeper.options(executor=executor).start(ada)
        second = await Keeper.options(executor=executor).start()
        assert await first.give() == ada
        await second.keep(await first.give())
        assert await second.pay(7) == "ada got 7"

        await kill(ada)
        await account("mallory")

        await is_refused(second)

    rehearse(scene)


@in_guests
def test_a_handle_of_the_dead_is_no_handle_of_the_next_in_a_guest_either(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        ada = await account("ada")
        await kill(ada)
        mallory = await account("mallory")
        keeper = await Keeper.options(executor=executor).start()
        await keeper.keep(ada)

        assert not await keeper.same(mallory)
        assert await keeper.same(ada)
        await keeper.keep(mallory)
        assert await keeper.pay(7) == "mallory got 7"

    rehearse(scene)


@in_guests
@pytest.mark.parametrize("way", ["start_one", "spawn_one"])
def test_what_a_guest_has_started_is_of_one_actor_too(executor: Any, way: str) -> None:
    async def scene(runtime: Runtime) -> None:
        keeper = await Keeper.options(executor=executor).start()
        await getattr(keeper, way)("account", "ada")
        assert await keeper.pay(7) == "ada got 7"

        await keeper.end()
        await account("mallory")

        await is_refused(keeper)

    rehearse(scene)


@in_guests
def test_what_is_looked_up_by_name_is_whoever_has_the_name(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        await account("ada")
        keeper = await Keeper.options(executor=executor).start()
        await keeper.look_up("account")
        assert await keeper.pay(7) == "ada got 7"

        await kill(get_actor("account"))
        await account("grace")

        assert await keeper.pay(7) == "grace got 7"

    rehearse(scene)


@in_guests
def test_a_handle_in_a_guest_outlives_restarts(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        ada = await Account.options(name="account", executor=LOCAL, max_restarts=-1).start("ada")
        keeper = await Keeper.options(executor=executor).start(ada)

        await kill(ada, no_restart=False)

        assert await keeper.pay(7) == "ada got 7"

    rehearse(scene)
