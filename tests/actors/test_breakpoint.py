"""`breakpoint()` in a guest: a prompt at the host's terminal, as a person sees it; the clock stands still meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.cast_debug import Thinker
from tests.person import ROOT, Person, person
from tests.rehearsal import PAGED, rehearse
from understudy import Process, Runtime

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="a terminal as POSIX has them"),
    pytest.mark.slow,
]

PROMPT = "(Pdb) "
SOURCE = (ROOT / "tests" / "cast_debug.py").read_text().splitlines()
STOP = SOURCE.index("        tripled = 3 * n") + 1  # the line below the breakpoint
LONG = 1.3  # seconds at a prompt, longer than any deadline of these scenes

FRAME = """
import os, signal, sys, trio
from tests.cast_debug import SHOWN, AsyncThinker, Thinker
from understudy import Process, dump, get, interrupt, kill, open_runtime, statistics

async def main():
    async with open_runtime() as runtime:
{scene}

try:
    trio.run(main)
except BaseException as error:
    print("left by", type(error).__name__)
print("over")
"""


def scene(text: str) -> str:
    """A program that plays a scene in a runtime."""
    return FRAME.format(scene="\n".join("        " + line for line in text.strip().splitlines()))


THINK = scene("""
thinker = await Thinker.options(name="thinker", call_timeout=1.0).start()
try:
    print("thought", await thinker.think(7))
except Exception as error:
    print("failed with", repr(error.__cause__))
print("and again", await thinker.pid() == statistics(thinker).pid, await thinker.count())
""")


def at_prompt(someone: Person) -> str:
    return someone.sees(PROMPT)


def test_a_guest_that_stops_asks_at_the_terminal_and_goes_on() -> None:
    with person(THINK) as someone:
        modes = someone.modes()
        shown = at_prompt(someone)
        assert "understudy: thinker (process " in shown
        assert f"cast_debug.py({STOP})think()" in shown
        someone.type("p doubled\n")
        assert "14" in at_prompt(someone)
        assert someone.modes() != modes
        someone.type("c\n")
        someone.sees("thought 35")
        someone.sees("and again True 1")
        assert someone.status() == 0
        assert someone.modes() == modes


def test_time_at_the_prompt_is_no_time_for_a_call() -> None:
    with person(THINK) as someone:
        at_prompt(someone)
        time.sleep(LONG)
        someone.type("c\n")
        someone.sees("thought 35")


def test_after_the_prompt_a_call_has_the_time_it_had_left() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker", call_timeout=1.0).start()
try:
    await thinker.ponder()
except BaseException as error:
    print("failed with", type(error).__name__)
""")
    with person(program) as someone:
        at_prompt(someone)
        time.sleep(LONG)
        someone.type("c\n")
        someone.sees("failed with GetTimeoutError")


def test_calls_that_wait_behind_it_are_not_late_either() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker", call_timeout=1.0).start()
first, second = thinker.think.remote(7), thinker.count.remote()
await trio.sleep(0.5)
third = thinker.count.remote()
print("got", await get([first, second, third]))
""")
    with person(program) as someone:
        at_prompt(someone)
        time.sleep(2 * LONG)
        someone.type("c\n")
        someone.sees("got [35, 1, 1]")


def test_quitting_fails_the_call_and_the_actor_lives() -> None:
    with person(THINK) as someone:
        at_prompt(someone)
        someone.type("q\n")
        someone.sees("failed with BdbQuit()")
        someone.sees("and again True 0")


def test_the_end_of_input_is_a_quit() -> None:
    with person(THINK) as someone:
        at_prompt(someone)
        someone.type("\x04")
        someone.sees("failed with BdbQuit()")


def test_ctrl_c_at_the_prompt_forgets_the_line_and_spares_the_host() -> None:
    with person(THINK) as someone:
        at_prompt(someone)
        someone.type("p 6 * 7 + \x03")
        someone.sees("--KeyboardInterrupt--")
        at_prompt(someone)
        someone.type("p 6 * 7\n")
        someone.sees("42")
        at_prompt(someone)
        someone.type("c\n")
        someone.sees("thought 35")


@pytest.mark.skipif(not PAGED, reason="without a page it would end the call")
def test_ctrl_c_interrupts_a_step_that_takes_too_long() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker").start()
try:
    await thinker.ponder()
except Exception as error:
    print("failed with", repr(error.__cause__))
""")
    with person(program) as someone:
        at_prompt(someone)
        someone.type("n\n")
        time.sleep(0.2)
        someone.type("\x03")
        assert "KeyboardInterrupt" in at_prompt(someone)
        someone.type("q\n")
        someone.sees("failed with BdbQuit()")


