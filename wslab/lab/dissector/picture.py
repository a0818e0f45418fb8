"""The picture of a dissection: a frame in rows of 32 bits as RFC 6455 §5.2 draws it, HTTP line by line.

The picture is drawn from the same fields as the tables, with their colours and their names, and its
alternative text is made of the same values. A frame is cut after 24 bytes, a head after 30 lines, and the
picture says how much is left out.
"""

from __future__ import annotations

import textwrap
from itertools import accumulate
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from wslab.lab.dissector.field import DRAWN, Stretch, parts
from wslab.lab.views.figure import MONO, Figure, box, label, sheet
from wslab.lab.views.palette import ERROR, FIELDS, INK, PAPER, Colour
from wslab.lab.views.table import Cell

if TYPE_CHECKING:
    from wslab.lab.dissector.dissection import Dissection

__all__ = ["draw_piece"]

_BIT = 22  # width of one bit in CSS pixels
_LEFT = 52
_TOP = 46
_TALL = 64  # height of a row with fields of one bit, whose names are written downwards
_ROW = 42
_LINE = 24
_WRONG_LINE = 18
_CHARACTER = 7.3  # width of one character of the fixed font at 9 points
_LINES = 30
_LONGEST = 88  # characters of one line of HTTP


def draw_piece(piece: Dissection) -> Figure:
    """Draw one piece of a stream.

    >>> from wslab.lab.dissector.stream import dissect
    >>> dissect(bytes.fromhex("8100"), start="frame")[0].figure()
    TEXT · frame · bytes 0–1 (2): FIN 1, RSV1 0, RSV2 0, RSV3 0, opcode 1 (TEXT), MASK 0, payload length 0
    """
    return _frame(piece) if piece.kind == "frame" else _lines(piece)


def _frame(piece: Dissection) -> Figure:
    drawn, left_out = parts(piece.fields), max(0, len(piece.data) - DRAWN)
    heights = [_TALL] + [_ROW] * drawn[-1].row
    tops = list(accumulate(heights, initial=_TOP))
    wrong = _wrong_lines(piece, 112)
    bottom = tops[-1] + (28 if left_out else 8)
    figure, axes = sheet(_LEFT + 32 * _BIT + 4, bottom + _WRONG_LINE * len(wrong))
    label(axes, _LEFT, 14, piece.title, size=10, weight="bold")
    label(axes, _LEFT - 6, _TOP - 9, "bit", size=6.5, align="right")
    for bit in range(32):
        label(axes, _LEFT + (bit + 0.5) * _BIT, _TOP - 9, str(bit), size=6.5, align="center")
    for row, height in enumerate(heights):
        where = f"byte\n{piece.start + 4 * row}"
        label(axes, _LEFT - 6, tops[row] + height / 2, where, size=7, align="right")
    for part in drawn:
        left = _LEFT + part.column * _BIT
        _draw_part(axes, part, (left, tops[part.row], part.columns * _BIT, heights[part.row]))
    if left_out:
        label(axes, _LEFT, tops[-1] + 14, f"… {left_out} more bytes", size=8.5)
    _write(axes, _LEFT, bottom, wrong)
    return Figure(figure, _words(piece))


def _draw_part(axes: Axes, part: Stretch, place: tuple[float, float, float, float]) -> None:
    left, top, width, height = place
    upright = part.columns == 1
    box(axes, place, "", FIELDS[part.name])
    name, at = ("\n".join(part.name), top + 0.42 * height) if upright else (part.name, top + height / 2 - 9)
    label(axes, left + width / 2, at, name, size=7 if upright else 8, align="center")
    at = top + height - 9 if upright else top + height / 2 + 9
    label(axes, left + width / 2, at, part.text, size=8, align="center", family=MONO, weight="bold")


def _wrong_lines(piece: Dissection, width: int) -> list[str]:
    return textwrap.wrap(f"wrong: {piece.error}", width) if piece.error else []


def _write(axes: Axes, left: float, top: float, lines: list[str]) -> None:
    for i, line in enumerate(lines):
        middle = top + (i + 0.5) * _WRONG_LINE
        box(axes, (left, middle - 9, 5, _WRONG_LINE), "", ERROR)
        label(axes, left + 12, middle, line, size=8, weight="bold")


def _words(piece: Dissection) -> str:
    said = []
    for field in piece.fields:
        named = f" ({field.meaning})" if field.name in ("opcode", "close code") else ""
        said.append(f"{field.name} {field.value}{named}")
    wrong = f". Wrong: {piece.error}" if piece.error else ""
    return f"{piece.title}: {', '.join(said)}{wrong}"


def _lines(piece: Dissection) -> Figure:
    rows = [line.cells[1:3] for line in piece.lines()]
    lines = [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in rows]
    shown = lines[:_LINES]
    texts = [_line_texts(name.text, value.text, header=value.colour is not None) for name, value in shown]
    left_out = len(lines) - len(shown)
    longest = max(sum(map(len, pair)) for pair in texts)
    width, bottom = max(480, longest * _CHARACTER + 60), 32 + len(shown) * _LINE + (28 if left_out else 8)
    problems = _wrong_lines(piece, int(width / 7))
    figure, axes = sheet(width, bottom + _WRONG_LINE * len(problems))
    label(axes, 12, 14, piece.title, size=10, weight="bold")
    for i, (line, pair) in enumerate(zip(shown, texts, strict=True)):
        left, top = 12.0, 30 + i * _LINE
        for text, (_, colour) in zip(pair, line, strict=True):
            wide = len(text) * _CHARACTER + 12
            if text:
                box(axes, (left, top, wide, _LINE - 3), text, colour or Colour(PAPER, INK), family=MONO)
                left += wide
    if left_out:
        label(axes, 12, 30 + len(shown) * _LINE + 12, f"… {left_out} more lines")
    _write(axes, 12, bottom, problems)
    said = "; ".join(" ".join(filter(None, (first, second))) for first, second in texts)
    wrong = f". Wrong: {piece.error}" if piece.error else ""
    return Figure(figure, f"{piece.title}: {said}{wrong}")


def _line_texts(name: str, value: str, *, header: bool) -> tuple[str, str]:
    first = f"{name}:" if header else name
    room = _LONGEST - len(first)
    return first, value if len(value) <= room else value[: room - 1] + "…"
