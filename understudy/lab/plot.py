"""Intervals as a picture; needs matplotlib (`pip install understudy[plot]`)."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from .intervals import Interval


def plot_intervals(intervals: Mapping[str, Interval], path: str | PathLike[str], label: str) -> None:
    """Draw each mean with its interval, by name, into a PNG file; blocks while it draws.

    Raises:
        ImportError: without matplotlib.
        OSError: if the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure  # its own canvas: no window, no global state
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'understudy[plot]'") from error
    figure: Any = Figure(figsize=(7, 0.8 + 0.5 * len(intervals)), layout="constrained")
    axes = figure.add_subplot()
    names = list(intervals)
    means = [intervals[name].mean for name in names]
    halves = [intervals[name].high - intervals[name].mean for name in names]
    axes.errorbar(means, range(len(names)), xerr=halves, fmt="o", capsize=4, color="#5e35b1")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(label)
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(path, format="png", dpi=150)
