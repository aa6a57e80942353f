"""How long calls of one method take, as a pool sees it: how many of them one member may be given ahead."""

from __future__ import annotations

ENOUGH = (
    2e-3  # seconds of work in a member's hands: so much hides the way there and back, and holds up nobody
)
REMEMBERED = 64  # calls, after which the older ones count half


class Pace:
    """The mean of the latest calls.  Of a method that has not answered yet nothing is known: it goes alone."""

    __slots__ = ("calls", "seconds")

    def __init__(self) -> None:
        self.calls = 0
        self.seconds = 0.0

    @property
    def cost(self) -> float:
        """Seconds that one call is expected to take."""
        return self.seconds / self.calls if self.calls else ENOUGH

    def note(self, seconds: float) -> None:
        """One more call was answered, so long after the one before it, or after it was given."""
        if self.calls >= REMEMBERED:
            self.calls //= 2
            self.seconds /= 2
        self.calls += 1
        self.seconds += seconds
