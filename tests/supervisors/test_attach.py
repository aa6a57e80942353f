"""Attaching: snapshots for programs of the same user, and for runtimes that want it only."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from tests.cast import Faller, Player
from tests.cast_pools import Member
from tests.rehearsal import LOCAL, QUIET, keeper_of, run
from understudy import CallError, Pool, Supervisor, open_runtime
from understudy.supervisors import attach, snapshot
from understudy.supervisors.attach import ASKED
from understudy.supervisors.snapshot import Snapshot, snapshot_of
from understudy.transports.links.private import NotPrivate, sockets

PLAN = Supervisor(
    Player.options(executor=LOCAL, id="p").child(),
    Supervisor(Player.options(executor=QUIET, id="q").child(), id="inner"),
    Pool(Member.options(executor=LOCAL, id="pool").child(), size=2),
)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("UNDERSTUDY_ATTACH", raising=False)
    yield tmp_path / "understudy"
    assert not list(tmp_path.glob("understudy/*"))


async def connected() -> trio.SocketStream:
    (path,) = sockets()[os.getpid()]
    return await trio.open_unix_socket(str(path))


async def asked(stream: trio.SocketStream) -> Snapshot:
    await stream.send_all(ASKED)
    size = int.from_bytes(await some(stream, 4), "big")
    return msgspec.json.decode(await some(stream, size), type=Snapshot)


async def some(stream: trio.SocketStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.receive_some(size - len(data))
    return data


def test_a_runtime_that_wants_it_gives_snapshots_as_often_as_asked() -> None:
    async def play() -> None:
        async with open_runtime(PLAN, attach=True) as runtime:
            async with await connected() as stream:
                first = await asked(stream)
                assert first.rows == snapshot_of(runtime).rows
                assert (first.pid, first.keepers) == (os.getpid(), (keeper_of(runtime).pid,))
                told = [(row.depth, row.path, row.state, row.incarnation, row.pid > 0) for row in first.rows]
                assert told == [
                    (0, "", "", 0, False), (1, "p", "ready", 1, False), (1, "inner", "", 0, False),
                    (2, "inner/q", "ready", 1, True), (1, "pool", "ready", 1, False), (2, "pool/0", "ready", 1, False),
                    (2, "pool/1", "ready", 1, False), (0, "", "", 0, False),
                ]  # fmt: skip
                await Faller.options(executor=LOCAL, id="extra").start()
                assert (await asked(stream)).rows[-1].path == "extra"

    run(play)


def test_a_snapshot_tells_mailboxes_restarts_and_the_last_reason() -> None:
    async def play() -> None:
        async with open_runtime() as runtime:
            faller = await Faller.options(executor=QUIET, id="f").start()
            with pytest.raises(CallError):
                await faller.quit(1)
            await faller.add()
            for _ in range(3):
                faller.sleep.cast(0.05)
            row = next(row for row in snapshot_of(runtime).rows if row.path == "f")
            assert (row.incarnation, row.pending, row.queued) == (2, 3, 3)
            assert "SystemExit" in row.last_reason

    run(play)


def test_without_being_asked_to_nobody_can_attach(place: Path) -> None:
    async def play() -> None:
        async with open_runtime(), open_runtime(attach=False):
            pass

    run(play)
    assert not place.exists()


@pytest.mark.parametrize(("value", "opens"), [("1", True), ("0", False), ("", False)])
def test_the_environment_can_ask_for_it_and_the_option_decides(
    value: str, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_ATTACH", value)

    async def play() -> None:
        async with open_runtime():
            assert bool(sockets()) is opens
        async with open_runtime(attach=False):
            assert not sockets()

    run(play)


def test_a_place_that_is_not_private_ends_the_opening_with_the_reason(place: Path) -> None:
    place.mkdir(mode=0o755)

    async def play() -> None:
        async with open_runtime(PLAN, attach=True):
            raise AssertionError("it is open")

    with pytest.raises(NotPrivate, match="mode 0700"):
        run(play)


def test_others_are_sent_away(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(attach, "is_ours", lambda peer: False)

    async def play() -> None:
        async with open_runtime(attach=True), await connected() as stream:
            assert await stream.receive_some(1) == b""

    with caplog.at_level(logging.WARNING, "understudy"):
        run(play)
    assert "a program of another user wanted to attach" in caplog.text


@pytest.mark.parametrize("said", [b"nonsense!", b"snapshot?", b"\0" * 100_000, b"snap", b""])
def test_what_is_no_question_ends_the_connection_and_nothing_else(said: bytes) -> None:
    async def play() -> None:
        async with open_runtime(attach=True):
            async with await connected() as stream:
                try:
                    await stream.send_all(said)
                    await stream.send_eof()
                    assert await stream.receive_some(1) == b""
                except trio.BrokenResourceError:
                    pass
            async with await connected() as stream:
                await asked(stream)

    run(play)


def test_an_onlooker_that_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach, "PATIENCE", 0.02)

    async def play() -> None:
        async with open_runtime(attach=True):
            for number in range(100):
                await Player.options(executor=LOCAL, id="x" * 5000 + str(number)).start()
            async with await connected() as stream:
                await stream.send_all(ASKED * 20)
                await trio.sleep(0.2)
                got = 0
                with suppress(trio.BrokenResourceError):
                    while data := await stream.receive_some():
                        got += len(data)
            assert got < 20 * 500_000
            async with await connected() as other:
                assert (await asked(other)).rows

    run(play)


def test_no_more_than_so_many_rows_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MOST", 5)

    async def play() -> None:
        async with open_runtime() as runtime:
            for _ in range(10):
                await Player.options(executor=LOCAL).start()
            told = snapshot_of(runtime)
            assert (len(told.rows), told.omitted) == (5, 7)

    run(play)
