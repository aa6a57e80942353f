"""Guests that break every rule: a typed error for their callers, nothing for their neighbours, no hang for anyone."""

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.transports.company import Tester
from understudy import (
    ActorError,
    ActorStartError,
    CallError,
    GetTimeoutError,
    Ladder,
    Process,
    get,
    interrupt,
    open_runtime,
)
from understudy.transports.guests import bootstrap
from understudy.transports.system.means import has

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="scripts with a first line")]
needs_page = pytest.mark.skipif(not has("page"), reason="this system, or this run, has no page")

PREAMBLE = f"""#!{sys.executable} -IS
import mmap, os, signal, socket, sys, time
package = type(sys)("understudy_guest")
package.__path__ = [{str(Path(bootstrap.__file__).parent)!r}]
sys.modules["understudy_guest"] = package
from understudy_guest import msgpack, protocol as p
link = socket.socket(fileno=3)
FAULT = ["builtins", "ValueError", "text", "traceback", None]
FULL = 2**64 - 1
inbox = []

def frame(*messages):
    body = msgpack.pack(list(messages))
    return len(body).to_bytes(4, "big") + body

def say(*messages):
    link.sendall(frame(*messages))

def exactly(size):
    data = b""
    while len(data) < size:
        data += link.recv(size - len(data)) or sys.exit()
    return data

def hear(*kinds):
    while True:
        while not inbox:
            inbox.extend(msgpack.unpack(exactly(int.from_bytes(exactly(4), "big")), lambda *_: None))
        message = inbox.pop(0)
        if message[0] in kinds:
            return message

def page():
    return memoryview(mmap.mmap(4, p.PAGE_BYTES)).cast("Q")

def hello():
    say([p.HELLO, p.VERSION, [*p.CAPABILITIES, *[p.PAGE_CAPABILITY] * (",4" in sys.argv[-1])], os.getpid()])

def ready():
    hello()
    hear(p.START)
    say([p.READY])

def ask():
    return hear(p.CALL, p.CAST)[1]

def stay():
    time.sleep(1000)

"""

Make = Callable[..., Process]


@pytest.fixture
def hostile(tmp_path: Path) -> Make:
    def make(body: str, trusted: bool = False, **options: Any) -> Process:
        script = tmp_path / "guest"
        script.write_text(PREAMBLE + body)
        script.chmod(0o700)
        options.setdefault("ladder", Ladder(0.1, 0.1))
        return Process(python=str(script), trusted=trusted, stderr="keep", launch="spawn", **options)

    return make


def play(executor: Process, scene: Callable[[Any], Awaitable[None]], **options: Any) -> None:
    """Run a scene with the hostile actor beside a neighbour who must not notice."""

    async def main() -> None:
        async with open_runtime():
            neighbour = await Tester.start()
            pid = await neighbour.pid()
            with trio.fail_after(20):
                actor = await Tester.options(
                    executor=executor, restart="temporary", shutdown=0.2, **options
                ).start()
                await scene(actor)

            assert await neighbour.pid() == pid
            assert await neighbour.echo("unmoved") == "unmoved"

    trio.run(main)


async def call_fails(actor: Any) -> None:
    with pytest.raises(ActorError):
        await actor.echo(1)


BAD_STARTS = {
    "garbage first": "link.sendall(b'Segmentation fault\\n' * 100); stay()",
    "closed at once": "link.close(); stay()",
    "ready before hello": "say([p.READY]); stay()",
    "result before ready": "hello(); hear(p.START); say([p.RESULT, 1, 1]); stay()",
    "hello twice": "hello(); hello(); stay()",
    "another version": "say([p.HELLO, 99, [], 1]); stay()",
    "ends with success": "hello(); hear(p.START); os._exit(0)",
    "ends by a signal": "os.kill(os.getpid(), 11)",
}


@pytest.mark.parametrize("what", BAD_STARTS)
def test_a_guest_that_starts_badly_fails_its_starter_with_what_it_did(what: str, hostile: Make) -> None:
    with pytest.raises(ActorStartError) as raised:
        play(hostile(BAD_STARTS[what]), call_fails)

    assert "took longer than" not in str(raised.value)
    assert any(word in str(raised.value) for word in ("protocol", "guest", "link", "exited", "SIGSEGV")), str(
        raised.value
    )


def test_a_guest_that_never_says_a_word_runs_out_of_time(hostile: Make) -> None:
    with pytest.raises(ActorStartError, match="took longer than start_timeout"):
        play(hostile("stay()"), call_fails, start_timeout=0.3)


BAD_ANSWERS = {
    "garbage": "link.sendall(b'Segmentation fault\\n' * 300); stay()",
    "garbage and the end": "link.sendall(bytes(50)); link.close()",
    "closes and stays": "link.close(); stay()",
    "half closes and stays": "link.shutdown(socket.SHUT_WR); stay()",
    "4 GiB": "link.sendall(b'\\xff\\xff\\xff\\xff' + bytes(1000)); stay()",
    "a lying list": "link.sendall(b'\\x00\\x00\\x00\\x05\\xdd\\xff\\xff\\xff\\xff'); stay()",
    "deep nesting": "link.sendall((300000).to_bytes(4, 'big') + b'\\x91' * 300000); stay()",
    "a call it does not have": "say([p.RESULT, FULL, None]); stay()",
    "the same reply twice": "say([p.SKIPPED, id], [p.RESULT, id, 1]); stay()",
    "a kind nobody knows": "say([250, id, 1]); stay()",
    "no message": "say('text', 7, None); stay()",
    "a pickle": "say([p.RESULT, id, msgpack.Extension(p.PICKLED, b'cos\\nabort\\n(tR.')]); stay()",
    "a broken fault": "say([p.ERROR, id, [1, 2, 3]]); stay()",
    "dies": "os._exit(0)",
    "says it ends and stays": "say([p.ENDING, p.NORMAL, None, id]); stay()",
    "says it ends and goes on": "say([p.ENDING, p.CRASHED, FAULT, id], [p.RESULT, id, 1]); stay()",
    "reads nothing and ignores signals": "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; link.close(); stay()",
}


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
@pytest.mark.parametrize("what", BAD_ANSWERS)
def test_a_guest_that_answers_badly_costs_its_caller_a_typed_error(
    what: str, trusted: bool, hostile: Make
) -> None:
    if what == "a pickle" and trusted:
        pytest.skip("a trusted guest may")

    async def scene(actor: Any) -> None:
        with pytest.raises(CallError):
            await actor.echo(1)
        with pytest.raises(CallError):
            await actor.echo(3)

    play(hostile("ready(); id = ask(); " + BAD_ANSWERS[what], trusted), scene)


