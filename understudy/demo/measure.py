"""The work: an actor that parses Python files and measures them.  It loads in a guest, so it imports little."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from pathlib import Path

from .. import Actor, Process, method
from .corpus import ENDLESS, POISON

PATIENCE = 2.0  # seconds; the slowest file of the standard library takes a tenth of one
NO_ANSWER = 0.3  # seconds a stopped process may stay so


@dataclass(frozen=True, slots=True)
class Measure:
    """What one file holds; `problem` says why it could not be parsed."""

    lines: int = 0
    functions: int = 0
    classes: int = 0
    imports: int = 0
    longest: int = 0
    longest_name: str = ""
    problem: str = ""


class Reader(
    Actor,
    executor=Process(stderr="keep", stopped_timeout=NO_ANSWER),
    call_timeout=PATIENCE,
    max_restarts=-1,
    max_task_retries=3,
):
    """Reads files below `root`, and may die of any of them."""

    def __init__(self, root: str) -> None:
        self.root = Path(root)

    @method
    def measure(self, name: str) -> Measure:
        """Parse a file and measure it; one that cannot be parsed gives a measure that says so."""
        if name == POISON:
            kill_the_reader()
        if name == ENDLESS:
            read_without_end()
        return measure_file(self.root / name)


def measure_file(path: Path) -> Measure:
    """The same, without an actor."""
    try:
        source = path.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, MemoryError, RecursionError) as error:
        return Measure(problem=f"{type(error).__name__}: {error}")
    return measure_tree(tree, source.count(b"\n"))


def measure_tree(tree: ast.AST, lines: int) -> Measure:
    functions = classes = imports = longest = 0
    longest_name = ""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            functions += 1
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > longest:
                longest, longest_name = length, node.name
        elif isinstance(node, ast.ClassDef):
            classes += 1
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports += len(node.names)
    return Measure(lines, functions, classes, imports, longest, longest_name)


def kill_the_reader() -> None:
    """Read the memory at address 0: a real segmentation fault, which no `except` survives."""
    import ctypes

    ctypes.string_at(0)


def read_without_end() -> None:
    while True:
        pass
