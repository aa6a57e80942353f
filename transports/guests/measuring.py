"""Coverage in a guest, with the configuration of the host's own."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Mapping
from typing import Any

from .loading import Given


def measure(settings: Mapping[str, str]) -> None:
    """Measure from now on; the data are written when the guest ends politely, or by SIGTERM."""
    sys.meta_path.append(Given({"coverage": settings["folder"]}))
    try:
        from coverage import Coverage
    except ImportError as error:
        print(f"understudy: coverage does not reach this guest: {error}", file=sys.stderr)
        return
    coverage: Any = Coverage(config_file=settings["config"], data_suffix=True, messages=False)
    # The ladder's SIGTERM is the last that can be heard; SIGKILL loses what was measured.
    coverage.set_option("run:sigterm", True)
    for warning in ("no-data-collected", "module-not-imported", "module-not-measured"):
        coverage.get_option("run:disable_warnings").append(warning)
    coverage.start()
    atexit.register(save, coverage)


def save(coverage: Any) -> None:
    coverage.stop()
    coverage.save()
