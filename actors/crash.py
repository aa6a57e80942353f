"""What a crash is told with: how long the incarnation was up, and which calls it had."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import events, lifecycle

if TYPE_CHECKING:
    from .call import Call
    from .life import Life
    from .reasons import ExitReason


def report_of(
    life: Life, reason: ExitReason, since: float | None, pid: int, calls: tuple[events.CallAtDeath, ...]
) -> events.ActorCrashed:
    """The event of a crash; `since` is when the incarnation became ready, None if it never did."""
    now = life.house.stage.now()
    up = 0 if since is None else int((now - since) * 1e9)
    return events.ActorCrashed(
        int(now * 1e9), life.path, life.number, reason, since is not None, up, pid, calls
    )


def calls_at_death(
    parting: Call | None, left: list[Call], fates: list[str]
) -> tuple[events.CallAtDeath, ...]:
    """The calls that an incarnation had, those that it had begun first."""
    told = [] if parting is None else [events.CallAtDeath(parting.id, parting.method.name, lifecycle.ENDED)]
    pending = [
        events.CallAtDeath(call.id, call.method.name, fate) for call, fate in zip(left, fates, strict=True)
    ]
    begun = (lifecycle.BEGUN, lifecycle.UNKNOWN)
    return (*told, *sorted(pending, key=lambda call: call.fate not in begun))
