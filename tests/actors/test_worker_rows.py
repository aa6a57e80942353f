"""What Malt.jl's tests assert of its workers, row by row, on every backend; the docstrings begin with the rows' names."""

from __future__ import annotations

import re
import sys
import traceback
import types
from operator import and_
from pathlib import Path

import pytest
import trio

from tests.cast_worker import fail
from tests.rehearsal import held, rehearse, until
from tests.workers import (
    ASYNC,
    EVERY,
    OURS,
    STDLIB,
    WORKERS,
    Backend,
    in_process,
    over,
    state,
    stop,
    supervised,
)
from understudy import (
    ActorDiedError,
    ActorError,
    CallInterruptedError,
    Runtime,
    TaskError,
    Unsendable,
    interrupt,
    statistics,
)
from understudy.actors.events import ActorEnded, FailureUnseen

ROWS = {"M1", "M2", "M3", "M4", "M5", "M6", "M9", "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9"}

SIDE_BY_SIDE = {name: one for name, one in (WORKERS | ASYNC).items() if name != "local"}


def test_every_row_has_its_test() -> None:
    docs = [getattr(item, "__doc__", None) or "" for item in globals().values() if callable(item)]

    assert {row for doc in docs for row in re.findall(r"^([ME]\d)\.", doc)} == ROWS


async def begun(path: Path) -> None:
    """Wait until the function runs that waits for this file."""
    await until(Path(f"{path}.begun").exists)


@over(EVERY)
def test_a_new_worker_is_ready_and_after_its_stop_it_is_not(backend: Backend) -> None:
    """M1."""

    async def scene(runtime: Runtime) -> None:
        worker = await supervised(runtime, backend)
        assert state(worker) == "ready"
        assert await worker.call(and_, True, True) is True
        assert len(runtime.house.registry.paths) == 1

        await stop(runtime)
        assert state(worker) == "dead"
        assert len(runtime.house.registry.paths) == 0
        with pytest.raises(ActorDiedError):
            await worker.call(and_, True, True)

    rehearse(scene)


@over(SIDE_BY_SIDE)
def test_a_call_that_runs_while_its_worker_is_stopped_fails_soon(backend: Backend, tmp_path: Path) -> None:
    """M2."""

    async def scene(runtime: Runtime) -> None:
        worker = await supervised(runtime, backend, shutdown=0.05)
        ref = worker.call.remote(backend.waits, str(tmp_path / "never"))
        await begun(tmp_path / "never")
        await stop(runtime)

        with pytest.raises((CallInterruptedError, ActorError)):
            await ref
        assert state(worker) == "dead"

    rehearse(scene, seconds=8)


@over(EVERY)
def test_an_expression_gives_its_value_and_nothing_gives_none(backend: Backend) -> None:
    """M3."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        assert await worker.eval("1 + 1") == 2
        assert await worker.eval("None") is None
        assert await worker.eval("1 + 1", discard=True) is None
        assert await worker.eval("None", discard=True) is None
        assert await worker.exec("1 + 1") is None
        assert await worker.run(and_, True, True) is None

    rehearse(scene)


@over(EVERY)
def test_a_value_set_in_a_module_made_by_its_name_is_read_back(backend: Backend) -> None:
    """M4."""
    text = "a text of the host's, 'quoted' \N{SNOWMAN}"

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        await worker.exec("kept = it", "made_here", given={"it": text})
        await worker.exec(f"again = {text!r}", "made_here")

        assert await worker.eval("kept", "made_here") == text
        assert await worker.eval("again", "made_here") == text
        with pytest.raises(NameError):
            await worker.eval("kept")
        assert "made_here" not in sys.modules

    rehearse(scene)


@over(SIDE_BY_SIDE)
def test_what_a_ref_stands_for_holds_up_nothing_where_several_may_run(
    backend: Backend, tmp_path: Path
) -> None:
    """M5."""
    assert side_by_side(backend, "remote", tmp_path / "gate") == (2, 900)


@over(SIDE_BY_SIDE)
def test_a_cast_holds_up_nothing_where_several_may_run(backend: Backend, tmp_path: Path) -> None:
    """M6."""
    assert side_by_side(backend, "cast", tmp_path / "gate") == (2, 900)


def side_by_side(backend: Backend, shape: str, gate: Path) -> tuple[int, int]:
    """What x is while code runs that will set it, and what it is afterwards."""
    awaited = "await " if backend.cls.__name__ == "AsyncWorker" else ""

    async def scene(runtime: Runtime) -> tuple[int, int]:
        worker = await backend.worker(max_concurrency=8).start()
        await worker.exec("x = 2")
        getattr(worker.exec, shape)(
            f"{awaited}wait(path)\nx = 900", given={"wait": backend.waits, "path": str(gate)}
        )
        await begun(gate)
        meanwhile = await worker.eval("x")
        gate.touch()  # noqa: ASYNC240
        while (afterwards := await worker.eval("x")) == meanwhile:  # noqa: ASYNC110
            await trio.sleep(0.002)
        return meanwhile, afterwards

    return rehearse(scene)


@over(SIDE_BY_SIDE)
def test_an_interrupted_worker_runs_on_until_it_is_stopped(backend: Backend, tmp_path: Path) -> None:
    """M9."""

    async def scene(runtime: Runtime) -> None:
        worker = await supervised(runtime, backend)
        ref = worker.call.remote(backend.waits, str(tmp_path / "never"))
        await begun(tmp_path / "never")
        await interrupt(worker)
        with pytest.raises(CallInterruptedError):
            await ref

        assert statistics(worker).incarnation == 1
        assert await worker.eval("1 + 1") == 2
        await stop(runtime)
        assert state(worker) == "dead"

    rehearse(scene)


@over(EVERY)
def test_an_error_tells_worker_type_file_and_line(backend: Backend) -> None:
    """E1."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker(name="sly").start()
        with pytest.raises(ValueError, match="math domain error") as error:
            await worker.eval("1 and math.sqrt(-1)", given={"math": __import__("math")}, filename="cell.py")
        text = "".join(traceback.format_exception(error.value))
        assert isinstance(error.value, TaskError)
        for part in ("Raised in sly", "ValueError", 'File "cell.py", line 1', "1 and math.sqrt(-1)"):
            assert part in text, text

        with pytest.raises(TaskError) as failure:
            await worker.call(fail, "here")
        text = "".join(traceback.format_exception(failure.value))
        assert "cast_worker.py" in text
        assert "raise ValueError(text)" in text

    rehearse(scene)


