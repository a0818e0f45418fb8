"""What lesson 09 says in its text is what its cells and its messages show."""

import re

import pytest

from tools.course import lessons
from wslab.lessons.compression import traffic
from wslab.lessons.compression.bars import bars
from wslab.lessons.compression.measure import traced


def test_the_line_on_the_first_screen_is_the_one_that_is_stored() -> None:
    [lesson] = [each for each in lessons() if each.number == "09"]
    [quoted] = re.findall(r"```text\n(.+)\n```", lesson.opening)
    assert any(quoted in text for cell in lesson.code for text in cell.texts)


@pytest.mark.parametrize(
    ("messages", "size"),
    [
        (traffic.chat(300), 128),
        (traffic.quotes(300), 94),
        (traffic.noise(9), 120),
        (traffic.documents(5), 19_000),
    ],
)
def test_messages_are_as_long_as_the_lesson_says(messages: list[bytes], size: int) -> None:
    assert sum(map(len, messages)) / len(messages) == pytest.approx(size, rel=0.06)


def test_a_figure_says_its_numbers_in_words() -> None:
    figure = bars("A claim", "bytes", {"a": {"here": 1.4, "there": 2.6}, "b": {"here": 3}}, end=1)
    assert figure.alt == "A claim. bytes, about: a, here: 1; a, there: 3; b, here: 3."
    assert (
        bars("A claim", "bytes", {"a": 0.9, "b": 304.4}).alt == "A claim. bytes, about: a: under 1; b: 300."
    )
    assert figure.png().startswith(b"\x89PNG")


def test_memory_is_counted() -> None:
    kept: list[bytes] = []

    def take() -> None:
        kept.append(bytes(2**20))
        bytes(2**22)

    left, most = traced(take)
    assert 2**20 < left < 2**21
    assert most > 5 * 2**20
