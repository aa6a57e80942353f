"""Spoilt state: who holds it, and when nobody does any more."""

from __future__ import annotations

from random import Random

from .distributions import distribution
from .faults import Corruption


class Taint:
    """One corruption under one supervisor: the actor that crashes of it, and those who hold what is spoilt."""

    __slots__ = ("circle", "holders", "random", "recurs", "victim")

    def __init__(
        self, victim: str, circle: set[str], down: set[str], fault: Corruption, random: Random
    ) -> None:
        self.victim = victim
        self.circle = circle  # those who share the state
        self.holders = circle - down
        self.recurs = distribution(fault.recurs)
        self.random = random

    def ended(self, child: str) -> bool:
        """This child holds nothing any more; says whether that was the last."""
        self.holders.discard(child)
        return not self.holders

    def began(self, child: str) -> None:
        """This child gets its state from the others."""
        if child in self.circle:
            self.holders.add(child)
