"""The account: every file exactly once, as a result or as a dead letter, and totals a serial run must confirm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..actors.deadletter import POISON as POISONED
from ..actors.deadletter import DeadLetter
from .corpus import ENDLESS, POISON, Piece
from .measure import Measure

DEATHS = 4  # a first attempt and three retries


@dataclass(slots=True)
class Totals:
    """Sums over files, and the longest function of all."""

    lines: int = 0
    functions: int = 0
    classes: int = 0
    imports: int = 0
    longest: int = 0
    longest_name: str = ""

    def add(self, name: str, measure: Measure, times: int = 1) -> None:
        self.lines += measure.lines * times
        self.functions += measure.functions * times
        self.classes += measure.classes * times
        self.imports += measure.imports * times
        # Files are done in any order: among equals the name decides.
        label = f"{measure.longest_name}() in {name}"
        if measure.longest and (-measure.longest, label) < (-self.longest, self.longest_name):
            self.longest, self.longest_name = measure.longest, label


class Account:
    """A ledger: `open` holds the pieces handed out and not settled; settling one twice is a complaint."""

    def __init__(self) -> None:
        self.files = 0
        self.open: set[Piece] = set()
        self.counted: Counter[str] = Counter()  # results with a measure, by name
        self.first: dict[str, Measure] = {}
        self.totals = Totals()
        self.interrupted: list[Piece] = []
        self.buried: dict[int, Piece] = {}  # by call id, as the caller was told it
        self.left: list[Piece] = []
        self.sent_again = 0
        self.second_looks = 0
        self.complaints: list[str] = []

    @property
    def measured(self) -> int:
        return self.counted.total()

    @property
    def results(self) -> int:
        return self.measured + len(self.interrupted)

    @property
    def unparseable(self) -> int:
        """Results that tell why a file could not be parsed."""
        return sum(times for name, times in self.counted.items() if self.first[name].problem)

    # -- what happens to a piece ----------------------------------------------------------------

    def hand_out(self, piece: Piece) -> None:
        self.files += 1
        self.open.add(piece)

    def settle(self, piece: Piece, how: str) -> bool:
        if piece in self.open:
            self.open.discard(piece)
            return True
        self.complaints.append(f"{piece.name} in pass {piece.turn} was settled a second time: {how}")
        return False

    def result(self, piece: Piece, measure: Measure) -> None:
        if not self.settle(piece, "a result"):
            return
        name = piece.name
        self.counted[name] += 1
        self.totals.add(name, measure)
        if self.first.setdefault(name, measure) != measure:
            self.complaints.append(
                f"{name} measured {measure} in pass {piece.turn}, and {self.first[name]} before"
            )

    def interrupt(self, piece: Piece) -> None:
        if self.settle(piece, "interrupted"):
            self.interrupted.append(piece)

    def bury(self, piece: Piece, call_id: int) -> None:
        if self.settle(piece, "a dead letter"):
            self.buried[call_id] = piece

    def fail(self, piece: Piece, error: BaseException) -> None:
        """An outcome that may not be."""
        self.settle(piece, "an error")
        self.complaints.append(f"{piece.name} in pass {piece.turn} ended with {error!r}")

    def leave(self) -> None:
        """The play is stopped: what is open stays unread."""
        self.left = sorted(self.open, key=lambda piece: (piece.turn, piece.name))
        self.open.clear()

    # -- what must be true ----------------------------------------------------------------------

    def balance(self, letters: Iterable[DeadLetter]) -> list[str]:
        """Everything that is not as it must be; empty if the account balances."""
        return [*self.complaints, *self.check_sum(), *self.check_traps(), *self.check_letters(list(letters))]

    def check_sum(self) -> list[str]:
        found = [f"{piece.name} in pass {piece.turn} was never settled" for piece in self.open]
        settled = self.results + len(self.buried) + len(self.left)
        if settled != self.files:
            found.append(f"{self.files} files went in, but {settled} came out")
        return found

    def check_traps(self) -> list[str]:
        found = [f"{name} was measured" for name in (POISON, ENDLESS) if self.counted[name]]
        found += [f"{piece.name} was interrupted" for piece in self.interrupted if piece.name != ENDLESS]
        found += [
            f"{piece.name} went to the dead letters" for piece in self.buried.values() if piece.name != POISON
        ]
        return found

    def check_letters(self, letters: list[DeadLetter]) -> list[str]:
        ids = Counter(letter.call_id for letter in letters)
        found = [
            f"{piece.name} failed as poison, but there is no dead letter"
            for id, piece in self.buried.items()
            if not ids[id]
        ]
        found += [
            f"the dead letter of call {id} is there {times} times" for id, times in ids.items() if times > 1
        ]
        for letter in letters:
            if letter.call_id not in self.buried:
                found.append(
                    f"there is a dead letter for call {letter.call_id} {letter.args}, whose caller was told nothing"
                )
            if (
                letter.cause != POISONED
                or len(letter.deaths) != DEATHS
                or any(death.ordered for death in letter.deaths)
            ):
                found.append(
                    f"the dead letter of call {letter.call_id} has the wrong history: {letter.cause}, {letter.deaths}"
                )
        return found

    # -- against a serial run -------------------------------------------------------------------

    def verify(
        self, measure: Callable[[str], Measure], told: Callable[[int, int], None] = lambda done, of: None
    ) -> list[str]:
        """Measure every file again, one after the other, and compare; returns the differences."""
        serial: dict[str, Measure] = {}
        for name in self.first:
            serial[name] = measure(name)
            told(len(serial), len(self.first))
        return self.compare(serial)

    def compare(self, serial: Mapping[str, Measure]) -> list[str]:
        expected = Totals()
        for name, times in self.counted.items():
            expected.add(name, serial[name], times)
        found = [
            f"{name} measured {self.first[name]}, serially {serial[name]}"
            for name in serial
            if self.first[name] != serial[name]
        ]
        if expected != self.totals:
            found.append(f"the totals are {self.totals}, serially {expected}")
        return found
