"""Names and paths: who is who in one runtime."""

from __future__ import annotations

import difflib
import itertools
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..actors.errors import (
    NEVER_SENT,
    ActorAlreadyExistsError,
    ActorDiedError,
    ActorNotFoundError,
    NoRuntimeError,
)
from ..actors.handle import ActorHandle
from ..actors.reasons import SHUTDOWN, ExitReason

if TYPE_CHECKING:
    from ..actors.life import Life
    from ..actors.options import Options
    from ..actors.spec import ChildSpec

Name = tuple[str, str]  # namespace and name

MOST_ENDS = 1000  # of the dead, of whom it is remembered how they ended
OF_ANOTHER = (
    "belongs to another runtime: its handle is of use in that one and its actors, and goes neither to the workers"
    " of a worker nor from them"
)
FORGOTTEN = ExitReason(SHUTDOWN, "long ago", ordered=True)
numbers: Iterator[int] = itertools.count(1)
PROCESS = 32  # bits of a number below those that tell the process


def new_number() -> int:
    """No two actors have the same, whatever their runtime and their process: a guest may have a runtime of its own."""
    return os.getpid() << PROCESS | next(numbers)


class Registry:
    """A name is held while its actor restarts, and free once it is dead."""

    __slots__ = ("dead", "ends", "lives", "names", "numbers", "paths")

    def __init__(self) -> None:
        self.names: dict[Name, Life] = {}
        self.paths: dict[str, Life] = {}
        # Of actors whose handles have left this process, and of the latest of them that are dead, how they ended.
        self.numbers: dict[Life, int] = {}
        self.lives: dict[int, Life] = {}
        self.ends: dict[int, ExitReason] = {}
        self.dead: dict[int, int] = {}  # their numbers by identity, which nothing that lives here may have

    def enter(self, life: Life) -> None:
        """Take the actor in.

        Raises:
            ActorAlreadyExistsError: if its name or path is taken.
        """
        name = name_of(life.spec.options)
        if name is not None and name in self.names:
            raise ActorAlreadyExistsError(
                f"the name {shown(name)} is held by {self.names[name].path!r}; kill it, or take another"
            )
        if life.path in self.paths:
            raise ActorAlreadyExistsError(
                f"there is an actor at {life.path!r} already; give this one another id"
            )
        self.paths[life.path] = life
        self.dead.pop(id(life), None)
        if name is not None:
            self.names[name] = life

    def leave(self, life: Life) -> None:
        number = self.numbers.pop(life, 0)
        if number:
            del self.lives[number]
            self.bury(number, life)
        self.paths.pop(life.path, None)
        name = name_of(life.spec.options)
        if name is not None and self.names.get(name) is life:
            del self.names[name]

    def bury(self, number: int, life: Life) -> None:
        self.ends[number] = life.mailbox.closed or life.last_reason
        self.dead[id(life)] = number
        for book in (self.ends, self.dead):
            if len(book) > MOST_ENDS:
                del book[next(iter(book))]

    def number_of(self, life: Life) -> int:
        """What tells this actor from all others that have its name, before it or after it; safe in any thread."""
        if self.paths.get(life.path) is not life:
            if id(life) not in self.dead:
                self.bury(new_number(), life)
            return self.dead[id(life)]
        number = self.numbers.setdefault(life, new_number())
        self.lives[number] = life
        return number

    def numbered(self, number: int, path: str) -> ActorHandle:
        """The actor that was given this number.

        Raises:
            ActorDiedError: if it is dead.
            NoRuntimeError: if it is one of another process's runtime.
        """
        life = self.lives.get(number)
        if life is None and number >> PROCESS != os.getpid():
            raise NoRuntimeError(f"{path} {OF_ANOTHER}")
        if life is None:
            reason = self.ends.get(number, FORGOTTEN)
            raise ActorDiedError(f"{path} is dead ({reason})", reason, NEVER_SENT)
        return ActorHandle(life)

    def existing(self, spec: ChildSpec[Any]) -> Life | None:
        """The living actor that `get_if_exists` asks for, if there is one.

        Raises:
            ValueError: if it asks without a name.
            ActorAlreadyExistsError: if the name is held by an actor of another class.
        """
        if not spec.options.get_if_exists:
            return None
        name = name_of(spec.options)
        if name is None:
            raise ValueError(
                "get_if_exists=True looks for a name; write .options(name=..., get_if_exists=True)"
            )
        life = self.names.get(name)
        if life is not None and life.spec.cls is not spec.cls:
            kind, wanted = life.spec.cls.__qualname__, spec.cls.__qualname__
            raise ActorAlreadyExistsError(
                f"the name {shown(name)} is held by {life.path!r}, which is a {kind} and no {wanted}"
            )
        return life

    def find(self, name: str, namespace: str = "") -> ActorHandle:
        """The actor with this name; in the default namespace else the one at this path.

        Raises:
            ActorNotFoundError: if there is none.
        """
        life = self.names.get((namespace, name)) or (self.paths.get(name) if not namespace else None)
        if life is None:
            where = f" in the namespace {namespace!r}" if namespace else " or lives there"
            raise ActorNotFoundError(f"no actor is named {name!r}{where}; {self.hint(name, namespace)}")
        return ActorHandle(life)

    def hint(self, name: str, namespace: str) -> str:
        known = {known for space, known in self.names if space == namespace}
        if not namespace:
            known.update(self.paths)
        near = difflib.get_close_matches(name, known, 1)
        if near:
            return f"did you mean {near[0]!r}?"
        elsewhere = sorted(space for space, known in self.names if known == name)
        if elsewhere:
            return f"there is one in the namespace {elsewhere[0]!r}"
        return f"there are {', '.join(sorted(known)[:10]) or 'none'}"


def name_of(options: Options) -> Name | None:
    return None if options.name is None else (options.namespace, options.name)


def shown(name: Name) -> str:
    return repr(name[1]) + (f" in the namespace {name[0]!r}" if name[0] else "")
