"""What learners hand in: attempts at the exercises of a lesson, and what each must be told.

``tests/lessons/<lesson>/wrong_answers.py`` lists those of one lesson in ``WRONG`` and ``RIGHT``;
``tests/lessons/test_wrong_answers.py`` tries all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wslab.lab.exercises.verdict import State

__all__ = ["Right", "Wrong", "right", "wrong"]


@dataclass(frozen=True)
class Wrong:
    """A wrong answer.

    Args:
        exercise: its name.
        answer: what is handed in.
        says: words that the first sentence must have; empty where any will do.
        state: "wrong", or "not yet" for an answer that does nothing.
    """

    exercise: str
    answer: Any
    says: str = ""
    state: State = "wrong"


@dataclass(frozen=True)
class Right:
    """A right answer, written in another style than the solution."""

    exercise: str
    answer: Any


def wrong(exercise: str, *attempts: tuple[Any, ...]) -> list[Wrong]:
    """Return wrong answers to one exercise: each an answer, the words, and the state if it is not "wrong"."""
    return [Wrong(exercise, *attempt) for attempt in attempts]


def right(exercise: str, *answers: Any) -> list[Right]:
    """Return right answers to one exercise."""
    return [Right(exercise, answer) for answer in answers]
