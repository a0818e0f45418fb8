"""Write what leads through the course: the last line of each notebook, the links between terms and glossary,
and the outline in the README.

All of it is computed from the notebooks and the glossary: nothing has to be kept in step by hand.
"""

import re
from collections.abc import Sequence

import nbformat

from tools.chinese import write as write_chinese
from tools.course import BEGIN, END, GLOSSARY, README, Lesson, lessons
from tools.glossary import link, renewed, terms

NAVIGATION = re.compile(r"\n*^\*\*(?:Previous|Next|Terms):\*\* (?:.+\n?)+", re.MULTILINE)
TIME = re.compile(r"(?<=^\*\*Time:\*\* )\d+(?= minutes)", re.MULTILINE)


def navigation(lesson: Lesson, course: Sequence[Lesson]) -> str:
    """Return the line that leads from a lesson to the ones before and after it, and to the glossary."""
    place = course.index(lesson)
    neighbours = {"Previous": course[max(place - 1, 0) : place], "Next": course[place + 1 : place + 2]}
    links = [
        f"**{word}:** [{to.title}]({to.path.name})" for word, found in neighbours.items() for to in found
    ]
    return " · ".join([*links, f"**Terms:** [glossary]({GLOSSARY.name})"])


def outline(course: Sequence[Lesson]) -> str:
    """Return the table of lessons for the README."""
    rows = ["| lesson | what you build | minutes |", "|---|---|---|"]
    for each in course:
        rows.append(f"| [{each.title}](notebooks/{each.path.name}) | {each.promise} | {each.minutes} |")
    return "\n".join(rows) + "\n"


def renew(lesson: Lesson, course: Sequence[Lesson], known: Sequence[str]) -> None:
    """Write into a lesson what is computed: its minutes, its links to the glossary and to its neighbours."""
    notebook = nbformat.read(lesson.path, as_version=4)
    prose = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
    for cell in prose:
        cell.source = link(cell.source, known)
    prose[0].source = TIME.sub(str(lesson.minutes), prose[0].source)
    last = prose[-1]
    last.source = f"{NAVIGATION.sub('', last.source).rstrip()}\n\n{navigation(lesson, course)}".strip()
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    lesson.path.write_text(text, encoding="utf-8", newline="\n")


def main() -> None:
    """Write minutes and links into the lessons, the glossary, and the outline in both languages."""
    course = lessons()
    glossary = GLOSSARY.read_text(encoding="utf-8")
    for lesson in course:
        renew(lesson, course, terms(glossary))
    GLOSSARY.write_text(renewed(glossary, lessons()), encoding="utf-8", newline="\n")
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(before + BEGIN + outline(lessons()) + END + after, encoding="utf-8", newline="\n")
    write_chinese(lessons())


if __name__ == "__main__":
    main()
