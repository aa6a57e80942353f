"""`Process(...)` as an executor: which incarnation a guest gets."""

from __future__ import annotations

from .executor import Process
from .life import EXECUTORS
from .process import ProcessCraft, ProcessIncarnation
from .recycling import RecyclingIncarnation


class RecyclingCraft(ProcessCraft):
    """Guests with a limit to their life cost more to watch; others do not pay for that."""

    def kind(self, executor: Process) -> type[ProcessIncarnation]:
        return RecyclingIncarnation if executor.limits.recycles else ProcessIncarnation


EXECUTORS[Process] = RecyclingCraft()
