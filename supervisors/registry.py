"""Names and paths: who is who in one runtime."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from ..actors.errors import ActorAlreadyExistsError, ActorNotFoundError
from ..actors.handle import ActorHandle

if TYPE_CHECKING:
    from ..actors.life import Life
    from ..actors.options import Options
    from ..actors.spec import ChildSpec

Name = tuple[str, str]  # namespace and name


class Registry:
    """A name is held while its actor restarts, and free once it is dead."""

    __slots__ = ("names", "paths")

    def __init__(self) -> None:
        self.names: dict[Name, Life] = {}
        self.paths: dict[str, Life] = {}

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
        if name is not None:
            self.names[name] = life

    def leave(self, life: Life) -> None:
        self.paths.pop(life.path, None)
        name = name_of(life.spec.options)
        if name is not None and self.names.get(name) is life:
            del self.names[name]

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
