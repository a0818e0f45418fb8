"""Make of a stored notebook the source of its page in the reading edition.

Sphinx takes a notebook as it is, but for what this module adds: what is folded, the words of the figures, the
meaning of a term, the address of a section, the picture of a page, and how to run an exercise.
"""

import base64
import copy
import json
import re
from typing import Any

from PIL import Image

from tools.course import LESSONS, Lesson
from tools.outline import NAVIGATION
from tools.site_text import DOCS, HTML, local, preview, sections, titled
from wslab.lab.browser.save_hook import PAGES

DOTS = re.compile(r" Click its three dots[^.]*\.")  # which only JupyterLab has
YOUR_TURN = """```{admonition} Your turn
:class: your-turn
Write your answer in this cell and run it. The output says whether it is right, and if not, why.
This page cannot run it: [open the course](index.md#Run-it) first.
```"""
FOLDS = {"hide-cell": "The solution", "hide-input": "The code of this cell", "hide-output": "What happens"}
Cell = dict[str, Any]


def prose(text: str, known: dict[str, str]) -> str:
    """Return the Markdown of a lesson for its page, given what each term means."""
    text = DOTS.sub("", NAVIGATION.sub("\n", text))  # the page has its own way to the next lesson
    return local(titled(sections(text), known), LESSONS)


def fold(cell: Cell) -> str:
    """Return by which tag a cell is folded on its page; nothing if it is open."""
    hidden = cell["metadata"].get("jupyter", {})
    if "solution" in cell["metadata"].get("tags", []):
        return "hide-cell"  # the verdict below a solution tells it too
    if hidden.get("source_hidden"):
        return "hide-input"
    return "hide-output" if hidden.get("outputs_hidden") and cell["outputs"] else ""


def pictured(cells: list[Cell], number: str) -> None:
    """Put the picture of a lesson's page, with its words, where the notebook first says that it would be.

    A lesson that begins with this picture has shown it.
    """
    if any(f"/page-{number}.png)" in "".join(cell.get("source", "")) for cell in cells):
        return
    outputs = (output for cell in cells for output in cell.get("outputs", []))
    places = (output for output in outputs if PAGES in "".join(output.get("data", {}).get("text/plain", "")))
    picture = DOCS / f"page-{number}.png"
    if picture.exists() and (place := next(places, None)):
        place["data"]["image/png"] = base64.b64encode(picture.read_bytes()).decode()
        with Image.open(picture) as found:
            place["metadata"] = {"image/png": {"alt": found.info["Description"]}}


def words(outputs: list[Cell]) -> str:
    """Return the text alternative of the figures among the outputs of a cell."""
    figures = [output for output in outputs if "image/png" in output.get("data", {})]
    return " ".join(figure["metadata"]["image/png"]["alt"] for figure in figures)


def code(cell: Cell) -> None:
    """Prepare a code cell of a lesson for its page."""
    metadata = cell["metadata"]
    if tag := fold(cell):
        metadata["tags"] = [*metadata.get("tags", []), tag]
        metadata["mystnb"] = {"code_prompt_show": FOLDS[tag], "code_prompt_hide": FOLDS[tag]}
    if alternative := words(cell["outputs"]):
        metadata.setdefault("mystnb", {})["image"] = {"alt": alternative}
    for output in cell["outputs"]:
        if html := output.get("data", {}).get("text/html"):
            output["data"]["text/html"] = sections("".join(html), HTML)


def lesson_page(lesson: Lesson, known: dict[str, str]) -> str:
    """Return a notebook as the source of its page, given what each term means."""
    notebook = copy.deepcopy(lesson.raw)
    notebook["metadata"]["myst"] = preview(lesson.title, lesson.promise)
    pictured(notebook["cells"], lesson.number)
    cells: list[Cell] = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = prose("".join(cell["source"]), known)
        else:
            code(cell)
        if "exercise" in cell["metadata"].get("tags", []):
            turn = {"id": f"{cell['id']}-turn", "cell_type": "markdown", "metadata": {}, "source": YOUR_TURN}
            cells.append(turn)
        cells.append(cell)
    return json.dumps(notebook | {"cells": cells}, ensure_ascii=False)
