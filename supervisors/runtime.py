"""`open_runtime()`: the root of everything, open for the length of an `async with`."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, Unpack, cast, overload

import trio

from ..actors.errors import ActorStartError, NoRuntimeError, UnderstudyError
from ..actors.executor import Executor
from ..actors.handle import ActorHandle, of_class
from ..actors.held import refs_of, with_values
from ..actors.here import check_here, check_trio, not_trio
from ..actors.leaving import cancel_refs
from ..actors.life import Life
from ..actors.local_craft import LocalCraft
from ..actors.process_craft import RecyclingCraft
from ..actors.reasons import SHUTDOWN_EXIT, ExitReason
from ..actors.scope import scope_here
from ..actors.spawner import current
from ..actors.spec import ChildSpec
from ..actors.thread import ThreadCraft
from ..transports.guests.interrupts import Interrupted
from .abandoned import may_be_abandoned
from .forks import FORKED, open_runtimes
from .functions import FunctionMailbox, FunctionPools
from .groups import Groups, Keys
from .handle import SupervisorHandle
from .house import RuntimeHouse
from .observed import Observed
from .observing import Observers, Observing
from .pool import Pool
from .poolnode import plant_pool
from .rules import ChildRules, Flags
from .signals import check_signals, heeded
from .spec import Supervisor
from .steps import Shutdown
from .supervisor import SupervisorNode
from .sweep import interrupt_below
from .within import beside_the_call, heard, is_interrupt

if TYPE_CHECKING:
    from ..actors.actor import Handle

T = TypeVar("T")

SWEEP = 5.0  # seconds that what runs in an interrupted runtime has to end, before all is stopped

Plan = ChildSpec[Any] | Pool[Any]

EXECUTORS = (LocalCraft, ThreadCraft, RecyclingCraft)  # importing their modules makes them known


class TreeFailedError(UnderstudyError):
    """The tree's root gave up: `reason` tells what was too much for it."""

    def __init__(self, reason: ExitReason) -> None:
        super().__init__(reason.text)
        self.reason = reason
        self.__cause__ = reason.exception


