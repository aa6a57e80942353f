"""What can go wrong, by type; each error of a call tells its fate and whether it is safe to try again.

Every class here says who is at fault: `TaskError` the callee's code, `ActorError` the actor's death,
`Unsendable` the arguments or the result, `GetTimeoutError` the clock.
"""

from __future__ import annotations

from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, TypeVar

from ..transports.guests.faults import text_of
from .reasons import ExitReason, last_lines

# How far a failed call had come.
NEVER_SENT, NOT_BEGUN, BEGUN, UNKNOWN = "never_sent", "not_begun", "begun", "unknown"
SAFE_FATES = frozenset({NEVER_SENT, NOT_BEGUN})


class UnderstudyError(Exception):
    """Base of all errors of this library."""

    def __reduce__(self) -> Any:
        return remade, (type(self), self.args, self.__dict__)


E = TypeVar("E", bound=UnderstudyError)


def remade(kind: type[E], args: tuple[Any, ...], fields: dict[str, Any]) -> E:
    """An error that has travelled; its constructor, which makes the text of other things, is not asked again."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    error.__cause__ = fields["reason"].exception if "reason" in fields else fields.get("cause")
    return error


class NoRuntimeError(UnderstudyError, RuntimeError):
    """There is no runtime open, or it is closing."""


class ActorNotFoundError(UnderstudyError, LookupError):
    """No actor has this name or path."""


class ActorAlreadyExistsError(UnderstudyError):
    """The name or id is taken by a living actor."""


class AlreadyRegisteredError(UnderstudyError):
    """The key is held by an actor, whose path is `holder`."""

    def __init__(self, text: str, holder: str = "") -> None:
        super().__init__(text)
        self.holder = holder


class DeadlockError(UnderstudyError):
    """The call would wait for itself."""


class ActorStartError(UnderstudyError):
    """An actor's start failed; `reason` tells how, with the guest's last words on stderr."""

    def __init__(self, actor: str, reason: ExitReason) -> None:
        words = last_lines(reason.stderr)
        super().__init__(
            f"{actor} did not start: {reason}" + (f"\nIts stderr ended with:\n{words}" if words else "")
        )
        self.actor = actor
        self.reason = reason
        self.__cause__ = reason.exception


class CallError(UnderstudyError):
    """A call that did not end with the callee's value.

    `fate` is never_sent, not_begun, begun or unknown; `safe_to_retry` is true if the callee surely did not run;
    `call_id` is the message id, the same in every event, log record and retry.
    """

    def __init__(self, text: str, fate: str = UNKNOWN, call_id: int = 0, method: str = "") -> None:
        super().__init__(text)
        self.fate = fate
        self.call_id = call_id
        self.method = method

    @property
    def safe_to_retry(self) -> bool:
        return self.fate in SAFE_FATES


class ActorError(CallError):
    """The actor's incarnation ended before the call did; `reason` tells why."""

    def __init__(
        self, text: str, reason: ExitReason, fate: str = UNKNOWN, call_id: int = 0, method: str = ""
    ) -> None:
        words = last_lines(reason.stderr) if fate != NEVER_SENT else ""
        super().__init__(f"{text}\nIts stderr ended with:\n{words}" if words else text, fate, call_id, method)
        self.reason = reason
        self.__cause__ = reason.exception


class ActorDiedError(ActorError):
    """The actor is dead for good."""


class ActorUnavailableError(ActorError):
    """The incarnation that had the call died; the actor itself comes back."""


class GetTimeoutError(CallError, TimeoutError):
    """The deadline passed before the reply came."""


class TaskCancelledError(CallError):
    """The call was cancelled by `cancel()`, or its ref's owner ended."""


class CallInterruptedError(TaskCancelledError):
    """The call was running and `interrupt()` stopped it."""


class DependencyError(CallError):
    """An argument was a ref whose call failed or was cancelled, so that this one never ran; `__cause__` tells why."""


class PendingCallsLimitExceeded(CallError):
    """The mailbox is full; await a call, which waits, or raise `max_pending_calls`."""


class Unsendable(CallError):
    """An argument or a result that cannot travel: not picklable, not plain data, or too large."""


class TaskError(CallError):
    """The callee raised; also an instance of what it raised, where that can be rebuilt here.

    `cause` is the callee's exception (None if only its description travelled); `remote_type`, `remote_text`
    and `remote_traceback` describe it in any case.
    """

    cause: BaseException | None = None
    remote_type = ""
    remote_text = ""
    remote_traceback = ""

    def __reduce__(self) -> Any:
        both = type(self)
        if _derived.get(both.__bases__[-1]) is not both:
            return super().__reduce__()
        return remade_task, (both.__bases__[-1], self.cause, self.args, self.__dict__)


