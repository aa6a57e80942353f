"""The way into a runtime that lives in a thread of its own, for asyncio, plain threads and other trio runs alike."""