class Runtime(Observed):
    """An open runtime: it starts and finds actors, tells events, keeps the dead letters, draws the tree."""

    def __init__(self, house: RuntimeHouse, tree: Supervisor) -> None:
        self.house = house
        self.closing = False
        self.forked = False
        self.over = trio.Event()
        self.started = trio.Event()
        self.failure: ExitReason | None = None
        self.struck: BaseException | None = None  # what interrupted it
        self.ordered: BaseException | None = None  # what a signal has it raise in the end
        self.body = trio.CancelScope()
        self.numbers = itertools.count(1)
        # At the root nothing is forgiven: a tree that gave up ends the runtime.
        self.root = SupervisorNode("root", "", Flags(intensity=0), house, None)
        self.tree_node = SupervisorNode("tree", "", tree.flags, house, self.root)
        self.dynamic = SupervisorNode("dynamic", "", Flags(dynamic=True, per_child=True), house, self.root)
        self.function_pools = FunctionPools(self.dynamic)
        self.plan = tree
        self.observers = Observers(house)
        house.on_changed, house.on_over, house.on_gone = self.all_started, self.ended, self.end_now

    # -- what users ask -------------------------------------------------------------------------

    @property
    def groups(self) -> Groups:
        """Actors in groups, under any hashable key."""
        return self.house.groups

    @property
    def keys(self) -> Keys:
        """Actors under keys of their own, at most one under each."""
        return self.house.keys

    def supervisor(self, path: str = "") -> SupervisorHandle:
        """The handle of the supervisor at this path in the tree; without a path, of the tree itself."""
        return SupervisorHandle(self.house, path)

    @overload
    def get_actor(self, name: str, /, *, namespace: str = "") -> Handle[Any]: ...
    @overload
    def get_actor(self, name: str, cls: Callable[..., T], /, *, namespace: str = "") -> Handle[T]: ...
    def get_actor(self, name: str, cls: Any = None, /, *, namespace: str = "") -> Any:
        """As `get_actor`, for this runtime."""
        return of_class(self.find(name, namespace), cls)

    def __repr__(self) -> str:
        state = "closing" if self.closing else "open"
        return f"<runtime, {state}, {len(self.house.registry.paths)} actors, {len(self.dead_letters)} dead letters>"

    # -- what actors ask ------------------------------------------------------------------------

    def spawn(self, spec: Plan) -> ActorHandle:
        """Start an actor under the dynamic supervisor; its handle at once."""
        return ActorHandle(self.house.registry.existing(own_spec(spec)) or self.spawn_life(spec))

    async def start(self, spec: Plan) -> ActorHandle:
        """Start an actor and wait until it is ready; if cancelled while waiting, the actor is ended."""
        for ref in refs_of(own_spec(spec)).values():
            await ref.wait_done()
        existing = self.house.registry.existing(own_spec(spec))
        life = existing or self.spawn_life(spec)
        try:
            await life.wait_ready()
        except trio.Cancelled:
            if existing is None:
                self.dynamic.terminate(life, SHUTDOWN_EXIT)
            raise
        return ActorHandle(life)

    def spawn_life(self, spec: Plan) -> Life:
        self.refuse_if_closing()
        check_here(self.house.stage, "this runtime")
        life = self.plant_life(spec)
        scope = scope_here()
        if scope is not None and own_spec(spec).options.lifetime is None:
            scope.keep(life)
        return life

    def plant_life(self, spec: Plan) -> Life:
        id = self.id_of(spec)
        if isinstance(spec, Pool):
            return cast("Life", plant_pool(self.dynamic, id, id, spec))
        spec = with_values(spec)
        # An end on purpose is final, as exit_actor() is in Ray; anything else is restarted.
        life = self.dynamic.add_actor(id, id, spec, default_restart="transient")
        if may_be_abandoned(spec.options):
            self.house.anchors[life] = None
        return life

    def id_of(self, spec: Plan) -> str:
        own = own_spec(spec)
        options = own.options
        if options.id is not None:
            return options.id
        if options.name is None:
            return f"{own.cls.__name__.lower()}-{next(self.numbers)}"
        # The same name may be held in several namespaces, a path only once.
        return f"{options.namespace}:{options.name}" if options.namespace else options.name

    def functions(self, executor: Executor | None, awaits: bool = False) -> FunctionMailbox:
        """Where calls of remote functions go."""
        self.refuse_if_closing()
        return self.function_pools.mailbox(executor, awaits)

    def refuse_if_closing(self) -> None:
        if self.forked:
            raise NoRuntimeError(FORKED)
        if self.closing or self.dynamic.core.ending:
            raise NoRuntimeError("the runtime is closing and starts nothing new")

    def find(self, name: str, namespace: str = "") -> ActorHandle:
        """The handle of an actor by name or path; raises ActorNotFoundError."""
        return self.house.registry.find(name, namespace)

    # -- its life -------------------------------------------------------------------------------

    def plant(self) -> None:
        """Make every actor of the tree."""
        self.tree_node.plant(self.plan)
        self.house.nodes[""] = self.tree_node
        self.root.add("tree", self.tree_node, ChildRules("transient"))
        self.root.add("dynamic", self.dynamic, ChildRules())

    def all_started(self) -> None:
        if self.root.core.starting is False:
            self.started.set()

    def ended(self, node: SupervisorNode, reason: ExitReason) -> None:
        if node is self.tree_node and reason.abnormal:
            self.failure = reason
        if node is self.root:
            self.over.set()
            self.started.set()
            self.body.cancel()

    def end_now(self) -> None:
        self.over.set()
        self.started.set()

    async def begin(self) -> None:
        """Start the tree; raises ActorStartError, everything stopped, if a child does not start."""
        self.root.begin()
        await self.started.wait()
        if self.failure is not None:
            raise ActorStartError("the tree", self.failure)

    def tell(self, failure: BaseException | None) -> None:
        """Raise what ended the block, or what ended the tree."""
        if failure is not None:
            if self.failure is not None and not isinstance(failure, ActorStartError):
                failure.add_note(f"Meanwhile the runtime's tree had failed: {self.failure}")
            raise failure
        if (why := self.struck or self.ordered) is not None:
            raise why
        if self.failure is not None:
            raise TreeFailedError(self.failure)

    def interrupted(self) -> None:
        """The method that opened it is interrupted: what runs here is, too, and the block ends with that."""
        first, self.struck = self.struck is None, self.struck or Interrupted()
        self.body.cancel()
        self.started.set()
        if first and self.closing:
            self.house.look_after(self.sweep)

    async def sweep(self) -> None:
        """Interrupt all that runs, leaves first."""
        await interrupt_below(self.root, SWEEP)

    def stop(self, why: BaseException) -> None:
        """Leave the block in order; it raises this when all has stopped."""
        self.ordered = self.ordered or why
        self.body.cancel()
        self.started.set()

    async def end(self, failure: BaseException | None, in_guest: bool) -> None:
        """The block is left: stop everything, and give up all tasks."""
        if in_guest and is_interrupt(failure):
            self.struck = self.struck or failure
        try:
            with trio.CancelScope(shield=True):
                hurried = isinstance(self.ordered, KeyboardInterrupt)
                await self.close(hurried or any((failure, self.struck, self.failure)))
        finally:
            open_runtimes.discard(self)
            self.house.nursery.cancel_scope.cancel()  # even if a second Ctrl-C came while all was being stopped

    async def close(self, failed: bool) -> None:
        """Stop everything, last first, with each child's deadline; casts are drained unless the body failed."""
        if self.forked:
            raise NoRuntimeError(FORKED)
        self.closing = True
        if self.struck is not None:
            await self.sweep()
        self.house.stage.terminal.tell("the runtime closes, and waits for this prompt")
        for life in list(self.house.registry.paths.values()):
            cancel_refs(life.mailbox)
            if failed:
                life.drop_casts()
        if not self.house.gone.is_set():
            self.root.feed(Shutdown())
        await self.over.wait()
        self.root.retire(SHUTDOWN_EXIT)
        await self.house.stage.keepers.close()
        self.house.stream.close()
        await self.observers.close()


