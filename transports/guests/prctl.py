"""What only Linux lets a process ask for itself: to die with its parent, to adopt orphans, to have a name."""

from __future__ import annotations

import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

Prctl = Callable[..., int]


def find_prctl() -> Prctl | None:
    """The C library's prctl, where there is one."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes

    prctl: Prctl = ctypes.CDLL(None, use_errno=True).prctl
    return prctl
