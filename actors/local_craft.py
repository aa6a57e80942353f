"""`Local()` as an executor: which incarnation a class gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..transports.guests.values import fill
from .executor import Local
from .exported import awaits, streams
from .life import EXECUTORS, Incarnation, Life
from .local import LocalIncarnation
from .local_streams import StreamingIncarnation
from .local_tasks import TaskIncarnation

if TYPE_CHECKING:
    from .call import Call
    from .stagecraft import Given


class LocalCraft:
    stores = False

    def encoder(self, executor: Local, cls: type) -> None:
        """Arguments stay what they are: the very same objects, not copies."""

    def incarnate(self, life: Life) -> Incarnation:
        return incarnation_of(life.spec.cls)(life)

    def arguments(self, call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return call.payload, dict(call.code)

    def give(self, call: Call, values: Given) -> None:
        call.payload, call.code = fill(call.payload, call.code, [(at, one.value) for at, one in values])


def incarnation_of(cls: type) -> type[LocalIncarnation]:
    """Nobody pays for what his class does not use."""
    if awaits(cls):
        return TaskIncarnation
    return StreamingIncarnation if streams(cls) else LocalIncarnation


EXECUTORS[Local] = LocalCraft()
