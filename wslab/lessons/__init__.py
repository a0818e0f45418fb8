"""What one lesson alone needs, a folder for each, and its exercises, which answer back.

``check("accept-key", my_accept_key)`` judges an answer, ``hint("accept-key")`` helps, ``progress()`` shows
what is right so far. A lesson takes part by having a folder here with a module ``exercises`` and its tuple
``EXERCISES``.

In a notebook the stub cell has the tag ``exercise``, defines one name ``my_…`` and ends with ``check("name",
my_…)``, there or in the next cell. The solution cell has the tag ``solution`` and the metadata ``{"jupyter":
{"source_hidden": true}}``, defines ``solution_…`` and ends with ``check("name", solution_…, record=False)``.
Both may use what the cells with the tag ``setup`` before them import, and nothing else.
``tests/lessons/test_in_notebooks.py`` holds every notebook to this.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from typing import Any

from wslab.lab.exercises import engine
from wslab.lab.exercises.answer import close_quietly
from wslab.lab.exercises.exercise import Exercise
from wslab.lab.exercises.verdict import Hint, Progress, State, Verdict

__all__ = ["check", "exercises", "hint", "progress"]

# The modules with exercises, in the order of the course.
_MODULES = (
    "start.exercises",
    "polling.exercises",
    "polling.client_exercises",
    "handshake.exercises",
    "handshake.heads_exercises",
    "frames.exercises",
    "frames.stream_exercises",
    "heartbeat.exercises",
    "heartbeat.beat_exercises",
    "echo.exercises",
    "push.exercises",
    "push.push_exercises",
    "push.timer_exercises",
    "chat.exercises",
    "chat.bot_exercises",
)
_states: dict[str, State] = {}  # of each exercise that was checked in this kernel
_hints: dict[str, int] = {}  # how many hints were given


@cache
def exercises() -> dict[str, Exercise]:
    """Return every exercise of the course by name, in the order of the lessons."""
    lessons = [import_module(f"{__name__}.{module}") for module in _MODULES]
    return {exercise.name: exercise for lesson in lessons for exercise in lesson.EXERCISES}


def check(name: str, answer: Any, record: bool = True) -> Verdict:
    """Judge the answer to an exercise.

    Args:
        name: of the exercise, such as "accept-key".
        answer: what the exercise asks: a function itself, a coroutine function itself, or a value.
        record: whether ``progress`` remembers the verdict.

    Returns:
        The verdict, which shows itself; it is true when the answer is right.

    >>> check("accept-kye", None)
    ? no such exercise
      There is no exercise 'accept-kye'. Did you mean 'accept-key'?
    """
    exercise = _find(name)
    if exercise is None:
        close_quietly(answer)
        return Verdict(str(name), "unknown", (_unknown(name),))
    verdict = engine.judge(exercise, answer)
    if record and _states.get(exercise.name) != "right":
        _states[exercise.name] = verdict.state
    return verdict


def hint(name: str) -> Hint:
    """Give the next hint of an exercise; the last one says where the solution is.

    Args:
        name: of the exercise, such as "accept-key".

    >>> hint("")
    → no such exercise
      There is no exercise ''.
    """
    exercise = _find(name)
    if exercise is None:
        return Hint(str(name), _unknown(name), 0, 0)
    where = "The solution is in the folded cell below the exercise: click its three dots to open it."
    sentences = (*exercise.hints, where)
    number = _hints[exercise.name] = min(_hints.get(exercise.name, 0) + 1, len(sentences))
    return Hint(exercise.name, sentences[number - 1], number, len(sentences))


def progress() -> Progress:
    """Tell which exercises are right, of each lesson of which one was checked in this kernel.

    >>> _ = check("accept-key", None)
    >>> any(name == "accept-key" for _, name, _, _ in progress().rows)
    True
    """
    known = exercises()
    lessons = {known[name].lesson for name in _states}
    return Progress(
        tuple(
            (exercise.lesson, exercise.name, exercise.title, _states.get(exercise.name, "not yet"))
            for exercise in known.values()
            if exercise.lesson in lessons
        )
    )


def _find(name: object) -> Exercise | None:
    return exercises().get(name) if isinstance(name, str) else None


def _unknown(name: object) -> str:
    if not isinstance(name, str):
        return 'The name comes first, in quotes, then the answer: check("accept-key", my_accept_key).'
    near = difflib.get_close_matches(name.lower().replace("_", "-"), exercises(), n=3, cutoff=0.5)
    names = " or ".join(repr(other) for other in near)
    return f"There is no exercise {name!r}." + (f" Did you mean {names}?" if near else "")
