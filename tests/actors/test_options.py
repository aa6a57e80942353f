"""Options are checked when they are given, by name and value."""

from typing import Any

import pytest

from tests.cast import Player
from understudy import Actor, Local, Process, method
from understudy.actors.executor import Executor
from understudy.actors.options import Options

BAD: list[tuple[str, Any]] = [
    ("executor", "process"),
    ("executor", Process),
    ("executor", Executor()),
    ("id", ""),
    ("id", "a/b"),
    ("id", 7),
    ("name", ""),
    ("name", "a/b"),
    ("name", b"x"),
    ("restart", "always"),
    ("restart", True),
    ("shutdown", -1),
    ("shutdown", None),
    ("shutdown", float("nan")),
    ("start_timeout", -0.1),
    ("start_timeout", "30"),
    ("call_timeout", -1),
    ("call_timeout", "soon"),
    ("crash_on", ValueError),
    ("crash_on", [ValueError]),
    ("crash_on", (int,)),
    ("crash_on", (ValueError(),)),
    ("after_interrupt", "stop"),
    ("max_restarts", -2),
    ("max_restarts", 1.0),
    ("max_restarts", True),
    ("max_task_retries", -2),
    ("max_task_retries", None),
    ("retry_exceptions", 1),
    ("retry_exceptions", ValueError),
    ("max_pending_calls", 0),
    ("max_pending_calls", -2),
    ("max_pending_calls", "many"),
]


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda value: str(value)[:20])
def test_a_bad_value_is_refused_by_name_and_value(name: str, value: Any) -> None:
    with pytest.raises(ValueError) as refusal:
        Player.options(**{name: value})

    assert str(refusal.value).startswith(f"{name} must be ")
    assert str(refusal.value).endswith(f", not {value!r}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("restart", "temporary"),
        ("shutdown", 0),
        ("start_timeout", float("inf")),
        ("call_timeout", None),
        ("crash_on", (Exception,)),
        ("max_restarts", -1),
        ("max_restarts", None),
        ("retry_exceptions", True),
        ("retry_exceptions", (OSError,)),
        ("max_pending_calls", -1),
        ("after_interrupt", "restart"),
    ],
)
def test_a_good_value_is_kept(name: str, value: Any) -> None:
    assert getattr(Player.options(**{name: value}).changed, name) == value


def test_an_unknown_option_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        TypeError, match="there is no option 'excutor'; there are after_interrupt, backoff, call_timeout"
    ):
        Player.options(excutor=Local())  # type: ignore[call-arg]


def test_a_class_statement_checks_its_options_too() -> None:
    with pytest.raises(ValueError, match="max_restarts must be"):

        class Wrong(Actor, max_restarts=-5):
            pass


def test_a_subclass_inherits_options_and_changes_some() -> None:
    class Base(Actor, executor=Local(), call_timeout=2.0):
        pass

    class Derived(Base, call_timeout=None):
        pass

    assert Derived.child().options == Options(executor=Local(), call_timeout=None)
    assert Base.child().options.call_timeout == 2.0


def test_options_are_added_one_upon_the_other_and_change_nothing_behind_them() -> None:
    named = Player.options(name="n")
    both = named.options(id="i")

    assert (both.changed.name, both.changed.id) == ("n", "i")
    assert (named.changed.id, Player.child().options.name) == (None, None)


def test_options_are_frozen() -> None:
    with pytest.raises(AttributeError):
        Options().name = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("timeout", -1),
        ("timeout", "soon"),
        ("max_task_retries", 1.5),
        ("retry_exceptions", ValueError),
        ("interrupt", 0),
    ],
)
def test_a_bad_method_option_is_refused_by_name_and_value(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be "):
        method(**{name: value})


def test_an_unknown_method_option_is_refused() -> None:
    with pytest.raises(
        TypeError,
        match="@method has no option 'retries'; there are ahead, cancel, concurrency_group, interrupt",
    ):
        method(retries=3)  # type: ignore[call-overload]


@pytest.mark.parametrize("value", [7, property(lambda self: 1), "text"])
def test_method_marks_functions_only(value: Any) -> None:
    with pytest.raises(TypeError, match="@method marks a function"):
        method(value)
