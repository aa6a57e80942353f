"""How a forked child of the keeper becomes a guest: step after step, then another program or code of ours.

A keeper that has code loaded (a zygote) lets its children run that; all others run a program.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

from .descriptors import FIRST_SPARE, move_aside
from .prctl import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, Prctl

# As Python sets them when it starts.
SIGNALS: dict[signal.Signals, Any] = {
    signal.SIGCHLD: signal.SIG_DFL,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    signal.SIGPIPE: signal.SIG_IGN,
}


class Birth:
    """One child, just forked: the request it is there for, and the descriptors that came with that."""

    def __init__(
        self, request: Mapping[str, Any], descriptors: list[int], keeper: int, prctl: Prctl | None
    ) -> None:
        self.request = request
        self.descriptors = descriptors
        self.keeper = keeper
        self.prctl = prctl

    def begin(self) -> Callable[[], None]:
        """Take all steps; returns what the child is to do from now on, if it does not become another program."""
        try:
            for step in STEPS:
                step(self)
            return self.code() if self.request["code"] else self.program()
        except BaseException as error:
            what, where = (
                self.request["program"] or self.request["argv"][0],
                self.request["folder"] or os.getcwd(),
            )
            os.write(self.stderr, f"understudy: cannot run {what!r} in {where!r}: {error}\n".encode())
            os._exit(127)

    @property
    def stderr(self) -> int:
        """Where the guest's is to be found: under another number before it is in its place."""
        places: list[int] = self.request["places"]
        return dict(zip(places, self.descriptors, strict=False)).get(2, 2)

    def code(self) -> Callable[[], None]:
        """Code that is loaded: a module of ours, and the arguments of its `main`."""
        from .zygote import freshen, run

        freshen(self.request)
        name, *arguments = self.request["code"]
        return partial(run, import_module(f".{name}", __package__).main, arguments)

    def program(self) -> NoReturn:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # what is ignored stays so in another program
        argv = self.request["argv"]
        os.execve(self.request["program"] or argv[0], argv, self.request["environ"])


# -- the steps ------------------------------------------------------------------------------------------


def lead_group(_: Birth) -> None:
    os.setpgid(0, 0)


def die_with_keeper(birth: Birth) -> None:
    if birth.prctl:
        birth.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != birth.keeper:
            os._exit(1)


def adopt_orphans(birth: Birth) -> None:
    if birth.prctl:
        birth.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def restore_signals(_: Birth) -> None:
    for number, handler in SIGNALS.items():
        signal.signal(number, handler)


def place_descriptors(birth: Birth) -> None:
    """Move every descriptor out of the way first: a place may be the present number of another."""
    for at, number in enumerate(birth.descriptors):
        if number < FIRST_SPARE:
            birth.descriptors[at] = move_aside(number)
    for number, place in zip(birth.descriptors, birth.request["places"], strict=True):
        os.dup2(number, place, inheritable=True)
    for number in birth.descriptors:
        os.close(number)
    birth.descriptors.clear()


def enter_folder(birth: Birth) -> None:
    if birth.request["folder"] is not None:
        os.chdir(birth.request["folder"])


def bear_limits(birth: Birth) -> None:
    """After descriptors are in place: there may be more of them for a moment than the guest may have."""
    if birth.request["limits"]:
        from .limiting import bear

        bear(birth.request["limits"])


STEPS: tuple[Callable[[Birth], None], ...] = (
    lead_group,
    die_with_keeper,
    adopt_orphans,
    restore_signals,
    place_descriptors,
    enter_folder,
    bear_limits,
)