def test_stepping_off_the_end_of_a_method_gives_the_terminal_back() -> None:
    with person(THINK) as someone:
        for _ in range(4):
            at_prompt(someone)
            someone.type("n\n")
        someone.sees("thought 35")
        someone.sees("over")


def test_the_prompt_shows_the_users_frames_only() -> None:
    with person(THINK) as someone:
        at_prompt(someone)
        someone.type("w\n")
        shown = at_prompt(someone)
        assert "think()" in shown
        assert "guests" not in shown


def test_breakpoints_set_at_the_prompt_stop_again() -> None:
    with person(THINK) as someone:
        at_prompt(someone)
        someone.type(f"b tests/cast_debug.py:{STOP + 2}\n")
        at_prompt(someone)
        someone.type("c\n")
        assert f"{STOP + 2})think()" in at_prompt(someone)
        someone.type("c\n")
        someone.sees("thought 35")


def test_input_at_the_prompt_comes_from_the_terminal() -> None:
    with person(THINK) as someone:
        at_prompt(someone)
        someone.type("interact\n")
        someone.sees(">>> ")
        someone.type("doubled + 28\n")
        someone.sees("42")
        someone.sees(">>> ")
        someone.type("\x04")
        at_prompt(someone)
        someone.type("c\n")
        someone.sees("thought 35")


def test_a_second_guest_says_that_it_waits_and_gets_its_turn() -> None:
    program = scene("""
both = [await Thinker.options(name=name, call_timeout=1.0).start() for name in ("first", "second")]
one = both[0].think.remote(1)
await trio.sleep(0.2)
print("thought", await get([one, both[1].think.remote(2)]))
""")
    with person(program) as someone:
        assert "first (process" in at_prompt(someone)
        someone.sees("second (process")
        someone.sees("waits its turn")
        time.sleep(LONG)
        someone.type("c\n")
        someone.sees("first (process")
        someone.sees("has left the prompt")
        someone.sees("second (process")
        at_prompt(someone)
        someone.type("p n\n")
        someone.sees("2")
        at_prompt(someone)
        someone.type("c\n")
        someone.sees("thought [5, 10]")


def test_an_async_method_is_stepped_through_its_awaits_while_others_run() -> None:
    program = scene("""
thinker = await AsyncThinker.options(name="thinker", call_timeout=2.0).start()
thought = thinker.think.remote(7)
print("thought", await thought, await thinker.other())
""")
    with person(program) as someone:
        for line in ("await trio.sleep", "return 5 * n"):
            assert line in at_prompt(someone)
            someone.type("n\n")
        someone.sees("has left the prompt")
        someone.sees("thought 35 1")


def test_two_threads_of_one_guest_take_turns() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker", max_concurrency=2, call_timeout=1.0).start()
thoughts = [thinker.think.remote(n) for n in (1, 2)]
print("thought", await get(thoughts))
""")
    with person(program) as someone:
        shown = at_prompt(someone)
        if "waits its turn" not in shown:
            someone.sees("waits its turn")
        time.sleep(LONG)
        someone.type("c\n")
        at_prompt(someone)
        time.sleep(LONG)
        someone.type("c\n")
        someone.sees("thought [5, 10]")


def test_a_guest_killed_at_its_prompt_gives_the_terminal_back() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker", max_restarts=0).start()
thought = thinker.think.remote(1)
with trio.move_on_after(0.5):
    await thought.wait_done()
await kill(thinker)
print("killed")
try:
    await thought
except Exception as error:
    print("failed with", type(error).__name__)
""")
    with person(program) as someone:
        modes = someone.modes()
        at_prompt(someone)
        someone.sees("has left the prompt")
        someone.sees("failed with ActorDiedError")
        assert someone.status() == 0
        assert someone.modes() == modes


