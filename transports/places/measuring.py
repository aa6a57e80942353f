"""Whether this process measures coverage, and what a guest must know to do the same."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import Any

log = logging.getLogger("understudy.transports.coverage")


def coverage_config() -> str | None:
    """The configuration for guests, as coverage.py itself hands it to processes; None if nothing is measured.

    Measured is what COVERAGE_PROCESS_START asks for, or what runs in this process.
    """
    module: Any = sys.modules.get("coverage")
    active = module.Coverage.current() if hasattr(module, "Coverage") else None
    if active is None:
        named = os.environ.get("COVERAGE_PROCESS_START")
        return str(Path(named).absolute()) if named else None
    if not hasattr(active.config, "serialize"):
        log.warning("coverage %s cannot reach guests; 7.10 is the first that can", module.__version__)
        return None
    return f":data:{active.config.serialize()}"


def coverage_folder() -> str | None:
    """Where guests find coverage.py."""
    found = importlib.util.find_spec("coverage")
    return str(Path(found.origin).parent.parent) if found is not None and found.origin else None
