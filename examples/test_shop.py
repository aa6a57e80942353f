"""Tests of a program with actors: in virtual time, with faults on order, and nothing left behind."""

import pytest
import trio

from understudy import Actor, ActorUnavailableError, Local, Runtime, Supervisor, get_actor, method, statistics
from understudy.supervisors.strategies.escalating import Escalating
from understudy.testing import Crash, FakeExecutor, SlowStart, check_strategy, inject, quiet


class Till(Actor, executor=Local()):
    def __init__(self) -> None:
        self.total = 0

    @method
    async def sell(self, price: int) -> int:
        await trio.sleep(2.0)  # the customer looks for coins
        self.total += price
        return self.total


shop = Supervisor(Till.options(id="till").child())


@pytest.mark.understudy(tree=shop)
async def test_two_sales_take_as_long_as_they_take(virtual_runtime: Runtime) -> None:
    till = get_actor("till", Till)
    began = trio.current_time()

    await till.sell(3)
    assert await till.sell(4) == 7
    assert trio.current_time() - began == pytest.approx(4.0)


@pytest.mark.understudy(tree=shop)
async def test_a_crash_costs_the_sale_and_not_the_till(virtual_runtime: Runtime) -> None:
    till = get_actor("till", Till)
    till.sell.cast(3)
    await trio.sleep(1.0)

    inject(till, Crash())
    await quiet(virtual_runtime)

    assert statistics(till).incarnation == 2


async def test_a_till_that_fails_by_plan(virtual_runtime: Runtime) -> None:
    plan = (Crash(call=2, incarnation=1), SlowStart(60.0, incarnation=2))
    till = await Till.options(executor=FakeExecutor(plan)).start()

    assert await till.sell(3) == 3
    with pytest.raises(ActorUnavailableError):
        await till.sell(4)
    assert await till.sell(5) == 5


def test_a_strategy_of_ones_own_is_one() -> None:
    check_strategy(Escalating(within=30.0, alone=2))
