"""The learner's function, wrapped: each call is noted before it is made, so that a fault can name it.

Values of any type come from a learner. They are shown short, and a ``__repr__`` that fails does no harm.
"""

from __future__ import annotations

import inspect
import linecache
import re
import reprlib
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from wslab.lab.exercises.verdict import Rows

__all__ = ["Answer", "NotAValueError", "close_quietly", "describe", "line_of_task", "one_line"]

_SHOWN = 24  # bytes of a value that are shown before it is shortened
_ADDRESS = re.compile(r"<(?:[\w.<> ]+\.)?(\w+) object (?:at|@) 0x[0-9a-fA-F…]+>")
_COROUTINE = re.compile(r"<(\w+ object [\w.<>]+) at 0x[0-9a-fA-F]+>")  # also in a text


class _Short(reprlib.Repr):
    """A writer of short values: of a named tuple without its own __repr__, the fields but for defaults."""

    def repr_instance(self, x: Any, level: int) -> str:
        writer = next(each for each in type(x).__mro__ if "__repr__" in vars(each))
        if "_fields" not in vars(writer):
            return super().repr_instance(x, level)
        default = {each.name: each.default for each in inspect.signature(type(x)).parameters.values()}
        told = {name: value for name, value in x._asdict().items() if value != default.get(name, ...)}
        shown = [*told.items()][: self.maxtuple]
        fields = [f"{name}={self.repr1(value, level - 1)}" for name, value in shown]
        fields += ["..."] * (len(told) > len(shown))
        return f"{type(x).__name__}({', '.join(fields)})"


_short = _Short()
_short.maxstring = _short.maxother = 100
_short.maxlist = _short.maxtuple = _short.maxdict = _short.maxset = 12
_short.maxlevel = 4


def _represent(value: object, write: Callable[[object], str]) -> str:
    """Write a value; an object without its own __repr__ as its type alone, because addresses differ."""
    try:
        return _COROUTINE.sub(r"<\1>", _ADDRESS.sub(r"<\1>", write(value)))
    except Exception:
        return f"<{type(value).__name__}>"


def one_line(value: object) -> str:
    """Write a value in one short line; bytes in hexadecimal.

    >>> one_line(b"Hello"), one_line(b""), one_line("Hello"), one_line([1, 2])
    ('48 65 6c 6c 6f', '(no bytes)', "'Hello'", '[1, 2]')
    >>> from wslab import Frame, Opcode
    >>> one_line(Frame(Opcode.TEXT, b"Hel", fin=False))
    "Frame(opcode=<Opcode.TEXT: 1>, payload=b'Hel', fin=False)"
    """
    if isinstance(value, (bytes, bytearray)):
        text = bytes(value[:_SHOWN]).hex(" ") or "(no bytes)"
        return text if len(value) <= _SHOWN else f"{text} … ({len(value)} bytes)"
    return " ".join(_represent(value, _short.repr).splitlines())


def _argument(value: object) -> str:
    text = _represent(value, repr if isinstance(value, (str, bytes)) else _short.repr)
    return text if len(text) <= 72 else f"{text[:50]}…{text[-8:]}"


class NotAValueError(Exception):
    """A call that returned a coroutine or a generator where a value is expected."""


class Answer:
    """A function of the learner, or a coroutine function, called as it was written.

    >>> answer = Answer(lambda n: n + 1, "my_next")
    >>> answer(1), answer.call
    (2, 'my_next(1)')
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self._name = function, name
        self.call = name  # then the last call, as it would be written

    def __call__(self, *args: Any) -> Any:
        self.call = f"{self._name}({', '.join(map(_argument, args))})"
        if inspect.iscoroutinefunction(self._function):
            return self._await(args)
        value = self._function(*args)
        if inspect.isgenerator(value):
            how = "Put bytes(…), list(…) or the like around it"
            if inspect.isgeneratorfunction(self._function):
                how = "Write return instead of yield"
            raise NotAValueError(f"returned a generator, which has computed nothing yet. {how}.")
        return _no_awaitable(value, "a coroutine, not a value. Write def, not async def.")

    async def _await(self, args: tuple[Any, ...]) -> Any:
        value = await self._function(*args)
        return _no_awaitable(value, "something to await, not its result. Put await in front of that call.")

    @property
    def file(self) -> str:
        """The file, or the cell, that the function was written in; empty when there is none."""
        return getattr(getattr(self._function, "__code__", None), "co_filename", "")

    @property
    def namespace(self) -> dict[str, Any]:
        """The global names of the function."""
        return getattr(self._function, "__globals__", {})

    def blame(self, error: BaseException) -> tuple[bool, Rows]:
        """Return whether a call was running when it was raised, and the learner's line that it came from."""
        frames = list(traceback.walk_tb(error.__traceback__))
        ours = (Answer.__call__.__code__, Answer._await.__code__)
        calls = [number for number, (frame, _) in enumerate(frames) if frame.f_code in ours]
        if not calls:
            return False, ()
        inside = frames[calls[-1] + 1 :]
        # A library may have raised: the learner's last line is the deepest that shares their namespace.
        theirs = [each for each in inside if each[0].f_globals is inside[0][0].f_globals]
        return True, tuple(_line(*each) for each in theirs[-1:])


def _no_awaitable(value: Any, what: str) -> Any:
    if inspect.isawaitable(value) and not isinstance(value, float):  # a latency of wslab is both
        close_quietly(value)
        raise NotAValueError(f"returned {what}")
    return value


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


def line_of_task(error: BaseException, answer: Any) -> tuple[str, str] | None:
    """Find the line of the learner's code that ended a task: "line 3" and its text, or None."""
    frames = traceback.walk_tb(error.__traceback__)
    theirs = [each for each in frames if each[0].f_globals is answer.namespace]
    return _line(*theirs[-1]) if theirs else None


def _line(frame: FrameType, number: int) -> tuple[str, str]:
    line = linecache.getline(frame.f_code.co_filename, number, frame.f_globals)
    return f"line {number}", line.strip()
