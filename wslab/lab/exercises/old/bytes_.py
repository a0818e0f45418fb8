"""The first byte that differs, and the field of the frame that it belongs to (RFC 6455 §5.2).

This module knows how to say where two runs of bytes part. The names of the fields and their sections come
from the dissector, so that they are the same in a table, in a figure and in the feedback of an exercise. It
judges nothing. Bytes that do not make a whole frame are described as far as they go.
"""

from __future__ import annotations

from typing import Literal

__all__ = ["field_at", "first_difference"]


def field_at(data: bytes, bit: int, sender: Literal["client", "server"] | None = None) -> str:
    """Name the field of a frame that holds a bit, with its section.

    Args:
        data: one frame or several, from the first byte of the first.
        bit: counted from 0, the highest bit of the first byte.
        sender: who sends them.

    Returns:
        For example "opcode (§5.2)", or an empty text beyond the last field.
    """
    from wslab.lab.dissector.stream import dissect  # here, because it is needed only for a wrong answer

    for frame in dissect(data, sender=sender, start="frame"):
        for field in frame.fields:
            start = frame.start * 8 + field.bit
            if start <= bit < start + field.bits:
                return f"{field.name} ({field.section})"
    return ""


def first_difference(
    given: bytes,
    expected: bytes,
    before: bytes | None = None,
    sender: Literal["client", "server"] | None = None,
) -> str:
    """Say where two different runs of bytes part first.

    Args:
        given: the bytes that were given.
        expected: the right ones.
        before: the bytes before them in their frame; None when they are no part of a frame.
        sender: who sends the frame.

    >>> first_difference(b"GET", b"GOT")
    'byte 1: given 0x45, expected 0x4f'
    >>> first_difference(b"GE", b"GET")
    'byte 2 is missing: expected 0x54'
    >>> first_difference(bytes.fromhex("8205"), bytes.fromhex("8105"), before=b"")
    'byte 0, opcode (§5.2): given 0x82, expected 0x81'
    """
    place = next((i for i, (a, b) in enumerate(zip(given, expected, strict=False)) if a != b), None)
    if place is None:
        place = min(len(given), len(expected))
        if len(given) > len(expected):
            surplus = given[place : place + 8].hex(" ")
            return f"{len(given) - place} too many, from byte {place} on: {surplus}"
        field = _field(expected, place, 0, before, sender)
        return f"byte {place}{field} is missing: expected 0x{expected[place]:02x}"
    bit = 8 - (given[place] ^ expected[place]).bit_length()
    field = _field(expected, place, bit, before, sender)
    return f"byte {place}{field}: given 0x{given[place]:02x}, expected 0x{expected[place]:02x}"


def _field(
    expected: bytes, place: int, bit: int, before: bytes | None, sender: Literal["client", "server"] | None
) -> str:
    if before is None:
        return ""
    name = field_at(before + expected, (len(before) + place) * 8 + bit, sender)
    return f", {name}" if name else ""
