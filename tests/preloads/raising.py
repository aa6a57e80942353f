"""A module that cannot be loaded."""

raise LookupError("of a preload")
