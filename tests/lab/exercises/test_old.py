"""The exercises of the lessons that are not ported yet, and their typical mistakes; it goes with the last."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from wslab.lab.exercises.exercise import Exercise, Mistake
from wslab.lessons import check, exercises

ALL = [exercise for exercise in exercises().values() if isinstance(exercise, Exercise)]
MISTAKES = [
    pytest.param(each, mistake, id=f"{each.name}-{number}")
    for each in ALL
    for number, mistake in enumerate(each.mistakes)
]


# -- the declarations ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("exercise", ALL, ids=lambda each: each.name)
def test_an_exercise_is_declared_whole(exercise: Exercise) -> None:
    assert exercise.name == exercise.name.lower().replace("_", "-")
    assert 2 <= len(exercise.hints) <= 3
    assert len(exercise.mistakes) >= 2
    assert exercise.section
    assert exercise.asks == "" or exercise.asks.startswith("my_")
    if not exercise.asynchronous:  # there, a mistake names what its judge must say
        assert all(mistake.sentence.endswith((".", "?")) for mistake in exercise.mistakes)


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES)
def test_a_typical_mistake_gets_its_sentence(exercise: Exercise, mistake: Mistake) -> None:
    verdict = check(exercise.name, mistake.answer)
    assert verdict.state == "wrong"
    assert mistake.sentence in repr(verdict)
    assert exercise.section in repr(verdict) or exercise.asynchronous


def test_there_are_mistakes_to_try() -> None:
    assert len(MISTAKES) >= 2 * len(ALL) > 0


@pytest.mark.parametrize("exercise", ALL, ids=lambda each: each.name)
def test_no_answer_of_any_type_breaks_a_check(exercise: Exercise) -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError("no repr")

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no comparison")

        __hash__ = None  # type: ignore[assignment]

    answers: list[Any] = [None, ..., 5, "x", b"", b"x", {}, {"A": ...}, [], (..., 1), object(), Hostile()]
    answers += [lambda *args, value=value: value for value in answers]
    answers += [lambda: 1, len, int, print, Hostile, {}]
    for answer in answers:
        verdict = check(exercise.name, answer)
        assert verdict.state in ("wrong", "not yet")
        assert "check itself failed" not in repr(verdict)
        assert verdict._repr_html_()


@pytest.mark.parametrize("exercise", [each for each in ALL if each.asks], ids=lambda each: each.name)
def test_an_empty_function_is_not_yet(exercise: Exercise) -> None:
    def stub(*args: Any) -> None: ...

    async def async_stub(*args: Any) -> None: ...

    assert check(exercise.name, async_stub if exercise.asynchronous else stub).state == "not yet"


def test_an_exception_in_a_task_group_shows_the_line_that_raised_it() -> None:
    async def push() -> None:
        raise LookupError("no tick")  # the line

    async def my_handler(websocket: Any) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(push())

    text = repr(check("push-and-receive", my_handler))
    assert "LookupError: no tick" in text
    assert "# the line" in text
