"""The learner's function, wrapped: each call is noted before it is made, so that a fault can name it.

Values of any type come from a learner. They are shown short, and a ``__repr__`` that fails does no harm.
Names of fields and their sections come from the dissector, so they are the same in a table and in a verdict.
"""

from __future__ import annotations

import inspect
import linecache
import re
import reprlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Literal

from wslab.lab.dissector.stream import dissect
from wslab.lab.exercises.verdict import Part, Rows, Shown

__all__ = [
    "Answer",
    "NotAValueError",
    "Sender",
    "close_quietly",
    "describe",
    "field_at",
    "first_difference",
    "line_of_task",
    "marked",
    "show",
]

Sender = Literal["client", "server"]

_SHOWN = 24  # bytes of a value that are shown before it is shortened
_ADDRESS = re.compile(r"<(?:[\w.<> ]+\.)?(\w+) object (?:at|@) 0x[0-9a-fA-F…]+>")
_COROUTINE = re.compile(r"<(\w+ object [\w.<>]+) at 0x[0-9a-fA-F]+>")  # also in a text
_short = reprlib.Repr()
_short.maxstring = _short.maxother = 100
_short.maxlist = _short.maxtuple = _short.maxdict = _short.maxset = 12
_short.maxlevel = 4


def _represent(value: object, write: Callable[[object], str]) -> str:
    """Write a value, an object without a __repr__ of its own as its type alone: addresses differ."""
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
    """A call that returned a coroutine or a generator where a value is expected."""


class Answer:
    """A function of the learner, or a coroutine function, called as it was written.

    Args:
        function: what the learner passed to ``check``.
        name: what it is called in sentences.

    Attributes:
        call: the last call, as it would be written; the name before the first.

    >>> answer = Answer(lambda n: n + 1, "my_next")
    >>> answer(1), answer.call
    (2, 'my_next(1)')
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function, self._name = function, name
        self.call = name

    def __call__(self, *args: Any) -> Any:
        self.call = f"{self._name}({', '.join(map(_argument, args))})"
        if inspect.iscoroutinefunction(self._function):
            return self._await(args)
        value = self._function(*args)
        if inspect.isgenerator(value):
            written = inspect.isgeneratorfunction(self._function)
            how = (
                "Write return instead of yield" if written else "Put bytes(…), list(…) or the like around it"
            )
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
        frames = list(_frames(error))
        ours = (Answer.__call__.__code__, Answer._await.__code__)
        calls = [number for number, frame in enumerate(frames) if frame.tb_frame.f_code in ours]
        if not calls:
            return False, ()
        inside = frames[calls[-1] + 1 :]
        # A library may have raised: the learner's last line is the deepest that shares their namespace.
        theirs = [each for each in inside if each.tb_frame.f_globals is inside[0].tb_frame.f_globals]
        return True, tuple(map(_line, theirs[-1:]))


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
    theirs = [frame for frame in _frames(error) if frame.tb_frame.f_globals is answer.namespace]
    return _line(theirs[-1]) if theirs else None


def _frames(error: BaseException) -> Iterator[TracebackType]:
    trace = error.__traceback__
    while trace:
        yield trace
        trace = trace.tb_next


def _line(frame: TracebackType) -> tuple[str, str]:
    code = frame.tb_frame.f_code
    line = linecache.getline(code.co_filename, frame.tb_lineno, frame.tb_frame.f_globals).strip()
    return f"line {frame.tb_lineno}", line


# -- bytes --------------------------------------------------------------------------------------------------


def _fields(data: bytes, sender: Sender | None) -> Iterator[tuple[range, str, str]]:
    """Yield bits, name and section of each field of a frame or several."""
    for frame in dissect(data, sender=sender, start="frame"):
        for field in frame.fields:
            start = frame.start * 8 + field.bit
            yield range(start, start + field.bits), field.name, field.section


def field_at(data: bytes, bit: int, sender: Sender | None = None) -> str:
    """Name the field that holds a bit, such as "opcode (§5.2)"; an empty text beyond the last field.

    Args:
        data: one frame or several, from the first byte of the first.
        bit: counted from 0, the highest bit of the first byte.
        sender: who sends them.
    """
    found = (f"{name} ({section})" for bits, name, section in _fields(data, sender) if bit in bits)
    return next(found, "")


def _place(given: bytes, expected: bytes) -> tuple[int, int]:
    """Return the first byte that differs, and the first bit in it."""
    pairs = enumerate(zip(given, expected, strict=False))
    place, bit = next(((i, 8 - (a ^ b).bit_length()) for i, (a, b) in pairs if a != b), (-1, 0))
    return (place, bit) if place >= 0 else (min(len(given), len(expected)), 0)


def first_difference(
    given: bytes, expected: bytes, before: bytes | None = None, sender: Sender | None = None
) -> str:
    """Say where two different runs of bytes part first.

    Args:
        given: the bytes that were given.
        expected: the right ones.
        before: the bytes in front of them in their frame; None when they are not part of a frame.
        sender: who sends the frame.

    >>> first_difference(b"GET", b"GOT")
    'byte 1: given 0x45, expected 0x4f'
    >>> first_difference(b"GE", b"GET")
    'byte 2 is missing: expected 0x54'
    >>> first_difference(bytes.fromhex("8205"), bytes.fromhex("8105"), before=b"")
    'byte 0, opcode (§5.2): given 0x82, expected 0x81'
    """
    place, bit = _place(given, expected)
    if place == len(expected):
        return f"{len(given) - place} too many, from byte {place} on: {given[place : place + 8].hex(' ')}"
    name = "" if before is None else field_at(before + expected, (len(before) + place) * 8 + bit, sender)
    where = f"byte {place}" + (f", {name}" if name else "")
    if place == len(given):
        return f"{where} is missing: expected 0x{expected[place]:02x}"
    return f"{where}: given 0x{given[place]:02x}, expected 0x{expected[place]:02x}"


def marked(data: bytes, other: bytes, before: bytes | None = None, sender: Sender | None = None) -> str:
    """Show bytes in the colours of their fields, the first that differs from others marked.

    >>> marked(bytes.fromhex("8205"), bytes.fromhex("8105"), before=b"")
    '[82] 05'
    """
    place, bit = _place(data, other)
    start = max(0, place - 8) if place >= _SHOWN else 0
    window = range(start, min(start + _SHOWN, len(data)))
    names: dict[int, str] = {}
    for bits, name, _ in _fields(before + data, sender) if before is not None else ():
        first, last = (bit_ // 8 - len(before or b"") for bit_ in (bits.start, bits.stop - 1))
        for at in range(max(first, window.start), min(last + 1, window.stop)):
            if (
                at != place or 8 * (len(before or b"") + at) + bit in bits
            ):  # of those that share a byte: the last
                names[at] = name
    parts = [Part(f"{data[at]:02x}", names.get(at, ""), at == place) for at in window]
    if place == len(data):
        parts.append(Part("missing" if data else "no bytes", marked=True))
    more = [Part(f"… ({len(data)} bytes)")] if start + _SHOWN < len(data) else []
    return Shown.of(*[Part("…")][: start > 0], *parts, *more)
