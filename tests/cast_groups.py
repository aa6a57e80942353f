"""Actors that join groups and register themselves, in every executor."""

from __future__ import annotations

from typing import Any

from understudy import Actor, Local, blocking, exit_actor, method
from understudy.supervisors.membership import join, leave, lookup, members, register, unregister


class Joiner(Actor, executor=Local()):
    def __init__(self, group: Any = None) -> None:
        if group is not None:
            join(group, "from __init__")

    @method
    def join(self, group: Any, value: Any = None) -> None:
        join(group, value)

    @method
    def leave(self, group: Any) -> None:
        leave(group)

    @method
    def unregister(self, key: Any) -> None:
        unregister(key)

    @method
    def exit(self) -> None:
        exit_actor()

    @method
    def ping(self) -> str:
        return "pong"

    @method
    def register(self, key: Any, value: Any = None) -> None:
        register(key, value)

    @method
    def ask_members(self, group: Any) -> list[str]:
        return [repr(member) for member in members(group)]

    @method
    def ask_holder(self, key: Any) -> bool:
        return lookup(key) is not None


class GuestJoiner(Joiner):
    """The same where the host is asked."""

    @method
    def register(self, key: Any, value: Any = None) -> None:
        blocking.get(register(key, value))

    @method
    def ask_members(self, group: Any) -> list[str]:
        return [blocking.call(member.ping) for member in blocking.get(members(group))]

    @method
    def ask_holder(self, key: Any) -> bool:
        return blocking.get(lookup(key)) is not None
