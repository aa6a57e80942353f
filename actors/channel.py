"""The ends of channels, as their users know them: here and in guests."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from typing import Self

T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


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


class PlainSendChannel(SendChannel[T_contra]):
    """A `SendChannel` as plain code has it: `send` waits without `await`; `understudy.blocking.SendChannel`."""

    __slots__ = ()

    def send(self, item: T_contra) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Put an item in, as `SendChannel.send`."""
        raise NotImplementedError


class PlainReceiveChannel(ReceiveChannel[T_co]):
    """A `ReceiveChannel` as plain code has it: `receive` waits without `await`; `understudy.blocking.ReceiveChannel`."""

    __slots__ = ()

    def receive(self) -> T_co:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take the oldest item, as `ReceiveChannel.receive`."""
        raise NotImplementedError
