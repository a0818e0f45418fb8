"""The package as a whole: its layers, what an import costs, and that all files agree on what it needs."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import bootstrap
from tools.course import NEEDS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "wslab"
SANS_IO = sorted(path for path in PACKAGE.glob("*.py") if path.name != "__init__.py")
EVERY_MODULE = sorted(PACKAGE.rglob("*.py"))
IO = {"asyncio", "socket", "ssl", "select", "selectors", "threading", "subprocess"}
# Names that two modules may define: the same thing of each lesson.
TWICE = {"EXERCISES": "a lesson's own"}
HEAVY = ("matplotlib", "numpy", "aiohttp", "websockets", "IPython", "ipykernel", "jupyter_server", "tornado")


def name(path: Path) -> str:
    """Name a source file as it is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def by_name(paths: list[Path]) -> pytest.MarkDecorator:
    """Parametrise over source files."""
    return pytest.mark.parametrize("path", paths, ids=name)


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}: relative import"
            yield f"{node.module}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the name of each function of a file and how many lines its body has below the docstring."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1


def verbs() -> Iterator[str]:
    """Yield the first word of each function's docstring; a property's names a thing."""
    for path in EVERY_MODULE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names_a_thing = any("property" in ast.unparse(each) for each in node.decorator_list)
                yield from (ast.get_docstring(node) or "").split()[: not names_a_thing]


VERBS = {*verbs(), "Be", "Hold"}


def direct_dependencies(*extras: str) -> set[str]:
    """Return the names of the packages that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + [
        item for extra in extras for item in project["optional-dependencies"][extra]
    ]
    return {re.split(r"[><=~! ;]", item)[0] for item in wanted}


def test_there_are_protocol_modules() -> None:
    assert {"frames.py", "handshake.py"} <= {path.name for path in SANS_IO}
    assert len(EVERY_MODULE) > len(SANS_IO) > 0


@by_name(SANS_IO)
def test_protocol_modules_do_no_io_and_need_no_third_party(path: Path) -> None:
    tops = {module.split(".")[0] for module in imports(path)}
    optional = {"numpy"} if path.name == "masking.py" else set()
    assert not tops & IO
    assert tops - optional <= sys.stdlib_module_names | {"wslab"}


@by_name([path for path in EVERY_MODULE if not {"lab", "lessons"} & {*path.relative_to(PACKAGE).parts}])
def test_nothing_in_the_protocol_imports_the_lab(path: Path) -> None:
    assert not [module for module in imports(path) if module.startswith(("wslab.lab", "wslab.lessons"))]


@pytest.mark.parametrize("path", SANS_IO, ids=name)
def test_a_protocol_module_loads_no_io(path: Path) -> None:
    # wslab/__init__ also offers what does I/O: it must load that only when it is asked for.
    script = f"import sys, {name(path)}; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-S", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = answer.stdout.split()
    assert name(path) in loaded
    assert not {"asyncio", "socket", "ssl", *HEAVY} & set(loaded)


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = "import sys, wslab; print(*sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = answer.stdout.split()
    assert "wslab" in loaded
    assert not [
        module
        for module in loaded
        if module.split(".")[0] in HEAVY or module in ("wslab.lab", "wslab.lessons")
    ]


@by_name(EVERY_MODULE)
def test_modules_say_what_they_are_and_functions_stay_small(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert not [(function, lines) for function, lines in functions(path) if lines > 30]


@by_name([path for path in EVERY_MODULE if path.name != "__init__.py"])
def test_modules_name_what_they_offer(path: Path) -> None:
    assert re.search(r"^__all__ = ", path.read_text(encoding="utf-8"), re.MULTILINE)


def defined(path: Path) -> set[str]:
    """Return the public names of a file: its functions and classes, and what else it offers to others."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    named = {
        node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    targets = {
        ast.unparse(target)
        for node in body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    offered = {
        n.value
        for node in body
        if "__all__" in ast.unparse(node)
        for n in ast.walk(node)
        if isinstance(n, ast.Constant)
    }
    return {each for each in named if not each.startswith("_")} | targets & offered


def test_no_public_name_stands_for_two_things() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for path in EVERY_MODULE:
        for each in defined(path):
            where[each].append(name(path))
    assert len(where) > 300
    twice = {each: modules for each, modules in where.items() if len(modules) > 1}
    assert not {each: modules for each, modules in twice.items() if each not in TWICE}
    assert set(TWICE) == set(twice), "is no longer defined twice"


@by_name([*EVERY_MODULE, *sorted((ROOT / "tools").glob("*.py"))])
def test_a_class_docstring_names_the_thing(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and not node.name.islower():  # `connect` is called as a function is
            begin = (ast.get_docstring(node) or "A").split()[0]
            assert begin not in VERBS, f"{node.name}: {begin} …"


def test_verbs_are_those_that_functions_begin_with() -> None:
    assert {"Return", "Keep", "Give", "Say"} <= VERBS
    assert not {"A", "An", "The", "What", "One"} & VERBS


@by_name(SANS_IO)
def test_each_protocol_module_has_a_test_module(path: Path) -> None:
    assert (ROOT / "tests" / "protocol" / f"test_{path.name}").exists()


def test_environment_asks_for_the_direct_dependencies_at_the_tested_versions() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    _, pip_lines = text.split("  - pip:\n")
    items = re.findall(r"^ +- (.+)$", pip_lines, re.MULTILINE)
    assert items[:1] == ["-c requirements.txt"]
    assert items[-1:] == ["-e ."]
    assert {re.split("[; ]", item)[0] for item in items[1:-1]} == direct_dependencies("optional")
    assert re.search(r"^  - python=3\.1[123]$", text, re.MULTILINE)


def test_requirements_hold_one_version_of_every_direct_dependency_and_no_address() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "--" not in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    everything = direct_dependencies(*project["optional-dependencies"])
    assert everything <= {line.split("==")[0] for line in text.splitlines() if "==" in line}


def test_a_package_that_a_platform_may_lack_has_a_lesson_and_a_sentence() -> None:
    told = {name for packages, _ in bootstrap.OPTIONAL for name in packages}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert told == direct_dependencies("optional") - direct_dependencies()
    assert set(NEEDS) <= told
    assert {group for groups in bootstrap.GROUPS.values() for group in groups} <= {
        *project["optional-dependencies"]
    }


def test_the_bootstrap_is_read_by_an_old_python() -> None:
    source = (ROOT / "tools" / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))
    assert (bootstrap.OLDEST, bootstrap.NEWEST) == ((3, 11), (3, 13))
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
