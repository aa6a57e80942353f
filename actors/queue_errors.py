"""`Empty` and `Full`: Ray's, the standard library's, and ours."""

from __future__ import annotations

import queue

from .errors import UnderstudyError


class Empty(UnderstudyError, queue.Empty):
    """There is nothing in the queue, or not as much as was asked for."""


class Full(UnderstudyError, queue.Full):
    """The queue has no room, or not as much as was asked for."""
