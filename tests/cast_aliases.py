"""Actors that keep the handles of others, however they came by them."""

from __future__ import annotations

from typing import Any

from tests.cast import QUIET
from understudy import Actor, get_actor, kill, method


class Account(Actor):
    def __init__(self, owner: str) -> None:
        self.owner = owner

    @method
    def pay(self, amount: int) -> str:
        return f"{self.owner} got {amount}"


class Keeper(Actor, executor=QUIET):
    def __init__(self, account: Any = None) -> None:
        self.account = account

    @method
    async def keep(self, account: Any) -> None:
        self.account = account

    @method
    async def look_up(self, name: str) -> None:
        self.account = get_actor(name, Account)

    @method
    async def start_one(self, name: str, owner: str) -> None:
        self.account = await Account.options(name=name, executor=QUIET, lifetime="detached").start(owner)

    @method
    async def spawn_one(self, name: str, owner: str) -> str:
        self.account = Account.options(name=name, executor=QUIET, lifetime="detached").remote(owner)
        return str(await self.account.pay(1))

    @method
    async def end(self) -> None:
        await kill(self.account)

    @method
    async def pay(self, amount: int) -> Any:
        return await self.account.pay(amount)

    @method
    async def give(self) -> Any:
        return self.account

    @method
    async def same(self, account: Any) -> bool:
        return bool(self.account == account)
