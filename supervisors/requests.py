"""What actors in guests ask of the runtime that concerns more actors than one, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..actors.errors import ActorDiedError, ActorNotFoundError
from ..actors.verbs import life_of
from .groups import Groups, Keys

if TYPE_CHECKING:
    from ..actors.life import Life
    from .house import RuntimeHouse


def named(house: RuntimeHouse, path: str, namespace: str, actor: int) -> Life | None:
    try:
        return life_of(house.find(path, namespace, actor))
    except (ActorNotFoundError, ActorDiedError):
        return None


def on_monitor(house: RuntimeHouse, life: Life, path: str, namespace: str, actor: int, number: int) -> None:
    house.monitors.open(named(house, path, namespace, actor), life, id=number, path=path)


def on_demonitor(house: RuntimeHouse, life: Life, number: int) -> None:
    watch = house.monitors.owned.get(life, {}).get(number)
    if watch is not None:
        house.monitors.close(watch)


def on_link(house: RuntimeHouse, life: Life, path: str, namespace: str, actor: int) -> None:
    house.links.link(life, named(house, path, namespace, actor), path)


def on_unlink(house: RuntimeHouse, life: Life, path: str, namespace: str, actor: int) -> None:
    house.links.unlink(life, named(house, path, namespace, actor))


def on_groups(house: RuntimeHouse, _: Life, verb: str, group: Any, more: dict[str, Any]) -> Any:
    return GROUPS[verb](house.groups, group, **more)


def on_keys(house: RuntimeHouse, _: Life, verb: str, key: Any, more: dict[str, Any]) -> Any:
    return KEYS[verb](house.keys, key, **more)


GROUPS: dict[str, Callable[..., Any]] = {
    "join": Groups.join,
    "leave": Groups.leave,
    "members": Groups.members,
}
KEYS: dict[str, Callable[..., Any]] = {
    "register": Keys.register,
    "unregister": Keys.unregister,
    "lookup": Keys.lookup,
}
REQUESTS: dict[str, Callable[..., Any]] = {
    "monitor": on_monitor,
    "demonitor": on_demonitor,
    "link": on_link,
    "unlink": on_unlink,
    "groups": on_groups,
    "keys": on_keys,
}
