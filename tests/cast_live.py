"""Real processes for the laboratory."""

from __future__ import annotations

from understudy import Actor, Process, method


class Real(Actor, executor=Process(stderr="keep", stopped_timeout=0.2)):
    """An actor in a process of its own."""

    @method
    def work(self) -> int:
        return 1
