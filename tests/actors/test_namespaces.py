"""Namespaces: whose modules code runs in, how text becomes code, and which lines tracebacks show."""

from __future__ import annotations

import linecache
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.cast import QUIET
from tests.cast_namespaces import Eager, EagerAsync, Heir
from tests.rehearsal import held, rehearse
from tests.workers import OURS, WARY, Backend, in_process, over
from understudy import ActorError, AsyncWorker, Local, Process, Runtime, TaskError, Thread, Worker
from understudy.actors import sources
from understudy.actors.events import StateLost
from understudy.actors.namespaces import AWAITING, PLAIN, Namespaces, code_of, run

ELSEWHERE = {name: one for name, one in OURS.items() if name not in in_process(OURS)}


def shared() -> Namespaces:
    return Namespaces(lambda: False)


# -- modules by name ---------------------------------------------------------------------------------


@over(in_process(OURS))
def test_in_a_process_of_its_own_a_namespace_is_the_module_itself(backend: Backend) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await backend.worker().start()
        await worker.exec("x = 1\nimport __main__\nassert __main__.x == 1 and __name__ == '__main__'")
        await worker.exec("dumps = lambda value: 'ours'", "json")
        assert await worker.eval("__import__('json').dumps(1)") == "ours"
        await worker.exec("y = 2", "made.by_name")
        await worker.exec("z = 3", "made")
        assert await worker.eval("__import__('sys').modules['made.by_name'].y") == 2
        await worker.exec("w = 4", "json.more")
        assert await worker.eval("__import__('json').more.w") == 4
        assert await worker.eval("sqrt(16.0)", "math") == 4.0

    rehearse(scene)


@over(ELSEWHERE)
def test_in_this_process_a_namespace_is_the_workers_own_copy(backend: Backend) -> None:
    before = dict(vars(sys.modules["__main__"]))

    async def scene(runtime: Runtime) -> None:
        worker, other = await backend.worker().start(), await backend.worker().start()
        await worker.exec("x = 1\nassert __name__ == '__main__'")
        await worker.exec("dumps = lambda value: 'ours'", "json")
        assert await worker.eval("dumps(1)", "json") == "ours"
        assert await other.eval("dumps(1)", "json") == "1"
        assert await other.eval("'x' in globals()") is False
        await worker.exec("y = 2", "made.by_name")
        assert await worker.eval("y", "made.by_name") == 2

    rehearse(scene)
    assert vars(sys.modules["__main__"]) == before
    assert sys.modules["json"].dumps(1) == "1"
    assert "made.by_name" not in sys.modules


def test_a_module_whose_own_import_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lacking.py").write_text("import nowhere_at_all\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
        shared().names("lacking", None)


@pytest.mark.parametrize("name", ["", "a b", "a.", ".a", "1", "a/b"])
def test_a_namespace_is_named_as_a_module_is(name: str) -> None:
    with pytest.raises(ValueError, match="named as a module is"):
        shared().names(name, None)


@pytest.mark.parametrize("name", [None, 3, {"x": 1}])
def test_a_namespace_is_named_by_text(name: Any) -> None:
    with pytest.raises(TypeError, match=r"named by text, not .*; values are set in it by given="):
        shared().names(name, None)


def test_a_namespace_that_is_made_is_a_module_that_can_be_imported() -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=WARY).start()
        await worker.exec("q = 1", "brand.new.one")
        await worker.exec("import brand.new.one as found, brand.new; from brand.new.one import q")
        assert await worker.eval("brand.new.one is found and found.q == q == 1") is True

    rehearse(scene)


@over(OURS)
def test_a_subclass_sets_names_in_the_namespaces_of_its_calls_as_soon_as_it_is_made(
    backend: Backend,
) -> None:
    cls = (EagerAsync if backend.cls is AsyncWorker else Eager).options(executor=backend.executor)

    async def scene(runtime: Runtime) -> None:
        worker = await cls.start()
        assert await worker.eval("early") == 1
        assert await worker.eval("hasattr(__import__('__main__'), 'early')") is isinstance(
            backend.executor, Process
        )

    rehearse(scene)


def test_a_worker_that_is_made_again_as_it_cannot_load_its_state_has_its_namespaces() -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Heir.options(executor=QUIET).start()
        events = runtime.events()
        with pytest.raises(ActorError):
            await worker.exec("raise SystemExit(1)")
        assert await worker.eval("early") == 1
        assert [lost.hook for lost in held(events, StateLost)] == ["load_state"]

    rehearse(scene)


def test_what_is_given_is_set_first_and_stays() -> None:
    spaces = shared()

    assert (
        run(eval, (code_of("a + b", "eval", None, PLAIN), spaces.names("__main__", {"a": 1, "b": 2})), {})
        == 3
    )
    assert spaces.names("__main__", None)["a"] == 1
    assert spaces.names("__main__", {"a": 5}) is spaces.names("__main__", {})


# -- text to code ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["1 + 1", "  1 + 1", "\n    1 + 1\n", "(1\n + 1)", "1 + 1  # a comment"])
def test_an_expression_may_stand_anywhere(text: str) -> None:
    assert eval(code_of(text, "eval", None, PLAIN)) == 2


