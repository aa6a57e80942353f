"""Code that came as text, kept for tracebacks: they show its lines, as they show those of files."""

from __future__ import annotations

import itertools
import sys
from typing import Any

MOST = 1000  # texts that are remembered; the oldest goes

_numbers = itertools.count(1)  # of this process, in which all tracebacks look in one place
_texts: dict[str, str] = {}


def remember(text: str, filename: str | None) -> str:
    """Keep a text under its file name, which is made up if none is given; returns the name."""
    name = filename if filename is not None else f"<worker {next(_numbers)}>"
    forget(name)
    _texts[name] = text
    for old in list(_texts)[: max(0, len(_texts) - MOST)]:
        forget(old)
    if LINES in sys.modules:
        show(name)
    return name


def forget(name: str) -> None:
    _texts.pop(name, None)
    if LINES in sys.modules:
        sys.modules[LINES].cache.pop(name, None)


def show_all() -> None:
    """Something has raised: from now on tracebacks can be told the lines of all texts."""
    import linecache as linecache  # not before: it is dear to load, and most code raises nothing

    for name in list(_texts):
        show(name)


def show(name: str) -> None:
    text = _texts.get(name)
    cache: dict[str, Any] = sys.modules[LINES].cache
    if text is not None and name not in cache:
        cache[name] = len(text), None, text.splitlines(keepends=True), name


LINES = "linecache"
