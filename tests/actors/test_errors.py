"""Errors tell what happened, how far the call had come, and whether it may be tried again."""

import errno
import importlib
import inspect
import pickle
import sys
from typing import Any, cast

import pytest

from tests.cast import Odd, Picky, Sealed, Slotted, Speechless
from understudy import (
    ActorDiedError,
    ActorStartError,
    ActorUnavailableError,
    CallError,
    CallInterruptedError,
    ExitReason,
    GetTimeoutError,
    PendingCallsLimitExceeded,
    TaskCancelledError,
    TaskError,
    UnderstudyError,
    Unsendable,
)
from understudy.actors.errors import foreign_error, task_error

# What has errors of its own, so that all are known here.
HOMES = ("actors.queue_errors", "supervisors.errors", "supervisors.runtime", "testing")
for home in HOMES:
    importlib.import_module(f"understudy.{home}")
REASON = ExitReason("error", "it broke", KeyError("k"), stderr="last words")


def kinds_below(kind: type[UnderstudyError]) -> list[type[UnderstudyError]]:
    found = [kind, *(one for below in kind.__subclasses__() for one in kinds_below(below))]
    return [one for one in found if getattr(sys.modules[one.__module__], one.__name__, None) is one]


def example(kind: type[Any]) -> UnderstudyError:
    """An error of this kind, with something in each of its fields."""
    given: dict[str, Any] = {
        "text": "what happened",
        "actor": "/a",
        "reason": REASON,
        "fate": "begun",
        "call_id": 7,
        "method": "m",
        "holder": "/b",
    }
    wanted = inspect.signature(kind.__init__).parameters
    if "args" in wanted:
        return cast("UnderstudyError", kind("what happened"))
    return cast("UnderstudyError", kind(**{name: value for name, value in given.items() if name in wanted}))


@pytest.mark.parametrize("kind", kinds_below(UnderstudyError), ids=lambda kind: kind.__name__)
def test_every_error_of_ours_travels_with_all_it_tells(kind: type[UnderstudyError]) -> None:
    error = example(kind)
    error.add_note("and where")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert (str(again), again.args, again.__notes__) == (str(error), error.args, ["and where"])
    assert vars(again) == vars(error)
    assert repr(again.__cause__) == repr(error.__cause__)


@pytest.mark.parametrize(
    "cause", [KeyError("k"), FileNotFoundError(2, "No such file", "/nowhere"), Slotted("small")]
)
def test_a_task_error_travels_as_what_it_is(cause: Exception) -> None:
    error = made(cause)

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert (str(again), again.args, again.fate, again.call_id) == (str(error), error.args, "begun", 7)
    assert repr(again.cause) == repr(cause)
    assert again.__cause__ is again.cause
    assert again.remote_traceback == "its trace"


def made(cause: BaseException) -> TaskError:
    return task_error(cause, 7, "m", "here", "its trace")


def test_a_task_error_is_also_what_was_raised() -> None:
    error = made(KeyError("k"))

    assert isinstance(error, KeyError)
    assert isinstance(error, LookupError)
    assert str(error) == "'k'"
    assert error.args == ("k",)
    assert (error.fate, error.call_id, error.method, error.safe_to_retry) == ("begun", 7, "m", False)
    assert type(error).__name__ == "TaskError(KeyError)"
    assert error.cause is error.__cause__
    assert (error.remote_type, error.remote_text, error.remote_traceback) == (
        "builtins.KeyError",
        "'k'",
        "its trace",
    )


def test_an_os_error_keeps_its_number_and_file() -> None:
    error = made(FileNotFoundError(errno.ENOENT, "No such file", "/nowhere"))

    assert isinstance(error, FileNotFoundError)
    assert (error.errno, error.strerror, error.filename) == (errno.ENOENT, "No such file", "/nowhere")
    assert str(error) == "[Errno 2] No such file: '/nowhere'"


