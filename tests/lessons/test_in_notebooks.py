"""The exercises where they are done: stub and solution cell of every exercise, run as the notebook has them.

The stub must be "not yet", the solution "right", both after nothing but the cells tagged ``setup`` before
them. That the typical mistakes get their sentences is in ``test_wrong_answers``.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

import wslab.lessons
from tools.course import lessons
from wslab.lab.exercises.verdict import Verdict
from wslab.lessons import Exercise, course, exercises

LESSONS = {lesson.number: lesson.path for lesson in lessons()}


@dataclass(frozen=True)
class Check:
    """A call of ``check`` in a cell: the names in it, and whether the verdict is recorded."""

    exercise: str
    answer: str
    record: bool


@dataclass(frozen=True)
class Cell:
    number: int
    source: str
    metadata: dict[str, Any]

    @property
    def tags(self) -> list[str]:
        return list(self.metadata.get("tags", []))

    @property
    def checks(self) -> list[Check]:
        return [
            Check(
                exercise=ast.literal_eval(call.args[0]),
                answer=ast.unparse(call.args[1]),
                record=not any(
                    word.arg == "record" and not ast.literal_eval(word.value) for word in call.keywords
                ),
            )
            for call in ast.walk(ast.parse(self.source))
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "check"
        ]


@cache
def code_cells(lesson: str) -> tuple[Cell, ...]:
    document = json.loads(LESSONS[lesson].read_text(encoding="utf-8"))
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    return tuple(
        Cell(number, _without_magics("".join(cell["source"])), cell["metadata"])
        for number, cell in enumerate(cells)
    )


def _without_magics(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))


def run(cells: list[Cell]) -> list[tuple[Cell, Verdict]]:
    """Run cells one after the other in a fresh namespace, and return what their checks say."""
    verdicts: list[tuple[Cell, Verdict]] = []
    namespace: dict[str, Any] = {"__name__": "__main__"}

    async def run_all() -> None:
        for cell in cells:

            def spy(name: str, answer: Any, record: bool = True, cell: Cell = cell) -> Verdict:
                verdicts.append((cell, verdict := wslab.lessons.check(name, answer, record=False)))
                return verdict

            if "setup" not in cell.tags:
                namespace["check"] = spy
            code = compile(cell.source, f"cell {cell.number}", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, namespace)
            if inspect.isawaitable(result):
                async with asyncio.timeout(20):
                    await result

    asyncio.run(run_all())
    return verdicts


def lesson_of(exercise: Exercise) -> str:
    return next(number for number, lesson in course().items() if exercise in lesson)


def find(exercise: Exercise, tag: str, record: bool) -> tuple[list[Cell], Check]:
    """Find the cells of a stub or a solution, and the setup cells that it may use."""
    cells = code_cells(lesson_of(exercise))
    places = [
        (cell, check)
        for cell in cells
        for check in cell.checks
        if check.exercise == exercise.name and check.record is record
        # a lesson may ask in between whether the learner's own answer is right, to run it if it is
        if record or not check.answer.startswith("my_")
    ]
    assert len(places) == 1, f"{exercise.name}: {len(places)} checks with record={record}, 1 is expected"
    cell, check = places[0]
    used = [cell]
    if tag not in cell.tags and tag == "exercise":  # the check may stand in the cell after the stub
        used = [cells[cell.number - 1], cell]
    assert tag in used[0].tags, f"{exercise.name}: no cell with the tag {tag!r}"
    return [each for each in cells[: used[0].number] if "setup" in each.tags] + used, check


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    """Undo what a setup cell does to logging: lesson 04 turns it off, and its last cell is not run here."""
    before = logging.root.manager.disable
    yield
    logging.disable(before)


ALL = pytest.mark.parametrize("exercise", exercises().values(), ids=lambda each: each.name)


@ALL
def test_the_stub_runs_clean_and_is_not_yet(exercise: Exercise) -> None:
    cells, check = find(exercise, "exercise", record=True)
    assert check.answer.startswith("my_")
    verdicts = [verdict for _, verdict in run(cells) if verdict.exercise == exercise.name]
    assert [verdict.state for verdict in verdicts] == ["not yet"], verdicts


@ALL
def test_the_solution_is_right(exercise: Exercise) -> None:
    cells, check = find(exercise, "solution", record=False)
    assert check.answer.startswith("solution_")
    assert cells[-1].metadata.get("jupyter", {}).get("source_hidden") is True
    assert "my_" not in cells[-1].source, "a solution must not touch the learner's names"
    verdicts = [verdict for _, verdict in run(cells) if verdict.exercise == exercise.name]
    assert [verdict.state for verdict in verdicts] == ["right"], verdicts


@ALL
def test_the_solution_stands_behind_the_stub(exercise: Exercise) -> None:
    stub, _ = find(exercise, "exercise", record=True)
    solution, _ = find(exercise, "solution", record=False)
    assert stub[-1].number < solution[-1].number


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_check_names_an_exercise_of_its_lesson(lesson: str) -> None:
    ours = {exercise.name for exercise in course()[lesson]}
    named = {check.exercise for cell in code_cells(lesson) for check in cell.checks}
    assert named == ours


def test_there_are_exercises_in_notebooks() -> None:
    assert LESSONS
    assert any(cell.checks for lesson in LESSONS for cell in code_cells(lesson))
    assert set(course()) <= set(LESSONS)
