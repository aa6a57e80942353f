"""`Environment(...)`: which of the host's environment variables a guest gets, and which are added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .checks import Checks, check_fields, is_environ

CLEAN, INHERIT = "clean", "inherit"


@dataclass(frozen=True, slots=True)
class Environment:
    """A guest's environment: the host's variables that are in `allow` (all with `inherit`), and `add` over them.

    What the host has is looked up each time a guest starts; a variable that it does not have is left out.
    `Process(environ=Environment(allow={"PATH", "LANG"}, add={"ROLE": "ghost"}))`.

    Raises:
        ValueError: for names or values that cannot be in an environment.
    """

    allow: Iterable[str] = frozenset()
    inherit: bool = False
    add: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        check_fields(self, ENVIRONMENT_CHECKS)
        object.__setattr__(self, "allow", frozenset(self.allow))

    def of(self, host: Mapping[str, str]) -> dict[str, str]:
        """What a guest gets of a host that has these."""
        given = {name: value for name, value in host.items() if self.inherit or name in self.allow}
        return {**given, **self.add}


def environment_of(policy: object) -> Environment:
    """The policy that `Process(environ=...)` names: a word, additions to a clean one, or itself."""
    if isinstance(policy, Environment):
        return policy
    if isinstance(policy, Mapping):
        return Environment(add=policy)  # pyright: ignore[reportUnknownArgumentType]
    return Environment(inherit=policy == INHERIT)


def is_policy(value: Any) -> bool:
    return isinstance(value, Environment) or value in (CLEAN, INHERIT) or is_environ(value)


def are_names(value: Any) -> bool:
    """A set, list or tuple of names; one text alone would be taken for its letters."""
    return isinstance(value, set | frozenset | list | tuple) and all(map(is_name, value))  # pyright: ignore[reportUnknownArgumentType]


def is_name(value: object) -> bool:
    return isinstance(value, str) and value != "" and not set("=\0") & set(value)


ENVIRONMENT_CHECKS: Checks = {
    "allow": (are_names, "a set of names of variables"),
    "inherit": (lambda value: isinstance(value, bool), "True or False"),
    "add": (is_environ, "a mapping of text to text"),
}
