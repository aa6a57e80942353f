"""The layers hold: transports ← actors ← supervisors ← understudy, relative imports inside, no circle at run time."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("transports", "actors", "supervisors", "understudy")
FILES = [path for room in LAYERS for path in (ROOT / room).rglob("*.py") if path.resolve() == path]
MODULES = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in FILES}

Graph = dict[str, set[str]]


def nodes(path: Path, run_time: bool) -> Iterator[ast.AST]:
    """All of a file, late imports in functions too; at run time without what stands under `if TYPE_CHECKING`."""
    tree = ast.parse(path.read_bytes())
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    hidden = {n for block in blocks for statement in block.body for n in ast.walk(statement) if run_time}
    return (node for node in ast.walk(tree) if node not in hidden)


def imports(module: str, path: Path, run_time: bool = False) -> Iterator[tuple[int, str]]:
    """The imports of a file as (level, full name)."""
    package = module.split(".")[: None if path.name == "__init__.py" else -1]
    for node in nodes(path, run_time):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = [*above, node.module] if node.module else above
            yield from ((node.level, ".".join([*base, alias.name])) for alias in node.names)


def inside(name: str) -> str | None:
    """The module of the house an imported name lives in, or None for a stranger's."""
    name = re.sub(rf"^understudy\.(?=(?:{'|'.join(LAYERS)})\b)", "", name)
    return next((m for m in (name, name.rpartition(".")[0]) if m in MODULES), None)


def graph(run_time: bool = False) -> Graph:
    names = {m: {inside(name) for _, name in imports(m, p, run_time)} for m, p in MODULES.items()}
    return {module: {to for to in found if to and to != module} for module, found in names.items()}


def test_a_room_imports_only_itself_and_the_rooms_below() -> None:
    floor = {module: LAYERS.index(module.split(".")[0]) for module in MODULES}

    assert [(m, to) for m, found in graph().items() for to in found if floor[to] > floor[m]] == []


def test_no_module_reaches_itself_through_its_imports() -> None:
    TopologicalSorter(graph(run_time=True)).prepare()


def test_inside_the_rooms_imports_of_the_house_are_relative() -> None:
    found = [(m, name) for m, p in MODULES.items() for level, name in imports(m, p) if level == 0]

    assert [(m, name) for m, name in found if name.split(".")[0] in LAYERS] == []
