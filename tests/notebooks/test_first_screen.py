"""What a lesson quotes on its first screen is what its cells print, to the letter."""

import re

from tools.course import Lesson, lessons

QUOTED = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_quoted_output_is_the_stored_one(lesson: Lesson) -> None:
    stored = {line.rstrip() for cell in lesson.code for text in cell.texts for line in text.splitlines()}
    for quoted in QUOTED.findall(lesson.opening):
        assert {line.rstrip() for line in quoted.splitlines()} <= stored, quoted


def test_some_lessons_quote_their_output() -> None:
    assert any(QUOTED.search(lesson.opening) for lesson in lessons())
