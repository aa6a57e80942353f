"""Arguments are checked where the call is made, with Python's own words."""

from collections.abc import Callable
from typing import Any

import pytest

from understudy.actors.signature import accept, check_of


class Sample:
    def plain(self, a: int, b: int = 2) -> None: ...
    def only(self, a: int, /, *, key: str, other: str = "x") -> None: ...
    def many(self, *args: int, **kwargs: int) -> None: ...
    def odd(self, default: Any = object(), annotation: "NotAName" = None) -> None: ...  # type: ignore[name-defined]  # noqa: F821, B008
    def alone() -> None: ...  # type: ignore[misc]


CASES: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = [
    (Sample.plain, (), {}),
    (Sample.plain, (1,), {}),
    (Sample.plain, (1, 2), {}),
    (Sample.plain, (1, 2, 3), {}),
    (Sample.plain, (1,), {"a": 1}),
    (Sample.plain, (), {"b": 1}),
    (Sample.plain, (), {"c": 1}),
    (Sample.only, (1,), {"key": ""}),
    (Sample.only, (1,), {}),
    (Sample.only, (1, ""), {}),
    (Sample.only, (), {"a": 1, "key": ""}),
    (Sample.only, (1,), {"key": "", "other": ""}),
    (Sample.many, (), {}),
    (Sample.many, (1, 2, 3), {"a": 1}),
    (Sample.odd, (), {}),
    (Sample.odd, (), {"annotation": 1}),
]


@pytest.mark.parametrize(("function", "args", "kwargs"), CASES)
def test_a_check_refuses_what_the_method_would_refuse_and_nothing_else(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    try:
        function(Sample(), *args, **kwargs)
    except TypeError:
        with pytest.raises(TypeError, match=function.__qualname__.replace(".", r"\.")):
            check_of(function)(*args, **kwargs)
    else:
        check_of(function)(*args, **kwargs)


def test_a_check_evaluates_no_default_and_no_annotation() -> None:
    assert check_of(Sample.odd).__defaults__ == (None, None)
    assert check_of(Sample.odd).__annotations__ == {}


def test_a_check_is_compiled_once() -> None:
    assert check_of(Sample.plain) is check_of(Sample.plain)


def test_what_has_no_signature_is_not_checked() -> None:
    assert not check_of(type.__call__)(1, 2, a=3)
    assert not accept(1, 2, three=3)


def test_a_lambda_can_be_checked() -> None:
    check = check_of(lambda self, x: x)

    check(1)
    with pytest.raises(TypeError):
        check()
