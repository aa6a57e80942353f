"""A scenario: a tree, what its actors are like, what befalls them, for how long, and one seed for all chance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from ..actors.checks import Checks, is_mapping, is_tuple
from ..actors.spec import ChildSpec
from ..supervisors.spec import Supervisor
from .distributions import TIME, check
from .faults import Outage, Together
from .model import Model


@dataclass(frozen=True, slots=True)
class Scenario:
    """The same tree that a runtime runs, and for each of its actors a model.

    `models` go by path, or by patterns of paths as a shell has them; the first that fits is taken.  `faults` are
    those of several actors at once.  `starters` is how many starts the machine can do at a time (None: any
    number).  `duration` is in seconds; so little as a seed makes the run, to the last byte of its log.

    Example:
        Scenario(tree, {"db": Model(start=2.0), "*": Model(faults=(Crash(Exponential(3600.0)),))}, duration=86400.0)

    Raises:
        ValueError: for a field that cannot be, or an actor without a model.
    """

    tree: Supervisor
    models: Mapping[str, Model] = field(default_factory=lambda: {"*": Model()})
    faults: tuple[Outage | Together, ...] = ()
    duration: float = 3600.0
    seed: int = 0
    starters: int | None = None

    def __post_init__(self) -> None:
        check(self, SCENARIO_CHECKS)
        for path, spec in actors_of(self.tree):
            load = self.model(path).load
            if load is not None and load.lost and spec.options.call_timeout is None:
                raise ValueError(
                    f"{path} loses calls, whose callers would wait for ever; give it a call_timeout"
                )

    def model(self, path: str) -> Model:
        """The model of the actor with this path."""
        for pattern, model in self.models.items():
            if fnmatchcase(path, pattern):
                return model
        raise ValueError(f"there is no model for {path!r}; give one, or one for '*'")

    def with_seed(self, seed: int) -> Scenario:
        """The same with other luck."""
        return replace(self, seed=seed)


def actors_of(plan: Supervisor, above: str = "") -> Iterator[tuple[str, ChildSpec[Any]]]:
    """The actors of a plan by path, in the order of their starts."""
    for id, child in zip(plan.ids(), plan.children, strict=True):
        path = f"{above}/{id}" if above else id
        if isinstance(child, Supervisor):
            yield from actors_of(child, path)
        elif isinstance(child, ChildSpec):
            yield path, child
        else:
            raise ValueError(f"{path} is a pool, which has no model yet; write its members as children")


def is_tree(value: Any) -> bool:
    return isinstance(value, Supervisor)


def are_models(value: Any) -> bool:
    return is_mapping(value) and all(map(is_model, value.values()))


def is_model(value: Any) -> bool:
    return isinstance(value, Model)


def are_common(value: Any) -> bool:
    return is_tuple(value) and all(map(is_common_fault, value))


def is_common_fault(value: Any) -> bool:
    return isinstance(value, Outage | Together)


def is_seed(value: Any) -> bool:
    return type(value) is int


def is_starters(value: Any) -> bool:
    return value is None or (type(value) is int and value > 0)


SCENARIO_CHECKS: Checks = {
    "tree": (is_tree, "a Supervisor(...)"),
    "models": (are_models, "a mapping of paths to models"),
    "faults": (are_common, "a tuple of Outage and Together; faults of one actor belong to its model"),
    "duration": TIME,
    "seed": (is_seed, "a whole number"),
    "starters": (is_starters, "a count above 0, or None"),
}
