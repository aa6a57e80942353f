"""What each request of a guest has its host do: calls, casts, streams, starts and ends of actors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ..transports.guests import protocol as p
from . import verbs
from .asked import AskedStream, Kept, Question
from .errors import ActorDiedError, ActorStartError, DeadlockError, TaskCancelledError
from .held import Held, make_held
from .queue_errand import on_queue
from .scope import Scope
from .spec import make_spec
from .streaming import StreamMethod

if TYPE_CHECKING:
    from .call import Call
    from .handle import ActorHandle
    from .mailbox import Mailbox
    from .method import ActorMethod
    from .questions import Questions

# -- calls ----------------------------------------------------------------------------------


def on_call(
    questions: Questions,
    number: int,
    parent: Call | None,
    target: list[Any],
    name: str,
    packed: Any,
    refs: list[list[Any]],
    awaited: bool,
    heard: int,
) -> None:
    questions.forget(heard)
    method, (args, kwargs), carried = questions.method(target, name, packed, refs)
    if isinstance(method, StreamMethod):
        raise TypeError(
            f"{name}() gives a stream; name the class in get_actor(), and iterate over h.{name}(...)"
        )
    mailbox = method.mailbox
    if not awaited:
        mailbox.check_limit(method)
    call, held = questions.within(parent, lambda: prepared(p.CALL, method, args, kwargs), carried)
    question = questions.open[number] = Question(questions, number, id_of(parent), call, held)
    question.awaited = awaited
    if call.ended:  # one of the refs has failed already
        return question.settled(call)
    call.ref = question
    questions.put(number, parent, mailbox.admit if awaited else mailbox.put, call)


def on_wait(questions: Questions, _: int, parent: Call | None, asked: int, loosely: bool) -> None:
    """Somebody waits now for what was asked before; `loosely`: they can go on without it."""
    question = questions.open.get(asked)
    if not isinstance(question, Question) or question.answered:
        return
    try:
        questions.within(parent, lambda: question.claim(loosely))
    except DeadlockError as error:
        del questions.open[asked]
        question.drop()
        questions.refuse(asked, error)


def on_cast(
    questions: Questions,
    _: int,
    parent: Call | None,
    target: list[Any],
    name: str,
    packed: Any,
    refs: list[list[Any]],
) -> None:
    try:
        method, (args, kwargs), carried = questions.method(target, name, packed, refs)
        with_refs = method.check(*args, **kwargs)
        questions.within(parent, lambda: method.mailbox.cast(method, args, kwargs, with_refs), carried)
    except Exception as error:  # nobody waits to be told
        questions.fail_unseen(name, f"{name}() to {target[0]}", parent, error)


def on_cancel(questions: Questions, _: int, __: Call | None, asked: int) -> None:
    question = questions.open.pop(asked, None)
    if question is not None:
        question.drop()


# -- streams --------------------------------------------------------------------------------


def on_stream(
    questions: Questions,
    number: int,
    parent: Call | None,
    target: list[Any],
    name: str,
    packed: Any,
    refs: list[list[Any]],
) -> None:
    found, (args, kwargs), carried = questions.method(target, name, packed, refs)
    if not isinstance(found, StreamMethod):
        raise TypeError(f"{name}() gives one value, and no stream; await it")
    method = found.method
    call, held = questions.within(parent, lambda: prepared(p.STREAM, method, args, kwargs), carried)
    stream = questions.open[number] = AskedStream(questions, number, id_of(parent), call, found.ahead, held)
    if call.ended:
        return stream.feed.wake()
    questions.put(number, parent, method.mailbox.admit, call)


def on_next(questions: Questions, number: int, _: Call | None, asked: int, taken: int) -> None:
    """The guest wants more of a stream."""
    stream = questions.open.get(asked)
    if isinstance(stream, AskedStream):
        stream.go_on(number, taken)
    else:
        questions.refuse(number, TaskCancelledError("the stream was closed"))


# -- actors and values ----------------------------------------------------------------------


def on_start(questions: Questions, number: int, parent: Call | None, packed: Any, wait: bool) -> None:
    """Start an actor; it ends with the incarnation that asked for it."""
    try:
        spec = make_spec(*questions.incarnation.value(packed))
        spawner = questions.incarnation.life.house.spawner()
        questions.scope = questions.scope or Scope()
        if wait:
            return questions.do(number, parent, partial(started, spawner, spec))
        handle = questions.within(parent, lambda: spawner.spawn(spec))
    except Exception as error:
        questions.failed[number] = error
        raise
    questions.answer(number, number_of(handle))


def on_put(questions: Questions, number: int, parent: Call | None, packed: Any) -> None:
    questions.open[number] = Kept(questions, id_of(parent), questions.incarnation.value(packed))


def on_house(questions: Questions, number: int, parent: Call | None, verb: str, packed: Any) -> None:
    """What concerns more actors than one: monitors, links, groups."""
    life = questions.incarnation.life
    given = questions.incarnation.value(packed)
    value = questions.within(parent, lambda: life.house.request(life, verb, *given))
    if number:
        questions.answer(number, value)


def on_kill(
    questions: Questions, number: int, parent: Call | None, target: list[Any], no_restart: bool
) -> None:
    questions.do(number, parent, partial(verbs.kill, questions.find(target), no_restart=no_restart))


def on_interrupt(questions: Questions, number: int, parent: Call | None, target: list[Any]) -> None:
    questions.do(number, parent, partial(verbs.interrupt, questions.find(target)))


def on_ready(questions: Questions, number: int, parent: Call | None, target: list[Any]) -> None:
    try:
        handle = questions.find(target)
    except ActorDiedError as error:  # it was dead before it was asked for
        raise ActorStartError(target[0], error.reason) from error
    questions.do(number, parent, partial(verbs.wait_ready, handle))


def id_of(parent: Call | None) -> int:
    return parent.id if parent is not None else 0


def prepared(
    kind: int, method: ActorMethod[Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[Call, Held | None]:
    """A call record; and what holds it, if there are refs among its arguments."""
    mailbox: Mailbox = method.mailbox
    if not method.check(*args, **kwargs):
        return mailbox.make(kind, method, args, kwargs), None
    held = make_held(mailbox, kind, method, args, kwargs)
    return held.call, held


async def started(spawner: Any, spec: Any) -> int:
    return number_of(await spawner.start(spec))


def number_of(handle: ActorHandle) -> int:
    life = verbs.life_of(handle)
    return life.house.number_of(life)


REQUESTS: dict[str, Callable[..., None]] = {
    "wait": on_wait,
    "call": on_call,
    "cast": on_cast,
    "cancel": on_cancel,
    "stream": on_stream,
    "next": on_next,
    "start": on_start,
    "put": on_put,
    "kill": on_kill,
    "interrupt": on_interrupt,
    "ready": on_ready,
    "house": on_house,
    "queue": on_queue,
}
