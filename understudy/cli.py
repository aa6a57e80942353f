"""The command line: `understudy demo`, and whatever joins it."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import cast

INTERRUPTED = 130  # what shells expect of a program that Ctrl-C ended

# A subcommand to its help, and to the module with its `add_options(parser)` and `run(options)`.
COMMANDS = {
    "demo": ("parse the standard library while its readers are being killed", ".demo.command"),
    "top": ("look on at the actors of another process, live", ".top.command"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    try:
        return run(argv)
    except (KeyboardInterrupt, BaseExceptionGroup) as error:
        if not is_ctrl_c(error):
            raise
        print("stopped", file=sys.stderr)
        return INTERRUPTED


def run(argv: Sequence[str] | None) -> int:
    parser, commands = make_parser()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 2
    prepare_output()
    return commands[options.command](options)


def make_parser() -> tuple[argparse.ArgumentParser, dict[str, Callable[[argparse.Namespace], int]]]:
    parser = argparse.ArgumentParser(
        "understudy", description="Actors under supervision. Code crashes, the play goes on."
    )
    parser.add_argument("--version", action="version", version=f"understudy {own_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    runs: dict[str, Callable[[argparse.Namespace], int]] = {}
    for name, (purpose, module_name) in COMMANDS.items():
        module = import_module(module_name, __package__)
        module.add_options(
            commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        )
        runs[name] = cast("Callable[[argparse.Namespace], int]", module.run)
    return parser, runs


def own_version() -> str:
    try:
        return version("understudy")
    except PackageNotFoundError:
        return "(not installed)"


def prepare_output() -> None:
    """The library installs no log handler; a program does, and shows records to those who ask for them."""
    if os.environ.get("UNDERSTUDY_LOG"):
        logging.basicConfig(format="%(levelname)-7s %(name)s  %(message)s")
    else:
        logging.getLogger("understudy").addHandler(logging.NullHandler())
    output: object = sys.stdout
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(errors="replace")


def is_ctrl_c(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return all(is_ctrl_c(one) for one in group.exceptions)
    return isinstance(error, KeyboardInterrupt)
