"""An exercise: its declaration, and the judges that most of them need.

This module knows how a question is written down and how a given value is compared with an expected one. It
does not know when a judge runs, or what the learner reads: that is ``engine``. To write an exercise, add an
:class:`Exercise` to ``EXERCISES`` of the module of its lesson, with a judge made by :func:`returns` (a
function over cases) or :func:`equals` (a value), or one of your own: a function, or a coroutine function, of
the answer, that gives a :class:`Fault` or None. It calls the answer as the learner wrote it; exceptions are
the engine's.

The cases of a judge begin with one whose expected value is not None: the engine takes a function that gave
nothing but None for an unwritten one.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wslab.lab.exercises.old.answer import show
from wslab.lab.exercises.old.bytes_ import first_difference

__all__ = ["Case", "Exercise", "Fault", "Judge", "Mistake", "equals", "returns", "same"]

Sender = Literal["client", "server"]
NOTHING = object()  # no value was given at all; None is one


@dataclass(frozen=True)
class Fault:
    """Hold what is wrong with an answer.

    Args:
        sentence: what is wrong; the engine puts the call in front when there was one.
        rows: label and text, such as ("expected", "81 05").
        given: the value that was given, by which typical mistakes are recognised.
        call: the arguments of the call that gave it; None when the answer is a value.
        idle: whether the answer did nothing at all, as a stub does; for exercises whose answer ``acts``.
    """

    sentence: str
    rows: tuple[tuple[str, str], ...] = ()
    given: Any = NOTHING
    call: tuple[Any, ...] | None = None
    idle: bool = False


@dataclass(frozen=True)
class Mistake:
    """Hold a typical wrong answer, and the sentence that it deserves.

    Who gives the same wrong value as this answer reads the sentence: it is how mistakes are recognised.
    """

    answer: Any
    sentence: str


@dataclass(frozen=True)
class Case:
    """Hold one call: its arguments, and the value that it must give."""

    args: tuple[Any, ...]
    expected: Any


Judge = Callable[[Any], Any]


@dataclass(frozen=True)
class Exercise:
    """Declare an exercise.

    Args:
        name: in kebab-case, unique in the course.
        lesson: its number, such as "02".
        title: what to do, beginning with a verb.
        asks: the call that is asked, such as "my_accept_key(key)"; empty when a value is asked.
        judge: answer to fault or None; a coroutine function when the answer is one.
        section: where it is read, such as "RFC 6455 §4.2.2".
        hints: two or three sentences, each more telling than the one before.
        mistakes: at least two typical wrong answers.
        why: one sentence for who got it right, on why it matters.
        bound: seconds that the judge may take.
        acts: whether the answer is judged by what it does, such as a handler, and not by what it returns.
    """

    name: str
    lesson: str
    title: str
    judge: Judge
    section: str
    hints: tuple[str, ...]
    mistakes: tuple[Mistake, ...]
    asks: str = ""
    why: str = ""
    bound: float = 2.0
    acts: bool = False

    @property
    def asynchronous(self) -> bool:
        """Tell whether a coroutine function is asked."""
        return inspect.iscoroutinefunction(self.judge)

    def advice(self, fault: Fault) -> str:
        """Give the sentence of the typical mistake that gives the same value, or an empty one."""
        if fault.given is NOTHING or self.asynchronous:
            return ""
        for mistake in self.mistakes:
            try:
                value = mistake.answer if fault.call is None else mistake.answer(*fault.call)
            except Exception:  # this mistake cannot answer this call
                continue
            if same(fault.given, value):
                return mistake.sentence
        return ""


def same(given: Any, expected: Any) -> bool:
    """Tell whether two values are equal; bytes of any type, and lists and tuples, are compared by content.

    >>> same(bytearray(b"a"), b"a"), same([1, b"a"], (1, b"a")), same("a", b"a"), same(True, 1)
    (True, True, False, True)
    """
    if isinstance(expected, (list, tuple)):
        if not isinstance(given, (list, tuple)) or len(given) != len(expected):
            return False
        return all(map(same, given, expected))
    try:
        return bool(given == expected)
    except Exception:  # an array, for example, has no truth
        return False


def compare(
    given: Any, expected: Any, *, before: bytes | None = None, sender: Sender | None = None
) -> Fault | None:
    """Compare a value with the expected one; for bytes, find the first that differs and its field.

    Args:
        given: the learner's value.
        expected: the right one.
        before: the bytes that stand before the value in its frame; None when it is no part of a frame.
        sender: who sends the frame.
    """
    if same(given, expected):
        return None
    rows = [("given", show(given)), ("expected", show(expected))]
    sentence = "gives the wrong value."
    data = isinstance(expected, bytes)
    if data and isinstance(given, (bytes, bytearray)):
        rows.append(("first difference", first_difference(bytes(given), expected, before, sender)))
        sentence = "gives the wrong bytes."
    elif isinstance(given, str) and data:
        sentence = "gives a str where bytes are asked" + (
            ": encode it." if _encodes(given, expected) else "."
        )
    elif isinstance(given, (bytes, bytearray)) and isinstance(expected, str):
        sentence = "gives bytes where a str is asked" + (
            ": decode them." if _encodes(expected, given) else "."
        )
    elif isinstance(given, str) and isinstance(expected, str) and given.strip() == expected:
        sentence = "gives the right text with white space around it."
    elif isinstance(given, str) and isinstance(expected, str) and given.lower() == expected.lower():
        sentence = "gives the right text but for its capitals."
    elif expected is not None and not isinstance(given, type(expected)) and not _numbers(given, expected):
        what = "None" if given is None else f"a value of type {type(given).__name__}"
        sentence = f"gives {what}, not {_base(expected)}."
    return Fault(sentence, tuple(rows), given=given)


def _encodes(text: str, data: bytes | bytearray) -> bool:
    """Tell whether encoding the text gives the bytes: only then is it all that is missing."""
    return text.encode("utf-8", "surrogatepass") == data


def _numbers(*values: object) -> bool:
    """Tell whether values are numbers, of which an int and a float differ by value and not by type."""
    return all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _base(value: object) -> str:
    """Name a type as a learner knows it: an enum of integers is an int; a tuple with names has its own."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value).__name__
    known = (bool, int, bytes, str, list, tuple, dict, set)
    return next((kind.__name__ for kind in known if isinstance(value, kind)), type(value).__name__)


