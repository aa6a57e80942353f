"""What is promised: a bound on one figure, alone or against the same figure of a reference."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from benchmarks.case import Figure
from benchmarks.measurement import Measurement


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the promise: `ours`, divided by `reference` if there is one (or less it), is within the bounds."""

    what: str
    ours: str
    figure: Figure
    reference: str | None = None
    beyond: bool = False
    """Bound what ours takes beyond the reference, in the figure's own unit, and not the ratio."""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def cases(self) -> tuple[str, ...]:
        """The names of the cases this goal compares."""
        return (self.ours,) if self.reference is None else (self.ours, self.reference)

    def judge(self, measured: Mapping[str, Measurement]) -> Verdict:
        """Compare the medians; a case that was not measured leaves the verdict open."""
        ours = _median(measured, self.ours, self.figure)
        reference = _median(measured, self.reference, self.figure)
        value = ours if self.reference is None else self._compared(ours, reference)
        return Verdict(goal=self, ours=ours, reference=reference, value=value, met=self._met(value))

    def _compared(self, ours: float | None, reference: float | None) -> float | None:
        if self.beyond:
            return ours - reference if ours is not None and reference is not None else None
        return _ratio(ours, reference)

    def _met(self, value: float | None) -> bool | None:
        if value is None:
            return None
        if self.at_most is not None and value > self.at_most:
            return False
        return self.at_least is None or value >= self.at_least


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """How a goal fared; `value` is what the bounds apply to, `met` is None where something was not measured."""

    goal: Goal
    ours: float | None
    reference: float | None
    value: float | None
    met: bool | None


def _median(measured: Mapping[str, Measurement], name: str | None, figure: Figure) -> float | None:
    measurement = measured.get(name) if name is not None else None
    return None if measurement is None else measurement.figure(figure)


def _ratio(ours: float | None, reference: float | None) -> float | None:
    return ours / reference if ours is not None and reference else None
