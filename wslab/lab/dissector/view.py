"""A dissection in words: a plain-text table, and an HTML table with the bits in their places above it.

Both views show the same rows, one for each field (a header field is one row: its name and its value). The
text is at most 110 columns wide; cells that are longer go on below. The HTML needs no script and no style
sheet, escapes what came off the wire, and is readable on light and dark pages. Long payloads are left out
after a few bytes, and both views say how many are missing. The picture as an image is drawn by `ruler`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from html import escape
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from wslab.lab.views.palette import ERROR, FIELDS, Colour

if TYPE_CHECKING:
    from wslab.lab.dissector.dissection import Dissection, Field

__all__ = ["Cell", "Row", "bits_of", "cells", "html", "html_table", "rows", "text", "text_table", "title"]

WIDTH = 110  # columns of plain text
MAX_FIELDS = 80  # of one piece that are shown in its table
RULER_BYTES = 24  # bytes of one frame that are drawn in their places
_BORDER = "border:1px solid rgba(128,128,128,.4)"
_CELL = f"{_BORDER};padding:2px 7px;text-align:left;vertical-align:top;white-space:normal"


class Row(NamedTuple):
    """Hold one line of the table: texts for the columns, and the colours of the field's name and value."""

    cells: tuple[str, ...]
    error: str | None = None
    colours: tuple[Colour | None, Colour | None] = (None, None)


class Cell(NamedTuple):
    """Hold the part of a field that lies in one row of 32 bits: where, which field, what is written."""

    row: int
    column: int
    columns: int
    name: str
    text: str


# -- what is shown ------------------------------------------------------------------------------------------


def bits_of(field: Field) -> str:
    """Write the bits of a field of less than a byte in their places, the other bits as dots.

    >>> from wslab.lab.dissector.dissection import Field
    >>> bits_of(Field("opcode", 4, 4, b"\\x81", "1", "TEXT", "§5.2"))
    '.... 0001'
    """
    first = field.bit % 8
    digits = f"{field.data[0]:08b}"
    dotted = "".join(d if first <= i < first + field.bits else "." for i, d in enumerate(digits))
    return f"{dotted[:4]} {dotted[4:]}"


def _wire(field: Field) -> str:
    """Write the bytes of a field four in a line, as many as the picture of §5.2 has."""
    if field.bits < 8:
        return bits_of(field)
    lines = [field.data[i : i + 4].hex(" ") for i in range(0, min(16, len(field.data)), 4)]
    left_out = len(field.data) - 16
    return "\n".join([*lines, f"… {left_out} more"] if left_out > 0 else lines)


def title(piece: Dissection) -> str:
    """Name a piece and where it is in the stream."""
    size = len(piece.data)
    last = piece.start + size - 1
    where = f"bytes {piece.start}–{last}" if size > 1 else f"byte {piece.start}"
    kind = "" if piece.kind == piece.what else f" · {piece.kind}"
    return f"{piece.what}{kind} · {where} ({size})"


