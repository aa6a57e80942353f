"""Spoilt state: which actors of a supervisor hold it, and when nobody does any more."""

from __future__ import annotations

from random import Random

from .distributions import Distribution, distribution
from .faults import Corruption


class Taint:
    """One corruption: the actor that crashes of it, those who share the state, and those who hold it now."""

    __slots__ = ("circle", "holders", "random", "recurs", "victim")

    def __init__(
        self, victim: str, circle: set[str], holders: set[str], fault: Corruption, random: Random
    ) -> None:
        self.victim = victim
        self.circle = circle
        self.holders = holders
        self.recurs: Distribution = distribution(fault.recurs)
        self.random = random


class Shared:
    """The state that the actors of one supervisor share: whoever starts gets it from those who are there."""

    __slots__ = ("alive", "ids", "taints")

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids  # in the order of starts
        self.alive: set[str] = set()
        self.taints: list[Taint] = []

    def spoil(self, victim: str, fault: Corruption, random: Random) -> None:
        """From now on a lone restart of this actor brings its crash back."""
        circle = set(self.ids if fault.cure == "all" else self.ids[self.ids.index(victim) :])
        self.taints.append(Taint(victim, circle, circle & self.alive, fault, random))

    def began(self, id: str) -> None:
        self.alive.add(id)
        for taint in self.taints:
            if id in taint.circle:
                taint.holders.add(id)

    def ended(self, id: str) -> None:
        self.alive.discard(id)
        if self.taints:
            for taint in self.taints:
                taint.holders.discard(id)
            self.taints = [taint for taint in self.taints if taint.holders]
