"""Files for output: rotated at the ends of lines, written by a thread, shared by who writes to them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rehearsal import until
from understudy.transports.files import MOST, Files, RotatingFile


class Scribe:
    """Writes, and remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def failed(self, error: OSError | None, lost: int) -> None:
        if error is not None or lost:
            self.told.append((str(error), lost))


def with_files(scene: Callable[[Files], Awaitable[None]]) -> None:
    async def play() -> None:
        files = Files()
        with trio.fail_after(20):
            async with trio.open_nursery() as nursery:
                await nursery.start(files.run)
                await scene(files)
                nursery.cancel_scope.cancel()

    trio.run(play)


def contents(path: Path, keep: int) -> list[bytes]:
    """All files there are, the oldest first."""
    paths = [*(Path(f"{path}.{n}") for n in range(keep, 0, -1)), path]
    return [one.read_bytes() for one in paths if one.exists()]


def test_a_full_file_turns_at_the_end_of_a_line(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "a", 10, 3)
    for data in (b"one\ntwo\n", b"three\n", b"four\nfive\nsix\n"):
        assert file.write(data) == (len(data), None)
    file.close()
    assert contents(tmp_path / "a", 3) == [b"three\n", b"four\nfive\n", b"six\n"]
    assert contents(tmp_path / "a", 9) == contents(tmp_path / "a", 3)


def test_one_alone_begins_anew(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "a", 10, 1)
    file.write(b"12345678\nabc\n")
    file.close()
    assert contents(tmp_path / "a", 9) == [b"abc\n"]


def test_only_a_line_that_is_too_long_is_cut(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "a", 10, 9)
    file.write(b"a\n" + b"x" * 25 + b"\nb\n")
    file.close()
    assert contents(tmp_path / "a", 9) == [b"a\n", b"x" * 10, b"x" * 10, b"xxxxx\nb\n"]


def test_one_that_is_there_is_continued_or_turned(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old\n")
    (tmp_path / "b").write_bytes(b"old and too large\n")
    for name in "ab":
        file = RotatingFile(tmp_path / name, 10, 3)
        file.write(b"new\n")
        file.close()
    assert contents(tmp_path / "a", 3) == [b"old\nnew\n"]
    assert contents(tmp_path / "b", 3) == [b"old and too large\n", b"new\n"]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=20), max_size=8), st.integers(min_value=1, max_value=30))
def test_nothing_is_lost_and_no_file_is_too_large(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], most: int
) -> None:
    path = tmp_path_factory.mktemp("files") / "a"
    file = RotatingFile(path, most, 1000)
    for part in parts:
        file.write(part)
    file.close()
    found = contents(path, 200)
    assert b"".join(found) == b"".join(parts)
    assert all(len(content) <= most for content in found)


def test_who_writes_to_one_path_shares_it(tmp_path: Path) -> None:
    async def scene(files: Files) -> None:
        ada, bob = Scribe(), Scribe()
        file = files.open(ada, tmp_path / "a", 0, 1)
        assert files.open(bob, tmp_path / "b" / ".." / "a", 0, 1) is file
        for writer, pieces in ((ada, [b"a1\n", b"a2"]), (bob, [b"b1"]), (bob, [b" b1\n"]), (ada, [b"a3\n"])):
            file.put(writer, pieces)
        await file.written()
        assert (tmp_path / "a").read_bytes() == b"a1\na2\nb1 b1\na3\n"

    with_files(scene)


def test_the_last_one_to_leave_closes_it(tmp_path: Path) -> None:
    async def scene(files: Files) -> None:
        before = len(os.listdir("/dev/fd"))
        scribe = Scribe()
        for n in range(3):
            file = files.open(scribe, tmp_path / "a", 0, 1)
            file.put(scribe, [b"%d\n" % n])
            file.leave(scribe)
            await file.written()
        await until(lambda: not files.files)
        assert len(os.listdir("/dev/fd")) == before

    with_files(scene)
    assert (tmp_path / "a").read_bytes() == b"0\n1\n2\n"


def test_other_limits_for_the_same_file_are_refused(tmp_path: Path) -> None:
    async def scene(files: Files) -> None:
        files.open(Scribe(), tmp_path / "a", 10, 3)
        with pytest.raises(OSError, match="rotated otherwise"):
            files.open(Scribe(), tmp_path / "a", 10, 4)

    with_files(scene)


def test_who_writes_more_than_the_disk_takes_is_full_for_a_while(tmp_path: Path) -> None:
    async def scene(files: Files) -> None:
        scribe = Scribe()
        file = files.open(scribe, tmp_path / "a", 0, 1)
        file.put(scribe, [b"x" * (MOST + 1)])
        assert file.full
        resumed: list[bool] = []
        file.behind.append(lambda: resumed.append(True))
        await file.written()
        assert (resumed, file.full) == ([True], False)

    with_files(scene)


def test_all_is_written_when_the_runtime_ends(tmp_path: Path) -> None:
    async def scene(files: Files) -> None:
        scribe = Scribe()
        files.open(scribe, tmp_path / "a", 0, 1).put(scribe, [b"x" * 1000])

    with_files(scene)
    assert (tmp_path / "a").read_bytes() == b"x" * 1000


def test_a_disk_that_fills_up_and_is_emptied_loses_what_came_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = 5
    real = os.write

    def write(number: int, data: bytes) -> int:
        nonlocal room
        if room == 0:
            raise OSError(28, "No space left on device")
        taken = min(room, len(data))
        room -= taken
        return real(number, data[:taken])

    async def scene(files: Files) -> None:
        nonlocal room
        scribe = Scribe()
        file = files.open(scribe, tmp_path / "a", 0, 1)
        monkeypatch.setattr("understudy.transports.files.os.write", write)
        for data in (b"one\n", b"two\n", b"three\n", b"four\n"):
            room = 100 if data == b"four\n" else room
            file.put(scribe, [data])
            await file.written()
        assert scribe.told == [
            ("[Errno 28] No space left on device", 3), ("[Errno 28] No space left on device", 7),
        ]  # fmt: skip

    with_files(scene)
    assert (tmp_path / "a").read_bytes() == b"one\nt\nfour\n"
