"""What tests of programs with actors need: faults on order, an executor that fails by a plan, quiet, conformance.

The names are loaded at first use, so that a pytest that knows the plugin does not pay for an event loop.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .executors import ExecutorConformance as ExecutorConformance
    from .fake import FakeExecutor as FakeExecutor
    from .faults import Crash as Crash
    from .faults import DiesStopping as DiesStopping
    from .faults import Hang as Hang
    from .faults import IgnoresShutdown as IgnoresShutdown
    from .faults import Leave as Leave
    from .faults import Slow as Slow
    from .faults import SlowStart as SlowStart
    from .faults import Stall as Stall
    from .faults import StartFails as StartFails
    from .injection import Injection as Injection
    from .injection import InjectionError as InjectionError
    from .injection import Injector as Injector
    from .injection import inject as inject
    from .injection import injected as injected
    from .settling import NotQuietError as NotQuietError
    from .settling import quiet as quiet
    from .strategies import StrategyConformanceError as StrategyConformanceError
    from .strategies import check_strategy as check_strategy

DOOR: dict[str, tuple[str, ...]] = {
    "executors": ("ExecutorConformance",),
    "fake": ("FakeExecutor",),
    "faults": (
        "Crash",
        "DiesStopping",
        "Hang",
        "IgnoresShutdown",
        "Leave",
        "Slow",
        "SlowStart",
        "Stall",
        "StartFails",
    ),
    "injection": ("Injection", "InjectionError", "Injector", "inject", "injected"),
    "settling": ("NotQuietError", "quiet"),
    "strategies": ("StrategyConformanceError", "check_strategy"),
}
HOME = {name: module for module, names in DOOR.items() for name in names}


def __getattr__(name: str) -> Any:
    module = HOME.get(name)
    if module is None:
        raise AttributeError(f"understudy.testing has no {name!r}; it has {', '.join(sorted(HOME))}")
    value = getattr(import_module(f".{module}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(HOME)
