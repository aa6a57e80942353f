"""The first word of a guest, said before it loads what takes time: its host goes on meanwhile."""

from __future__ import annotations

import os

from .protocol import CAPABILITIES, HELLO, PAGE_CAPABILITY, VERSION


def main(arguments: list[str]) -> None:
    """Say hello, then be a guest; the first argument is the descriptors, the others are for people to read."""
    descriptors = [int(number) for number in arguments[0].split(",")]
    greet(descriptors[0], paged=len(descriptors) > 1)
    from .main import serve

    serve(descriptors)


def greet(link: int, paged: bool) -> None:
    capabilities = (*CAPABILITIES, PAGE_CAPABILITY) if paged else CAPABILITIES
    words = b"".join(bytes((0xA0 | len(word),)) + word.encode() for word in capabilities)
    head = bytes((0x91, 0x94, HELLO, VERSION, 0x90 | len(capabilities)))
    frame = head + words + b"\xce" + os.getpid().to_bytes(4, "big")
    try:
        os.write(link, len(frame).to_bytes(4, "big") + frame)
    except ConnectionError:
        os._exit(1)  # nobody is left to greet
