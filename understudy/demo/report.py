"""The final account in words and figures, for a terminal or a file alike."""

from __future__ import annotations

import platform
from collections import Counter
from dataclasses import dataclass, field

from .account import Account
from .play import Play

COMPLAINTS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Report:
    """`rows` are label, figure and remark; `complaints` say what does not balance."""

    rows: list[tuple[str, str, str]]
    complaints: list[str] = field(default_factory=list[str])
    stopped: bool = False

    @property
    def verdict(self) -> str:
        if not self.complaints:
            return "It balances: every file exactly once."
        shown = [f"  · {complaint}" for complaint in self.complaints[:COMPLAINTS_SHOWN]]
        more = len(self.complaints) - len(shown)
        return "\n".join(["It does not balance:", *shown, *([f"  · and {more:,} more"] if more else [])])

    @property
    def status(self) -> int:
        """The exit status: 1 for an account that does not balance, 130 after Ctrl-C."""
        return 1 if self.complaints else 130 if self.stopped else 0


def report_of(play: Play, differences: list[str] | None) -> Report:
    """The report of a play that is over; `differences` is what a serial run found (None: there was none)."""
    complaints = play.account.balance(play.letters) + (differences or [])
    return Report([*files(play), *blows(play), *figures(play, differences)], complaints, play.stopped)


def title_of(play: Play) -> str:
    """What is played, in one line."""
    settings = play.settings
    version = ".".join(platform.python_version_tuple()[:2])
    parts = [
        f"{count(len(play.corpus.honest), 'file')} of Python {version}'s standard library",
        "2 traps",
        count(settings.workers, "reader"),
        f"{settings.kills:g} kills a second",
        f"seed {settings.seed}",
    ]
    return ", ".join(parts)


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def files(play: Play) -> list[tuple[str, str, str]]:
    account = play.account
    passes = "one pass" if play.turn == 1 else f"{play.turn:,} passes"
    rows = [
        ("files in", f"{account.files:,}", passes),
        ("results", f"{account.results:,}", remarks(account)),
        ("dead letters", f"{len(play.letters):,}", letters(play)),
    ]
    if account.left:
        rows.append(("left unread", f"{len(account.left):,}", "stopped by Ctrl-C"))
    return rows


def remarks(account: Account) -> str:
    return f"{len(account.interrupted):,} of them interrupted, {account.unparseable:,} not parseable"


def letters(play: Play) -> str:
    """Which files, and how many deaths each of them caused."""
    kinds = Counter((str(letter.args[0]), len(letter.deaths)) for letter in play.letters)
    return ", ".join(f"{name}, {count(deaths, 'death')} each" for name, deaths in kinds)


def blows(play: Play) -> list[tuple[str, str, str]]:
    account = play.account
    kinds = Counter(injection.name for injection in play.injector.injected)
    return [
        (
            "kills",
            f"{kinds.total():,}",
            ", ".join(f"{number:,} {name}" for name, number in sorted(kinds.items())),
        ),
        ("restarts", f"{play.score.restarts:,}", ""),
        (
            "tried again",
            f"{play.score.retries + account.sent_again + account.second_looks:,}",
            f"{play.score.retries:,} after a death, {account.sent_again:,} that had not begun, {account.second_looks:,} in the wings",
        ),
    ]


def figures(play: Play, differences: list[str] | None) -> list[tuple[str, str, str]]:
    totals, seconds = play.account.totals, play.score.seconds
    sums = f"{totals.functions:,} functions, {totals.classes:,} classes, {totals.imports:,} imports"
    return [
        ("seconds", f"{seconds:,.1f}", f"{play.settled / seconds:,.0f} files a second"),
        ("lines", f"{totals.lines:,}", sums),
        ("longest", f"{totals.longest:,}", totals.longest_name),
        ("verified", *verified(play, differences)),
    ]


def verified(play: Play, differences: list[str] | None) -> tuple[str, str]:
    if differences is None:
        return (
            "–",
            "stopped before the serial run" if play.stopped else "add --verify to compare with a serial run",
        )
    return ("no", "a serial run differs") if differences else ("yes", "a serial run comes to the same")
