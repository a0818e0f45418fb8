"""The three kinds of exercise: a value, a function that is compared with the right one, one that is watched.

A lesson declares its exercises in its own folder. The right answer is a value or a function of the course. A
typical mistake is a wrong answer with the sentence that it deserves: a learner reads it if that wrong answer
agrees with theirs in the call that failed and in every call before it. What is compared is compared by
content; floating-point numbers need not be equal to the last bit.
"""

from __future__ import annotations

import copy
import inspect
import math
import numbers
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wslab.lab.dissector.difference import Sender, first_difference, marked
from wslab.lab.exercises.answer import Answer, describe, one_line
from wslab.lab.exercises.verdict import Rows

__all__ = ["NOTHING_YET", "Exercise", "Fault", "Function", "Value", "Watched", "compare", "same"]

CALLS_DRAWN = 20  # calls that are drawn besides the fixed ones
_UNWRITTEN = "returned None. Write the function, or add the missing return."


@dataclass(frozen=True)
class Fault:
    """What is wrong with an answer."""

    sentence: str  # the call is put in front of it when there was one
    rows: Rows = ()  # label and text, such as ("expected", "81 05")
    idle: bool = False  # whether the answer did nothing at all, as a stub does: then it is "not yet"
    advice: str = ""  # a sentence on the cause of the mistake; it is read first


