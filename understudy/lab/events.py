"""What only a laboratory knows: when a fault really struck, be it simulated or sent to a real actor."""

from __future__ import annotations

from dataclasses import dataclass

from ..actors.events import Event


@dataclass(frozen=True, slots=True)
class FaultStruck(Event):
    """A fault of this kind (crash, hang, leave, slow, corruption) struck an actor that was up."""

    fault: str
