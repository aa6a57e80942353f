"""Workers that set names in their namespaces as soon as they are made, importable in guests."""

from __future__ import annotations

from typing import Any

from understudy import AsyncWorker, Worker


class Eager(Worker):
    def __init__(self) -> None:
        super().__init__()
        self.namespaces.names("__main__", {"early": 1})


class EagerAsync(AsyncWorker):
    def __init__(self) -> None:
        super().__init__()
        self.namespaces.names("__main__", {"early": 1})


class Heir(Eager):
    """Is made a second time, as it cannot load what its forerunner saved."""

    def save_state(self) -> int:
        return 1

    def load_state(self, state: Any) -> None:
        del vars(self.namespaces.module("__main__"))["early"]
        raise ValueError(state)
