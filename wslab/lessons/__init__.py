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
from collections.abc import Collection
from functools import cache
from importlib import import_module
from typing import Any

from wslab.lab.exercises.answer import close_quietly
from wslab.lab.exercises.engine import verdict_on
from wslab.lab.exercises.kinds import Exercise
from wslab.lab.exercises.verdict import Hint, State, Verdict
from wslab.lessons import done
from wslab.lessons.done import Progress

__all__ = ["Exercise", "check", "course", "exercises", "hint", "progress"]

# Number of a lesson to its folder, in the order of the course.
FOLDERS = {
    "00": "start",
    "01": "polling",
    "02": "handshake",
    "03": "frames",
    "04": "heartbeat",
    "05": "echo",
    "06": "push",
    "07": "chat",
    "08": "security",
    "09": "compression",
    "10": "resilience",
    "11": "scale",
    "12": "build",
}
_states: dict[str, State] = {}  # of each exercise that was checked in this kernel
_hints: dict[str, int] = {}  # how many hints were given


@cache
def course() -> dict[str, tuple[Exercise, ...]]:
    """Return the exercises of each lesson, by its number, in the order of the course."""
    return {
        number: import_module(f"{__name__}.{folder}.exercises").EXERCISES
        for number, folder in FOLDERS.items()
    }


def exercises() -> dict[str, Exercise]:
    """Return every exercise of the course by name, in the order of the lessons."""
    return {exercise.name: exercise for lesson in course().values() for exercise in lesson}


def check(name: str, answer: Any, record: bool = True) -> Verdict:
    """Judge the answer to an exercise.

    Args:
        name: of the exercise, such as "accept-key".
        answer: what the exercise asks for: a function itself, a coroutine function itself, or a value.
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
        return Verdict("unknown", (_unknown(name),), exercise=str(name))
    verdict = verdict_on(exercise, answer)
    if record and _states.get(exercise.name) != "right":
        _states[exercise.name] = verdict.state
        if verdict:
            done.remember(exercise.name)
    return verdict


def hint(name: str) -> Hint:
    """Return the next hint of an exercise; the last one says where the solution is.

    Args:
        name: of the exercise, such as "accept-key".

    >>> hint("")
    → no such exercise
      There is no exercise ''.
    """
    exercise = _find(name)
    if exercise is None:
        return Hint(str(name), _unknown(name), 0, 0)
    sentences = (*exercise.hints, "A solution is folded below the exercise. Click its three dots.")
    number = _hints[exercise.name] = min(_hints.get(exercise.name, 0) + 1, len(sentences))
    return Hint(exercise.title, sentences[number - 1], number, len(sentences))


def progress(*, forget: bool = False) -> Progress:
    """Show which exercises of all lessons are right, those of earlier kernels of this user included.

    It is seen while you work, and never stored in a notebook.

    Args:
        forget: whether to forget all of them first.

    >>> progress()
    Run this cell in JupyterLab to see which exercises are right so far.
    """
    if forget:
        _states.clear()
        done.forget()
    right = done.remembered() | {name for name, state in _states.items() if state == "right"}
    return Progress(
        tuple(
            (f"{number} {FOLDERS[number]}", tuple((each.title, _state(each.name, right)) for each in lesson))
            for number, lesson in course().items()
        )
    )


def _state(name: str, right: Collection[str]) -> State:
    return "right" if name in right else _states.get(name, "not yet")


def _find(name: object) -> Exercise | None:
    return exercises().get(name) if isinstance(name, str) else None


def _unknown(name: object) -> str:
    if not isinstance(name, str):
        return 'The name comes first, in quotes, then the answer: check("accept-key", my_accept_key).'
    near = difflib.get_close_matches(name.lower().replace("_", "-"), exercises(), n=3, cutoff=0.5)
    names = " or ".join(repr(other) for other in near)
    return f"There is no exercise {name!r}." + (f" Did you mean {names}?" if near else "")
