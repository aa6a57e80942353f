"""Names and paths: who is who in one runtime."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ..actors.errors import ActorAlreadyExistsError, ActorNotFoundError
from ..actors.handle import ActorHandle

if TYPE_CHECKING:
    from ..actors.life import Life


class Registry:
    """A name is held while its actor restarts, and free once it is dead."""

    __slots__ = ("names", "paths")

    def __init__(self) -> None:
        self.names: dict[str, Life] = {}
        self.paths: dict[str, Life] = {}

    def enter(self, life: Life) -> None:
        """Take the actor in.

        Raises:
            ActorAlreadyExistsError: if its name or path is taken.
        """
        name = life.spec.options.name
        if name is not None and name in self.names:
            raise ActorAlreadyExistsError(
                f"the name {name!r} is held by {self.names[name].path!r}; kill it, or take another"
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
        name = life.spec.options.name
        if name is not None and self.names.get(name) is life:
            del self.names[name]

    def find(self, name: str) -> ActorHandle:
        """The actor with this name, or else at this path.

        Raises:
            ActorNotFoundError: if there is none.
        """
        life = self.names.get(name) or self.paths.get(name)
        if life is None:
            known = [*self.names, *self.paths]
            near = difflib.get_close_matches(name, known, 1)
            hint = (
                f"did you mean {near[0]!r}?"
                if near
                else f"there are {', '.join(sorted(known)[:10]) or 'none'}"
            )
            raise ActorNotFoundError(f"no actor is named {name!r} or lives there; {hint}")
        return ActorHandle(life)
