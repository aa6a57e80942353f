"""Actors that nobody can reach any more: started by `.remote()` without a name, and their handles are gone."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..actors.events import Event
from ..actors.executor import Process
from ..actors.lifecycle import DEAD, READY, STOPPING

if TYPE_CHECKING:
    from ..actors.life import Life
    from ..actors.options import Options
    from .house import RuntimeHouse

log = logging.getLogger("understudy.supervisors")

AGAIN = 1.0  # seconds until another look at one that has still something to do


@dataclass(frozen=True, slots=True)
class ActorAbandoned(Event):
    """An actor without a name is stopped: nobody holds a handle of it, and it has nothing to do."""


def may_be_abandoned(options: Options) -> bool:
    """Is it one that can only be reached by its handle, and that costs a process?"""
    unnamed = options.name is None and options.id is None and options.lifetime is None
    return unnamed and isinstance(options.executor, Process)


def look(house: RuntimeHouse, life: Life) -> None:
    """Nobody holds a handle of it: stop it, if nothing else speaks for it."""
    over = life.state in (STOPPING, DEAD) or life not in house.anchors
    if over or house.anchors.is_held(life) or is_known(house, life):
        return
    if life.state is not READY or life.mailbox.pending():
        house.stage.timers.after(AGAIN, lambda: look(house, life))
        return
    at = int(house.stage.now() * 1e9)
    house.emit(ActorAbandoned(at, life.path, life.number))
    text = f"{life.path} was stopped: it has no name, and its last handle is gone; keep a handle, or give it a name"
    log.warning("%s", text)
    try:
        warnings.warn(text, ResourceWarning, stacklevel=2)
    except ResourceWarning:
        pass  # where warnings are errors, there is nobody here to be told
    life.overseer.terminate(life)


def is_known(house: RuntimeHouse, life: Life) -> bool:
    """Can others reach it, or wait for its end: those to whom its handle was sent, groups, keys, monitors, links?"""
    monitors = house.monitors
    return (
        life in house.registry.numbers
        or life in monitors.watched
        or life in monitors.owned
        or any(life in directory.lives for directory in house.directories)
    )
