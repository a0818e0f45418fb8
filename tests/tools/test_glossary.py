"""tools/glossary.py: terms in bold lead to the glossary, and its rows to the lessons."""

import json
from pathlib import Path

import pytest

from tools.course import Lesson
from tools.glossary import RULE, bold, key, link, places, renewed, rows, terms

TERMS = ["frame", "message boundary", "masking-key", "TCP"]


@pytest.mark.parametrize(
    ("source", "linked"),
    [
        ("A **frame** is", "A [**frame**](glossary.md#frame) is"),
        ("**Frames** over **TCP**", "[**Frames**](glossary.md#frame) over [**TCP**](glossary.md#tcp)"),
        ("no **message\nboundaries**.", "no [**message\nboundaries**](glossary.md#message-boundary)."),
        ("| **masking-key** | 32 |", "| [**masking-key**](glossary.md#masking-key) | 32 |"),
        ("**Predict:** what, **frameset**?", "**Predict:** what, **frameset**?"),
        ("`f(**frame**)` and\n```\n**frame**\n```", "`f(**frame**)` and\n```\n**frame**\n```"),
        ("a [**page**](glossary.md#page) that is no term now", "a **page** that is no term now"),
    ],
)
def test_terms_in_bold_are_linked_once(source: str, linked: str) -> None:
    assert link(source, TERMS) == linked
    assert link(linked, TERMS) == linked


def test_bold_phrases_have_the_heading_above_them() -> None:
    sources = ["# One\n\n**a**", "[**b**](glossary.md#b)\n## Two `x`\n**c**\n```\n# no heading\n```", "**d**"]
    assert list(bold(sources)) == [("a", "One"), ("b", "One"), ("c", "Two `x`"), ("d", "Two `x`")]


def test_forms_of_a_term_are_one() -> None:
    assert key("Message\n Boundaries") == key("message boundary")
    assert key("status") == key("Status") != key("state")


def test_rows_are_sorted_and_lead_to_the_first_lesson(tmp_path: Path) -> None:
    sources = {
        "00-start.ipynb": "# 00 · Start\n## What `x(1)` is\n**TCP**",
        "01-next.ipynb": "**TCP** **frames**",
    }
    for name, source in sources.items():
        code = {"cell_type": "code", "source": ["**frame**"], "metadata": {}}
        cells = [code, {"cell_type": "markdown", "source": source.splitlines(True), "metadata": {}}]
        (tmp_path / name).write_text(json.dumps({"cells": cells}), encoding="utf-8")
    course = [Lesson(path) for path in sorted(tmp_path.iterdir())]
    place = "[00 · What `x(1)` is](00-start.ipynb#What-x(1)-is)"
    assert places(course)["tcp"] == place
    before = f"# Glossary\n\n{RULE}| TCP | A stream. | §1 | – |\n| frame | A unit. | – | – |\n"
    after = renewed(before, course)
    assert terms(after) == ["frame", "TCP"]
    assert rows(after)[1] == ["TCP", "A stream.", "§1", place]
    assert after.startswith("# Glossary")
    assert '| TCP | <a id="tcp"></a>A stream. |' in after
    assert renewed(after, course) == after
    assert "no lesson" in renewed(before, course[:1])