def rows(piece: Dissection) -> tuple[tuple[str, ...], list[Row]]:
    """Return the names of the columns and the rows of a piece."""
    heading = ("on the wire" if piece.kind == "frame" else "bytes", "field", "value", "meaning", "section")
    result: list[Row] = []
    shown = piece.fields[:MAX_FIELDS]
    for field, following in zip_longest(shown, shown[1:]):
        if field.name == "header value":
            continue  # it stands in the row of its name
        if field.name == "header name":
            result.append(_header_row(field, following))
            continue
        wire = _wire(field) if piece.kind == "frame" else str(field.bits // 8)
        texts = (wire, field.name, field.value, field.meaning, field.section)
        result.append(Row(texts, field.error, (FIELDS[field.name], None)))
    if left_out := len(piece.fields) - len(shown):
        result.append(Row(("", f"… {left_out} more fields", "", "", "")))
    return heading, result


def _header_row(name: Field, following: Field | None) -> Row:
    value = following if following and following.name == "header value" else None
    size = (name.bits + (value.bits if value else 0)) // 8
    errors = "; ".join(filter(None, [name.error, value.error if value else None]))
    said = (value.value, value.meaning, value.section) if value else ("", name.meaning, name.section)
    colours = (FIELDS["header name"], FIELDS["header value"] if value else None)
    return Row((str(size), name.value, *said), errors or None, colours)


def _problems(piece: Dissection) -> str:
    """Return what is wrong with the piece as a whole; what is wrong with a field stands at the field."""
    of_fields = "; ".join(field.error for field in piece.fields[:MAX_FIELDS] if field.error)
    return (piece.error or "").removeprefix(of_fields).removeprefix("; ")


# -- plain text ---------------------------------------------------------------------------------------------


def text(piece: Dissection) -> str:
    """Return the plain-text view of one piece."""
    head = textwrap.wrap(piece.meaning, WIDTH, initial_indent="  ", subsequent_indent="  ")
    wrong = _wrong(problems) if (problems := _problems(piece)) else []
    heading, lines = rows(piece)
    return "\n".join([title(piece), *head, *wrong, text_table(heading, lines)])


def _wrong(error: str) -> list[str]:
    return textwrap.wrap(f"wrong: {error}", WIDTH, initial_indent="  ", subsequent_indent="         ")


def text_table(
    heading: Sequence[str], lines: Sequence[Row], caps: Sequence[int] = (15, 24, 34, 0, 15)
) -> str:
    """Lay rows out in columns of plain text, at most 110 wide.

    Args:
        heading: the names of the columns.
        lines: the rows.
        caps: the greatest width of each column, in characters; the column with 0 gets what is left.

    >>> print(text_table(("a", "b"), [Row(("1", "one two"))], caps=(4, 0)))
    a  b
    -  -------
    1  one two
    """
    table = [tuple(heading), *(row.cells for row in lines)]
    natural = [max(max(map(len, cell.split("\n"))) for cell in column) for column in zip(*table, strict=True)]
    widths = [min(width, cap) if cap else 0 for width, cap in zip(natural, caps, strict=True)]
    free = WIDTH - sum(widths) - 2 * (len(widths) - 1)
    widths = [width or min(free, wanted) for width, wanted in zip(widths, natural, strict=True)]
    printed = [_columns(heading, widths), "  ".join("-" * width for width in widths)]
    for row in lines:
        printed.append(_columns(row.cells, widths))
        if row.error:
            printed.append("\n".join(_wrong(row.error)))
    return "\n".join(printed)


def _columns(cells: Sequence[str], widths: Sequence[int]) -> str:
    wrapped = [
        [part for line in cell.split("\n") for part in textwrap.wrap(line, width) or [""]]
        for cell, width in zip(cells, widths, strict=True)
    ]
    lines = []
    for i in range(max(map(len, wrapped))):
        parts = [column[i] if i < len(column) else "" for column in wrapped]
        line = "  ".join(part.ljust(width) for part, width in zip(parts, widths, strict=True))
        lines.append(line.rstrip())
    return "\n".join(lines)


# -- HTML ---------------------------------------------------------------------------------------------------


def html(piece: Dissection) -> str:
    """Return the HTML view of one piece: title, bits in their places, table."""
    lines = [f'<p style="margin:8px 0 4px"><b>{escape(title(piece))}</b><br>{escape(piece.meaning)}</p>']
    if problems := _problems(piece):
        lines.append(f'<p style="margin:4px 0"><span style="{ERROR.css};padding:2px 7px">')
        lines.append(f"wrong: {escape(problems)}</span></p>")
    if piece.kind == "frame":
        lines.append(_ruler_html(piece))
    heading, table = rows(piece)
    lines.append(html_table(heading, table))
    return f'<div style="overflow-x:auto;color:inherit">{"".join(lines)}</div>'


def html_table(heading: Sequence[str], lines: Sequence[Row], code: Collection[int] = (0, 2)) -> str:
    """Return rows as an HTML table; the second and third column take the colours of the row.

    Args:
        heading: the names of the columns.
        lines: the rows.
        code: the columns that are set in a fixed-width font, counted from 0.
    """
    parts = [f'<table style="border-collapse:collapse;margin:4px 0;font-size:13px;{_BORDER}"><thead><tr>']
    parts += [f'<th style="{_CELL}">{escape(name)}</th>' for name in heading]
    parts.append("</tr></thead><tbody>")
    for row in lines:
        parts.append("<tr>")
        for i, cell in enumerate(row.cells):
            colour = row.colours[i - 1] if i in (1, 2) else None
            style = _CELL + (f";{colour.css}" if colour else "")
            if i in code:
                style += ";font-family:monospace;" + ("overflow-wrap:anywhere" if i else "white-space:nowrap")
            parts.append(f'<td style="{style}">{escape(cell).replace(chr(10), "<br>")}</td>')
        parts.append("</tr>")
        if row.error:
            wrong = f"wrong: {escape(row.error)}"
            parts.append(f'<tr><td colspan="{len(row.cells)}" style="{_CELL};{ERROR.css}">{wrong}</td></tr>')
    return "".join([*parts, "</tbody></table>"])


# -- the bits in their places (§5.2) ------------------------------------------------------------------------


def cells(piece: Dissection) -> tuple[list[Cell], int]:
    """Cut the fields of a frame into rows of 32 bits, as §5.2 draws them.

    Returns:
        The cells in order, and the number of bytes that are left out after the 24th.
    """
    result: list[Cell] = []
    for field in piece.fields:
        bit, end = field.bit, min(field.bit + field.bits, 8 * RULER_BYTES)
        while bit < end:
            stop = min(end, (bit // 32 + 1) * 32)
            offset = (bit - field.bit) // 8
            if field.bits < 8:
                shown = bits_of(field).replace(".", "").strip()
            else:
                shown = field.data[offset : offset + (stop - bit) // 8].hex(" ")
            result.append(Cell(bit // 32, bit % 32, stop - bit, field.name, shown))
            bit = stop
    return result, max(0, len(piece.data) - RULER_BYTES)


def _ruler_html(piece: Dissection) -> str:
    parts, left_out = cells(piece)
    narrow = "padding:1px 0;text-align:center;vertical-align:middle;font-size:11px;line-height:1.25"
    grey = f"border:0;{narrow};font-family:monospace;color:inherit"
    lines = [
        '<table style="border-collapse:collapse;table-layout:fixed;width:760px;margin:4px 0;border:0"><thead>'
    ]
    lines.append(f'<tr><th style="{grey};width:40px">byte</th>')
    lines += [f'<th style="{grey};width:22px">{bit}</th>' for bit in range(32)]
    lines.append("</tr></thead><tbody>")
    for row in range(parts[-1].row + 1):
        lines.append(f'<tr><td style="{grey}">{piece.start + 4 * row}</td>')
        for cell in (cell for cell in parts if cell.row == row):
            style = f"{_BORDER};{narrow};{FIELDS[cell.name].css}"
            name = "<br>".join(cell.name) if cell.columns == 1 else escape(cell.name)
            code = f'<span style="font-family:monospace;font-weight:bold">{cell.text}</span>'
            lines.append(f'<td colspan="{cell.columns}" style="{style}">{name}<br>{code}</td>')
        lines.append("</tr>")
    if left_out:
        lines.append(
            f'<tr><td style="{grey}">…</td><td colspan="32" style="{grey}">{left_out} more bytes</td></tr>'
        )
    return "".join([*lines, "</tbody></table>"])
