"""Pickles between a host and a guest that trust each other: by reference where both can import it, else by value.

What a guest cannot import (classes and functions of `__main__`, closures, lambdas) travels by cloudpickle and
is named in the pickle by the hash of its bytes, so a guest is sent each only once.  Code is bytes of one version of
Python, which another would run into the ground: it names its version, and no other loads it.
"""

from __future__ import annotations

import io
import pickle
import sys
from _thread import allocate_lock
from collections import ChainMap
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache, partial
from importlib import import_module
from importlib.machinery import PathFinder
from threading import get_ident
from types import CodeType, FunctionType
from typing import Any, ClassVar

from .variables import reduced

CLOUD = "cloudpickle.cloudpickle"
PUBLIC = "understudy.transports.guests.pickles"
BYTECODE = sys.implementation.cache_tag or sys.implementation.name  # such as "cpython-311"

registering = allocate_lock()


def cloud() -> Any:
    """cloudpickle, loaded when it is first needed: a guest seldom is in need."""
    return import_module(CLOUD)


@cache
def cloud_pickler() -> Any:
    """Cloudpickle's pickler, which we teach context variables, and to say which Python code is of."""
    base = cloud().Pickler
    ours = {ContextVar: reduced_variable, CodeType: reduced_code}

    class Pickler(base):  # type: ignore[misc, valid-type]
        dispatch_table: ClassVar[Any] = ChainMap(ours, base.dispatch_table)

    return Pickler


def reduced_code(code: CodeType) -> tuple[Any, ...]:
    _, parts = cloud().Pickler.dispatch_table[CodeType](code)
    return code_of_parts, (BYTECODE, *parts)


def code_of_parts(bytecode: str, *parts: Any) -> CodeType:
    """A function's code, if it is of the Python that runs here; raises LostCode."""
    if bytecode != BYTECODE:
        raise LostCode(
            f"functions and classes of __main__, lambdas and closures travel as code, and this is code of {bytecode},"
            f" but it came to {BYTECODE}: put it in a module that both sides can import, or send it as text"
        )
    return CodeType(*parts)


# In a guest this module has another name; pickles give the one that both sides know, and there is one of it.
code_of_parts.__module__ = PUBLIC
sys.modules.setdefault(PUBLIC, sys.modules[__name__])


def reduced_variable(variable: ContextVar[Any]) -> tuple[Any, ...]:
    by_value = cloud().list_registry_pickle_by_value()
    return reduced(variable, lambda module: module not in {"__main__", *by_value} and findable(module))


def cloud_dumps(item: Any) -> bytes:
    """Pickle by value what cannot be imported."""
    sink = io.BytesIO()
    cloud_pickler()(sink, 5).dump(item)
    return sink.getvalue()


# By thread: what is to travel with what is being pickled there.
luggage: dict[int, dict[Any, Any]] = {}


def along(things: Mapping[Any, Any]) -> None:
    """Have something travel with the value that is being pickled, as code does."""
    luggage.setdefault(get_ident(), {}).update(things)


def with_luggage(code: dict[Any, Any]) -> dict[Any, Any]:
    """The code that a pickle names, and what is to travel with it beside that."""
    return {**code, **luggage.pop(get_ident(), {})}


class LostCode(pickle.UnpicklingError):
    """A pickle names a function or class that was not sent, or could not be loaded."""


def code_named(digest: bytes, code: Mapping[bytes, Any]) -> Any:
    """The function or class that was sent under this hash; raises LostCode."""
    found = code.get(digest)
    if found is None:
        raise LostCode("the pickle names code that was never sent")
    if isinstance(found, LostCode):
        raise found
    return found


def dumps(value: Any) -> bytes:
    """Pickle a value in one piece."""
    return dumps_with_code(value, split=False)[0]


def dumps_with_code(value: Any, split: bool = True) -> tuple[bytes, dict[bytes, bytes]]:
    """Pickle a value; returns the pickle, and by hash the code that it names.

    Raises what pickling raises: usually `TypeError` or `pickle.PicklingError`.
    """
    try:
        data = pickle.dumps(value, 5)
    except Exception:
        luggage.pop(get_ident(), None)
        return dumps_by_value(value, split)
    # A class of `__main__` pickles by reference, but another process has another `__main__`.
    if split and b"__main__" in data:
        return dumps_by_value(value, split)
    return data, with_luggage({}) if luggage else {}


