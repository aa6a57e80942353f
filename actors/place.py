"""Where a guest is, as the corridor to it sees that: a process, a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from ..transports.page import Page


class Place(Protocol):
    """Where a guest is, and all that a host holds of it there."""

    link: Any

    @property
    def page(self) -> Page | None: ...
    @property
    def pid(self) -> int: ...
    @property
    def alive(self) -> bool: ...
    def greeted(self, number: int, /) -> None: ...
    def signal(self, number: int, /) -> None: ...
    def interrupt(self, call_id: int, /) -> None: ...
    def close(self) -> None: ...