def test_statements_may_be_indented_as_the_code_around_them() -> None:
    names: dict[str, Any] = {}
    text = '''
            def f():
                return """
                as it
              stands"""
            x = f()
    '''
    exec(code_of(text, "exec", None, PLAIN), names)

    assert names["x"].split() == ["as", "it", "stands"]


@pytest.mark.parametrize("text", ["x = 1", "import os", "for x in y: pass", "x = 1\ny = 2", "def f(): pass"])
def test_a_statement_given_to_eval_is_told_to_go_to_exec(text: str) -> None:
    with pytest.raises(
        SyntaxError, match=r"this is a statement, and eval\(\) takes an expression; use exec\(\)"
    ) as error:
        code_of(text, "eval", "cell.py", PLAIN)
    assert error.value.filename == "cell.py"


@pytest.mark.parametrize("text", ["1 +", "def", "a b", "", "x = ", "'"])
def test_what_is_no_python_is_pythons_own_error(text: str) -> None:
    with pytest.raises(SyntaxError) as error:
        code_of(text, "eval", None, PLAIN)
    assert "exec()" not in str(error.value) or text == ""


def test_text_that_awaits_is_compiled_where_there_is_a_loop_only() -> None:
    with pytest.raises(SyntaxError, match="use an AsyncWorker"):
        code_of("await x", "eval", None, PLAIN)
    assert code_of("await x", "eval", None, AWAITING).co_flags & 0x80


@pytest.mark.parametrize("text", [None, 3, b"1 + 1", len])
def test_code_is_text(text: Any) -> None:
    with pytest.raises(TypeError, match=r"a function goes by call\(\)"):
        code_of(text, "eval", None, PLAIN)


# -- lines -------------------------------------------------------------------------------------------


def trace_of(text: str, filename: str | None = None) -> str:
    try:
        run(exec, (code_of(text, "exec", filename, PLAIN), {}), {})
    except Exception as error:
        return "".join(traceback.format_exception(error))
    raise AssertionError("it raised nothing")


def test_a_traceback_shows_the_lines_of_code_that_came_as_text() -> None:
    told = trace_of("def f():\n    return 1 / 0  # here\nf()", "cell 1")

    assert 'File "cell 1", line 3, in <module>\n    f()' in told
    assert 'File "cell 1", line 2, in f\n    return 1 / 0  # here' in told


def test_code_without_a_file_name_gets_one_that_no_other_has() -> None:
    first, second = code_of("1", "eval", None, PLAIN), code_of("1", "eval", None, PLAIN)

    assert first.co_filename.startswith("<worker ")
    assert first.co_filename != second.co_filename


def test_the_newest_text_of_a_file_name_is_shown() -> None:
    trace_of("1 / 0  # old", "cell 2")

    assert "# new" in trace_of("1 / 0  # new", "cell 2")


def test_only_the_last_texts_are_remembered() -> None:
    before = len(sources._texts)  # pyright: ignore[reportPrivateUsage]
    first = code_of("1", "eval", None, PLAIN).co_filename
    trace_of("1 / 0")
    assert first in linecache.cache
    for n in range(sources.MOST + 5):
        code_of(f"{n}", "eval", None, PLAIN)

    assert before <= len(sources._texts) == sources.MOST  # pyright: ignore[reportPrivateUsage]
    assert first not in linecache.cache


def test_texts_are_remembered_up_to_a_size_and_the_newest_whatever_its_size() -> None:
    size = sources.MOST_LETTERS // 4
    names = [code_of("#" * size, "exec", None, PLAIN).co_filename for _ in range(8)]
    texts = sources._texts  # pyright: ignore[reportPrivateUsage]
    assert names[0] not in texts
    assert names[-1] in texts
    assert texts.letters == sum(map(len, texts.values())) <= sources.MOST_LETTERS

    huge = code_of("#" * size * 8, "exec", None, PLAIN).co_filename
    assert list(texts) == [huge]
    sources.forget(huge)
    assert texts.letters == 0


def test_the_lines_of_a_text_are_made_when_a_traceback_shows_them() -> None:
    trace_of("1 / 0")  # from now on lines are shown
    sources.lines_of.cache_clear()
    code = code_of("x = 1\ny = x / 0\n", "exec", None, PLAIN)
    assert sources.lines_of.cache_info().misses == 0

    linecache.checkcache()
    assert linecache.getline(code.co_filename, 2) == "y = x / 0\n"


@pytest.mark.parametrize(
    "executor", [WARY, QUIET, Thread(), Local()], ids=["untrusted", "trusted", "thread", "local"]
)
def test_a_function_that_was_defined_as_text_shows_its_lines_when_it_is_called_later(executor: Any) -> None:
    async def scene(runtime: Runtime) -> None:
        worker = await Worker.options(executor=executor).start()
        await worker.exec("def f(n):\n    return 1 / n  # the line")
        with pytest.raises(TaskError) as error:
            await worker.eval("f(0)")
        told = "".join(traceback.format_exception(error.value))
        assert "return 1 / n  # the line" in told
        assert "ZeroDivisionError: division by zero" in told

    rehearse(scene)
