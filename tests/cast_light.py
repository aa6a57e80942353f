"""An actor whose module loads nothing: for many starts."""

from __future__ import annotations

from understudy import Actor, Process, method


class Echo(Actor, executor=Process(stderr="keep")):
    @method
    def echo(self, value: int) -> int:
        return value
