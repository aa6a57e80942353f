"""`Process(...)` as an executor: which incarnation a guest gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .executor import Process
from .life import EXECUTORS
from .process import ProcessCraft, ProcessIncarnation
from .recycling import RecyclingIncarnation

if TYPE_CHECKING:
    from .life import Life


class RecyclingCraft(ProcessCraft):
    """Guests with a limit to their life cost more to watch; others do not pay for that."""

    def make(self, life: Life) -> ProcessIncarnation:
        executor = life.spec.options.executor
        assert isinstance(executor, Process)
        return (RecyclingIncarnation if executor.limits.recycles else ProcessIncarnation)(life)


EXECUTORS[Process] = RecyclingCraft()
