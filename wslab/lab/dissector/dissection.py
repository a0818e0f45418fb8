"""What the dissector finds: a piece of the stream made of fields, and a list of such pieces, with their
views.

A `Dissection` is one HTTP head, one HTTP body or one frame; its fields lie side by side and leave no bit out.
`Dissections` is a tuple of them that shows itself. A piece whose bytes have not all arrived is marked as not
complete and says how many are missing.

Plain text and HTML show the same rows, one for each field (a header field is one row: its name and its
value); the HTML of a frame has its bits in their places above them (RFC 6455 §5.2). Long payloads are left
out after a few bytes, and every view says how many. The picture is drawn by `picture`.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal

from wslab.frames import Frame
from wslab.lab.dissector.field import DRAWN, Field, Stretch, bits_of, parts
from wslab.lab.views.palette import FIELDS, INK
from wslab.lab.views.table import WIDTH, Cell, Column, Line, Table, framed, wrong_html, wrong_text

if TYPE_CHECKING:
    from wslab.lab.views.figure import Figure

__all__ = ["Dissection", "Dissections"]

MAX_FIELDS = 80  # of one piece that are shown in its table


@dataclass(frozen=True, slots=True, repr=False)
class Dissection:
    """A piece of the stream with its fields: one HTTP head, HTTP body or frame.

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

    @property
    def title(self) -> str:
        """Its name, and where it is in the stream."""
        size = len(self.data)
        where = f"bytes {self.start}–{self.start + size - 1}" if size > 1 else f"byte {self.start}"
        kind = "" if self.kind == self.what else f" · {self.kind}"
        return f"{self.what}{kind} · {where} ({size})"

    @property
    def problems(self) -> str:
        """What is wrong with it as a whole; what is wrong with a field is in the field."""
        of_fields = "; ".join(field.error for field in self.fields[:MAX_FIELDS] if field.error)
        return (self.error or "").removeprefix(of_fields).removeprefix("; ")

    def lines(self) -> list[Line]:
        """Return a line for each field; the name and the value of a header field make one."""
        result: list[Line] = []
        shown = self.fields[:MAX_FIELDS]
        for field, following in zip_longest(shown, shown[1:]):
            if field.name == "header name":
                result.append(_header_line(field, following))
            elif field.name != "header value":  # which is in the line of its name
                result.append(self._line(field))
        if left_out := len(self.fields) - len(shown):
            result.append(Line(("", f"… {left_out} more fields", "", "", "")))
        return result

    def _line(self, field: Field) -> Line:
        wire = _wire(field) if self.kind == "frame" else str(field.bits // 8)
        name = Cell(field.name, FIELDS[field.name])
        return Line((wire, name, field.value, field.meaning, field.section), field.error or "")

    def table(self) -> Table:
        """Return its fields as a table."""
        return Table(_heading(self.kind), self.lines())

    def __repr__(self) -> str:
        head = textwrap.wrap(self.meaning, WIDTH, initial_indent="  ", subsequent_indent="  ")
        return "\n".join([self.title, *head, *wrong_text(self.problems), repr(self.table())])

    def _repr_html_(self) -> str:
        title = f"<b>{escape(self.title)}</b><br>{escape(self.meaning)}"
        bits = _map(self) if self.kind == "frame" else ""
        wrong = wrong_html(self.problems)
        return framed(f'<p style="margin:8px 0 4px">{title}</p>{wrong}{bits}{self.table().html()}')

    def figure(self) -> Figure:
        """Draw the real bytes in the way of the picture in §5.2; a head or a body is drawn line by line."""
        from wslab.lab.dissector.picture import draw_piece  # matplotlib is loaded for the first picture

        return draw_piece(self)


class Dissections(tuple[Dissection, ...]):
    """The pieces of a stream in order; shows all of them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self)) or "no bytes"

    def _repr_html_(self) -> str:
        return "".join(piece._repr_html_() for piece in self) or "<p>no bytes</p>"


# -- a row for each field -----------------------------------------------------------------------------------


def _heading(kind: str) -> list[Column]:
    name = "on the wire" if kind == "frame" else "bytes"
    wire = Column(name, 15, number=kind != "frame", code=True, whole=True)
    value = Column("value", 34, number=False, code=True)
    return [wire, Column("field", 24), value, Column("meaning"), Column("section", 15, whole=True)]


def _header_line(name: Field, following: Field | None) -> Line:
    value = following if following and following.name == "header value" else None
    size = (name.bits + (value.bits if value else 0)) // 8
    errors = "; ".join(filter(None, [name.error, value.error if value else None]))
    text = Cell(value.value, FIELDS["header value"]) if value else Cell("")
    meaning, section = (value.meaning, value.section) if value else (name.meaning, name.section)
    return Line((str(size), Cell(name.value, FIELDS["header name"]), text, meaning, section), errors)


def _wire(field: Field) -> str:
    """Write the bytes of a field four in a line, as many as the picture of §5.2 has."""
    if field.bits < 8:
        return bits_of(field)
    lines = [field.data[i : i + 4].hex(" ") for i in range(0, min(16, len(field.data)), 4)]
    left_out = len(field.data) - 16
    return "\n".join([*lines, f"… {left_out} more"] if left_out > 0 else lines)


# -- the bits in their places (§5.2) ------------------------------------------------------------------------

_NARROW = "padding:1px 0;text-align:center;vertical-align:middle;font-size:11px;line-height:1.2"
_PLAIN = f"border:0;{_NARROW};font-family:monospace;font-weight:normal;color:inherit"


def _map(piece: Dissection) -> str:
    """Return the fields of a frame where their bits are, 32 in a row, from 520 pixels wide."""
    drawn = parts(piece.fields)
    look = "border-collapse:collapse;table-layout:fixed;margin:4px 0;border:0;"
    look += "width:100%;min-width:520px;max-width:700px"
    ruler = [f'<th scope="col" style="{_PLAIN}">{bit}</th>' for bit in range(32)]
    corner = f'<th scope="col" style="{_PLAIN};width:36px">bit</th>'
    lines = [f'<table style="{look}"><thead><tr>{corner}', *ruler, "</tr></thead><tbody>"]
    for row in range(drawn[-1].row + 1):
        where = f"byte<br>{piece.start + 4 * row}"
        lines.append(f'<tr><th scope="row" style="{_PLAIN}">{where}</th>')
        lines += [_part(part) for part in drawn if part.row == row]
        lines.append("</tr>")
    if (left_out := len(piece.data) - DRAWN) > 0:
        lines.append(f'<tr><td style="{_PLAIN}">…</td><td colspan="32" style="{_PLAIN}">')
        lines.append(f"{left_out} more bytes</td></tr>")
    return "".join([*lines, "</tbody></table>"])


def _part(part: Stretch) -> str:
    style = f"border:1px solid {INK};{_NARROW};{FIELDS[part.name].css}"
    name = escape(part.name)
    if part.columns == 1:  # one letter below the other, by the width alone: a screen reader says the word
        name = f'<span style="display:inline-block;width:8px;word-break:break-all">{name}</span>'
    code = f'<span style="font-family:monospace;font-weight:bold">{part.text}</span>'
    return f'<td colspan="{part.columns}" style="{style}">{name}<br>{code}</td>'
