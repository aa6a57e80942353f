"""The doorbell raises inside the call that is meant, and nowhere else."""

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from understudy.transports.guests import interrupts
from understudy.transports.guests.interrupts import DOORBELL, Doorbell, Interrupted, ThreadDoorbell, invoke
from understudy.transports.guests.protocol import INTERRUPT, PAGE_BYTES


@pytest.fixture(autouse=True)
def own_handler() -> Iterator[None]:
    before = signal.getsignal(DOORBELL)
    yield
    signal.signal(DOORBELL, before)


def bell(page: memoryview | None = None, running: int = 7, protected: bool = False) -> Doorbell:
    doorbell = Doorbell(page)
    doorbell.running, doorbell.protected = running, protected
    doorbell.listen()
    return doorbell


def page_for(call: int) -> memoryview:
    page = memoryview(bytearray(PAGE_BYTES)).cast("Q")
    page[INTERRUPT] = call
    return page


def ring() -> str:
    """A method during which the bell rings."""
    os.kill(os.getpid(), DOORBELL)
    for _ in range(100):
        pass
    return "finished"


def run(method: Callable[[], Any]) -> Any:
    try:
        return invoke(method, (), {})
    except Interrupted:
        return "interrupted"


def test_user_code_that_is_meant_is_interrupted() -> None:
    bell(page_for(7))

    assert run(ring) == "interrupted"


def test_another_call_than_the_one_meant_is_left_alone() -> None:
    bell(page_for(8))

    assert run(ring) == "finished"


def test_a_page_that_names_no_call_interrupts_none() -> None:
    bell(page_for(0))

    assert run(ring) == "finished"


def test_without_a_page_the_call_that_runs_is_meant() -> None:
    bell()

    assert run(ring) == "interrupted"


def test_a_protected_method_is_left_alone() -> None:
    bell(page_for(7), protected=True)

    assert run(ring) == "finished"


def test_when_nothing_runs_nothing_is_raised() -> None:
    bell(page_for(0), running=0)

    assert run(ring) == "finished"


def test_our_own_code_is_never_interrupted() -> None:
    bell(page_for(7))

    assert ring() == "finished"


def test_deep_inside_user_code_is_still_user_code() -> None:
    def deep(levels: int) -> Any:
        return deep(levels - 1) if levels else ring()

    bell(page_for(7))

    assert run(lambda: deep(50)) == "interrupted"


def test_a_method_that_swallows_the_first_ring_gets_the_next() -> None:
    def stubborn() -> str:
        try:
            ring()
        except BaseException:
            return ring()
        return "never rung"

    bell(page_for(7))

    assert run(stubborn) == "interrupted"


def test_except_exception_does_not_swallow_an_interrupt() -> None:
    def careless() -> str:
        try:
            return ring()
        except Exception:
            return "swallowed"

    bell(page_for(7))

    assert run(careless) == "interrupted"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One during whose import the bell rings."""
    code = "import os\nos.kill(os.getpid(), 2)\nfor _ in range(100):\n    pass\nrest = 'all of it'\n"
    (tmp_path / "half_imported.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("half_imported", None)


def import_it() -> str:
    return str(importlib.import_module("half_imported").rest)


def test_an_import_is_not_torn_apart(module: None) -> None:
    bell(page_for(7))

    assert run(import_it) == "all of it"
    assert run(ring) == "interrupted"


def test_an_import_that_does_not_end_is_torn_apart_all_the_same(
    module: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interrupts, "IMPORT", 0.0)
    bell(page_for(7))

    assert run(import_it) == "interrupted"


def test_invoke_passes_arguments_and_results_on() -> None:
    assert invoke(dict, ([("a", 1)],), {"b": 2}) == {"a": 1, "b": 2}


# -- in a thread -----------------------------------------------------------------------------------


def in_thread(work: Callable[[threading.Event, threading.Event], str]) -> str:
    """What `work` returns in a thread, for which the bell is rung once it has begun, and which is then told to go on."""
    bell = ThreadDoorbell()
    begun, rung = threading.Event(), threading.Event()
    said: list[str] = []

    def play() -> None:
        try:
            bell.running = 7
            said.append(work(begun, rung))
        except Interrupted:
            said.append("interrupted")
        finally:
            bell.running = 0

    thread = threading.Thread(target=play)
    thread.start()
    begun.wait()
    bell.ring()
    rung.set()
    thread.join()
    return said[0]


def wait_for_the_ring(begun: threading.Event, rung: threading.Event) -> str:
    begun.set()
    rung.wait()
    for _ in range(100):
        pass
    return "finished"


def test_user_code_in_a_thread_is_interrupted() -> None:
    assert in_thread(lambda begun, rung: str(invoke(wait_for_the_ring, (begun, rung), {}))) == "interrupted"


def test_our_own_code_for_a_call_in_a_thread_is_left_alone() -> None:
    assert in_thread(wait_for_the_ring) == "finished"
