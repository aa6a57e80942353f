"""What every guest does, whatever loop runs its methods: it starts the actor, answers calls, and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NoReturn

from . import protocol as p
from .asking import Asking
from .context import ActorExit, Running, context_of, set_carried
from .downs import Downs
from .faults import describe
from .interrupts import Bell, Interrupted, invoke, whole
from .loading import find_class
from .values import Codec, Unfit, UnfitArguments
from .wire import Link

if TYPE_CHECKING:
    from .channels import Office

NONE: dict[str, Any] = {}


class Leave(SystemExit):
    """The guest has said that it ends; raised to unwind whatever loop runs it."""


class Guest:
    """One actor, its link and its page.  A loop (see `LOOPS`) takes over once START tells which is needed."""

    def __init__(self, wire: Link, values: Codec, page: Any, doorbell: Bell) -> None:
        self.wire = wire
        self.values = values
        self.page = page
        self.doorbell = doorbell
        self.lock: AbstractContextManager[Any] = nullcontext()  # who holds it may write to the link
        self.running = Running()  # what the methods of this guest are told of themselves
        self.actor: Any = None
        self.methods: dict[str, Callable[..., Any]] = {}
        self.protected: frozenset[str] = frozenset()
        self.for_code: frozenset[str] = (
            frozenset()
        )  # methods whose exceptions are those of code they were given
        self.crash_on: tuple[type[BaseException], ...] = ()
        self.hooks: frozenset[str] = frozenset()
        self.step = "__init__"  # of the start, for whoever asks what failed
        self.hurt = False  # a method was interrupted half-way, and nothing has been repaired since
        self.on_struck: Callable[[], None] = lambda: None
        self.on_cut: Callable[[], None] = lambda: (
            None
        )  # a call was cut short, and its host waits to hear that
        self.ending = False  # no call begins any more, and no reply is sent
        self.why: str | None = None  # what `on_stop` is told, once the host knows that we end
        self.early: list[list[Any]] | None = []  # code sent before START, which tells where modules are
        self.handlers: dict[int, Callable[[list[Any]], None]] = {
            p.CODE: self.on_code, p.PREPARE: self.on_prepare, p.START: self.on_start, p.VALUE: self.on_value,
            p.FREE: self.on_free,
        }  # fmt: skip
        self.asking = Asking(self)
        self.downs = Downs(self.asking)
        self.channels: Office | None = None  # where the ends of channels are looked after, once there are any

    def serve(self) -> None:
        """Handle messages until told to stop; raises HostGone or Leave."""
        while True:
            self.wire.flush()
            for message in self.wire.receive():
                self.handlers[message[0]](message)

    @property
    def office(self) -> Office:
        return self.channels or self.open_office()

    @whole
    def open_office(self) -> Office:
        from .channels import Office

        with self.lock:  # calls in several threads may bring the first ends at once
            if self.channels is None:
                self.channels = Office(self)
            return self.channels

    # -- the start ------------------------------------------------------------------------------

    def on_code(self, message: list[Any]) -> None:
        if self.early is not None:
            self.early.append(message)
        else:
            self.values.learn(message[1], message[2])

    def on_value(self, message: list[Any]) -> None:
        self.values.stored[message[1]] = message[2]

    def on_free(self, message: list[Any]) -> None:
        self.values.stored.pop(message[1], None)
        self.values.code.pop(message[1], None)

    def on_prepare(self, message: list[Any]) -> None:
        """As a standby: load the actor's code, and do nothing with it yet."""
        from .loops import load_loop

        settings = message[1]
        with suppress(Exception):  # what is wrong with it will be told when it is to start
            self.configure(settings)
            load_loop(settings["mode"])
            find_class(settings["class"], self.values.code)
        self.say([p.PREPARED])

    def on_start(self, message: list[Any]) -> None:
        from .loops import loop_of

        settings = message[1]
        try:
            if self.early is not None:
                self.configure(settings)
            self.running.details = settings["details"]
            loop = loop_of(settings["mode"], self, settings)
        except BaseException as error:
            self.fail(error)
        else:
            loop.play()

    def configure(self, settings: dict[str, Any]) -> None:
        self.values.agree(settings["trusted"], *settings["limits"])
        self.protected = frozenset(settings["protected"])
        self.for_code = frozenset(settings["for_code"])
        self.hooks = frozenset(settings["hooks"])
        early, self.early = self.early or [], None
        for message in early:
            self.on_code(message)

    def make_actor(self, settings: Settings) -> None:
        """Run the user's `__init__`; raises what it raises."""
        values = self.values
        self.step = "__init__"
        self.actor = self.running.actor = None
        args, kwargs = values.arguments([p.START, 0, "__init__", settings["args"], settings["kwargs"]])
        cls = find_class(settings["class"], values.code)
        self.crash_on = values.load(settings["crash_on"])
        self.actor = self.running.actor = invoke(cls, args, kwargs)

    def fail(self, error: BaseException) -> None:
        """The start failed: say so and leave."""
        step = p.DECLINED if isinstance(end_in(error), ActorExit) else self.step
        self.say([p.FAILED, describe(error, self.values.pickled_error), step])
        self.leave(1)

    def mishap(self, hook: str, error: BaseException) -> None:
        """Something of the actor's own raised, and that changes no step of ours."""
        self.say([p.MISHAP, hook, describe(error, self.values.pickled_error)])

    # -- one call -------------------------------------------------------------------------------

    def answer(self, id: int, name: str, message: list[Any], doorbell: Bell) -> Any:
        """Run one call and encode its reply; ends the guest if the call ended the actor."""
        try:
            method = self.methods.get(name) or self.find(name)
            args: Any = message[3]
            kwargs: Any = NONE
            context = copy_context()  # what a method sets is seen by no other call
            if len(message) > 4 or args.__class__ is not list:
                args, kwargs = self.values.arguments(message)
                context.run(self.take_along, message)
            doorbell.protected = name in self.protected
            doorbell.running = id
            value = context.run(invoke, method, args, kwargs)
            doorbell.running = 0
            # Nobody waits for what a cast returns, so it need not be fit to travel.
            return self.values.result(id, value if message[0] == p.CALL else None)
        except Interrupted:
            doorbell.running = 0
            self.strike()
            return self.values.encode((p.INTERRUPTED, id))
        except BaseException as error:
            doorbell.running = 0
            if doorbell.nested.ended(id, error):
                self.strike()
                return self.values.encode((p.INTERRUPTED, id))
            return self.failure(id, name, error, cast=message[0] == p.CAST)

    def take_along(self, message: list[Any]) -> None:
        """Set the context variables that the caller carried along; raises UnfitArguments."""
        carried = context_of(message).get("vars")
        if carried:
            try:
                values = self.values.load(carried)
            except Exception as error:
                raise UnfitArguments(f"{type(error).__name__}: {error}") from error
            set_carried(values)

    def find(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = function_at(name) if ":" in name else getattr(self.actor, name)
        if name == p.DOWN:
            method = self.downs.hear(method)
        self.methods[name] = method
        return method

    def failure(self, id: int, name: str, error: BaseException, cast: bool) -> Any:
        """The reply that tells of an exception; ends the guest if the exception ends the actor."""
        error = end_in(error)
        fault = describe(error, self.values.pickled_error)
        if isinstance(error, ActorExit | SystemExit):
            self.end_on_purpose(id, error, fault)
        reply = self.values.encode((p.ERROR, id, fault))
        cast = cast and name not in self.for_code
        if not isinstance(error, Unfit) and (cast or isinstance(error, self.crash_on)):
            with self.lock:
                if not self.ending:  # else another thread has ended the actor
                    self.wire.out.append(reply)
                self.end(f"{name}()", fault, id)
        return reply

    def strike(self) -> None:
        """A method was interrupted half-way."""
        self.on_cut()
        if "on_interrupt" in self.hooks:
            self.hurt = True
            self.on_struck()

    # -- the end --------------------------------------------------------------------------------

    def fall(self, what: str, error: BaseException) -> NoReturn:
        """A timer, hook or task of the actor's own raised: that ends the guest."""
        error = end_in(error)
        fault = describe(error, self.values.pickled_error)
        if isinstance(error, ActorExit | SystemExit):
            self.end_on_purpose(0, error, fault)
        self.end(what, fault, 0)

    def end_on_purpose(self, id: int, error: ActorExit | SystemExit, fault: list[Any]) -> NoReturn:
        if isinstance(error, ActorExit):
            self.end(error.reason or p.NORMAL, None, id)
        elif error.code is None or error.code == 0:
            self.end(p.NORMAL, None, id)
        self.end(p.CRASHED, fault, id)

    def on_stop(self, message: list[Any]) -> None:
        self.end(p.NORMAL, None, 0, p.SHUTDOWN)

    def end(self, outcome: str, fault: list[Any] | None, id: int, why: str | None = None) -> NoReturn:
        """Say that the actor ends, and leave; its last hooks run when the loop has been left."""
        with self.lock:
            if self.why is None:  # else another thread has said why
                self.why = why or (p.NORMAL if fault is None else p.ERRED)
                self.ending = True
                self.say([p.ENDING, outcome, fault, id])
        self.leave(0 if fault is None else 1)

    def say(self, message: list[Any]) -> None:
        with self.lock:
            self.wire.out.append(self.values.encode(message))
            self.wire.flush()

    def leave(self, status: int) -> NoReturn:
        raise Leave(status)

    def gone(self, why: BaseException) -> None:
        """A loop with tasks is about to end: if nobody is left to answer to, nothing may hold it up."""

    def part(self, leave: Leave) -> None:
        """Leave, as a call in another thread has decided."""
        raise NotImplementedError


def function_at(name: str) -> Callable[..., Any]:
    """A function of no class, as its host calls it."""
    from .functions import named  # few guests run any

    return named(name)


def end_in(error: BaseException) -> BaseException:
    """The wish to end the actor, also from inside a nursery or a task group, which wrap it; else the error itself."""
    wish: Any = error
    while isinstance(wish, BaseExceptionGroup):
        found: Any = wish.subgroup((ActorExit, SystemExit))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        wish = found.exceptions[0] if found is not None else None
    return error if wish is None else wish


Settings = Mapping[str, Any]
