"""All samples of one case, and the figures read off them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

import msgspec

from benchmarks.case import Case, Figure, Sample


class Spread(msgspec.Struct, frozen=True):
    """A figure over several repeats: its median, and how far the repeats lay apart."""

    median: float
    lowest: float
    highest: float


class Measurement:
    """A case and what its repeats gave; `problem` says why there are no more, `broke` that this was no skip."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.samples: list[Sample] = []
        self.problem: str | None = None
        self.broke = False

    def __repr__(self) -> str:
        return f"<Measurement {self.case.name}: {self.problem or f'{len(self.samples)} samples'}>"

    def spread(self, figure: Figure) -> Spread:
        """A figure per operation, in seconds, bytes or operations a second.

        Quantiles are taken over the operations of all repeats together: a hundredth of one repeat is one
        operation.
        """
        repeats = [_figure(figure, [sample]) for sample in self.samples]
        middle = _figure(figure, self.samples) if figure in _QUANTILES else median(repeats)
        return Spread(middle, min(repeats), max(repeats))

    def figure(self, figure: Figure) -> float | None:
        """The median of a figure; None where nothing was measured."""
        return self.spread(figure).median if self.samples else None

    def latest(self) -> float:
        """The figure the case is compared by, in the newest sample."""
        return _figure(self.case.unit, self.samples[-1:])


_QUANTILES: dict[Figure, float] = {"p50": 0.5, "p99": 0.99}

_PER_OPERATION: dict[Figure, Callable[[Sample], float]] = {
    "wall": lambda sample: sample.wall / sample.count,
    "cpu": lambda sample: sample.cpu / sample.count,
    "rate": lambda sample: sample.count / sample.wall,
    "memory": lambda sample: sample.memory / sample.count,
}


def _figure(figure: Figure, samples: Sequence[Sample]) -> float:
    if figure not in _QUANTILES:
        return _PER_OPERATION[figure](samples[0])
    latencies = sorted(latency for sample in samples for latency in sample.latencies)
    return latencies[min(int(len(latencies) * _QUANTILES[figure]), len(latencies) - 1)]
