"""Pages with programs in them, README.md and docs/*.md: every python block is run, what it prints is compared.

A block that runs itself, by `trio.run`, `asyncio.run` or `main()`, is a program of its own.  All others of a page are the scenes of one play, run in
their order inside `async with open_runtime() as runtime:`, so that a page can be read like a session at a prompt.
`python tests/pages.py README.md` runs a page and tells what each block printed.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import io
import json
import re
import subprocess
import sys
import traceback
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$\s*", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    """A python block, and what stands in the text block right below it."""

    page: str
    line: int
    code: str
    shown: str

    @property
    def whole(self) -> bool:
        return any(run in self.code for run in ("trio.run(", "asyncio.run(", "__main__"))


def blocks_of(page: str) -> list[Block]:
    """The python blocks of a page, in order."""
    text = (ROOT / page).read_text()
    found: list[Block] = []
    for fence in FENCE.finditer(text):
        below = FENCE.match(text, fence.end())
        shown = below[2] if below and below[1] == "text" else ""
        if fence[1] == "python":
            found.append(Block(page, text.count("\n", 0, fence.start()) + 2, fence[2], shown))
    return found


def links_of(page: str) -> list[Path]:
    """The files a page links to."""
    text = (ROOT / page).read_text()
    return [ROOT / Path(page).parent / target for target in LINK.findall(text) if "://" not in target]


@cache
def printed_by(page: str) -> dict[int, str]:
    """What each block of a page prints, by its line; a traceback for one that fails."""
    command = [sys.executable, str(Path(__file__)), page]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    told: dict[int, str] = dict(json.loads(line) for line in done.stdout.splitlines())
    return told or {0: done.stderr}


# -- in the process that runs a page -------------------------------------------------------------------


def tell(page: str) -> None:
    """Run a page's blocks; one JSON line each."""
    stage = sys.modules["__main__"] = types.ModuleType("__main__")
    blocks = blocks_of(page)
    for block in blocks:
        if block.whole:
            report(block, listen(block, stage))
    play(stage, [block for block in blocks if not block.whole])


def play(stage: types.ModuleType, scenes: list[Block]) -> None:
    import trio

    import understudy

    async def inside() -> None:
        async with understudy.open_runtime() as runtime:
            vars(stage).update(runtime=runtime, trio=trio)
            for scene in scenes:
                with recording() as heard:
                    found = start(scene, stage)
                    if found is not None:
                        await found
                report(scene, heard.getvalue())

    if scenes:
        trio.run(inside)


def start(block: Block, stage: types.ModuleType) -> Any:
    """Run a block; one that awaits gives its coroutine."""
    code = compile(block.code, f"{block.page}:{block.line}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        return types.FunctionType(code, vars(stage))()
    exec(code, vars(stage))
    return None


def listen(block: Block, stage: types.ModuleType) -> str:
    with recording() as heard:
        start(block, stage)
    return heard.getvalue()


@contextlib.contextmanager
def recording() -> Iterator[io.StringIO]:
    """What is printed, and the traceback of what is raised."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard):
        try:
            yield heard
        except Exception:
            heard.write(traceback.format_exc())


def report(block: Block, printed: str) -> None:
    print(json.dumps([block.line, printed]), flush=True)


if __name__ == "__main__":
    tell(sys.argv[1])
