"""What an actor class offers: its methods by name, its hooks, and whether its options suit them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from .executor import Local
from .kinds import kind_of

if TYPE_CHECKING:
    from .options import Options

F = TypeVar("F", bound=Callable[..., Any])

EXPORTED = "__exported__"
TRAITS = "__understudy_traits__"
MARK = "__understudy__"
BASE_HOOK = "__understudy_hook__"  # on the hooks of Actor itself, which do nothing

RUNS_CODE = "__understudy_runs_code__"

HOOKS = ("load_state", "on_start", "on_interrupt", "on_down", "save_state", "on_stop")
ASYNC_LIMIT = 1000  # calls that run at once in a class with async methods, unless told otherwise


def exported_of(cls: type) -> dict[str, Callable[..., Any]]:
    """The methods of an actor class that a handle offers, by name."""
    found: dict[str, Callable[..., Any]] = getattr(cls, EXPORTED)
    return found


@dataclass(frozen=True, slots=True)
class Traits:
    """What the executors ask of a class again and again."""

    awaits: bool
    streams: bool
    hooks: frozenset[str]


def export(cls: type, exported: dict[str, Callable[..., Any]]) -> None:
    """Note on a class what it offers."""
    setattr(cls, EXPORTED, exported)
    traits = Traits(
        awaits=any(kind_of(item).awaits for item in exported.values()),
        streams=any(kind_of(item).streams for base in cls.__mro__[:-1] for item in vars(base).values()),
        hooks=frozenset(name for name in HOOKS if overrides(cls, name)),
    )
    setattr(cls, TRAITS, traits)


def traits_of(cls: type) -> Traits:
    found: Traits = getattr(cls, TRAITS)
    return found


def awaits(cls: type) -> bool:
    """Has this class methods that run in tasks of an event loop?"""
    return traits_of(cls).awaits


def streams(cls: type) -> bool:
    """Has this class generators, marked or not?"""
    return traits_of(cls).streams


def hooks_of(cls: type) -> frozenset[str]:
    """The hooks that this class has; only what is derived from Actor has any."""
    return traits_of(cls).hooks


def overrides(cls: type, name: str) -> bool:
    found = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
    return any(hasattr(item, BASE_HOOK) for item in found[1:]) and not hasattr(found[0], BASE_HOOK)


def base_hook(function: F) -> F:
    """Mark a hook of Actor itself, which nobody needs to call."""
    setattr(function, BASE_HOOK, True)
    return function


def runs_code(function: F) -> F:
    """Mark a method that runs code which its caller gives it.

    Arguments of any kind go to it, though its actor be untrusted: they are pickled here, and nothing is unpickled.
    What it raises is that code's failure and not the actor's, in a cast too.  It may be named `call`.
    """
    setattr(function, RUNS_CODE, True)
    return function


def is_for_code(function: object) -> bool:
    return hasattr(function, RUNS_CODE)


def code_methods(cls: type) -> list[str]:
    """The names of the methods that run code which their callers give them."""
    return [name for name, item in exported_of(cls).items() if is_for_code(item)]


def group_of(function: object) -> str:
    """The concurrency group of a method; "" is the one that needs no name."""
    group: str = getattr(function, MARK, {}).get("concurrency_group", "")
    return group


# -- what does not suit ------------------------------------------------------------------------------


def refuse_misfit(cls: type, options: Options) -> None:
    """Raise for options that cannot work with the methods of the class, or hooks that could not run."""
    for text in misfits(cls, options):
        raise ValueError(text)


def misfits(cls: type, options: Options) -> Iterator[str]:
    name, groups = cls.__name__, options.concurrency_groups
    for method, function in exported_of(cls).items():
        if group_of(function) not in ("", *groups):
            yield (
                f"{name}.{method} is in concurrency group {group_of(function)!r}, and {name} has "
                f"{', '.join(map(repr, groups)) or 'none'}; give it by concurrency_groups={{{group_of(function)!r}: 1}}"
            )
    several = bool(groups) or (options.max_concurrency or 1) > 1
    if several and isinstance(options.executor, Local) and not awaits(cls):
        yield (
            f"{name} has no async methods, so in Local() its calls run one by one; "
            "for several at once use Thread() or Process(), or write async methods"
        )


def refuse_unknown_group(method: str, group: str, options: Options) -> None:
    """Raise ValueError for a concurrency group that the actor does not have."""
    if group not in ("", *options.concurrency_groups):
        groups = ", ".join(map(repr, options.concurrency_groups)) or "none"
        raise ValueError(f"{method} cannot run in concurrency group {group!r}; the actor has {groups}")


def refuse_async_hooks(cls: type) -> None:
    """Raise TypeError for an async hook in a class that no event loop runs."""
    if awaits(cls):
        return
    for name in sorted(hooks_of(cls)):
        if kind_of(getattr(cls, name)).awaits:
            raise TypeError(
                f"{cls.__name__}.{name} is async, but {cls.__name__} has no async methods, so no event loop "
                "runs it; make the hook a plain function, or one of the methods async"
            )


def full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
