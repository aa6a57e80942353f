"""Figures as people read them."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.case import Figure
from benchmarks.goal import Goal, Verdict


def shown(figure: Figure, value: float | None) -> str:
    """A figure with its unit; a dash where there is none."""
    return "–" if value is None else _SHOWN[figure](value)


def shown_value(verdict: Verdict) -> str:
    """What the bounds apply to: a ratio, or the figure itself."""
    return _as_bounded(verdict.goal, verdict.value)


def shown_bounds(goal: Goal) -> str:
    """What is promised."""
    most = "" if goal.at_most is None else f"≤ {_as_bounded(goal, goal.at_most)}"
    least = "" if goal.at_least is None else f"≥ {_as_bounded(goal, goal.at_least)}"
    return " ".join(filter(None, (least, most)))


def _as_bounded(goal: Goal, value: float | None) -> str:
    if goal.beyond and value is not None:
        return f"{shown(goal.figure, value)} more"
    if goal.reference is None or value is None:
        return shown(goal.figure, value)
    return f"{value:.0f}×" if value >= 100 else f"{value:.3g}×"


def _duration(seconds: float) -> str:
    if seconds >= 0.1e-3:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds * 1e6:.3g} µs"


def _rate(per_second: float) -> str:
    if per_second >= 1e6:
        return f"{per_second / 1e6:.3g} M/s"
    return f"{per_second / 1e3:.3g} k/s"


_SHOWN: dict[Figure, Callable[[float], str]] = {
    "wall": _duration,
    "cpu": _duration,
    "p50": _duration,
    "p99": _duration,
    "rate": _rate,
    "memory": lambda size: f"{size:,.0f} B",
}
