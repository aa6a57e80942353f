"""The command line: what it prints, and its exit status."""

import os
import signal
import subprocess
import sys

import pytest

from understudy.cli import is_ctrl_c, main


def test_without_a_command_it_shows_the_commands_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    status = main([])

    assert (status, "demo" in capsys.readouterr().out) == (2, True)


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])

    assert capsys.readouterr().out.startswith("understudy ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workers", "0"], "it must be 1 or more, not 0"),
        (["--limit", "-3"], "it must be 1 or more, not -3"),
        (["--kills", "-1"], "it must be a number a second, 0 or more, not -1"),
        (["--kills", "nan"], "it must be a number a second, 0 or more, not nan"),
        (["--duration", "0"], "it must be a number of seconds above 0, not 0"),
        (["--duration", "inf"], "it must be a number of seconds above 0, not inf"),
        (["--workers", "two"], "invalid"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_the_reason(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["demo", *arguments])

    assert words in capsys.readouterr().err


def test_ctrl_c_is_recognised_alone_and_in_groups_but_not_beside_a_real_error() -> None:
    nested = BaseExceptionGroup("", [KeyboardInterrupt(), BaseExceptionGroup("", [KeyboardInterrupt()])])
    mixed = BaseExceptionGroup("", [KeyboardInterrupt(), ValueError()])

    assert [is_ctrl_c(error) for error in (KeyboardInterrupt(), nested, mixed, ValueError())] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.slow
def test_the_demo_balances_and_agrees_with_a_serial_run(capfd: pytest.CaptureFixture[str]) -> None:
    status = main(["demo", "--limit", "40", "--workers", "2", "--kills", "10", "--seed", "1", "--verify"])

    out, err = capfd.readouterr()
    assert (status, err) == (0, "")
    assert "It balances: every file exactly once." in out
    assert "a serial run comes to the same" in out


@pytest.mark.slow
def test_ctrl_c_ends_the_demo_with_the_account_so_far() -> None:
    command = [sys.executable, "-m", "understudy", "demo", "--plain", "--duration", "50", "--workers", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    ) as demo:
        assert demo.stdout is not None
        first, progress = demo.stdout.readline(), demo.stdout.readline()
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=30)

    assert ("pass 1" in progress, first.startswith("understudy demo: ")) == (True, True)
    assert (demo.returncode, err) == (130, "")
    assert "stopped by Ctrl-C" in out
    assert "It balances: every file exactly once." in out
