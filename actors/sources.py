"""Code that came as text, kept for tracebacks: they show its lines, as they show those of files."""

from __future__ import annotations

import itertools
import sys
from functools import lru_cache
from typing import Any, SupportsIndex

MOST = 1000  # texts that are remembered; the oldest goes
MOST_LETTERS = 4 << 20  # in all of them, but for the newest, which stays however long it is

_numbers = itertools.count(1)  # of this process, in which all tracebacks look in one place


class Texts(dict[str, str]):
    """By file name, the oldest first."""

    letters = 0

    def put(self, name: str, text: str) -> None:
        self.letters += len(text)
        self[name] = text

    def drop(self, name: str) -> None:
        text = self.pop(name, None)
        if text is not None:
            self.letters -= len(text)

    @property
    def full(self) -> bool:
        return len(self) > MOST or (self.letters > MOST_LETTERS and len(self) > 1)


_texts = Texts()


def remember(text: str, filename: str | None) -> str:
    """Keep a text under its file name, which is made up if none is given; returns the name."""
    name = filename if filename is not None else f"<worker {next(_numbers)}>"
    forget(name)
    _texts.put(name, text)
    if _texts.full:
        forget_oldest()
    if LINES in sys.modules:
        show(name)
    return name


def forget(name: str) -> None:
    _texts.drop(name)
    if LINES in sys.modules:
        sys.modules[LINES].cache.pop(name, None)


def forget_oldest() -> None:
    for name in list(_texts):
        if not _texts.full:
            break
        forget(name)


def show_all() -> None:
    """Something has raised: from now on tracebacks can be told the lines of all texts."""
    import linecache as linecache  # not before: it is dear to load, and most code raises nothing

    for name in list(_texts):
        show(name)


def show(name: str) -> None:
    text = _texts.get(name)
    cache: dict[str, Any] = sys.modules[LINES].cache
    if text is not None and name not in cache:
        cache[name] = Entry((len(text), None, text, name))


class Entry(tuple[Any, ...]):
    """What `linecache` keeps of a text; the lines, which take many times its room, are made when one is asked for."""

    __slots__ = ()

    def __getitem__(self, at: SupportsIndex | slice) -> Any:
        found: Any = super().__getitem__(at)  # pyright: ignore[reportUnknownMemberType]
        return lines_of(found) if at == 2 else found


@lru_cache(maxsize=1)  # of the text that a traceback is about
def lines_of(text: str) -> list[str]:
    return text.splitlines(keepends=True)


LINES = "linecache"
