"""What a monitor tells: an incarnation has ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reasons import ExitReason


@dataclass(frozen=True, slots=True)
class Down:
    """The incarnation that a monitor watched has ended, or there was none to watch.

    `path` is the actor's, `incarnation` the number of the one that ended (0: it never had any), `reason` why.
    `final` is True if the actor is dead or stays down; False if another incarnation is to follow, which a monitor
    of its own would watch.  `monitor` is the number of the monitor that this answers.
    """

    path: str
    incarnation: int
    reason: ExitReason
    final: bool
    monitor: int
