"""How plain code reads a stream: by `for` and `with`, if its runtime was opened by a door for plain code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

if TYPE_CHECKING:
    from typing import Self

R_co = TypeVar("R_co", covariant=True)

NOT_HERE = (
    "this stream belongs to a runtime of this very trio run: write `async for` and `async with`; `for` and `with` are"
    " for streams of a runtime that was opened by understudy.blocking or understudy.aio"
)


class Readable(Generic[R_co]):
    # To a checker every stream can be read either way; what the doors give in its place can.  No docstrings, as above.
    __slots__ = ()

    if TYPE_CHECKING:

        def __iter__(self) -> Self: ...
        def __next__(self) -> R_co: ...
        def __enter__(self) -> Self: ...
        def __exit__(self, *details: object) -> None: ...

    else:

        def __iter__(self) -> NoReturn:
            raise TypeError(NOT_HERE)

        def __enter__(self) -> NoReturn:
            raise TypeError(NOT_HERE)

        __next__ = __iter__

        def __exit__(self, *details: object) -> None: ...
