"""A zygote: a keeper whose guests are forks of it, and find their code loaded.

It starts clean: no environment but what keeps libraries from starting threads, no import path but what it is told.
What it loads for others must not run by itself: a module that starts threads is refused, since they would not be there
in the guests.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.machinery import PathFinder
from typing import Any, NoReturn

from .attributes import ProcessAttributes
from .descriptors import close_low_numbers
from .label import Label
from .loading import find_by, share
from .prctl import PR_SET_PDEATHSIG, Prctl
from .values import fast_codec

KEEPERS_OWN = tuple(
    f"{__package__}.{name}"
    for name in ("keeper", "birth", "zygote", "lineage", "descriptors", "spare", "attributes")
)

label: Label


class Zygote:
    """Loads modules: ours where they are to be had, and those that were asked for, all of them."""

    def __init__(self, settings: Mapping[str, Any], prctl: Prctl | None, host: int) -> None:
        self.settings = settings
        self.prctl = prctl
        self.host = host

    def load(self) -> str:
        """Load everything; returns why that cannot be, "" if it is done."""
        global label
        label = Label(self.prctl)
        label.show(self.settings["label"])
        self.die_with_host(signal.SIGKILL)
        attributes = ProcessAttributes()
        try:
            why = self.load_all(attributes)
        finally:
            attributes.close()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os.environ.clear()  # it has served its purpose, and guests have their own
        gc.collect()
        gc.freeze()  # no guest looks through what it shares with us, and so copies it
        self.die_with_host(0)
        return why

    def die_with_host(self, number: int) -> None:
        """While a module is loaded, nobody looks whether the host lives; it may take for ever."""
        if self.prctl:
            self.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)
            if os.getppid() != self.host:
                os._exit(1)

    def load_all(self, attributes: ProcessAttributes) -> str:
        settings = self.settings
        find_by(settings["path"], settings["given"])
        with suppress(ImportError):
            fast_codec()
        for name in settings["ours"]:
            with suppress(Exception):  # whoever needs it will be told
                import_module(name)
            share()
        PathFinder.find_spec(
            "understudy_guest_scan", settings["scan"]
        )  # reads the folders, and guests need not
        for name in settings["preload"]:
            try:
                import_module(name)
            except BaseException as error:
                return f"preload {name!r} could not be loaded: {summary(error)}"
            if started := threads_besides():
                return f"preload {name!r} starts threads ({started}), which would not be there in the guests"
            if kept := attributes.restore():
                return f"preload {name!r} {kept}"
        return ""


def summary(error: BaseException) -> str:
    """The error in one line, and where it came from."""
    import traceback

    text = traceback.format_exception_only(error)[-1].strip()
    return f"{text}\n{''.join(traceback.format_exception(error))}"


def threads_besides() -> str:
    """The threads that run beside the main one, by name or number; "" if there is none."""
    names = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if names:
        return ", ".join(names)
    try:
        tasks = os.listdir("/proc/self/task")
    except OSError:
        return ""
    return f"{len(tasks) - 1} that Python does not know" if len(tasks) > 1 else ""


# -- in a forked child --------------------------------------------------------------------------------


def freshen(request: Mapping[str, Any]) -> None:
    """Be a process of its own: with its own environment, chance, name, and nothing of the keeper's."""
    close_low_numbers(request["places"])
    replace_environ(request["environ"])
    reseed()
    label.show(request["label"])
    forget_keeper()


def run(main: Callable[[list[str]], None], arguments: list[str]) -> None:
    """Run a guest to its end, and end with it: taking the interpreter apart would copy all that it shares with us."""
    status = 0
    try:
        main(arguments)
    except SystemExit as end:
        status = status_of(end)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    finally:
        leave(status)


def status_of(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def leave(status: int) -> NoReturn:
    """What the interpreter does at its end for user code: threads are waited for, `atexit` is run, streams written."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(status & 0xFF)


def replace_environ(environ: Mapping[str, str]) -> None:
    if environ:
        os.environ.update(environ)
        if "TZ" in environ:
            time.tzset()
        if "understudy" in sys.modules:
            sys.modules["understudy"].read_environment()


def reseed() -> None:
    """Python's own generator reseeds itself in a forked child."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def forget_keeper() -> None:
    for name in KEEPERS_OWN:
        sys.modules.pop(name, None)