def own_spec(plan: Plan) -> ChildSpec[Any]:
    """The spec of the actor that others see: of a pool, its own and not its members'."""
    return plan.spec if isinstance(plan, Pool) else plan


class open_runtime(AbstractAsyncContextManager[Runtime, None]):  # noqa: N801  used as a function
    """Open a runtime, start the tree, and stop everything when the block is left.

    Left normally, accepted casts are carried out first; left by an exception, they are dropped (and listed as
    dead letters).  Children stop last first, each within its `shutdown`, then by the ladder.

    `record=` takes its events somewhere (`understudy.recording`), `trace=True` keeps them for `runtime.trace()`.
    With `handle_signals=True` the first Ctrl-C interrupts what runs, and another one within 5 s stops all in order and
    raises KeyboardInterrupt here, a third one kills; SIGTERM stops all in order and raises SystemExit.

    Example:
        async with open_runtime() as runtime:
            counter = Counter.remote(10)
            print(await counter.add(5))

    Raises:
        ActorStartError: if a child of the tree does not start; what had started is stopped.
        TreeFailedError: if the tree's restarts run out while it is open; the block is cancelled.
        NoRuntimeError: if this is not trio, or signals cannot be handled here.
    """

    def __init__(
        self, tree: Supervisor | None = None, *, handle_signals: bool = False, **options: Unpack[Observing]
    ) -> None:
        self.block = opened(checked_tree(tree), handle_signals, options)
        self.handle_signals = handle_signals

    async def __aenter__(self) -> Runtime:
        check_trio("open_runtime()")
        if self.handle_signals:
            check_signals()
        return await self.block.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.block.__aexit__(kind, error, traceback)

    def __enter__(self) -> NoReturn:
        raise not_trio("open_runtime()")

    def __exit__(self, *details: object) -> None: ...


def checked_tree(tree: object) -> Supervisor:
    if tree is None:
        return Supervisor()
    if not isinstance(tree, Supervisor):
        raise TypeError(f"open_runtime() takes a tree, Supervisor(X.child(...), ...), not {tree!r}")
    return tree


@asynccontextmanager
async def opened(tree: Supervisor, handle_signals: bool, options: Observing) -> AsyncGenerator[Runtime]:
    try:
        with beside_the_call() as call:
            async with trio.open_nursery() as nursery:
                house = await open_house(nursery)
                runtime = Runtime(house, tree)
                failure: BaseException | None = None
                token = current.set(runtime)
                open_runtimes.add(runtime)
                with heard(call, house.stage.soon, runtime.interrupted), heeded(runtime, handle_signals):
                    try:
                        house.context = copy_context()  # the actors' tasks see the runtime too
                        runtime.observers.open(runtime, options)
                        runtime.plant()
                        await runtime.begin()
                        with runtime.body:
                            yield runtime
                    except BaseException as error:
                        failure = error
                    finally:
                        current.reset(token)
                    await runtime.end(failure, call is not None)
    except BaseExceptionGroup as group:
        raise alone(group) from None
    runtime.tell(failure)


def alone(error: BaseException) -> BaseException:
    """What a nursery wrapped, if it is one thing: a Ctrl-C stays a KeyboardInterrupt."""
    inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    return alone(inner[0]) if len(inner) == 1 else error


async def open_house(nursery: trio.Nursery) -> RuntimeHouse:
    """Begin what is to be closed again, whoever is cancelled meanwhile."""
    house: RuntimeHouse | None = None
    with trio.CancelScope(shield=True):
        house = await nursery.start(keep_house)
    assert house is not None
    return house


async def keep_house(task_status: trio.TaskStatus[RuntimeHouse]) -> None:
    """Own every task of a runtime, out of reach of cancellations that are meant for the block.

    They end when the runtime has stopped what they serve, not before.
    """
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as nursery:
            house = RuntimeHouse(nursery)
            await nursery.start(house.stage.run)
            nursery.start_soon(tell_end, house)
            task_status.started(house)


async def tell_end(house: RuntimeHouse) -> None:
    """A bug of ours, or a Ctrl-C in a `Local` method, ends all tasks at once: then nobody is left to stop."""
    try:
        await trio.sleep_forever()
    finally:
        house.stage.keepers.let_go()
        house.gone.set()
        house.on_gone()
