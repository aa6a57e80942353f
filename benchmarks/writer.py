"""Tables on a terminal: by rich where it is installed, else in plain columns."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

Row = Sequence[str]


class Writer(Protocol):
    """Prints tables whose first column is text and whose other columns are figures."""

    def table(self, title: str, columns: Row, rows: Sequence[Row]) -> None:
        """Print a table."""

    def line(self, text: str) -> None:
        """Print a line."""


class PlainWriter:
    """Columns of spaces."""

    def table(self, title: str, columns: Row, rows: Sequence[Row]) -> None:
        """Print a table under its title."""
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        print(f"\n{title}")
        for row in (columns, *rows):
            first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            print("  ".join((first.strip().ljust(widths[0]), *others)).rstrip())

    def line(self, text: str) -> None:
        """Print a line."""
        print(text)


COLOURS = {"met": "[green]met[/]", "missed": "[red]missed[/]"}
LOG_WIDTH = 116  # columns where the output is no terminal: wide enough for one line a row


class RichWriter:
    """Tables with rules and colour."""

    def __init__(self) -> None:
        console = import_module("rich.console").Console
        self._console = console() if sys.stdout.isatty() else console(width=LOG_WIDTH)
        self._table = import_module("rich.table").Table
        self._box = import_module("rich.box").SIMPLE_HEAD
        self._escape = import_module("rich.markup").escape

    def table(self, title: str, columns: Row, rows: Sequence[Row]) -> None:
        """Print a table under its title."""
        table = self._table(title=title, title_justify="left", box=self._box)
        for index, column in enumerate(columns):
            table.add_column(column, justify="right" if index else "left", no_wrap=bool(index))
        for row in rows:
            table.add_row(*(COLOURS.get(cell, self._escape(cell)) for cell in row))
        self._console.print(table)

    def line(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, highlight=False)
