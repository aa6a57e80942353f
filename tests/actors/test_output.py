"""What an actor in a process writes to its standard streams comes out where its executor says."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.cast_output import Chatty, Choir, Juggler, Talker
from tests.rehearsal import held, rehearse, until
from understudy import (
    ActorDiedError,
    ActorStartError,
    ActorUnavailableError,
    CallInterruptedError,
    ExitReason,
    Local,
    Output,
    Process,
    RotatedFile,
    Runtime,
    Thread,
    get,
    interrupt,
    kill,
    open_runtime,
    statistics,
)
from understudy.actors.events import ActorEnded
from understudy.actors.output import OutputFailed
from understudy.recording import JsonLines

ROOT = Path(__file__).resolve().parent.parent.parent


def collecting(into: list[Output], **options: Any) -> Process:
    return Process(**{"stdout": into.append, "stderr": into.append, **options})


def said(outputs: list[Output]) -> list[tuple[str, int | None]]:
    return [(output.text, output.call_id) for output in outputs]


# -- shown ---------------------------------------------------------------------------------------------


def test_each_line_is_shown_after_its_actors_name(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(name="ada", executor=Process()).remote()
        await talker.say("hello\nworld")
        await talker.complain("oh dear")

    rehearse(scene)
    assert capfd.readouterr() == ("ada | hello\nada | world\n", "ada | oh dear\n")


def test_of_what_is_kept_nothing_is_shown_and_the_other_stream_is_nonetheless(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(name="ada", executor=Process(stdout="keep")).remote()
        await talker.both("kept", "shown")
        with pytest.raises(ActorUnavailableError) as error:
            await talker.abort("and told", "")
        assert error.value.reason.stdout == "kept\nand told\n"
        assert error.value.reason.stderr == "shown\n\n"

    rehearse(scene)
    assert capfd.readouterr() == ("", "ada | shown\nada | \n")


def test_what_is_left_alone_is_the_hosts_own_and_null_is_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=Process(stdout="leave", stderr="null")).remote()
        await talker.both("as it is", "gone")
        await talker.shell("echo from a child; echo gone >&2")

    rehearse(scene)
    assert capfd.readouterr() == ("as it is\nfrom a child\n", "")


def test_a_line_that_another_has_begun_is_ended_first(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> None:
        ada = Talker.options(name="ada", executor=Process()).remote()
        bob = Talker.options(name="bob", executor=Process()).remote()
        await ada.say("begun,", end="")
        await ada.say(" gone on,", end="")
        await bob.say("a whole one")
        await ada.say(" ended")
        await ada.say("left open", end="")

    rehearse(scene)
    shown = capfd.readouterr().out
    assert shown == "ada | begun, gone on,\nbob | a whole one\nada |  ended\nada | left open\n"


def test_lines_of_ten_writers_are_never_mixed(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> None:
        names = [f"w{n}" for n in range(10)]
        writers = [Talker.options(name=name, executor=Process()).remote() for name in names]
        await get([writer.count_lines.remote(name, 200) for writer, name in zip(writers, names, strict=True)])

    rehearse(scene)
    lines = capfd.readouterr().out.splitlines()
    for name in (f"w{n}" for n in range(10)):
        own = [line for line in lines if line.startswith(f"{name} | ")]
        assert own == [f"{name} | {name} {n} " + "." * 60 for n in range(200)]
    assert len(lines) == 2000


def test_output_comes_before_what_the_host_prints_next() -> None:
    script = (
        "import trio\nfrom understudy import Process, open_runtime\nfrom tests.cast_output import Talker\n"
        "async def main():\n"
        "    async with open_runtime():\n"
        "        talker = Talker.options(name='ada', executor=Process()).remote()\n"
        "        for n in range(3):\n"
        "            print('host', n)\n"
        "            await talker.say(str(n))\n"
        "trio.run(main)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False, timeout=50
    )
    assert (done.stdout, done.stderr) == ("".join(f"host {n}\nada | {n}\n" for n in range(3)), "")


def test_an_untrusted_actor_does_not_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> None:
        for name, trusted in (("ada", True), ("eve", False)):
            talker = Talker.options(name=name, executor=Process(trusted=trusted)).remote()
            await talker.say("\x1b[2Jred\x07")

    rehearse(scene)
    assert capfd.readouterr().out == "ada | \x1b[2Jred\x07\neve | [2Jred\n"


def test_local_actors_and_threads_share_the_hosts_streams(capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> None:
        for executor in (Local(), Thread()):
            await Talker.options(executor=executor).remote().say("as any code does")

    rehearse(scene)
    assert capfd.readouterr().out == "as any code does\n" * 2


# -- values --------------------------------------------------------------------------------------------


def test_a_function_is_given_each_line_before_the_result_comes() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(name="ada", executor=collecting(seen)).remote()
        pid = await talker.quiet()
        await talker.say("one\ntwo")
        assert [(output.text, output.partial) for output in seen] == [("one\n", False), ("two\n", False)]
        first = seen[0]
        assert (first.actor, first.incarnation, first.stream, first.pid) == ("ada", 1, "stdout", pid)
        assert first.at <= runtime.house.now()
        await talker.complain("three")
        assert (seen[2].text, seen[2].stream) == ("three\n", "stderr")

    rehearse(scene)


def test_what_has_no_end_of_line_comes_with_its_call() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        await talker.say("no end", end="")
        assert [(output.text, output.partial) for output in seen] == [("no end", True)]
        await talker.say(" yet")
        assert [(output.text, output.partial) for output in seen[1:]] == [(" yet\n", False)]

    rehearse(scene)


def test_part_of_a_line_does_not_wait_for_the_rest() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        ref = talker.slowly.remote([b"progress: ", b"done\n"], 0.3)
        await until(lambda: seen)
        assert (seen[0].text, seen[0].partial, ref.done) == ("progress: ", True, False)
        await ref
        await until(lambda: len(seen) == 2)
        assert (seen[1].text, seen[1].partial) == ("done\n", False)

    rehearse(scene)


def test_characters_are_never_torn_and_bytes_that_are_none_are_kept() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        euro = "€".encode()
        await talker.slowly([b"a" + euro[:1], euro[1:2], euro[2:] + b"b\n"], 0.1)
        await talker.write(b"\xff\xfe\n")
        await until(lambda: seen and seen[-1].data == b"\xff\xfe\n")
        assert "".join(output.text for output in seen) == "a€b\n\ufffd\ufffd\n"
        assert b"".join(output.data for output in seen) == "a€b\n".encode() + b"\xff\xfe\n"
        assert all("\ufffd" not in output.text for output in seen[:-1])

    rehearse(scene)


def test_chunks_come_as_they_were_written() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen, output="chunks")).remote()
        await talker.write(b"one\ntwo\nthr")
        await talker.say("ee")
        assert [output.text for output in seen] == ["one\ntwo\nthr", "ee\n"]

    rehearse(scene)


def test_a_line_without_end_comes_in_pieces() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        await talker.say("é" * 100_000)
        assert max(len(output.data) for output in seen) <= 8192
        assert "".join(output.text for output in seen) == "é" * 100_000 + "\n"
        assert [output.partial for output in seen] == [True] * (len(seen) - 1) + [False]

    rehearse(scene)


def test_children_and_code_below_python_are_heard_too() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        await talker.shell("echo one; echo two >&2; echo three > /dev/stdout")
        await until(lambda: len(seen) == 3)
        assert {(output.text, output.stream) for output in seen} == {
            ("one\n", "stdout"), ("two\n", "stderr"), ("three\n", "stdout"),
        }  # fmt: skip

    rehearse(scene)


def test_events_tell_it_and_so_does_a_record(tmp_path: Path) -> None:
    log = JsonLines(tmp_path / "events.jsonl")

    async def play() -> list[Any]:
        async with open_runtime(record=log) as runtime, runtime.events() as events:
            talker = Talker.options(name="ada", executor=Process(stdout="events", stderr="keep")).remote()
            await talker.say("hello")
            await talker.write(b"\xff\n")
            await talker.complain("not told")
            await until(lambda: len(held(events, Output)) == 2)
            return held(events, Output)

    told = trio.run(play)
    assert [output.data for output in told] == [b"hello\n", b"\xff\n"]
    assert [event for event in log.read() if isinstance(event, Output)] == told
    assert '"text":"hello\\n"' in (tmp_path / "events.jsonl").read_text()


def test_several_may_take_it(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        takers: Any = ("show", "keep", seen.append, tmp_path / "a.log")
        talker = Talker.options(name="ada", executor=Process(stdout=takers)).remote()
        await talker.say("hello")

    rehearse(scene)
    assert capfd.readouterr().out == "ada | hello\n"
    assert [output.text for output in seen] == ["hello\n"]
    assert (tmp_path / "a.log").read_bytes() == b"hello\n"


@pytest.mark.parametrize(
    "value", ["shown", "a.log", "", (), ("show", "leave"), ("null", "keep"), 3, None, ("show", 3)]
)
def test_what_takes_no_output_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match=r"stdout must be 'show', 'keep', .* not "):
        Process(stdout=value)


def test_python_writes_utf_8_whatever_the_environment_says() -> None:
    async def scene(runtime: Runtime) -> None:
        executor = Process(environ={"LANG": "C", "PYTHONIOENCODING": "latin-1"})
        talker = Talker.options(executor=executor).remote()
        assert await talker.encoding() == "utf-8 surrogateescape <stdout> w"

    rehearse(scene)


# -- whose it is ---------------------------------------------------------------------------------------


def test_output_is_its_calls() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        await talker.quiet()
        refs = []
        for n in range(20):
            refs.append(talker.say.remote(str(n)))
            await refs[-1]
        assert said(seen) == [(f"{n}\n", ref.id) for n, ref in enumerate(refs)]

    rehearse(scene)


def test_output_of_calls_that_travel_together_is_told_apart() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        await talker.quiet()
        refs = [talker.say.remote(str(n), end="" if n % 3 == 0 else "\n") for n in range(200)]
        await get(refs)
        assert {text.strip() for text, _ in said(seen)} == {str(n) for n in range(200)}
        assert said(seen) == [(f"{n}" if n % 3 == 0 else f"{n}\n", ref.id) for n, ref in enumerate(refs)]

    rehearse(scene)


def test_output_of_a_map_is_its_items() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        async with talker.say.map([str(n) for n in range(50)]) as texts:
            assert [text async for text in texts] == [str(n) for n in range(50)]
        assert [output.text for output in seen] == [f"{n}\n" for n in range(50)]
        assert len({output.call_id for output in seen}) == 50

    rehearse(scene)


def test_what_came_by_another_way_belongs_to_the_call_that_ran() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        await talker.quiet()
        for n in range(10):
            ref = talker.shell.remote(f"echo {n}; sleep 0.02")
            await ref
            printed = talker.say.remote("by Python")
            await printed
            await until(lambda n=n: len(seen) == 2 * n + 2)  # type: ignore[misc]
            assert said(seen[-2:]) == [(f"{n}\n", ref.id), ("by Python\n", printed.id)]

    rehearse(scene)


def test_what_a_thread_prints_belongs_to_the_call_that_runs() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        ref = talker.from_thread.remote("from a thread")
        await ref
        assert said(seen) == [("from a thread\n", ref.id)]

    rehearse(scene)


@pytest.mark.parametrize("cls", [Juggler, Choir])
def test_where_several_run_each_line_is_its_calls_or_nobodys(cls: Any) -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        actor = cls.options(executor=collecting(seen)).remote()
        names = "abcd"
        calls = [getattr(actor, "juggle" if cls is Juggler else "sing").remote(name, 20) for name in names]
        await get(calls)
        whose = {name: call.id for name, call in zip(names, calls, strict=True)}
        lines = "".join(output.text for output in seen).splitlines()
        assert sorted(lines) == sorted(f"{name}{n}" for name in names for n in range(20))
        for output in seen:
            if cls is Juggler and not output.partial and output.call_id is not None:
                assert output.call_id == whose[output.text[0]]

    rehearse(scene)


# -- from the first word to the last -------------------------------------------------------------------


def test_every_turn_of_a_life_is_heard() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        await Chatty.options(executor=collecting(seen)).start()
        assert said(seen) == [("in __init__\n", None), ("in on_start\n", None)]

    rehearse(scene)
    assert said(seen[2:]) == [("in on_stop", None)]


def test_all_that_was_written_comes_before_the_news_of_the_death() -> None:
    async def scene(runtime: Runtime) -> None:
        async with runtime.events() as events:
            talker = Talker.options(executor=Process(stdout="events", stderr="events")).remote()
            with pytest.raises(ActorUnavailableError):
                await talker.abort("last words\n" * 3000, "and the very last")
            told = [event for event in held(events) if isinstance(event, Output | ActorEnded)]
            end = next(n for n, event in enumerate(told) if isinstance(event, ActorEnded))
            before = [event for event in told[:end] if isinstance(event, Output)]
            assert sum(event.text == "last words\n" for event in before) == 3000
            assert any(event.text == "and the very last\n" for event in before)

    rehearse(scene)


@pytest.mark.parametrize("way", ["keep", "show", "null"])
def test_the_last_64_kilobytes_are_in_the_error(way: Any, capfd: pytest.CaptureFixture[str]) -> None:
    async def scene(runtime: Runtime) -> ExitReason:
        talker = Talker.options(executor=Process(stdout=way, stderr=way)).remote()
        await talker.flood(300_000)
        await talker.flood(300_000, 2)
        with pytest.raises(ActorUnavailableError) as error:
            await talker.abort("out", "err")
        assert len(str(error.value)) < 5000
        return error.value.reason

    reason = rehearse(scene)
    if way == "null":
        assert (reason.stdout, reason.stderr) == ("", "")
    else:
        line = "x" * 99 + "\n"
        assert (len(reason.stdout), reason.stdout[-204:]) == (65536, line * 2 + "out\n")
        assert (len(reason.stderr), reason.stderr[-204:]) == (65536, line * 2 + "err\n")


def test_a_start_that_fails_tells_what_was_printed() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        executor = collecting(seen, python="/bin/echo", launch="spawn")
        with pytest.raises(ActorStartError) as error:
            await Talker.options(executor=executor).start()
        assert "bootstrap.py" in error.value.reason.stdout
        assert "bootstrap.py" in seen[0].text

    rehearse(scene)


def test_a_guest_may_close_its_own_streams() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen)).remote()
        await talker.say("before")
        assert await talker.shut([0, 1]) == "shut"
        assert await talker.try_to_say("into the void") == "OSError"
        await talker.complain("still heard")
        assert await talker.shut([2]) == "shut"
        assert await talker.quiet()
        assert [output.text for output in seen] == ["before\n", "still heard\n"]

    rehearse(scene)


# -- functions that fail, or are slow ------------------------------------------------------------------


def test_a_function_that_raises_costs_nothing_but_what_it_was_given() -> None:
    taken: list[str] = []

    def picky(output: Output) -> None:
        if "bad" in output.text:
            raise KeyError("no")
        taken.append(output.text)

    async def scene(runtime: Runtime) -> None:
        async with runtime.events() as events:
            talker = Talker.options(executor=Process(stdout=picky)).remote()
            for text in ("one", "bad", "bad", "two"):
                assert await talker.say(text) == text
            failed = held(events, OutputFailed)
            assert [(event.text, event.lost) for event in failed] == [("KeyError: 'no'", 4), ("", 8)]
            assert (failed[0].stream, "picky" in failed[0].taker) == ("stdout", True)

    rehearse(scene)
    assert taken == ["one\n", "two\n"]


async def take_later(output: Output) -> None:
    raise AssertionError("nobody awaits this")


def test_a_taker_that_fails_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def boom(output: Output) -> None:
        raise LookupError("no room")

    async def scene(runtime: Runtime) -> None:
        talker = await Talker.options(executor=Process(stdout=boom)).start()
        await talker.say("one")
        await talker.say("two")

    rehearse(scene)
    told = [record.getMessage() for record in caplog.records if "is not taken" in record.getMessage()]
    assert len(told) == 1
    assert told[0].startswith("stdout of talker-1 is not taken by test_a_taker")
    assert told[0].endswith("boom: LookupError: no room")


def an_event_of_asyncio() -> Any:
    loop = asyncio.new_event_loop()
    loop.close()
    return loop.create_future()


@pytest.mark.parametrize("wait", [partial(asyncio.sleep, 0.01), an_event_of_asyncio])
def test_an_async_function_for_asyncio_is_told_whose_loop_runs_it(wait: Any) -> None:
    async def take(output: Output) -> None:
        await wait()

    async def scene(runtime: Runtime) -> None:
        async with runtime.events() as events:
            talker = await Talker.options(executor=Process(stdout=take)).start()
            await talker.say("one")
            await until(lambda: held(events, OutputFailed))
            (failed,) = held(events, OutputFailed)
            assert "runs in the runtime's own loop, which is trio's" in failed.text

    rehearse(scene)


def test_a_plain_function_that_gives_a_coroutine_is_told_to_be_async() -> None:
    async def scene(runtime: Runtime) -> None:
        async with runtime.events() as events:
            talker = Talker.options(executor=Process(stdout=lambda output: take_later(output))).remote()
            await talker.say("x")
            assert "async function" in held(events, OutputFailed)[0].text

    rehearse(scene)


def test_an_async_function_gets_one_output_after_the_other_and_the_guest_waits() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = trio.open_memory_channel[Output](0)
        talker = Talker.options(executor=Process(stdout=send.send)).remote()
        ref = talker.flood.remote(400_000)
        text = ""
        async for output in receive:
            text += output.text
            if len(text) == 20_000:
                await trio.sleep(0.05)
                assert not ref.done  # 64 KiB in its pipe, as much read: it waits
            if len(text) >= 400_000:
                break
        assert await ref == 400_000
        assert text == ("x" * 99 + "\n") * 4000

    rehearse(scene)


def test_a_slow_function_still_gets_the_last_words() -> None:
    taken: list[str] = []

    async def slow(output: Output) -> None:
        await trio.sleep(0.01)
        taken.append(output.text)

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=Process(stdout=slow)).remote()
        with pytest.raises(ActorUnavailableError):
            await talker.abort("\n".join(str(n) for n in range(20)), "")
        assert taken == [f"{n}\n" for n in range(20)]

    rehearse(scene)


def test_others_go_on_while_one_floods_a_consumer_that_never_takes() -> None:
    async def never(output: Output) -> None:
        await trio.sleep_forever()

    async def scene(runtime: Runtime) -> None:
        flooding = Talker.options(shutdown=0, executor=Process(stdout=never)).remote()
        ref = flooding.flood.remote(10_000_000)
        other = Talker.options(executor=Process(stdout="keep")).remote()
        for n in range(100):
            assert await other.say(str(n)) == str(n)
        assert not ref.done

    rehearse(scene)


TOTALS = {
    "keep": 200_000_000,
    "null": 200_000_000,
    "file": 60_000_000,
    "call": 40_000_000,
    "events": 30_000_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("way", TOTALS)
def test_a_flood_does_not_grow_the_host(way: str, tmp_path: Path) -> None:
    script = (
        "import os, sys, trio\nfrom pathlib import Path\n"
        "from understudy import Process, RotatedFile, open_runtime\nfrom tests.cast_output import Talker\n"
        "def rss(): return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "count = 0\n"
        "def take(output):\n    global count\n    count += len(output.data)\n"
        "way, folder = sys.argv[1:]\n"
        "takers = {'call': take, 'file': RotatedFile(folder + '/a.log', 1_000_000, 3)}\n"
        "async def main():\n"
        "    async with open_runtime() as runtime, runtime.events() as events:\n"
        "        talker = Talker.options(executor=Process(stdout=takers.get(way, way))).remote()\n"
        "        other = Talker.options(executor=Process(stdout='keep')).remote()\n"
        "        await other.quiet(); await talker.flood(4_000_000)\n"
        "        before = rss()\n"
        "        ref = talker.flood.remote(TOTAL)\n"
        "        while not ref.done:\n"
        "            await other.quiet()\n"
        "            assert rss() - before < 60_000_000, rss() - before\n"
        "        assert await ref == TOTAL\n"
        "    print(count)\n"
        "trio.run(main)\n"
    ).replace("TOTAL", str(TOTALS[way]))
    done = subprocess.run(
        [sys.executable, "-c", script, way, str(tmp_path)],
        capture_output=True, text=True, cwd=ROOT, check=False, timeout=55,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (f"{44_000_000}\n" if way == "call" else "0\n")


# -- files ---------------------------------------------------------------------------------------------


def test_a_file_has_every_byte_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "ada.log"
    path.write_bytes(b"old\n")

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=Process(stdout=tmp_path / "new.log", stderr=path)).remote()
        await talker.write(b"\xff no end")
        await talker.complain("added")

    rehearse(scene)
    assert (tmp_path / "new.log").read_bytes() == b"\xff no end"
    assert (tmp_path / "new.log").stat().st_mode & 0o777 == 0o600
    assert path.read_bytes() == b"old\nadded\n"


def test_files_that_turn_lose_nothing_and_keep_their_order(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        file = RotatedFile(tmp_path / "a.log", max_bytes=10_000, keep=100)
        talker = Talker.options(executor=Process(stdout=file)).remote()
        await talker.count_lines("n", 1000)

    rehearse(scene)
    paths = [tmp_path / "a.log", *(tmp_path / f"a.log.{n}" for n in range(1, 100))]
    there = [path for path in paths if path.exists()]
    assert all(path.stat().st_size <= 10_000 for path in there)
    assert all(path.read_bytes().endswith(b"\n") for path in there)
    text = "".join(path.read_text() for path in reversed(there))
    assert text == "".join(f"n {n} " + "." * 60 + "\n" for n in range(1000))


def test_actors_share_a_file_line_by_line_and_so_do_incarnations(tmp_path: Path) -> None:
    path = tmp_path / "all.log"

    async def scene(runtime: Runtime) -> None:
        names = [f"w{n}" for n in range(5)]
        writers = [Talker.options(name=name, executor=Process(stdout=path)).remote() for name in names]
        await get([writer.count_lines.remote(name, 100) for writer, name in zip(writers, names, strict=True)])
        with pytest.raises(ActorUnavailableError):
            await writers[0].abort("w0 died", "")
        await writers[0].say("w0 came back")

    rehearse(scene)
    lines = path.read_text().splitlines()
    assert len(lines) == 502
    for n in range(5):
        numbers = [line.split()[1] for line in lines if line.startswith(f"w{n} ")]
        assert numbers[:100] == [str(number) for number in range(100)]
    assert lines[-2:] == ["w0 died", "w0 came back"]


def test_a_file_that_cannot_be_opened_fails_the_start(tmp_path: Path) -> None:
    async def scene(runtime: Runtime) -> None:
        executor = Process(stdout=tmp_path / "nowhere" / "a.log")
        with pytest.raises(ActorStartError, match=r"No such file.*nowhere/a\.log"):
            await Talker.options(executor=executor, max_restarts=0).start()

    rehearse(scene)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_disk_that_is_full_is_told_and_costs_nothing_else() -> None:
    async def scene(runtime: Runtime) -> None:
        async with runtime.events() as events:
            talker = Talker.options(executor=Process(stdout=Path("/dev/full"))).remote()
            assert await talker.say("lost") == "lost"
            await until(lambda: held(events, OutputFailed))
            assert await talker.say("too") == "too"
            (failed,) = held(events, OutputFailed)
            assert "No space left on device" in failed.text
            assert (failed.stream, failed.taker, failed.lost) == ("stdout", "/dev/full", 5)

    rehearse(scene)


def test_a_reason_that_has_travelled_has_its_words() -> None:
    import pickle

    reason = ExitReason("error", "x", stderr="err", stdout="out")
    again: ExitReason = pickle.loads(pickle.dumps(reason))
    assert (again.stdout, again.stderr) == ("out", "err")


def test_after_the_runtime_has_closed_nothing_is_missing(tmp_path: Path) -> None:
    seen: list[Output] = []
    path = tmp_path / "a.log"

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=Process(stdout=(seen.append, path))).remote()
        talker.flood.cast(1_000_000)
        talker.say.cast("the end")

    rehearse(scene)
    everything = ("x" * 99 + "\n").encode() * 10_000 + b"the end\n"
    assert b"".join(output.data for output in seen) == everything
    assert path.read_bytes() == everything


def test_of_an_actor_that_is_dead_for_good_the_words_are_told() -> None:
    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=Process(stdout="keep", stderr="keep"), max_restarts=0).remote()
        with pytest.raises(ActorDiedError) as error:
            await talker.abort("out", "err")
        assert (error.value.reason.stdout, error.value.reason.stderr) == ("out\n", "err\n")
        assert "Its stderr ended with:\nerr" in str(error.value)

    rehearse(scene)


def test_a_call_that_waits_for_its_reader_can_be_interrupted() -> None:
    async def scene(runtime: Runtime) -> None:
        send, receive = trio.open_memory_channel[Output](0)
        talker = Talker.options(executor=Process(stdout=send.send)).remote()
        ref = talker.flood.remote(10_000_000)
        assert (await receive.receive()).text == "x" * 99 + "\n"
        assert await interrupt(talker)
        with pytest.raises(CallInterruptedError):
            await ref
        await receive.aclose()
        assert await talker.quiet()
        assert statistics(talker).incarnation == 1

    rehearse(scene)


def test_a_standby_speaks_for_itself() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen, standby=1)).remote()
        await talker.say("first")
        await kill(talker, no_restart=False)
        await talker.say("second")
        assert [(output.text, output.incarnation) for output in seen] == [("first\n", 1), ("second\n", 2)]
        assert seen[0].pid != seen[1].pid

    rehearse(scene)


def test_an_untrusted_guest_cannot_speak_for_calls_that_it_does_not_have() -> None:
    seen: list[Output] = []

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=collecting(seen, trusted=False)).remote()
        await talker.quiet()
        refs = [talker.lie.remote("x", 12345) for _ in range(3)]
        await get(refs)
        assert "".join(output.text for output in seen) == "x\n" * 3
        assert {output.call_id for output in seen} <= {None, *(ref.id for ref in refs)}

    rehearse(scene)


def test_a_host_without_streams_of_its_own_has_actors_all_the_same() -> None:
    script = (
        "import trio\nfrom understudy import Process, open_runtime\nfrom tests.cast_output import Talker\n"
        "async def main():\n"
        "    async with open_runtime():\n"
        "        for way in ('leave', 'show'):\n"
        "            talker = Talker.options(executor=Process(stdout=way, stderr=way)).remote()\n"
        "            assert await talker.say(way) == way\n"
        "trio.run(main)\n"
    )
    command = ["sh", "-c", 'exec "$0" -c "$1" >&- 2>&-', sys.executable, script]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=50).returncode == 0


def test_a_function_that_is_too_slow_at_the_end_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def never(output: Output) -> None:
        await trio.sleep_forever()

    async def scene(runtime: Runtime) -> None:
        talker = Talker.options(executor=Process(stdout=never)).remote()
        await talker.say("one\ntwo")

    rehearse(scene)
    assert "never was too slow: 2 lines of talker-1 were not taken when the runtime closed" in caplog.text
