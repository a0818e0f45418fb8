"""Every stored attempt at an exercise: wrong ones are refused in the right words, right ones accepted."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.support.attempts import Right, Wrong
from wslab.lab.exercises.kinds import Value
from wslab.lessons import check, exercises

STORED = [
    import_module(f"tests.lessons.{path.parent.name}.wrong_answers")
    for path in sorted(Path(__file__).parent.glob("*/wrong_answers.py"))
]
WRONG: list[Wrong] = [each for module in STORED for each in module.WRONG]
RIGHT: list[Right] = [each for module in STORED for each in module.RIGHT]
FEWEST_WRONG = 6
FEWEST_RIGHT = 3  # of a function; there is one way to write a dictionary


def numbered(attempts: list[Any]) -> list[Any]:
    return [pytest.param(each, id=f"{each.exercise}-{number}") for number, each in enumerate(attempts)]


@pytest.mark.parametrize("wrong", numbered(WRONG))
def test_a_wrong_answer_is_refused_and_its_first_sentence_says_why(wrong: Wrong) -> None:
    verdict = check(wrong.exercise, wrong.answer, record=False)
    assert verdict.state == wrong.state, repr(verdict)
    assert wrong.says in verdict.sentences[0], repr(verdict)


@pytest.mark.parametrize("right", numbered(RIGHT))
def test_a_right_answer_of_another_style_is_accepted(right: Right) -> None:
    verdict = check(right.exercise, right.answer, record=False)
    assert verdict, repr(verdict)


def test_there_are_enough_attempts_at_each_exercise() -> None:
    for name, exercise in exercises().items():
        wrong = [each for each in WRONG if each.exercise == name]
        right = [each for each in RIGHT if each.exercise == name]
        assert len(wrong) >= FEWEST_WRONG, f"{name}: {len(wrong)} wrong answers"
        if not isinstance(exercise, Value):
            assert len(right) >= FEWEST_RIGHT, f"{name}: {len(right)} right answers"
