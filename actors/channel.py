"""Channels: items from many senders to many receivers, each to one, as fast as they are taken and no faster."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

if TYPE_CHECKING:
    from typing import Self

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)

MOST_BYTES = 16 * 1024 * 1024  # that the items of one channel may weigh before senders wait


class Channel:
    """What both ends have: they are closed, used as a block, and cloned."""

    __slots__ = ()

    def close(self) -> None:
        """Close this end; the other ends go on.  Idempotent."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """As `close`, which needs no waiting."""
        self.close()

    def clone(self) -> Self:
        """Another end of the same kind, to be closed on its own.

        Raises:
            ClosedChannelError: if this one is closed.
        """
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *details: object) -> None:
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


class SendChannel(Channel, Generic[T_contra]):
    """The end of a channel where items are put in; see `open_channel`."""

    __slots__ = ()

    def send(self, item: T_contra) -> Awaitable[None]:
        """Put an item in; waits while there is no room.  If cancelled or interrupted while waiting, it is not in.

        In a method of an actor in a process or a thread that is not `async` it waits without `await`.

        Raises:
            BrokenChannelError: if no receiving end is left.
            ClosedChannelError: if this end is closed.
            Unsendable: if the item cannot travel.
        """
        raise NotImplementedError

    def send_nowait(self, item: T_contra) -> None:
        """Put an item in, or raise `Full` if there is no room; else as `send`."""
        raise NotImplementedError


class ReceiveChannel(Channel, Generic[T_co]):
    """The end of a channel where items are taken out; see `open_channel`."""

    __slots__ = ()

    def receive(self) -> Awaitable[T_co]:
        """Take the oldest item; waits while there is none.  If cancelled or interrupted while waiting, none is lost.

        In a method of an actor in a process or a thread that is not `async` it waits without `await`.

        Raises:
            ClosedChannelError: if nothing more comes, or this end is closed.
            BrokenChannelError: if nothing more comes since the actor with the last sending end died.
            Unsendable: if the item cannot travel here.
        """
        raise NotImplementedError

    def receive_nowait(self) -> T_co:
        """Take the oldest item, or raise `Empty` if there is none; else as `receive`."""
        raise NotImplementedError

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[T_co]:
        raise NotImplementedError

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T_co:
        raise NotImplementedError


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

    def __new__(cls, capacity: int, *, max_bytes: int = MOST_BYTES) -> Self:  # pyright: ignore[reportUnknownParameterType]
        from .channel_ends import make_ends  # who is only given an end needs no event loop

        ends: Any = (cls.make or make_ends)(capacity, max_bytes)
        return tuple.__new__(cls, ends)

    def __init__(self, capacity: int, *, max_bytes: int = MOST_BYTES) -> None:
        """The ends are there."""
