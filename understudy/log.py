"""`UNDERSTUDY_LOG=debug,transports=trace`: levels for the loggers under `understudy`; never a handler."""

from __future__ import annotations

import logging
import os

TRACE = 5
LEVELS = {"trace": TRACE, "debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}


def apply(wishes: str | None = None) -> None:
    """Set the levels that the environment (or `wishes`) asks for.

    Raises:
        ValueError: for a level that does not exist.
    """
    wishes = os.environ.get("UNDERSTUDY_LOG", "") if wishes is None else wishes
    logging.addLevelName(TRACE, "TRACE")
    for wish in filter(None, (part.strip() for part in wishes.split(","))):
        room, _, level = wish.rpartition("=")
        if level.lower() not in LEVELS:
            raise ValueError(f"UNDERSTUDY_LOG: {level!r} is no level; there are {', '.join(LEVELS)}")
        logging.getLogger(f"understudy.{room}" if room else "understudy").setLevel(LEVELS[level.lower()])
