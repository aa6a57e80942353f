"""Actors that look at what they were given: variables, as Python, C and their own children see them; packages."""

import ctypes
import importlib
import os
import subprocess
import sys

from understudy import Actor, method


class Looking(Actor):
    @method
    def environ(self) -> dict[str, str]:
        return dict(os.environ)

    @method
    def in_c(self, name: str) -> str | None:
        """What the C library says."""
        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_char_p
        value = getenv(name.encode())
        return value.decode() if value is not None else None

    @method
    def inherited(self) -> dict[str, str]:
        """What a child of ours gets."""
        done = subprocess.run(["/usr/bin/env", "-0"], capture_output=True, check=True)
        pairs = (pair.partition("=") for pair in done.stdout.decode().split("\0") if pair)
        return {name: value for name, _, value in pairs}

    @method
    def in_proc(self) -> str:
        """What everybody of the same user can read of us."""
        with open("/proc/self/environ") as file:
            return file.read()

    @method
    def can_import(self, name: str) -> bool:
        try:
            importlib.import_module(name)
        except ImportError:
            return False
        return True

    @method
    def knows(self, name: str) -> bool:
        """Is a module loaded, under any name?"""
        return any(name in known.split(".") for known in sys.modules)

    @method
    def path(self) -> list[str]:
        return list(sys.path)
