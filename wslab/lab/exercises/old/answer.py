"""The learner's function, wrapped: what it was asked, what it gave, and which of its lines failed.

A judge calls the wrapper as it would call the function. The wrapper notes each call before it is made, so
that an exception or an endless loop can be reported with the arguments that caused it, and notes each value,
so that a stub is told from a wrong answer. It does not judge. Values of any type can come from a learner:
whatever is shown here is shown short, and a ``__repr__`` that fails does no harm.
"""

from __future__ import annotations

import dis
import inspect
import itertools
import linecache
import re
import reprlib
from collections.abc import Callable
from types import TracebackType
from typing import Any

__all__ = ["Answer", "NotAValueError", "blame", "close_quietly", "describe", "line_of_task", "show"]

_SHOWN = 24  # bytes of a value that are shown before it is shortened

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 100
_short.maxlist = _short.maxtuple = _short.maxdict = _short.maxset = 12
_short.maxlevel = 4


# What Python writes for an object without a __repr__ of its own: its address differs from run to run.
_ADDRESS = re.compile(r"<(?:[\w.<> ]+\.)?(\w+) object (?:at|@) 0x[0-9a-fA-F…]+>")
_COROUTINE = re.compile(r"<(\w+ object [\w.<>]+) at 0x[0-9a-fA-F]+>")  # of a coroutine, also in a text


def _represent(value: object, write: Callable[[object], str]) -> str:
    """Write a value, an object without a __repr__ of its own as its type alone."""
    try:
        return _COROUTINE.sub(r"<\1>", _ADDRESS.sub(r"<\1>", write(value)))
    except Exception:
        return f"<{type(value).__name__}>"


def show(value: object) -> str:
    """Write a value in one short line; bytes in hexadecimal.

    >>> show(b"Hello"), show(b""), show("Hello"), show([1, 2])
    ('48 65 6c 6c 6f', '(no bytes)', "'Hello'", '[1, 2]')
    """
    if isinstance(value, (bytes, bytearray)):
        text = bytes(value[:_SHOWN]).hex(" ") or "(no bytes)"
        return text if len(value) <= _SHOWN else f"{text} … ({len(value)} bytes)"
    return " ".join(_represent(value, _short.repr).splitlines())


def _argument(value: object) -> str:
    text = _represent(value, repr if isinstance(value, (str, bytes)) else _short.repr)
    return text if len(text) <= 72 else f"{text[:50]}…{text[-8:]}"


class NotAValueError(Exception):
    """Report that a call gave a coroutine or a generator where a value is asked."""


class Answer:
    """Wrap a function of the learner.

    Args:
        function: what the learner passed to ``check``.
        name: what it is called in sentences.
        asynchronous: whether it is a coroutine function, to be awaited.

    Attributes:
        calls: the arguments of each call.
        values: what the calls gave that returned.

    >>> answer = Answer(lambda n: n + 1, "my_next", asynchronous=False)
    >>> answer(1), answer.last_call, answer.empty
    (2, 'my_next(1)', False)
    """

    def __init__(self, function: Callable[..., Any], name: str, *, asynchronous: bool) -> None:
        self._function = function
        self._name = name
        self._asynchronous = asynchronous
        self.calls: list[tuple[Any, ...]] = []
        self.values: list[Any] = []
        self.last_call = ""

    def __call__(self, *args: Any) -> Any:
        self.calls.append(args)
        self.last_call = f"{self._name}({', '.join(map(_argument, args))})"
        if self._asynchronous:
            return self._await(args)
        value = self._function(*args)
        if inspect.isawaitable(value):
            close_quietly(value)
            raise NotAValueError("gives something to await, not a value: write it with def, not async def")
        if inspect.isgenerator(value):
            written = inspect.isgeneratorfunction(self._function)
            how = (
                "write return instead of yield" if written else "put bytes(...), list(...) or such around it"
            )
            raise NotAValueError(f"gives a generator, which has computed nothing yet: {how}")
        self.values.append(value)
        return value

    async def _await(self, args: tuple[Any, ...]) -> Any:
        value = await self._function(*args)
        if inspect.isawaitable(value) and not isinstance(value, float):  # a latency of wslab is both
            close_quietly(value)
            raise NotAValueError("gives something to await, not its result: put await in front of the call")
        self.values.append(value)
        return value

    @property
    def file(self) -> str:
        """Name the file, or the cell, that the function was written in; empty when there is none."""
        return getattr(getattr(self._function, "__code__", None), "co_filename", "")

    @property
    def namespace(self) -> dict[str, Any]:
        """Return the global names of the function."""
        return getattr(self._function, "__globals__", {})

    @property
    def empty(self) -> bool:
        """Tell whether no call gave anything, as a stub does."""
        return all(value is None or value is ... for value in self.values)

    @property
    def returns(self) -> bool:
        """Tell whether a return with a value stands in the function, other than None and an ellipsis."""
        code = getattr(self._function, "__code__", None)
        steps = list(dis.get_instructions(code)) if code else []
        for before, step in itertools.pairwise(steps):
            if step.opname not in ("RETURN_VALUE", "RETURN_CONST"):
                continue
            constant = step if step.opname == "RETURN_CONST" else before
            if "CONST" not in constant.opname or not (constant.argval is None or constant.argval is ...):
                return True
        return False


def close_quietly(value: object) -> None:
    """Close a coroutine that nobody will await, so that Python does not warn about it later."""
    if inspect.iscoroutine(value):
        value.close()


def describe(error: BaseException) -> str:
    """Write the type of an exception and its message, without the addresses of objects.

    >>> describe(ValueError("<coroutine object ask at 0x7f0102030405> is no text"))
    'ValueError: <coroutine object ask> is no text'
    """
    try:
        message = re.sub(r" at 0x[0-9a-fA-F]+", "", str(error))
    except Exception:
        message = ""
    return ": ".join(filter(None, (type(error).__name__, message)))


def blame(error: BaseException) -> tuple[bool, str, str]:
    """Find the line of the learner's code that an error came from.

    Returns:
        Whether a wrapped call was running; then "line 3" and the text of the line, or empty strings when none
        of the learner's lines had begun (the call itself failed).
    """
    frames = _frames(error)
    wrapper = {Answer.__call__.__code__, Answer._await.__code__}
    calls = [number for number, frame in enumerate(frames) if frame.tb_frame.f_code in wrapper]
    if not calls:
        return False, "", ""
    inside = frames[calls[-1] + 1 :]
    if not inside:
        return True, "", ""
    # A library may have raised: the learner's last line is the deepest one that shares their namespace.
    return True, *_line(
        [frame for frame in inside if frame.tb_frame.f_globals is inside[0].tb_frame.f_globals][-1]
    )


def line_of_task(error: BaseException, answer: Answer) -> tuple[str, str] | None:
    """Find the line of the learner's code that ended a task: "line 3" and its text, or None."""
    theirs = [frame for frame in _frames(error) if frame.tb_frame.f_globals is answer.namespace]
    return _line(theirs[-1]) if theirs else None


def _frames(error: BaseException) -> list[TracebackType]:
    frames = []
    trace = error.__traceback__
    while trace:
        frames.append(trace)
        trace = trace.tb_next
    return frames


def _line(frame: TracebackType) -> tuple[str, str]:
    code = frame.tb_frame.f_code
    line = linecache.getline(code.co_filename, frame.tb_lineno, frame.tb_frame.f_globals).strip()
    return f"line {frame.tb_lineno}", line