def dumps_by_value(value: Any, split: bool = True) -> tuple[bytes, dict[bytes, bytes]]:
    """The same for a value that holds functions or classes which another process cannot import."""
    if not split:
        return cloud_dumps(value), {}
    code: dict[bytes, bytes] = {}

    class Splitter(cloud_pickler()):  # type: ignore[misc]
        def persistent_id(self, item: Any) -> Any:
            if not isinstance(item, FunctionType | type) or importable(item):
                return None
            return code_of(item, code, whole_module=is_homeless(item))

    sink = io.BytesIO()
    try:
        Splitter(sink, 5).dump(value)
    finally:
        code = with_luggage(code) if luggage else code
    return sink.getvalue(), code


def code_of(item: Any, code: dict[bytes, bytes], whole_module: bool = False) -> bytes:
    """Pickle a function or class by value into `code`; returns its hash.

    With `whole_module` what it uses of its own module travels too: the other side has no such module.
    """
    module = sys.modules.get(item.__module__) if whole_module else None
    blob = cloud_dumps(item) if module is None else dumps_with_module(item, module)
    import hashlib  # OpenSSL's library is dear to load, and a guest rarely needs it

    digest = hashlib.blake2b(blob, digest_size=16).digest()
    code[digest] = blob
    return digest


def dumps_with_module(item: Any, module: Any) -> bytes:
    """Pickle by value, with all that it uses of its module."""
    cloudpickle = cloud()
    with registering:  # what one thread registers the other would unregister
        by_value = module.__name__ not in cloudpickle.list_registry_pickle_by_value()
        if by_value:
            cloudpickle.register_pickle_by_value(module)
        try:
            return cloud_dumps(item)
        finally:
            if by_value:
                cloudpickle.unregister_pickle_by_value(module)


def is_homeless(item: Any) -> bool:
    """Is it of a module that another process would not find, so that the module has to travel too?"""
    module: str | None = getattr(item, "__module__", None)
    if not isinstance(item, FunctionType | type) or module == "__main__" or module not in sys.modules:
        return False
    return not findable(module)


def importable(item: Any) -> bool:
    """Would another process find the same thing under this name?"""
    module = sys.modules.get(item.__module__ or "")
    if module is None or item.__module__ == "__main__" or not findable(item.__module__):
        return False
    found: Any = module
    for part in item.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is item


@cache
def findable(name: str) -> bool:
    """Would a search of the import path find this module, and not only whoever loaded it by other means?"""
    folders: Any = None
    spec: Any = None
    for at in range(len(parts := name.split("."))):
        full = ".".join(parts[: at + 1])
        if at == 0 and (full in sys.builtin_module_names or full in sys.stdlib_module_names):
            return True
        spec = PathFinder.find_spec(full, folders)
        if spec is None:
            return False
        folders = spec.submodule_search_locations
    return getattr(sys.modules[name], "__file__", None) in (None, spec.origin)


def loads(data: bytes, code: Mapping[bytes, Any] | None = None) -> Any:
    """Unpickle a value; `code` holds what was sent, by hash."""
    if code is None and b"cloudpickle" not in data:
        return pickle.loads(data)
    return _Loader(io.BytesIO(data), code or {}).load()


class _Loader(pickle.Unpickler):
    """Finds code by hash, and never overwrites a class that this process has already.

    cloudpickle sends a class with its state and writes that state into the class it finds; a class that
    comes back to its home would get the guest's copies of its own methods.
    """

    def __init__(self, source: io.BytesIO, code: Mapping[bytes, Any]) -> None:
        super().__init__(source)
        self.code = code
        self.fresh: set[Any] = set()

    def persistent_load(self, digest: bytes) -> Any:
        return code_named(digest, self.code)

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if module == CLOUD and name == "_make_skeleton_class":
            return partial(self.make_class, found)
        if module == CLOUD and name == "_class_setstate":
            return partial(self.fill_class, found)
        return found

    def make_class(self, make: Any, *args: Any) -> type:
        """Make a class, or find the one that was made of the same bytes before."""
        # The tracker is private to cloudpickle; a test watches that it is still there.
        tracked: Any = cloud()._DYNAMIC_CLASS_TRACKER_BY_CLASS
        known = set(tracked.values())
        cls: type = make(*args)
        if tracked.get(cls) not in known:
            self.fresh.add(cls)
            adopt(cls)
        return cls

    def fill_class(self, fill: Any, cls: type, state: Any) -> type:
        return fill(cls, state) if cls in self.fresh else cls


def adopt(cls: type) -> None:
    """Give a class of the host's `__main__` its place in ours, so that results name it instead of carrying it."""
    main = sys.modules["__main__"]
    if cls.__module__ == "__main__" and "." not in cls.__qualname__ and not hasattr(main, cls.__name__):
        setattr(main, cls.__name__, cls)