def test_a_decode_error_keeps_what_it_could_not_decode() -> None:
    error = made(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"))

    assert isinstance(error, UnicodeDecodeError)
    assert (error.object, error.start) == (b"\xff", 0)


def test_a_system_of_slots_survives() -> None:
    error = made(Slotted("small"))

    assert isinstance(error, Slotted)
    assert error.detail == "small"


def test_attributes_and_notes_survive() -> None:
    cause = Odd("odd", colour="blue")
    cause.add_note("by hand")
    error = made(cause)

    assert isinstance(error, Odd)
    assert error.colour == "blue"
    assert error.__notes__ == ["by hand", "Raised in here, m(), call 7:\nits trace"]


def test_the_cause_gets_no_notes_of_ours() -> None:
    cause = ValueError("again and again")
    cause.add_note("its own")
    for _ in range(3):
        error = made(cause)

    assert cause.__notes__ == ["its own"]
    assert len(error.__notes__) == 2


def test_a_group_is_a_group() -> None:
    error = made(ExceptionGroup("several", [ValueError("one"), KeyError("two")]))
    caught: list[BaseException] = []
    try:
        raise error
    except* ValueError as found:
        caught += found.exceptions
    except* KeyError as found:
        caught += found.exceptions

    assert [type(one) for one in caught] == [ValueError, KeyError]


def test_an_exception_that_wants_other_arguments_is_still_of_its_class() -> None:
    error = made(Picky("this", "that"))

    assert isinstance(error, Picky)
    assert str(error) == "this and that"


@pytest.mark.parametrize("cause", [Sealed("sealed"), KeyboardInterrupt("stop"), GeneratorExit("closed")])
def test_what_cannot_be_both_is_a_plain_task_error_with_its_cause(cause: BaseException) -> None:
    error = made(cause)

    assert type(error) is TaskError
    assert error.cause is cause
    assert str(error) == f"{type(cause).__name__}: {cause}"


def test_an_exception_without_words_is_told_without_them() -> None:
    error = made(Speechless())

    assert "its text cannot be told: __str__ raised RuntimeError" in str(error)
    assert "cannot be told" in error.remote_text


def test_a_task_error_of_a_task_error_does_not_grow_names() -> None:
    assert type(made(made(ValueError("inner")))) is type(made(ValueError("inner")))


def test_a_description_alone_makes_an_error_too() -> None:
    error = foreign_error("mod.Foreign", "text", 7, "m", "there", "trace")

    assert (str(error), error.cause, error.remote_type) == ("mod.Foreign: text", None, "mod.Foreign")


@pytest.mark.parametrize(
    ("fate", "safe"), [("never_sent", True), ("not_begun", True), ("begun", False), ("unknown", False)]
)
def test_only_what_surely_did_not_run_is_safe_to_retry(fate: str, safe: bool) -> None:
    assert CallError("x", fate).safe_to_retry is safe


@pytest.mark.parametrize(
    "kind",
    [
        GetTimeoutError,
        TaskCancelledError,
        CallInterruptedError,
        PendingCallsLimitExceeded,
        Unsendable,
        TaskError,
    ],
)
def test_all_ends_of_calls_are_call_errors(kind: type[CallError]) -> None:
    assert issubclass(kind, CallError)
    assert issubclass(kind, UnderstudyError)


def test_a_timeout_is_a_timeout_error() -> None:
    assert issubclass(GetTimeoutError, TimeoutError)


@pytest.mark.parametrize("kind", [ActorDiedError, ActorUnavailableError])
def test_a_death_is_told_with_the_last_words_unless_the_call_was_never_sent(
    kind: type[ActorDiedError],
) -> None:
    reason = ExitReason("error", "status 3", stderr="first\nlast words\n")

    assert "last words" in str(kind("died", reason, "begun", 1, "m"))
    assert "last words" not in str(kind("died", reason, "never_sent", 1, "m"))


def test_a_failed_start_is_told_with_reason_and_last_words() -> None:
    cause = ValueError("bad")
    error = ActorStartError("a", ExitReason("error", "__init__ raised", cause, stderr="oh\n"))

    assert str(error) == "a did not start: error: __init__ raised\nIts stderr ended with:\noh"
    assert error.__cause__ is cause


@pytest.mark.parametrize(
    ("kind", "abnormal"),
    [
        ("normal", False),
        ("shutdown", False),
        ("error", True),
        ("signal", True),
        ("interrupted", True),
        ("timeout", True),
    ],
)
def test_normal_and_shutdown_are_the_normal_ends(kind: str, abnormal: bool) -> None:
    assert ExitReason(kind).abnormal is abnormal
