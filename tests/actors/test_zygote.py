"""Guests that are forks of a zygote: what they share, what they do not, and what a zygote refuses to load."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_zygote import Looker, Stillborn
from tests.rehearsal import QUIET, keeper_of, rehearse, run, until
from understudy import (
    ActorError,
    ActorStartError,
    CallInterruptedError,
    Process,
    Runtime,
    interrupt,
    kill,
    statistics,
    stop,
)
from understudy.transports.guests import attributes, bootstrap
from understudy.transports.guests.attributes import ProcessAttributes
from understudy.transports.places.keeper import Keeper
from understudy.transports.system.means import capabilities, has

zygote = pytest.mark.skipif(not has("zygote"), reason="each guest starts an interpreter of its own here")
SPAWNED = replace(QUIET, launch="spawn")
LAUNCHES = [pytest.param(QUIET, id="zygote", marks=zygote), pytest.param(SPAWNED, id="spawn")]
KNOWN = "tests.preloads.known"


async def start(executor: Process, **options: Any) -> Any:
    return await Looker.options(executor=executor, **options).start()


async def refusal(executor: Process) -> str:
    """What a start with this executor is told."""
    with pytest.raises(ActorStartError) as raised:
        await Looker.options(executor=executor, restart="temporary").start()
    return str(raised.value)


def count_starts(monkeypatch: pytest.MonkeyPatch) -> list[Keeper]:
    """Every keeper that is started from now on."""
    started: list[Keeper] = []
    plain = Keeper.start

    async def noted(self: Keeper) -> None:
        if self.link is None:
            started.append(self)
        await plain(self)

    monkeypatch.setattr(Keeper, "start", noted)
    return started


# -- who shares a zygote -----------------------------------------------------------------------------


@zygote
def test_guests_are_children_of_one_zygote_and_not_of_one_that_serves_others() -> None:
    strange = replace(QUIET, trusted=False)
    kinds = [
        QUIET, SPAWNED, strange, replace(strange, domain="a"), replace(strange, domain="b"),
        replace(QUIET, flags=["-O"]), replace(QUIET, preload=[KNOWN]),
    ]  # fmt: skip

    async def scene(runtime: Runtime) -> None:
        first, second = [[(await (await start(kind)).pids())[1] for kind in kinds] for _ in range(2)]
        assert first == second
        assert len(set(first)) == len(kinds)
        assert {keeper.pid for keeper in runtime.house.stage.keepers} == set(first)
        shown = runtime.tree()
        for pid, mark in zip(first, ["trusted", "", "untrusted", "untrusted, domain a", "untrusted, domain b",
                                     "-O, trusted", f"trusted, with {KNOWN}"], strict=True):  # fmt: skip
            kind = f"zygote  {mark}," if mark else "keeper "
            assert f"{kind} process {pid}; starts and reaps guests" in shown

    rehearse(scene)


def test_where_there_are_no_zygotes_each_guest_starts_its_own_interpreter() -> None:
    expected = "fork" if has("zygote") else "each guest starts an interpreter of its own"
    assert capabilities()["zygote"] == expected


# -- what is preloaded -------------------------------------------------------------------------------


@zygote
def test_a_preload_is_loaded_once_by_the_zygote_and_each_guest_has_its_own_copy_of_its_state() -> None:
    async def scene(runtime: Runtime) -> None:
        one, two = [await start(replace(QUIET, preload=[KNOWN])) for _ in range(2)]
        by = keeper_of(runtime).pid
        assert await one.attribute(KNOWN, "LOADED_BY") == await two.attribute(KNOWN, "LOADED_BY") == by
        assert [await guest.touch() for guest in (one, two, one)] == [
            [statistics(one).pid], [statistics(two).pid], [statistics(one).pid] * 2,
        ]  # fmt: skip

    rehearse(scene)


@zygote
def test_signals_and_descriptors_that_a_preload_touches_harm_neither_zygote_nor_guests() -> None:
    async def scene(runtime: Runtime) -> None:
        guest = await start(replace(QUIET, preload=[KNOWN]), max_restarts=-1)
        with pytest.raises(ActorError):
            await guest.print_and_exit(5)
        assert "exited with status 5" in statistics(guest).last_reason or await guest.pids()
        assert (await guest.pids())[1] == keeper_of(runtime).pid

    rehearse(scene)


@zygote
@pytest.mark.parametrize("by_spare", [False, True])
def test_what_a_preload_does_to_the_process_is_undone(by_spare: bool) -> None:
    async def scene(runtime: Runtime) -> None:
        plain = await start(QUIET)
        unruly = [await start(replace(QUIET, preload=["tests.preloads.unruly"])) for _ in range(3)]
        guest = unruly[-1 if by_spare else 0]
        assert await guest.attributes() == await plain.attributes()
        before = await guest.pids()
        spinning = guest.spin.remote()
        await trio.sleep(0.05)
        assert await interrupt(guest)
        with pytest.raises(CallInterruptedError):
            await spinning
        assert await guest.pids() == before  # in place

    rehearse(scene)


@zygote
def test_a_preload_that_is_nice_for_good_is_refused_and_its_guests_are_never_nicer() -> None:
    async def scene(runtime: Runtime) -> None:
        executor = replace(QUIET, preload=["tests.preloads.nice"])
        if os.geteuid():
            assert "preload 'tests.preloads.nice' sets the niceness to" in await refusal(executor)
        else:
            assert await (await start(executor)).attributes() == await (await start(QUIET)).attributes()

    rehearse(scene)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("setpriority", "niceness to 3, which its guests"),
        ("setrlimit", "limit RLIMIT_NOFILE to 7, which its guests"),
    ],
)
def test_attributes_that_cannot_be_undone_are_named(
    call: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    was = ProcessAttributes()
    try:
        if call == "setpriority":
            monkeypatch.setattr(os, "getpriority", lambda *_: 3)
            monkeypatch.setattr(os, "setpriority", refuse)
        else:
            monkeypatch.setattr(attributes, "limits", lambda: {"RLIMIT_NOFILE": (7, 7)})
            monkeypatch.setattr(resource, "setrlimit", refuse)
        assert words in was.restore_niceness() + was.restore_limits()
    finally:
        was.close()


REFUSED = {
    "raising": r"preload 'tests.preloads.raising' could not be loaded: LookupError: of a preload",
    "threaded": r"preload 'tests.preloads.threaded' starts threads (busybody), which would not be there in the guests",
    "hidden": r"preload 'tests.preloads.hidden' starts threads (1 that Python does not know)",
    "no_such": r"preload 'tests.preloads.no_such' could not be loaded: ModuleNotFoundError: No module named",
    "leaving": r"exited with status 3 before it could start a guest: so long",
}


@zygote
@pytest.mark.parametrize("name", REFUSED)
def test_a_preload_that_cannot_be_used_fails_the_start_with_the_reason(
    name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started = count_starts(monkeypatch)

    async def scene(runtime: Runtime) -> None:
        text = await refusal(replace(QUIET, preload=[f"tests.preloads.{name}"]))
        assert REFUSED[name] in text
        if name == "raising":
            assert 'preloads/raising.py", line 3, in <module>' in text
        assert len(started) == 1
        assert ("guests are lost" in caplog.text) is (name == "leaving")  # which nobody had told
        assert await (await start(QUIET)).pids()  # others do not notice

    rehearse(scene)


@zygote
def test_all_who_wait_for_a_zygote_that_fails_are_told_and_it_is_started_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = count_starts(monkeypatch)
    told: list[str] = []

    async def scene(runtime: Runtime) -> None:
        async def fail() -> None:
            told.append(await refusal(replace(QUIET, preload=["tests.preloads.raising"])))

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(fail)

    rehearse(scene)
    assert len(told) == 20
    assert all("LookupError: of a preload" in text for text in told)
    assert len(started) == 1


def test_a_preload_that_never_ends_fails_the_start_at_its_deadline_and_goes_with_the_runtime() -> None:
    pids: list[int] = []

    async def scene(runtime: Runtime) -> None:
        executor = replace(QUIET, preload=["tests.preloads.endless"])
        with pytest.raises(ActorStartError, match=r"not there after 0\.2 s"):
            await Looker.options(executor=executor, restart="temporary", start_timeout=0.2).start()
        pids.extend(keeper.pid for keeper in runtime.house.stage.keepers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("understudy.transports.places.keeper.PATIENCE", 0.1)
        if has("zygote"):
            rehearse(scene)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


ENDLESS = replace(QUIET, preload=["tests.preloads.endless"], environ={"LOAD": "x" * 20_000})


@zygote
@pytest.mark.parametrize("end", ["close", "kill", "stop"])
def test_whoever_waits_for_a_zygote_that_loads_for_ever_is_let_go_at_once(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.transports.places.keeper.PATIENCE", 3600.0)

    async def scene(runtime: Runtime) -> None:
        waiting = [Looker.options(executor=ENDLESS, start_timeout=3600.0).remote() for _ in range(100)]
        await until(lambda: list(runtime.house.stage.keepers))
        await trio.sleep(0.05)  # some are still on their way to the zygote
        if end != "close":
            await (kill if end == "kill" else stop)(waiting[-1])
        assert statistics(waiting[0]).state == "starting"

    rehearse(scene)


# -- what the guests do not share --------------------------------------------------------------------


@zygote
def test_forks_have_chances_of_their_own_and_a_hash_seed_in_common() -> None:
    pytest.importorskip("numpy")

    async def scene(runtime: Runtime) -> None:
        executor = replace(QUIET, preload=["numpy", "numpy.random"])
        seen = [await (await start(executor)).chance() for _ in range(3)]
        assert len({chance for chance, _, _ in seen}) == 3
        assert len({chance for _, _, chance in seen}) == 3
        assert len({seed for _, seed, _ in seen}) == 1

    rehearse(scene)


@pytest.mark.parametrize("executor", LAUNCHES)
def test_the_environment_is_what_was_asked_for_whoever_looks(
    executor: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the host")

    async def scene(runtime: Runtime) -> None:
        guest = await start(replace(executor, environ={"COLOUR": "blue"}))
        raw, c, told = await guest.environments("COLOUR")
        assert (raw, c) == ("blue", "blue")
        assert {line for line in told.splitlines() if not line.startswith("LC_CTYPE=")} == {"COLOUR=blue"}
        assert await guest.environments("OPENBLAS_NUM_THREADS") == (None, None, told)

    rehearse(scene)


@pytest.mark.parametrize("executor", LAUNCHES)
def test_what_the_environment_says_to_us_and_to_the_clock_is_heeded(executor: Process) -> None:
    async def scene(runtime: Runtime) -> None:
        guest = await start(replace(executor, environ={"UNDERSTUDY_LOG": "actors=error", "TZ": "XYZ-5"}))
        assert list(await guest.heeds()) == ["XYZ", 40]

    rehearse(scene)


@pytest.mark.parametrize("executor", LAUNCHES)
def test_the_interpreter_has_the_flags_that_were_asked_for(executor: Process) -> None:
    async def scene(runtime: Runtime) -> None:
        assert await (await start(executor)).flags() == (0, False, True, 1)
        guest = await start(replace(executor, flags=("-O", "-X", "dev")))
        assert await guest.flags() == (1, True, False, 1)

    rehearse(scene)


@pytest.mark.parametrize("executor", LAUNCHES)
def test_nothing_of_the_keeper_is_left_in_a_guest(executor: Process) -> None:
    async def scene(runtime: Runtime) -> None:
        guest = await start(executor)
        frames = await guest.frames()
        assert frames[0] == "bootstrap.py"
        assert not {"keeper.py", "birth.py"} & set(frames)
        assert await guest.leftovers() == []
        assert max(await guest.descriptors()) < 10

    rehearse(scene)


@pytest.mark.parametrize("executor", LAUNCHES)
def test_the_end_of_a_guest_is_the_end_of_an_interpreter(executor: Process, tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        path = tmp_path / "wish"
        guest = await start(executor, max_restarts=0)
        await guest.last_wish(str(path))
        with pytest.raises(ActorError) as raised:
            await guest.print_and_exit(7)
        assert "last words" in str(raised.value.reason.stderr)
        assert path.read_text() == "remembered"

    rehearse(scene)


@pytest.mark.slow
@zygote
def test_a_zygote_does_not_grow_with_the_guests_it_has_had() -> None:
    """Descriptors, memory and children of the zygote and of its host, over many lives."""

    async def scene(runtime: Runtime) -> None:
        async def lives(count: int) -> None:
            for _ in range(count):
                await kill(await start(QUIET, shutdown=0))

        await lives(20)
        pid = keeper_of(runtime).pid
        before = held_by(pid), held_by(os.getpid())
        await lives(100)
        after = held_by(pid), held_by(os.getpid())
        assert [one[:2] for one in after] == [one[:2] for one in before]
        grown = [new[2] - old[2] for new, old in zip(after, before, strict=True)]
        assert max(grown) < 1_000_000, grown

    rehearse(scene, seconds=50)


def held_by(pid: int) -> tuple[int, int, int]:
    """A process's descriptors, its children, and the bytes of memory that are its own."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        own = sum(int(line.split()[1]) for line in rollup if line.startswith("Private_Dirty:"))
    with open(f"/proc/{pid}/task/{pid}/children") as listing:
        children = len(listing.read().split())
    return len(os.listdir(f"/proc/{pid}/fd")), children, own * 1024