def returns(
    *cases: Case,
    before: Callable[..., bytes] | None = None,
    sender: Sender | None = None,
    keeps: bool = False,
) -> Judge:
    """Make the judge of a function: it calls the answer with each case, up to the first wrong value.

    Args:
        cases: calls and their values; the first expects something else than None.
        before: given the arguments of a case, the bytes that stand before the value in its frame; None when
            the values are not part of a frame.
        sender: who sends the frame.
        keeps: whether the answer must leave what it is given as it is.
    """

    def judge(answer: Any) -> Fault | None:
        for case in cases:
            prefix = before(*case.args) if before else None
            args = copy.deepcopy(case.args)  # an answer may change what it is given
            fault = compare(answer(*args), case.expected, before=prefix, sender=sender)
            if fault:
                return Fault(fault.sentence, fault.rows, fault.given, case.args)
            if keeps and args != case.args:
                rows = (("given to it", show(list(case.args))), ("left behind", show(list(args))))
                return Fault("gives the right value, but changes what it is given.", rows, call=case.args)
        return None

    return judge


def _near_miss(given: Any, expected: Any) -> str:
    """Say what a text lacks that only looks different from the expected value; else return an empty text."""
    if not isinstance(given, str) or given.strip().lower() != str(expected).lower():
        number = isinstance(given, (int, float))
        return "Write True or False, without quotes." if isinstance(expected, bool) and not number else ""
    if isinstance(expected, str):
        return "The word is right; write it with the capitals of the question, and no spaces around it."
    return f"This is a text. Write the value without quotes: it is of type {type(expected).__name__}."


def equals(
    expected: Mapping[str, Any],
    reasons: Mapping[str, str],
    noun: str = "entry",
    choices: tuple[str, ...] = (),
) -> Judge:
    """Make the judge of a dictionary: it names the first key whose value is wrong, and why.

    Args:
        expected: the right answer.
        reasons: for each key, a sentence that leads to its value without telling it.
        noun: what a key stands for, such as "request".
        choices: the only texts that are possible, if the question names them.
    """
    *others, last = map(repr, choices or ("",))
    only = f"Only {', '.join(others)} and {last} are possible. "

    def judge(answer: Any) -> Fault | None:
        if not isinstance(answer, Mapping):
            return Fault(f"Your answer is of type {type(answer).__name__}, not a dict.", given=answer)
        for key, value in expected.items():
            if key not in answer:
                return Fault(f"The {noun} {key!r} is missing in your answer.", given=answer)
            if not same(answer[key], value):
                strange = choices and not any(same(answer[key], choice) for choice in choices)
                look_at = _near_miss(answer[key], value) or (only if strange else "") + reasons[key]
                rows = (("given", show(answer[key])), ("look at", look_at))
                return Fault(f"The {noun} {key!r} is wrong.", rows, given=answer)
        if surplus := [key for key in answer if key not in expected]:
            return Fault(f"There is no {noun} {show(surplus[0])} in the question.", given=answer)
        return None

    return judge
