"""What a guest's host refuses, as the exceptions that its methods see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import errors
from .reasons import ExitReason

if TYPE_CHECKING:
    from .errors import UnderstudyError


def error_of(fault: list[Any]) -> BaseException:
    """The error that the host's refusal describes."""
    module, name, text, traceback, pickled, kind, shown, fate, call_id, method, reason = fault
    cause = loaded(pickled)
    if hasattr(errors, kind) and kind != "TaskError":
        return rebuilt(getattr(errors, kind), shown, fate, call_id, method, reason)
    if kind != "TaskError" and cause is not None:
        return cause
    if kind not in ("", "TaskError"):
        return rebuilt(errors.CallError, shown, fate, call_id, method, reason)
    if cause is not None:
        return errors.task_error(cause, call_id, method, "another actor", traceback)
    return errors.foreign_error(f"{module}.{name}", text, call_id, method, "another actor", traceback)


def rebuilt(
    kind: type[UnderstudyError], shown: str, fate: str, call_id: int, method: str, reason: list[str]
) -> BaseException:
    if issubclass(kind, errors.ActorError):
        return kind(shown, ExitReason(reason[0], reason[1]), fate, call_id, method)
    if issubclass(kind, errors.CallError):
        return kind(shown, fate, call_id, method)
    if issubclass(kind, errors.ActorStartError):
        return kind(reason[2], ExitReason(reason[0], reason[1], stderr=reason[3]))
    return kind(shown)


def loaded(pickled: Any) -> BaseException | None:
    """The exception itself, where it can be had."""
    if isinstance(pickled, BaseException) or pickled is None:
        return pickled
    from ..transports.guests.causes import loads_error

    try:
        return loads_error(pickled)
    except Exception:
        return None


def cancelled_by_us(name: str) -> list[Any]:
    """The refusal of a call that was cancelled here."""
    text = f"a call of {name}() was cancelled by the actor that made it"
    return ["", "", text, "", None, "TaskCancelledError", text, errors.UNKNOWN, 0, name, []]
