"""The handle of a supervisor: it addresses a path in the tree, and never an incarnation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import trio

from ..actors.errors import ActorStartError
from ..actors.handle import ActorHandle
from ..actors.here import check_here
from ..actors.life import Life
from ..actors.reasons import NORMAL, SHUTDOWN_EXIT, ExitReason
from ..actors.spec import make_spec
from . import steps
from .child import ACTIVE, LIVE
from .errors import (
    DELETE,
    LOOK,
    MISSING,
    REFUSALS,
    RESTART,
    STANDING,
    START,
    TERMINATE,
    WORDS,
    AlreadyStarted,
    SupervisorNotFound,
    TooManyChildren,
    Unsupported,
)
from .pool import Pool
from .revision import revise
from .spec import MOST_LEVELS, Plan, Supervisor, check_specs, id_of, is_name
from .supervisor import Starter, SupervisorNode
from .sweep import interrupt_below

if TYPE_CHECKING:
    from ..actors.actor import Handle
    from .house import RuntimeHouse
    from .supervisor import Child

Kind = Literal["actor", "pool", "supervisor"]


@dataclass(frozen=True, slots=True)
class ChildInfo:
    """A child: `state` is running, restarting, undefined or parked; `handle` is None while it does not run."""

    id: str
    kind: Kind
    state: str
    handle: Any


@dataclass(frozen=True, slots=True)
class Counts:
    """Children by their specs, those that run, and by kind, running or not.

    A supervisor with a template has one spec, and its `workers` are children, those that are being restarted
    included.
    """

    specs: int
    active: int
    supervisors: int
    workers: int


class SupervisorHandle:
    """What one asks of a running supervisor; got from `runtime.supervisor(path)`.

    Every method raises SupervisorNotFound if no supervisor is at the path, and RuntimeError from another
    thread than the runtime's.  Handles are equal if they address the same path of the same runtime.

    Example:
        crunchers = runtime.supervisor("crunchers")
        extra = await crunchers.start_child(Worker.options(id="extra").child())
        await crunchers.terminate_child("extra")
    """

    __slots__ = ("_house", "path")

    def __init__(self, house: RuntimeHouse, path: str) -> None:
        self._house = house
        self.path = path

    def __repr__(self) -> str:
        return f"<supervisor {self.path or 'at the root'}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SupervisorHandle) and (self._house, self.path) == (other._house, other.path)

    def __hash__(self) -> int:
        return hash((id(self._house), self.path))

    @property
    def _node(self) -> SupervisorNode:
        check_here(self._house.stage, f"supervisor {self.path!r}")
        node = self._house.nodes.get(self.path)
        if node is None:
            known = ", ".join(repr(path) for path in sorted(self._house.nodes))
            raise SupervisorNotFound(f"no supervisor is at {self.path!r}; there are {known}")
        return node

    # -- starting and stopping ------------------------------------------------------------------

    async def start_child(
        self,
        child: Plan | None = None,
        *,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        id: str | None = None,
    ) -> Any:
        """Add a child and wait until it is ready; returns its handle, None if it said that it need not run.

        A supervisor with a template takes no child, but `args` and `kwargs` that are added to the template's.
        If cancelled while waiting, the child is ended and forgotten.

        Raises:
            AlreadyStarted: if a child of this id runs; AlreadyPresent: if there is one that does not.
            TooManyChildren: if a dynamic supervisor has its `max_children`.
            ActorStartError: if it does not start; it is forgotten.
            TypeError, ValueError: for a child that cannot be.
        """
        node = self._node
        check_given(child, args, kwargs, id)
        name, plan = self._checked(node, child, args, kwargs or {}, id)
        starter = node.starters[name] = Starter()
        try:
            node.plant_child(name, plan)
        except BaseException:
            node.starters.pop(name, None)
            raise
        try:
            await starter.over.wait()
        except trio.Cancelled:
            node.feed(steps.Terminate(name))
            raise
        return self._outcome(node, name, starter.reason)

    def _checked(
        self,
        node: SupervisorNode,
        child: Plan | None,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        id: str | None,
    ) -> tuple[str, Plan]:
        """The id and the plan of what shall be started; raises what stands against it."""
        outline, flags = node.outline, node.core.flags
        if child is None:
            child = templated(outline, args, kwargs)
        elif outline is not None and outline.template is not None:
            raise Unsupported(f"{self!r} starts children of its template; write start_child(args=...)")
        check_specs(child, auto_shutdown=outline.auto_shutdown if outline is not None else "never")
        if isinstance(child, Supervisor) and self.path.count("/") + 2 + child.levels > MOST_LEVELS:
            raise ValueError(f"supervisors may be nested {MOST_LEVELS} levels deep")
        name = id or (free_id(node) if outline is not None and outline.template is not None else id_of(child))
        self._refuse(START, node, name)
        most = outline.max_children if outline is not None else None
        if flags.dynamic and most is not None and len(node.core.children) >= most:
            raise TooManyChildren(f"{self!r} has its max_children, {most}")
        if node.core.ending or not node.core.begun:
            raise SupervisorNotFound(f"{self!r} is not up, and starts nothing now")
        return name, child

    async def terminate_child(self, child: str | Handle[Any] | SupervisorHandle) -> None:
        """Stop a child within its `shutdown` and leave it down; it can be restarted, unless it is forgotten.

        Fine if it does not run; a child that is being restarted, or parked, is taken out of that.

        Raises:
            NotFound: if there is no such child.
        """
        node, name = self._node, self._id_of(child)
        self._refuse(TERMINATE, node, name)
        node.feed(steps.Terminate(name, keep=True, reason=SHUTDOWN_EXIT))
        while (found := node.core.children.get(name)) is not None and found.state in LIVE:
            await wait_news(node)

    async def restart_child(self, child: str | Handle[Any] | SupervisorHandle) -> Any:
        """Start a child that is down, and wait until it is ready; returns its handle, None if it need not run.

        A child that is parked is started with all that were parked with it, and restarts are counted anew.

        Raises:
            StillRunning, Restarting, NotFound: if it is not down.
            ActorStartError: if it does not start; it stays down, its spec kept.
            Unsupported: for a dynamic supervisor.
        """
        node, name = self._node, self._id_of(child)
        self._refuse_dynamic(node, name, RESTART)
        self._refuse(RESTART, node, name)
        if node.core.ending or not node.core.begun:
            raise SupervisorNotFound(f"{self!r} is not up, and starts nothing now")
        starter = node.starters.setdefault(name, Starter())
        node.feed(steps.Restart(name))
        await starter.over.wait()
        return self._outcome(node, name, starter.reason)

    async def delete_child(self, child: str | Handle[Any] | SupervisorHandle) -> None:
        """Forget a child that is down; its handles are dead.

        Raises:
            StillRunning, Restarting, NotFound: if it is not down.
            Unsupported: for a dynamic supervisor.
        """
        node, name = self._node, self._id_of(child)
        self._refuse_dynamic(node, name, DELETE)
        self._refuse(DELETE, node, name)
        node.feed(steps.Delete(name))
        await trio.lowlevel.checkpoint()

    async def update(self, plan: Supervisor) -> None:
        """Take on the flags and specs of a plan, in place and at once; children that run go on.

        What is new in it is added, and stays down until `restart_child`; what is not in it stays until the
        supervisor itself begins again.  A new spec counts from a child's next incarnation.  If anything in it
        cannot be, nothing is changed.

        Raises:
            TypeError: for what is no plan.
            ValueError: for a plan of another kind or with too many levels, a child of another class, executor or
                name than the one it replaces, a pool that is new or would change.
            ActorAlreadyExistsError: if a new child's name is taken.
        """
        revise(self._node, plan)
        await trio.lowlevel.checkpoint()

    # -- looking --------------------------------------------------------------------------------

    async def which_children(self) -> list[ChildInfo]:
        """Its children, the newest first."""
        node = self._node
        await trio.lowlevel.checkpoint()
        return [self._info(node, name) for name in reversed(node.core.children)]

    async def which_child(self, child: str | Handle[Any] | SupervisorHandle) -> ChildInfo:
        """One of them; raises NotFound."""
        node, name = self._node, self._id_of(child)
        self._refuse(LOOK, node, name)
        await trio.lowlevel.checkpoint()
        return self._info(node, name)

    async def count_children(self) -> Counts:
        """How many children there are, of which kind; `active` are those that run, not those that are only starting."""
        node = self._node
        await trio.lowlevel.checkpoint()
        kinds = [kind_of(child) for child in node.children.values()]
        supervisors = kinds.count("supervisor")
        templated = node.outline is not None and node.outline.template is not None
        specs = 1 if templated else len(kinds)
        active = sum(child.state in ACTIVE for child in node.core.children.values())
        return Counts(specs, active, supervisors, len(kinds) - supervisors)

    async def get_childspec(self, child: str | Handle[Any] | SupervisorHandle) -> Plan:
        """The spec of a child; of one started from a template, that. Raises NotFound."""
        node, name = self._node, self._id_of(child)
        self._refuse(LOOK, node, name)
        await trio.lowlevel.checkpoint()
        if node.outline is not None and node.outline.template is not None:
            return node.outline.template
        return plan_of(node.children[name])

    async def interrupt(self, timeout: float = 5.0) -> bool:
        """Interrupt all that runs below it, leaves first; returns False if nothing ran.

        Each level is waited for before the next one up is interrupted; after `timeout` seconds in all, what is
        left is interrupted at once and no longer waited for.  If cancelled, what was interrupted stays so.
        """
        return await interrupt_below(self._node, timeout)

    # -- what they share ------------------------------------------------------------------------

    def _id_of(self, child: str | Handle[Any] | SupervisorHandle) -> str:
        """The id of a child that is named by it or by its handle."""
        if isinstance(child, str):
            return child
        path = child.path if isinstance(child, SupervisorHandle) else life_behind(child).path
        above, _, name = path.rpartition("/")
        return name if above == self.path else path

    def _refuse(self, what: str, node: SupervisorNode, name: str) -> None:
        """Raise what the table says."""
        child = node.core.children.get(name)
        error = REFUSALS[what, MISSING if child is None else STANDING[child.state]]
        if error is None:
            return
        text = f"child {name!r} of {self!r} {WORDS[error]}"
        raise AlreadyStarted(text, self._handle(node, name)) if error is AlreadyStarted else error(text)

    def _refuse_dynamic(self, node: SupervisorNode, name: str, what: str) -> None:
        if node.core.flags.dynamic:
            raise Unsupported(
                f"{what}() is not for {self!r}, which is dynamic: its children are forgotten when they end"
            )

    def _outcome(self, node: SupervisorNode, name: str, reason: ExitReason | None) -> Any:
        if reason is None:
            return self._handle(node, name)
        if reason.kind == NORMAL:
            return None
        raise ActorStartError(node.path_of(name), reason)

    def _handle(self, node: SupervisorNode, name: str) -> Any:
        return handle_of(node.children[name], self._house)

    def _info(self, node: SupervisorNode, name: str) -> ChildInfo:
        core, child = node.core.children[name], node.children[name]
        handle = handle_of(child, self._house) if core.state in LIVE else None
        return ChildInfo(name, kind_of(child), STANDING[core.state], handle)


def check_given(child: object, args: object, kwargs: object, id: object) -> None:
    """Raise TypeError or ValueError for what start_child() cannot be given."""
    if id is not None and not is_name(id):
        kind = ValueError if isinstance(id, str) else TypeError
        raise kind(f"id must be a text without '/', not {id!r}")
    if not isinstance(args, tuple | list):
        raise TypeError(f"args must be a tuple, as in start_child(args=(1, 2)), not {args!r}")
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise TypeError(f"kwargs must be a dict, as in start_child(kwargs={{'x': 1}}), not {kwargs!r}")
    if child is not None and (args or kwargs):
        raise TypeError("args and kwargs are added to a template's; a child has its own: X.child(1, x=2)")


def templated(outline: Supervisor | None, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Plan:
    """A child of the template, with these arguments after its own."""
    if outline is None or outline.template is None:
        raise TypeError("start_child() takes a child: X.child(...), Pool(X, ...) or Supervisor(...)")
    spec = outline.template
    return make_spec(spec.cls, spec.options, (*spec.args, *args), {**spec.kwargs, **kwargs})


def free_id(node: SupervisorNode) -> str:
    """The next number that no child has."""
    while True:
        node.numbers += 1
        if str(node.numbers) not in node.core.children:
            return str(node.numbers)


def life_behind(handle: Any) -> Life:
    if not isinstance(handle, ActorHandle):
        raise TypeError(f"a child is named by its id or its handle, not by {handle!r}")
    return handle._life  # pyright: ignore[reportPrivateUsage]


def kind_of(child: Child) -> Kind:
    if isinstance(child, Life):
        return "actor"
    return "pool" if isinstance(plan_of(child), Pool) else "supervisor"


def plan_of(child: Child) -> Plan:
    """The spec a child was made from."""
    if isinstance(child, Life):
        return child.spec
    assert isinstance(child, SupervisorNode)
    plan: Plan = getattr(child, "plan", None) or child.outline or Supervisor()
    return plan


def handle_of(child: Child, house: RuntimeHouse) -> Any:
    if kind_of(child) == "supervisor":
        return SupervisorHandle(house, child.path)
    life: Any = child  # to handles a pool is one actor
    return ActorHandle(life)


async def wait_news(node: SupervisorNode) -> None:
    """Wait until anything has happened to a supervisor."""
    if node.news is None:
        node.news = trio.Event()
    await node.news.wait()
