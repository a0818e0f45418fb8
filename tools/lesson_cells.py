"""A program that a lesson builds, taken from its cells: those with one of some tags, one after the other.

Pictures and tests run these programs as they stand in the notebooks, outside Jupyter. So do readers who copy
the cells into a file of their own.
"""

import ast
import inspect
import linecache
from pathlib import Path
from typing import Any

from tools.course import Lesson, lessons

__all__ = ["await_cells", "run_cells", "source_of"]


def source_of(notebook: Path, *tags: str) -> str:
    """Return the cells with one of the tags as one file, in the order of the notebook."""
    cells = [cell.source for cell in Lesson(notebook).code if cell.tags & {*tags}]
    return "\n\n\n".join(cells) + "\n"


def run_cells(notebook: Path, *tags: str, **given: Any) -> dict[str, Any]:
    """Run the cells with one of the tags, and return their globals.

    Args:
        notebook: the file of the lesson.
        tags: which cells.
        given: names that the cells find, such as an answer to an exercise.
    """
    namespace: dict[str, Any] = {"__name__": notebook.stem, **given}
    source = source_of(notebook, *tags)
    # For inspect.getsource, by which a cell takes the source of a function.
    linecache.cache[notebook.name] = (len(source), None, source.splitlines(keepends=True), notebook.name)
    exec(compile(source, notebook.name, "exec"), namespace)
    return namespace


async def await_cells(number: str, names: dict[str, Any], *ids: str) -> None:
    """Run cells of a lesson by their ids, in this order, on the running event loop, as a kernel does.

    Args:
        number: of the lesson, such as "08".
        names: the globals that the cells find, and add to.
        ids: which cells.
    """
    [lesson] = [each for each in lessons() if each.number == number]
    sources = {cell.raw["id"]: cell.source for cell in lesson.code}
    for each in ids:
        result = eval(compile(sources[each], each, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.isawaitable(result):
            await result
