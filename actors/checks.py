"""What values may be: predicates, and the check of a value's fields against a table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

UNLIMITED = -1

Checks = Mapping[str, tuple[Callable[[Any], bool], str]]


def check_fields(value: object, checks: Checks) -> None:
    """Raise ValueError, by name and value, for the first field that is not what it may be."""
    for name, (holds, meaning) in checks.items():
        if not holds(getattr(value, name)):
            raise ValueError(f"{name} must be {meaning}, not {getattr(value, name)!r}")


def is_exceptions(value: Any) -> bool:
    return is_tuple(value) and all(is_exception_class(item) for item in value)


def is_tuple(value: object) -> bool:
    return isinstance(value, tuple)


def is_exception_class(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def is_retry(value: Any) -> bool:
    return isinstance(value, bool) or is_exceptions(value) or (is_list(value) and is_exceptions(tuple(value)))


def is_list(value: object) -> bool:
    return isinstance(value, list)


def is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and value >= 0


def is_timeout(value: Any) -> bool:
    return value is None or is_seconds(value)


def is_label(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value != "" and "/" not in value)


def is_count(value: Any) -> bool:
    return type(value) is int and value >= UNLIMITED


def is_limit(value: Any) -> bool:
    return is_count(value) and value != 0


def is_optional_count(value: Any) -> bool:
    return value is None or is_count(value)


def is_natural(value: Any) -> bool:
    return type(value) is int and value >= 0


def is_positive(value: Any) -> bool:
    return type(value) is int and value > 0


def is_optional_text(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value != "")


def is_environ(value: Any) -> bool:
    return is_mapping(value) and all_texts(value)


def is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def all_texts(value: Mapping[Any, Any]) -> bool:
    return all(isinstance(text, str) and "\0" not in text for pair in value.items() for text in pair)


def is_texts(value: Any) -> bool:
    """A sequence of texts, and not one text by mistake."""
    return isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)  # pyright: ignore[reportUnknownVariableType]


def one_of(*choices: object) -> Callable[[Any], bool]:
    return lambda value: value in choices
