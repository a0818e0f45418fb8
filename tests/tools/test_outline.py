"""tools/outline.py: minutes, links through the course and the table of lessons."""

import json
from pathlib import Path

import pytest

from tools.course import Lesson
from tools.outline import NAVIGATION, TIME, navigation, outline

FIRST = "# 02 · Shake hands\n\nYou build\na handshake.\n\n**Time:** 25 minutes"
TERMS = "**Terms:** [glossary](glossary.md)"


def cell(kind: str, source: str, *tags: str) -> dict[str, object]:
    """Build a cell."""
    return {"cell_type": kind, "source": source.splitlines(True), "metadata": {"tags": list(tags)}}


@pytest.fixture
def course(tmp_path: Path) -> list[Lesson]:
    """Three lessons, of which the last one is only begun."""
    paths = [tmp_path / name for name in ("00-start.ipynb", "02-handshake.ipynb", "03-frames.ipynb")]
    for path, source in zip(paths, ("# 00 · Start\n", FIRST, ""), strict=True):
        path.write_text(json.dumps({"cells": [cell("markdown", source)]}), encoding="utf-8")
    return [Lesson(path) for path in paths]


def test_opening_is_read(course: list[Lesson]) -> None:
    assert (course[1].title, course[1].number) == ("02 · Shake hands", "02")
    assert course[1].promise == "You build a handshake."
    assert (course[2].title, course[2].promise, course[2].minutes) == ("03-frames", "", 5)


def test_minutes_count_words_cells_lines_and_exercises_but_no_solution(tmp_path: Path) -> None:
    cells = [
        cell("markdown", "# 02 · Try\n\n" + "word " * 1996),
        *[cell("code", "a\n\nb")] * 20,
        *[cell("markdown", "### Exercise: write it")] * 3,
        *[cell("code", "x\n" * 90, "solution")] * 3,
    ]
    path = tmp_path / "02-try.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert Lesson(path).minutes == 35  # words 10, cells 10, lines 4, exercises 12
    assert TIME.sub("35", FIRST).endswith("**Time:** 35 minutes")


def test_each_lesson_leads_to_its_neighbours(course: list[Lesson]) -> None:
    assert navigation(course[0], course) == f"**Next:** [02 · Shake hands](02-handshake.ipynb) · {TERMS}"
    assert navigation(course[2], course) == f"**Previous:** [02 · Shake hands](02-handshake.ipynb) · {TERMS}"
    both = "**Previous:** [00 · Start](00-start.ipynb) · **Next:** [03-frames](03-frames.ipynb)"
    assert navigation(course[1], course) == f"{both} · {TERMS}"
    assert navigation(course[0], course[:1]) == TERMS


def test_outline_has_a_row_for_each_lesson(course: list[Lesson]) -> None:
    rows = outline(course).splitlines()
    assert len(rows) == 5
    assert rows[3] == "| [02 · Shake hands](notebooks/02-handshake.ipynb) | You build a handshake. | 5 |"


def test_a_navigation_line_that_was_wrapped_is_replaced_as_a_whole() -> None:
    text = "## Recap\n\nThree lines.\n\n**Previous:** [a](a.ipynb) · **Next:** [b\nc](b.ipynb)\n"
    assert NAVIGATION.sub("", text) == "## Recap\n\nThree lines."
    assert NAVIGATION.sub("", f"End.\n\n{TERMS}") == "End."
