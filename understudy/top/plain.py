"""The picture as plain text, for pipes and for terminals without rich."""

from __future__ import annotations

from .figures import HEADINGS, NUMBERS, Picture


def text_of(picture: Picture, height: int | None = None) -> str:
    """The picture in columns; not more than `height` lines, if that is given."""
    rows = [HEADINGS, *(("  " * line.depth + line.cells[0], *line.cells[1:]) for line in picture.lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    body = [
        "  ".join(
            cell.rjust(width) if name in NUMBERS else cell.ljust(width)
            for name, cell, width in zip(HEADINGS, row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    if height is not None and len(body) > height - 3:
        left = len(body) - max(1, height - 4)
        body = [*body[: max(1, height - 4)], f"and {left} more"]
    return "\n".join(filter(None, (picture.head, *body, picture.foot)))
