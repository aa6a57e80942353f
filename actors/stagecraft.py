"""What an executor needs to be one: how arguments travel to it, and how an incarnation is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..transports.stored import Stored
    from .call import Call
    from .executor import Executor
    from .life import Incarnation, Life
    from .mailbox import Encode

Given = list[tuple[int | str, "Stored"]]  # values of refs, by the position or name of the argument


class Stagecraft(Protocol):
    """`stores`: guests keep values of refs under their keys, and a call names the keys."""

    stores: bool

    def encoder(self, executor: Any, cls: type, /) -> Encode | None: ...
    def incarnate(self, life: Life, /) -> Incarnation: ...
    def arguments(self, call: Call, /) -> tuple[tuple[Any, ...], dict[str, Any]]: ...
    def give(self, call: Call, values: Given, /) -> None: ...


EXECUTORS: dict[type[Executor], Stagecraft] = {}
