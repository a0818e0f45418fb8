"""A field of a frame or of an HTTP message, and where its bits are: in rows of 32, as RFC 6455 §5.2 draws
them.

The tables, the picture and the pages in the browser all draw a frame from these fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["DRAWN", "Field", "Stretch", "bits_of", "parts"]

DRAWN = 24  # bytes of one frame that are drawn in their places


@dataclass(frozen=True, slots=True)
class Field:
    """A field: some bits with their value and their meaning.

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


class Stretch(NamedTuple):
    """The stretch of a field in one row of 32 bits: where it is, and what is written there."""

    row: int
    column: int
    columns: int
    name: str
    text: str


def bits_of(field: Field) -> str:
    """Write the bits of a field of less than a byte in their places, the other bits as dots.

    >>> bits_of(Field("opcode", 4, 4, b"\\x81", "1", "TEXT", "§5.2"))
    '.... 0001'
    """
    first = field.bit % 8
    digits = f"{field.data[0]:08b}"
    dotted = "".join(d if first <= i < first + field.bits else "." for i, d in enumerate(digits))
    return f"{dotted[:4]} {dotted[4:]}"


def parts(fields: Iterable[Field]) -> list[Stretch]:
    """Cut the fields of a frame into rows of 32 bits, up to its 24th byte.

    >>> [part.text for part in parts([Field("payload data", 16, 32, b"abcd", '"abcd"', "", "§5.6")])]
    ['61 62', '63 64']
    """
    result: list[Stretch] = []
    for field in fields:
        bit, end = field.bit, min(field.bit + field.bits, 8 * DRAWN)
        while bit < end:
            stop = min(end, (bit // 32 + 1) * 32)
            offset = (bit - field.bit) // 8
            if field.bits < 8:
                shown = bits_of(field).replace(".", "").strip()
            else:
                shown = field.data[offset : offset + (stop - bit) // 8].hex(" ")
            result.append(Stretch(bit // 32, bit % 32, stop - bit, field.name, shown))
            bit = stop
    return result
