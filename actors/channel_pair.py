"""`open_channel`: items from many senders to many receivers, each to one, as fast as they are taken and no faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from .channel import ReceiveChannel, SendChannel

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")

MOST_BYTES = 16 * 1024 * 1024  # that the items of one channel may weigh before senders wait


class open_channel(tuple[SendChannel[T], ReceiveChannel[T]]):  # noqa: N801  used as the function it stands for
    """A channel with room for `capacity` items: a pair of its sending and its receiving end.

    First in, first out; any number of senders and receivers, and each item goes to one receiver.  With `capacity` 0 a
    sender waits for a receiver.  Items that weigh something (text, bytes, what travels pickled) count in bytes as well:
    beyond `max_bytes` senders wait.

    An end that is an argument of a call, or inside one, is cloned for the actor: methods use and close their own.  When
    the last sending end is closed, receivers take what is left, and end.  Where there is room, or are items, `send`
    and `receive` do not always let other tasks run.

    Example:
        send, receive = open_channel[int](20)
        producer.produce.cast(send)
        send.close()
        async for number in receive:
            print(number)
    """

    __slots__ = ()
    make: ClassVar[Any] = None  # makes the ends; None: for tasks of trio

    def __new__(cls, capacity: int, *, max_bytes: int = MOST_BYTES) -> Self:
        from .channel_ends import make_ends  # who is only given an end needs no event loop

        pair: Self = paired(cls, (cls.make or make_ends)(capacity, max_bytes))
        return pair

    def __init__(self, capacity: int, *, max_bytes: int = MOST_BYTES) -> None:
        """The ends are there."""


def paired(cls: Any, ends: Any) -> Any:
    """Both ends as one of these."""
    make: Any = getattr(tuple, "__new__")  # noqa: B009  typed as what it is not
    return make(cls, ends)
