"""tools/outline.py: links through the course and the table of lessons."""

import json
from pathlib import Path

import pytest

from tools.outline import NAVIGATION, minutes, navigation, outline, promise, title

FIRST = "# 02 · Shake hands\n\nYou will have built\na handshake.\n\n**Time:** 25 minutes"

TERMS = "**Terms:** [glossary](glossary.md)"


@pytest.fixture
def course(tmp_path: Path) -> list[Path]:
    """Three lessons, of which the last one is only begun."""
    paths = [tmp_path / name for name in ("00-start.ipynb", "02-handshake.ipynb", "03-frames.ipynb")]
    for path, source in zip(paths, ("# 00 · Start\n", FIRST, ""), strict=True):
        path.write_text(json.dumps({"cells": [{"source": source.splitlines(True)}]}), encoding="utf-8")
    return paths


def test_opening_is_read(course: list[Path]) -> None:
    assert title(course[1]) == "02 · Shake hands"
    assert promise(course[1]) == "You will have built a handshake."
    assert minutes(course[1]) == 25
    assert (title(course[2]), promise(course[2]), minutes(course[2])) == ("03-frames", "", 0)


def test_each_lesson_leads_to_its_neighbours(course: list[Path]) -> None:
    assert navigation(course[0], course) == f"**Next:** [02 · Shake hands](02-handshake.ipynb) · {TERMS}"
    assert navigation(course[2], course) == f"**Previous:** [02 · Shake hands](02-handshake.ipynb) · {TERMS}"
    both = "**Previous:** [00 · Start](00-start.ipynb) · **Next:** [03-frames](03-frames.ipynb)"
    assert navigation(course[1], course) == f"{both} · {TERMS}"
    assert navigation(course[0], course[:1]) == TERMS


def test_outline_has_a_row_for_each_lesson(course: list[Path]) -> None:
    rows = outline(course).splitlines()
    assert len(rows) == 5
    assert rows[3] == (
        "| [02 · Shake hands](notebooks/02-handshake.ipynb) | You will have built a handshake. | 25 |"
    )


def test_a_navigation_line_that_was_wrapped_is_replaced_as_a_whole() -> None:
    text = "## Recap\n\nThree lines.\n\n**Previous:** [a](a.ipynb) · **Next:** [b\nc](b.ipynb)\n"
    assert NAVIGATION.sub("", text) == "## Recap\n\nThree lines."
    assert NAVIGATION.sub("", f"End.\n\n{TERMS}") == "End."
