"""A census before and one after: what is new is told, what is on its way out is waited for."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.testing.leaks import leaked, take_census


@pytest.fixture
def descriptor() -> Iterator[list[int]]:
    opened: list[int] = []
    yield opened
    for number in opened:
        os.close(number)


def test_where_nothing_has_changed_nothing_is_told() -> None:
    assert leaked(take_census()) == []


def test_an_open_file_is_told_by_number_and_name(descriptor: list[int]) -> None:
    before = take_census()
    descriptor.append(os.open(os.devnull, os.O_RDONLY))

    (words,) = leaked(before)
    assert words.startswith(f"descriptor {descriptor[0]}: ")


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="only /proc tells which file it is")
def test_another_file_under_an_old_number_is_new(descriptor: list[int]) -> None:
    number = os.open(os.devnull, os.O_RDONLY)
    before = take_census()
    os.close(number)
    descriptor.append(os.open("/proc/self/stat", os.O_RDONLY))

    assert descriptor == [number]
    assert len(leaked(before)) == 1


def test_what_is_about_to_go_is_waited_for() -> None:
    before = take_census()
    threading.Thread(target=time.sleep, args=(0.05,)).start()

    assert leaked(before) == []


def test_what_only_a_cycle_holds_is_no_leak() -> None:
    class Holder:
        def __init__(self) -> None:
            self.me = self
            self.number = os.open(os.devnull, os.O_RDONLY)

        def __del__(self) -> None:
            os.close(self.number)

    before = take_census()
    Holder()

    assert leaked(before) == []


def test_threads_that_are_kept_for_the_next_are_no_leak() -> None:
    before = take_census()
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="Trio thread 7")
    thread.start()

    assert leaked(before) == []
    done.set()
    thread.join()
