"""The fields of one piece while they are collected, one after the other, from the bytes that are here.

A reader asks what is `missing`, adds the fields that it finds, and finishes; the `Dissection` that this
makes has all its bits, whatever was wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from wslab.frames import Frame
from wslab.lab.dissector.dissection import Dissection
from wslab.lab.dissector.field import Field

__all__ = ["Draft"]


@dataclass(slots=True)
class Draft:
    """The fields of one piece, collected while it is being read.

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
        """The offset in the stream, in bytes, of the next field."""
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
