"""`understudy top`: its options, and the looking on."""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec

from .client import Attached, CannotAttach, Gone, choose
from .figures import Meter, Picture, Shows, picture
from .plain import text_of

HINT = "For colours and a steadier picture: pip install 'understudy[cli]'"
BETWEEN = 0.3  # seconds between the two looks that a share of a processor needs
CLEAR = "\x1b[H\x1b[2J"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `understudy top` can be told."""
    add = parser.add_argument
    add(
        "--attach",
        type=int,
        metavar="PID",
        help="the process to look at (default: the only one of yours whose runtime can be attached to)",
    )
    add("--every", type=seconds, default=1.0, metavar="SECONDS", help="between two pictures (default: 1)")
    add("--once", action="store_true", help="print one picture as plain text, and end")
    add("--plain", action="store_true", help="plain text, even where rich is there")


def run(options: argparse.Namespace) -> int:
    """Look on until the runtime ends or Ctrl-C; returns the exit status."""
    try:
        with Attached(choose(options.attach)) as runtime:
            if options.once or not sys.stdout.isatty():
                print(text_of(once(runtime)))
            else:
                watch(runtime, options.every, options.plain)
    except (CannotAttach, OSError) as error:
        print(f"understudy top: {error}", file=sys.stderr)
        return 1
    except Gone as end:
        print(f"understudy top: {end}", file=sys.stderr)
    return 0


def once(runtime: Attached) -> Picture:
    meter = Meter()
    picture(runtime.snapshot(), meter)
    time.sleep(BETWEEN)
    return picture(runtime.snapshot(), meter)


def watch(runtime: Attached, every: float, plain: bool) -> None:
    """Show picture after picture; a Ctrl-C is how a person leaves, and no failure."""
    meter = Meter()
    try:
        with terminal(plain) as show:
            while True:
                show(picture(runtime.snapshot(), meter))
                time.sleep(every)
    except KeyboardInterrupt:
        pass


def terminal(plain: bool) -> AbstractContextManager[Shows]:
    """Where pictures are shown: by rich, if it is there."""
    if plain or find_spec("rich") is None:
        return plainly(hint=not plain)
    from .view import live

    return live()


@contextmanager
def plainly(hint: bool) -> Generator[Shows]:
    def show(picture: Picture) -> None:
        size = shutil.get_terminal_size()
        lines = text_of(picture, size.lines).splitlines() + [HINT] * hint
        print(CLEAR + "\n".join(line[: size.columns] for line in lines[: size.lines - 1]), flush=True)

    yield show


def seconds(text: str) -> float:
    number = float(text)
    if not 0.1 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"it must be a number of seconds, 0.1 or more, not {text}")
    return number
