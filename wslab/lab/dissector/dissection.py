"""What the dissector finds: fields, the piece of the stream that they make up, and a list of such pieces.

A `Field` is some bits with their value and meaning; the fields of a `Dissection` lie side by side and leave
no bit out. A `Dissection` is one HTTP head, one HTTP body or one frame; `Dissections` is a tuple of them
that shows itself. A piece whose bytes have not all arrived is marked as not complete and says how many are
missing.

This module holds the objects and the small functions that write bytes readably. It leaves the reading of
bytes to `dissect`, the plain-text and HTML views to `views`, and the picture to `ruler`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from wslab.frames import Frame
from wslab.lab.dissector import view as views

if TYPE_CHECKING:
    from wslab.lab.views.figure import Figure

__all__ = ["Dissection", "Dissections", "Draft", "Field", "count", "hexed", "plain", "quoted"]


def count(number: int, noun: str = "byte") -> str:
    """Write a number with its noun.

    >>> count(1), count(11)
    ('1 byte', '11 bytes')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def hexed(data: bytes, limit: int = 16) -> str:
    """Write bytes as hexadecimal pairs; say how many are left out beyond the limit.

    >>> hexed(b"Hello"), hexed(bytes(20), limit=2)
    ('48 65 6c 6c 6f', '00 00 … (18 bytes left out)')
    """
    if len(data) <= limit:
        return data.hex(" ")
    return f"{data[:limit].hex(' ')} … ({count(len(data) - limit)} left out)"


def quoted(data: bytes, limit: int = 60) -> str:
    r"""Write UTF-8 as a quoted text on one line; what cannot be shown is escaped, what is too long left out.

    >>> quoted(b"caf\xc3\xa9 \xff\n"), quoted(b"x" * 70, limit=3)
    ('"café \\xff\\n"', '"xxx" … (67 bytes left out)')
    """
    shown, rest = _printable(data, limit, "utf-8")
    return f'"{shown}" … ({count(rest)} left out)' if rest else f'"{shown}"'


def plain(data: bytes, limit: int = 200) -> str:
    r"""Write bytes of an HTTP head, which are Latin-1, without quotes.

    >>> plain(b"caf\xe9"), plain(b"GET /aaaa", limit=5)
    ('café', 'GET / … (4 bytes left out)')
    """
    shown, rest = _printable(data, limit, "latin-1")
    return f"{shown} … ({count(rest)} left out)" if rest else shown


def _printable(data: bytes, limit: int, encoding: str) -> tuple[str, int]:
    """Return the text of the first bytes with escapes, and the number of bytes that are left out."""
    part = data[:limit]
    while len(part) < len(data) and len(part) > limit - 3 and data[len(part)] & 0b1100_0000 == 0b1000_0000:
        part = part[:-1]  # do not cut a character of UTF-8 in two
    text = part.decode(encoding, "backslashreplace")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown, len(data) - len(part)


@dataclass(frozen=True, slots=True)
class Field:
    """Hold one field.

    Args:
        name: as in the palette, "opcode" or "header value".
        bit: where it starts, in bits from the start of its `Dissection`.
        bits: its length in bits.
        data: the bytes that it lies in, as they were on the wire; one byte for a field of a few bits.
        value: the value, written for reading; a masked payload is unmasked.
        meaning: what the value says.
        section: the section of RFC 6455 ("§5.2"), or of another RFC ("RFC 9112 §3").
        error: what is wrong with it, or None.
    """

    name: str
    bit: int
    bits: int
    data: bytes
    value: str
    meaning: str
    section: str
    error: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Dissection:
    """Hold one HTTP head, HTTP body or frame with its fields.

    Args:
        start: where it starts, in bytes from the start of the stream.
        data: its bytes, as they were on the wire.
        kind: "head", "body" or "frame".
        what: its name: "GET /chat", "101 Switching Protocols", "TEXT".
        meaning: what it says, in one line.
        fields: its fields in order; together they cover all its bits.
        error: what is wrong with it and its fields, or None.
        complete: whether all its bytes are here.
        frame: the decoded frame, if it is whole and its opcode is known.
    """

    start: int
    data: bytes
    kind: Literal["head", "body", "frame"]
    what: str
    meaning: str
    fields: tuple[Field, ...]
    error: str | None = None
    complete: bool = True
    frame: Frame | None = None

    def __repr__(self) -> str:
        return views.text(self)

    def _repr_html_(self) -> str:
        return views.html(self)

    def figure(self) -> Figure:
        """Draw the real bytes in the way of the picture in §5.2; a head or a body is drawn line by line."""
        from wslab.lab.dissector.picture import (
            draw,  # matplotlib is loaded when the first picture is asked for
        )

        return draw(self)


class Dissections(tuple[Dissection, ...]):
    """Hold the pieces of a stream in order; shows all of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n\n".join(map(views.text, self)) or "no bytes"

    def _repr_html_(self) -> str:
        return "".join(map(views.html, self)) or "<p>no bytes</p>"


@dataclass(slots=True)
class Draft:
    """Collect the fields of one piece while it is being read.

    Args:
        stream: all bytes.
        start: where the piece starts in them, in bytes.

    >>> draft = Draft(bytes.fromhex("8105"), 0)
    >>> draft.add("FIN", 1, "1", "", "§5.2")
    >>> draft.fields[0].data, draft.missing(4)
    (b'\\x81', 2)
    """

    stream: bytes
    start: int
    fields: list[Field] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    bit: int = 0

    @property
    def at(self) -> int:
        """Return the offset in the stream, in bytes, of the next field."""
        return self.start + self.bit // 8

    def missing(self, size: int) -> int:
        """Return how many of the next so many bytes have not arrived."""
        return max(0, self.at + size - len(self.stream))

    def rest(self, size: int | None = None) -> bytes:
        """Return the next so many bytes, or those of them that are here; all that are left for None."""
        return self.stream[self.at :] if size is None else self.stream[self.at : self.at + size]

    def add(
        self, name: str, bits: int, value: str, meaning: str, section: str, error: str | None = None
    ) -> None:
        """Add the field of the next so many bits."""
        data = self.stream[self.at : self.start + (self.bit + bits + 7) // 8]
        self.fields.append(Field(name, self.bit, bits, data, value, meaning, section, error))
        self.bit += bits
        if error:
            self.errors.append(error)

    def finish(
        self,
        kind: Literal["head", "body", "frame"],
        what: str,
        meaning: str,
        *,
        problems: Iterable[str] = (),
        complete: bool = True,
        frame: Frame | None = None,
    ) -> Dissection:
        """Make the piece of what was collected; problems are those of the piece as a whole."""
        errors = "; ".join([*self.errors, *problems])
        data = self.stream[self.start : self.at]
        fields = tuple(self.fields)
        return Dissection(self.start, data, kind, what, meaning, fields, errors or None, complete, frame)
