"""Actors that start workers of their own, importable in guests."""

from __future__ import annotations

from typing import Any

from tests.cast import QUIET
from tests.cast_worker import add, fail, fetch
from tests.workers import WARY
from understudy import Actor, AsyncWorker, Worker, blocking, method


class Boss(Actor, executor=QUIET):
    """Has its work done, in plain methods."""

    def __init__(self) -> None:
        self.worker: Any = None

    @method
    def hire(self) -> Any:
        self.worker = Worker.options(executor=WARY).remote()
        return self.worker

    @method
    def work(self) -> list[Any]:
        worker = self.worker
        blocking.get(worker.exec.remote("x = 5"))
        worker.run.cast(fail, "unheard")
        return [
            blocking.get(worker.call.remote(add, 1, 2, c=3)),
            blocking.call(worker.call, add, 1),
            blocking.get(worker.call.remote(lambda n: n * 2, 4)),
            blocking.get(worker.eval.remote("x + y", given={"y": 1})),
            blocking.get(worker.run.remote(add, 1)),
        ]

    @method
    def fall(self) -> str:
        try:
            blocking.get(self.worker.call.remote(fail, "there"))
        except ValueError as error:
            return str(error)
        return "nothing"


class AsyncBoss(Actor, executor=QUIET):
    """The same in `async` methods, with a worker that awaits."""

    @method
    async def work(self) -> list[Any]:
        worker = await AsyncWorker.options(executor=WARY).start()
        await worker.exec("x = 5")
        ref = worker.call.remote(fetch, 4)
        return [
            await worker.call(fetch, 1),
            await worker.call(add, 1, c=1),
            await ref,
            await worker.eval("x"),
        ]
