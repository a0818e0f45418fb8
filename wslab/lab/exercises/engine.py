"""From an answer to a verdict: nothing that the learner wrote raises through ``verdict_on``.

The one exception that passes is their own interrupt of the kernel. The exercise's ``judge`` says what is
wrong with a value or a call, ``trial`` how the code ended; here it becomes what the learner reads.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from wslab.lab.exercises import trial
from wslab.lab.exercises.answer import Answer, NotAValueError, close_quietly, describe, line_of_task, one_line
from wslab.lab.exercises.kinds import Exercise, Fault
from wslab.lab.exercises.remarks import remark
from wslab.lab.exercises.verdict import Verdict

__all__ = ["verdict_on"]

_OURS = "The check itself failed on this answer: a fault of the course. The answer is not right either."
_UNHEARD = "A task that you started ended with an exception, and nobody awaited it. A server logs that."
_WAITS = "It could not be stopped and goes on in the background: it waits (a sleep, a socket, an input) or "
_WAITS += "catches every exception. If the kernel becomes slow, restart it."
_NAMES_AWAIT = re.compile(r"\bawait|\bcreate_task|\basync ")


def verdict_on(exercise: Exercise, answer: Any) -> Verdict:
    """Return the verdict on an answer: a function itself, a coroutine function itself, or a value."""
    found = _refuse(exercise, answer)
    found = _try(exercise, answer) if found is None else found  # a verdict is true only when it is "right"
    said = tuple(filter(None, found.sentences))
    return replace(found, sentences=said, exercise=exercise.name, title=exercise.title)


def _refuse(exercise: Exercise, answer: Any) -> Verdict | None:
    """Refuse what cannot be the answer whatever it holds: nothing, a coroutine, a value for a function."""
    usage = f'check("{exercise.name}", {exercise.asks.partition("(")[0] or "my_answer"}).'
    if answer is None or answer is ...:
        more = f" If you wrote one, pass the function itself, without parentheses: {usage}"
        return Verdict("not yet", ("There is no answer yet." + (more if exercise.asks else ""),))
    if inspect.isawaitable(answer):
        close_quietly(answer)
        called = f"You called the function. Pass the function itself, without parentheses: {usage}"
        waited = "This is a coroutine, not its value. Put await in front of the call."
        return Verdict("wrong", (called if exercise.asks else waited,))
    if not exercise.asks:
        return Verdict("wrong", ("Pass a value, not a function.",)) if callable(answer) else _open(answer)
    if not callable(answer):
        sentence = f"Pass the function itself, without parentheses: {usage}"
        return Verdict("wrong", (sentence,), (("given", one_line(answer)),))
    return _misdefined(exercise, answer)


def _misdefined(exercise: Exercise, answer: Any) -> Verdict | None:
    """Refuse a function that begins in the wrong way: async or not, a generator or not."""
    if inspect.isasyncgenfunction(answer):
        return Verdict("wrong", ("yield makes it a generator. Write return, or return a list.",))
    if exercise.asynchronous and not inspect.iscoroutinefunction(answer):
        return Verdict("wrong", ("Write async def instead of def: the exercise awaits your function.",))
    if inspect.iscoroutinefunction(answer) and not exercise.asynchronous:
        return Verdict("wrong", ("Write def instead of async def: nothing here awaits your function.",))
    names = [getattr(answer, "__name__", ""), *getattr(getattr(answer, "__code__", None), "co_names", ())]
    if borrowed := [name for name in names if name in exercise.borrows]:
        return Verdict("wrong", (f"{borrowed[0]} is the course's own function. Write the steps yourself.",))
    return None


def _open(answer: Any) -> Verdict | None:
    """Return "not yet" for a value with entries still to fill in: an ellipsis, as in the stub, or None."""
    entries = answer.items() if isinstance(answer, Mapping) else ()
    still = [str(key) for key, value in entries if value is ... or value is None]
    if isinstance(answer, (list, tuple, set, frozenset)) and any(value is ... for value in answer):
        still = ["..."]
    between = "; " if any("," in entry for entry in still) else ", "
    return Verdict("not yet", (f"Still to fill in: {between.join(still)}.",)) if still else None


def _try(exercise: Exercise, answer: Any) -> Verdict:
    name = getattr(answer, "__name__", "")
    name = name if isinstance(name, str) and name.isidentifier() else exercise.asks.partition("(")[0]
    if not exercise.asks:
        outcome = trial.run(exercise.judge, answer, exercise.bound)
        return _found(exercise, Answer(type(answer), "Your answer"), outcome)
    asked = Answer(answer, name)
    outcome = trial.run(exercise.judge, asked, exercise.bound)
    found = _found(exercise, asked, outcome)
    lost = [(error, line) for error in outcome.unheard if (line := line_of_task(error, asked))]
    rows = (("raised in a task", describe(lost[0][0])), lost[0][1]) if lost else ()
    if found.state == "right" and lost:
        found = Verdict("wrong", (_UNHEARD,))
    forgotten = tuple(_forgotten(outcome, asked))  # most likely the cause, where nothing else names it
    named = found.state != "wrong" or _NAMES_AWAIT.search("".join(found.sentences))
    said = found.sentences + forgotten if named else forgotten + found.sentences
    return Verdict(found.state, said, (*rows, *found.rows))


def _found(exercise: Exercise, asked: Answer, outcome: trial.Outcome) -> Verdict:
    if outcome.expired:
        return _expired(exercise, asked.call, outcome)
    if outcome.error is not None:
        return _raised(exercise, asked, outcome.error)
    fault: Fault | None = outcome.value
    if fault is None:
        return Verdict("right", (exercise.why,))
    sentence = f"{asked.call} {fault.sentence}" if exercise.asks else fault.sentence
    if fault.idle:
        return Verdict("not yet", (sentence,))
    return Verdict("wrong", (fault.advice, sentence), (*fault.rows, ("read", exercise.section)))


def _raised(exercise: Exercise, asked: Answer, error: BaseException) -> Verdict:
    """Return the verdict on an exception: its type and message, and the learner's line that raised it."""
    theirs, line = asked.blame(error)
    what = describe(error)
    if isinstance(error, NotAValueError):
        return Verdict("wrong", (f"{asked.call} {error}",))
    if not theirs:
        return Verdict("wrong", (_OURS,), (("raised", what),))
    if isinstance(error, NotImplementedError):
        return Verdict("not yet", (f"{asked.call} is not written yet.",))
    if not line:
        sentence = f"{asked.call} cannot be called like this. Write it so that {exercise.asks} works."
        return Verdict("wrong", (sentence,), (("raised", what),))
    sentence = f"{asked.call} raised an exception."
    if isinstance(error, SystemExit):
        sentence = f"{asked.call} ended the program. Write return to leave a function."
    advice = getattr(error, "advice", "") or remark(what)
    return Verdict("wrong", (advice, sentence), (("raised", what), *line))


def _expired(exercise: Exercise, call: str, outcome: trial.Outcome) -> Verdict:
    within = f"{call} did not end within {exercise.bound:g} seconds"
    held = f"{call} lets nothing else run"
    if not outcome.stopped:
        return Verdict("wrong", (f"{held if outcome.held else within}.", _WAITS))
    if outcome.held:
        cause = "Is there a loop without an await in it, or a wait that is not asyncio's, such as time.sleep?"
        return Verdict("wrong", (f"{held}, and was stopped.", cause))
    cause = "Is there a loop that never ends?"
    if exercise.asynchronous:
        cause = "What it awaits never happens, a loop never ends, or an await is missing."
    return Verdict("wrong", (f"{within} and was stopped.", cause))


def _forgotten(outcome: trial.Outcome, asked: Answer) -> Iterator[str]:
    """Yield a sentence for each coroutine that nobody awaited, with its line where that is the learner's."""
    for name, (file, line) in outcome.forgotten.items():
        if file == asked.file or not name.startswith("_"):
            place = f" (line {line})" if file == asked.file else ""
            yield f"{name}(…){place} returns a coroutine, and nobody awaits it, so it does nothing."