@pytest.mark.parametrize("executor", LAUNCHES)
def test_what_a_guest_wrote_before_it_died_in_its_constructor_is_in_the_error(executor: Process) -> None:
    async def scene(runtime: Runtime) -> None:
        with pytest.raises(ActorStartError, match=r"(?s)exited with status 9.*not in this state"):
            await Stillborn.options(executor=executor, restart="temporary").start()

    rehearse(scene)


@zygote
def test_a_zygote_without_descriptors_refuses_guests_with_the_reason_and_serves_on() -> None:
    prlimit = pytest.importorskip("resource").prlimit

    async def scene(runtime: Runtime) -> None:
        first = await start(QUIET)
        keeper = keeper_of(runtime).pid
        _, hard = before = prlimit(keeper, resource.RLIMIT_NOFILE)
        told: list[str] = []
        for most in (16, 18, 21, 64, 68, 70, 74):
            prlimit(keeper, resource.RLIMIT_NOFILE, (most, hard))
            try:
                await start(QUIET)
            except ActorStartError as error:
                told.append(str(error))
        assert len(told) > 3
        assert all("too many open files in the process that starts guests" in text for text in told)
        prlimit(keeper, resource.RLIMIT_NOFILE, before)
        assert keeper == (await first.pids())[1] == (await (await start(QUIET)).pids())[1]

    rehearse(scene)


