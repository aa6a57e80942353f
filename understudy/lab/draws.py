"""Streams of random numbers, one for each actor and purpose, all from one seed.

What one actor draws does not depend on how often another did: so two runs that differ in their strategy meet the
same faults, and the difference between them is the strategy's.
"""

from __future__ import annotations

from hashlib import blake2b
from random import Random


def draws(seed: int, *names: str) -> Random:
    """The stream with these names; the same on every machine and in every release of Python."""
    key = blake2b(repr((seed, names)).encode(), digest_size=8).digest()
    return Random(int.from_bytes(key, "big"))