NOTHING_YET = Fault("does nothing yet. Write its body.", idle=True)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What every exercise has."""

    name: str  # in kebab-case, unique in the course
    title: str  # what to do, beginning with a verb
    section: str  # where to read about it, such as "RFC 6455 §4.2.2"
    hints: tuple[str, ...]  # two or three sentences: where to look, what to use, nearly the line
    why: str = ""  # one sentence for a right answer, on why it matters
    bound: float = 2.0  # seconds that judging may take
    asks: str = ""  # the call that is expected, such as "my_accept_key(key)"; empty for a value
    borrows: tuple[str, ...] = ()  # functions of the course that the answer may not be, nor call

    @property
    def asynchronous(self) -> bool:
        """Whether a coroutine function is expected."""
        return inspect.iscoroutinefunction(getattr(self, "judge", None))


@dataclass(frozen=True, kw_only=True)
class Value(_Asked):
    """A question whose answer is a dictionary."""

    right: Mapping[str, Any]
    look_at: Mapping[str, str]  # for each key, a sentence that leads to its value without telling it
    mistakes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # sentence to wrong entries
    noun: str = "entry"  # what a key stands for, such as "request"
    choices: tuple[str, ...] = ()  # the only texts that are possible, if the question names them
    within: float = 0.0  # by how much a number may differ, where the question asks for an estimate

    def judge(self, answer: Any) -> Fault | None:
        """Return the first entry that is wrong, and where to look for the right one."""
        if not isinstance(answer, Mapping):
            return Fault(f"Your answer is of type {type(answer).__name__}, not a dict.")
        for key, value in self.right.items():
            if key not in answer:
                return Fault(f"The {self.noun} {key!r} is missing in your answer.")
            if not same(answer[key], value, self.within):
                look_at = self._near_miss(answer[key], value) or self.look_at[key]
                rows = (("given", one_line(answer[key])), ("look at", look_at))
                return Fault(f"The {self.noun} {key!r} is wrong.", rows, advice=self._advice(key, answer))
        strange = [key for key in answer if key not in self.right]
        return Fault(f"There is no {self.noun} {one_line(strange[0])} in the question.") if strange else None

    def _near_miss(self, given: Any, expected: Any) -> str:
        """Return what a text lacks that only looks different from the right value."""
        if isinstance(given, str) and given.strip().lower() == str(expected).lower():
            if isinstance(expected, str):
                return "The word is right. Write it with the capitals of the question, without spaces."
            return f"This is a text. Write the value without quotes: it is of type {type(expected).__name__}."
        if isinstance(expected, bool) and not isinstance(given, (int, float)):
            return "Write True or False, without quotes."
        if isinstance(expected, str) and self.choices and not any(same(given, each) for each in self.choices):
            return f"Only {', '.join(map(repr, self.choices[:-1]))} and {self.choices[-1]!r} are possible."
        return ""

    def _advice(self, failed: str, answer: Mapping[str, Any]) -> str:
        asked = [*self.right][: [*self.right].index(failed) + 1]
        for sentence, wrong in self.mistakes.items():
            if failed in wrong and all(same(answer[key], wrong[key]) for key in asked if key in wrong):
                return sentence
        return ""


@dataclass(frozen=True, kw_only=True)
class Function(_Asked):
    """A function to write, called as ``right`` is called and compared with it."""

    right: Callable[..., Any]
    calls: Sequence[tuple[Any, ...]]  # arguments; for the first, ``right`` returns something other than None
    drawn: Callable[[random.Random], tuple[Any, ...]] | None = None
    """Draws the arguments of one more call, so that an answer which knows the fixed calls alone fails; None
    where ``calls`` are all that are possible."""
    mistakes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)  # sentence to wrong function
    before: Callable[..., bytes] | None = None  # given the arguments: the bytes in front of it in its frame
    sender: Sender | None = None  # who sends that frame
    keeps: bool = False  # whether the answer must leave what it is given as it is
    shows: Callable[[Any], str] = one_line  # writes a value in one line
    within: float = 0.0  # by how much a number may differ, where the question asks for an estimate
    exact: bool = False  # whether a number must be of the right type, too

    def judge(self, answer: Answer) -> Fault | None:
        """Return the first call whose value is not that of the right function."""
        calls = [*self.calls, *self._drawn()]
        for number, call in enumerate(calls):
            mine = copy.deepcopy(call)
            try:
                given = answer(*mine)
            except Exception as error:
                error.advice = self._advice(calls[: number + 1], error)  # type: ignore[attr-defined]
                raise
            if fault := self._compare(given, call):
                if fault.idle and not self._unwritten(answer):
                    expected = self._expected(call)
                    rows = (("returned", "None"), ("expected", self.shows(expected)))
                    fault = Fault(f"returned None, not {_base(expected)}.", rows)
                return replace(fault, advice=self._advice(calls[: number + 1], given) or fault.advice)
            if self.keeps and mine != call:
                rows = (("given to it", one_line(list(call))), ("left behind", one_line(list(mine))))
                return Fault("returned the right value, but changed what it was given.", rows)
        return None

    def _drawn(self) -> list[tuple[Any, ...]]:
        source = random.Random(self.name)  # the same in every run: verdicts are stored in notebooks
        return [self.drawn(source) for _ in range(CALLS_DRAWN)] if self.drawn else []

    def _expected(self, call: tuple[Any, ...]) -> Any:
        return self.right(*copy.deepcopy(call))

    def _compare(self, given: Any, call: tuple[Any, ...]) -> Fault | None:
        before, expected = self.before(*call) if self.before else None, self._expected(call)
        if self.exact and isinstance(given, float):
            return Fault(f"returned a float, not {_base(expected)}.")
        return compare(
            given, expected, before=before, sender=self.sender, shows=self.shows, within=self.within
        )

    def _unwritten(self, answer: Answer) -> bool:
        """Return whether every call returns None, as a stub does."""
        failed = answer.call
        try:
            return all(_nothing(answer(*copy.deepcopy(call))) for call in self.calls)
        except Exception:
            return False
        finally:
            answer.call = failed

    def _advice(self, calls: list[tuple[Any, ...]], outcome: Any) -> str:
        """Return the sentence of the mistake that explains the last call and every call before it."""
        if self.exact and isinstance(outcome, float):
            return ""
        for sentence, wrong in self.mistakes.items():
            *before, last = (_outcome(wrong, call) for call in calls)
            if same(_described(outcome), last, self.within) and all(
                same(other, self._expected(call), self.within)
                for other, call in zip(before, calls, strict=False)
            ):
                return sentence
        return ""


def _outcome(function: Callable[..., Any], call: tuple[Any, ...]) -> Any:
    """Return what a call returns, or the exception that it raises, described."""
    try:
        return function(*copy.deepcopy(call))
    except Exception as error:
        return _described(error)


def _described(outcome: Any) -> Any:
    return (Exception, describe(outcome)) if isinstance(outcome, Exception) else outcome


@dataclass(frozen=True, kw_only=True)
class Watched(_Asked):
    """A coroutine function, or a plain one, to write: ``judge`` calls it in a world made for it."""

    judge: Callable[[Any], Any]  # answer to fault or None; it leaves nothing running


Exercise = Value | Function | Watched


def same(given: Any, expected: Any, within: float = 0.0) -> bool:
    """Return whether two values are equal: bytes of any type, lists and tuples by content, numbers nearly.

    >>> same(bytearray(b"a"), b"a"), same([1, b"a"], (1, b"a")), same("a", b"a"), same(True, 1)
    (True, True, False, True)
    >>> same(0.1 + 0.2, 0.3), same(240, 241), same(240, 241, within=2)
    (True, False, True)
    >>> from fractions import Fraction
    >>> same(Fraction(1, 2), 0.5)
    True
    """
    if hasattr(expected, "_fields") and not hasattr(given, "_fields"):
        return False  # a tuple without names is not what its caller reads by name
    if isinstance(expected, (list, tuple)):
        alike = isinstance(given, (list, tuple)) and len(given) == len(expected)
        return alike and all(same(mine, right, within) for mine, right in zip(given, expected, strict=True))
    if isinstance(expected, float) or (isinstance(expected, int) and (within or isinstance(given, float))):
        number = isinstance(given, numbers.Number) and not isinstance(given, (bool, complex))
        return number and math.isclose(given, expected, rel_tol=1e-9, abs_tol=max(within, 1e-9))
    try:
        return bool(given == expected)
    except Exception:  # an array, for example, has no truth
        return False


def compare(
    given: Any,
    expected: Any,
    *,
    before: bytes | None = None,
    sender: Sender | None = None,
    shows: Callable[[Any], str] = one_line,
    within: float = 0.0,
) -> Fault | None:
    """Compare a value that was returned with the right one; the options are those of a `Function`."""
    if same(given, expected, within):
        return None
    if isinstance(given, (bytes, bytearray)) and isinstance(expected, bytes):
        mine = bytes(given)
        rows = (
            ("returned", marked(mine, expected, before, sender)),
            ("expected", marked(expected, mine, before, sender)),
            ("first difference", first_difference(mine, expected, before, sender)),
        )
        return Fault("returned the wrong bytes.", rows, advice=_slip(mine, expected))
    if _nothing(given):
        return Fault(_UNWRITTEN, idle=True)
    part = _part(given, expected)
    seen: Rows = (("returned", shows(given)), ("expected", shows(expected)))
    return Fault(_wrong(given, expected), (*seen, ("first difference", part)) if part else seen)


def _slip(given: bytes, expected: bytes) -> str:
    """Return the slip of Python that makes these bytes of the right ones, whatever they are for."""
    if len(given) > 1 and not any(given) and any(expected):
        return "bytes(5) makes five bytes 00. bytes([5]) makes one byte."
    if given == expected.decode("latin-1").encode():
        return "chr makes letters, which take two bytes from 128 on. bytes(...) takes the integers."
    return "You wrote the digits of the bytes. Return the bytes." if given == expected.hex().encode() else ""


def _part(given: Any, expected: Any) -> str:
    """Return the first part of a tuple, or of a tuple with names, that differs; an empty text for others."""
    if not (isinstance(given, tuple) and isinstance(expected, tuple) and len(given) == len(expected) > 1):
        return ""
    if hasattr(expected, "_fields") and not hasattr(given, "_fields"):
        return ""
    pairs = enumerate(zip(given, expected, strict=True))
    at, (mine, right) = next((at, pair) for at, pair in pairs if not same(*pair))
    name = getattr(expected, "_fields", {at: f"part {at + 1}"})[at]
    return (
        f"{name}, {inner}"
        if (inner := _part(mine, right))
        else f"{name}: {one_line(mine)}, not {one_line(right)}"
    )


def _wrong(given: Any, expected: Any) -> str:
    """Return how a value differs: in its type, its spaces, its capitals or itself."""
    if isinstance(given, str) and isinstance(expected, bytes):
        encodes = given.encode("utf-8", "surrogatepass") == expected
        joined = given == expected.decode("latin-1") and not given.isascii()
        how = " Encode it." if encodes else " Not chr: bytes(...) takes the integers." if joined else ""
        return f"returned a str, not bytes.{how}"
    if isinstance(given, (bytes, bytearray)) and isinstance(expected, str):
        decodes = expected.encode("utf-8", "surrogatepass") == given
        return f"returned bytes, not a str.{' Decode them.' if decodes else ''}"
    if isinstance(given, str) and isinstance(expected, str):
        if given.strip() == expected:
            return "returned the right text with white space around it."
        if given.lower() == expected.lower():
            return "returned the right text, but not its capitals."
        if given == str(expected.encode()):
            return "returned b'…' around the right text. Use .decode(), not str(...)."
    both = all(isinstance(each, numbers.Number) and not isinstance(each, bool) for each in (given, expected))
    named = isinstance(given, tuple) and _base(given) != _base(expected)
    other = named or not isinstance(given, type(expected))
    if expected is not None and other and not both:
        return f"returned a value of type {type(given).__name__}, not {_base(expected)}."
    return "returned the wrong value."


def _nothing(value: Any) -> bool:
    return value is None or value is ...


def _base(value: object) -> str:
    """Return the name of a type as a learner knows it: int for an enum of integers, a named tuple's own."""
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value).__name__
    known = (bool, int, bytes, str, list, tuple, dict, set)
    return next((kind.__name__ for kind in known if isinstance(value, kind)), type(value).__name__)
