"""Coverage in a guest, with the configuration of the host's own."""

from __future__ import annotations

import atexit
import sys
from typing import Any


def measure(config: str) -> None:
    """Measure from now on; the data are written when the guest ends politely, or by SIGTERM."""
    try:
        from coverage import Coverage
    except ImportError as error:
        print(f"understudy: coverage does not reach this guest: {error}", file=sys.stderr)
        return
    coverage: Any = Coverage(config_file=config, data_suffix=True, messages=False)
    # The ladder's SIGTERM is the last that can be heard; SIGKILL loses what was measured.
    coverage.set_option("run:sigterm", True)
    for warning in ("no-data-collected", "module-not-imported", "module-not-measured"):
        coverage.get_option("run:disable_warnings").append(warning)
    coverage.start()
    atexit.register(save, coverage)


def save(coverage: Any) -> None:
    coverage.stop()
    coverage.save()
