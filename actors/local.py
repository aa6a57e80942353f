"""Incarnations of `Local()`: the object lives here, and the actor's own task runs its methods one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import Abort, current_task, disable_ki_protection, reschedule, wait_task_rescheduled

from ..transports.guests.context import ActorExit, running
from ..transports.guests.faults import text_of
from ..transports.guests.values import fill
from . import lifecycle
from .errors import BEGUN, NEVER_SENT, task_error
from .executor import Local
from .life import EXECUTORS, Life
from .reasons import ERROR, NORMAL, SHUTDOWN_EXIT, ExitReason
from .retry import ends_actor, wants_retry
from .scope import end_call

if TYPE_CHECKING:
    from ..transports.timers import Timer
    from .call import Call
    from .stagecraft import Given

TURNS = 64  # calls run in one go, before the other tasks get theirs
TURN = 200e-6  # seconds; a go ends after this, however few calls it was


@disable_ki_protection
def make_actor(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """User code, which a Ctrl-C may stop; it ends the runtime then."""
    return cls(*args, **kwargs)


class LocalCraft:
    stores = False

    def encoder(self, executor: Local, cls: type) -> None:
        """Arguments stay what they are: the very same objects, not copies."""

    def incarnate(self, life: Life) -> LocalIncarnation:
        return LocalIncarnation(life)

    def arguments(self, call: Call) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return call.payload, dict(call.code)

    def give(self, call: Call, values: Given) -> None:
        call.payload, call.code = fill(call.payload, call.code, [(at, one.value) for at, one in values])


class LocalIncarnation:
    """The mailbox is drained up to 64 calls a go: a task switch costs more than a call."""

    __slots__ = ("actor", "awake", "exit", "life", "limit", "parked", "parting", "stopping")

    pid = 0
    glance = None

    def __init__(self, life: Life) -> None:
        self.life = life
        self.actor: Any = None
        self.parting: Call | None = None
        self.awake = True
        self.parked: trio.lowlevel.Task | None = None
        self.exit: ExitReason | None = None
        self.stopping = False
        self.limit: Timer | None = None

    async def start(self) -> ExitReason | None:
        spec = self.life.spec
        try:
            self.actor = make_actor(spec.cls, spec.args, spec.kwargs)
        except (SystemExit, ActorExit) as left:
            return ExitReason(ERROR, f"{spec.cls.__name__}.__init__ left with {type(left).__name__}", left)
        except KeyboardInterrupt:
            raise  # a Ctrl-C is for the whole program
        except BaseException as error:
            return ExitReason(ERROR, f"{type(error).__name__}: {text_of(error)}", error)
        return None

    async def serve(self) -> ExitReason:
        # One coroutine, not two: an idle actor is little more than its frames.
        mailbox = self.life.mailbox
        while self.exit is None:
            queue = mailbox.queue
            if queue:
                try:
                    self.take_turns(queue)
                except BaseException:
                    running.call = running.actor = running.owner = None
                    raise
                if queue and self.exit is None:
                    await trio.lowlevel.cancel_shielded_checkpoint()
            elif self.stopping:
                self.exit = SHUTDOWN_EXIT
            else:
                self.awake = False
                self.parked = current_task()
                await wait_task_rescheduled(self.unpark)
        if self.limit is not None:
            self.limit.cancel()
        return self.exit

    @disable_ki_protection
    def take_turns(self, queue: deque[Any]) -> None:
        """Run what waits, for a while; what a method raises goes to its caller, or ends the incarnation.

        User code runs here, which a Ctrl-C may stop; it ends the runtime then.
        """
        until = perf_counter() + TURN
        actor, ended = self.actor, lifecycle.ENDED
        before = running.call, running.actor
        running.actor = self.life
        call: Any = None
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
            elif call.state is not ended:
                call.state = lifecycle.RUNNING
                name = call.method.name
                running.call = call.id, name, call
                try:
                    value = getattr(actor, name)(*call.payload, **call.code)
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
        running.call, running.actor = before
        if running.owner is not None:
            end_call(running, getattr(call, "value", None))

    def failed(self, call: Call, error: BaseException) -> None:
        if isinstance(error, ActorExit | SystemExit):
            self.left(call, error)
            return
        method = call.method
        if ends_actor(call, error):
            self.exit = ExitReason(
                ERROR, f"{method.name}() raised {type(error).__name__}: {text_of(error)}", error
            )
        if self.retried(call, error):
            return
        # Nobody waits for a cast; and here the cause has its own traceback, which need not be put into words.
        call.fail(error if call.is_cast else task_error(error, call.id, method.name, self.life.path, ""))
        if call.is_cast:
            self.life.house.unseen(call)

    def retried(self, call: Call, error: BaseException) -> bool:
        if not wants_retry(call, error):
            return False
        self.life.retry(call)
        self.life.mailbox.put_back([call])
        return True

    def left(self, call: Call, error: ActorExit | SystemExit) -> None:
        """The method ended its actor on purpose."""
        self.exit = reason_of_exit(error)
        self.parting = call

    # -- from outside ---------------------------------------------------------------------------

    def exchange(self, call: Call) -> bool:
        """A task of its own runs the actor; a caller never does."""
        return False

    def pump(self) -> None:
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

    def credit(self, call: Call, items: int) -> None:
        """Somebody took so many items of a stream."""

    def fate(self, call: Call) -> str:
        return BEGUN if call.state is lifecycle.RUNNING else NEVER_SENT

    def in_flight(self) -> Iterable[Call]:
        return ()

    def interrupt(self) -> Sequence[trio.Event]:
        return ()

    def stop(self, seconds: float) -> None:
        self.stopping = True
        self.limit = self.life.house.stage.timers.after(seconds, self.stop_now)
        self.pump()

    def stop_now(self) -> None:
        self.kill(SHUTDOWN_EXIT)

    def kill(self, reason: ExitReason) -> None:
        if self.exit is None:
            self.exit = reason
        self.pump()


def reason_of_exit(error: ActorExit | SystemExit) -> ExitReason:
    if isinstance(error, ActorExit):
        return ExitReason(NORMAL, error.reason or "", ordered=True)
    if error.code in (0, None):
        return ExitReason(NORMAL, "SystemExit(0)", ordered=True)
    return ExitReason(ERROR, f"SystemExit({error.code!r})", error)


EXECUTORS[Local] = LocalCraft()
