"""Both ends' codec within one process: nothing is encoded, the very same objects are passed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .guests import protocol as p
from .guests.weights import weight_of

NO_CODE: Mapping[bytes, bytes] = {}


class Opening:
    """A value that its guest has to open: something in it stands for what is the guest's own, such as ends of channels."""

    __slots__ = ("opened", "value")

    def __init__(self, value: Any, opened: Callable[[Any], Any]) -> None:
        self.value = value
        self.opened = opened

    def open(self) -> Any:
        return self.opened(self.value)


class HostObjects:
    """The host's side."""

    __slots__ = ("in_turns",)

    def __init__(self, in_turns: bool = False) -> None:
        self.in_turns = in_turns

    def call(
        self,
        kind: int,
        id: int,
        method: str,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        context: dict[str, Any] | None = None,
    ) -> tuple[list[Any], Mapping[bytes, bytes]]:
        return [kind, id, method, args, kwargs, context], NO_CODE

    def message(self, *parts: Any) -> list[Any]:
        return list(parts)

    def packed(self, value: Any) -> tuple[Any, Mapping[bytes, bytes]]:
        return value, NO_CODE

    def packed_error(self, error: BaseException) -> BaseException:
        return error

    def marked(self, message: list[Any], name: str, value: Any) -> list[Any]:
        return [*message[:5], {**(message[5] or {}), name: value}]

    def value(self, value: Any) -> Any:
        return value

    def values_in(self, values: list[Any]) -> list[Any]:
        return values

    passes_pickles = False

    def pickled(self, item: Any) -> Any:
        raise AssertionError("nothing is pickled within one process")

    def kept(self, items: list[Any]) -> list[Any]:
        return self.values_in(items)

    def check(self, message: Any, what: str) -> None:
        """Whatever it is, it may pass."""

    def error(self, pickled: Any) -> Exception | None:
        return pickled if isinstance(pickled, Exception) else None


class GuestObjects:
    """The guest's side."""

    trusted = True
    max_bytes = 1 << 60

    def __init__(self) -> None:
        self.code: dict[bytes, Any] = {}
        self.stored: dict[int, Any] = {}

    def agree(self, trusted: bool, max_bytes: int, max_depth: int, max_elements: int) -> None:
        """Within one process all is trusted, and nothing is measured."""

    def encode(self, message: Any) -> list[Any]:
        return list(message)

    def result(self, id: int, value: Any) -> list[Any]:
        return [p.RESULT, id, value]

    def item(self, value: Any) -> Any:
        return value

    def items(self, id: int, values: list[Any]) -> list[Any]:
        return [p.ITEM, id, values]

    def weight(self, message: list[Any]) -> int:
        return weight_of(message[2])

    def arguments(self, message: list[Any]) -> tuple[Any, Mapping[str, Any]]:
        if message[3].__class__ is Opening:
            args, kwargs = message[3].open()
            return args, kwargs
        return message[3], message[4] or {}

    def load(self, value: Any) -> Any:
        return value.open() if value.__class__ is Opening else value

    def learn(self, digest: bytes, blob: bytes) -> None:
        """Code needs no sending."""

    def pickled_error(self, error: BaseException) -> BaseException:
        return error
