"""`Supervisor(...)`: the plan of a tree, a value that is checked when it is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from ..actors.backoff import Backoff
from ..actors.checks import Checks, check_fields, one_of
from ..actors.options import CHECKS as OPTION_CHECKS
from ..actors.options import Options
from ..actors.spec import ChildSpec
from .pool import Pool
from .rules import AUTO_SHUTDOWN, SECOND, ChildRules, Flags
from .strategies.escalating import Escalating
from .strategies.one_for_all import OneForAll
from .strategies.one_for_one import OneForOne
from .strategies.rest_for_one import RestForOne
from .strategies.strategy import Strategy, check_looks

STRATEGIES: dict[str, Strategy] = {
    "one_for_one": OneForOne(),
    "one_for_all": OneForAll(),
    "rest_for_one": RestForOne(),
    "escalating": Escalating(),
}
AutoShutdown = Literal["never", "any_significant", "all_significant"]
GROUPED = (OneForAll, RestForOne, Escalating)  # they speak of an order that dynamic children do not have
MOST_LEVELS = 200  # what goes down a tree takes Python frames for each level, and Python has a thousand


class Supervisor:
    """Children, started in this order and stopped in the reverse; what ends is restarted as the strategy says.

    `strategy` is "one_for_one" (alone), "rest_for_one" (with those started after it), "one_for_all", "escalating",
    or an object with `decide()`.  `intensity` restarts are allowed `within` seconds (3 in 5 s).  One more, and
    `when_exhausted` decides: "escalate" stops the children and ends the supervisor, for its own supervisor to decide;
    "throttle" waits until the window allows; "park" leaves the child down until a person restarts it.

    With `auto_shutdown` "any_significant" the first significant child that ends and is not restarted ends the
    supervisor, with "all_significant" the last one does.

    A `dynamic` supervisor begins without children; they are started by `start_child`, stopped all at once, at most
    `max_children` at a time, and forgotten when they end.  With a `template` all are of one kind.

    As a child of another: `id`, `restart` (permanent), `shutdown` (seconds; math.inf), `significant`, `backoff`,
    `max_restarts`, as in `.options(...)`.

    Example:
        tree = Supervisor(
            Counter.options(id="counter").child(10),
            Supervisor(*(Worker.options(id=f"w{i}").child() for i in range(4)), id="crunchers"),
            strategy="rest_for_one", intensity=3, within=5.0,
        )

    Raises:
        TypeError: for a child that is neither a child spec nor a supervisor.
        ValueError: for a field or a combination that cannot be, an id used twice, or more than 200 levels.
    """

    __slots__ = (
        "auto_shutdown",
        "backoff",
        "children",
        "dynamic",
        "id",
        "intensity",
        "levels",
        "max_children",
        "max_restarts",
        "restart",
        "shutdown",
        "significant",
        "strategy",
        "template",
        "when_exhausted",
        "within",
    )

    def __init__(
        self,
        *children: ChildSpec[Any] | Pool[Any] | Supervisor,
        id: str = "root",
        strategy: Literal["one_for_one", "rest_for_one", "one_for_all", "escalating"]
        | Strategy = "one_for_one",
        intensity: int = 3,
        within: float = 5.0,
        when_exhausted: Literal["escalate", "throttle", "park"] = "escalate",
        auto_shutdown: AutoShutdown = "never",
        dynamic: bool = False,
        template: ChildSpec[Any] | None = None,
        max_children: int | None = None,
        restart: Literal["permanent", "transient", "temporary"] = "permanent",
        shutdown: float | Literal["brutal"] = math.inf,
        significant: bool = False,
        backoff: Backoff | None = None,
        max_restarts: int | None = None,
    ) -> None:
        self.children: Sequence[ChildSpec[Any] | Pool[Any] | Supervisor] = children
        self.id = id
        self.strategy = strategy
        self.intensity = intensity
        self.within = within
        self.when_exhausted = when_exhausted
        self.auto_shutdown: AutoShutdown = auto_shutdown
        self.dynamic = dynamic or template is not None
        self.template = template
        self.max_children = max_children
        self.restart = restart
        self.shutdown = shutdown
        self.significant = significant
        self.backoff = backoff
        self.max_restarts = max_restarts
        self.levels = 1
        self.check()

    # -- what cannot be -------------------------------------------------------------------------

    def check(self) -> None:
        check_fields(self, CHECKS)
        check_looks(self.strategy)
        if self.when_exhausted == "throttle" and self.intensity == 0:
            raise ValueError(
                "when_exhausted='throttle' needs an intensity of 1 or more: no window ever allows a restart"
            )
        if self.significant and self.restart == "permanent":
            raise ValueError(
                "significant=True needs restart='transient' or 'temporary': a permanent child comes back"
            )
        if self.dynamic:
            self.check_dynamic()
        elif self.max_children is not None:
            raise ValueError("max_children is for dynamic supervisors; write dynamic=True or template=...")
        check_specs(*self.children, auto_shutdown=self.auto_shutdown, of=self.id)
        self.levels += max(
            (child.levels for child in self.children if isinstance(child, Supervisor)), default=0
        )
        if self.levels > MOST_LEVELS:
            raise ValueError(
                f"supervisors may be nested {MOST_LEVELS} levels deep: each level costs Python frames when the tree"
                " is started and stopped, and Python allows about a thousand"
            )

    def check_dynamic(self) -> None:
        if self.children:
            raise ValueError("a dynamic supervisor begins without children; start them with start_child()")
        if isinstance(self.flags.strategy, GROUPED):
            raise ValueError(
                f"a dynamic supervisor restarts one for one, not {self.strategy!r}: its children have no order"
            )
        if self.template is not None:
            check_combination(self.template, self.auto_shutdown)

    # -- what follows from it -------------------------------------------------------------------

    def ids(self) -> list[str]:
        """The children's ids, in order."""
        return [id_of(child) for child in self.children]

    @property
    def flags(self) -> Flags:
        """What the rulebook needs of it."""
        strategy = STRATEGIES[self.strategy] if isinstance(self.strategy, str) else self.strategy
        return Flags(
            self.intensity,
            round(self.within * SECOND),
            strategy,
            self.auto_shutdown,
            self.when_exhausted,
            self.dynamic,
        )

    def __repr__(self) -> str:
        return f"<Supervisor {self.id!r} of {', '.join(self.ids()) or 'nothing'}>"


