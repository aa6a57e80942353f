"""`understudy demo`: its options, and one performance from the first file to the exit status."""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
from importlib.util import find_spec
from pathlib import Path

import trio

from .corpus import collect
from .measure import measure_file
from .plain import PlainShow
from .play import Play, Settings
from .report import report_of
from .show import Show

SEEDS = 10_000
HINT = "For the live view: pip install 'understudy[demo]'"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `understudy demo` can be told."""
    add = parser.add_argument
    add(
        "--workers",
        type=counted,
        default=processors(),
        metavar="N",
        help="readers under fire (default: one a processor, %(default)s)",
    )
    add(
        "--kills",
        type=rate,
        default=10.0,
        metavar="PER_SECOND",
        help="signals a second, SIGKILL, SIGSEGV or SIGSTOP (default: 10)",
    )
    add("--seed", type=int, metavar="N", help="choose the same signals again (default: any)")
    add(
        "--duration",
        type=seconds,
        metavar="SECONDS",
        help="repeat the files until then (default: read them once)",
    )
    add("--verify", action="store_true", help="read every file once more without actors, and compare")
    add("--limit", type=counted, metavar="FILES", help="read only so many of the files")
    add("--plain", action="store_true", help="lines instead of the live view")


def run(options: argparse.Namespace) -> int:
    """Perform once; returns the exit status."""
    seed = random.randrange(SEEDS) if options.seed is None else options.seed
    settings = Settings(options.workers, options.kills, seed, options.duration)
    show = choose_show(options.plain)
    play: Play = trio.run(perform, settings, options.limit, show)
    differences = verify(play, show) if options.verify and not play.stopped else None
    report = report_of(play, differences)
    show.tell(report)
    return report.status


async def perform(settings: Settings, limit: int | None, show: Show) -> Play:
    play = Play(settings, collect(limit))
    await play.perform(show.watch)
    return play


def verify(play: Play, show: Show) -> list[str]:
    root = Path(play.corpus.root)
    with show.checking() as told:
        return play.account.verify(lambda name: measure_file(root / name), told)


def choose_show(plain: bool) -> Show:
    """The live view, if this is a terminal and rich is there."""
    if plain or not sys.stdout.isatty():
        return PlainShow()
    if find_spec("rich") is None:
        print(HINT)
        return PlainShow()
    from .view import LiveShow

    return LiveShow()


# -- values of options -------------------------------------------------------------------------------


def processors() -> int:
    """Processors this program may use, at least 2: one reader alone is no company."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(usable, 2)


def counted(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"it must be 1 or more, not {text}")
    return number


def rate(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"it must be a number a second, 0 or more, not {text}")
    return number


def seconds(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"it must be a number of seconds above 0, not {text}")
    return number
