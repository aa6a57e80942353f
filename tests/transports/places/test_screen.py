"""The host's own streams: coloured where a person sees it, and never blocking the host."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from tests.person import person
from understudy.transports.places.screen import MOST, Cursor, Screen

SCRIPT = """
import trio
from understudy import Process, open_runtime
from tests.cast_output import Talker
async def main():
    async with open_runtime():
        worker = Talker.options(name="worker", executor=Process(OPTIONS)).remote()
        await worker.both("one\\ntwo", "oh")
    print("the end")
trio.run(main)
"""
BLUE, YELLOW, RESET = "\x1b[34m", "\x1b[33m", "\x1b[0m"


def seen(options: str = "", **environ: str) -> str:
    with person(SCRIPT.replace("OPTIONS", options), NO_COLOR="", TERM="xterm", **environ) as someone:
        assert someone.status() == 0
        return someone.seen


def test_at_a_terminal_the_name_is_blue_for_stdout_and_yellow_for_stderr() -> None:
    lines = set(seen().splitlines())
    assert lines == {
        f"{BLUE}worker | {RESET}one", f"{BLUE}worker | {RESET}two", f"{YELLOW}worker | {RESET}oh", "the end",
    }  # fmt: skip


def test_nothing_is_shown_of_what_is_kept() -> None:
    assert seen("stdout='keep'") == f"{YELLOW}worker | {RESET}oh\nthe end\n"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colours_gets_none(environ: dict[str, str]) -> None:
    with person(SCRIPT.replace("OPTIONS", ""), **{"NO_COLOR": "", "TERM": "xterm", **environ}) as someone:
        assert someone.status() == 0
        assert set(someone.seen.splitlines()) == {"worker | one", "worker | two", "worker | oh", "the end"}


# -- whole lines ---------------------------------------------------------------------------------------


@pytest.fixture
def screen(tmp_path: Path) -> Screen:
    """One that writes to a file."""
    return Screen(os.open(tmp_path / "screen", os.O_RDWR | os.O_CREAT), Cursor())


def text_of(screen: Screen) -> str:
    return os.pread(screen.number, 1_000_000, 0).decode()


def test_each_line_has_one_prefix_however_it_comes(screen: Screen) -> None:
    for pieces in ([b"a", b"b\n", b"c\n"], [b"d"], [b"e\n"]):
        screen.show("x", b"x: ", pieces)
    assert text_of(screen) == "x: ab\nx: c\nx: de\n"


def test_a_line_is_ended_before_anothers_begins(screen: Screen) -> None:
    for owner, pieces in (("x", [b"a"]), ("y", [b"b\n"]), ("y", [b"c"]), ("x", [b"d"]), ("x", [b"e"])):
        screen.show(owner, f"{owner}: ".encode(), pieces)
    screen.leave("y")
    screen.leave("x")
    assert text_of(screen) == "x: a\ny: b\ny: c\nx: de\n"


def test_two_streams_that_are_one_device_share_their_lines(tmp_path: Path) -> None:
    number, cursor = os.open(tmp_path / "screen", os.O_RDWR | os.O_CREAT), Cursor()
    out, err = Screen(number, cursor), Screen(number, cursor)
    out.show("x out", b"x: ", [b"prompt> "])
    err.show("x err", b"x: ", [b"warning\n"])
    assert text_of(out) == "x: prompt> \nx: warning\n"


# -- readers that are slow, or gone --------------------------------------------------------------------


def piped() -> tuple[int, Screen]:
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, 4096)
    return read_end, Screen(write_end, Cursor())


def play(scene: Callable[[trio.Nursery], object]) -> None:
    async def main() -> None:
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                await scene(nursery)  # type: ignore[misc]
                nursery.cancel_scope.cancel()

    trio.run(main)


def test_a_reader_that_does_not_read_holds_up_who_shows_and_gets_all_later() -> None:
    read_end, screen = piped()
    lines = [b"%06d\n" % n for n in range(60_000)]

    async def scene(nursery: trio.Nursery) -> None:
        await nursery.start(screen.run)
        screen.show("x", b"", lines)
        assert screen.full
        assert len(screen.rest) > MOST
        resumed: list[bool] = []
        screen.behind.append(lambda: resumed.append(True))
        assert fcntl.fcntl(screen.number, fcntl.F_GETFL) & os.O_NONBLOCK == 0  # it may be others' too
        data = b""
        while len(data) < 7 * 60_000:
            data += await trio.to_thread.run_sync(os.read, read_end, 65536)
        assert data == b"".join(lines)
        await screen.shown()
        assert (resumed, screen.full) == ([True], False)

    play(scene)


def test_a_reader_that_is_gone_costs_nothing() -> None:
    read_end, screen = piped()

    async def scene(nursery: trio.Nursery) -> None:
        await nursery.start(screen.run)
        screen.show("x", b"", [b"x" * 100_000])
        assert screen.rest
        os.close(read_end)
        await screen.shown()
        screen.show("x", b"", [b"x" * 100_000])
        assert not screen.rest

    play(scene)


def test_at_the_end_a_reader_has_some_time_left() -> None:
    read_end, screen = piped()

    async def scene(nursery: trio.Nursery) -> None:
        await nursery.start(screen.run)
        screen.show("x", b"", [b"x" * 50_000])

    async def main() -> None:
        async def read() -> None:
            while len(data) < 50_000:
                data.extend(await trio.to_thread.run_sync(os.read, read_end, 65536))

        async with trio.open_nursery() as outer:
            outer.start_soon(read)
            async with trio.open_nursery() as nursery:
                await scene(nursery)
                nursery.cancel_scope.cancel()

    data = bytearray()
    trio.run(main)
    assert data == b"x" * 50_000
