"""`open_scope()` at the doors: a block of asyncio or of plain code that owns refs and actors of a runtime in a thread."""

from __future__ import annotations

from contextlib import suppress
from contextvars import Token
from typing import TYPE_CHECKING, Any

from .blocks import Block, block_for, opened
from .crossing import begin
from .job import Job
from .verbs import far_ref, open_crossing

if TYPE_CHECKING:
    from typing import Self

    from ..actors.ref import ObjectRef


class FarScope(Block):
    """What `aio.open_scope()` and `blocking.open_scope()` open; see `understudy.Scope`."""

    def __init__(self) -> None:
        super().__init__(open_crossing())
        self.token: Token[Block | None] | None = None

    def open(self) -> None:
        if self.token is not None:
            raise RuntimeError("this scope was opened before; write open_scope() again")
        above = block_for(self.crossing)
        self.near.above = above.near if above is not None else None
        self.token = opened.set(self)

    def leaving(self) -> Job[None]:
        """Everything that is done about its end, in the runtime's thread."""
        assert self.token is not None
        with suppress(ValueError):  # left in another task than it was entered in, whose context has ended
            opened.reset(self.token)
        job = Job(self.crossing.nursery, self.near.leave, ())
        if self.crossing.closed:
            job.over.open()
        else:
            self.crossing.post(begin, job)
        return job

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.crossing.outlast(self.leaving().over)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *details: object) -> None:
        self.crossing.sleep(self.leaving().over)

    def adopt(self, ref: ObjectRef[Any]) -> None:
        """Own a ref that was made elsewhere: it is cancelled with this scope, and no more with its old owner.

        Raises:
            RuntimeError: if the scope is closed.
        """
        self.crossing.do(self.near.adopt, far_ref(ref))

    def cancel(self) -> None:
        """Cancel what is pending; the scope stays open."""
        self.crossing.do(self.near.cancel)

    def __repr__(self) -> str:
        return repr(self.near)


def open_scope() -> FarScope:
    """A block that owns the refs and actors made inside: leaving it cancels the refs that are pending.

    As `understudy.open_scope`: actors made inside are ended politely, scopes nest, tasks started inside make things
    for the same scope.  `async with` under asyncio waits for all that however it is left; `with` in plain code does,
    too, but for a Ctrl-C.

    Raises:
        NoRuntimeError: if no runtime is open here.
    """
    return FarScope()
