"""The doorbell in a guest: the page says which call to interrupt, a signal says look.

The handler raises only inside user code, that is below `invoke`: a signal that lands in our own code
changes nothing, and the host rings again until the call has ended.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import Any

from .protocol import INTERRUPT

DOORBELL = signal.SIGINT


class Interrupted(KeyboardInterrupt):
    """Raised inside a method that is interrupted; it may tidy up, and should let this pass.

    A `KeyboardInterrupt`, so that `except Exception` does not swallow it.
    """


def invoke(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Run user code; only below this frame may the doorbell raise."""
    return function(*args, **kwargs)


class Doorbell:
    """Decides, when the signal comes, whether it is meant for what runs now."""

    __slots__ = ("page", "protected", "running")

    def __init__(self, page: memoryview | None) -> None:
        self.page = page
        self.running = 0
        self.protected = False

    def listen(self) -> None:
        signal.signal(DOORBELL, self.ring)

    def ring(self, signum: int, frame: FrameType | None) -> None:
        if not self.running or self.protected:
            return
        # Without a page one call at a time is in our hands, so the one that runs is the one that is meant.
        if self.page is not None and self.page[INTERRUPT] != self.running:
            return
        while frame is not None:
            if frame.f_code is invoke.__code__:
                raise Interrupted
            frame = frame.f_back
