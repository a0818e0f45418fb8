"""Write what leads through the course: the last line of each notebook, the links between terms and glossary,
and the outline in the README.

All of it is computed from the notebooks and the glossary: nothing has to be kept in step by hand.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import nbformat

from tools.glossary import GLOSSARY, link, renewed, terms

ROOT = Path(__file__).resolve().parent.parent
LESSONS = ROOT / "notebooks"
README = ROOT / "README.md"
NAVIGATION = re.compile(r"\n*^\*\*(?:Previous|Next|Terms):\*\* (?:.+\n?)+", re.MULTILINE)
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
    """Return the line that leads from a lesson to the ones before and after it, and to the glossary."""
    place = course.index(path)
    neighbours = {"Previous": course[max(place - 1, 0) : place], "Next": course[place + 1 : place + 2]}
    links = [f"**{word}:** [{title(to)}]({to.name})" for word, found in neighbours.items() for to in found]
    return " · ".join([*links, f"**Terms:** [glossary]({GLOSSARY.name})"])


def outline(course: Sequence[Path]) -> str:
    """Return the table of lessons for the README."""
    rows = ["| lesson | what you will have built | minutes |", "|---|---|---|"]
    for path in course:
        rows.append(f"| [{title(path)}](notebooks/{path.name}) | {promise(path)} | {minutes(path)} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Write the links into the lessons and the glossary, and the table into the README in both languages."""
    from tools.chinese import write as write_chinese  # which reads the titles from here

    course = lessons()
    glossary = GLOSSARY.read_text(encoding="utf-8")
    for path in course:
        notebook = nbformat.read(path, as_version=4)
        prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
        for cell in prose:
            cell.source = link(cell.source, terms(glossary))
        last = prose[-1]
        last.source = f"{NAVIGATION.sub('', last.source).rstrip()}\n\n{navigation(path, course)}".strip()
        path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")
    GLOSSARY.write_text(renewed(glossary, course), encoding="utf-8", newline="\n")
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(before + BEGIN + outline(course) + END + after, encoding="utf-8", newline="\n")
    write_chinese(course)


if __name__ == "__main__":
    main()
