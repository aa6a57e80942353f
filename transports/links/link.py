"""What a host's end of a link is, wherever the guest may be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class HostLink(Protocol):
    """Never raises from `send` or `flush`: what ends the link is told by `on_end`.

    `number` is negative once it is closed; `rest` is what the guest has been too slow to read.
    """

    number: int
    rest: Any
    on_messages: Callable[[list[Any]], None]
    on_end: Callable[[str], None]
    on_breach: Callable[[str], None]
    on_drained: Callable[[], None]

    def open(self) -> None: ...
    def send_now(self, messages: list[Any], /) -> None: ...
    def send(self, message: Any, /) -> None: ...
    def look(self) -> None: ...
    def drain(self) -> None: ...
    def close(self) -> None: ...
