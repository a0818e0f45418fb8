"""Write what leads from lesson to lesson: the last line of each notebook and the outline in the README.

Both are computed from the notebooks' names and first cells: nothing has to be kept in step by hand.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
LESSONS = ROOT / "notebooks"
README = ROOT / "README.md"
NAVIGATION = re.compile(r"\n*^\*\*(?:Previous|Next):\*\* (?:.+\n?)+", re.MULTILINE)
BEGIN, END = "<!-- outline: written by make notebooks -->\n", "<!-- end of the outline -->"


def lessons() -> list[Path]:
    """Return the notebooks of the course, in order."""
    return sorted(LESSONS.glob("*.ipynb"))


def opening(path: Path) -> str:
    """Return the source of the first cell of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "".join(cells[0]["source"]) if cells else ""


def title(path: Path) -> str:
    """Return the title of a lesson, like "02 · Shake hands", or its file name as long as it has none."""
    found = re.match(r"# (.+)", opening(path))
    return found[1].strip() if found else path.stem


def promise(path: Path) -> str:
    """Return the sentence under the title: what the learner will have built."""
    found = re.match(r"# .+\n+((?:[^\n*#-].*\n)+)", opening(path))
    return " ".join(found[1].split()) if found else ""


def minutes(path: Path) -> int:
    """Return how long a lesson takes, from its line "**Time:** 25 minutes"; 0 as long as it has none."""
    found = re.search(r"\*\*Time:\*\* (\d+) minutes", opening(path))
    return int(found[1]) if found else 0


def navigation(path: Path, course: Sequence[Path]) -> str:
    """Return the line that leads from a lesson to the ones before and after it."""
    place = course.index(path)
    neighbours = {"Previous": course[max(place - 1, 0) : place], "Next": course[place + 1 : place + 2]}
    links = [f"**{word}:** [{title(to)}]({to.name})" for word, found in neighbours.items() for to in found]
    return " · ".join(links)


def outline(course: Sequence[Path]) -> str:
    """Return the table of lessons for the README."""
    rows = ["| lesson | what you will have built | minutes |", "|---|---|---|"]
    for path in course:
        rows.append(f"| [{title(path)}](notebooks/{path.name}) | {promise(path)} | {minutes(path)} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Write the links into the lessons and the table into the README."""
    course = lessons()
    for path in course:
        notebook = nbformat.read(path, as_version=4)
        last = [cell for cell in notebook.cells if cell.cell_type == "markdown"][-1]
        last.source = f"{NAVIGATION.sub('', last.source).rstrip()}\n\n{navigation(path, course)}".strip()
        path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(before + BEGIN + outline(course) + END + after, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
