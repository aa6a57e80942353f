"""What runs in the process of a `StdlibWorker`."""

from __future__ import annotations

from typing import Any

from .actors import namespaces
from .actors.namespaces import PLAIN, Namespaces, code_of
from .transports.guests import pickles

SPACES = Namespaces(lambda: False)  # the process's own main module is the program's, imported again


def call(pickled: bytes) -> Any:
    function, args, kwargs = pickles.loads(pickled)
    return namespaces.run(function, args, kwargs)


def run(pickled: bytes) -> None:
    call(pickled)


def evaluate(source: str, namespace: str, given: bytes, discard: bool, filename: str | None) -> Any:
    code = code_of(source, "eval", filename, PLAIN)
    value = namespaces.run(eval, (code, SPACES.names(namespace, pickles.loads(given))), {})
    return None if discard else value


def execute(source: str, namespace: str, given: bytes, filename: str | None) -> None:
    code = code_of(source, "exec", filename, PLAIN)
    namespaces.run(exec, (code, SPACES.names(namespace, pickles.loads(given))), {})
