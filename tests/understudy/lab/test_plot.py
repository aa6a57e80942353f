"""Plots: a PNG where matplotlib is installed, and what to do where it is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from understudy.lab import interval
from understudy.lab.plot import plot_intervals

SHARES = {"one_for_one": interval([0.98, 0.99]), "one_for_all": interval([0.7, 0.8, 0.9])}


@pytest.mark.slow
def test_intervals_become_a_picture(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pip install 'understudy[plot]' installs it")
    plot_intervals(SHARES, tmp_path / "shares.png", "share of time")

    assert (tmp_path / "shares.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_without_matplotlib_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)

    with pytest.raises(ImportError, match=r"pip install 'understudy\[plot\]'"):
        plot_intervals(SHARES, "nowhere.png", "share of time")
