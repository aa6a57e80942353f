"""Incarnations of `Local()`: the object lives here, and the actor's own task runs its methods one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec.structs
import trio
from trio.lowlevel import Abort, current_task, disable_ki_protection, reschedule, wait_task_rescheduled

from ..transports.guests.context import ActorExit, running
from . import lifecycle
from .agenda import Agenda
from .carried import in_context
from .errors import BEGUN, NEVER_SENT, CallInterruptedError, task_error
from .exported import hooks_of
from .here import check_here
from .hooks import error_of, fall, let_through, reason_of_exit, rise, shown, worse
from .reasons import DECLINED_EXIT, ERROR, INTERRUPTED, SHUTDOWN_EXIT, ExitReason
from .retry import ends_actor, wants_retry
from .scope import end_call, hand_up
from .stream import Feed

if TYPE_CHECKING:
    from ..transports.guests.backstage import ActorTimer
    from .call import Call
    from .life import Life

TURNS = 64  # calls run in one go, before the other tasks get theirs
TURN = 200e-6  # seconds; a go ends after this, however few calls it was

UNTRUSTED = ExitReason(INTERRUPTED, "its state is not trusted after an interrupt", ordered=True)


class LocalIncarnation:
    """The mailbox is drained up to 64 calls a go: a task switch costs more than a call.

    It is what the object finds backstage, too: `actor`, `schedule` and `nursery`.
    """

    __slots__ = ("actor", "agenda", "awake", "exit", "life", "parked", "parting")

    pid = 0
    glance = None
    held = uprooted = False

    def __init__(self, life: Life) -> None:
        self.life = life
        self.actor: Any = None
        self.parting: Call | None = None
        self.awake = True
        self.parked: trio.lowlevel.Task | None = None
        self.exit: ExitReason | None = None
        self.agenda: Agenda | None = None

    async def start(self) -> ExitReason | None:
        step = "__init__"
        try:
            self.make()
            step = "on_start"
            if hooks_of(self.life.spec.cls):
                await rise(self)
        except ActorExit:
            return DECLINED_EXIT
        except BaseException as error:
            let_through(error)
            return ExitReason(ERROR, f"{step} raised {shown(error)}", error)
        return None

    def make(self) -> None:
        spec = self.life.spec
        self.actor = None
        self.actor = self.act(None, spec.cls, *spec.args, **spec.kwargs)

    def clear(self) -> None:
        """The object is to be made anew: what it has set is not for the next."""
        if self.agenda is not None:
            self.agenda.clear()

    async def serve(self) -> ExitReason:
        # One coroutine, not two: an idle actor is little more than its frames.
        while self.exit is None:
            queue = self.life.mailbox.queue
            if self.agenda is not None and self.agenda.due:
                self.run_due(self.agenda)
            elif queue:
                try:
                    stream = self.take_turns(queue)
                    if stream is not None:
                        await self.perform(stream)
                except BaseException:
                    running.call = running.actor = running.backstage = running.owner = None
                    raise
                if queue and self.exit is None:
                    await trio.lowlevel.cancel_shielded_checkpoint()
            elif self.agenda is not None and self.agenda.limit is not None:
                self.exit = SHUTDOWN_EXIT
            else:
                self.awake = False
                self.parked = current_task()
                await wait_task_rescheduled(self.unpark)
        if self.agenda is not None:
            self.agenda.close()
        return (
            self.exit if self.actor is None or not hooks_of(self.life.spec.cls) else await self.bow(self.exit)
        )

    async def bow(self, reason: ExitReason) -> ExitReason:
        """The end of an object that can still answer."""
        return await fall(self, reason)

    @disable_ki_protection
    def take_turns(self, queue: deque[Any]) -> Call | None:
        """Run what waits, for a while; what a method raises goes to its caller, or ends the incarnation.

        User code runs here, which a Ctrl-C may stop; it ends the runtime then.  Returns the stream, if one has
        the turn now.
        """
        until = perf_counter() + TURN
        actor, ended = self.actor, lifecycle.ENDED
        before = running.call, running.actor, running.backstage
        running.actor, running.backstage = self.life, self
        call: Any = None
        stream: Call | None = None
        for turn in range(TURNS):
            call = queue.popleft()
            if call.__class__ is tuple:
                method, args, id, _ = call
                running.call = id, method.name, None
                try:
                    getattr(actor, method.name)(*args)
                except KeyboardInterrupt:
                    raise  # a Ctrl-C is for the whole program
                except BaseException as error:
                    self.failed(self.life.mailbox.record(call), error)
            elif call.ref.__class__ is Feed:
                stream = call
                break
            elif call.state is not ended:
                call.state = lifecycle.RUNNING
                name = call.method.name
                running.call = call.id, name, call
                try:
                    method = getattr(actor, name)
                    if call.context is not None:
                        method = in_context(method, call.context)
                    value = method(*call.payload, **call.code)
                except KeyboardInterrupt:
                    self.parting = call  # a Ctrl-C is for the whole program; the caller is told when we end
                    raise
                except BaseException as error:
                    self.failed(call, error)
                else:
                    call.succeed(value)
            if not queue or self.exit is not None or (turn & 7 == 7 and perf_counter() > until):
                break
            if running.owner is not None:
                break  # what it made is seen to before the next call begins
        running.call, running.actor, running.backstage = before
        if running.owner is not None:
            end_call(running, getattr(call, "value", None))
        return stream

    async def perform(self, call: Call) -> None:
        """Give the turn to a stream until it ends."""

    @disable_ki_protection
    def act(
        self, call: tuple[int, str, Any] | None, function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        """Run user code in the actor's turn, beside its calls or step by step."""
        before = running.call, running.actor, running.backstage
        running.call, running.actor, running.backstage = call, self.life, self
        try:
            return function(*args, **kwargs)
        finally:
            running.call, running.actor, running.backstage = before
            if running.owner is not None:
                hand_up(running)

    async def cue(self, function: Callable[..., Any], /, *args: Any) -> Any:
        """Run a hook."""
        return self.finished(self.act(None, function, *args), function)

    def finished(self, value: Any, function: Callable[..., Any]) -> Any:
        """What a function returned, which nothing here could await."""
        if isinstance(value, Awaitable):
            if isinstance(value, Coroutine):
                value.close()
            name, cls = name_of(function), self.life.spec.cls.__name__
            raise TypeError(f"{name}() is async, but {cls} has no async methods, so no event loop runs it")
        return value

    # -- timers, and what else the object finds backstage ---------------------------------------

    def schedule(
        self, seconds: float, period: float | None, function: Callable[..., Any], args: tuple[Any, ...]
    ) -> ActorTimer:
        return self.open_agenda().schedule(seconds, period, function, args)

    @property
    def nursery(self) -> trio.Nursery:
        cls = self.life.spec.cls.__name__
        raise RuntimeError(f"{cls} has no async methods, so it has no nursery; make one of its methods async")

    def open_agenda(self) -> Agenda:
        if self.agenda is None:
            stage = self.life.house.stage
            self.agenda = Agenda(stage.timers, stage.now, self.pump)
        return self.agenda

    def run_due(self, agenda: Agenda) -> None:
        """Run the timer whose turn it is."""
        timer = agenda.next_due()
        if timer is None:
            return
        function: Any = timer.function
        try:
            self.finish(timer, self.act(None, function, *timer.args))
        except BaseException as error:
            let_through(error)
            self.end(error_of(f"{name_of(function)}()", error))

    def finish(self, timer: ActorTimer, value: Any) -> None:
        """A timer's function has returned."""
        if timer.function is not None:
            self.finished(value, timer.function)
        self.open_agenda().ran(timer)

    def end(self, reason: ExitReason) -> None:
        """Something of the actor's own ends it."""
        self.exit = worse(self.exit, reason)
        self.pump()

    # -- what a method raised -------------------------------------------------------------------

    def failed(self, call: Call, error: BaseException) -> None:
        if isinstance(error, ActorExit | SystemExit):
            self.left(call, error)
            return
        gone = call.ended or self.exit is not None
        again = not gone and self.retried(call, error)
        name = call.method.name
        if self.exit is None and ends_actor(call, error):
            self.exit = error_of(f"{name}()", error)
        if again:
            return
        # Nobody waits for a cast; and here the cause has its own traceback, which need not be put into words.
        told = error if call.is_cast else task_error(error, call.id, name, self.life.path, "")
        if not gone:
            call.fail(told)
            if self.exit is not None:
                self.parting = call
        if gone or call.is_cast:
            self.life.house.unseen(msgspec.structs.replace(call, error=told, ref=None))

    def retried(self, call: Call, error: BaseException) -> bool:
        if not wants_retry(call, error):
            return False
        self.life.retry(call)
        self.life.mailbox.put_back([call])
        return True

    def left(self, call: Call, error: ActorExit | SystemExit) -> None:
        """The method ended its actor on purpose; the first who does is told."""
        if self.exit is None:
            self.exit = reason_of_exit(error)
            self.parting = call

    def interrupted(self, call: Call) -> None:
        """A method was interrupted half-way."""
        text = f"call {call.id}, {call.method.name}() to {self.life.path}, was interrupted"
        call.fail(CallInterruptedError(text, BEGUN, call.id, call.method.name))

    async def struck(self) -> None:
        """What was interrupted has ended: the object repairs itself, or goes."""
        if self.exit is not None:
            return
        if self.life.spec.options.after_interrupt == "restart":
            self.kill(UNTRUSTED)
        elif "on_interrupt" in hooks_of(self.life.spec.cls):
            try:
                await self.cue(self.actor.on_interrupt)
            except BaseException as error:
                let_through(error)
                self.end(error_of("on_interrupt()", error))

    # -- from outside ---------------------------------------------------------------------------

    def exchange(self, call: Call) -> bool:
        """A task of its own runs the actor; a caller never does."""
        return False

    def pump(self) -> None:
        if self.parked is not None:
            check_here(self.life.house.stage, self.life.path)  # what has no record comes here unchecked
        self.awake = True
        if self.parked is not None:
            task, self.parked = self.parked, None
            reschedule(task)

    def unpark(self, _: Any) -> Abort:
        self.parked = None
        return Abort.SUCCEEDED

    def withdraw(self, call: Call, why: str) -> None:
        """A method that runs here cannot be stopped; by the time we are asked, it has ended."""

    def recall(self, call: Call, stand_in: Call) -> bool:
        """Nothing is in its hands but what it runs."""
        return False

    def let_back(self, calls: list[Call]) -> None:
        """Calls have come back within one chain: whether they may begin is asked before each go."""
        self.pump()

    def credit(self, call: Call, items: int) -> None:
        """Somebody took so many items of a stream."""

    def fate(self, call: Call) -> str:
        return BEGUN if call.state is lifecycle.RUNNING else NEVER_SENT

    def in_flight(self) -> Iterable[Call]:
        return ()

    def interrupt(self) -> Sequence[trio.Event]:
        return ()

    def stop(self, seconds: float) -> None:
        self.open_agenda().end_by(seconds, self.stop_now)
        self.pump()

    def stop_now(self) -> None:
        self.kill(SHUTDOWN_EXIT)

    def leave(self, seconds: float) -> None:
        """Stop between two calls: what waits is for the next incarnation, what runs in a task of its own fails."""
        self.end(SHUTDOWN_EXIT)

    def kill(self, reason: ExitReason) -> None:
        if self.exit is None:
            self.exit = reason
        self.actor = None  # it is not asked any more, neither to save its state nor to stop
        self.pump()


def name_of(function: object) -> str:
    name: str = getattr(function, "__name__", type(function).__name__)
    return name
