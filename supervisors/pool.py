"""`Pool(...)`: the plan of a pool, a value that is checked when it is made; the pool at work is `poolnode.py`."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, cast

from ..actors.actor import ActorClass
from ..actors.checks import UNLIMITED, Checks, check_fields, is_positive, is_seconds, is_tuple, one_of
from ..actors.spawner import open_spawner
from ..actors.spec import OPTIONS, ChildSpec, make_spec, options_of

if TYPE_CHECKING:
    from ..actors.actor import Handle

T_co = TypeVar("T_co", covariant=True)

Size = int | tuple[int, int]
Key = Callable[..., Hashable]


class MemberClass(Protocol[T_co]):
    """An actor class with other options, which can be started without arguments."""

    def child(self) -> ChildSpec[T_co]: ...


IDLE = 60.0  # seconds; starting a member again is cheap, but what it had loaded is gone


class Pool(Generic[T_co]):
    """Members of one actor class behind one handle: a call goes to whoever is free, and outlives who falls.

    `member` is an actor class, `X.options(...)`, or a child spec for one that takes arguments.  `size` is a number of members,
    or the fewest and the most: then the pool grows while calls wait, and a member that was idle for
    `idle_timeout` seconds (60) is stopped.  Each member is restarted on its own, `intensity` times `within`
    seconds; one more, and the pool ends for the supervisor above it to decide.

    `route` says which member takes a call: "least_busy" the one with the least work in its hands,
    "round_robin" the next in turn that is free.  With `key=` a function of the call's arguments chooses: calls
    of the same key go to the same member, in order.  Without a key, calls begin in the order they were made and end
    as they end.

    `max_pending_calls` is of the pool as a whole: one more `.remote()` or `.cast()` raises
    PendingCallsLimitExceeded, an await waits.

    Example:
        tree = Supervisor(Pool(Counter.child(10), size=(2, 8), id="counters"))
        counters = get_actor("counters", Counter)       # one handle, as of one actor
        await counters.add(5)
        await counters.add.broadcast(1)                 # one call to every member: a list
        async with counters.add.map(range(1000)) as sums: ...

        counters = await Pool(Counter, size=4).start()  # outside a tree

    Raises:
        TypeError: if `member` is neither an actor class nor a child spec.
        ValueError: for a size, route, key or limit that cannot be.
    """

    __slots__ = ("idle_timeout", "intensity", "key", "least", "member", "most", "route", "spec", "within")

    def __init__(
        self,
        member: Callable[[], T_co] | MemberClass[T_co] | ChildSpec[T_co],
        size: Size | None = None,
        *,
        route: Literal["least_busy", "round_robin"] = "least_busy",
        key: Key | None = None,
        max_pending_calls: int = UNLIMITED,
        idle_timeout: float = IDLE,
        id: str | None = None,
        name: str | None = None,
        intensity: int = 3,
        within: float = 5.0,
    ) -> None:
        spec = spec_of(member)
        self.least, self.most = bounds_of(size)
        self.route = route
        self.key = key
        self.idle_timeout = idle_timeout
        self.intensity = intensity
        self.within = within
        self.member = renamed(spec, id=None, name=None, max_pending_calls=UNLIMITED)
        self.spec = renamed(
            spec,
            id=id or spec.options.id,
            name=name or spec.options.name,
            max_pending_calls=max_pending_calls
            if max_pending_calls != UNLIMITED
            else spec.options.max_pending_calls,
        )
        check_fields(self, CHECKS)
        if key is not None:
            refuse_with_key(self)

    @property
    def label(self) -> str:
        """The id it asks for, or its class's name."""
        return self.spec.label

    def remote(self) -> Handle[T_co]:
        """Start it under the runtime's dynamic supervisor; its handle at once."""
        return cast("Handle[T_co]", open_spawner().spawn(self))

    async def start(self) -> Handle[T_co]:
        """Start it and wait until its first members are ready.

        Raises:
            ActorStartError: if one of them does not start.
        """
        return cast("Handle[T_co]", await open_spawner().start(self))

    def __repr__(self) -> str:
        return f"<Pool {self.label!r} of {sizes(self.least, self.most)} {self.spec.cls.__name__}>"


def refuse_with_key(pool: Pool[Any]) -> None:
    if pool.least != pool.most:
        raise ValueError(
            "with key= the size is one number: a pool that grows would give keys to other members"
        )
    if pool.route != "least_busy":
        raise ValueError(f"with key= the key chooses the member; leave out route={pool.route!r}")


def spec_of(member: Any) -> ChildSpec[Any]:
    if isinstance(member, ChildSpec):
        return member  # pyright: ignore[reportUnknownVariableType]
    if isinstance(member, ActorClass):
        return make_spec(member.cls, member.changed, (), {})  # pyright: ignore[reportUnknownMemberType]
    if not isinstance(member, type) or not hasattr(member, OPTIONS):
        raise TypeError(f"a pool has members of an actor class; {member!r} is none, nor X.child(...) of one")
    return make_spec(member, options_of(member), (), {})


def renamed(spec: ChildSpec[Any], **changes: Any) -> ChildSpec[Any]:
    return make_spec(spec.cls, spec.options.changed(changes), spec.args, spec.kwargs)


def bounds_of(size: Any) -> tuple[int, int]:
    """The fewest and the most members.

    Raises:
        ValueError: if that is no size.
    """
    if size is None:
        size = cores()
    least, most = size if is_pair(size) else (size, size)
    if not (is_positive(most) and type(least) is int and 0 <= least <= most):
        raise ValueError(f"size must be a count above 0, or (fewest, most), not {size!r}")
    return least, most


def is_pair(value: Any) -> bool:
    return is_tuple(value) and len(value) == 2


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def sizes(least: int, most: int) -> str:
    return str(most) if least == most else f"{least} to {most}"


def is_key(value: object) -> bool:
    return value is None or callable(value)


CHECKS: Checks = {
    "route": (
        one_of("least_busy", "round_robin"),
        "'least_busy' or 'round_robin', or leave it out and write key=f",
    ),
    "key": (is_key, "a function of a call's arguments, or None"),
    "idle_timeout": (is_seconds, "a number of seconds, 0 or more"),
    "intensity": (lambda value: type(value) is int and value >= 0, "a count of restarts, 0 or more"),
    "within": (lambda value: is_seconds(value) and value > 0, "a number of seconds above 0"),
}
