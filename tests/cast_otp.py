"""What the cases of Erlang's own supervisor suite are played with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import trio
import trio.testing

from tests.rehearsal import LOCAL, rehearse
from understudy import Actor, Runtime, Supervisor, exit_actor, get_actor, kill, method, statistics
from understudy.actors.events import ActorEnded, ActorReady
from understudy.supervisors.events import SupervisorGaveUp
from understudy.supervisors.handle import Counts, SupervisorHandle

settled = trio.testing.wait_all_tasks_blocked

NORMAL, ABNORMAL, KILLED = "leave", "crash", "killed"
ENDS = (NORMAL, ABNORMAL, KILLED)
RESTARTS = ("permanent", "transient", "temporary")


class Player(Actor, executor=LOCAL):
    """Starts as its mood says: well, failing, declining; moods are used up from the front, and the last one stays."""

    moods: dict[str, list[str]] = {}  # noqa: RUF012

    def __init__(self, name: str = "", *more: Any) -> None:
        self.name, self.more = name, more
        mood = mood_of(name)
        if mood == "fail":
            raise ValueError(f"{name} will not start")
        if mood == "decline":
            exit_actor()

    @method
    def ping(self) -> tuple[Any, ...]:
        return (self.name, *self.more)

    @method
    def crash(self) -> None:
        raise SystemExit(1)

    @method
    def leave(self) -> None:
        exit_actor()


class Deaf(Player, executor=LOCAL):
    """Does not end when it is asked to: its last words take as long as it is told."""

    def __init__(self, name: str = "", seconds: float = 1000.0) -> None:
        super().__init__(name)
        self.seconds = seconds

    async def on_stop(self, reason: str) -> None:
        await trio.sleep(self.seconds)

    @method
    async def work(self) -> None:
        await trio.sleep_forever()


def mood_of(name: str) -> str:
    moods = Player.moods.get(name, [])
    return moods.pop(0) if len(moods) > 1 else moods[0] if moods else "well"


def child(name: str, /, *more: Any, **options: Any) -> Any:
    return Player.options(id=name, **options).child(name, *more)


def deaf(name: str, seconds: float = 1000.0, /, **options: Any) -> Any:
    return Deaf.options(id=name, **options).child(name, seconds)


class Scene:
    """One supervisor, below a root that lets it go when it ends; and what was heard of it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.top = runtime.supervisor()
        self.sup: SupervisorHandle = runtime.supervisor("sup")
        self.heard: list[Any] = []
        runtime.house.stream.listeners.append(self.heard.append)

    def actor(self, name: str) -> Any:
        return get_actor(f"sup/{name}", Player)

    async def end(self, name: str, how: str) -> None:
        """Have a child end, and wait for what follows."""
        if how == KILLED:
            await kill(self.actor(name), no_restart=False)
        else:
            getattr(self.actor(name), how).cast()
        await settled()

    def incarnation(self, name: str) -> int:
        return statistics(self.actor(name)).incarnation

    async def states(self) -> dict[str, str]:
        return {info.id: info.state for info in await self.sup.which_children()}

    async def counts(self) -> list[int]:
        """Specs, active, supervisors, workers."""
        counts: Counts = await self.sup.count_children()
        return [counts.specs, counts.active, counts.supervisors, counts.workers]

    def names(self, kind: type[Any]) -> list[str]:
        return [event.actor.removeprefix("sup/") for event in self.heard if isinstance(event, kind)]

    @property
    def started(self) -> list[str]:
        return self.names(ActorReady)

    @property
    def ended(self) -> list[str]:
        return self.names(ActorEnded)

    def reason(self, name: str) -> Any:
        """Why it ended, the last time."""
        found = [
            event for event in self.heard if isinstance(event, ActorEnded) and event.actor == f"sup/{name}"
        ]
        return found[-1].reason

    @property
    def is_over(self) -> bool:
        """Has the supervisor ended?"""
        return "sup" not in self.runtime.house.nodes

    @property
    def gave_up(self) -> bool:
        return "sup" in [event.actor for event in self.heard if isinstance(event, SupervisorGaveUp)]


def supervise(
    play: Callable[[Scene], Awaitable[None]], *children: Any, seconds: float = 1000, **flags: Any
) -> Scene:
    """Play a scene with one supervisor of these children, in virtual time."""
    Player.moods.clear()
    scenes: list[Scene] = []

    async def scene(runtime: Runtime) -> None:
        scenes.append(Scene(runtime))
        await play(scenes[0])

    tree = Supervisor(Supervisor(*children, **{"id": "sup", "restart": "temporary", **flags}))
    rehearse(scene, tree, virtual=True, seconds=seconds)
    return scenes[0]
