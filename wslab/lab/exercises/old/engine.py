"""Judge an answer: run the judge of its exercise within a bound, and turn whatever happens into a verdict.

Nothing that the learner wrote raises through ``judge``; the one exception that passes is their own interrupt
of the kernel. An answer that is a coroutine function is judged by the same plain call: its judge runs in an
event loop of its own (see ``trial``) and passes the answer all it needs, such as the address of a server that
the judge started. So a check never waits for the kernel's loop, which stands still meanwhile.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wslab.lab.exercises.old import trial
from wslab.lab.exercises.old.answer import Answer, NotAValueError, blame, close_quietly, describe, show
from wslab.lab.exercises.old.exercise import Exercise, Fault
from wslab.lab.exercises.old.lost import Lost
from wslab.lab.exercises.old.remarks import remark
from wslab.lab.exercises.verdict import Verdict

__all__ = ["judge"]


def judge(exercise: Exercise, answer: Any) -> Verdict:
    """Return the verdict on an answer.

    Args:
        exercise: what is asked.
        answer: a function itself, a coroutine function itself, or a value.
    """
    verdict = _wrong_kind(exercise, answer)
    return _judge(exercise, answer) if verdict is None else verdict


def _wrong_kind(exercise: Exercise, answer: Any) -> Verdict | None:
    """Refuse what cannot be the answer whatever it holds: nothing, a coroutine, a value for a function."""
    if answer is None or answer is ...:
        sentence = "There is no answer yet."
        if answer is None and exercise.asks:
            sentence += (
                f" If you wrote one, pass the function itself, without parentheses: {_usage(exercise)}."
            )
        return Verdict(exercise.name, "not yet", (sentence,))
    if inspect.isawaitable(answer):
        close_quietly(answer)
        sentence = (
            f"This is a coroutine, what calling an async def gives. {_pass_function(exercise)}"
            if exercise.asks
            else "This is a coroutine, not its value: put await in front of the call."
        )
        return Verdict(exercise.name, "wrong", (sentence,))
    if exercise.asks and not callable(answer):
        rows = (("given", show(answer)),)
        return Verdict(exercise.name, "wrong", (_pass_function(exercise),), rows)
    if not exercise.asks and callable(answer):
        return Verdict(exercise.name, "wrong", ("A value is asked here, not a function.",))
    if sentence := _wrong_definition(exercise, answer):
        return Verdict(exercise.name, "wrong", (sentence,))
    return None if exercise.asks else _open_entries(exercise, answer)


def _wrong_definition(exercise: Exercise, answer: Any) -> str:
    """Say what is wrong with how a function begins: async or not, a generator or not."""
    if inspect.isasyncgenfunction(answer):
        return "yield makes a generator of it. Write return, or collect in a list and return that."
    if exercise.asynchronous and not inspect.iscoroutinefunction(answer):
        return "A coroutine function is asked here: write async def instead of def."
    if inspect.iscoroutinefunction(answer) and not exercise.asynchronous:
        return (
            "This is written with async def, so a call gives a coroutine. Nothing is awaited here: write def."
        )
    return ""


def _open_entries(exercise: Exercise, answer: Any) -> Verdict | None:
    """Say which entries of a value are still open, those that are an ellipsis as in the stub."""
    entries = answer.items() if isinstance(answer, Mapping) else ()
    still_open = [str(key) for key, value in entries if value is ... or value is None]
    if isinstance(answer, (list, tuple, set, frozenset)) and any(value is ... for value in answer):
        still_open = ["..."]
    if not still_open:
        return None
    between = "; " if any("," in entry for entry in still_open) else ", "
    return Verdict(exercise.name, "not yet", (f"Still open: {between.join(still_open)}.",))


def _usage(exercise: Exercise) -> str:
    return f'check("{exercise.name}", {exercise.asks.partition("(")[0]})'


def _pass_function(exercise: Exercise) -> str:
    return f"Pass the function itself, without parentheses: {_usage(exercise)}."


def _judge(exercise: Exercise, answer: Any) -> Verdict:
    name = getattr(answer, "__name__", "")
    name = name if isinstance(name, str) and name.isidentifier() else exercise.asks.partition("(")[0]
    asked = Answer(answer, name, asynchronous=exercise.asynchronous) if exercise.asks else None
    with Lost() as lost:
        outcome = trial.run(exercise.judge, asked or answer, exercise.bound, lost.errors)
        verdict = _verdict(exercise, asked, name, outcome)
        if verdict or asked is None:
            return verdict
        if exercise.asynchronous or outcome.error:
            lost.sweep(outcome.error)
        sentences = (*verdict.sentences, *lost.sentences(asked))
        return replace(verdict, sentences=sentences, rows=(*lost.rows(asked), *verdict.rows))


def _verdict(exercise: Exercise, asked: Answer | None, name: str, outcome: trial.Outcome) -> Verdict:
    if outcome.expired:
        return _expired(exercise, asked, outcome)
    if outcome.error is None and outcome.value is None:
        return Verdict(exercise.name, "right", (exercise.why,) if exercise.why else ())
    if isinstance(outcome.error, NotImplementedError) and blame(outcome.error)[0]:
        return Verdict(exercise.name, "not yet", (f"{name} is not written yet.",))
    if outcome.error and blame(outcome.error)[0]:
        return _raised(exercise, asked, outcome.error)
    if exercise.acts and outcome.error is None and outcome.value.idle:
        return Verdict(exercise.name, "not yet", (f"{asked.last_call if asked else name} does nothing yet.",))
    if asked and asked.values and asked.empty and not asked.returns and not exercise.acts:
        sentence = f"{asked.last_call} gives nothing: it is not written yet, or the return is missing."
        return Verdict(exercise.name, "not yet", (sentence,))
    if outcome.error:
        return _raised(exercise, asked, outcome.error)
    return _wrong(exercise, asked, outcome.value)


def _wrong(exercise: Exercise, asked: Answer | None, fault: Fault) -> Verdict:
    sentence = f"{asked.last_call} {fault.sentence}" if asked else fault.sentence
    sentences = tuple(filter(None, (sentence, exercise.advice(fault))))
    return Verdict(exercise.name, "wrong", sentences, (*fault.rows, ("read", exercise.section)))


def _raised(exercise: Exercise, asked: Answer | None, error: BaseException) -> Verdict:
    """Show an exception: its type and message, and the line of the learner that it came from."""
    theirs, place, line = blame(error)
    what = describe(error)
    if isinstance(error, NotAValueError) and asked:
        return Verdict(exercise.name, "wrong", (f"{asked.last_call} {error}.",))
    if not theirs or asked is None:
        sentence = (
            "The check itself failed on this answer; this is a fault of the course. It is not right as it is."
        )
        return Verdict(exercise.name, "wrong", (sentence,), (("raised", what),))
    if not place:
        sentence = f"{asked.last_call} cannot be called: the exercise asks for {exercise.asks}."
        return Verdict(exercise.name, "wrong", (sentence,), (("raised", what),))
    sentence = f"{asked.last_call} raises an exception. {remark(what)}".rstrip()
    if isinstance(error, SystemExit):
        sentence = f"{asked.last_call} ends the program: use return to leave a function."
    return Verdict(exercise.name, "wrong", (sentence,), (("raised", what), (place, line)))


def _expired(exercise: Exercise, asked: Answer | None, outcome: trial.Outcome) -> Verdict:
    call = asked.last_call if asked and asked.last_call else "Your answer"
    bound = f"{exercise.bound:g} seconds"
    if outcome.held and outcome.stopped:
        sentences = (
            f"{call} lets nothing else run, and was stopped.",
            "Is there a loop without an await in it, or a wait that is not asyncio's, such as time.sleep?",
        )
        return Verdict(exercise.name, "wrong", sentences)
    if outcome.stopped:
        cause = (
            "What it awaits never happens, a loop never ends, or an await is missing."
            if exercise.asynchronous
            else "Is there a loop that never ends?"
        )
        return Verdict(exercise.name, "wrong", (f"{call} did not end within {bound} and was stopped.", cause))
    sentence = (
        "It could not be stopped and goes on in the background: it waits (a sleep, a socket, an input) or "
        "catches every exception. If the kernel becomes slow, restart it."
    )
    what = "lets nothing else run" if outcome.held else f"did not end within {bound}"
    return Verdict(exercise.name, "wrong", (f"{call} {what}.", sentence))
