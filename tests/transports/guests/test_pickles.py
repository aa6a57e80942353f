"""What is importable travels by name, what is not travels by value, once and named by its hash."""

import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import pytest

from understudy.transports.guests import pickles
from understudy.transports.guests.pickles import LostCode, dumps, dumps_with_code, importable, loads

ELSEWHERE = """
import sys, pickle
from understudy.transports.guests.pickles import loads
data, code = pickle.loads(sys.stdin.buffer.read())
known = {digest: loads(blob, {}) for digest, blob in code.items()}
value = loads(data, known)
print(EXPRESSION)
"""


def load_code(code: dict[bytes, bytes]) -> dict[bytes, Any]:
    return {digest: loads(blob, {}) for digest, blob in code.items()}


def elsewhere(value: Any, expression: str) -> str:
    """What another process says of a value that was sent to it."""
    script = ELSEWHERE.replace("EXPRESSION", expression)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=pickle.dumps(dumps_with_code(value)),
        env=environ,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def iterate() -> Iterator[None]:
    yield


@pytest.fixture
def main_class() -> Iterator[type]:
    """A class of `__main__`, as a script would have it."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(
        "class Point:\n    size = 1\n    def __init__(self, x): self.x = x\n    def twice(self): return 2 * self.x",
        scope,
    )
    cls: type = scope["Point"]
    main: ModuleType = sys.modules["__main__"]
    setattr(main, "Point", cls)  # noqa: B010 - a module has no such attribute
    yield cls
    delattr(main, "Point")


@pytest.mark.parametrize(
    "value", [OrderedDict(a=1), Path("/"), len, OrderedDict, [Path], ValueError("x").args], ids=repr
)
def test_what_can_be_imported_travels_by_name(value: Any) -> None:
    data, code = dumps_with_code(value)

    assert (loads(data), code) == (value, {})
    assert b"cloudpickle" not in data


def test_a_lambda_travels_by_value() -> None:
    data, code = dumps_with_code([lambda x: x + 1])

    assert len(code) == 1
    assert loads(data, load_code(code))[0](1) == 2


def test_code_of_another_python_is_not_loaded_and_the_error_names_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = pickles.BYTECODE
    with monkeypatch.context() as other:
        other.setattr(pickles, "BYTECODE", "cpython-310")
        _, code = dumps_with_code([lambda x: x + 1])
        whole = dumps(lambda x: x + 1)

    for blob in (*code.values(), whole):
        with pytest.raises(LostCode, match=f"code of cpython-310, but it came to {here}"):
            loads(blob)


def test_a_closure_takes_along_what_it_closes_over() -> None:
    base = [40]
    data, code = dumps_with_code(lambda x: base[0] + x)

    assert loads(data, load_code(code))(2) == 42


def test_the_same_code_has_the_same_name_each_time_and_so_is_sent_once() -> None:
    function: Callable[[int], int] = lambda x: x * 3  # noqa: E731
    (first, one), (second, two) = dumps_with_code((function, 1)), dumps_with_code((function, 2))

    assert one == two
    assert first != second


def test_the_pickle_itself_holds_no_code() -> None:
    def named_so_that_it_is_found() -> int:
        return 1

    data, code = dumps_with_code(named_so_that_it_is_found)

    assert b"named_so_that_it_is_found" not in data
    assert [b"named_so_that_it_is_found" in blob for blob in code.values()] == [True]


def test_one_function_named_twice_is_one_piece_of_code() -> None:
    function: Callable[[], int] = lambda: 1  # noqa: E731
    data, code = dumps_with_code([function, function])
    one, two = loads(data, load_code(code))

    assert len(code) == 1
    assert one is two


def test_a_class_of_main_travels_by_value_though_it_would_pickle_by_name(main_class: type) -> None:
    _, code = dumps_with_code(main_class(21))

    assert len(code) == 1
    assert elsewhere(main_class(21), "value.twice()") == "42"


def test_a_class_of_main_finds_its_place_in_the_main_of_the_other_side(main_class: type) -> None:
    assert elsewhere(main_class, "sys.modules['__main__'].Point is value") == "True"


def test_an_instance_of_a_local_class_travels() -> None:
    class Local:
        def __init__(self, x: int) -> None:
            self.x = x

        def more(self) -> int:
            return self.x + super().__hash__() * 0 + 1

    assert elsewhere(Local(41), "value.more()") == "42"


def test_a_class_that_comes_home_is_the_class_that_left(main_class: type) -> None:
    there = cloudpickle.dumps(main_class(1))
    method = main_class.twice  # type: ignore[attr-defined]
    main_class.size = 5  # type: ignore[attr-defined]
    home = loads(there)

    assert type(home) is main_class
    assert (main_class.size, main_class.twice) == (5, method)


def test_a_result_is_one_piece_and_needs_no_code() -> None:
    data = dumps([lambda: 42, 2**100])

    assert loads(data)[0]() == 42


def test_a_pickle_that_names_code_which_was_not_sent_says_so() -> None:
    data, _ = dumps_with_code(lambda: 1)
    with pytest.raises(LostCode, match="never sent"):
        loads(data, {})


def test_code_that_could_not_be_loaded_says_why_where_it_is_used() -> None:
    data, code = dumps_with_code(lambda: 1)
    broken = {digest: LostCode("no module named 'left_at_home'") for digest in code}
    with pytest.raises(LostCode, match="left_at_home"):
        loads(data, broken)


@pytest.mark.parametrize("value", [iterate(), sys._getframe()], ids=["generator", "frame"])
def test_what_nobody_can_pickle_raises_what_pickling_raises(value: Any) -> None:
    with pytest.raises((TypeError, pickle.PicklingError)):
        dumps_with_code(value)


@pytest.mark.parametrize("data", [b"", b"garbage", b"\x80\x05.", b"cloudpickle"])
def test_garbage_raises_an_exception_and_no_more(data: bytes) -> None:
    with pytest.raises(Exception):  # noqa: B017
        loads(data)


def test_importable_is_what_another_process_finds_under_the_name() -> None:
    class Inner:
        pass

    assert [importable(thing) for thing in (OrderedDict, len, pickles.loads)] == [True] * 3
    assert [importable(thing) for thing in (Inner, lambda: 1)] == [False] * 2


def test_a_shadowed_name_is_not_importable() -> None:
    impostor = type("OrderedDict", (), {"__module__": "collections"})

    assert not importable(impostor)


def test_with_its_whole_module_a_class_takes_along_what_it_uses_there() -> None:
    module = ModuleType("left_at_home")
    sys.modules["left_at_home"] = module
    try:
        exec("def helper(): return 42\nclass Uses:\n    def ask(self): return helper()", module.__dict__)
        code: dict[bytes, bytes] = {}
        digest = pickles.code_of(module.Uses, code, whole_module=True)
        assert "left_at_home" not in cloudpickle.list_registry_pickle_by_value()
    finally:
        del sys.modules["left_at_home"]

    assert loads(code[digest], {})().ask() == 42
