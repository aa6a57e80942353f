"""What shows a play: the interface that the plain lines and the live view answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from .play import Play
from .report import Report

Told = Callable[[int, int], None]  # so many of so many are done


class Show(Protocol):
    """Watches a play until cancelled, then its verification, and tells the account."""

    async def watch(self, play: Play) -> None: ...
    def checking(self) -> AbstractContextManager[Told]: ...
    def tell(self, report: Report) -> None: ...