def remade_task(
    kind: type[Exception], cause: BaseException | None, args: tuple[Any, ...], fields: dict[str, Any]
) -> TaskError:
    """A TaskError that has travelled and is an instance of its cause's class, too."""
    error = remade(derive(kind), args, fields)
    if isinstance(cause, Exception):
        copy_slots(cause, error)
    return error


_derived: dict[type[BaseException], type[TaskError]] = {}


def task_error(cause: BaseException, call_id: int, method: str, where: str, traceback: str) -> TaskError:
    """A TaskError that is also an instance of the cause's class."""
    kind = type(cause)
    origin = origin_of(cause)
    error = rebuild(origin) if isinstance(origin, Exception) else None
    if error is None:
        error = TaskError(f"{kind.__name__}: {text_of(cause)}", BEGUN, call_id, method)
    error.fate, error.call_id, error.method = BEGUN, call_id, method
    error.cause = error.__cause__ = cause
    return described(error, f"{kind.__module__}.{kind.__qualname__}", text_of(cause), traceback, where)


def origin_of(cause: BaseException) -> BaseException:
    """What was raised in the first place, if the callee only passed on what its own callee raised."""
    while isinstance(cause, TaskError) and cause.cause is not None:
        cause = cause.cause
    return cause


def foreign_error(kind: str, text: str, call_id: int, method: str, where: str, traceback: str) -> TaskError:
    """A TaskError for an exception of which only the description travelled."""
    error = TaskError(f"{kind}: {text}", BEGUN, call_id, method)
    return described(error, kind, text, traceback, where)


def described(error: TaskError, kind: str, text: str, traceback: str, where: str) -> TaskError:
    error.remote_type, error.remote_text, error.remote_traceback = kind, text, traceback
    error.add_note(
        f"Raised in {where}, {error.method}(), call {error.call_id}{':' if traceback else ''}\n{traceback}".rstrip()
    )
    return error


# A coroutine may not raise the first two; and what carries our fields' names itself keeps its own.
UNFIT_BASES = (StopIteration, StopAsyncIteration, TaskError)
OUR_FIELDS = (
    "fate",
    "call_id",
    "method",
    "cause",
    "remote_type",
    "remote_text",
    "remote_traceback",
    "safe_to_retry",
)


def rebuild(cause: Exception) -> TaskError | None:
    """The same exception as an instance of both classes; None if its class does not allow that."""
    if isinstance(cause, UNFIT_BASES) or any(hasattr(cause, name) for name in OUR_FIELDS):
        return None
    try:
        both = derive(type(cause))
        error = both.__new__(both, *cause.args)
        error.args = cause.args
        error.__dict__.update(cause.__dict__)
        if hasattr(cause, "__notes__"):
            error.__notes__ = list(cause.__notes__)  # ours are added below, and not to the cause
        copy_slots(cause, error)
        str(error)
    except Exception:
        return None
    return error


def derive(kind: type[Exception]) -> type[TaskError]:
    found = _derived.get(kind)
    if found is None:
        body: dict[str, Any] = {
            "__module__": kind.__module__,
            "__str__": kind.__str__,
            "__init__": Exception.__init__,
        }
        if issubclass(kind, MemoryError):  # its own refuses to make an instance of two bases
            body["__new__"] = Exception.__new__
        found = _derived[kind] = type(f"TaskError({kind.__name__})", (TaskError, kind), body)
    return found


def copy_slots(cause: Exception, error: TaskError) -> None:
    """Copy what lives outside `__dict__`, such as an OSError's errno."""
    for name in slots_of(type(cause)):
        copy_slot(cause, error, name)


_slots: dict[type, tuple[str, ...]] = {}


def slots_of(kind: type) -> tuple[str, ...]:
    found = _slots.get(kind)
    if found is None:
        found = _slots[kind] = tuple(find_slots(kind))
    return found


def find_slots(kind: type) -> list[str]:
    return [
        name
        for base in kind.__mro__
        for name, slot in vars(base).items()
        if isinstance(slot, MemberDescriptorType | GetSetDescriptorType) and not name.startswith("__")
    ]


def copy_slot(cause: Any, error: Any, name: str) -> None:
    try:
        value = getattr(cause, name)
        # An OSError that is told of a second file, be it None, speaks of it.
        if getattr(error, name, error) is not value:
            setattr(error, name, value)
    except (AttributeError, TypeError):
        pass  # read-only or unset: the constructor's arguments made it
