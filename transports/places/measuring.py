"""Whether this process measures coverage, and what a guest must know to do the same."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import Any

log = logging.getLogger("understudy.transports.coverage")


def coverage_settings() -> dict[str, str] | None:
    """Where guests find coverage.py, and its configuration as it hands it to processes itself; None if off.

    Measured is what COVERAGE_PROCESS_START asks for, or what runs in this process.
    """
    module: Any = sys.modules.get("coverage")
    active = module.Coverage.current() if hasattr(module, "Coverage") else None
    if active is None:
        named = os.environ.get("COVERAGE_PROCESS_START")
        return settings_with(str(Path(named).absolute())) if named else None
    if not hasattr(active.config, "serialize"):
        log.warning("coverage %s cannot reach guests; 7.10 is the first that can", module.__version__)
        return None
    return settings_with(f":data:{active.config.serialize()}")


def settings_with(config: str) -> dict[str, str] | None:
    found = importlib.util.find_spec("coverage")
    if found is None or found.origin is None:
        log.warning("COVERAGE_PROCESS_START asks for coverage, which is not installed")
        return None
    return {"config": config, "folder": str(Path(found.origin).parent.parent)}
