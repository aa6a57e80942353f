"""`Worker` and `AsyncWorker`: what goes to their code, what comes back, and where it runs."""

from __future__ import annotations

import collections
import json
import math
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel

from tests import cast_worker
from tests.cast import QUIET
from tests.cast_worker import Evil, HalfWay, add, count, fetch, names
from tests.rehearsal import held, pending_everywhere, rehearse
from tests.workers import ASYNC, ASYNCIO, EVERY, OURS, WARY, WORKERS, Backend, in_process, over
from understudy import (
    Actor,
    ActorError,
    AsyncWorker,
    Bounds,
    Pool,
    Process,
    Runtime,
    TaskError,
    Unsendable,
    Worker,
    get,
    kill,
    method,
    put,
    statistics,
)
from understudy.actors.events import RequestRefused


@dataclass
class Note:
    """Of this module, which a guest finds by its name."""

    text: str


# -- functions ---------------------------------------------------------------------------------------


@over(EVERY)
def test_any_function_is_called_whether_a_worker_can_import_it_or_not(backend: Backend) -> None:
    factor = 3

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        assert await worker.call(math.factorial, 5) == 120
        assert await worker.call(add, 1, 2, c=3) == 6
        assert await worker.call(lambda n: n * factor, 2) == 6
        assert await worker.call(partial(add, 1, c=2), 3) == 6
        assert await worker.call("a,b".split, ",") == ["a", "b"]
        assert await worker.call(len, Path("/x").parts) == 2

    rehearse(scene)