Plan = ChildSpec[Any] | Pool[Any] | Supervisor


def check_specs(
    *children: Plan,
    auto_shutdown: AutoShutdown = "never",
    of: str = "root",
) -> None:
    """Whether these could be the children of one supervisor: a dry run of `Supervisor(*children)`.

    Raises:
        TypeError: for what is no child.
        ValueError: for an id used twice, or a significant child that could never matter.
    """
    found: set[str] = set()
    for child in children:
        if not is_child(child):
            raise TypeError(f"{child!r} is no child; write X.child(...), Pool(X, ...) or Supervisor(...)")
        id = id_of(child)
        if id in found:
            raise ValueError(f"two children of {of!r} have the id {id!r}; give one with .options(id=...)")
        found.add(id)
        check_combination(child, auto_shutdown)


def check_combination(child: Plan, auto_shutdown: str) -> None:
    """Raise ValueError for a significant child that could never matter."""
    if isinstance(child, Pool):
        return
    own = child if isinstance(child, Supervisor) else child.options
    if own.significant and own.restart in (None, "permanent"):
        raise ValueError(
            f"{id_of(child)!r} is significant and permanent, which is the default; give it restart='transient' or 'temporary'"
        )
    if own.significant and auto_shutdown == "never":
        raise ValueError(
            f"{id_of(child)!r} is significant, but its supervisor has auto_shutdown='never'; write 'any_significant' or 'all_significant'"
        )


def shown(flags: Flags) -> str:
    """The flags, as the tree shows them."""
    strategy = next((name for name, one in STRATEGIES.items() if one == flags.strategy), repr(flags.strategy))
    extras = (flags.when_exhausted, "escalate"), (flags.auto_shutdown, "never")
    return ", ".join(
        [
            "dynamic" if flags.dynamic else strategy,
            f"{flags.intensity} in {flags.within / SECOND:g} s",
            *(value for value, usual in extras if value != usual),
        ]
    )


def id_of(child: Plan) -> str:
    return child.id if isinstance(child, Supervisor) else child.label


def rules_of(child: Plan, default_restart: str = "permanent") -> ChildRules:
    """How the rulebook treats its end."""
    if isinstance(child, Pool):
        return shared_rules(default_restart, None, False, None, math.inf)
    own: Options | Supervisor = child if isinstance(child, Supervisor) else child.options
    return shared_rules(
        own.restart or default_restart, own.max_restarts, own.significant, own.backoff, own.shutdown
    )


@cache
def shared_rules(
    restart: str, max_restarts: int | None, significant: bool, backoff: Backoff | None, shutdown: float | str
) -> ChildRules:
    """Ten thousand actors share a few rules."""
    seconds = 0.0 if isinstance(shutdown, str) else shutdown
    timeout = None if seconds == math.inf else round(seconds * SECOND)
    return ChildRules(restart, max_restarts, significant, backoff, timeout)


def is_name(value: object) -> bool:
    return isinstance(value, str) and value != "" and "/" not in value


def is_intensity(value: object) -> bool:
    return type(value) is int and value >= 0


def is_window(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


def is_strategy(value: object) -> bool:
    return (
        value in STRATEGIES
        if isinstance(value, str)
        else isinstance(value, Strategy) and not isinstance(value, type)
    )


def is_most(value: object) -> bool:
    return value is None or (type(value) is int and value >= 0)


def is_template(value: object) -> bool:
    return value is None or isinstance(value, ChildSpec)


def is_child(value: object) -> bool:
    return isinstance(value, ChildSpec | Pool | Supervisor)


CHECKS: Checks = {
    "id": (is_name, "a text without '/'"),
    "strategy": (is_strategy, f"one of {', '.join(STRATEGIES)}, or an object with decide()"),
    "intensity": (is_intensity, "a count of restarts, 0 or more"),
    "within": (is_window, "a number of seconds above 0"),
    "when_exhausted": (one_of("escalate", "throttle", "park"), "'escalate', 'throttle' or 'park'"),
    "auto_shutdown": (one_of(*AUTO_SHUTDOWN), f"one of {', '.join(AUTO_SHUTDOWN)}"),
    "dynamic": OPTION_CHECKS["significant"],
    "template": (is_template, "a child spec, X.child(...), or None"),
    "max_children": (is_most, "a count, 0 or more, or None"),
    "restart": (one_of("permanent", "transient", "temporary"), "one of permanent, transient, temporary"),
    "shutdown": OPTION_CHECKS["shutdown"],
    "significant": OPTION_CHECKS["significant"],
    "backoff": OPTION_CHECKS["backoff"],
    "max_restarts": OPTION_CHECKS["max_restarts"],
}
