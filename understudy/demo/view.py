"""The live view, drawn by rich: the tree, the throughput, the last kills and the dead letters."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager

import trio
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import Progress
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..actors.verbs import statistics
from .play import Play, Seat
from .report import Report, title_of
from .score import BEAT
from .show import Told

EVERY = 0.25  # seconds between two pictures: a calm view, and little taken from the readers
AROUND = 18  # lines that are not the tree's readers
BARS = " ▁▂▃▄▅▆▇█"
BLOWS = 4

# An actor's state to its sign and colour.
LOOKS = {
    "ready": ("●", "green"),
    "starting": ("◌", "yellow"),
    "restarting": ("◌", "yellow"),
    "stopping": ("◌", "dim"),
    "stopped": ("■", "magenta"),
}
STRANGE = ("○", "red")


class LiveShow:
    """Draws in place, and leaves only the account."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)

    async def watch(self, play: Play) -> None:
        with Live(console=self.console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
            while True:
                live.update(picture(play, self.console.height), refresh=True)
                await trio.sleep(EVERY)

    @contextmanager
    def checking(self) -> Generator[Told]:
        with Progress(console=self.console, transient=True) as progress:
            task = progress.add_task("verifying, one file after the other")
            yield lambda done, of: progress.update(task, completed=done, total=of)

    def tell(self, report: Report) -> None:
        table = Table(
            box=box.ROUNDED, show_header=False, title="the account", title_style="bold", border_style="dim"
        )
        table.add_column(justify="right", style="dim", no_wrap=True)
        table.add_column(justify="right", style="bold", no_wrap=True)
        table.add_column()
        for row in report.rows:
            table.add_row(*(Text(cell) for cell in row))
        self.console.print(table)
        self.console.print(Text(report.verdict, style="bold red" if report.complaints else "bold green"))


# -- the picture -------------------------------------------------------------------------------------


def picture(play: Play, height: int) -> RenderableType:
    parts = (head(play), progress(play), tree(play, max(height - AROUND, 4)), pulse(play), footnotes(play))
    return Group(*(Padding(part, (0, 1, 1, 1)) for part in parts))


def head(play: Play) -> RenderableType:
    return Text.assemble(("understudy demo  ", "bold"), (title_of(play), "dim"))


def progress(play: Play) -> RenderableType:
    of = len(play.corpus.names)
    done = min(max(play.settled - (play.turn - 1) * of, 0), of)
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True, justify="right")
    grid.add_row(f"pass {play.turn}", ProgressBar(of, done), f"{done:,} of {of:,}   {clock(play)}")
    return grid


def clock(play: Play) -> str:
    duration = play.settings.duration
    return minutes(play.score.seconds) + (f" of {minutes(duration)}" if duration is not None else "")


def minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def tree(play: Play, most: int) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 2))
    for _ in range(4):
        grid.add_column(no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis", style="dim")
    grid.add_row("theatre")
    grid.add_row("├─ stage", *(Text(text, "dim") for text in ("one for one", "", "", "reads")))
    shown = play.seats[:most]
    for seat in shown:
        last = seat is play.seats[-1]
        grid.add_row(f"│  {'└─' if last else '├─'} {seat.path.rpartition('/')[2]}", *seat_of(play, seat))
    if len(shown) < len(play.seats):
        grid.add_row(f"│  └─ and {len(play.seats) - len(shown)} more")
    grid.add_row("└─ wings", *seat_of(play, play.wings))
    return grid


def seat_of(play: Play, seat: Seat) -> tuple[Text, Text, Text, Text]:
    now = statistics(seat.reader)
    state = "stopped" if (seat.path, now.incarnation) in play.score.stopped else now.state
    sign, colour = LOOKS.get(state, STRANGE)
    return (
        Text(f"{sign} {state:<10}", colour),
        Text(f"incarnation {now.incarnation}"),
        Text(f"process {now.pid}" if now.pid else "", "dim"),
        Text(seat.pieces[0].name if seat.pieces else ""),
    )


def pulse(play: Play) -> RenderableType:
    score, curve = play.score, list(play.score.curve)
    highest = max(curve, default=0) or 1
    bars = "".join(BARS[1 + value * (len(BARS) - 2) // highest] for value in curve[-40:])
    speed = sum(curve[-6:]) / (BEAT * len(curve[-6:])) if curve else 0.0
    return Text.assemble(
        (bars, "cyan"), (f"  {speed:,.0f} files a second", "bold"),
        f"   {len(play.injector.injected):,} kills   {score.restarts:,} restarts   {score.retries:,} tried again",
        no_wrap=True, overflow="ellipsis",
    )  # fmt: skip


def footnotes(play: Play) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 2))
    grid.add_column(ratio=2, no_wrap=True, overflow="ellipsis")
    grid.add_column(ratio=3, no_wrap=True, overflow="ellipsis")
    grid.add_row(Text("last kills", "dim"), Text(f"dead letters: {len(play.account.buried):,}", "dim"))
    kills = [
        f"{blow.name}  {blow.actor}, incarnation {blow.incarnation}"
        for blow in play.injector.injected[: -BLOWS - 1 : -1]
    ]
    letters = [
        f"{letter.args[0]}, {len(letter.deaths)} deaths, {letter.deaths[-1].text}"
        for letter in reversed(play.score.letters)
    ]
    for kill, letter in zip(padded(kills), padded(letters), strict=True):
        grid.add_row(Text(kill), Text(letter, "red"))
    return grid


def padded(lines: Iterable[str]) -> list[str]:
    """Always as many lines, so that the picture does not jump."""
    return [*lines, *[""] * BLOWS][:BLOWS]
