"""The demo for what is no terminal: a line now and then, and the account as aligned text."""

from __future__ import annotations

import textwrap
from collections.abc import Generator
from contextlib import contextmanager

import trio

from .play import Play
from .report import Report, title_of
from .show import Told

EVERY = 2.0  # seconds between two lines
WIDTH = 88


class PlainShow:
    """Prints lines that stay."""

    async def watch(self, play: Play) -> None:
        say(f"understudy demo: {title_of(play)}")
        while True:
            await trio.sleep(EVERY)
            say(line_of(play))

    @contextmanager
    def checking(self) -> Generator[Told]:
        say("verifying: every file again, one after the other …")
        yield lambda done, of: None

    def tell(self, report: Report) -> None:
        say("")
        for label, figure, remark in report.rows:
            say(row_of(label, figure, remark))
        say(f"\n{report.verdict}")


def say(text: str) -> None:
    print(text.rstrip(), flush=True)


def row_of(label: str, figure: str, remark: str) -> str:
    start = f"{label:>12}  {figure:>10}  "
    return textwrap.fill(remark, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)) or start


def line_of(play: Play) -> str:
    score, account = play.score, play.account
    return (
        f"{score.seconds:5.0f} s  pass {play.turn}  {play.settled:7,} of {account.files:,} files"
        f"  {len(play.injector.injected):5,} kills  {score.restarts:5,} restarts"
        f"  {len(account.buried)} dead letters  {len(account.interrupted)} interrupted"
    )