def test_a_guest_that_stops_reading_holds_up_only_its_own_callers(hostile: Make) -> None:
    async def scene(actor: Any) -> None:
        refs = [actor.echo.options(timeout=0.5).remote("x" * 500_000) for _ in range(10)]
        for ref in refs:
            with pytest.raises((GetTimeoutError, ActorError)):
                await ref

    play(hostile("ready(); [signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; stay()"), scene)


def test_a_guest_that_floods_its_host_is_still_one_of_many(hostile: Make) -> None:
    flood = "flood = b''.join(frame([p.ITEM, id, [n]]) for n in range(2000))\nwhile True: link.sendall(flood)"

    async def scene(actor: Any) -> None:
        with pytest.raises(ActorError, match="which is no stream"):
            await actor.echo(1)

    play(hostile("ready(); id = ask()\n" + flood), scene)


def test_an_untrusted_guest_that_asks_for_other_actors_again_and_again_is_killed(hostile: Make) -> None:
    async def scene(actor: Any) -> None:
        with pytest.raises(ActorError, match="may ask for nothing, and has again and again"):
            await actor.echo(1)

    asks = "say(*[[p.ASK, n, id, ['find', 'anybody']] for n in range(1, 200)])"
    play(hostile(f"ready(); id = ask(); {asks}; stay()"), scene)


def test_an_untrusted_guest_that_answers_with_too_much_costs_the_call_only(hostile: Make) -> None:
    play(hostile("ready(); id = ask(); say([p.RESULT, id, [0] * 1000001]); stay()"), call_fails)


LIES = {
    "everything": "for n in range(512): words[n] = FULL",
    "nothing": "words[p.PROGRESS] = 0",
    "progress": "words[p.PROGRESS] = FULL",
    "begun": "words[p.BEGUN] = FULL - 5",
    "another call": "words[p.BEGUN], words[p.ENDED] = id + 1, id",
    "cancels": "words[p.CANCELS] = FULL",
}


BAD_ENDS = {
    "a state without save_state": "say([p.STATE, 1])",
    "a pickle as its state": "say([p.STATE, msgpack.Extension(p.PICKLED, b'cos\\nabort\\n(tR.')])",
    "too large a state": "say([p.STATE, [0] * 1000001])",
    "one mishap again and again": "say(*[[p.MISHAP, p.SAVE, FAULT]] * 1000)",
    "a reply": "say([p.RESULT, id, 1])",
    "its end once more": "say([p.ENDING, p.NORMAL, None, id])",
    "a question": "say([p.ASK, 1, 0, ['call', 'x', 'y', None, True]])",
    "never": "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)]",
}


@pytest.mark.parametrize("what", BAD_ENDS)
def test_a_guest_that_ends_badly_leaves_nothing_and_is_gone_in_time(what: str, hostile: Make) -> None:
    async def scene(actor: Any) -> None:
        with pytest.raises(ActorError):
            await actor.echo(1)

    play(
        hostile("ready(); id = ask(); say([p.ENDING, p.NORMAL, None, id]); " + BAD_ENDS[what] + "; stay()"),
        scene,
    )


@needs_page
@pytest.mark.parametrize("what", LIES)
def test_a_guest_that_lies_on_its_page_changes_which_typed_error_comes_and_nothing_else(
    what: str, hostile: Make
) -> None:
    async def scene(actor: Any) -> None:
        refs = [actor.echo.remote(n) for n in range(5)]
        await trio.sleep(0.1)
        with trio.move_on_after(0.1):
            await actor.echo(6)
        await interrupt(actor)
        for ref in refs:
            with pytest.raises(CallError):
                await ref

    play(
        hostile(
            f"words = page(); ready(); id = ask(); {LIES[what]}\ntime.sleep(0.4); os._exit(1)".replace(
                "; for", "\nfor"
            )
        ),
        scene,
    )


@needs_page
def test_a_guest_that_lies_and_answers_is_believed_the_answers_only(hostile: Make) -> None:
    async def scene(actor: Any) -> None:
        assert await get([actor.echo.remote(n) for n in range(50)]) == ["lie"] * 50

    body = "words = page(); ready()\nwhile True:\n    id = ask()\n    for n in range(512): words[n] = FULL\n    say([p.RESULT, id, 'lie'])"
    play(hostile(body), scene)


def test_a_guest_that_forks_and_lends_its_link_dies_with_what_it_forked(hostile: Make) -> None:
    body = "ready(); id = ask()\nif os.fork() == 0: stay()\nos._exit(5)"

    async def scene(actor: Any) -> None:
        with pytest.raises(ActorError, match="status 5"):
            await actor.echo(1)

    play(hostile(body), scene)
