"""The one table of the course: rows under a heading, in plain text and in HTML.

A cell may carry the colour of a field, a row what is wrong with it, and numbers are aligned to the right.
The text is at most 110 characters wide, and a longer cell goes on below. The HTML needs no
script and no style sheet, escapes all that it is given, and reads the same on light and dark pages; a
narrow page scrolls it.

The HTML begins with a blank line: JupyterLab writes the first line of a folded output beside its dots, and
that line must not betray the answer to a question.
"""

from __future__ import annotations

import re
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import zip_longest
from typing import NamedTuple

from wslab.lab.views.palette import ERROR, Colour

__all__ = ["WIDTH", "Cell", "Column", "Line", "Table", "Tabled", "framed", "wrong_html", "wrong_text"]

WIDTH = 110  # columns of plain text
_CELL = "border:1px solid rgba(128,128,128,.4);padding:2px 7px;vertical-align:top"
_HEAD = ";vertical-align:bottom;overflow-wrap:normal"
_NUMBER = re.compile(r"[-+−±~<>≤≥ ]*\d[\d,. ]*( ?[^\W\d]{1,3}| ?%)?")  # perhaps with a unit
_NONE = ("", "–", "never")  # where a number would stand


class Cell(NamedTuple):
    """A text with the colour of what it says."""

    text: str
    colour: Colour | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, and how its texts are set.

    Args:
        name: its heading; may hold line breaks.
        most: its greatest width in plain text, in characters; with 0 it takes what the others leave.
        least: its least width in HTML, in em: so that a narrow page does not break its words.
        number: whether it is set to the right; with None it is when it holds nothing but numbers.
        code: whether it is set in a font of fixed width.
        whole: whether its lines stay whole in HTML.
    """

    name: str
    most: int = 0
    least: float = 0
    number: bool | None = None
    code: bool = False
    whole: bool = False

    @property
    def css(self) -> str:
        """The inline style of its cells."""
        style = _CELL + f";text-align:{'right;font-variant-numeric:tabular-nums' if self.number else 'left'}"
        style += ";font-family:monospace" if self.code else ""
        style += f";min-width:{self.least:g}em" if self.least else ""
        return style + (";white-space:nowrap" if self.whole or self.number else ";overflow-wrap:anywhere")


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table, with what is wrong with it."""

    cells: Sequence[str | Cell]
    error: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows of texts under a heading, with a title above and a sentence below where there is one.

    Args:
        heading: the columns, or their names.
        rows: for each row as many cells or texts as there are columns; or a `Line` of them.
        note: the sentence.
        title: the title.
        wrong: what is wrong with all of it.

    >>> Table(("way", "bytes"), [("polling", "228"), Line(("WebSocket", Cell("10")), "too few")])
    way        bytes
    ---------  -----
    polling      228
    WebSocket     10
      wrong: too few
    """

    heading: Sequence[str | Column]
    rows: Sequence[Line | Sequence[str | Cell]]
    note: str = ""
    title: str = ""
    wrong: str = ""

    def _lines(self) -> Iterator[tuple[list[Cell], str]]:
        """Yield the cells of each row, and what is wrong with it."""
        for row in self.rows:
            cells, error = (row.cells, row.error) if isinstance(row, Line) else (row, "")
            yield [Cell(cell) if isinstance(cell, str) else cell for cell in cells], error

    def _columns(self) -> list[Column]:
        """Return the columns, each knowing whether it holds numbers."""
        columns = [Column(each) if isinstance(each, str) else each for each in self.heading]
        filled = [[cells[at].text for cells, _ in self._lines()] for at in range(len(columns))]
        return [
            column if column.number is not None else replace(column, number=_are_numbers(texts))
            for column, texts in zip(columns, filled, strict=True)
        ]

    def __repr__(self) -> str:
        columns = self._columns()
        names = [column.name.split("\n") for column in columns]
        height = max(map(len, names))
        heading = ["\n".join([""] * (height - len(lines)) + lines) for lines in names]  # they end on one line
        rows = [([cell.text for cell in cells], error) for cells, error in self._lines()]
        widths = _widths(columns, [heading, *(texts for texts, _ in rows)])
        printed = [*([self.title] if self.title else []), *wrong_text(self.wrong)]
        printed += [_row(heading, widths, columns), "  ".join("-" * width for width in widths)]
        for texts, error in rows:
            printed += [_row(texts, widths, columns), *wrong_text(error)]
        return "\n".join([*printed, self.note] if self.note else printed)

    def _repr_html_(self) -> str:
        title = f'<p style="margin:8px 0 4px"><b>{escape(self.title)}</b></p>' if self.title else ""
        return framed(f"{title}{wrong_html(self.wrong)}{self.html()}{escape(self.note)}")

    def html(self) -> str:
        """Return the table alone, to be framed together with other things."""
        columns = self._columns()
        heading = [f'<th scope="col" style="{each.css}{_HEAD}">{_broken(each.name)}</th>' for each in columns]
        lines = [f"<thead><tr>{''.join(heading)}</tr></thead><tbody>"]
        for cells, error in self._lines():
            pairs = zip(cells, columns, strict=True)
            lines.append(f"<tr>{''.join(_html_cell(cell, column) for cell, column in pairs)}</tr>")
            if error:
                cell = f'<td colspan="{len(columns)}" style="{_CELL};text-align:left;{ERROR.css}">'
                lines.append(f"<tr>{cell}wrong: {escape(error)}</td></tr>")
        look = "border-collapse:collapse;margin:4px 0;font-size:13px;line-height:1.35"
        return f'<table style="{look}">{"".join(lines)}</tbody></table>'


class Tabled(ABC):
    """A thing that shows itself as its table."""

    __slots__ = ()

    @abstractmethod
    def _table(self) -> Table: ...

    def __repr__(self) -> str:
        return repr(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()


def framed(html: str) -> str:
    """Return markup in a frame that scrolls on a narrow page, a blank line before it (see above)."""
    return f' \n<div style="overflow-x:auto;color:inherit">{html}</div>'


def wrong_text(error: str) -> list[str]:
    """Return the lines of plain text that say what is wrong; none when nothing is."""
    text = f"wrong: {error}"
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent=" " * 9) if error else []


def wrong_html(error: str) -> str:
    """Return the paragraph that says what is wrong; nothing when nothing is."""
    marked = f'<span style="{ERROR.css};padding:2px 7px">wrong: {escape(error)}</span>'
    return f'<p style="margin:4px 0">{marked}</p>' if error else ""


def _are_numbers(texts: Sequence[str]) -> bool:
    filled = [text for text in texts if text not in _NONE]
    return bool(filled) and all(map(_NUMBER.fullmatch, filled))


def _widths(columns: Sequence[Column], table: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each column, in characters; the widest without a limit gives way to the others."""
    widths = [max(max(map(len, text.split("\n"))) for text in texts) for texts in zip(*table, strict=True)]
    widths = [min(width, column.most or width) for width, column in zip(widths, columns, strict=True)]
    free = [at for at, column in enumerate(columns) if not column.most]
    while free and (over := sum(widths) + 2 * (len(widths) - 1) - WIDTH) > 0:
        widest = max(free, key=lambda at: widths[at])
        free.remove(widest)
        widths[widest] = max(8, widths[widest] - over)
    return widths


def _row(texts: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    wrapped = [
        [part for line in text.split("\n") for part in textwrap.wrap(line, width) or [""]]
        for text, width in zip(texts, widths, strict=True)
    ]
    lines = []
    for parts in zip_longest(*wrapped, fillvalue=""):
        set_ = (
            part.rjust(width) if column.number else part.ljust(width)
            for part, width, column in zip(parts, widths, columns, strict=True)
        )
        lines.append("  ".join(set_).rstrip())
    return "\n".join(lines)


def _html_cell(cell: Cell, column: Column) -> str:
    colour = f";{cell.colour.css}" if cell.colour else ""
    return f'<td style="{column.css}{colour}">{_broken(cell.text)}</td>'


def _broken(text: str) -> str:
    return escape(text).replace("\n", "<br>")
