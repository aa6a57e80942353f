"""`Supervisor(...)`: the plan of a tree, a value that is checked when it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..actors.spec import ChildSpec
from .pool import Pool

STRATEGIES = ("one_for_one",)


class Supervisor:
    """Children, started in this order and stopped in the reverse; a child that ends is restarted on its own.

    `intensity` restarts are allowed `within` seconds; one more, and the supervisor stops its children and
    ends, for its own supervisor to decide.

    Example:
        tree = Supervisor(
            Counter.options(id="counter").child(10),
            Supervisor(*(Worker.options(id=f"w{i}").child() for i in range(4)), id="crunchers"),
            intensity=3, within=5.0,
        )

    Raises:
        TypeError: for a child that is neither a child spec nor a supervisor.
        ValueError: for a strategy, intensity or window that cannot be, or an id used twice.
    """

    __slots__ = ("children", "id", "intensity", "strategy", "within")

    def __init__(
        self,
        *children: ChildSpec[Any] | Pool[Any] | Supervisor,
        id: str = "root",
        strategy: Literal["one_for_one"] = "one_for_one",
        intensity: int = 3,
        within: float = 5.0,
    ) -> None:
        self.children: Sequence[ChildSpec[Any] | Pool[Any] | Supervisor] = children
        self.id = id
        self.strategy = strategy
        self.intensity = intensity
        self.within = within
        self.check()

    def check(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ValueError(f"strategy must be one of {', '.join(STRATEGIES)}, not {self.strategy!r}")
        if not is_count(self.intensity):
            raise ValueError(f"intensity must be a count of restarts, 0 or more, not {self.intensity!r}")
        if not is_window(self.within):
            raise ValueError(f"within must be a number of seconds above 0, not {self.within!r}")
        if not self.id or "/" in self.id:
            raise ValueError(f"id must be a text without '/', not {self.id!r}")
        for child in self.children:
            if not is_child(child):
                raise TypeError(f"{child!r} is no child; write X.child(...), Pool(X, ...) or Supervisor(...)")
        self.ids()

    def ids(self) -> list[str]:
        """The children's ids, in order; a class used twice must be given ids."""
        found: list[str] = []
        for child in self.children:
            id = child.id if isinstance(child, Supervisor) else child.label
            if id in found:
                raise ValueError(
                    f"two children of {self.id!r} have the id {id!r}; give one with .options(id=...)"
                )
            found.append(id)
        return found

    def __repr__(self) -> str:
        return f"<Supervisor {self.id!r} of {', '.join(self.ids()) or 'nothing'}>"


def is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def is_window(value: object) -> bool:
    return isinstance(value, int | float) and value > 0


def is_child(value: object) -> bool:
    return isinstance(value, ChildSpec | Pool | Supervisor)
