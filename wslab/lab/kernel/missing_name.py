"""Cells out of order: when a name is missing that another cell of the notebook makes, say which cell.

Every kernel of the course's environment loads this module when it starts (``config/ipython`` in the course's
folder, the package installs it), so it is there after a restart, before any cell has run. A ``NameError`` is
then shown as a sentence, if a cell of the notebook binds the name; the cell fails as it did. So is a
connection that is refused, since the server is then not started yet, or closed already. Every other error,
the misspelled name that no cell binds among them, is shown as Python shows it.

JupyterLab and Notebook 7 tell a kernel which notebook it runs, and which cell. Without that, as in the tests
of the notebooks, nothing changes. The notebook is read as it was last saved, and nothing is written.
"""

from __future__ import annotations

import ast
import json
import os
import re
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["advice", "bound_names", "load_ipython_extension"]

# These have their own scope: the names in them are not those of the notebook.
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_BEGINS = re.compile(r"^(?:async +)?(?:def|class) +(\w+)|^(\w+) *=(?!=)", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LONGEST = 60  # characters of a cell's first line
_REFUSED = (
    "Nothing listens on that port. The last cell of a lesson closes its servers. Run the cell that starts "
    "this server again, or use the menu: Kernel, Restart Kernel and Run up to Selected Cell."
)


def bound_names(source: str) -> set[str]:
    """Return the names that a cell binds for the cells after it; in invalid Python, those that can be seen.

    >>> sorted(bound_names("import json as j\\nasync with f() as (tap, ws):\\n    n = [x for x in ws]"))
    ['j', 'n', 'tap', 'ws']
    """
    try:
        return set(_bound(ast.parse(source)))
    except (SyntaxError, ValueError):  # the learner has to run it all the same, to see what is wrong with it
        return {name for names in _BEGINS.findall(source) for name in names if name}


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, (*_DEFINITIONS, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    if not isinstance(node, (*_DEFINITIONS, *_COMPREHENSIONS)):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def advice(name: str, cells: list[dict[str, Any]], running: str | None = None) -> str:
    """Return which cell of a notebook makes a name; nothing if no other cell than the running one does.

    Of several cells it is the last one above the running cell, or else the first of all.

    Args:
        name: the missing one.
        cells: of the notebook, as nbformat 4 has them.
        running: the id of the cell that runs, if it is known.

    >>> cells = [{"cell_type": "code", "source": "import time", "metadata": {}}]
    >>> print(advice("time", cells))
    "time" comes from the first code cell. Run that cell first, then this one again.
    """
    ids = [cell.get("id") for cell in cells]
    here = ids.index(running) if running is not None and running in ids else len(cells)
    code = [number for number, cell in enumerate(cells) if cell["cell_type"] == "code"]
    makers = [number for number in code if number != here and name in bound_names(_source(cells[number]))]
    if not makers:
        return ""
    maker = max((number for number in makers if number < here), default=makers[0])
    if maker == code[0]:
        return f'"{name}" comes from the first code cell. Run that cell first, then this one again.'
    line = next(line for line in _source(cells[maker]).splitlines() if line.strip())
    line = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
    all_above = " Or run all cells above: menu Run, Run All Above Selected Cell." if maker < here else ""
    return (
        f'"{name}" comes from the cell{_section(cells[:maker])} that begins with\n    {line}\n'
        f"Run that cell first, then this one again.{all_above}"
    )


def _section(cells: list[dict[str, Any]]) -> str:
    prose = "\n".join(_source(cell) for cell in cells if cell["cell_type"] == "markdown")
    headings = re.findall(r"^#+ +(.+?) *$", _FENCE.sub("", prose), re.MULTILINE)
    return f' in the section "{headings[-1]}"' if headings else ""


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


class _Watch:
    """A watch on which cell runs, which shows a missing name in the way of this module.

    Args:
        shell: the InteractiveShell of the kernel.
        path: of the notebook.
    """

    def __init__(self, shell: Any, path: Path) -> None:
        self._shell, self._path = shell, path
        self._running: str | None = None

    def begins(self, info: Any) -> None:
        """Note the cell that begins to run."""
        self._running = info.cell_id

    def show(
        self,
        shell: Any,
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType,
        tb_offset: int | None = None,
    ) -> None:
        """Show an error as Python does, or as a sentence instead of the traceback."""
        sentences = self._advice(error)
        if sentences:
            text = f"{kind.__name__}: {error}\n\n{sentences}"
            error._render_traceback_ = lambda: [text]  # type: ignore[attr-defined]  # what IPython asks for
        shell.showtraceback((kind, error, trace), tb_offset=tb_offset)

    def _advice(self, error: BaseException) -> str:
        """Return the advice for a name that is missing in the notebook itself, or for a server that is."""
        if isinstance(error, ConnectionRefusedError):
            return _REFUSED
        name = getattr(error, "name", None)
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        if type(error) is not NameError or not name or frame.f_globals is not self._shell.user_ns:
            return ""
        try:
            cells = json.loads(self._path.read_text(encoding="utf-8"))["cells"]
            return advice(name, cells, self._running)
        except Exception:  # the file has moved, or is no notebook of this format: the error speaks for itself
            return ""


def load_ipython_extension(shell: Any) -> None:
    """Have a kernel say which cell to run first, if it knows which notebook it runs."""
    path = os.environ.get("JPY_SESSION_NAME", "")
    if path.endswith(".ipynb"):
        watch = _Watch(shell, Path(path))
        shell.events.register("pre_run_cell", watch.begins)
        shell.set_custom_exc((NameError, ConnectionRefusedError), watch.show)
