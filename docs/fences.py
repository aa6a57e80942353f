"""For the API reference: the code under `Example:` in a docstring is shown as code, as if it stood in fences."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension

EXAMPLE = re.compile(r"^Example:\n((?:    .*\n|\n)+)", re.MULTILINE)


def fenced(text: str) -> str:
    """The docstring with fences around its examples."""
    return EXAMPLE.sub(
        lambda found: f"Example:\n    ```python\n{found[1].rstrip()}\n    ```\n\n", text + "\n"
    )


class Fences(Extension):
    def on_object(self, *, obj: Any, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = fenced(obj.docstring.value)
