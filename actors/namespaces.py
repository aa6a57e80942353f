"""The namespaces of a worker: the modules in which its code runs, by name; and how text becomes code."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from textwrap import dedent
from types import CodeType, CoroutineType, ModuleType
from typing import Any, Literal, TypeVar

from .kinds import kind_of
from .sources import remember, show_all

R = TypeVar("R")

Values = Mapping[str, Any] | None
Mode = Literal["eval", "exec"]

MAIN = "__main__"
PLAIN, AWAITING = 0, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Namespaces:
    """Modules by name; `alone` tells whether this process is there for nobody else.

    If it is, they are the process's own modules; else they are copies, which nobody but the worker sees.
    """

    def __init__(self, alone: Callable[[], bool]) -> None:
        self.alone = alone
        self.copies: dict[str, ModuleType] = {}

    def names(self, name: str, given: Values) -> dict[str, Any]:
        """What the code in a namespace sees, and sets; `given` is set first."""
        found = vars(self.module(name))
        if given:
            found.update(given)
        return found

    def module(self, name: str) -> ModuleType:
        refuse_misnamed(name)
        if self.alone():
            return loaded(name) or made(name)
        return self.copies.get(name) or self.copies.setdefault(name, copied(name))


def refuse_misnamed(name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a namespace is named by text, not {name!r}; values are set in it by given={{...}}")
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"a namespace is named as a module is, not {name!r}")


def loaded(name: str) -> ModuleType | None:
    """The module of this name, imported if need be; None if there is none."""
    found = sys.modules.get(name)
    if found is not None:
        return found
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # it is there, and lacks another
        return None


def made(name: str) -> ModuleType:
    """A new module, as an attribute of the one that it is named under; without that, no import would find it."""
    module = sys.modules.setdefault(name, ModuleType(name))
    parent, _, own = name.rpartition(".")
    if parent:
        setattr(loaded(parent) or made(parent), own, module)
    return module


def copied(name: str) -> ModuleType:
    """A module of our own with all that the one of this name has; an empty one for `__main__`, which is another's."""
    copy = ModuleType(name)
    if name != MAIN and (origin := loaded(name)) is not None:
        vars(copy).update(vars(origin))
    return copy


# -- text to code ------------------------------------------------------------------------------------


def code_of(text: str, mode: Mode, filename: str | None, flags: int) -> CodeType:
    """Compile a text, whose lines tracebacks will show.

    Raises:
        SyntaxError: if it is none of Python; it says what to do with a statement, or with an `await`.
        TypeError: if it is no text.
    """
    if type(text) is not str:
        raise TypeError(f"code is given as text, not {text!r}; a function goes by call()")
    text = text.strip() if mode == "eval" else unindented(text)
    name = remember(text, filename)
    try:
        return compiled(text, name, mode, flags)
    except SyntaxError as error:
        hint = hint_for(text, name, mode, flags)
        if hint is None:
            raise
        raise SyntaxError(hint, (error.filename, error.lineno, error.offset, error.text)) from None


def compiled(text: str, name: str, mode: Mode, flags: int) -> CodeType:
    code: CodeType = compile(text, name, mode, flags, dont_inherit=True)
    return code


def unindented(text: str) -> str:
    """The text, less the indentation that it has from standing in somebody's code."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return dedent(text) if first[:1].isspace() else text


def hint_for(text: str, name: str, mode: Mode, flags: int) -> str | None:
    """What to do instead, for text that is Python, but of another kind."""
    if mode == "eval" and compiles(text, name, "exec", flags):
        return "this is a statement, and eval() takes an expression; use exec()"
    if flags == PLAIN and compiles(text, name, mode, AWAITING):
        return "a Worker cannot await; use an AsyncWorker"
    return None


def compiles(text: str, name: str, mode: Mode, flags: int) -> bool:
    try:
        compiled(text, name, mode, flags)
    except SyntaxError:
        return False
    return True


# -- code that runs ----------------------------------------------------------------------------------


def run(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call a function that is not to be awaited.

    Raises:
        TypeError: if it is.
    """
    kind = kind_of(function)
    if kind.awaits and not kind.streams:
        raise TypeError(cannot_await(function))
    try:
        value: Any = function(*args, **kwargs)
    except Exception:
        show_all()
        raise
    if is_coroutine(value):
        value.close()
        raise TypeError(cannot_await(value))
    return value


async def run_async(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Call a function, and await what it returns if that is a coroutine."""
    try:
        value = function(*args, **kwargs)
        return await value if is_coroutine(value) else value
    except Exception:
        show_all()
        raise


def is_coroutine(value: object) -> bool:
    return isinstance(value, CoroutineType)


def cannot_await(function: Callable[..., Any]) -> str:
    return (
        f"{getattr(function, '__name__', function)}() is async, and a Worker cannot await; use an AsyncWorker"
    )
