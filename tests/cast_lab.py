"""Trees for the laboratory: their actors do nothing, what counts is what befalls them."""

from __future__ import annotations

import math
from typing import Any

from understudy import Actor, Local, Supervisor
from understudy.actors.backoff import Backoff


class Part(Actor, executor=Local()):
    """An actor to be modelled."""


def troupe(count: int, backoff: Backoff | None = None, **options: Any) -> Supervisor:
    """A supervisor of `w0`, `w1` and so on, whose intensity is no limit unless the options say so."""
    children = (
        Part.options(id=f"w{index}", backoff=backoff, start_timeout=math.inf).child()
        for index in range(count)
    )
    return Supervisor(*children, **{"intensity": 1_000_000, "within": 1.0} | options)
