"""Promise 2: a call that is tried again after an exception keeps its place before what follows."""

from pathlib import Path

import pytest

from tests.cast import mark, said
from tests.rehearsal import LOCAL, QUIET, rehearse
from understudy import Actor, Runtime, get, method
from understudy.actors.executor import Executor


class Noting(Actor):
    @method
    def note(self, path: str, word: str, fails: int = 0) -> None:
        if mark(path + word) <= fails:
            raise ValueError(word)
        with open(path, "a") as file:
            file.write(word + " ")


@pytest.mark.parametrize("executor", [LOCAL, QUIET], ids=["local", "process"])
def test_a_call_retried_after_an_exception_keeps_its_place(executor: Executor, tmp_path: Path) -> None:
    path = str(tmp_path / "notes")

    async def scene(runtime: Runtime) -> None:
        noting = await Noting.options(executor=executor, max_task_retries=3, retry_exceptions=True).start()
        await get(
            [
                noting.note.remote(path, word, fails)
                for word, fails in (("a", 0), ("b", 2), ("c", 0), ("d", 0))
            ]
        )

    rehearse(scene)
    assert said(path) == ["a", "b", "c", "d"]
