"""The input: every Python file of the standard library that runs this very program, and two that mean harm."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Two names that are no files: see measure.py for what they do to whoever opens them.
POISON, ENDLESS = "<a file that kills its reader>", "<a file without end>"
TRAPS = (POISON, ENDLESS)

STRANGERS = frozenset({"site-packages", "dist-packages", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Corpus:
    """Names relative to `root`, in order, the traps among them."""

    root: str
    names: tuple[str, ...]

    @property
    def honest(self) -> tuple[str, ...]:
        """The files that are really there."""
        return tuple(name for name in self.names if name not in TRAPS)


@dataclass(frozen=True, slots=True)
class Piece:
    """One file in one pass over the corpus: what must be accounted for exactly once."""

    turn: int
    name: str


def collect(limit: int | None = None, root: str | None = None) -> Corpus:
    """The standard library's files, at most `limit` of them, evenly chosen, and the traps."""
    root = root or sysconfig.get_path("stdlib")
    names = sorted(find(Path(root)))
    if limit is not None and limit < len(names):
        names = [names[index * len(names) // limit] for index in range(limit)]
    # Early, so that a pass need not wait for them at its end.
    names.insert(len(names) // 8, ENDLESS)
    names.insert(len(names) // 4, POISON)
    return Corpus(root, tuple(names))


def find(root: Path) -> Iterator[str]:
    for path in root.rglob("*.py"):
        name = path.relative_to(root)
        if STRANGERS.isdisjoint(name.parts) and path.is_file():
            yield str(name)


def passes(corpus: Corpus, *, again: bool) -> Iterator[Piece]:
    """One pass over the corpus, or one after the other without end."""
    turn = 1
    while True:
        for name in corpus.names:
            yield Piece(turn, name)
        if not again:
            return
        turn += 1
