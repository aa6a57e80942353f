"""Many trio tasks that each call in a loop: what "a hundred callers" means wherever the caller is a task."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio


async def concurrently(callers: int, count: int, calls: Callable[[int], Awaitable[None]]) -> int:
    """Share `count` calls among `callers` tasks; `calls(n)` makes n in a row. Returns how many were made."""
    each = max(1, count // callers)
    if callers == 1:
        await calls(each)
    else:
        async with trio.open_nursery() as nursery:
            for _ in range(callers):
                nursery.start_soon(calls, each)
    return callers * each
