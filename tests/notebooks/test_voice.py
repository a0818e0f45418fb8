"""Words that no learner should read here: each has a plain English word in its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.course import GLOSSARY, README, ROOT, Lesson, lessons

# What has no right use in this course, and what to write.
REFUSED = {
    r"(?<!an )\boctets?\b": "byte",
    r"\banew\b": "again",
    r"\bgives nothing\b": "returned None",
    r"\b[Ww]ho asks\b": "a client that asks",
    r"\bof (above|before)\b": "above, earlier",
    r"\bas if nothing had been\b": "as if nothing had happened",
    r"\bfor ever\b": "forever",
    r"\bnow and then\b": "sometimes",
    r"\btelephone\b": "phone",
    r"\bsome hundred\b": "a few hundred",
    r"\bquarter of an hour\b": "15 minutes",
    r"\b([Ss]ome|[Aa]ny)body\b": "someone, anyone",
    r"\bdearer\b": "more expensive",
    r"\bis asked here\b": "is expected here",
    r"\bin a cell of your own\b": "in a new cell",
    r"\bYou will have (built|written|seen|raced|done)\b": "You build, write, see …",
    r"\bsomething else than\b": "anything other than",
    r"\bthrown out\b": "disconnected",
    r"\bis no (error|part) of\b": "is not …",
}
PATTERN = {re.compile(pattern): better for pattern, better in REFUSED.items()}


def refused(text: str) -> list[str]:
    """Return each refused word of a text, with what to write in its place."""
    return [f"{found[0]!r}: {better}" for each, better in PATTERN.items() for found in each.finditer(text)]


def texts(lesson: Lesson) -> Iterator[tuple[str, str]]:
    """Yield the prose of a lesson, and what the course itself says in its outputs."""
    for cell in lesson.cells:
        if cell.kind == "markdown":
            yield f"cell {cell.number}", cell.prose
        elif cell.tags & {
            "exercise",
            "solution",
        }:  # verdicts; other outputs show what a chat or a server says
            yield from ((f"output of cell {cell.number}", text) for text in cell.texts)


def test_the_words_are_found() -> None:
    assert refused("An octet stands for ever.") == ["'octet': byte", "'for ever': forever"]
    assert refused("RFC 6455 calls it an octet.") == []


def test_a_lesson_has_no_refused_word(lesson: Lesson) -> None:
    found = [f"{where}: {each}" for where, text in texts(lesson) for each in refused(text)]
    assert not found, "\n".join(found)


PAGES = [README, GLOSSARY, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
EXERCISES = sorted((ROOT / "wslab" / "lessons").rglob("*.py"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_has_no_refused_word(path: Path) -> None:
    assert refused(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_verdict_a_hint_or_a_figure_has_no_refused_word(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    strings = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [each for text in strings for each in refused(text)] == []


def test_there_are_lessons_to_read() -> None:
    assert sum(1 for lesson in lessons() for _ in texts(lesson)) > 200
