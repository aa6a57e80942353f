"""The picture in a terminal, drawn by rich in place."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .figures import HEADINGS, NUMBERS, Line, Picture, Shows

AROUND = 5  # lines that are not the tree's
WIDTHS = {"actor": 12, "what": 6, "state": 10}  # columns that a narrow terminal leaves so wide

# An actor's state to its sign and colour.
LOOKS = {
    "ready": ("●", "green"),
    "pending": ("◌", "dim"),
    "starting": ("◌", "yellow"),
    "restarting": ("◌", "yellow"),
    "stopping": ("◌", "dim"),
    "down": ("○", "red"),
    "dead": ("○", "red"),
}


@contextmanager
def live() -> Generator[Shows]:
    """The terminal, until the block is left."""
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False, screen=True, vertical_overflow="crop") as screen:
        yield lambda picture: screen.update(drawn(picture, console.height), refresh=True)


def drawn(picture: Picture, height: int) -> Group:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
    for name in HEADINGS:
        table.add_column(
            name,
            justify="right" if name in NUMBERS else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if name == "what" else None,
            min_width=WIDTHS.get(name, len(name)),
        )
    most = max(1, height - AROUND)
    shown = picture.lines if len(picture.lines) <= most else picture.lines[: most - 1]
    for line in shown:
        table.add_row(*cells_of(line))
    if len(shown) < len(picture.lines):
        table.add_row(Text(f"and {len(picture.lines) - len(shown)} more", "dim"))
    return Group(
        Text(picture.head, "bold", no_wrap=True, overflow="ellipsis"), table, Text(picture.foot, "dim")
    )


def cells_of(line: Line) -> list[Text]:
    name, what, state, *rest = line.cells
    if not line.state:
        return [Text("  " * line.depth + name, "bold"), Text(what, "dim")]
    sign, colour = LOOKS.get(state, ("?", "red"))
    return [
        Text("  " * line.depth + name),
        Text(what, "dim"),
        Text(f"{sign} {state}", colour),
        *(Text(cell) for cell in rest),
    ]
