"""Where bytes differ from the right ones: the first byte, and the field of a frame that it is in (§5.2).

Bytes that do not make a whole frame are described as far as they go.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import NamedTuple, Self

from wslab.lab.dissector.stream import Sender, dissect
from wslab.lab.views.palette import ERROR, FIELDS

__all__ = ["Part", "Sender", "Shown", "first_difference", "marked"]

_SHOWN = 24  # bytes that are shown at once


class Part(NamedTuple):
    """A piece of a shown value: its text, the field of a frame that it belongs to, whether it is marked."""

    text: str
    field: str = ""
    marked: bool = False


class Shown(str):
    """A value as text whose parts have the colours of their fields; a marked part is in brackets.

    >>> Shown.of(Part("81", "opcode"), Part("05", "MASK", marked=True))
    '81 [05]'
    """

    parts: tuple[Part, ...]

    @classmethod
    def of(cls, *parts: Part) -> Self:
        """Join parts with spaces."""
        text = cls(" ".join(f"[{part.text}]" if part.marked else part.text for part in parts))
        text.parts = parts
        return text

    def html(self) -> str:
        """Return the parts as coloured pieces of HTML."""
        return " ".join(map(_part_html, self.parts))


def _part_html(part: Part) -> str:
    style = "padding:0 .15em"
    if part.field in FIELDS:
        style += f";{FIELDS[part.field].css}"
    if part.marked:
        style += f";outline:2px solid {ERROR.background};font-weight:bold;text-decoration:underline"
    return f'<span style="{style}">{escape(part.text)}</span>'


def _fields(data: bytes, sender: Sender | None) -> Iterator[tuple[range, str, str]]:
    """Yield bits, name and section of each field of a frame or several."""
    for frame in dissect(data, sender=sender, start="frame"):
        for field in frame.fields:
            start = frame.start * 8 + field.bit
            yield range(start, start + field.bits), field.name, field.section


def _place(given: bytes, expected: bytes) -> tuple[int, int]:
    """Return the first byte that differs, and the first bit in it."""
    pairs = enumerate(zip(given, expected, strict=False))
    place, bit = next(((i, 8 - (a ^ b).bit_length()) for i, (a, b) in pairs if a != b), (-1, 0))
    return (place, bit) if place >= 0 else (min(len(given), len(expected)), 0)


def first_difference(
    given: bytes, expected: bytes, before: bytes | None = None, sender: Sender | None = None
) -> str:
    """Return where bytes first differ from the right ones.

    Args:
        given: the bytes that were given.
        expected: the right ones.
        before: the bytes in front of them in their frame; None when they are not part of a frame.
        sender: the side that sends the frame.

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
    where, bit = f"byte {place}", bit + 8 * (len(before or b"") + place)
    fields = _fields(before + expected, sender) if before is not None else ()
    where += next((f", {name} ({section})" for bits, name, section in fields if bit in bits), "")
    if place == len(given):
        return f"{where} is missing: expected 0x{expected[place]:02x}"
    return f"{where}: given 0x{given[place]:02x}, expected 0x{expected[place]:02x}"


def marked(data: bytes, other: bytes, before: bytes | None = None, sender: Sender | None = None) -> str:
    """Return bytes in the colours of their fields, the first that differs from others marked.

    >>> marked(bytes.fromhex("8205"), bytes.fromhex("8105"), before=b"")
    '[82] 05'
    """
    place, bit = _place(data, other)
    start = max(0, place - 8) if place >= _SHOWN else 0
    window = range(start, min(start + _SHOWN, len(data)))
    names: dict[int, str] = {}  # of the fields that share a byte: the last, and of the marked one's, its own
    head = len(before or b"")
    for bits, name, _ in _fields(before + data, sender) if before is not None else ():
        first, after = bits.start // 8 - head, (bits.stop - 1) // 8 - head + 1
        for at in range(max(first, window.start), min(after, window.stop)):
            if at != place or 8 * (head + at) + bit in bits:
                names[at] = name
    parts = [Part(f"{data[at]:02x}", names.get(at, ""), at == place) for at in window]
    if place == len(data):
        parts.append(Part("missing" if data else "no bytes", marked=True))
    more = [Part(f"… ({len(data)} bytes)")] if start + _SHOWN < len(data) else []
    return Shown.of(*[Part("…")][: start > 0], *parts, *more)
