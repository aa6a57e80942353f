"""Context variables that are carried along, to actors in this process: as to guests, each call has its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from pathlib import Path

import pytest

from tests.rehearsal import rehearse
from understudy import Actor, Local, Runtime, carry, method

tenant: ContextVar[str] = carry(ContextVar("tests_tenant", default="nobody"))


class Plain(Actor, executor=Local()):
    def __init__(self) -> None:
        self.notes: list[str] = []

    @method
    def note(self, text: str = "") -> None:
        self.notes.append(text + tenant.get())

    @method
    def noted(self) -> list[str]:
        return self.notes

    @method
    def seen(self) -> str:
        found = tenant.get()
        tenant.set("left behind")
        return found

    @method
    def stream(self) -> Iterator[str]:
        yield tenant.get()
        yield tenant.get()


class Mixed(Plain):
    @method
    async def awaited(self) -> str:
        return tenant.get()

    @method
    async def items(self) -> AsyncIterator[str]:
        yield tenant.get()


def test_what_the_caller_has_set_the_method_sees_and_nothing_else() -> None:
    async def scene(runtime: Runtime) -> None:
        plain, mixed = await Plain.start(), await Mixed.start()
        for name in ("ada", "bob"):
            token = tenant.set(name)
            try:
                assert [await plain.seen(), await plain.seen(), await mixed.seen()] == [name] * 3
                assert await mixed.awaited() == name
                assert [item async for item in plain.stream()] == [name, name]
                assert [item async for item in mixed.items()] == [name]
                assert tenant.get() == name
            finally:
                tenant.reset(token)
        assert await plain.seen() == "nobody"

    rehearse(scene)


def test_a_cast_carries_them_too() -> None:
    async def scene(runtime: Runtime) -> None:
        plain, mixed = await Plain.start(), await Mixed.start()
        for actor in (plain, mixed):
            actor.note.cast("for ")
            token = tenant.set("ada")
            actor.note.cast("for ")
            actor.note.cast()
            tenant.reset(token)
            actor.note.cast("for ")
            assert await actor.noted() == ["for nobody", "for ada", "ada", "for nobody"]

    rehearse(scene)


SCRIPT = """
from contextvars import ContextVar
from pathlib import Path
import trio
from understudy import Actor, Process, carry, method, open_runtime

user = carry(ContextVar("script_user", default="nobody"))
count = ContextVar("script_count", default=0)

class Teller(Actor, executor=Process()):
    @method
    def tell(self):
        count.set(count.get() + 1)
        return user.get(), count.get()

async def main():
    async with open_runtime():
        teller = await Teller.start()
        first = await teller.tell()
        user.set("ada")
        print(first, await teller.tell())

trio.run(main)
"""


@pytest.mark.slow
def test_a_class_of_a_script_may_use_context_variables_of_that_script(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, tmp_path / "script.py"], capture_output=True, text=True, timeout=50, check=False
    )

    assert (done.stderr, done.stdout) == ("", "('nobody', 1) ('ada', 1)\n")
