"""Where a runtime's events go: `open_runtime(record=JsonLines("events.jsonl"))`, and back."""

from .jsonlines import JsonLines
from .plain import EventUnwritten, LogOpened, Recorded, UnknownEvent
from .sqlite import Sqlite

__all__ = ["EventUnwritten", "JsonLines", "LogOpened", "Recorded", "Sqlite", "UnknownEvent"]
