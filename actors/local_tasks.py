"""Incarnations of `Local()` for classes with `async` methods: each call runs in a task of its own."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import trio
from trio.lowlevel import cancel_shielded_checkpoint, current_task, disable_ki_protection, wait_task_rescheduled

from ..transports.guests.context import Running, role
from . import lifecycle
from .chain import comes_back
from .concurrency import Group, group_name, groups_of
from .hooks import THROUGH, error_of, worse
from .kinds import Kind, kind_of
from .local import TURNS, LocalIncarnation, name_of
from .errors import BEGUN, NEVER_SENT, NOT_BEGUN
from .reasons import ERROR, SHUTDOWN_EXIT, TIMEOUT, ExitReason
from .source import Source, pour, streams_into
from .turn import Turn

if TYPE_CHECKING:
    from ..transports.guests.backstage import ActorTimer
    from .call import Call
    from .life import Life