@over(EVERY)
def test_a_ref_raises_what_its_code_raised(backend: Backend) -> None:
    """E2."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        ref = worker.call.remote(fail, "of the ref")
        with pytest.raises(ValueError, match="of the ref") as error:
            await ref
        assert isinstance(error.value, TaskError)
        with pytest.raises(ZeroDivisionError):
            await worker.eval.remote("1 / 0")

    rehearse(scene)


@over(EVERY)
def test_a_cast_that_fails_is_an_event_and_ends_nothing(backend: Backend) -> None:
    """E3."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        reader = runtime.events()
        worker.call.cast(fail, "of the first")
        worker.eval.cast("1 / 0")
        worker.exec.cast("fail(")
        worker.run.cast(lambda: [][0])
        assert await worker.eval("1 + 1") == 2
        await until(lambda: len(held(reader, FailureUnseen)) == 4)

        told = sorted(held(reader, FailureUnseen), key=lambda event: event.call_id)
        assert [event.method for event in told] == ["call", "eval", "exec", "run"]
        assert "of the first" in str(told[0].error)
        assert held(reader, ActorEnded) == []
        assert statistics(worker).incarnation == 1

    rehearse(scene)


OWN = """
class Own:
    pass
class OwnError(Exception):
    def __str__(self): return "a secret: " + self.args[0]
"""


@over(EVERY)
def test_an_object_of_a_type_that_only_the_worker_knows_can_be_dropped_and_not_be_had(
    backend: Backend,
) -> None:
    """E4."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        await worker.exec(OWN)
        assert await worker.eval("Own()", discard=True) is None
        if backend.gives == "object":
            assert type(await worker.eval("Own()")).__name__ == "Own"
        else:
            kind = TaskError if backend in STDLIB.values() else Unsendable
            with pytest.raises(kind):
                await worker.eval("Own()")
            with pytest.raises(kind):
                await worker.eval.remote("Own()")
        assert await worker.eval("1 + 1") == 2
        assert statistics(worker).incarnation == 1

    rehearse(scene)


@over(OURS)
def test_an_exception_of_a_type_that_only_the_worker_knows_is_described(backend: Backend) -> None:
    """E5."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        await worker.exec(OWN)
        with pytest.raises((TaskError, ActorError), match="a secret: key") as error:
            await worker.exec("raise OwnError('key')")
        assert isinstance(error.value, TaskError)
        assert error.value.remote_type.endswith("OwnError")

    rehearse(scene)


@over(EVERY)
def test_an_exception_that_is_returned_is_not_raised(backend: Backend) -> None:
    """E6."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        await worker.exec(OWN)
        if backend.gives == "data":
            with pytest.raises(Unsendable, match="data"):
                await worker.eval("ValueError('returned')")
        else:
            found = await worker.eval("ValueError('returned')")
            assert (type(found), found.args) == (ValueError, ("returned",))
        if backend.gives != "object":
            with pytest.raises(TaskError if backend in STDLIB.values() else Unsendable):
                await worker.eval("OwnError('own')")
        assert await worker.eval("1 + 1") == 2

    rehearse(scene)


@over(EVERY)
def test_what_cannot_be_called_or_compiled_is_an_error_of_that_call(backend: Backend) -> None:
    """E7."""

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        with pytest.raises(TypeError, match="not callable"):
            await worker.call(3)
        with pytest.raises(SyntaxError):
            await worker.eval("1 +")
        with pytest.raises(NameError):
            await worker.eval("nowhere.channel")
        assert await worker.eval("1 + 1") == 2

    rehearse(scene)


@over(in_process(EVERY) | STDLIB)
def test_a_value_that_the_worker_cannot_read_fails_its_call(backend: Backend) -> None:
    """E8."""
    only_here = types.ModuleType("only_here")
    exec("class Own: pass", vars(only_here))

    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        sys.modules["only_here"] = only_here
        try:
            with pytest.raises((Unsendable, TaskError), match="only_here") as error:
                await worker.call(str, only_here.Own())
        finally:
            del sys.modules["only_here"]
        if backend not in STDLIB.values():
            assert isinstance(error.value, Unsendable)
            assert error.value.fate == "not_begun"
        assert await worker.eval("1 + 1") == 2

    rehearse(scene)


@over(EVERY)
def test_after_all_errors_the_worker_still_runs_until_it_is_stopped(backend: Backend) -> None:
    """E9."""

    async def scene(runtime: Runtime) -> None:
        worker = await supervised(runtime, backend)
        await worker.exec(OWN)
        for source in (
            "1 / 0",
            "raise OwnError('x')",
            "raise OwnError",
            "import nowhere",
            "def",
            "assert False",
        ):
            with pytest.raises((TaskError, SyntaxError)):
                await worker.exec(source)
            worker.exec.cast(source)

        assert await worker.eval("1 + 1") == 2
        assert statistics(worker).incarnation == 1
        await stop(runtime)
        assert state(worker) == "dead"

    rehearse(scene)