@over(EVERY)
def test_a_function_may_name_its_arguments_as_it_likes(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        given = {"self": 1, "function": 2, "args": 3, "method": 4, "discard": 5}
        assert await worker.call(names, **given) == [1, 2, 3, 4, 5]
        assert await worker.run(names, **given) is None
        with pytest.raises(TypeError, match="unexpected keyword argument 'nobody'"):
            await worker.call(names, **given, nobody=6)

    rehearse(scene)


@over(EVERY)
def test_each_verb_has_the_three_shapes(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        worker.exec.cast("x = []")
        worker.call.cast(add, 1, 2)
        worker.run.cast(add, 1, 2)
        worker.eval.cast("x.append(1)")
        refs = [worker.call.remote(add, 1, 2), worker.run.remote(add, 1), worker.eval.remote("x")]
        assert await get(refs) == [3, None, [1]]
        assert await worker.exec.remote("x.append(2)") is None
        assert await worker.eval("x") == [1, 2]
        assert pending_everywhere(runtime) == []

    rehearse(scene)


@over(OURS)
def test_a_function_of_a_module_that_a_worker_cannot_find_travels_with_it(backend: Backend) -> None:
    home = type(sys)("only_here")
    exec("K = 3\ndef outer(x): return inner(x) + K\ndef inner(x): return 10 * x", vars(home))

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        sys.modules["only_here"] = home
        try:
            assert await worker.call(home.outer, 2) == 23
            assert await worker.eval("f(3)", given={"f": home.outer}) == 33
            assert await worker.call(lambda f: f(4), f=home.outer) == 43
        finally:
            del sys.modules["only_here"]

    rehearse(scene)


@over(in_process(OURS))
def test_a_function_is_sent_once_and_keeps_its_state_there(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        assert [await worker.call(count) for _ in range(3)] == [1, 2, 3]
        assert cast_worker.calls == 0

        offset = 5
        for n in range(20):
            assert await worker.call(lambda n: n + offset, n) == n + offset
        sent = [key for key in belongings(worker) if isinstance(key, bytes)]
        assert len(sent) == 1

    rehearse(scene)


def test_a_worker_without_the_hosts_packages_takes_what_needs_none() -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=replace(WARY, packages="none")).start()
        assert await worker.call(math.factorial, 5) == 120
        assert await worker.eval("1 + 1") == 2
        with pytest.raises(Unsendable, match="No module named 'tests'") as error:
            await worker.call(add, 1)
        assert error.value.fate == "not_begun"
        with pytest.raises(ModuleNotFoundError):
            await worker.exec("import trio")

    rehearse(scene)


@over(in_process(WORKERS))
def test_functions_that_carry_much_are_not_kept_for_ever(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy.actors.belongings.MOST_CODE", 100_000)

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()

        def carrying(n: int) -> Callable[[], int]:
            data = bytes([n]) * 30_000
            return lambda: data[0]

        functions = [carrying(n) for n in range(20)]
        refs = [worker.call.remote(function) for function in functions]
        assert await get(refs) == list(range(20))
        for _ in range(3):
            assert [await worker.call(function) for function in functions] == list(range(20))
        assert worker._life.incarnation.belongings.bytes <= 100_000
        await worker.exec("import gc; from understudy_guest.context import running")
        assert await worker.eval("len(running.code)") <= 4

    rehearse(scene)


@over(WORKERS)
def test_a_class_of_ones_own_may_be_a_worker_and_more(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        foreman: Any = await Foreman.options(executor=backend.executor).start()
        assert await foreman.call(lambda n: n + 1, 1) == 2
        assert await foreman.call.remote(add, 1) == 1
        assert await foreman.calls() == 2
        foreman.call.cast(cast_worker.fail, "unheard")
        assert await foreman.calls() == 3

    rehearse(scene)


class Foreman(Worker):
    def __init__(self) -> None:
        super().__init__()
        self.counted = 0

    def call(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        self.counted += 1
        return super().call(function, *args, **kwargs)

    @method
    def calls(self) -> int:
        return self.counted


def belongings(worker: Any) -> set[Any]:
    keys: set[Any] = worker._life.incarnation.belongings.keys
    return keys


@over(EVERY)
def test_refs_and_stored_values_reach_the_code_as_values(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        first = worker.call.remote(add, 1, 2)
        assert await worker.call(add, first, c=first) == 6
        note = put(Note("kept"))
        assert await worker.call(lambda note: note.text, note) == "kept"
        assert await worker.eval("seven", given={"seven": 7}) == 7

    rehearse(scene)


@over(WORKERS)
def test_many_calls_go_as_a_map(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        async with worker.eval.map([f"{n} + 1" for n in range(100)]) as values:
            assert [value async for value in values] == list(range(1, 101))
        async with worker.call.starmap([(add, n, 1) for n in range(100)]) as values:
            assert [value async for value in values] == list(range(1, 101))
        async with worker.call.starmap([(add, 1), (add, "x", 1), (add, 3)], errors="return") as values:
            found = [value async for value in values]
        assert (found[0], type(found[1].__cause__), found[2]) == (1, TypeError, 3)

    rehearse(scene)


# -- results -----------------------------------------------------------------------------------------


DATA: list[Any] = [
    1,
    -5,
    2**64 - 1,
    "text",
    b"\x00bytes",
    1.5,
    float("inf"),
    None,
    True,
    [1, [2]],
    {"a": {"b": [3]}, "c": None},
]
ODD: list[Any] = [
    (1, (2, 3)),
    {1, 2},
    1 << 100,
    {(1, 2): 3},
    Note("x"),
    Path("/x"),
    range(3),
    Note,
    collections.Counter("ab"),
]


@over(OURS)
def test_data_comes_back_as_it_is(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        for value in DATA:
            assert await worker.eval("it", given={"it": value}) == value

    rehearse(scene)


@over({name: one for name, one in OURS.items() if one.gives != "data"})
def test_from_trusted_code_anything_comes_back_with_its_type(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        for value in [*DATA, *ODD]:
            found = await worker.eval("it", given={"it": value})
            assert (found, type(found)) == (value, type(value))

    rehearse(scene)


def test_from_untrusted_code_containers_come_as_lists_and_dicts_and_the_rest_is_refused() -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=WARY).start()

        async def back(value: Any) -> Any:
            return await worker.call(lambda: value)

        assert await back((1, (2, 3))) == [1, [2, 3]]
        assert sorted(await back({1, 2})) == [1, 2]
        assert await back(Note("x")) == {"text": "x"}
        assert await back({1: "by a number"}) == {1: "by a number"}
        assert await back(bytearray(b"x")) == b"x"
        for value in (
            1 << 100,
            {(1, 2): 3},
            Path("/x"),
            range(3),
            object(),
            Note,
            datetime(2026, 1, 1, tzinfo=UTC),
            "\udc80",
        ):
            with pytest.raises(Unsendable, match=r"drop it where it is with run\(\)"):
                await back(value)
        assert statistics(worker).incarnation == 1

    rehearse(scene)


@pytest.mark.parametrize("cls", [Worker, AsyncWorker])
def test_nothing_that_untrusted_code_returns_is_unpickled(cls: Any, tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    async def scene(runtime: Runtime) -> None:
        worker = await cls.options(executor=WARY).start()
        with pytest.raises(Unsendable):
            await worker.eval("Evil(path)", given={"Evil": Evil, "path": str(mark)})
        pickled = await worker.eval("__import__('pickle').dumps(Evil(path))")
        assert type(pickled) is bytes
        assert await worker.eval("Evil(path)", discard=True) is None
        with pytest.raises(TaskError) as error:
            await worker.exec(
                "class Own(Exception):\n  __reduce__ = Evil.__reduce__\n  path = path\nraise Own('x')"
            )
        assert error.value.cause is None
        assert not mark.exists()

    rehearse(scene)


def test_untrusted_code_that_sends_a_pickle_all_the_same_is_ended(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    hostile = """
from understudy_guest import protocol, values
import pickle
values.Values.result = lambda self, id, value: self.encode((protocol.RESULT, id, self.extension(protocol.PICKLED, pickle.dumps(Evil(path)))))
"""

    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=WARY).start()
        with pytest.raises(ActorError, match="extension"):
            await worker.exec(hostile, given={"Evil": Evil, "path": str(mark)})
        assert not mark.exists()

    rehearse(scene)


def test_untrusted_code_may_ask_for_nothing() -> None:
    async def scene(runtime: Runtime) -> None:
        other = await Worker.options(executor=WARY).start()
        worker = await Worker.options(executor=WARY).start()
        events = runtime.events()
        with pytest.raises(PermissionError, match="may not call others"):
            await worker.call(lambda: other.eval.cast("1"))
        await worker.exec(
            "import understudy.blocking as blocking; from understudy.transports.guests.asking import Asking; Asking.check_trust = lambda *_: None"
        )
        with pytest.raises(TaskError, match="may ask for nothing"):
            await worker.call(lambda: __import__("understudy.blocking").blocking.get(other.eval.remote("1")))
        assert [event.verb for event in held(events, RequestRefused)] != []

    rehearse(scene)


def test_an_actor_that_runs_no_code_of_others_is_still_given_data_only() -> None:
    async def scene(runtime: Runtime) -> None:
        plain = await Plain.start()
        with pytest.raises(Unsendable, match="only data travels"):
            await plain.echo(add)
        with pytest.raises(Unsendable, match="only data travels"):
            await plain.echo(put(add))

    rehearse(scene)


class Plain(Actor, executor=WARY):
    @method
    def echo(self, value: Any) -> Any:
        return value


@over(in_process(OURS))
def test_a_result_whose_encoding_fails_half_way_fails_its_call_and_nothing_else(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker(max_concurrency=4).start()
        good = [worker.call.remote(add, n) for n in range(50)]
        bad = [worker.eval.remote("it()", given={"it": HalfWay}) for _ in range(10)]
        more = [worker.call.remote(add, n) for n in range(50)]
        for ref in bad:
            with pytest.raises(Unsendable, match="half-way" if backend.gives == "pickle" else "data"):
                await ref
        assert await get([*good, *more]) == [*range(50), *range(50)]
        with pytest.raises(Unsendable):
            await worker.call(threading.Lock)
        assert await worker.run(threading.Lock) is None
        assert statistics(worker).incarnation == 1
        assert pending_everywhere(runtime) == []

    rehearse(scene)


def test_an_argument_that_cannot_be_pickled_is_refused_where_the_call_is_made() -> None:
    async def scene(runtime: Runtime) -> None:
        worker: Any = await Worker.options(executor=WARY).start()
        calls: list[Callable[[], Any]] = [
            lambda: worker.call(add, threading.Lock()),
            lambda: worker.eval("x", given={"x": threading.Lock()}),
        ]
        for call in calls:
            with pytest.raises(Unsendable, match="cannot be pickled"):
                call()
        assert await worker.eval("1") == 1

    rehearse(scene)


def test_a_result_beyond_the_bounds_is_refused_there() -> None:
    async def scene(runtime: Runtime) -> None:
        tight = Process(
            stderr="keep", trusted=False, bounds=Bounds(max_bytes=10_000, max_depth=8, max_elements=500)
        )
        worker = await Worker.options(executor=tight).start()
        for source, why in (
            ("bytes(20_000)", "limit is 10,000"),
            ("[0] * 600", "elements"),
            ("[[[[[[[[[[1]]]]]]]]]]", "deep"),
        ):
            with pytest.raises(Unsendable, match=why):
                await worker.eval(source)
        assert await worker.eval("len(it)", given={"it": [0] * 600}) == 600

    rehearse(scene)


# -- async code --------------------------------------------------------------------------------------


@over(ASYNC | ASYNCIO)
def test_async_functions_are_awaited_and_text_may_await(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        assert await worker.call(fetch, 1) == 2
        assert await worker.call(add, 1) == 1
        assert await worker.run(fetch, 1) is None
        assert await worker.call.remote(fetch, 2) == 3
        await worker.exec(
            "async def twice(n):\n    return 2 * n\nx = await twice(4)\nasync def numbers():\n    yield 1\n    yield 2"
        )
        assert await worker.eval("await twice(x)") == 16
        assert await worker.eval("[n async for n in numbers()]") == [1, 2]
        assert await worker.eval("twice(3)") == 6

    rehearse(scene)


@over(WORKERS)
def test_a_worker_without_a_loop_names_the_one_that_has_it(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        calls: list[Callable[[], Any]] = [
            lambda: worker.call(fetch, 1),
            lambda: worker.call(partial(fetch, 1)),
            lambda: worker.call(lambda: fetch(1)),
            lambda: worker.run(fetch, 1),
            lambda: worker.eval("fetch(1)", given={"fetch": fetch}),
        ]
        for call in calls:
            with pytest.raises(
                TypeError, match=r"fetch\(\) is async, and a Worker cannot await; use an AsyncWorker"
            ):
                await call()
        calls = [lambda: worker.eval("await x()"), lambda: worker.exec("await x()\n")]
        for call in calls:
            with pytest.raises(SyntaxError, match="a Worker cannot await; use an AsyncWorker"):
                await call()

    rehearse(scene)


@over(ASYNC)
def test_async_calls_run_side_by_side_and_end_in_any_order(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        await worker.exec(
            "import trio\ngates = [trio.Event() for _ in range(5)]\nasync def wait(n):\n    await gates[n].wait()\n    return n"
        )
        refs = [worker.eval.remote(f"wait({n})") for n in range(5)]
        ended: list[int] = []
        async with trio.open_nursery() as nursery:

            async def hear(n: int) -> None:
                ended.append(await refs[n])

            for n in range(5):
                nursery.start_soon(hear, n)
            for n in (3, 0, 4, 1, 2):
                await worker.exec(f"gates[{n}].set()")
                while n not in ended:
                    await trio.lowlevel.checkpoint()
        assert ended == [3, 0, 4, 1, 2]

    rehearse(scene)


# -- lives -------------------------------------------------------------------------------------------


@over(in_process(WORKERS))
def test_namespaces_last_as_long_as_the_incarnation(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        await worker.exec("x = 1")
        with pytest.raises(Exception, match="worker-1"):
            await worker.exec("import os; os._exit(3)")
        with pytest.raises(NameError):
            await worker.eval("x")
        assert statistics(worker).incarnation == 2

        with pytest.raises(Exception, match="worker-1"):
            await worker.exec("raise SystemExit(3)")
        assert await worker.eval("1 + 1") == 2

    rehearse(scene)


def test_a_pool_of_workers_calls_whoever_is_free_and_tells_all() -> None:
    async def scene(runtime: Runtime) -> None:
        pool = await Pool(Worker.options(executor=WARY), 3).start()
        await pool.exec.broadcast("import os; x = os.getpid()")
        pids = await pool.eval.broadcast("x")
        assert len(set(pids)) == 3
        assert await pool.call.broadcast(add, 1) == [1, 1, 1]
        assert await get([pool.call.remote(add, n) for n in range(50)]) == list(range(50))
        async with pool.call.starmap([(add, n, 1) for n in range(50)]) as values:
            assert [value async for value in values] == list(range(1, 51))
        with pytest.raises(ValueError, match="no"):
            await pool.call(cast_worker.fail, "no")
        pool.call.cast(cast_worker.fail, "no")
        assert sorted(await pool.eval.broadcast("x")) == sorted(pids)

    rehearse(scene)


def test_a_worker_that_is_killed_fails_what_it_had_and_comes_back() -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=QUIET).start()
        await kill(worker, no_restart=False)
        assert await worker.eval("1 + 1") == 2

    rehearse(scene)


def test_call_on_a_handle_is_the_workers_own_and_any_other_actors_is_the_way_to_every_method() -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=WARY).start()
        plain = await Plain.start()
        assert await plain.call(Plain.echo, 1) == 1
        assert worker.call is worker.call
        assert worker.call.name == "call"
        assert "call" in dir(worker)
        assert "call" in dir(plain)
        assert not hasattr(plain.call, "remote")

    rehearse(scene)


def test_a_worker_is_made_and_used_without_a_runtime_in_a_unit_test() -> None:
    worker = Worker()
    worker.exec("x = 1", given={"y": 2})

    assert worker.eval("x + y") == 3
    assert worker.call(add, 1, 2) == 3
    assert worker.run(add, 1, 2) is None
    assert not hasattr(sys.modules["__main__"], "x")


def test_json_of_what_untrusted_code_gives_is_what_it_gave() -> None:
    record = {"name": "a", "values": [1, 2.5, None], "nested": {"deep": [True, "x"]}}

    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=WARY).start()
        found = await worker.eval("it", given={"it": record})
        assert json.dumps(found) == json.dumps(record)

    rehearse(scene)
