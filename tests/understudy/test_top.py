"""`understudy top`: what it shows of another process, and its ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.cast import Player
from tests.cast_family import Family
from tests.rehearsal import LOCAL
from understudy import Supervisor, blocking
from understudy.cli import main
from understudy.supervisors.snapshot import Row, Snapshot
from understudy.top import command
from understudy.top.client import Attached, Gone, choose
from understudy.top.figures import Line, Meter, Picture, picture
from understudy.top.plain import text_of
from understudy.top.view import drawn

PLAN = Supervisor(
    Player.options(executor=LOCAL, id="here").child(), Supervisor(Family.options(id="a").child(), id="inner")
)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


def top(*options: str) -> int:
    return main(["top", *options])


def test_one_picture_for_a_pipe_shows_the_tree_its_mailboxes_and_processes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with blocking.open_runtime(PLAN, attach=True) as runtime:
        family = runtime.get_actor("inner/a")
        blocking.call(family.have)
        assert top("--once") == 0
        pid = blocking.statistics(family).pid
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert lines[0].startswith(f"process {os.getpid()}  ")
    assert "2 actors, 0 restarts, 0 dead letters" in lines[0]
    assert lines[1].split() == [
        "actor",
        "what",
        "state",
        "restarts",
        "queued",
        "pending",
        "process",
        "cpu",
        "memory",
    ]
    assert [line.split()[0] for line in lines[2:6]] == ["tree", "here", "inner", "a"]
    assert lines[5].startswith("    a ")
    assert [word for word in lines[5].split() if word == str(pid)]
    assert lines[5].endswith(" MB")
    assert "all processes together: cpu " in lines[-1]
    assert "\x1b" not in out


def test_without_a_terminal_it_prints_once(capsys: pytest.CaptureFixture[str]) -> None:
    with blocking.open_runtime(PLAN, attach=True):
        assert top("--attach", str(os.getpid())) == 0
    assert "here" in capsys.readouterr().out


def test_with_nothing_to_attach_to_it_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert top("--once") == 1
    assert "open_runtime(tree, attach=True), or set UNDERSTUDY_ATTACH=1" in capsys.readouterr().err
    assert top("--attach", "1") == 1
    assert "process 1 has no runtime that can be attached to" in capsys.readouterr().err


@pytest.mark.slow
def test_with_several_it_asks_which(capsys: pytest.CaptureFixture[str]) -> None:
    with blocking.open_runtime(attach=True), other_host() as pid:
        assert top("--once") == 1
        assert (
            f"choose one by --attach: {', '.join(map(str, sorted([os.getpid(), pid])))}"
            in capsys.readouterr().err
        )
        assert top("--once", "--attach", str(pid)) == 0
        assert capsys.readouterr().out.startswith(f"process {pid}  ")


@contextmanager
def other_host() -> Generator[int]:
    """Another process with a runtime."""
    code = "from understudy import blocking\nwith blocking.open_runtime(attach=True): print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        host.stdout.readline()
        try:
            yield host.pid
        finally:
            host.stdin.write(b"\n")
            host.stdin.flush()


@pytest.mark.parametrize("value", ["0", "-1", "inf", "nan", "x"])
def test_a_pace_that_cannot_be_is_refused(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        top("--every", value)


def test_the_end_of_the_runtime_ends_the_looking_on() -> None:
    with blocking.open_runtime(attach=True):
        onlooker = Attached(choose(os.getpid()))
        onlooker.snapshot()
    with onlooker, pytest.raises(Gone, match="the runtime has ended"):
        onlooker.snapshot()


class Terminal:
    """Takes so many pictures, then something happens."""

    def __init__(self, most: int, then: BaseException) -> None:
        self.pictures: list[Picture] = []
        self.most = most
        self.then = then

    @contextmanager
    def __call__(self, plain: bool) -> Iterator[Any]:
        yield self.show

    def show(self, picture: Picture) -> None:
        self.pictures.append(picture)
        if len(self.pictures) == self.most:
            raise self.then


def test_a_ctrl_c_is_how_one_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(2, KeyboardInterrupt())
    monkeypatch.setattr(command, "terminal", terminal)
    monkeypatch.setattr(sys, "stdout", type("Screen", (), {"isatty": lambda self: True})())
    with blocking.open_runtime(attach=True):
        assert top("--every", "0.1") == 0
    assert len(terminal.pictures) == 2


# -- the picture ---------------------------------------------------------------------------------------

ROWS = (
    Row(0, "tree", "", "one_for_one"),
    Row(1, "evil\x1b[2J", "evil", "Evil\n", "ready", 3, 0, 12, 10, trusted=False),
    *(Row(1, f"w{n}", f"w{n}", "Worker", "restarting", 1) for n in range(20)),
)
SNAPSHOT = Snapshot(os.getpid(), "host\x1b.py", 1, (), 4, ROWS, omitted=7)


def test_names_cannot_move_the_cursor_and_untrusted_is_said() -> None:
    text = text_of(picture(SNAPSHOT, Meter()))
    assert "\x1b" not in text
    assert "evil?[2J  Evil?, untrusted" in text
    assert "host?.py  21 actors, 2 restarts, 4 dead letters" in text
    assert "and 7 more nodes" in text


def test_a_low_terminal_shows_what_fits_and_says_how_much_is_missing() -> None:
    shown = picture(SNAPSHOT, Meter())
    text = text_of(shown, height=10).splitlines()
    assert len(text) <= 10
    assert "and 17 more" in text[-2]
    console = Console(width=80, height=10, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(drawn(shown, 10))
    told = console.export_text()
    assert "and 18 more" in told
    assert "memory" in told
    console.file.close()


def test_a_share_of_a_processor_needs_two_looks() -> None:
    meter = Meter()
    first = meter.look({os.getpid()})[os.getpid()]
    burn = threading.Thread(target=sum, args=(range(3_000_000),))
    burn.start()
    burn.join()
    second = meter.look({os.getpid()})[os.getpid()]
    assert first[0] is None
    assert second[0] is not None
    assert second[0] > 0
    assert second[1] > 1_000_000


def test_a_process_that_is_gone_has_no_figures() -> None:
    row = Row(0, "a", "a", "A", "ready", 1, 2**22 + 1)
    (line,) = picture(Snapshot(1, "", 1, (), 0, (row,)), Meter()).lines
    assert line == Line(0, "ready", ("a", "A", "ready", "", "", "", str(2**22 + 1), "", ""))