def test_a_runtime_that_closes_waits_for_the_person() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker", shutdown=0.2).start()
thinker.think.cast(1)
await trio.sleep(0.3)
print("closing")
""")
    with person(program) as someone:
        at_prompt(someone)
        someone.sees("closing")
        someone.sees("the runtime closes, and waits for this prompt")
        time.sleep(LONG)
        someone.type("p n\n")
        someone.sees("1")
        at_prompt(someone)
        someone.type("c\n")
        someone.sees("over")
        assert "rung" not in someone.seen


def test_a_start_has_all_the_time_of_the_person() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker", start_timeout=2.0).start(True)
print("started", await thinker.count())
""")
    with person(program) as someone:
        at_prompt(someone)
        time.sleep(2 * LONG)
        someone.type("c\n")
        someone.sees("started 0")


def test_a_guest_stopped_by_a_signal_while_at_its_prompt_is_not_killed_before_it_is_left() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker", executor=Process(stopped_timeout=0.2)).start()
thought = thinker.think.remote(7)
with trio.move_on_after(0.4):
    await thought.wait_done()
os.kill(statistics(thinker).pid, signal.SIGSTOP)
await trio.sleep(0.5)
os.kill(statistics(thinker).pid, signal.SIGCONT)
print("it continues")
print("thought", await thought)
""")
    with person(program) as someone:
        at_prompt(someone)
        someone.sees("it continues")
        someone.type("c\n")
        someone.sees("thought 35")


def test_a_dump_does_not_disturb_the_prompt() -> None:
    program = scene("""
thinker = await Thinker.options(name="thinker").start()
thought = thinker.think.remote(7)
with trio.move_on_after(0.4):
    await thought.wait_done()
await dump(thinker)
print("thought", await thought)
""")
    with person(program) as someone:
        at_prompt(someone)
        someone.sees("in think")
        someone.type("c\n")
        someone.sees("thought 35")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_host_that_dies_at_a_prompt_takes_the_guest_along(number: int) -> None:
    with person(THINK) as someone:
        shown = at_prompt(someone)
        pid = int(shown.partition("(process ")[2].partition(")")[0])
        someone.program.send_signal(number)
        assert someone.program.wait(10) == -number
        until = time.monotonic() + 10
        while os.path.exists(f"/proc/{pid}") and time.monotonic() < until:
            time.sleep(0.01)
        assert not os.path.exists(f"/proc/{pid}")


def test_a_terminal_that_is_hung_up_ends_the_prompt() -> None:
    program = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + THINK
    with person(program) as someone:
        at_prompt(someone)
        os.close(someone.end)
        assert someone.program.wait(10) is not None
        someone.end = os.open(os.devnull, os.O_RDONLY)


# -- without a terminal --------------------------------------------------------------------------------


def ran(program: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_without_a_terminal_a_guest_says_where_it_was_and_goes_on() -> None:
    done = ran(THINK)

    assert "thought 35" in done.stdout
    assert "understudy: breakpoint() in thinker (process " in done.stderr
    assert f"cast_debug.py:{STOP} in think(): the host has no terminal to ask at; going on" in done.stderr


@pytest.mark.parametrize("environ", [{"UNDERSTUDY_DEBUG": "off"}, {"PYTHONBREAKPOINT": "0"}], ids=str)
def test_the_environment_switches_it_off(environ: dict[str, str]) -> None:
    done = ran(THINK, **environ)

    assert "thought 35" in done.stdout
    assert "the debugger is off for it; going on" in done.stderr


def test_a_wrong_setting_in_the_environment_is_told_when_a_runtime_opens() -> None:
    done = ran(THINK, UNDERSTUDY_DEBUG="gdb")

    assert "left by ValueError" in done.stdout


def stderr_of(executor: Process, capfd: Any) -> str:
    async def scene(runtime: Runtime) -> None:
        thinker = await Thinker.options(executor=executor).start()
        assert await thinker.think(7) == 35

    rehearse(scene)
    return str(capfd.readouterr().err)


def test_an_untrusted_guest_gets_no_terminal_unless_it_is_given_one(capfd: Any) -> None:
    assert "the debugger is off for it" in stderr_of(Process(trusted=False), capfd)
    assert "no terminal" in stderr_of(Process(trusted=False, debug="terminal"), capfd)


def test_a_wrong_option_is_an_error_that_names_the_right_ones() -> None:
    with pytest.raises(ValueError, match="debug must be 'terminal', 'debugpy', 'off' or None, not 'gdb'"):
        Process(debug="gdb")  # type: ignore[arg-type]