@zygote
@pytest.mark.cold
def test_what_a_preload_prints_is_in_the_log(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scene(runtime: Runtime) -> None:
        await start(replace(QUIET, preload=["tests.preloads.chatty"]))

    rehearse(scene)
    label = "zygote, trusted, with tests.preloads.chatty prints:"
    assert set(caplog.messages) == {
        f"{label} {line}" for line in ("a complaint", "a word of mine", "no end of line")
    }
    assert capfd.readouterr().out == ""


# -- interpreters ------------------------------------------------------------------------------------

OLD = f"""#!{sys.executable} -IS
import runpy, sys
sys.version_info, sys.version = (3, 8, 18), "3.8.18 (default)"
start = next(n for n, argument in enumerate(sys.argv) if argument.endswith("bootstrap.py"))
sys.argv[:] = sys.argv[start:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.mark.parametrize("executor", LAUNCHES)
def test_an_interpreter_that_is_too_old_says_so(executor: Process, tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text(OLD)
    old.chmod(0o700)

    async def scene(runtime: Runtime) -> None:
        text = await refusal(replace(executor, python=str(old)))
        wanted = ".".join(map(str, bootstrap.OLDEST))
        assert f"understudy needs Python {wanted} or newer; {sys.executable} is 3.8.18" in text

    rehearse(scene)


SCRIPT = """#!/bin/sh
sleep 1000 >/dev/null 2>&1 {link} &
echo $! > {told}
{then}
"""


@zygote
@pytest.mark.parametrize("then", ["wait", "exit 3"])
def test_what_a_script_has_started_that_is_to_be_the_interpreter_goes_with_it(
    then: str, tmp_path: Path
) -> None:
    script, told = tmp_path / "python", tmp_path / "pid"
    closed = " ".join(f"{number}>&-" for number in range(3, 10)) if then == "exit 3" else ""
    script.write_text(SCRIPT.format(link=closed, told=told, then=then))
    script.chmod(0o700)
    pids: list[int] = []

    async def scene(runtime: Runtime) -> None:
        executor = replace(QUIET, python=str(script))
        Looker.options(executor=executor).remote()
        await until(lambda: told.exists() and told.read_text().endswith("\n"))
        pids.append(int(told.read_text()))

    rehearse(scene)
    run(partial(until, lambda: has_ended(pids[0])))


def has_ended(pid: int) -> bool:
    """Whoever inherits it may be slow to reap it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.parametrize("executor", LAUNCHES)
def test_flags_that_the_interpreter_refuses_fail_the_start_with_its_own_words(executor: Process) -> None:
    async def scene(runtime: Runtime) -> None:
        text = await refusal(replace(executor, flags=["--no-such-flag"]))
        assert "unknown option --no-such-flag" in text
        assert "exited with status 2" in text

    rehearse(scene)


# -- labels ------------------------------------------------------------------------------------------

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@linux
@zygote
def test_zygotes_and_guests_are_shown_with_what_they_are() -> None:
    async def scene(runtime: Runtime) -> None:
        guest = await start(replace(QUIET, trusted=False, domain="guests of Ada"), id="lady")
        other = await start(SPAWNED, id="lord")
        pid, parent = await guest.pids()
        assert list(await guest.command(pid)) == ["understudy: lady (Looker)", "lady (Looker)"]
        assert (await guest.command(parent))[0] == "understudy: zygote, untrusted, domain guests of Ada"
        spawned = (await guest.command((await other.pids())[0]))[0]
        assert spawned.endswith("\0understudy: lord (Looker)")

    rehearse(scene)


@linux
@zygote
def test_a_label_is_printable_and_bounded() -> None:
    async def scene(runtime: Runtime) -> None:
        guest = await start(QUIET, id="\x1b[2J" + "é" * 500)
        line, short = await guest.command((await guest.pids())[0])
        assert line.startswith("understudy: ?[2Jé")
        assert line.isprintable()
        assert len(line.encode()) < 500
        assert short.startswith("?[2J")

    rehearse(scene)


# -- options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"launch": "fork"}, "launch must be 'zygote' or 'spawn', not 'fork'"),
        ({"preload": "numpy"}, "preload must be a list of names of modules, not 'numpy'"),
        ({"preload": ["no name"]}, "preload must be a list of names of modules"),
        ({"flags": "-O"}, "flags must be a list of flags"),
        ({"flags": [""]}, "flags must be a list of flags"),
        ({"domain": "a\nb"}, "domain must be a short name"),
        ({"domain": None}, "domain must be a short name"),
    ],
)
def test_options_are_checked(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Process(**wrong)
