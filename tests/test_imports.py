"""The import rule of the house: who may know whom, and that nobody goes round in a circle."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "wslab").rglob("*.py"))
}
PROTOCOL = r"wslab(\.\w+)?"
VIEWS, DISSECTOR, WIRE = r"wslab\.lab\.views", r"wslab\.lab\.dissector", r"wslab\.lab\.wire"
AIO, BROWSER, EXERCISES = r"wslab\.aio", r"wslab\.lab\.browser", r"wslab\.lab\.exercises"
KERNEL, STEPS = r"wslab\.lab\.kernel", r"wslab\.lab\.steps"
# A room, and the rooms that it may import besides itself. A name of `wslab` that loads what does I/O counts.
RULE = {
    AIO: [PROTOCOL],
    VIEWS: [],
    DISSECTOR: [PROTOCOL, VIEWS],
    STEPS: [r"wslab\.lab\.steps_figure", PROTOCOL, VIEWS, DISSECTOR],
    WIRE: [PROTOCOL, VIEWS, DISSECTOR],
    BROWSER: [PROTOCOL, VIEWS, DISSECTOR, WIRE, AIO],
    KERNEL: [PROTOCOL, BROWSER],
    EXERCISES: [PROTOCOL, VIEWS, DISSECTOR, WIRE, AIO],
    r"wslab\.lessons\.\w+": [
        *(PROTOCOL, AIO, VIEWS, DISSECTOR, STEPS, WIRE, BROWSER, KERNEL, EXERCISES),
    ],
}
FACES = ("wslab", "wslab.lab", "wslab.lessons")  # they offer what is below them, and load it when asked
OFFERED = {
    "wslab": ("serve", "connect", "broadcast", "ConnectionClosed"),
}


def below(room: str, module: str) -> bool:
    """Return whether a module is a room, or in it."""
    return bool(re.fullmatch(room + r"(\..+)?", module) if room != PROTOCOL else re.fullmatch(room, module))


def imports(name: str) -> Iterator[str]:
    """Yield each module of the package that a module imports, in a function or by its name in quotes too."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    types_only = {id(n) for node in ast.walk(tree) if _for_types(node) for n in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in types_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                if inside in MODULES:
                    yield inside
                else:
                    offered = node.module == "wslab" and alias.name in OFFERED["wslab"]
                    yield "wslab.aio" if offered else node.module
        elif isinstance(node, ast.Constant) and node.value in MODULES and name not in FACES:
            yield str(node.value)


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def room_of(name: str) -> str:
    """Return the room of the rule that a module is in; none for the protocol and the faces."""
    return next((room for room in RULE if below(room, name)), "")


@pytest.mark.parametrize("name", [name for name in MODULES if room_of(name)])
def test_a_module_imports_only_rooms_below_its_own(name: str) -> None:
    depth = 3 if name.startswith("wslab.lessons.") else room_of(name).count(".") + 1
    own = re.escape(".".join(name.split(".")[:depth]))
    allowed = [own, *RULE[room_of(name)]]
    wrong = [m for m in imports(name) if not any(below(room, m) for room in allowed)]
    assert not wrong, f"{name} imports {', '.join(wrong)}; it may import {', '.join(RULE[room_of(name)])}"


def test_no_module_comes_back_to_itself() -> None:
    graph = {name: {m for m in imports(name) if m != name} for name in MODULES if name not in FACES}
    while leaves := [name for name, needs in graph.items() if not needs & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert not graph, f"in a circle, or above one: {', '.join(sorted(graph))}"


def test_every_room_is_there_and_imports_something() -> None:
    assert all(any(below(room, name) for name in MODULES) for room in RULE)
    assert sum(len(list(imports(name))) for name in MODULES) > len(MODULES)
