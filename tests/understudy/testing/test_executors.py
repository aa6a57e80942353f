"""Our own executors pass what authors of executors are given to run; one that is none does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from understudy import Local, Process, Thread
from understudy.actors.executor import Executor
from understudy.actors.life import EXECUTORS, Incarnation, Life
from understudy.actors.local import LocalIncarnation
from understudy.actors.local_craft import LocalCraft
from understudy.actors.reasons import SHUTDOWN_EXIT, ExitReason
from understudy.testing import ExecutorConformance, FakeExecutor


class TestLocal(ExecutorConformance):
    executor = Local()
    kills_running = False


class TestThread(ExecutorConformance):
    executor = Thread()


@pytest.mark.slow
class TestProcess(ExecutorConformance):
    executor = Process(stderr="keep")


class TestFake(ExecutorConformance):
    executor = FakeExecutor()
    kills_running = False
    virtual = True


# -- executors that are none -------------------------------------------------------------------------


class Sloppy(LocalIncarnation):
    """Takes the same object again after a crash."""

    __slots__ = ()
    objects: ClassVar[dict[str, Any]] = {}

    def make(self) -> None:
        if self.life.path not in self.objects:
            super().make()
        self.actor = self.objects.setdefault(self.life.path, self.actor)


class Hasty(LocalIncarnation):
    """Leaves undone what waits."""

    __slots__ = ()

    def stop(self, seconds: float) -> None:
        self.kill(SHUTDOWN_EXIT)


class Silent(LocalIncarnation):
    """Does not say why it did not start."""

    __slots__ = ()

    async def start(self) -> ExitReason | None:
        await super().start()
        return None


@dataclass(frozen=True)
class Careless(Executor):
    incarnation: type[LocalIncarnation]


class CarelessCraft(LocalCraft):
    def incarnate(self, life: Life) -> Incarnation:
        executor = life.spec.options.executor
        assert isinstance(executor, Careless)
        return executor.incarnation(life)


@pytest.mark.parametrize(
    ("incarnation", "sentence"),
    [
        (Sloppy, "a_crash_is_followed_by_a_new_incarnation_behind_the_same_handle"),
        (Hasty, "what_was_accepted_is_done_before_a_runtime_closes"),
        (Silent, "a_start_that_fails_fails_its_starter"),
    ],
)
def test_what_is_no_executor_fails_the_sentence_it_breaks(
    incarnation: type[LocalIncarnation], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(EXECUTORS, Careless, CarelessCraft())

    class Suite(ExecutorConformance):
        executor = Careless(incarnation)
        kills_running = False

    with pytest.raises(AssertionError):
        getattr(Suite(), f"test_{sentence}")()
